//! `point3r convert`.

use super::Outcome;

/// Arguments of `point3r convert`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

#[expect(clippy::needless_pass_by_value, clippy::unnecessary_wraps, reason = "filled in by the command")]
pub(super) fn execute(_args: Args) -> Outcome {
    Ok(false)
}

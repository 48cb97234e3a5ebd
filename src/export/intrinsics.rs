//! The camera as JSON: one pinhole for the sequence, in pixels of the network input and of the photographs.

use std::io::Write;

use serde::Serialize;

use super::{ExportError, generator};
use crate::{geometry::Intrinsics, session::Session};

/// The file's content.
#[derive(Debug, Serialize)]
struct Camera<'a> {
    generator: String,
    model: &'static str,
    /// How the numbers came about.
    method: &'static str,
    /// Pixels of the depth and confidence pictures.
    input: Intrinsics,
    /// Pixels of the frames as they were given.
    photograph: Option<Intrinsics>,
    /// Focal length by frame, input pixels; null where none could be estimated.
    focal_by_frame: &'a [Option<f64>],
}

/// Writes the camera of a session.
///
/// # Errors
/// When no frame gave a focal length, or `out` fails.
pub fn write(session: &Session, out: &mut impl Write) -> Result<(), ExportError> {
    let input = session.intrinsics().ok_or(ExportError::NoCamera)?;
    let camera = Camera {
        generator: generator(),
        model: "pinhole",
        method: "median over frames of the Weiszfeld focal length of the camera-frame points",
        input,
        photograph: session.photograph_intrinsics(),
        focal_by_frame: session.focals(),
    };
    serde_json::to_writer_pretty(&mut *out, &camera).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

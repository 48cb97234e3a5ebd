//! What the user asks of a session besides frames; a frame that is being computed comes first.

use super::error::EngineError;
use crate::session::Session;

/// A command given while a frame was being computed.
#[derive(Debug, Clone, Copy)]
pub(super) enum Command {
    Pause,
    Resume,
    /// What a unit of the scene is.
    Scale(f32),
}

impl Command {
    /// Does it.
    pub(super) fn apply(self, session: &mut Session) -> Result<(), EngineError> {
        match self {
            Self::Pause => session.pause()?,
            Self::Resume => session.resume()?,
            Self::Scale(scale) => session.set_scale(scale),
        }
        Ok(())
    }
}

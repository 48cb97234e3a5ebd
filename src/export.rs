//! Files for other programs, one module per format.

#[cfg(feature = "cli")]
pub mod depth;
pub mod glb;
pub mod intrinsics;
pub mod ply;
pub mod report;
pub mod tum;

use crate::{scene::Scene, session::Session};

/// A result that cannot be written.
#[derive(Debug, thiserror::Error)]
pub enum ExportError {
    /// There is no point to write.
    #[error("there are no points to export: reconstruct at least one frame, or ask for less confidence")]
    Empty,
    /// A number that no reader would accept.
    #[error("pose {0} is not finite and cannot be exported: undo that frame")]
    NotFinite(usize),
    /// The file cannot be written.
    #[error("the file could not be written ({0}): check the folder and the free space")]
    Io(#[from] std::io::Error),
    /// The picture cannot be encoded.
    #[error("the picture could not be encoded ({0}): check the folder and the free space")]
    Encode(String),
}

impl ExportError {
    /// The error's name in the closed set shared with the page.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Empty => "empty-cloud",
            Self::NotFinite(_) | Self::Io(_) | Self::Encode(_) => "bad-request",
        }
    }
}

/// What a session can be exported as.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    /// Coloured points.
    Ply,
    /// Camera trajectory.
    Tum,
    /// Camera intrinsics.
    Intrinsics,
    /// Points, cameras and path in one file.
    Glb,
}

/// Writes a session's results into memory, to its scale. `comments` say where they come from, in formats that have
/// room.
///
/// # Errors
/// When there is nothing to export.
pub fn export(session: &Session, format: Format, comments: &[&str]) -> Result<Vec<u8>, ExportError> {
    let session = &*session.to_scale();
    let mut bytes = Vec::new();
    match format {
        Format::Ply => ply::write(session.cloud(), 0.0, comments, &mut bytes)?,
        Format::Tum => tum::write(session.trajectory(), comments, &mut bytes)?,
        Format::Intrinsics => intrinsics::write(session, &mut bytes)?,
        Format::Glb => glb::write(&Scene::of(session, comments.first().unwrap_or(&"")), 0.0, &mut bytes)?,
    }
    Ok(bytes)
}

/// The program's name and version, for file headers.
pub(crate) fn generator() -> String {
    format!("point3r {}", env!("CARGO_PKG_VERSION"))
}

/// One line of printable text: comments come from file names and must not break a header.
pub(crate) fn one_line(text: &str) -> String {
    text.chars().take(200).map(|c| if c.is_control() { ' ' } else { c }).collect()
}

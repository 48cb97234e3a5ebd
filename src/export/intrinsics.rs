//! The camera as JSON: one pinhole for the sequence, in pixels of the network input and of the photographs.

use std::io::Write;

use serde::Serialize;

use super::{ExportError, Reconstruction, generator};
use crate::geometry::Intrinsics;

/// The file's content.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct Camera {
    generator: String,
    model: &'static str,
    /// How the numbers came about.
    method: &'static str,
    /// Pixels of the depth and confidence pictures; null where no frame gave a focal length.
    input: Option<Intrinsics>,
    /// Pixels of the frames as they were given.
    photograph: Option<Intrinsics>,
    /// Focal length by frame, input pixels; null where none could be estimated.
    focal_by_frame: Vec<Option<f64>>,
}

/// Writes the camera of a reconstruction.
///
/// # Errors
/// When there is no frame, or `out` fails. A camera that could not be estimated is written as null.
pub fn write(scene: &Reconstruction, out: &mut impl Write) -> Result<(), ExportError> {
    if scene.keyframes.frames().is_empty() {
        return Err(ExportError::Empty);
    }
    let camera = Camera {
        generator: generator(),
        model: "pinhole",
        method: "median over frames of the Weiszfeld focal length of the camera-frame points",
        input: scene.camera,
        photograph: scene.photograph,
        focal_by_frame: scene.keyframes.frames().iter().map(|frame| frame.focal).collect(),
    };
    serde_json::to_writer_pretty(&mut *out, &camera).map_err(std::io::Error::from)?;
    writeln!(out)?;
    Ok(())
}

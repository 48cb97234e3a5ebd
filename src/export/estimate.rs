//! How large a file will be, before it is made: for a list to choose from, not for allocation.

use super::{ExportOptions, Format, MapFormat, Reconstruction};

/// A picture as PNG, share of its bytes; photographs vary between a third and three quarters.
const PICTURE: f64 = 0.6;
/// Depth as 16-bit PNG, bytes per pixel, and confidence as 8-bit PNG.
const DEPTH: f64 = 1.2;
const CONFIDENCE: f64 = 0.5;
/// Floats of a map after deflating.
const FLOAT: f64 = 3.0;
/// A point of a COLMAP model, binary and (deflated) text.
const COLMAP_POINT: f64 = 55.0;

/// About how many bytes a format takes; `None` where only making it can tell (meshes).
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "an estimate")]
pub fn estimate(scene: &Reconstruction, format: Format, options: &ExportOptions) -> Option<f64> {
    let frames = scene.keyframes.frames();
    let points = scene.cloud.selected(options.selection()).count() as f64;
    let few = points.min(options.max_points as f64);
    let pixels: usize = frames.iter().filter_map(|f| f.maps.as_deref()).map(|m| m.width * m.height).sum();
    let pixels = pixels as f64;
    let frames = frames.len() as f64;
    let (pictures, depth) = (3.0 * PICTURE * pixels, DEPTH * pixels);
    match format {
        Format::Ply => Some(400.0 + 23.0 * points),
        Format::Glb => Some(1500.0 + 28.0 * points + 250.0 * frames),
        Format::Tum => Some(100.0 + 90.0 * frames),
        Format::Intrinsics => Some(600.0 + 25.0 * frames),
        Format::Colmap => Some(pictures + COLMAP_POINT * few + 400.0 * frames),
        Format::Nerfstudio => Some(pictures + depth + 15.0 * few + 500.0 * frames),
        Format::Maps => {
            let png = if options.maps == MapFormat::Npy { 0.0 } else { depth + CONFIDENCE * pixels };
            let npy = if options.maps == MapFormat::Png { 0.0 } else { 1.5 * FLOAT * pixels };
            Some(pictures + png + npy + 500.0 * frames)
        }
        Format::MeshPly | Format::MeshGlb => None,
    }
}

//! Pictures of one frame: depth (16-bit PNG, millimetres, 0 = none) and confidence (8-bit PNG, codes of
//! [`crate::cloud::encode_confidence`]).

use std::io::Write;

use image::{ExtendedColorType, ImageEncoder, codecs::png::PngEncoder};

use super::ExportError;
use crate::cloud::encode_confidence;

/// Metres as millimetres; 0 for what is behind the camera, beyond 65.535 m, or not a number.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
pub fn millimetres(depth: f32) -> u16 {
    let mm = (f64::from(depth) * 1e3).round();
    if (1.0..=f64::from(u16::MAX)).contains(&mm) { mm as u16 } else { 0 }
}

fn encode(
    bytes: &[u8],
    color: ExtendedColorType,
    width: usize,
    height: usize,
    out: &mut impl Write,
) -> Result<(), ExportError> {
    let side = |s: usize| u32::try_from(s).map_err(|e| ExportError::Encode(e.to_string()));
    let expected = width * height * usize::from(color.bits_per_pixel()) / 8;
    if bytes.len() != expected {
        return Err(ExportError::Encode(format!("{} bytes instead of {expected}", bytes.len())));
    }
    PngEncoder::new(out)
        .write_image(bytes, side(width)?, side(height)?, color)
        .map_err(|e| ExportError::Encode(e.to_string()))
}

/// Writes a depth map in metres.
///
/// # Errors
/// When the map does not have `width * height` values, or `out` fails.
pub fn write_depth(
    depth: impl Iterator<Item = f32>,
    width: usize,
    height: usize,
    out: &mut impl Write,
) -> Result<(), ExportError> {
    let bytes: Vec<u8> = depth.flat_map(|d| millimetres(d).to_ne_bytes()).collect();
    encode(&bytes, ExtendedColorType::L16, width, height, out)
}

/// Writes a confidence map.
///
/// # Errors
/// When the map does not have `width * height` values, or `out` fails.
pub fn write_confidence(
    confidence: &[f32],
    width: usize,
    height: usize,
    out: &mut impl Write,
) -> Result<(), ExportError> {
    let bytes: Vec<u8> = confidence.iter().map(|&c| encode_confidence(c)).collect();
    encode(&bytes, ExtendedColorType::L8, width, height, out)
}

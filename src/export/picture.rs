//! Pictures as PNG: colour, depth (16 bits, millimetres, 0 = none) and confidence (8 bits, codes of
//! [`crate::cloud::encode_confidence`]).

use std::io::Write;

use super::{ExportError, png};
use crate::cloud::encode_confidence;

/// Metres as millimetres; 0 for what is behind the camera, beyond 65.535 m, or not a number.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "the range is checked")]
pub fn millimetres(depth: f32) -> u16 {
    let mm = (f64::from(depth) * 1e3).round();
    if (1.0..=f64::from(u16::MAX)).contains(&mm) { mm as u16 } else { 0 }
}

/// Writes interleaved sRGB bytes.
///
/// # Errors
/// When there are not `3 * width * height` bytes, or `out` fails.
pub fn write_rgb(rgb: &[u8], width: usize, height: usize, out: &mut impl Write) -> Result<(), ExportError> {
    png::write(rgb, png::Kind::Rgb8, width, height, out)
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
    let bytes: Vec<u8> = depth.flat_map(|d| millimetres(d).to_be_bytes()).collect();
    png::write(&bytes, png::Kind::Gray16, width, height, out)
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
    let codes: Vec<u8> = confidence.iter().map(|&c| encode_confidence(c)).collect();
    write_codes(&codes, width, height, out)
}

/// Writes confidence codes.
///
/// # Errors
/// When there are not `width * height` codes, or `out` fails.
pub fn write_codes(codes: &[u8], width: usize, height: usize, out: &mut impl Write) -> Result<(), ExportError> {
    png::write(codes, png::Kind::Gray8, width, height, out)
}

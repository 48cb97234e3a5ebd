//! Little-endian numbers of weight and reference files as f32. A trailing part of a number is left out.

use half::{bf16, f16};

/// From f32.
pub(crate) fn from_f32(raw: &[u8]) -> Vec<f32> {
    raw.as_chunks().0.iter().map(|b| f32::from_le_bytes(*b)).collect()
}

/// From f16, exactly.
pub(crate) fn from_f16(raw: &[u8]) -> Vec<f32> {
    raw.as_chunks().0.iter().map(|b| f16::from_le_bytes(*b).to_f32()).collect()
}

/// From bf16, exactly.
pub(crate) fn from_bf16(raw: &[u8]) -> Vec<f32> {
    raw.as_chunks().0.iter().map(|b| bf16::from_le_bytes(*b).to_f32()).collect()
}

//! From a photograph to the network's input (spec section 2): resize, crop, all in 8-bit RGB.

/// An RGB image, 8 bits per channel, rows top to bottom, `rgb.len() == width * height * 3`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RgbImage {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Interleaved sRGB bytes.
    pub rgb: Vec<u8>,
}

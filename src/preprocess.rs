//! From a photograph to the network's input (spec section 2): resize, crop, all in 8-bit RGB.
//!
//! The resampling filters are Pillow's, bit for bit, because the released weights saw images made with
//! them. Both sides of the result are multiples of 16.

mod reference;
mod resample;

use std::borrow::Cow;

pub use reference::{PreprocessCase, PreprocessReport, ReferenceError, verify_preprocess};

use resample::{Filter, resize};

/// Shortest side of a photograph that is accepted, pixels: less than a patch shows nothing.
pub const MIN_SIDE: usize = 16;
/// Longest side of a photograph that is accepted, pixels.
pub const MAX_SIDE: usize = 16_384;
/// Longest side of the resized image before the crop, pixels.
const MAX_RESIZED: usize = 8_192;
/// Largest network input that can be asked for, pixels.
pub const MAX_INPUT: usize = 2_048;
const PATCH: usize = 16;

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

impl RgbImage {
    /// Deterministic noise, for timing: formula weights spread its patches, so the memory grows.
    #[must_use]
    pub fn noise(width: usize, height: usize, seed: usize) -> Self {
        let mut x = u32::try_from(seed).unwrap_or(0).wrapping_mul(0x9E37_79B9) | 1;
        let rgb = (0..width * height * 3)
            .map(|_| {
                x ^= x << 13;
                x ^= x >> 17;
                x ^= x << 5;
                x.to_le_bytes()[0]
            })
            .collect();
        Self { width, height, rgb }
    }
}

/// An image that cannot be given to the network.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum PreprocessError {
    /// Fewer pixels than a patch, or more than any camera makes.
    #[error(
        "the image is {width}x{height} pixels: sides of {MIN_SIDE} to {MAX_SIDE} are accepted; use another image, or resize it first"
    )]
    ImageSize {
        /// Pixels across.
        width: usize,
        /// Pixels down.
        height: usize,
    },
    /// The pixel buffer does not belong to the stated size.
    #[error("the image has {found} bytes, but {width}x{height} RGB pixels take {expected}: decode the image again")]
    Length {
        /// Pixels across.
        width: usize,
        /// Pixels down.
        height: usize,
        /// Bytes that the size implies.
        expected: usize,
        /// Bytes that are there.
        found: usize,
    },
    /// So long and thin, or so small, that nothing is left of it.
    #[error(
        "an image of {width}x{height} pixels leaves no {PATCH}x{PATCH} patch at input size {size}: \
         use a larger or less elongated image"
    )]
    NoPatch {
        /// Pixels across.
        width: usize,
        /// Pixels down.
        height: usize,
        /// Input size asked for.
        size: usize,
    },
    /// The requested input size is out of range.
    #[error("input size {0} is not usable: choose 224, or {PATCH} to {MAX_INPUT} (long side, pixels)")]
    InputSize(usize),
}

impl PreprocessError {
    /// The error's name in the closed set shared with the page.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::InputSize(_) => "bad-request",
            Self::ImageSize { .. } | Self::Length { .. } | Self::NoPatch { .. } => "image-damaged",
        }
    }
}

/// How photographs become network inputs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Preprocess {
    /// 224: the short side becomes 224 and the centre square is used. Otherwise: length of the long side.
    pub size: usize,
    /// Cut to the patch grid (true), or squeeze the whole picture onto it (false: depth evaluation).
    pub crop: bool,
}

/// A network input and where it lies in the photograph.
#[derive(Debug, Clone, PartialEq)]
pub struct Prepared {
    /// The input: both sides multiples of 16.
    pub image: RgbImage,
    /// Input pixels per photograph pixel, (x, y).
    pub scale: [f64; 2],
    /// Left and top input pixels cut off after scaling: `input = photograph * scale - offset`.
    pub offset: [f64; 2],
}

/// Sizes of the steps, known before any pixel is touched.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Plan {
    resized: (usize, usize),
    left: usize,
    top: usize,
    target: (usize, usize),
    filter: Filter,
}

/// `round(x)` with halves to even, as a size.
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "callers bound the value")]
fn round_size(x: f64) -> usize {
    x.round_ties_even() as usize
}

impl Preprocess {
    /// The size of the network input for a photograph of `width` x `height`, (across, down).
    ///
    /// # Errors
    /// When the photograph or the requested input size is not usable.
    pub fn input_size(&self, width: usize, height: usize) -> Result<(usize, usize), PreprocessError> {
        self.plan(width, height).map(|plan| plan.target)
    }

    #[expect(clippy::cast_precision_loss, reason = "sizes are small")]
    fn plan(&self, width: usize, height: usize) -> Result<Plan, PreprocessError> {
        let size = self.size;
        if !(PATCH..=MAX_INPUT).contains(&size) {
            return Err(PreprocessError::InputSize(size));
        }
        if !(MIN_SIDE..=MAX_SIDE).contains(&width) || !(MIN_SIDE..=MAX_SIDE).contains(&height) {
            return Err(PreprocessError::ImageSize { width, height });
        }
        let none = PreprocessError::NoPatch { width, height, size };
        let (w1, h1) = (width as f64, height as f64);
        let long = width.max(height);
        let target_long = if size == 224 { round_size(224.0 * (w1 / h1).max(h1 / w1)) } else { size };
        if target_long > MAX_RESIZED {
            return Err(none);
        }
        let side = |s: f64| round_size(s * target_long as f64 / long as f64);
        let (w, h) = (side(w1), side(h1));
        let (cx, cy) = (w / 2, h / 2);
        let (half_w, half_h) = if size == 224 {
            (cx.min(cy), cx.min(cy))
        } else {
            let half_w = cx * 2 / PATCH * (PATCH / 2);
            let half_h = cy * 2 / PATCH * (PATCH / 2);
            // Squares are cut to 4:3; squeezing a whole square into 4:3 would distort it, so it stays square.
            // (3/4 of a half side is kept on the patch grid where the size is not a multiple of 64.)
            if w == h && self.crop { (half_w, 3 * half_w / 4 / (PATCH / 2) * (PATCH / 2)) } else { (half_w, half_h) }
        };
        if half_w < PATCH / 2 || half_h < PATCH / 2 {
            return Err(none);
        }
        let filter = if long > target_long { Filter::Lanczos } else { Filter::Bicubic };
        Ok(Plan { resized: (w, h), left: cx - half_w, top: cy - half_h, target: (2 * half_w, 2 * half_h), filter })
    }

    /// Makes the network input of `photograph`.
    ///
    /// # Errors
    /// When the photograph or the requested input size is not usable.
    #[expect(clippy::cast_precision_loss, reason = "sizes are small")]
    pub fn prepare(&self, photograph: &RgbImage) -> Result<Prepared, PreprocessError> {
        let RgbImage { width, height, ref rgb } = *photograph;
        let plan = self.plan(width, height)?;
        let expected = width * height * 3;
        if rgb.len() != expected {
            return Err(PreprocessError::Length { width, height, expected, found: rgb.len() });
        }
        let (w, h) = plan.resized;
        let resized = resize(Cow::Borrowed(rgb), (width, height), (w, h), plan.filter);
        let (tw, th) = plan.target;
        if !self.crop {
            let rgb = resize(resized, (w, h), (tw, th), Filter::Lanczos).into_owned();
            let scale = [tw as f64 / width as f64, th as f64 / height as f64];
            return Ok(Prepared { image: RgbImage { width: tw, height: th, rgb }, scale, offset: [0.0; 2] });
        }
        let mut rgb = Vec::with_capacity(tw * th * 3);
        for row in resized.chunks_exact(w * 3).skip(plan.top).take(th) {
            rgb.extend(row.iter().skip(plan.left * 3).take(tw * 3));
        }
        Ok(Prepared {
            image: RgbImage { width: tw, height: th, rgb },
            scale: [w as f64 / width as f64, h as f64 / height as f64],
            offset: [plan.left as f64, plan.top as f64],
        })
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn size(size: usize, crop: bool, w: usize, h: usize) -> Result<(usize, usize), PreprocessError> {
        Preprocess { size, crop }.input_size(w, h)
    }

    #[test]
    fn released_grids_come_out_of_common_cameras() {
        assert_eq!(size(512, true, 640, 480), Ok((512, 384)));
        assert_eq!(size(512, true, 1920, 1080), Ok((512, 288)));
        assert_eq!(size(512, true, 480, 640), Ok((384, 512)));
        assert_eq!(size(224, true, 640, 480), Ok((224, 224)));
        assert_eq!(size(224, true, 1080, 1920), Ok((224, 224)));
        assert_eq!(size(512, true, 1226, 370), Ok((512, 144)));
    }

    #[test]
    fn squares_are_cut_to_four_by_three_and_kept_without_crop() {
        assert_eq!(size(512, true, 700, 700), Ok((512, 384)));
        assert_eq!(size(512, false, 700, 700), Ok((512, 512)));
        assert_eq!(size(112, true, 700, 700), Ok((112, 80)));
    }

    #[test]
    fn absurd_sizes_are_named_errors() {
        for (w, h) in [(0, 100), (100, 0), (3, 3), (20_000, 100), (100, 20_000)] {
            assert!(matches!(size(512, true, w, h), Err(PreprocessError::ImageSize { .. })), "{w}x{h}");
        }
        for (s, w, h) in [(512, 4000, 60), (224, 16_000, 100)] {
            assert!(matches!(size(s, true, w, h), Err(PreprocessError::NoPatch { .. })), "{s}: {w}x{h}");
        }
        for s in [0, 15, 4096] {
            assert!(matches!(size(s, true, 640, 480), Err(PreprocessError::InputSize(_))), "{s}");
        }
        let short = RgbImage { width: 20, height: 20, rgb: vec![0; 7] };
        let error = Preprocess { size: 32, crop: true }.prepare(&short).unwrap_err();
        assert!(matches!(error, PreprocessError::Length { expected: 1200, found: 7, .. }));
        assert_eq!(error.code(), "image-damaged");
    }

    #[test]
    fn placement_maps_the_crop_into_the_photograph() {
        let photograph = RgbImage { width: 100, height: 60, rgb: vec![9; 100 * 60 * 3] };
        let prepared = Preprocess { size: 64, crop: true }.prepare(&photograph).unwrap();
        assert_eq!((prepared.image.width, prepared.image.height), (64, 32));
        assert_eq!(prepared.offset, [0.0, 3.0]); // 38 rows after scaling, 32 kept around row 19
        assert!(prepared.image.rgb.iter().all(|&v| v == 9));
    }
}

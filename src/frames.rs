//! Frames: what a camera, a video or a folder of images gives, one picture at a time.

use crate::preprocess::RgbImage;

/// One picture of a sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Position in its source, before frames are left out.
    pub index: usize,
    /// Seconds since the start of the source.
    pub time: f64,
    /// The picture at its original size.
    pub image: RgbImage,
}

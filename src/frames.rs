//! Frames: what a camera, a video or a folder of images gives, one picture at a time.
//!
//! The page hands its decoded frames in; natively `Source` reads files. A live camera's frames pass the [`gate`].

#[cfg(feature = "cli")]
mod error;
pub mod gate;
#[cfg(feature = "cli")]
mod images;
#[cfg(feature = "cli")]
mod source;
#[cfg(feature = "cli")]
mod video;

#[cfg(feature = "cli")]
pub use error::FrameError;
#[cfg(feature = "cli")]
pub use images::read_image;
#[cfg(feature = "cli")]
pub(crate) use images::{is_image_name, natural_order};
#[cfg(feature = "cli")]
pub use source::{Pick, Source};

use crate::preprocess::RgbImage;

/// One picture of a sequence.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// Position in its source, counting the frames that were left out.
    pub index: usize,
    /// Seconds since the start of the source.
    pub time: f64,
    /// The picture at its original size.
    pub image: RgbImage,
}

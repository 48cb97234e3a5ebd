//! Why a frame could not be reconstructed.

use burn::tensor::ExecutionError;

/// A frame that could not be reconstructed. The state is as it was before the frame.
#[derive(Debug, thiserror::Error)]
pub enum ModelError {
    /// The image's sides are not what the network takes.
    #[error("image is {width}x{height}: both sides must be multiples of {patch}; resize it first")]
    Size {
        /// Pixels across.
        width: usize,
        /// Pixels down.
        height: usize,
        /// Patch side.
        patch: usize,
    },
    /// The image differs in size from the first one of the sequence.
    #[error("image is {found:?}, but this sequence began with {expected:?} (height, width): start a new sequence")]
    SizeChanged {
        /// Height and width of the first image.
        expected: [usize; 2],
        /// Height and width of this image.
        found: [usize; 2],
    },
    /// The pixel buffer does not hold width x height x 3 bytes.
    #[error("image data is {found} bytes, expected {expected}: the frame is damaged, skip it")]
    Pixels {
        /// Bytes expected.
        expected: usize,
        /// Bytes found.
        found: usize,
    },
    /// The device failed to compute or to hand back the result.
    #[error("the compute device failed ({0}): reload the page or choose the CPU")]
    Device(String),
    /// The network produced values that are not numbers.
    #[error("the network produced invalid numbers on this frame: skip it, or check the weights with `point3r verify`")]
    NotFinite,
}

impl ModelError {
    /// The error's name in the closed set shared with the page.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Size { .. } | Self::SizeChanged { .. } => "bad-request",
            Self::Pixels { .. } => "image-damaged",
            Self::Device(_) => "device-lost",
            Self::NotFinite => "not-finite",
        }
    }
}

impl From<ExecutionError> for ModelError {
    fn from(error: ExecutionError) -> Self {
        Self::Device(error.to_string())
    }
}

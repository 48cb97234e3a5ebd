//! What can go wrong in a session. Every message says what to do.

use super::SessionState;
use crate::{model::ModelError, preprocess::PreprocessError};

/// A request that a session cannot fulfil. The cloud so far is never lost by one.
#[derive(Debug, thiserror::Error)]
pub enum SessionError {
    /// The session is in another state than the request needs.
    #[error("cannot {request} while the session is {state}: {hint}")]
    State {
        /// What was asked for.
        request: &'static str,
        /// The session's state.
        state: SessionState,
        /// What to do.
        hint: &'static str,
    },
    /// A frame of another size than the sequence.
    #[error(
        "frame {frame} is {found:?} pixels at network size, the frames before are {expected:?}: \
         give all frames of a sequence one size"
    )]
    FrameSize {
        /// Index of the frame.
        frame: usize,
        /// Size of the sequence, (across, down).
        expected: (usize, usize),
        /// Size of this frame, (across, down).
        found: (usize, usize),
    },
    /// The network's output is not numbers. The frame is left out and the memory is as before it.
    #[error(
        "frame {frame}: {count} of the network's outputs are not finite; the frame was left out. \
         If every frame fails, the model or the device is at fault: try another device"
    )]
    NotFinite {
        /// Index of the frame.
        frame: usize,
        /// Number of values that are not finite.
        count: usize,
    },
    /// More frames to undo than can be rewound.
    #[error(
        "cannot undo {asked} frames: pictures were let go of when the memory for them was full, and {available} can be \
         undone; undo fewer, or reset to start over"
    )]
    UndoTooFar {
        /// Frames asked for.
        asked: usize,
        /// Frames that can be undone.
        available: usize,
    },
    /// The memory cannot be rebuilt, because a picture of the reconstruction has been let go of.
    #[error(
        "the picture of frame {frame} was let go of when the memory for pictures was full, so this reconstruction cannot \
         be continued: export it, and start a new one"
    )]
    PictureGone {
        /// Position of the frame in the reconstruction.
        frame: usize,
    },
    /// The compute device failed.
    #[error("the results could not be read from the compute device ({0}): reload the model, or use the CPU")]
    Device(String),
    /// The picture cannot be used.
    #[error("frame {frame}: {source}")]
    Image {
        /// Index of the frame.
        frame: usize,
        /// Why.
        source: PreprocessError,
    },
    /// The network refused the frame.
    #[error("frame {frame}: {source}")]
    Model {
        /// Index of the frame.
        frame: usize,
        /// Why.
        source: ModelError,
    },
}

impl SessionError {
    /// The error's name in the closed set shared with the page.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::State { .. } | Self::FrameSize { .. } | Self::UndoTooFar { .. } | Self::PictureGone { .. } => {
                "bad-request"
            }
            Self::Device(_) => "device-lost",
            Self::NotFinite { .. } => "not-finite",
            Self::Image { source, .. } => source.code(),
            Self::Model { source, .. } => source.code(),
        }
    }

    /// Whether the session can go on with the next frame.
    #[must_use]
    pub fn is_recoverable(&self) -> bool {
        self.code() != "device-lost"
    }
}

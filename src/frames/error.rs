//! What can be wrong with videos and images. Every message says what to do.

use std::path::PathBuf;

/// Input that gives no frames, or no more frames.
#[derive(Debug, thiserror::Error)]
pub enum FrameError {
    /// A path that does not exist or cannot be read.
    #[error("{path}: {reason}; check the path")]
    Unreadable {
        /// The path as given.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
    /// A folder or an argument list without a picture.
    #[error("{0} holds no images (jpg, png, webp, bmp): give a video, a folder of images, or images")]
    NoFrames(PathBuf),
    /// Several inputs that do not form one sequence.
    #[error("{0} is among several inputs but is no image: give one video, one folder, or only images")]
    Mixed(PathBuf),
    /// A file of a kind that is not read.
    #[error("{path} is not a video or image that can be read ({reason}): convert it to mp4, jpg or png first")]
    Unsupported {
        /// The file.
        path: PathBuf,
        /// What the reader said.
        reason: String,
    },
    /// An image file with damaged content.
    #[error("{path} is damaged ({reason}): copy or export it again")]
    Image {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        reason: String,
    },
    /// A video that is cut off or damaged.
    #[error("{path} is damaged or incomplete after {frames} frames ({reason}): copy or download it again")]
    DamagedVideo {
        /// The file.
        path: PathBuf,
        /// Frames that could be used.
        frames: usize,
        /// What the decoder said.
        reason: String,
    },
    /// A video whose coding this system's decoder does not know.
    #[error("{path} cannot be decoded ({reason}): convert it to H.264 in an mp4 file first")]
    Undecodable {
        /// The file.
        path: PathBuf,
        /// What the decoder said.
        reason: String,
    },
    /// The program that decodes videos is missing.
    #[error(
        "videos are read through the program `{0}`, which was not found: install ffmpeg \
         (Debian: apt install ffmpeg), or extract images and give their folder"
    )]
    NoFfmpeg(&'static str),
}

impl FrameError {
    /// The error's name in the closed set shared with the page.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } | Self::Mixed(_) => "bad-request",
            Self::NoFrames(_) => "no-frames",
            Self::Unsupported { .. } => "unsupported-file",
            Self::Image { .. } => "image-damaged",
            Self::DamagedVideo { .. } => "damaged-file",
            Self::Undecodable { .. } | Self::NoFfmpeg(_) => "undecodable-video",
        }
    }
}

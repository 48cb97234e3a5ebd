//! What can be wrong with data sets and predictions. Every message names the file and says what to do.

use std::path::PathBuf;

/// An evaluation that cannot be made, or a frame that cannot count.
#[derive(Debug, thiserror::Error)]
pub enum EvalError {
    /// A file that should be there is not, or cannot be read.
    #[error("{path}: {reason}; {hint}")]
    Missing {
        /// The file or folder.
        path: PathBuf,
        /// The system's words.
        reason: String,
        /// What to do.
        hint: &'static str,
    },
    /// A file with other content than its layout says.
    #[error("{path}: {problem}; {hint}")]
    Content {
        /// The file.
        path: PathBuf,
        /// What is wrong.
        problem: String,
        /// What to do.
        hint: &'static str,
    },
    /// A pose with the wrong number of numbers.
    #[error("{path}: a pose has {expected}, here are {found} numbers; check the layout, or export the poses again")]
    PoseSize {
        /// The file.
        path: PathBuf,
        /// What it should hold.
        expected: &'static str,
        /// How many numbers it holds.
        found: usize,
    },
    /// A pose with NaN or infinity, as data sets mark lost tracking.
    #[error(
        "{path}: the pose is not finite (tracking was lost?); remove the frame, or skip such frames with --skip-bad"
    )]
    PoseNotFinite {
        /// The file, with its line where it has several poses.
        path: PathBuf,
    },
    /// A pose whose rotation is none.
    #[error(
        "{path}: the 3x3 part is no rotation (determinant {determinant:.3}); camera-to-world matrices are expected"
    )]
    PoseRotation {
        /// The file.
        path: PathBuf,
        /// Its determinant.
        determinant: f64,
    },
    /// Pictures of one sequence that differ in size.
    #[error(
        "{path} is {found:?} pixels, the frames before are {expected:?}: give all frames of a sequence one size, \
         or skip the others with --skip-bad"
    )]
    MixedSizes {
        /// The picture.
        path: PathBuf,
        /// Size of the sequence, (across, down).
        expected: (usize, usize),
        /// Size of this picture, (across, down).
        found: (usize, usize),
    },
    /// A folder in which nothing of the layout was found.
    #[error("{path} holds no sequence of layout {layout}: expected {expected}; choose another folder or --layout")]
    NoSequence {
        /// The folder.
        path: PathBuf,
        /// The layout.
        layout: &'static str,
        /// What it consists of.
        expected: &'static str,
    },
    /// A task that needs what the data does not have.
    #[error("{sequence}: no {what}, which {task} evaluation needs; {hint}")]
    Lacks {
        /// The sequence.
        sequence: String,
        /// What is not there.
        what: &'static str,
        /// The task.
        task: &'static str,
        /// What to do.
        hint: &'static str,
    },
    /// A prediction that shows a cut-out of the photograph and does not say which.
    #[error(
        "{path}: the prediction is {input:?} pixels, the photograph {photograph:?}: it shows a cut-out; put the \
         intrinsics.json of `point3r run` beside it, or predict with --no-crop"
    )]
    Shape {
        /// The prediction.
        path: PathBuf,
        /// Size of the photograph, (across, down).
        photograph: (usize, usize),
        /// Size of the prediction, (across, down).
        input: (usize, usize),
    },
    /// Nothing is left to compare.
    #[error("{sequence}: nothing to compare ({reason})")]
    Nothing {
        /// The sequence.
        sequence: String,
        /// Why.
        reason: String,
    },
    /// The model could not predict a frame.
    #[error("{}: {source}", frame.display())]
    Prediction {
        /// The frame's picture.
        frame: PathBuf,
        /// Whether the frames after it cannot be predicted either.
        fatal: bool,
        /// Why.
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A picture that cannot be read.
    #[error(transparent)]
    Frame(#[from] crate::frames::FrameError),
    /// A result that cannot be written.
    #[error("{path}: {reason}; choose another folder")]
    Write {
        /// The file.
        path: PathBuf,
        /// The system's words.
        reason: String,
    },
}

impl EvalError {
    /// Whether the error belongs to one frame, so that the others can still be evaluated without it.
    #[must_use]
    pub fn is_of_one_frame(&self) -> bool {
        match self {
            Self::Missing { .. }
            | Self::Content { .. }
            | Self::PoseSize { .. }
            | Self::PoseNotFinite { .. }
            | Self::PoseRotation { .. }
            | Self::MixedSizes { .. }
            | Self::Frame(_) => true,
            Self::Prediction { fatal, .. } => !fatal,
            Self::NoSequence { .. }
            | Self::Lacks { .. }
            | Self::Shape { .. }
            | Self::Nothing { .. }
            | Self::Write { .. } => false,
        }
    }
}

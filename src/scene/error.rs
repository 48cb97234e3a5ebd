//! Why a scene cannot be read, and how much one may ask for.

/// A scene file or link that is refused.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum SceneError {
    /// Neither of the formats that are read.
    #[error("this is {0}: open a GLB, a PLY or a link made by this page")]
    Unsupported(String),
    /// The bytes contradict themselves, or end early.
    #[error("the scene is damaged ({0}): ask for it again")]
    Damaged(String),
    /// More than is taken.
    #[error("the scene has {found} {what}, and at most {limit} can be shown: make a smaller one")]
    TooLarge {
        /// What there is too much of.
        what: &'static str,
        /// How much.
        found: u64,
        /// How much would be taken.
        limit: u64,
    },
    /// Nothing to show.
    #[error("the scene has no points: choose another file")]
    Empty,
    /// Whoever asked for it does not want it any more.
    #[error("packing the scene was cancelled")]
    Cancelled,
    /// A share that fits into no such budget.
    #[error("nothing useful fits into {0} bytes: choose a larger size")]
    Budget(usize),
}

impl SceneError {
    /// The error's name in the closed set shared with the page.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unsupported(_) => "unsupported-file",
            Self::Damaged(_) => "scene-damaged",
            Self::TooLarge { .. } => "scene-too-large",
            Self::Empty => "scene-empty",
            Self::Budget(_) => "bad-request",
            Self::Cancelled => "cancelled",
        }
    }

    pub(crate) fn damaged(what: impl Into<String>) -> Self {
        Self::Damaged(what.into())
    }
}

/// What a scene may ask for. Sizes in a file are never trusted for allocation: these and the file's length bound them.
#[derive(Debug, Clone, Copy)]
pub struct Limits {
    /// Points.
    pub points: usize,
    /// Bytes of the file.
    pub bytes: usize,
    /// Cameras, nodes and frames.
    pub cameras: usize,
}

impl Default for Limits {
    /// 16 million points (256 MB), files of 512 MiB.
    fn default() -> Self {
        Self { points: 16 << 20, bytes: 512 << 20, cameras: 20_000 }
    }
}

impl Limits {
    /// Refuses more than `limit`.
    pub(crate) fn check(what: &'static str, found: usize, limit: usize) -> Result<(), SceneError> {
        if found <= limit {
            return Ok(());
        }
        Err(SceneError::TooLarge { what, found: found as u64, limit: limit as u64 })
    }
}

//! What a session is told and what it tells.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use super::Maps;
use crate::{keyframes, memory::PointerCap, preprocess::Prepared};

/// Milliseconds since some fixed moment. The browser's clock is passed in; there is none in plain wasm.
#[derive(Debug, Clone, Copy)]
pub struct Clock(pub fn() -> f64);

impl Default for Clock {
    /// The system's monotonic clock; stands still in wasm.
    fn default() -> Self {
        #[cfg(not(target_arch = "wasm32"))]
        return Self(|| {
            static START: std::sync::OnceLock<std::time::Instant> = std::sync::OnceLock::new();
            START.get_or_init(std::time::Instant::now).elapsed().as_secs_f64() * 1e3
        });
        #[cfg(target_arch = "wasm32")]
        Self(|| 0.0)
    }
}

/// Where a session stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum SessionState {
    /// No model, or one that is still loading.
    Empty,
    /// A model, no reconstruction going on.
    Ready,
    /// Frames are taken.
    Running,
    /// Frames are refused until `resume`.
    Paused,
    /// The compute device is gone and the model with it.
    Lost,
    /// The computation failed.
    Failed,
}

impl std::fmt::Display for SessionState {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Self::Empty => "empty",
            Self::Ready => "ready",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Lost => "lost",
            Self::Failed => "failed",
        })
    }
}

/// How a reconstruction is made.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct SessionOptions {
    /// Network input size; the model's own where absent.
    pub size: Option<usize>,
    /// Cut frames to the patch grid (true) or squeeze them onto it.
    pub crop: bool,
    /// Least world confidence of points that are kept (1 keeps all).
    pub confidence: f32,
    /// Most bytes of points that are kept on the host; beyond it they are merged into voxels. 0 keeps no points.
    pub budget: Option<usize>,
    /// Most bytes of pictures, depth and confidence maps that are kept on the host.
    pub keyframe_budget: usize,
    /// Most pointers, and who goes beyond.
    pub pointers: PointerCap,
}

impl Default for SessionOptions {
    fn default() -> Self {
        Self {
            size: None,
            crop: true,
            confidence: 1.0,
            budget: None,
            keyframe_budget: keyframes::DEFAULT_BUDGET,
            pointers: PointerCap::default(),
        }
    }
}

/// What a frame brought, as shown to people.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct FrameReport {
    /// Index of the frame in its source.
    pub index: usize,
    /// Seconds since the start of the source.
    pub time: f64,
    /// Camera-to-world pose: tx ty tz qw qx qy qz.
    pub pose: [f32; 7],
    /// Pointers in memory.
    pub pointers: usize,
    /// Pointers added by this frame.
    pub added: usize,
    /// Patches merged into existing pointers.
    pub merged: usize,
    /// Points in the cloud.
    pub points: usize,
    /// Points that this frame brought.
    pub frame_points: usize,
    /// Side of the voxels that points were merged into to stay within the budget, world units; null if they were not.
    pub voxel: Option<f32>,
    /// Focal length of this frame, pixels of the network input.
    pub focal: Option<f64>,
    /// Time for the whole frame.
    pub ms_per_frame: f64,
    /// Milliseconds by stage. A GPU computes behind the program's back: its time shows where results are read,
    /// in `fuse` and `readback`.
    pub stages: BTreeMap<&'static str, f64>,
    /// Bytes of the cloud.
    pub bytes: usize,
}

/// What a frame brought, in full.
#[derive(Debug, Clone)]
pub struct FrameResult {
    /// The summary.
    pub report: FrameReport,
    /// The network input and where it lies in the photograph.
    pub prepared: Prepared,
    /// The output maps.
    pub maps: Maps,
}

//! What one frame yields (spec 5.4).

use burn::tensor::Tensor;

use crate::geometry::Pose;

/// The four maps and the pose of one frame. Maps stay on the compute device.
#[derive(Debug, Clone)]
pub struct Prediction {
    /// Points in the frame's own camera, `[height, width, 3]`; depth is their z.
    pub points_camera: Tensor<3>,
    /// Confidence of `points_camera`, `[height, width]`, at least 1, without upper bound.
    pub confidence_camera: Tensor<2>,
    /// Points in the world (camera of frame 0, learned, not enforced), `[height, width, 3]`.
    pub points_world: Tensor<3>,
    /// Confidence of `points_world`, `[height, width]`.
    pub confidence_world: Tensor<2>,
    /// Camera-to-world pose.
    pub pose: Pose,
    /// How the pointer memory changed.
    pub pointers: PointerStats,
}

/// Counters of the pointer memory after a frame.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, serde::Serialize)]
pub struct PointerStats {
    /// Pointers in memory.
    pub total: usize,
    /// Appended by this frame.
    pub added: usize,
    /// Patches of this frame merged into existing pointers.
    pub merged: usize,
    /// Pointers that went because of the cap.
    pub evicted: usize,
}

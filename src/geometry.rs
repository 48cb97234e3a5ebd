//! Poses and their conventions, written once: OpenCV axes, camera-to-world, quaternion (w, x, y, z).

use serde::{Deserialize, Serialize};

/// A rigid camera pose, camera-to-world.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Pose {
    /// Camera centre in the world, metres where the model is metric.
    pub translation: [f32; 3],
    /// Unit quaternion (w, x, y, z) with w >= 0.
    pub rotation: [f32; 4],
}

impl Pose {
    /// The camera of the first frame: the world itself.
    pub const IDENTITY: Self = Self { translation: [0.0; 3], rotation: [1.0, 0.0, 0.0, 0.0] };

    /// The pose from the network's activated output `(tx, ty, tz, qw, qx, qy, qz)` (spec 5.3).
    #[must_use]
    pub fn from_array(p: [f32; 7]) -> Self {
        let [tx, ty, tz, qw, qx, qy, qz] = p;
        Self { translation: [tx, ty, tz], rotation: [qw, qx, qy, qz] }
    }

    /// The rotation as a row-major 3x3 matrix.
    #[must_use]
    pub fn rotation_matrix(&self) -> [[f32; 3]; 3] {
        let [w, x, y, z] = self.rotation;
        [
            [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
            [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
            [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
        ]
    }

    /// The row-major 4x4 camera-to-world matrix.
    #[must_use]
    pub fn matrix(&self) -> [[f32; 4]; 4] {
        let r = self.rotation_matrix();
        let [tx, ty, tz] = self.translation;
        [
            [r[0][0], r[0][1], r[0][2], tx],
            [r[1][0], r[1][1], r[1][2], ty],
            [r[2][0], r[2][1], r[2][2], tz],
            [0.0, 0.0, 0.0, 1.0],
        ]
    }
}

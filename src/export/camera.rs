//! Cameras as other programs write them.

use crate::geometry::{Intrinsics, Pose};

/// Programs that put the origin of pixel coordinates at the corner of the first pixel, as COLMAP and nerfstudio do,
/// see our pixel centres half a pixel further on.
pub(super) const PIXEL_CENTRE: f64 = 0.5;

/// (fx, fy, cx, cy) with the origin at the corner of the first pixel.
pub(super) fn corner_parameters(camera: &Intrinsics) -> [f64; 4] {
    [camera.fx, camera.fy, camera.cx + PIXEL_CENTRE, camera.cy + PIXEL_CENTRE]
}

/// The rotation in doubles, made exactly unit length: readers are strict about it.
fn unit(pose: &Pose) -> [f64; 4] {
    let q = pose.rotation.map(f64::from);
    let norm = q.iter().map(|v| v * v).sum::<f64>().sqrt();
    if norm > 0.0 { q.map(|v| v / norm) } else { [1.0, 0.0, 0.0, 0.0] }
}

/// Row-major rotation of a unit quaternion (w, x, y, z).
fn matrix([w, x, y, z]: [f64; 4]) -> [[f64; 3]; 3] {
    [
        [1.0 - 2.0 * (y * y + z * z), 2.0 * (x * y - w * z), 2.0 * (x * z + w * y)],
        [2.0 * (x * y + w * z), 1.0 - 2.0 * (x * x + z * z), 2.0 * (y * z - w * x)],
        [2.0 * (x * z - w * y), 2.0 * (y * z + w * x), 1.0 - 2.0 * (x * x + y * y)],
    ]
}

/// World-to-camera (quaternion w x y z, translation), lengths multiplied by `scale`.
pub(super) fn world_to_camera(pose: &Pose, scale: f32) -> ([f64; 4], [f64; 3]) {
    let [w, x, y, z] = unit(pose);
    let inverse = [w, -x, -y, -z];
    let [cx, cy, cz] = pose.translation.map(|v| f64::from(v) * f64::from(scale));
    let translation = matrix(inverse).map(|[a, b, c]| -(a * cx + b * cy + c * cz));
    // -0 reads as a mistake in a text file.
    (inverse.map(|v| v + 0.0), translation.map(|v| v + 0.0))
}

/// Camera-to-world with OpenGL's camera axes (x right, y up, z back) in a world whose z is up (x right, y forward),
/// row-major 4x4, lengths multiplied by `scale`.
pub(super) fn opengl_in_z_up(pose: &Pose, scale: f32) -> [[f64; 4]; 4] {
    let rotation = matrix(unit(pose));
    let translation = pose.translation.map(|v| f64::from(v) * f64::from(scale));
    let row = |i: usize| [rotation[i][0], -rotation[i][1], -rotation[i][2], translation[i]];
    let [x, y, z] = [row(0), row(1), row(2)];
    [x, z, y.map(|v| -v), [0.0, 0.0, 0.0, 1.0]].map(|row| row.map(|v| v + 0.0))
}

/// A world point in the world whose z is up.
pub(super) fn point_in_z_up([x, y, z]: [f32; 3]) -> [f32; 3] {
    [x, z, -y]
}

/// [`point_in_z_up`] as the 3x4 matrix that nerfstudio calls `applied_transform`.
pub(super) const Z_UP: [[f64; 4]; 3] = [[1.0, 0.0, 0.0, 0.0], [0.0, 0.0, 1.0, 0.0], [0.0, -1.0, 0.0, 0.0]];

//! Poses, intrinsics and their conventions, written once: OpenCV axes, camera-to-world, quaternion (w, x, y, z).

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

    /// `(tx, ty, tz, qw, qx, qy, qz)`.
    #[must_use]
    pub fn to_array(&self) -> [f32; 7] {
        let ([tx, ty, tz], [qw, qx, qy, qz]) = (self.translation, self.rotation);
        [tx, ty, tz, qw, qx, qy, qz]
    }

    /// Whether every number is finite.
    #[must_use]
    pub fn is_finite(&self) -> bool {
        self.to_array().iter().all(|v| v.is_finite())
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

    /// A camera-frame point in the world.
    #[must_use]
    pub fn transform_point(&self, point: [f32; 3]) -> [f32; 3] {
        let rotated = self.rotation_matrix().map(|[a, b, c]| a * point[0] + b * point[1] + c * point[2]);
        add(rotated, self.translation)
    }

    /// World-to-camera.
    #[must_use]
    pub fn inverse(&self) -> Self {
        let [w, x, y, z] = self.rotation;
        let turn = Self { translation: [0.0; 3], rotation: [w, -x, -y, -z] };
        let [tx, ty, tz] = turn.transform_point(self.translation);
        Self { translation: [-tx, -ty, -tz], rotation: turn.rotation }
    }

    /// `self` after `inner`: maps a point by `inner`, then by `self`.
    #[must_use]
    pub fn compose(&self, inner: &Self) -> Self {
        let ([aw, ax, ay, az], [bw, bx, by, bz]) = (self.rotation, inner.rotation);
        let product = [
            aw * bw - ax * bx - ay * by - az * bz,
            aw * bx + ax * bw + ay * bz - az * by,
            aw * by - ax * bz + ay * bw + az * bx,
            aw * bz + ax * by - ay * bx + az * bw,
        ];
        Self { translation: self.transform_point(inner.translation), rotation: unit_quaternion(product) }
    }
}

fn add(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[0] + b[0], a[1] + b[1], a[2] + b[2]]
}

/// Length 1 and w >= 0; the identity where that is impossible.
fn unit_quaternion(q: [f32; 4]) -> [f32; 4] {
    let norm = q.iter().map(|v| v * v).sum::<f32>().sqrt();
    if !norm.is_finite() || norm < 1e-12 {
        return Pose::IDENTITY.rotation;
    }
    let signed = if q[0] < 0.0 { -norm } else { norm };
    q.map(|v| v / signed)
}

/// A pinhole camera with square pixels. Pixel centres are at integer coordinates.
#[derive(Debug, Clone, Copy, PartialEq, Serialize, Deserialize)]
pub struct Intrinsics {
    /// Image width, pixels.
    pub width: usize,
    /// Image height, pixels.
    pub height: usize,
    /// Focal length along x, pixels.
    pub fx: f64,
    /// Focal length along y, pixels.
    pub fy: f64,
    /// Principal point, pixels from the left.
    pub cx: f64,
    /// Principal point, pixels from the top.
    pub cy: f64,
}

impl Intrinsics {
    /// A camera of focal length `focal` with its principal point in the middle, as `focal_length` assumes.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "image sides")]
    pub fn centred(focal: f64, width: usize, height: usize) -> Self {
        Self { width, height, fx: focal, fy: focal, cx: (width / 2) as f64, cy: (height / 2) as f64 }
    }

    /// The same camera for the photograph this image was cut from (`image = photograph * scale - offset`).
    #[must_use]
    pub fn in_photograph(&self, scale: [f64; 2], offset: [f64; 2], width: usize, height: usize) -> Self {
        Self {
            width,
            height,
            fx: self.fx / scale[0],
            fy: self.fy / scale[1],
            // Scaling keeps image corners, which lie half a pixel outside the first pixel's centre.
            cx: (self.cx + offset[0] + 0.5) / scale[0] - 0.5,
            cy: (self.cy + offset[1] + 0.5) / scale[1] - 0.5,
        }
    }
}

/// Reweighting rounds of the focal length estimate.
const WEISZFELD_ROUNDS: usize = 10;

/// The focal length in pixels that explains a frame's camera points best (spec 5.4): the Weiszfeld
/// iteration for min over f of the sum of |pixel - f * (x/z, y/z)|, principal point (width/2, height/2).
///
/// `points` are x, y, z per pixel in row order. Points that do not project to finite numbers count as
/// straight ahead. `None` where no positive focal length comes out.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "image sides")]
pub fn focal_length(points: &[f32], width: usize, height: usize) -> Option<f64> {
    if width == 0 || points.len() != width * height * 3 {
        return None;
    }
    let (cx, cy) = ((width / 2) as f64, (height / 2) as f64);
    let rays = |focal: Option<f64>| {
        let (mut along, mut squared) = (0.0, 0.0);
        for (i, point) in points.chunks_exact(3).enumerate() {
            let [x, y, z] = [0, 1, 2].map(|k| f64::from(point.get(k).copied().unwrap_or(f32::NAN)));
            let clean = |v: f64| if v.is_finite() { v } else { 0.0 };
            let (rx, ry) = (clean(x / z), clean(y / z));
            let (px, py) = ((i % width) as f64 - cx, (i / width) as f64 - cy);
            let weight = focal.map_or(1.0, |f| 1.0 / (px - f * rx).hypot(py - f * ry).max(1e-8));
            along += weight * (rx * px + ry * py);
            squared += weight * (rx * rx + ry * ry);
        }
        along / squared
    };
    let mut focal = rays(None);
    for _ in 0..WEISZFELD_ROUNDS {
        focal = rays(Some(focal));
    }
    (focal.is_finite() && focal > 0.0).then_some(focal)
}

/// The focal length of a sequence taken with one camera: the median over its frames.
#[must_use]
pub fn median(values: impl IntoIterator<Item = f64>) -> Option<f64> {
    let mut values: Vec<f64> = values.into_iter().filter(|v| v.is_finite()).collect();
    values.sort_by(f64::total_cmp);
    let upper = *values.get(values.len() / 2)?;
    let lower = *values.get((values.len() - 1) / 2)?;
    Some(f64::midpoint(lower, upper))
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    /// A pinhole camera of focal length 250 looking at a bumpy wall, with noise from a fixed generator.
    fn wall(noise: f64, outliers: usize) -> (Vec<f32>, usize, usize) {
        let (width, height, f) = (64, 48, 250.0);
        let mut seed = 7_u32;
        let mut random = || {
            seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            f64::from(seed >> 8) / f64::from(1 << 24) - 0.5
        };
        let mut points = Vec::new();
        for y in 0..height {
            for x in 0..width {
                let z = 2.0 + 0.5 * (f64::from(x) / 9.0).sin() * (1.0 + noise * random());
                let shift = if outliers > 0 && ((x + y) as usize).is_multiple_of(outliers) { 0.2 } else { 0.0 };
                let px = f64::from(x - width / 2) * z / f * (1.0 + noise * random()) + shift;
                let py = f64::from(y - height / 2) * z / f * (1.0 + noise * random());
                points.extend([px as f32, py as f32, z as f32]);
            }
        }
        (points, width as usize, height as usize)
    }

    #[test]
    fn focal_length_of_an_exact_camera_is_exact() {
        let (points, w, h) = wall(0.0, 0);
        let focal = focal_length(&points, w, h).unwrap();
        assert!((focal - 250.0).abs() < 1e-2, "{focal}"); // points are f32
    }

    #[test]
    fn focal_length_survives_noise_and_outliers() {
        let (points, w, h) = wall(0.05, 0);
        let focal = focal_length(&points, w, h).unwrap();
        assert!((focal - 250.0).abs() < 2.5, "{focal}"); // 1 % at 5 % noise
        let (points, w, h) = wall(0.0, 20);
        let focal = focal_length(&points, w, h).unwrap();
        assert!((focal - 250.0).abs() < 7.5, "{focal}"); // every 20th point 20 cm off, as far as the picture is wide: 3 %
    }

    #[test]
    fn focal_length_ignores_points_without_a_direction_and_refuses_nonsense() {
        let (mut points, w, h) = wall(0.0, 0);
        points[0] = f32::NAN;
        points[5] = 0.0; // z = 0: x/z is infinite
        assert!((focal_length(&points, w, h).unwrap() - 250.0).abs() < 0.1);
        assert_eq!(focal_length(&points, w, h + 1), None);
        assert_eq!(focal_length(&[f32::NAN; 12], 2, 2), None);
        assert_eq!(focal_length(&[0.0; 12], 2, 2), None);
        assert_eq!(focal_length(&[], 0, 0), None);
    }

    #[test]
    fn median_takes_the_middle_and_skips_what_is_not_a_number() {
        assert_eq!(median([3.0, f64::NAN, 1.0, 2.0]), Some(2.0));
        assert_eq!(median([4.0, 1.0]), Some(2.5));
        assert_eq!(median([]), None);
    }

    #[test]
    fn inverse_and_compose_undo_each_other() {
        let a = Pose { translation: [1.0, -2.0, 0.5], rotation: unit_quaternion([0.9, 0.1, -0.3, 0.2]) };
        let b = Pose { translation: [0.0, 4.0, 1.0], rotation: unit_quaternion([0.2, 0.7, 0.1, -0.6]) };
        let p = [0.3, 0.4, 5.0];
        let close = |x: [f32; 3], y: [f32; 3]| x.iter().zip(y).all(|(a, b)| (a - b).abs() < 1e-5);
        assert!(close(a.inverse().transform_point(a.transform_point(p)), p));
        assert!(close(a.compose(&b).transform_point(p), a.transform_point(b.transform_point(p))));
        assert!(a.compose(&b).rotation[0] >= 0.0);
        assert!(close(a.compose(&a.inverse()).translation, [0.0; 3]));
    }

    #[test]
    fn a_crop_maps_back_to_the_photograph() {
        let k = Intrinsics::centred(100.0, 64, 32).in_photograph([0.5, 0.5], [0.0, 3.0], 128, 76);
        assert_eq!((k.fx, k.cx, k.cy), (200.0, 64.5, 38.5));
    }
}

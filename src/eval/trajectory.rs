//! Relative pose metrics: how far a predicted camera path is from the true one.
//!
//! Paths are camera-to-world and paired by index. ATE and RPE follow a Sim(3) alignment of the camera centres
//! (Umeyama with scale); the errors "against frame 0" follow no alignment and show what ATE on short clips hides.

use super::linear::{Mat3, Similarity, Vec3, angle_degrees, apply, multiply, norm, sub, transpose, umeyama};

/// A camera-to-world pose in f64.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CameraPose {
    /// Rotation, camera to world.
    pub rotation: Mat3,
    /// Camera centre.
    pub centre: Vec3,
}

impl CameraPose {
    /// The camera that is the world.
    pub const IDENTITY: Self = Self { rotation: super::linear::IDENTITY, centre: [0.0; 3] };

    /// `other` as seen from this camera.
    #[must_use]
    pub fn relative(&self, other: &Self) -> Self {
        let back = transpose(&self.rotation);
        Self { rotation: multiply(&back, &other.rotation), centre: apply(&back, sub(other.centre, self.centre)) }
    }

    /// A camera-frame point in the world.
    #[must_use]
    pub fn to_world(&self, point: Vec3) -> Vec3 {
        super::linear::add(apply(&self.rotation, point), self.centre)
    }

    fn moved(&self, by: &Similarity) -> Self {
        Self { rotation: multiply(&by.rotation, &self.rotation), centre: by.apply(self.centre) }
    }
}

impl From<crate::geometry::Pose> for CameraPose {
    fn from(pose: crate::geometry::Pose) -> Self {
        let quaternion = pose.rotation.map(f64::from);
        let length = quaternion.iter().map(|v| v * v).sum::<f64>().sqrt();
        Self {
            rotation: super::linear::rotation_of(quaternion.map(|v| v / length)),
            centre: pose.translation.map(f64::from),
        }
    }
}

/// The errors of a path.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PoseMetrics {
    /// Root mean square distance of camera centres after alignment.
    pub ate: f64,
    /// Root mean square error of the step from frame to frame after alignment: translation.
    pub rpe_translation: f64,
    /// The same for the rotation, degrees.
    pub rpe_rotation: f64,
    /// Mean angle between predicted and true rotation since frame 0, degrees, frames 1 and later.
    pub rotation_from_first: f64,
    /// Mean distance between predicted and true movement since frame 0, in its camera, no alignment.
    pub translation_from_first: f64,
    /// Scale of the alignment.
    pub scale: f64,
}

/// Root of the mean of the squares; 0 without values.
fn rms(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), v| (sum + v * v, count + 1.0));
    if count > 0.0 { f64::sqrt(sum / count) } else { 0.0 }
}

fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0.0), |(sum, count), v| (sum + v, count + 1.0));
    if count > 0.0 { sum / count } else { 0.0 }
}

fn centres(path: &[CameraPose]) -> Vec<Vec3> {
    path.iter().map(|pose| pose.centre).collect()
}

/// The predicted path moved onto the true one (Sim(3)); `None` without poses.
#[must_use]
pub fn align(predicted: &[CameraPose], truth: &[CameraPose]) -> Option<(Similarity, Vec<CameraPose>)> {
    let by = umeyama(&centres(predicted), &centres(truth), true)?;
    Some((by, predicted.iter().map(|pose| pose.moved(&by)).collect()))
}

/// Compares two paths of equal length; `None` with fewer than two poses or different lengths.
/// `depth_scale` multiplies the predicted translation of the un-aligned error only.
#[must_use]
pub fn metrics(predicted: &[CameraPose], truth: &[CameraPose], depth_scale: f64) -> Option<PoseMetrics> {
    if predicted.len() != truth.len() || truth.len() < 2 {
        return None;
    }
    let (by, aligned) = align(predicted, truth)?;
    let steps = || {
        let pairs = aligned.windows(2).zip(truth.windows(2));
        pairs.filter_map(|(p, g)| match (p, g) {
            ([p0, p1], [g0, g1]) => Some(g0.relative(g1).relative(&p0.relative(p1))),
            _ => None,
        })
    };
    let (first_predicted, first_true) = (predicted.first()?, truth.first()?);
    let from_first = || {
        let moved = |p: &CameraPose| {
            let CameraPose { rotation, centre } = first_predicted.relative(p);
            CameraPose { rotation, centre: centre.map(|v| v * depth_scale) }
        };
        predicted.iter().zip(truth).skip(1).map(move |(p, g)| (moved(p), first_true.relative(g)))
    };
    Some(PoseMetrics {
        ate: rms(aligned.iter().zip(truth).map(|(p, g)| norm(sub(p.centre, g.centre)))),
        rpe_translation: rms(steps().map(|error| norm(error.centre))),
        rpe_rotation: rms(steps().map(|error| angle_degrees(&error.rotation))),
        rotation_from_first: mean(from_first().map(|(p, g)| angle_degrees(&g.relative(&p).rotation))),
        translation_from_first: mean(from_first().map(|(p, g)| norm(sub(p.centre, g.centre)))),
        scale: by.scale,
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::linear::rotation_of;
    use proptest::prelude::*;

    fn rotation(axis: Vec3, degrees: f64) -> Mat3 {
        let (s, c) = (degrees.to_radians() / 2.0).sin_cos();
        let length = norm(axis);
        rotation_of([c, axis[0] / length * s, axis[1] / length * s, axis[2] / length * s])
    }

    fn path(count: i32) -> Vec<CameraPose> {
        (0..count)
            .map(|i| {
                let t = f64::from(i);
                let centre = [0.3 * t, (0.7 * t).sin(), 0.4 * (0.3 * t).cos() + 0.02 * t * t];
                CameraPose { rotation: rotation([0.3, 1.0, 0.1 * t], 7.0 * t), centre }
            })
            .collect()
    }

    #[test]
    fn a_path_compared_with_itself_has_no_error() {
        let m = metrics(&path(12), &path(12), 1.0).unwrap();
        for error in [m.ate, m.rpe_translation, m.rpe_rotation, m.rotation_from_first, m.translation_from_first] {
            assert!(error < 1e-7, "{m:?}");
        }
        assert!((m.scale - 1.0).abs() < 1e-9);
    }

    #[test]
    fn a_known_similarity_is_recovered_to_1e_5_and_leaves_no_error() {
        let by = Similarity { scale: 0.37, rotation: rotation([1.0, 2.0, -0.5], 77.0), translation: [4.0, -2.0, 9.0] };
        let moved: Vec<CameraPose> = path(12).iter().map(|pose| pose.moved(&by)).collect();
        let m = metrics(&path(12), &moved, 1.0).unwrap();
        assert!((m.scale - 0.37).abs() < 1e-5 && m.ate < 1e-5 && m.rpe_translation < 1e-5 && m.rpe_rotation < 1e-5);
        assert!(m.rotation_from_first < 1e-5); // relative to frame 0: a turned world is no error
    }

    #[test]
    fn rpe_of_a_constant_twist_error_is_that_twist() {
        // Each true step is followed by an extra turn of 2 degrees; the camera centres stay where they are.
        let truth = path(20);
        let mut predicted = truth.clone();
        for (i, pose) in predicted.iter_mut().enumerate() {
            pose.rotation = multiply(&pose.rotation, &rotation([0.0, 1.0, 0.0], 2.0 * i as f64));
        }
        let m = metrics(&predicted, &truth, 1.0).unwrap();
        assert!(m.ate < 1e-9);
        // Relative error is R(-2i) R_step R(2i + 2) against R_step: 2 degrees when both turn about one axis.
        let about_y: Vec<CameraPose> = (0..20)
            .map(|i| CameraPose {
                rotation: rotation([0.0, 1.0, 0.0], 5.0 * f64::from(i)),
                centre: [f64::from(i), f64::from(i * i % 5), f64::from(i % 3)],
            })
            .collect();
        let mut twisted = about_y.clone();
        for (i, pose) in twisted.iter_mut().enumerate() {
            pose.rotation = rotation([0.0, 1.0, 0.0], 7.0 * i as f64);
        }
        let m = metrics(&twisted, &about_y, 1.0).unwrap();
        assert!((m.rpe_rotation - 2.0).abs() < 1e-9);
        assert!((m.rotation_from_first - 2.0 * 10.0).abs() < 1e-9); // mean of 2, 4, ..., 38
    }

    #[test]
    fn a_static_camera_scores_the_spread_of_the_true_path() {
        let truth = path(9);
        let still = vec![CameraPose::IDENTITY; 9];
        let m = metrics(&still, &truth, 1.0).unwrap();
        let centre = centres(&truth).iter().fold([0.0; 3], |s, &c| crate::eval::linear::add(s, c)).map(|v| v / 9.0);
        assert!((m.ate - rms(truth.iter().map(|p| norm(sub(p.centre, centre))))).abs() < 1e-12);
        let step = rms(truth.windows(2).map(|w| norm(sub(w[1].centre, w[0].centre))));
        assert!((m.rpe_translation - step).abs() < 1e-12);
    }

    #[test]
    fn one_pose_or_unequal_lengths_give_nothing() {
        assert_eq!(metrics(&path(1), &path(1), 1.0), None);
        assert_eq!(metrics(&path(3), &path(4), 1.0), None);
    }

    proptest! {
        #[test]
        fn errors_after_alignment_do_not_depend_on_the_predicted_frame_and_scale(
            degrees in -180.0..180.0, scale in 0.05..20.0, x in -9.0..9.0, y in -9.0..9.0, ax in -1.0..1.0, noise in 0.0..0.2,
        ) {
            let truth = path(10);
            let mut predicted = truth.clone();
            for (i, pose) in predicted.iter_mut().enumerate() {
                pose.centre[i % 3] += noise * (i as f64 * 1.3).sin();
            }
            let by = Similarity { scale, rotation: rotation([ax, 1.0, 0.5], degrees), translation: [x, y, 1.0] };
            let moved: Vec<CameraPose> = predicted.iter().map(|pose| pose.moved(&by)).collect();
            let (a, b) = (metrics(&predicted, &truth, 1.0).unwrap(), metrics(&moved, &truth, 1.0).unwrap());
            prop_assert!((a.ate - b.ate).abs() < 1e-8);
            prop_assert!((a.rpe_translation - b.rpe_translation).abs() < 1e-8);
            prop_assert!((a.rpe_rotation - b.rpe_rotation).abs() < 1e-6);
            prop_assert!((a.rotation_from_first - b.rotation_from_first).abs() < 1e-6);
        }
    }
}

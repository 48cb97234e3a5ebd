//! Multi-view reconstruction: from two pixel-aligned sets of points to two clouds that can be compared.
//!
//! Points are in the camera of frame 0. Depth and scale of the prediction are taken off before clouds are compared:
//! from z of each set its own median is subtracted, the prediction is multiplied by the ratio of the sets' median
//! distances to their median centres, and the true median is added back to both.

use super::{
    cloud::{CloudMetrics, Icp, compare, icp},
    layout::Camera,
    linear::{Vec3, norm, sub},
    resample::{Map, Placement},
    trajectory::CameraPose,
};
use crate::geometry::median;

/// Side of the square in the middle of the network's view that is compared.
pub const CROP: usize = 224;
/// True depths that count, metres.
pub const DEPTHS: [f32; 2] = [1e-3, 10.0];
/// Farthest pair that ICP takes into account, metres.
pub const ICP_THRESHOLD: f64 = 0.1;

/// A predicted and a true point of one pixel, and whether the pixel lies in the square that is compared.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct PointPair {
    /// Predicted, in the camera of frame 0.
    pub predicted: Vec3,
    /// True, in the camera of frame 0.
    pub truth: Vec3,
    /// Whether it is compared (all pairs take part in the normalisation).
    pub central: bool,
}

/// The true points behind the pixels of a network view, in the world of `pose`; `None` where depth does not count.
#[must_use]
#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "image sides; the position is checked to be inside"
)]
pub fn true_points(
    depth: &Map,
    camera: &Camera,
    pose: &CameraPose,
    photograph: (usize, usize),
    placement: &Placement,
    size: (usize, usize),
) -> Vec<Option<Vec3>> {
    let step = [depth.width as f64 / photograph.0 as f64, depth.height as f64 / photograph.1 as f64];
    let pixel = |i: usize| {
        let at = placement.in_photograph(i % size.0, i / size.0);
        let [x, y] = [(at[0] * step[0]).floor(), (at[1] * step[1]).floor()];
        if x < 0.0 || y < 0.0 {
            return None;
        }
        let z = depth.at(x as usize, y as usize);
        (DEPTHS[0]..=DEPTHS[1]).contains(&z).then(|| pose.to_world(camera.point(at, f64::from(z))))
    };
    (0..size.0 * size.1).map(pixel).collect()
}

/// Whether a pixel lies in the compared square.
#[must_use]
pub fn is_central(pixel: usize, size: (usize, usize)) -> bool {
    let inside = |at: usize, length: usize| {
        let side = length.min(CROP);
        let first = (length - side) / 2;
        (first..first + side).contains(&at)
    };
    size.0 > 0 && inside(pixel % size.0, size.0) && inside(pixel / size.0, size.1)
}

fn median_of(points: impl Iterator<Item = Vec3> + Clone, axis: usize) -> Option<f64> {
    median(points.map(|p| p[axis]))
}

/// The median distance to the median centre.
fn spread(points: impl Iterator<Item = Vec3> + Clone) -> Option<f64> {
    let centre = [median_of(points.clone(), 0)?, median_of(points.clone(), 1)?, median_of(points.clone(), 2)?];
    median(points.map(|p| norm(sub(p, centre))))
}

/// Takes depth offset and scale off the prediction, as described above. `None` without finite points.
#[must_use]
pub fn normalise(pairs: &[PointPair]) -> Option<Vec<PointPair>> {
    let true_z = median_of(pairs.iter().map(|p| p.truth), 2)?;
    let predicted_z = median_of(pairs.iter().map(|p| p.predicted), 2)?;
    let lowered = |point: Vec3, by: f64| [point[0], point[1], point[2] - by];
    let predicted = || pairs.iter().map(move |p| lowered(p.predicted, predicted_z));
    let scale = spread(pairs.iter().map(|p| lowered(p.truth, true_z)))? / spread(predicted())?.clamp(1e-3, 1e3);
    let moved = predicted().map(|p| {
        let [x, y, z] = p.map(|v| v * scale);
        [x, y, z + true_z]
    });
    Some(pairs.iter().zip(moved).map(|(pair, predicted)| PointPair { predicted, ..*pair }).collect())
}

/// The comparison of one sequence.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Reconstruction {
    /// The metrics.
    pub metrics: CloudMetrics,
    /// The ICP before them.
    pub icp: Icp,
}

/// Normalises, moves to the world of `first` (the true pose of frame 0), aligns by ICP and compares the central parts.
/// `None` if nothing is left.
#[must_use]
pub fn evaluate(pairs: &[PointPair], first: &CameraPose) -> Option<Reconstruction> {
    let pairs = normalise(pairs)?;
    let central = || pairs.iter().filter(|pair| pair.central);
    let predicted: Vec<Vec3> = central().map(|pair| first.to_world(pair.predicted)).collect();
    let truth: Vec<Vec3> = central().map(|pair| first.to_world(pair.truth)).collect();
    let found = icp(&predicted, &truth, ICP_THRESHOLD);
    let predicted: Vec<Vec3> = predicted.into_iter().map(|p| found.motion.apply(p)).collect();
    Some(Reconstruction { metrics: compare(&predicted, &truth)?, icp: found })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn scene() -> Vec<Vec3> {
        let at = |i: i32| f64::from(i) / 40.0;
        (0..3600)
            .map(|i| {
                let (x, y) = (at(i % 60) - 0.7, at(i / 60) - 0.8);
                [x, y, 2.0 + 0.3 * (3.0 * x).sin() + 0.2 * (4.0 * y).cos()]
            })
            .collect()
    }

    #[test]
    fn depth_offset_and_scale_of_a_prediction_do_not_matter() {
        let pair = |truth: Vec3| {
            let [x, y, z] = truth.map(|v| v * 0.2);
            PointPair { predicted: [x, y, z + 5.0], truth, central: true }
        };
        let pairs: Vec<PointPair> = scene().into_iter().map(pair).collect();
        for pair in normalise(&pairs).unwrap() {
            assert!(norm(sub(pair.predicted, pair.truth)) < 1e-9);
        }
        let found = evaluate(&pairs, &CameraPose::IDENTITY).unwrap();
        assert!(found.metrics.accuracy[0] < 1e-7 && found.metrics.completeness[1] < 1e-7);
        assert!(found.metrics.normal_consistency()[0] > 0.999_999);
    }

    #[test]
    fn the_square_in_the_middle_is_compared() {
        let inside = (0..512 * 384).filter(|&i| is_central(i, (512, 384))).collect::<Vec<_>>();
        assert_eq!(inside.len(), CROP * CROP);
        assert_eq!((inside[0] % 512, inside[0] / 512), (144, 80));
        assert_eq!((0..64 * 300).filter(|&i| is_central(i, (64, 300))).count(), 64 * CROP);
    }

    #[test]
    fn true_points_follow_camera_pose_and_cut_out() {
        let depth = Map::new(4, 2, vec![2.0, 2.0, f32::NAN, 11.0, 2.0, 2.0, 2.0, 2.0]).unwrap();
        let camera = Camera { focal: [10.0, 10.0], centre: [2.0, 1.0] };
        let pose = CameraPose { centre: [0.0, 0.0, 1.0], ..CameraPose::IDENTITY };
        let whole = Placement::whole((4, 2), (4, 2));
        let points = true_points(&depth, &camera, &pose, (4, 2), &whole, (4, 2));
        let expected = [-0.3, -0.1, 3.0];
        assert!(norm(sub(points[0].unwrap(), expected)) < 1e-12);
        assert_eq!((points[2], points[3]), (None, None)); // no depth, too far
        let cut = Placement { scale: [1.0, 1.0], offset: [1.0, 0.0] };
        let points_cut = true_points(&depth, &camera, &pose, (4, 2), &cut, (2, 2));
        assert_eq!(points_cut, [points[1], points[2], points[5], points[6]]);
    }

    #[test]
    fn nothing_gives_nothing() {
        assert_eq!(evaluate(&[], &CameraPose::IDENTITY), None);
    }
}

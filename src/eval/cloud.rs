//! Cloud metrics: point-to-point ICP, normals from nearest neighbours, accuracy, completeness, normal consistency.
//! Conventions are Open3D's (30 neighbours with the point itself, 30 ICP rounds, stop at 1e-6).

use super::{
    kdtree::KdTree,
    linear::{Similarity, Vec3, dot, eigen_symmetric, sub, umeyama},
    parallel,
};
use crate::geometry::median;

/// Neighbours that a normal is made from, the point itself among them.
const NORMAL_NEIGHBOURS: usize = 30;
const ICP_ROUNDS: usize = 30;
const ICP_CHANGE: f64 = 1e-6;

/// How near a predicted and a true cloud are. Distances in the unit of the clouds.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct CloudMetrics {
    /// Distance from a predicted point to the nearest true one: mean and median.
    pub accuracy: [f64; 2],
    /// Distance from a true point to the nearest predicted one: mean and median.
    pub completeness: [f64; 2],
    /// |cosine| between the normals of predicted points and of their nearest true ones: mean and median.
    pub normals_of_prediction: [f64; 2],
    /// |cosine| between the normals of true points and of their nearest predicted ones: mean and median.
    pub normals_of_truth: [f64; 2],
}

impl CloudMetrics {
    /// Normal consistency: the mean of both directions (mean and median).
    #[must_use]
    pub fn normal_consistency(&self) -> [f64; 2] {
        std::array::from_fn(|k| f64::midpoint(self.normals_of_prediction[k], self.normals_of_truth[k]))
    }
}

/// What ICP came to.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Icp {
    /// Takes the source to the target.
    pub motion: Similarity,
    /// Share of source points with a target point within the threshold.
    pub fitness: f64,
    /// Root mean square distance of those.
    pub rmse: f64,
    /// Rounds taken.
    pub rounds: usize,
}

#[expect(clippy::cast_precision_loss, reason = "counts of points")]
fn pairs_within(source: &[Vec3], target: &KdTree, threshold: f64) -> (Vec<Option<usize>>, f64, f64) {
    let found = parallel::map(source, |&p| target.nearest_within(p, threshold * threshold));
    let count = found.iter().flatten().count() as f64;
    let squared: f64 = found.iter().flatten().map(|n| n.squared).sum();
    let rmse = if count > 0.0 { (squared / count).sqrt() } else { 0.0 };
    let fitness = count / (source.len() as f64).max(1.0);
    (found.into_iter().map(|n| n.map(|n| n.index)).collect(), fitness, rmse)
}

/// Point-to-point ICP from where the clouds lie: the rigid motion that takes `source` onto `target`.
#[must_use]
pub fn icp(source: &[Vec3], target: &[Vec3], threshold: f64) -> Icp {
    let tree = KdTree::new(target);
    let mut moved = source.to_vec();
    let (mut pairs, fitness, rmse) = pairs_within(&moved, &tree, threshold);
    let mut state = Icp { motion: Similarity::IDENTITY, fitness, rmse, rounds: 0 };
    for round in 1..=ICP_ROUNDS {
        let (from, to): (Vec<Vec3>, Vec<Vec3>) =
            moved.iter().zip(&pairs).filter_map(|(&p, pair)| pair.and_then(|i| target.get(i)).map(|&q| (p, q))).unzip();
        let Some(step) = umeyama(&from, &to, false) else { break };
        moved = parallel::map(&moved, |&p| step.apply(p));
        let found = pairs_within(&moved, &tree, threshold);
        let still = (state.fitness - found.1).abs() < ICP_CHANGE && (state.rmse - found.2).abs() < ICP_CHANGE;
        pairs = found.0;
        state = Icp { motion: step.after(&state.motion), fitness: found.1, rmse: found.2, rounds: round };
        if still {
            break;
        }
    }
    state
}

/// Unit normals (sign arbitrary): the direction in which the nearest neighbours spread least. Points with fewer
/// than two neighbours get (0, 0, 1).
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of points")]
pub fn normals(points: &[Vec3], tree: &KdTree) -> Vec<Vec3> {
    let of_chunk = |chunk: &[Vec3]| {
        let mut found = Vec::with_capacity(NORMAL_NEIGHBOURS);
        let normal = |&point: &Vec3| {
            tree.nearest_many(point, NORMAL_NEIGHBOURS, &mut found);
            if found.len() < 3 {
                return [0.0, 0.0, 1.0];
            }
            let near = || found.iter().filter_map(|n| points.get(n.index)).map(|&p| sub(p, point));
            let count = found.len() as f64;
            let mean = near().fold([0.0; 3], |s, p| [s[0] + p[0], s[1] + p[1], s[2] + p[2]]).map(|v| v / count);
            let mut covariance = [[0.0; 3]; 3];
            for p in near() {
                let p = sub(p, mean);
                for (row, a) in covariance.iter_mut().zip(p) {
                    for (value, b) in row.iter_mut().zip(p) {
                        *value += a * b;
                    }
                }
            }
            eigen_symmetric(covariance).1[0]
        };
        chunk.iter().map(normal).collect::<Vec<_>>()
    };
    parallel::chunks(points, of_chunk).into_iter().flatten().collect()
}

#[expect(clippy::cast_precision_loss, reason = "counts of points")]
fn mean_and_median(values: &[f64]) -> Option<[f64; 2]> {
    let mean = values.iter().sum::<f64>() / values.len() as f64;
    Some([mean, median(values.iter().copied())?])
}

/// Distances to, and agreement of normals with, the nearest points of the other cloud.
fn one_way(from: &[Vec3], normals: &[Vec3], to: &KdTree, other: &[Vec3]) -> Option<([f64; 2], [f64; 2])> {
    let found = parallel::map(from, |&p| to.nearest(p));
    let distances: Vec<f64> = found.iter().flatten().map(|n| n.squared.sqrt()).collect();
    let cosine = |(n, normal): (&Option<super::kdtree::Neighbour>, &Vec3)| {
        n.and_then(|n| other.get(n.index)).map(|&m| dot(*normal, m).abs())
    };
    let cosines: Vec<f64> = found.iter().zip(normals).filter_map(cosine).collect();
    Some((mean_and_median(&distances)?, mean_and_median(&cosines)?))
}

/// Compares two clouds as they lie; `None` if one is empty.
#[must_use]
pub fn compare(predicted: &[Vec3], truth: &[Vec3]) -> Option<CloudMetrics> {
    let (predicted_tree, true_tree) = (KdTree::new(predicted), KdTree::new(truth));
    let predicted_normals = normals(predicted, &predicted_tree);
    let true_normals = normals(truth, &true_tree);
    let (accuracy, normals_of_prediction) = one_way(predicted, &predicted_normals, &true_tree, &true_normals)?;
    let (completeness, normals_of_truth) = one_way(truth, &true_normals, &predicted_tree, &predicted_normals)?;
    Some(CloudMetrics { accuracy, completeness, normals_of_prediction, normals_of_truth })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::eval::linear::{add, norm, rotation_of};

    fn plane(z: f64, side: i32) -> Vec<Vec3> {
        let at = |i: i32| f64::from(i) * 0.02;
        (0..side * side).map(|i| [at(i % side), at(i / side), z]).collect()
    }

    fn bumpy(side: i32) -> Vec<Vec3> {
        plane(0.0, side)
            .into_iter()
            .map(|[x, y, _]| [x, y, 0.2 * (5.0 * x).sin() * (4.0 * y).cos() + 0.3 * x * y])
            .collect()
    }

    #[test]
    fn a_cloud_compared_with_itself_is_perfect() {
        let m = compare(&bumpy(40), &bumpy(40)).unwrap();
        assert_eq!((m.accuracy, m.completeness), ([0.0; 2], [0.0; 2]));
        assert!(m.normal_consistency().iter().all(|v| (v - 1.0).abs() < 1e-9));
    }

    #[test]
    fn two_parallel_planes_are_their_distance_apart_and_have_equal_normals() {
        let m = compare(&plane(0.07, 30), &plane(0.0, 30)).unwrap();
        for v in m.accuracy.iter().chain(&m.completeness) {
            assert!((v - 0.07).abs() < 1e-12);
        }
        assert!(m.normal_consistency().iter().all(|v| (v - 1.0).abs() < 1e-9));
    }

    #[test]
    fn a_half_prediction_is_accurate_but_incomplete() {
        let all = plane(0.0, 40);
        let half: Vec<Vec3> = all.iter().copied().filter(|p| p[0] < 0.4 - 1e-9).collect();
        let m = compare(&half, &all).unwrap();
        assert_eq!(m.accuracy, [0.0; 2]);
        // Columns 20..40 are 1..20 steps of 0.02 from the last predicted one: mean over all 0.21 / 2.
        assert!((m.completeness[0] - 0.105).abs() < 1e-9 && (m.completeness[1] - 0.01).abs() < 1e-9);
    }

    #[test]
    fn normals_of_a_plane_are_perpendicular_to_it() {
        let r = rotation_of([0.8, 0.36, 0.48, 0.0]);
        let points: Vec<Vec3> = plane(0.3, 25).into_iter().map(|p| crate::eval::linear::apply(&r, p)).collect();
        let expected = crate::eval::linear::apply(&r, [0.0, 0.0, 1.0]);
        for normal in normals(&points, &KdTree::new(&points)) {
            assert!((dot(normal, expected).abs() - 1.0).abs() < 1e-9);
        }
        assert_eq!(normals(&[[0.0; 3]], &KdTree::new(&[[0.0; 3]])), [[0.0, 0.0, 1.0]]);
    }

    #[test]
    fn icp_undoes_a_small_motion_and_no_large_one() {
        let target = bumpy(50);
        let (s, c) = 0.5_f64.to_radians().sin_cos();
        let motion = Similarity {
            scale: 1.0,
            rotation: [[c, -s, 0.0], [s, c, 0.0], [0.0, 0.0, 1.0]],
            translation: [0.004, -0.003, 0.008],
        };
        let source: Vec<Vec3> = target.iter().map(|&p| motion.apply(p)).collect();
        let found = icp(&source, &target, 0.1);
        let worst = source.iter().zip(&target).map(|(&p, &q)| norm(sub(found.motion.apply(p), q))).fold(0.0, f64::max);
        assert!(worst < 1e-3, "{worst} after {} rounds", found.rounds);
        assert!(found.fitness > 0.999);
        let far: Vec<Vec3> = target.iter().map(|&p| add(p, [50.0, 0.0, 0.0])).collect();
        let found = icp(&far, &target, 0.1);
        assert_eq!((found.motion, found.fitness, found.rounds), (Similarity::IDENTITY, 0.0, 0));
    }

    #[test]
    fn an_empty_cloud_gives_nothing() {
        assert_eq!(compare(&[], &plane(0.0, 3)), None);
        assert_eq!(compare(&plane(0.0, 3), &[]), None);
    }
}

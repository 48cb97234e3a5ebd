//! A rendered sequence as a scene: every surface that the camera saw, with true depth and pose. For demonstrations.

use std::collections::HashSet;

use super::{Frame, Sequence};
use crate::cloud::{Chunk, Cloud, PackedPoint};
use crate::geometry::{Intrinsics, Pose};
use crate::scene::{Scene, SceneCamera, Viewpoint};

/// Seconds between two frames of a demonstration.
const FRAME_SECONDS: f64 = 0.5;

/// The points of all frames in the world of the first camera: those within `reach` metres of the camera that saw them
/// (a room has windows), one per cubic voxel of side `voxel` metres.
#[must_use]
pub fn scene_of(sequence: &Sequence, title: &str, voxel: f32, reach: f32) -> Scene {
    let origin = sequence.frames.first().map_or(Pose::IDENTITY, |first| pose_of(&first.pose)).inverse();
    let mut seen = HashSet::new();
    let mut scene = Scene { title: title.to_owned(), cloud: Cloud::default(), ..Scene::default() };
    scene.intrinsics = Some(intrinsics(sequence));
    for (index, frame) in (0..).zip(&sequence.frames) {
        let pose = origin.compose(&pose_of(&frame.pose));
        let points = points(sequence, frame, &pose, reach).filter(|point| seen.insert(cell(point.position, voxel)));
        scene.cloud.push(Chunk::new(index, points.collect()));
        scene.cameras.push(SceneCamera { frame: index, time: f64::from(index) * FRAME_SECONDS, pose });
    }
    scene
}

/// Every pixel with a depth up to `reach`, row by row. Far surfaces are less certain, as they are for a network.
fn points<'a>(
    sequence: &'a Sequence,
    frame: &'a Frame,
    pose: &'a Pose,
    reach: f32,
) -> impl Iterator<Item = PackedPoint> + 'a {
    let [fx, _, cx, _, fy, cy, ..] = sequence.intrinsics;
    let metres = frame.depth.iter().map(|depth| f32::from(*depth) / 1000.0);
    let pixels = frame.rgb.chunks_exact(3).zip(metres).enumerate();
    pixels.filter(move |(_, (_, z))| *z > 0.0 && *z <= reach).map(move |(i, (rgb, z))| {
        #[expect(clippy::cast_precision_loss, reason = "image sides")]
        let (x, y) = ((i % sequence.width) as f32, (i / sequence.width) as f32);
        let position = pose.transform_point([(x - cx) / fx * z, (y - cy) / fy * z, z]);
        PackedPoint::new(position, [rgb[0], rgb[1], rgb[2]], 1.0 + 20.0 / (1.0 + z))
    })
}

/// From behind and above the cameras, towards the middle of the points.
#[must_use]
pub fn viewpoint_of(scene: &Scene) -> Option<Viewpoint> {
    let target = mean(scene.cloud.points_above(0.0).map(|(_, point)| point.position))?;
    let cameras = mean(scene.cameras.iter().map(|camera| camera.pose.translation))?;
    let away: [f32; 3] = std::array::from_fn(|i| cameras[i] - target[i]);
    let distance = away.iter().map(|v| v * v).sum::<f32>().sqrt();
    let mut eye: [f32; 3] = std::array::from_fn(|i| target[i] + 1.6 * away[i]);
    // Up is -y.
    eye[1] -= 0.5 * distance;
    Some(Viewpoint { eye, target }).filter(Viewpoint::is_usable)
}

#[expect(clippy::cast_precision_loss, reason = "fewer than 16 million points")]
fn mean(points: impl Iterator<Item = [f32; 3]>) -> Option<[f32; 3]> {
    let (sum, count) =
        points.fold(([0.0; 3], 0_usize), |(sum, n), p| (std::array::from_fn(|i| sum[i] + f64::from(p[i])), n + 1));
    #[expect(clippy::cast_possible_truncation, reason = "metres")]
    (count > 0).then(|| sum.map(|v: f64| (v / count as f64) as f32))
}

fn intrinsics(sequence: &Sequence) -> Intrinsics {
    let [fx, _, cx, _, fy, cy, ..] = sequence.intrinsics.map(f64::from);
    Intrinsics { width: sequence.width, height: sequence.height, fx, fy, cx, cy }
}

#[expect(clippy::cast_possible_truncation, reason = "a world is metres wide")]
fn cell(position: [f32; 3], voxel: f32) -> [i32; 3] {
    position.map(|v| (v / voxel).floor() as i32)
}

/// The pose of a row-major 4x4 matrix of a rigid motion.
fn pose_of(m: &[f32; 16]) -> Pose {
    let at = |row: usize, column: usize| m[row * 4 + column];
    let trace = at(0, 0) + at(1, 1) + at(2, 2);
    let q = if trace > 0.0 {
        let s = (trace + 1.0).sqrt() * 2.0;
        [s / 4.0, (at(2, 1) - at(1, 2)) / s, (at(0, 2) - at(2, 0)) / s, (at(1, 0) - at(0, 1)) / s]
    } else {
        // The largest of the three keeps the division far from zero.
        let i = (0..3).fold(0, |best, i| if at(i, i) > at(best, best) { i } else { best });
        let (j, k) = ((i + 1) % 3, (i + 2) % 3);
        let s = (1.0 + at(i, i) - at(j, j) - at(k, k)).max(0.0).sqrt() * 2.0;
        let mut q = [(at(k, j) - at(j, k)) / s, 0.0, 0.0, 0.0];
        q[i + 1] = s / 4.0;
        q[j + 1] = (at(j, i) + at(i, j)) / s;
        q[k + 1] = (at(k, i) + at(i, k)) / s;
        q
    };
    let turned = Pose { translation: [0.0; 3], rotation: q };
    // Composing makes it a unit quaternion with w >= 0.
    let rotation = Pose::IDENTITY.compose(&turned).rotation;
    Pose { translation: [at(0, 3), at(1, 3), at(2, 3)], rotation }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::synth::{Kind, Quality, Settings, render};

    /// Farther than anything.
    const FAR: f32 = 1000.0;

    fn sequence() -> Sequence {
        let settings = Settings {
            width: 64,
            height: 48,
            frames: 4,
            kind: Kind::Indoor,
            quality: Quality::Fast,
            ..Settings::default()
        };
        render(&settings, 7)
    }

    #[test]
    fn a_pose_has_the_matrix_it_was_made_of() {
        for rotation in [[1.0, 0.0, 0.0, 0.0], [0.0, 1.0, 0.0, 0.0], [0.1, 0.2, -0.9, 0.3], [0.02, -0.7, 0.1, 0.7]] {
            let pose = Pose {
                translation: [1.0, -2.0, 3.0],
                rotation: Pose::IDENTITY.compose(&Pose { translation: [0.0; 3], rotation }).rotation,
            };
            let mut m = [0.0; 16];
            m.iter_mut().zip(pose.matrix().as_flattened()).for_each(|(to, from)| *to = *from);
            let again = pose_of(&m).matrix();
            let error = again.as_flattened().iter().zip(&m).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(error < 1e-5, "{rotation:?}: {error}");
        }
    }

    #[test]
    fn points_of_a_later_frame_land_on_the_pixels_of_the_first_that_see_them() {
        let sequence = sequence();
        let scene = scene_of(&sequence, "room", 0.02, FAR);
        let k = scene.intrinsics.expect("a sequence has a camera");
        let first = &sequence.frames[0];
        let (mut inside, mut close) = (0, 0);
        for point in &scene.cloud.chunks()[1].points {
            let [x, y, z] = point.position.map(f64::from);
            if z < 0.1 {
                continue;
            }
            let (u, v) = ((x / z * k.fx + k.cx).round(), (y / z * k.fy + k.cy).round());
            if (0.0..64.0).contains(&u) && (0.0..48.0).contains(&v) {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "tested to be a pixel")]
                let depth = f64::from(first.depth[v as usize * 64 + u as usize]) / 1000.0;
                inside += 1;
                close += i32::from((depth - z).abs() < 0.1 * z);
            }
        }
        // What is hidden in the first frame, or lies on an edge, may differ.
        assert!(inside > 50 && close * 10 > inside * 6, "{close} of {inside} points agree in depth");
    }

    #[test]
    fn a_coarser_voxel_leaves_fewer_points() {
        let sequence = sequence();
        let count = |voxel| scene_of(&sequence, "", voxel, FAR).cloud.point_count();
        assert!(count(0.2) > 10 && count(0.2) * 2 < count(0.02), "{} and {}", count(0.2), count(0.02));
    }

    #[test]
    fn no_point_lies_beyond_the_reach_of_the_camera_that_saw_it() {
        let scene = scene_of(&sequence(), "", 0.02, 2.0);
        assert!(!scene.cloud.is_empty());
        for (chunk, camera) in scene.cloud.chunks().iter().zip(&scene.cameras) {
            let to_camera = camera.pose.inverse();
            assert!(chunk.points.iter().all(|p| to_camera.transform_point(p.position)[2] <= 2.001));
        }
    }

    #[test]
    fn the_viewpoint_looks_at_the_middle_from_outside() {
        let scene = scene_of(&sequence(), "", 0.02, FAR);
        let Viewpoint { eye, target } = viewpoint_of(&scene).expect("there are points and cameras");
        assert!(eye[1] < target[1] + 3.0 && eye != target);
        assert!(viewpoint_of(&Scene::default()).is_none());
    }
}

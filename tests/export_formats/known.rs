//! A scene whose every number is known: a coloured box standing in a room, seen by posed pinhole cameras.
//!
//! The colour of a surface point is a function of where it lies, so a reader of an export can be asked whether a pixel
//! and a point belong together.

use std::sync::Arc;

use point3r::{
    cloud::{Chunk, Cloud, PackedPoint},
    export::{ExportError, ExportOptions, Format, Reconstruction, Watch, export},
    geometry::{Intrinsics, Pose},
    keyframes::{Keyframe, KeyframeMaps, Keyframes},
    pace::Pace,
    preprocess::RgbImage,
};

pub(crate) const WIDTH: usize = 160;
pub(crate) const HEIGHT: usize = 120;
/// The box stands free in front of the first camera.
pub(crate) const BOX: [[f32; 3]; 2] = [[-0.5, -0.4, 2.0], [0.5, 0.6, 3.0]];
/// The room's walls, seen from inside.
pub(crate) const ROOM: [[f32; 3]; 2] = [[-3.0, -1.5, -2.0], [3.0, 0.6, 6.0]];

pub(crate) fn camera() -> Intrinsics {
    Intrinsics { width: WIDTH, height: HEIGHT, fx: 140.0, fy: 150.0, cx: 81.25, cy: 58.5 }
}

/// The colour of the surface at a point: smooth, different everywhere.
pub(crate) fn color(point: [f32; 3]) -> [u8; 3] {
    point.map(|v| (127.5 + 120.0 * (1.7 * v).sin()).round() as u8)
}

/// Where a ray meets the box from outside or the room from inside: depth in units of `direction`.
fn depth(origin: [f32; 3], direction: [f32; 3]) -> f32 {
    let slabs = |[low, high]: [[f32; 3]; 2]| {
        (0..3).fold((f32::NEG_INFINITY, f32::INFINITY), |(near, far), i| {
            let (a, b) = ((low[i] - origin[i]) / direction[i], (high[i] - origin[i]) / direction[i]);
            (near.max(a.min(b)), far.min(a.max(b)))
        })
    };
    let (near, far) = slabs(BOX);
    if near < far && near > 0.0 { near } else { slabs(ROOM).1 }
}

/// Distance of a point to the nearest true surface.
pub(crate) fn off_surface(p: [f32; 3]) -> f32 {
    let signed = |[low, high]: [[f32; 3]; 2]| {
        let q: [f32; 3] = std::array::from_fn(|i| (low[i] - p[i]).max(p[i] - high[i]));
        let outside = q.iter().map(|v| v.max(0.0).powi(2)).sum::<f32>().sqrt();
        (outside + q.iter().fold(f32::NEG_INFINITY, |a, &b| a.max(b)).min(0.0)).abs()
    };
    signed(BOX).min(signed(ROOM))
}

/// Camera-to-world: at `eye`, looking at `target`, up is -y.
fn looking(eye: [f32; 3], target: [f32; 3]) -> Pose {
    let forward: [f32; 3] = std::array::from_fn(|i| target[i] - eye[i]);
    let yaw = forward[0].atan2(forward[2]);
    let pitch = forward[1].atan2(forward[0].hypot(forward[2]));
    let turn = |angle: f32, axis: usize| {
        let mut q = [(0.5 * angle).cos(), 0.0, 0.0, 0.0];
        q[axis] = (0.5 * angle).sin();
        Pose { translation: [0.0; 3], rotation: q }
    };
    Pose { translation: eye, ..turn(yaw, 2).compose(&turn(-pitch, 1)) }
}

/// Around the box, the first frame in the world's origin.
pub(crate) fn poses() -> Vec<Pose> {
    let mut poses = vec![Pose::IDENTITY];
    for i in 0..24 {
        let angle = i as f32 / 24.0 * std::f32::consts::TAU;
        poses.push(looking([1.9 * angle.sin(), -0.7, 2.5 - 1.9 * angle.cos()], [0.0, 0.1, 2.5]));
    }
    poses
}

/// Number of frame `i` in its source: frames were left out.
pub(crate) fn index(i: usize) -> u32 {
    2 * i as u32
}

/// The reconstruction that a perfect network would give.
pub(crate) fn scene() -> Reconstruction {
    let k = camera();
    let mut keyframes = Keyframes::default();
    let mut cloud = Cloud::default();
    for (i, pose) in poses().into_iter().enumerate() {
        let (mut rgb, mut depths, mut points) = (Vec::new(), Vec::new(), Vec::new());
        for y in 0..HEIGHT {
            for x in 0..WIDTH {
                let ray = [(x as f64 - k.cx) / k.fx, (y as f64 - k.cy) / k.fy, 1.0].map(|v| v as f32);
                let far = Pose { translation: [0.0; 3], ..pose };
                let z = depth(pose.translation, far.transform_point(ray));
                let point = pose.transform_point(ray.map(|v| v * z));
                rgb.extend(color(point));
                depths.push(z);
                points.push(PackedPoint::new(point, color(point), 1.0 + 40.0 * (x as f32 / WIDTH as f32)));
            }
        }
        let image = RgbImage { width: WIDTH, height: HEIGHT, rgb };
        let confidence: Vec<f32> = points.iter().map(PackedPoint::confidence).collect();
        let maps = KeyframeMaps::new(&image, depths.into_iter(), &confidence);
        cloud.push(Chunk::new(index(i), points));
        keyframes.push(Keyframe {
            index: index(i),
            time: i as f64 * 0.5,
            pose,
            focal: Some(k.fx),
            pointers: [0; 3],
            maps: Some(Arc::new(maps)),
        });
    }
    Reconstruction { cloud, keyframes, camera: Some(k), photograph: None, scale: None, model: None }
}

/// The files of a format, by path.
pub(crate) fn files(
    scene: &Reconstruction,
    format: Format,
    options: &ExportOptions,
) -> Result<Vec<(String, Vec<u8>)>, ExportError> {
    let mut files = Vec::new();
    let mut last = 0.0;
    let mut progress = |share: f32| {
        assert!((last..=1.0).contains(&share), "progress went from {last} to {share}");
        last = share;
    };
    let pace = Pace::none();
    let mut watch = Watch::new(&pace, &mut progress, &|| false);
    pollster::block_on(export(scene, format, options, &mut files, &mut watch))?;
    assert_eq!(last, 1.0, "progress ends at 1");
    Ok(files)
}

/// One file of a format.
pub(crate) fn file(files: &[(String, Vec<u8>)], path: &str) -> Vec<u8> {
    let names = || files.iter().map(|(name, _)| name).collect::<Vec<_>>();
    files.iter().find(|(name, _)| name == path).unwrap_or_else(|| panic!("no {path} in {:?}", names())).1.clone()
}

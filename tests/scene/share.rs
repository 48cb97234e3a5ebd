//! The compact form: what comes back is within the stated quantisation, for every size.

use std::{cell::Cell, collections::HashMap, rc::Rc};

use point3r::{
    cloud::{Chunk, Cloud, PackedPoint},
    pace::Pace,
    scene::{
        self, Limits, Scene, SceneError,
        share::{ShareOptions, pack, pack_paced},
    },
};

use crate::support::{room, scene};

#[test]
fn every_point_comes_back_within_half_a_voxel_and_the_budget_is_kept() {
    let room = room();
    let mut last = 0;
    for budget in [2_000, 12_000, 60_000, 600_000] {
        let shared = pack(&room, ShareOptions { budget, ..ShareOptions::default() }).unwrap();
        assert!(shared.bytes.len() <= budget, "{} of {budget}", shared.bytes.len());
        assert!(shared.points > last, "a larger budget keeps more points");
        last = shared.points;
        let read = scene::read(&shared.bytes, &Limits::default()).unwrap();
        assert_eq!((read.cloud.point_count(), read.cameras.len()), (shared.points, shared.cameras));
        assert_eq!((read.title.as_str(), read.viewpoint), ("a bent \"sheet\" </script>", room.viewpoint));
        println!(
            "{budget} bytes: {} points, {:.1} bits each, voxel {:.4}",
            last,
            shared.bytes.len() as f64 * 8.0 / last as f64,
            shared.voxel
        );

        // Each point of the room has one at most half a voxel away per axis, and each that came back has one of the room.
        let v = shared.voxel;
        assert_eq!(read.spacing, Some(v));
        let corner = read.cloud.bounds().unwrap().min;
        let cell = |p: [f32; 3]| std::array::from_fn::<i32, 3, _>(|i| ((p[i] - corner[i]) / v + 0.5).floor() as i32);
        let grid: HashMap<[i32; 3], [f32; 3]> =
            read.cloud.points_above(0.0).map(|(_, p)| (cell(p.position), p.position)).collect();
        assert_eq!(grid.len(), shared.points);
        let mut used = std::collections::HashSet::new();
        for (_, p) in room.cloud.points_above(0.0) {
            let near = |c: [i32; 3]| {
                let found = grid.get(&c)?;
                let close = found.iter().zip(p.position).all(|(a, b)| (a - b).abs() <= 0.501 * v + 1e-6);
                close.then_some(c)
            };
            let c = cell(p.position);
            // Rounding may put a point on the edge into the next cell.
            let around = (0..27).map(|i| [c[0] + i % 3 - 1, c[1] + i / 3 % 3 - 1, c[2] + i / 9 - 1]);
            let found = near(c).or_else(|| around.into_iter().find_map(near));
            used.insert(found.unwrap_or_else(|| panic!("nothing near {:?}", p.position)));
        }
        assert!(used.len() * 1000 > grid.len() * 999, "{} of {} have an original", used.len(), grid.len());
    }
}

#[test]
fn cameras_come_back_within_a_small_part_of_the_scene() {
    let room = room();
    let shared = pack(&room, ShareOptions { budget: 60_000, ..ShareOptions::default() }).unwrap();
    let read = scene::read(&shared.bytes, &Limits::default()).unwrap();
    assert_eq!(read.cameras.len(), 3);
    for (a, b) in read.cameras.iter().zip(&room.cameras) {
        assert_eq!((a.frame, a.time), (b.frame, b.time));
        assert!(a.pose.translation.iter().zip(b.pose.translation).all(|(a, b)| (a - b).abs() < 1e-3), "{a:?}");
        assert!(a.pose.rotation.iter().zip(b.pose.rotation).all(|(a, b)| (a - b).abs() < 5e-4), "{a:?}");
    }
    let without = ShareOptions { budget: 60_000, cameras: false, ..ShareOptions::default() };
    assert!(scene::read(&pack(&room, without).unwrap().bytes, &Limits::default()).unwrap().cameras.is_empty());

    // Without a view of its own a scene opens from behind its first camera, which stands near the origin here.
    let unseen = pack(&Scene { viewpoint: None, ..room }, without).unwrap();
    let view = scene::read(&unseen.bytes, &Limits::default()).unwrap().viewpoint.unwrap();
    assert!(view.eye[2] < -0.5 && view.target[2] > 1.0, "{view:?}");
}

#[test]
fn strays_do_not_cost_resolution_and_doubtful_points_are_left_out() {
    let mut with_strays = room();
    let plain = pack(&with_strays, ShareOptions::default()).unwrap();
    let far = |i: i32| PackedPoint::new([1e4 * i as f32, 500.0, -1e5], [1; 3], 50.0);
    let points = (0..100).map(far).chain([PackedPoint::new([f32::NAN; 3], [0; 3], 50.0)]).collect();
    with_strays.cloud.push(Chunk::new(1, points));
    let shared = pack(&with_strays, ShareOptions::default()).unwrap();
    assert!(shared.voxel < plain.voxel * 1.1, "{} {}", shared.voxel, plain.voxel);
    // A fifth of all points, on a hill behind the window.
    let hill = |i: i32| PackedPoint::new([30.0 + (i % 100) as f32, -5.0, 40.0 + (i / 100) as f32], [9, 90, 9], 20.0);
    let mut with_hill = room();
    with_hill.cloud.push(Chunk::new(5, (0..25_000).map(hill).collect()));
    let shared = pack(&with_hill, ShareOptions::default()).unwrap();
    assert!(shared.voxel < plain.voxel * 1.1, "{} {}", shared.voxel, plain.voxel);
    let nobody = ShareOptions { confidence: 4000.0, ..ShareOptions::default() };
    assert_eq!(pack(&with_strays, nobody).unwrap_err(), SceneError::Empty);
}

#[test]
fn small_and_odd_clouds_can_be_shared() {
    for points in [
        vec![[0.0, 0.0, 0.0]],
        vec![[5.0, 5.0, 5.0]; 1000],
        (0..50).map(|i| [i as f32, 0.0, 0.0]).collect(),
        vec![[-1e8, 0.0, 0.0], [1e8, 0.0, 0.0]],
    ] {
        let points: Vec<_> = points.into_iter().map(|p: [f32; 3]| PackedPoint::new(p, [9, 90, 200], 2.0)).collect();
        let first = points[0].position;
        let mut cloud = Cloud::default();
        cloud.push(Chunk::new(0, points));
        let shared = pack(&Scene { cloud, ..Scene::default() }, ShareOptions::default()).unwrap();
        let read = scene::read(&shared.bytes, &Limits::default()).unwrap();
        let close = |p: &PackedPoint| p.position.iter().zip(first).all(|(a, b)| (a - b).abs() <= 0.51 * shared.voxel);
        assert!(read.cloud.points_above(0.0).any(|(_, p)| close(p)), "{first:?}");
    }
    assert_eq!(pack(&Scene::default(), ShareOptions::default()).unwrap_err(), SceneError::Empty);
    let tiny = ShareOptions { budget: 10, ..ShareOptions::default() };
    assert_eq!(pack(&scene(), tiny).unwrap_err(), SceneError::Budget(10));
}

#[test]
fn a_link_that_was_cut_or_changed_anywhere_is_refused() {
    let bytes = pack(&scene(), ShareOptions::default()).unwrap().bytes;
    for at in (0..bytes.len()).step_by(37) {
        assert!(scene::read(&bytes[..at], &Limits::default()).is_err(), "cut at {at}");
        let mut changed = bytes.clone();
        changed[at] ^= 0x10;
        assert!(scene::read(&changed, &Limits::default()).is_err(), "changed at {at}");
    }
}

/// What both readers of the compact form, this one and the page's small viewer, must find in `tests/golden/share`.
/// `POINT3R_WRITE_GOLDEN=1` makes the folder anew.
#[test]
fn the_golden_link_reads_as_it_did() {
    let folder = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/share");
    if std::env::var_os("POINT3R_WRITE_GOLDEN").is_some() {
        let shared = pack(&room(), ShareOptions { budget: 1500, ..ShareOptions::default() }).unwrap();
        std::fs::create_dir_all(&folder).unwrap();
        std::fs::write(folder.join("room.p3s"), &shared.bytes).unwrap();
        let found = findings(&scene::read(&shared.bytes, &Limits::default()).unwrap());
        std::fs::write(folder.join("expected.json"), serde_json::to_string_pretty(&found).unwrap() + "\n").unwrap();
    }
    let bytes = std::fs::read(folder.join("room.p3s")).unwrap();
    let expected: serde_json::Value =
        serde_json::from_str(&std::fs::read_to_string(folder.join("expected.json")).unwrap()).unwrap();
    assert_eq!(findings(&scene::read(&bytes, &Limits::default()).unwrap()), expected);
}

/// Sums over all points; single points; the path.
fn findings(scene: &Scene) -> serde_json::Value {
    let points: Vec<&PackedPoint> = scene.cloud.points_above(0.0).map(|(_, p)| p).collect();
    let colors = points.iter().flat_map(|p| p.color());
    let hash = colors.fold(0x811c_9dc5_u32, |h, b| (h ^ u32::from(b)).wrapping_mul(0x0100_0193));
    // Whole numbers, which JSON keeps exactly.
    let micro = |v: f32| (f64::from(v) * 1e6).round() as i64;
    let sum = |axis: usize| points.iter().map(|p| f64::from(p.position[axis])).sum::<f64>().round() as i64;
    let path: Vec<_> = scene.cameras.iter().map(|c| c.pose.translation.map(micro)).collect();
    let viewpoint = scene.viewpoint.unwrap();
    serde_json::json!({
        "title": scene.title, "count": points.len(), "spacing": micro(scene.spacing.unwrap()),
        "colors": hash, "sums": [sum(0), sum(1), sum(2)],
        "first": points[0].position.map(micro), "last": points[points.len() - 1].position.map(micro),
        "path": path, "eye": viewpoint.eye.map(micro), "target": viewpoint.target.map(micro),
    })
}

#[test]
fn packing_gives_way_all_along_and_stops_when_it_is_cancelled() {
    let point = |i: u32| {
        let at = |n: u32| (i.wrapping_mul(n) >> 8) as f32 / 1e5;
        let (x, y) = (at(2_654_435_761), at(2_246_822_519));
        PackedPoint::new([x, y, (0.2 * x).sin()], [i as u8; 3], 2.0)
    };
    let mut cloud = Cloud::default();
    // As from a file that knows no frames: one long chunk.
    cloud.push(Chunk::new(0, (0..400_000).map(point).collect()));
    let scene = Scene { cloud, ..Scene::default() };
    let options = ShareOptions { budget: 300_000, ..ShareOptions::default() };
    let pauses = Rc::new(Cell::new(0));
    let counted = {
        let pauses = pauses.clone();
        Pace::new(move || {
            pauses.set(pauses.get() + 1);
            Box::pin(async {})
        })
    };
    let packed = pollster::block_on(pack_paced(&scene, options, &counted, &|| false)).unwrap();
    assert_eq!(packed, pack(&scene, options).unwrap(), "pauses change nothing");
    let all = pauses.get();
    assert!(all > 200, "{all} pauses");
    for after in [0, 5, 40, all / 2, all - 1] {
        pauses.set(0);
        let cancelled = || pauses.get() > after;
        let outcome = pollster::block_on(pack_paced(&scene, options, &counted, &cancelled));
        assert_eq!(outcome.unwrap_err(), SceneError::Cancelled);
        assert_eq!(pauses.get(), after + 1, "it stops at the next pause");
    }
}

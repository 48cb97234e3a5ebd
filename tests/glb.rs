//! GLB files: what is written is valid for the Khronos validator.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{path::Path, process::Command};

use point3r::{
    cloud::{Chunk, Cloud, PackedPoint},
    export::{ExportError, glb},
    geometry::{Intrinsics, Pose},
    scene::{Scene, SceneCamera, Viewpoint},
};

/// A bent sheet seen by three cameras on a path.
fn scene() -> Scene {
    let mut cloud = Cloud::default();
    for frame in 0..3_u32 {
        let point = |i: u32| {
            let (x, y) = ((i % 40) as f32 * 0.05 - 1.0, (i / 40) as f32 * 0.05 - 1.0);
            let position = [x + frame as f32 * 0.3, y, 2.0 + 0.2 * (3.0 * x).sin()];
            PackedPoint::new(position, [(i % 256) as u8, (i / 40) as u8, frame as u8 * 100], 1.0 + (i % 90) as f32)
        };
        cloud.push(Chunk::new(frame * 5, (0..1600).map(point).collect()));
    }
    let s = 0.5_f32.sqrt();
    let camera = |i: u32| SceneCamera {
        frame: i * 5,
        time: f64::from(i) * 0.4,
        pose: Pose {
            translation: [i as f32 * 0.3, -0.1, 0.05],
            rotation: [[1.0, 0.0, 0.0, 0.0], [s, 0.0, s, 0.0], [0.5; 4]][i as usize],
        },
    };
    Scene {
        title: "a bent \"sheet\"\n</script>".to_owned(),
        cloud,
        cameras: (0..3).map(camera).collect(),
        intrinsics: Some(Intrinsics::centred(300.0, 512, 384)),
        viewpoint: Some(Viewpoint { eye: [0.0, -1.0, -2.0], target: [0.0, 0.0, 2.0] }),
    }
}

fn written(scene: &Scene, confidence: f32) -> Vec<u8> {
    let mut bytes = Vec::new();
    glb::write(scene, confidence, &mut bytes).unwrap();
    bytes
}

/// What the validator says, or `None` (with a printed reason) where it cannot be run.
fn validate(files: &[(&str, Vec<u8>)]) -> Option<Vec<serde_json::Value>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !root.join("node_modules/gltf-validator").exists() {
        println!("skipped: the glTF validator is absent (npm ci)");
        return None;
    }
    let folder = tempfile::tempdir().unwrap();
    let paths = files.iter().map(|(name, bytes)| {
        let path = folder.path().join(name);
        std::fs::write(&path, bytes).unwrap();
        path
    });
    let output = Command::new("node").arg(root.join("tests/reference/validate_glb.mjs")).args(paths).output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

#[test]
fn the_khronos_validator_finds_nothing_to_complain_about() {
    let full = scene();
    let one_camera = Scene { cameras: full.cameras[..1].to_vec(), intrinsics: None, ..full.clone() };
    let mut odd = full.clone();
    let mut points = Cloud::default();
    points.push(Chunk::new(u32::MAX, vec![PackedPoint::new([f32::MIN_POSITIVE, -0.0, 1e30], [1; 3], 5.0)]));
    odd.cloud = points;
    let files =
        [("full.glb", written(&full, 0.0)), ("one.glb", written(&one_camera, 0.0)), ("odd.glb", written(&odd, 0.0))];
    let Some(answers) = validate(&files) else { return };
    for ((name, _), answer) in files.iter().zip(&answers) {
        let found = [&answer["numErrors"], &answer["numWarnings"], &answer["numInfos"]];
        assert_eq!(found.map(|n| n.as_u64().unwrap()), [0; 3], "{name}: {answer:#}");
    }
    assert_eq!(answers[0]["vertices"], 4800 + 3);
}

#[test]
fn points_below_the_confidence_and_points_that_are_not_numbers_are_left_out() {
    let mut all = scene();
    let mut cloud = all.cloud.clone();
    cloud.push(Chunk::new(9, vec![PackedPoint::new([f32::NAN, 0.0, 0.0], [0; 3], 80.0)]));
    all.cloud = cloud;
    let json = |bytes: &[u8]| -> serde_json::Value {
        let length = u32::from_le_bytes(bytes[12..16].try_into().unwrap()) as usize;
        serde_json::from_slice(&bytes[20..20 + length]).unwrap()
    };
    assert_eq!(json(&written(&all, 0.0))["accessors"][0]["count"], 4800);
    let confident = all.cloud.points_above(50.0).count() - 1;
    assert_eq!(json(&written(&all, 50.0))["accessors"][0]["count"], confident);
    assert!(matches!(glb::write(&all, 1e4, &mut Vec::new()), Err(ExportError::Empty)));
    all.cameras[1].pose.translation[2] = f32::NAN;
    assert!(matches!(glb::write(&all, 0.0, &mut Vec::new()), Err(ExportError::NotFinite(1))));
}

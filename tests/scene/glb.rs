//! GLB: what is written is valid for the Khronos validator, and reads back the same.

use std::{path::Path, process::Command};

use point3r::{
    cloud::{Chunk, Cloud, PackedPoint},
    export::{ExportError, glb},
    scene::{self, Limits, Scene, SceneError},
};

use crate::support::{glb_of, json_of, scene, written};

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
    assert_eq!(json_of(&written(&all, 0.0))["accessors"][0]["count"], 4800);
    let confident = all.cloud.points_above(50.0).count() - 1;
    assert_eq!(json_of(&written(&all, 50.0))["accessors"][0]["count"], confident);
    assert!(matches!(glb::write(&all, 1e4, &mut Vec::new()), Err(ExportError::Empty)));
    all.cameras[1].pose.translation[2] = f32::NAN;
    assert!(matches!(glb::write(&all, 0.0, &mut Vec::new()), Err(ExportError::NotFinite(1))));
}

#[test]
fn a_scene_comes_back_to_the_bit() {
    let full = scene();
    let read = scene::read(&written(&full, 0.0), &Limits::default()).unwrap();
    assert_eq!(read.cloud.chunks(), full.cloud.chunks());
    assert_eq!(read.cameras.len(), 3);
    for (a, b) in read.cameras.iter().zip(&full.cameras) {
        assert_eq!((a.frame, a.time, a.pose.translation), (b.frame, b.time, b.pose.translation));
        assert!(a.pose.rotation.iter().zip(b.pose.rotation).all(|(a, b)| (a - b).abs() < 1e-6), "{a:?}");
    }
    assert_eq!((read.intrinsics, read.viewpoint), (full.intrinsics, full.viewpoint));
    assert_eq!(read.title, "a bent \"sheet\" </script>");
}

#[test]
fn a_file_of_another_program_is_placed_by_its_nodes() {
    // Two quantised points (KHR_mesh_quantization), scaled, turned by 90 degrees about y and moved, twice.
    let json = serde_json::json!({
        "asset": { "version": "2.0" }, "extensionsRequired": ["KHR_mesh_quantization"],
        "scene": 0, "scenes": [{ "nodes": [0], "extras": 7 }],
        "nodes": [
            { "translation": [0, 1, 0], "children": [1, 1] },
            { "mesh": 0, "scale": [2, 2, 2], "rotation": [0, 0.5_f64.sqrt(), 0, 0.5_f64.sqrt()] },
        ],
        "meshes": [{ "primitives": [
            { "mode": 0, "attributes": { "POSITION": 0, "COLOR_0": 1 } }, { "mode": 1, "attributes": { "POSITION": 0 } },
        ] }],
        "accessors": [
            { "bufferView": 0, "componentType": 5122, "normalized": true, "type": "VEC3", "count": 2 },
            { "bufferView": 0, "byteOffset": 8, "componentType": 5121, "normalized": true, "type": "VEC3", "count": 2 },
        ],
        "bufferViews": [{ "buffer": 0, "byteLength": 24, "byteStride": 12 }], "buffers": [{ "byteLength": 24 }],
    });
    let mut body = Vec::new();
    for position in [[32_767_i16, 0, 0], [0, -32_767, 16_384]] {
        position.iter().for_each(|v| body.extend(v.to_le_bytes()));
        body.extend([0, 0, 255, 0, 0, 0]);
    }
    let read = scene::read(&glb_of(&json, &body), &Limits::default()).unwrap();
    assert_eq!(read.cloud.point_count(), 4);
    let found: Vec<[f32; 3]> = read.cloud.points_above(0.0).map(|(_, p)| p.position).collect();
    // x -> -z of glTF, doubled, up by one; then our axes.
    let expected = [[0.0, -1.0, 2.0], [1.000_03, 1.0, 0.0]];
    for (a, b) in found.iter().zip(expected.iter().cycle()) {
        assert!(a.iter().zip(b).all(|(a, b)| (a - b).abs() < 1e-4), "{a:?} {b:?}");
    }
    assert!(read.cloud.points_above(0.0).all(|(_, p)| p.color() == [255, 0, 0]));
}

#[test]
fn what_is_not_supported_is_named() {
    let plain = json_of(&written(&scene(), 0.0));
    for (path, value, word) in [
        ("/extensionsRequired", serde_json::json!(["KHR_draco_mesh_compression"]), "draco"),
        ("/buffers/0/uri", serde_json::json!("other.bin"), "other files"),
        ("/accessors/0/sparse", serde_json::json!({}), "sparse"),
    ] {
        let mut json = plain.clone();
        let (parent, name) = path.rsplit_once('/').unwrap();
        json.pointer_mut(parent).unwrap().as_object_mut().unwrap().insert(name.to_owned(), value);
        let error = scene::read(&glb_of(&json, &vec![0; 200_000]), &Limits::default()).unwrap_err();
        assert!(matches!(&error, SceneError::Unsupported(_)) && error.to_string().contains(word), "{error}");
    }
}

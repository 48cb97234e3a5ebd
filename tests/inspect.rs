//! `point3r inspect` on scenes and saved scans: what it says, and that hostile files end in a named error.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fs,
    path::Path,
    process::{Command, Output},
    sync::Arc,
};

use point3r::{
    cloud::{Chunk, Cloud, PackedPoint},
    export::{ExportOptions, glb, ply},
    geometry::{Intrinsics, Pose},
    keyframes::Keyframe,
    scene::{
        Scene, SceneCamera,
        share::{ShareOptions, pack},
    },
    scene_log::{Begin, VERSION, begin_record, frame_record, keep_record, scale_record},
    session::{ModelNote, Placement, SavedFrame, SessionOptions},
};
use serde_json::{Value, json};

fn inspect(path: &Path, json: bool) -> Output {
    let more: &[&str] = if json { &["--json"] } else { &[] };
    Command::new(env!("CARGO_BIN_EXE_point3r")).arg("inspect").arg(path).args(more).output().unwrap()
}

fn described(path: &Path, code: i32) -> Value {
    let output = inspect(path, true);
    assert_eq!(output.status.code(), Some(code), "{}", String::from_utf8_lossy(&output.stderr));
    serde_json::from_slice(&output.stdout).unwrap()
}

/// The error of a file that must be refused.
fn refused(folder: &Path, bytes: &[u8]) -> String {
    let path = folder.join("hostile");
    fs::write(&path, bytes).unwrap();
    let output = inspect(&path, false);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    assert!(!text.contains("panicked") && text.lines().last().unwrap().starts_with("error: "), "{text}");
    text
}

fn chunk(frame: u32) -> Chunk {
    let point = |i: u8| PackedPoint::new([f32::from(i), f32::from(i) * -0.5, 2.0 + frame as f32], [i; 3], 3.0);
    Chunk::new(frame, (0..10).map(point).collect())
}

fn scene() -> Scene {
    let mut cloud = Cloud::default();
    (0..3).for_each(|frame| cloud.push(chunk(frame)));
    let camera = |frame: u32| SceneCamera { frame, time: f64::from(frame) * 0.5, pose: Pose::IDENTITY };
    Scene {
        title: "A room".to_owned(),
        cloud,
        cameras: (0..3).map(camera).collect(),
        intrinsics: Some(Intrinsics::centred(200.0, 224, 168)),
        ..Scene::default()
    }
}

fn frame(index: u32) -> Vec<u8> {
    let pointers = [7 * (index as usize + 1), 7, 0];
    let keyframe =
        Keyframe { index, time: f64::from(index) * 0.5, pose: Pose::IDENTITY, focal: None, pointers, maps: None };
    let placement = Placement { input: (64, 48), photograph: (640, 480), scale: [0.1; 2], offset: [0.0; 2] };
    frame_record(&SavedFrame { keyframe: Arc::new(keyframe), chunk: Arc::new(chunk(index)), placement })
}

fn log() -> Vec<u8> {
    let begin = Begin {
        version: VERSION,
        model: "small 00ff".to_owned(),
        options: SessionOptions::default(),
        name: "Kitchen".to_owned(),
        began: 1.8e9,
        scale: None,
        made_with: Some(ModelNote { name: "small".to_owned(), trained: Some(true) }),
    };
    [begin_record(&begin), frame(0), frame(1), frame(2), keep_record(2), scale_record(2.5), frame(3)].concat()
}

#[test]
fn scenes_of_every_format_are_described() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("scene");
    let mut bytes = Vec::new();
    glb::write(&scene(), 1.0, &mut bytes).unwrap();
    fs::write(&path, &bytes).unwrap();
    let found = described(&path, 0);
    assert_eq!((&found["kind"], &found["format"], &found["title"]), (&json!("scene"), &json!("GLB"), &json!("A room")));
    assert_eq!((&found["points"], &found["frames"], &found["cameras"]), (&json!(30), &json!(3), &json!(3)));
    assert_eq!(found["bounds"], json!({ "min": [0.0, -4.5, 2.0], "max": [9.0, 0.0, 4.0] }));
    assert_eq!(found["time"], json!([0.0, 1.0]));
    let text = String::from_utf8(inspect(&path, false).stdout).unwrap();
    assert!(text.contains("30 of 3 frames") && text.contains("x 0.000 to 9.000, y -4.500 to 0.000"), "{text}");

    bytes.clear();
    let options = ExportOptions { comments: vec!["model: small".to_owned()], ..ExportOptions::default() };
    ply::write(&scene().cloud, &options, &mut bytes).unwrap();
    fs::write(&path, &bytes).unwrap();
    let found = described(&path, 0);
    assert_eq!((&found["format"], &found["points"], &found["cameras"]), (&json!("PLY"), &json!(30), &json!(0)));
    assert!(found["comments"].as_array().unwrap().contains(&json!("model: small")), "{found}");

    fs::write(&path, pack(&scene(), ShareOptions::default()).unwrap().bytes).unwrap();
    let found = described(&path, 0);
    assert_eq!((&found["format"], &found["cameras"]), (&json!("compact form"), &json!(3)));
    assert!(found["spacing"].as_f64().unwrap() > 0.0);
}

#[test]
fn a_saved_scan_is_described_with_what_undo_left_of_it() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("scan.p3rlog");
    fs::write(&path, log()).unwrap();
    let found = described(&path, 0);
    assert_eq!((&found["kind"], &found["name"]), (&json!("scan"), &json!("Kitchen")));
    assert_eq!((&found["model"]["name"], &found["model"]["trained"]), (&json!("small"), &json!(true)));
    assert_eq!((&found["frames"], &found["points"], &found["pointers"]), (&json!(3), &json!(30), &json!(28)));
    assert_eq!((&found["scale"], &found["seconds"], &found["problem"]), (&json!(2.5), &json!(1.5), &Value::Null));
    assert_eq!(found["bounds"], json!({ "min": [0.0, -4.5, 2.0], "max": [9.0, 0.0, 5.0] }));

    let whole = log();
    fs::write(&path, &whole[..whole.len() - 9]).unwrap();
    let found = described(&path, 1);
    assert_eq!((&found["frames"], &found["problem"]["code"]), (&json!(2), &json!("damaged-file")));
    let text = String::from_utf8(inspect(&path, false).stdout).unwrap();
    assert!(text.contains("model     small (trained)") && text.contains("damaged   the saved scan ends"), "{text}");
}

#[test]
fn hostile_files_are_refused_by_name() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    let mut good = Vec::new();
    glb::write(&scene(), 1.0, &mut good).unwrap();
    assert!(refused(folder, &good[..40]).contains("[scene-damaged]"));
    let many = "ply\nformat ascii 1.0\nelement vertex 999999999999\nproperty float x\nproperty float y\nproperty float z\nend_header\n";
    assert!(refused(folder, many.as_bytes()).contains("[scene-"));
    assert!(refused(folder, b"P3S1 and nothing that belongs there").contains("[scene-damaged]"));
    assert!(refused(folder, b"P3S9 of another version, long enough for a head").contains("[unsupported-file]"));

    let whole = log();
    assert!(refused(folder, &whole[..50]).contains("[damaged-file]"));
    let mut long = whole.clone();
    long[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(refused(folder, &long).contains("impossible length"));
    let mut flipped = whole.clone();
    flipped[30] ^= 1;
    assert!(refused(folder, &flipped).contains("checksum"));
    assert!(refused(folder, &frame(0)).contains("does not begin with a beginning"));
}

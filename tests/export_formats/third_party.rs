//! Other programs read the exports and check conventions by their own means, where they are installed.
//!
//! `POINT3R_READERS` names a Python that has some of `pycolmap`, `trimesh`, `open3d`, `evo`, `numpy`; without it the
//! `python3` of the path is asked. What is absent is skipped, with its name.

use std::{path::Path, process::Command};

use point3r::export::{ExportOptions, Folder, Format, MapFormat, Sink, zip::Zip};

use crate::known::{self, files};

fn python() -> String {
    std::env::var("POINT3R_READERS").unwrap_or_else(|_| "python3".to_owned())
}

/// Writes every format below `folder`, as folders and, where a format has many files, as zips too.
fn write_all(folder: &Path) {
    let scene = known::scene();
    let max_points = scene.cloud.point_count() / 64;
    let options = ExportOptions { maps: MapFormat::Both, max_points, ..Default::default() };
    for format in Format::ALL {
        let written = files(&scene, format, &options).unwrap();
        let root = if format.is_folder() { folder.join(format.path()) } else { folder.to_owned() };
        let mut sink = Folder::new(root);
        written.iter().for_each(|(path, bytes)| sink.file(path, bytes).unwrap());
        if format.is_folder() {
            let mut bytes = Vec::new();
            let mut emit = |part: &[u8]| {
                bytes.extend(part);
                Ok(())
            };
            let mut zip = Zip::new(&mut emit);
            written.iter().for_each(|(path, bytes)| zip.file(path, bytes).unwrap());
            zip.finish().unwrap();
            std::fs::write(folder.join(format!("{}.zip", format.name())), bytes).unwrap();
        }
    }
}

#[test]
fn other_programs_read_every_format_and_agree_on_its_conventions() {
    let temporary = tempfile::tempdir().unwrap();
    write_all(temporary.path());
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/reference/read_exports.py");
    let Ok(output) = Command::new(python()).arg(script).arg(temporary.path()).output() else {
        println!("skipped: no {}", python());
        return;
    };
    let said = String::from_utf8_lossy(&output.stdout);
    println!("{said}{}", String::from_utf8_lossy(&output.stderr));
    assert!(output.status.success(), "a reader disagrees:\n{said}{}", String::from_utf8_lossy(&output.stderr));
}

#[test]
fn the_khronos_validator_has_nothing_to_say_about_the_mesh() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    if !root.join("node_modules/gltf-validator").is_dir() {
        println!("skipped: gltf-validator is not installed (npm ci)");
        return;
    }
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("mesh.glb");
    let written = files(&known::scene(), Format::MeshGlb, &ExportOptions::default()).unwrap();
    std::fs::write(&path, &written[0].1).unwrap();
    let validator = root.join("tests/reference/validate_glb.mjs");
    let output = Command::new("node").arg(validator).arg(&path).current_dir(root).output().unwrap();
    let answers: serde_json::Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!((&answers[0]["numErrors"], &answers[0]["numWarnings"]), (&0.into(), &0.into()), "{answers}");
    assert!(answers[0]["vertices"].as_u64().unwrap() > 1000);
}

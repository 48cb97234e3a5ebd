//! `point3r convert` and `point3r inspect` as users run them: exit codes, refusals, interrupted runs.

use std::path::Path;
use std::process::{Command, Output};

use point3r::weights::{WeightsError, read_manifest};
use serde_json::Value;

use crate::support::{Stored, all_tensors, micro, write_checkpoint};

fn point3r(dir: &Path, line: &str) -> Output {
    Command::new(env!("CARGO_BIN_EXE_point3r")).args(line.split(' ')).current_dir(dir).output().unwrap()
}

/// Runs a command line that must end with `code`; what it printed, errors included.
fn expect(dir: &Path, code: i32, line: &str) -> String {
    let output = point3r(dir, line);
    let text = format!("{}{}", String::from_utf8_lossy(&output.stdout), String::from_utf8_lossy(&output.stderr));
    assert_eq!(output.status.code(), Some(code), "{line}\n{text}");
    text
}

/// A folder with the micro network's config and checkpoint.
fn workspace() -> tempfile::TempDir {
    let dir = tempfile::tempdir().unwrap();
    let config = micro();
    std::fs::write(dir.path().join("micro.json"), serde_json::to_string(&config).unwrap()).unwrap();
    let mut tensors = all_tensors(&config);
    write_checkpoint(&dir.path().join("good.safetensors"), &tensors);
    tensors.insert("optimizer.step".into(), Stored::f32(&[1], &[1.0]));
    write_checkpoint(&dir.path().join("extra.safetensors"), &tensors);
    dir
}

#[test]
fn formula_weights_become_a_folder_that_inspect_finds_whole() {
    let dir = workspace();
    let at = dir.path();
    expect(at, 0, "convert --formula --config micro.json --precision f16 -o out --name untrained-micro");
    let manifest = read_manifest(&at.join("out")).unwrap();
    assert_eq!((manifest.name.as_str(), manifest.trained), ("untrained-micro", false));
    assert!(expect(at, 0, "inspect out --check").contains("every shard matches"));
    let json: Value = serde_json::from_str(&expect(at, 0, "inspect out --check --json --tensors")).unwrap();
    assert_eq!(json["checked"], true);
    assert_eq!(json["tensors"].as_array().unwrap().len(), manifest.tensors.len());
    let shard = at.join("out").join(&manifest.shards[0].file);
    let mut bytes = std::fs::read(&shard).unwrap();
    bytes[1000] ^= 1;
    std::fs::write(&shard, bytes).unwrap();
    assert!(expect(at, 1, "inspect out --check").contains("download it again"));
    expect(at, 0, "inspect out");
}

#[test]
fn the_small_preset_is_named_and_untrained() {
    let dir = tempfile::tempdir().unwrap();
    let text = expect(dir.path(), 0, "convert --formula small -o out --precision f16 --json");
    let json: Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["name"], "untrained-small");
    assert_eq!(json["trained"], false);
    assert_eq!(json["licence"], "MIT OR Apache-2.0");
}

#[test]
fn refusals_say_what_to_do_and_exit_with_2() {
    let dir = workspace();
    let at = dir.path();
    assert!(expect(at, 2, "convert good.safetensors --precision int2 -o out").contains("possible values"));
    assert!(expect(at, 2, "convert good.safetensors --keep encoder=int2 -o out").contains("no precision"));
    assert!(expect(at, 2, "convert --formula huge -o out").contains("small, tiny or released"));
    assert!(expect(at, 2, "convert --formula -o out").contains("--config"));
    assert!(expect(at, 2, "convert absent.pth -o out").contains("does not exist"));
    assert!(expect(at, 2, "inspect absent").contains("does not exist"));
    assert!(expect(at, 2, "inspect micro.json").contains("checkpoint"));
    assert!(!at.join("out").exists());
}

#[test]
fn unexpected_keys_are_listed_refused_and_can_be_tolerated() {
    let dir = workspace();
    let at = dir.path();
    let text = expect(at, 2, "convert extra.safetensors --config micro.json --precision f32 -o out");
    assert!(text.contains("unexpected  optimizer.step") && text.contains("--allow-unexpected"), "{text}");
    assert!(!at.join("out").exists());
    expect(at, 1, "inspect extra.safetensors --config micro.json");
    expect(at, 0, "convert extra.safetensors --config micro.json --precision f32 -o out --allow-unexpected");
    expect(at, 0, "inspect good.safetensors --config micro.json");
    let json: Value =
        serde_json::from_str(&expect(at, 1, "inspect extra.safetensors --config micro.json --json")).unwrap();
    assert_eq!(json["keys"]["unexpected"][0], "optimizer.step");
}

#[test]
fn only_a_model_folder_is_replaced_and_only_with_force() {
    let dir = workspace();
    let at = dir.path();
    let convert = "convert --formula --config micro.json --precision f16 -o";
    expect(at, 0, &format!("{convert} out"));
    assert!(expect(at, 2, &format!("{convert} out")).contains("--force"));
    expect(at, 0, &format!("{convert} out --force"));
    std::fs::create_dir(at.join("photos")).unwrap();
    std::fs::write(at.join("photos/keep.jpg"), b"x").unwrap();
    expect(at, 2, &format!("{convert} photos --force"));
    assert!(at.join("photos/keep.jpg").exists());
}

#[test]
fn an_interrupted_conversion_is_not_a_model_and_can_be_repeated() {
    let dir = workspace();
    let at = dir.path();
    let config = micro();
    let mut tensors = all_tensors(&config);
    // The last tensor cannot be converted, so the run ends after others were written.
    let last = config.parameters().into_iter().rfind(|spec| spec.used).unwrap();
    tensors.get_mut(&last.name).unwrap().bytes[..4].copy_from_slice(&f32::NAN.to_le_bytes());
    write_checkpoint(&at.join("nan.safetensors"), &tensors);
    expect(at, 2, "convert nan.safetensors --config micro.json --precision f32 -o out");
    assert!(matches!(read_manifest(&at.join("out")), Err(WeightsError::NotFound { .. })));
    expect(at, 2, "convert good.safetensors --config micro.json --precision f32 -o out");
    expect(at, 0, "convert good.safetensors --config micro.json --precision f32 -o out --force");
    expect(at, 0, "inspect out --check");
}

//! The network against reference tensors: the small set that ships with the project on the CPU and, where
//! there is an adapter, on the GPU; the larger sets where they are present (`POINT3R_SHARED`, or a folder
//! `shared` beside the checkout).
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::{Path, PathBuf};

use burn::tensor::Device;
use point3r::model::Config;
use point3r::pace::Pace;
use point3r::verify::{Precision, Variant, VerifyError, VerifyFiles, VerifyReport, verify};

fn golden(name: &str) -> Option<PathBuf> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let shared = std::env::var_os("POINT3R_SHARED").map_or_else(|| root.join("../shared"), PathBuf::from);
    let dir = shared.join("golden").join(name);
    if dir.is_dir() {
        return Some(dir);
    }
    println!("skipped: {} is not here (set POINT3R_SHARED)", dir.display());
    None
}

fn shipped() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/tiny")
}

/// Other widths, depths, head counts and hooks, and portrait pictures.
fn other() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/other")
}

/// The shape of the default model: stem, position, skip.
fn default_shape() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/default")
}

fn run(dir: &Path, device: &Device, precision: Precision, variant: Variant) -> Result<VerifyReport, VerifyError> {
    let expected = match variant {
        Variant::F32 => "expected.safetensors",
        Variant::F16Rope => "expected_f16rope.safetensors",
    };
    let config = std::fs::read_to_string(dir.join("config.json")).ok();
    let weights = std::fs::read(dir.join("weights.safetensors")).ok();
    let inputs = std::fs::read(dir.join("inputs.safetensors")).unwrap();
    let expected = std::fs::read(dir.join(expected)).unwrap();
    let files =
        VerifyFiles { config: config.as_deref(), weights: weights.as_deref(), inputs: &inputs, expected: &expected };
    pollster::block_on(verify(files, device, precision, variant, &|| 0.0, &Pace::none()))
}

fn assert_passed(report: &VerifyReport, at_least: usize) {
    assert!(report.passed, "{:#?}", report.failures);
    assert!(report.compared >= at_least, "only {} tensors compared", report.compared);
}

#[test]
fn shipped_reference_passes_on_the_cpu() {
    let report = run(&shipped(), &Device::flex(), Precision::Cpu, Variant::F32).unwrap();
    assert_passed(&report, 100);
    assert_eq!(report.pointers, [12, 22, 29, 38, 41]);
}

#[test]
fn shipped_reference_passes_on_the_gpu() {
    let Ok(device) = Device::wgpu_options().init() else {
        println!("skipped: no GPU adapter; install a Vulkan driver (software: mesa-vulkan-drivers)");
        return;
    };
    let report = run(&shipped(), &device, Precision::Gpu, Variant::F32).unwrap();
    assert_passed(&report, 100);
    assert_eq!(report.pointers, [12, 22, 29, 38, 41]);
}

#[test]
fn another_shape_of_network_with_portrait_pictures_passes_on_the_cpu() {
    let report = run(&other(), &Device::flex(), Precision::Cpu, Variant::F32).unwrap();
    assert_passed(&report, 64);
    assert_eq!(report.pointers, [24, 48, 58, 58]);
}

#[test]
fn the_default_models_shape_passes_on_the_cpu() {
    let report = run(&default_shape(), &Device::flex(), Precision::Cpu, Variant::F32).unwrap();
    assert_passed(&report, 48);
    assert_eq!(report.pointers, [12, 24, 34, 45]);
}

#[test]
fn the_default_models_shape_passes_on_the_gpu() {
    let Ok(device) = Device::wgpu_options().init() else {
        println!("skipped: no GPU adapter; install a Vulkan driver (software: mesa-vulkan-drivers)");
        return;
    };
    let report = run(&default_shape(), &device, Precision::Gpu, Variant::F32).unwrap();
    assert_passed(&report, 48);
    assert_eq!(report.pointers, [12, 24, 34, 45]);
}

#[test]
fn config_file_of_the_default_shape_is_the_small_preset() {
    let config = std::fs::read_to_string(default_shape().join("config.json")).unwrap();
    assert_eq!(Config::from_json(&config).unwrap(), Config::small());
}

#[test]
fn every_tensor_of_the_tiny_reference_passes_on_the_cpu() {
    if let Some(dir) = golden("tiny") {
        assert_passed(&run(&dir, &Device::flex(), Precision::Cpu, Variant::F32).unwrap(), 290);
    }
}

#[test]
fn half_precision_rotary_variant_passes_on_the_cpu() {
    if let Some(dir) = golden("tiny") {
        let report = run(&dir, &Device::flex(), Precision::Cpu, Variant::F16Rope).unwrap();
        assert_passed(&report, 35);
    }
}

#[test]
fn released_size_passes_on_the_cpu() {
    if let Some(dir) = golden("full224") {
        let report = run(&dir, &Device::flex(), Precision::Cpu, Variant::F32).unwrap();
        assert_passed(&report, 90);
        assert_eq!(report.pointers, [196, 355, 523]);
    }
}

#[test]
fn wrong_weights_fail_the_comparison() {
    let dir = shipped();
    let mut config = Config::tiny();
    config.weight_generator.as_mut().unwrap().head4_gain = 0.41;
    let config = serde_json::to_string(&config).unwrap();
    let inputs = std::fs::read(dir.join("inputs.safetensors")).unwrap();
    let expected = std::fs::read(dir.join("expected.safetensors")).unwrap();
    let files = VerifyFiles { config: Some(&config), weights: None, inputs: &inputs, expected: &expected };
    let report =
        pollster::block_on(verify(files, &Device::flex(), Precision::Cpu, Variant::F32, &|| 0.0, &Pace::none()));
    assert!(!report.unwrap().passed);
}

#[test]
fn config_file_of_the_reference_is_the_tiny_preset() {
    let mut config = Config::from_json(&std::fs::read_to_string(shipped().join("config.json")).unwrap()).unwrap();
    // The reference's config does not name a nominal size.
    config.image_size = Config::tiny().image_size;
    assert_eq!(config, Config::tiny());
}

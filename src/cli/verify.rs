//! `point3r verify`: the network against reference tensors.

use std::path::{Path, PathBuf};
use std::time::Instant;

use super::{Outcome, peak_memory_mib};
use crate::device::{Backend, Compute, DeviceChoice};
use crate::kernels::Variant as Kernels;
use crate::pace::Pace;
use crate::preprocess::verify_preprocess;
use crate::verify::{Precision, Variant, VerifyFiles, VerifyReport, verify};

/// Arguments of `point3r verify`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder with preprocess.safetensors (reference images), or with config.json, weights.safetensors, inputs.safetensors and expected.safetensors.
    /// Without config.json the released network is meant, without weights the weight formula.
    dir: PathBuf,
    /// Where to compute: cpu, gpu (also a software one) or auto.
    #[arg(long, default_value = "cpu")]
    device: DeviceChoice,
    /// Which form of the encoder's rotary embedding the reference used.
    #[arg(long, value_enum, default_value = "f32")]
    variant: VariantArg,
    /// The form of the GPU kernels; by default the one that fits the adapter. `stock`: burn's own operations.
    #[arg(long, value_enum)]
    kernels: Option<Kernels>,
    /// Print the whole report as JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum VariantArg {
    F32,
    F16rope,
}

/// Runs the comparison; the check fails when any tensor is out of tolerance.
#[expect(clippy::needless_pass_by_value, reason = "arguments are consumed by their command")]
pub(super) fn execute(args: Args) -> Outcome {
    let images = args.dir.join("preprocess.safetensors");
    if images.exists() {
        return preprocessing(&read(&images)?, args.json);
    }
    let variant = if args.variant == VariantArg::F32 { Variant::F32 } else { Variant::F16Rope };
    let expected_name = if variant == Variant::F32 { "expected.safetensors" } else { "expected_f16rope.safetensors" };
    let config = read_optional(&args.dir.join("config.json"))?.map(String::from_utf8).transpose()?;
    let weights = read_optional(&args.dir.join("weights.safetensors"))?;
    let inputs = read(&args.dir.join("inputs.safetensors"))?;
    let expected = read(&args.dir.join(expected_name))?;
    let files =
        VerifyFiles { config: config.as_deref(), weights: weights.as_deref(), inputs: &inputs, expected: &expected };
    let Compute { device, report: on, .. } = Compute::open(args.device)?;
    if let Some(kernels) = args.kernels {
        kernels.choose();
    }
    let precision = if on.backend == Backend::Cpu { Precision::Cpu } else { Precision::Gpu };
    let start = Instant::now();
    let clock = move || start.elapsed().as_secs_f64();
    let report = pollster::block_on(verify(files, &device, precision, variant, &clock, &Pace::none()))?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(report.passed)
}

/// Image preparation against reference images: runs on the CPU whatever the device.
fn preprocessing(file: &[u8], json: bool) -> Outcome {
    let report = verify_preprocess(file)?;
    if json {
        println!("{}", serde_json::to_string_pretty(&report)?);
        return Ok(report.pass);
    }
    println!("{:<32} {:>10} {:>10}", "image", "levels off", "differing");
    for case in &report.cases {
        let verdict = if case.pass { "" } else { "  FAILED" };
        println!("{:<32} {:>10} {:>9.2}%{verdict}", case.name, case.max_difference, case.differing * 100.0);
    }
    println!("{}: {} images compared", if report.pass { "passed" } else { "FAILED" }, report.cases.len());
    Ok(report.pass)
}

fn print(report: &VerifyReport) {
    println!("{:<10} {:>7} {:>7}  {:>9} {:>9}  worst tensor", "group", "tensors", "passed", "error", "bar");
    for group in &report.groups {
        let (worst, name) = (&group.worst, format!("{:?}", group.group).to_lowercase());
        println!(
            "{name:<10} {:>7} {:>7}  {:>9.1e} {:>9.1e}  {}",
            group.tensors, group.passed, worst.error, worst.tolerance, worst.name
        );
    }
    for failure in &report.failures {
        let problem = failure.problem.as_deref().unwrap_or("out of tolerance");
        println!("FAILED {}: {problem} ({:.1e}, bar {:.1e})", failure.name, failure.error, failure.tolerance);
    }
    let seconds: Vec<String> = report.seconds.iter().map(|s| format!("{s:.2}")).collect();
    println!(
        "pointers after each frame: {:?}; seconds per frame, all intermediates kept: {}",
        report.pointers,
        seconds.join(" ")
    );
    if let Some(peak) = peak_memory_mib() {
        println!("peak memory: {peak} MiB");
    }
    println!("{}: {} tensors compared", if report.passed { "passed" } else { "FAILED" }, report.compared);
}

pub(super) fn read(path: &Path) -> Result<Vec<u8>, String> {
    std::fs::read(path).map_err(|e| format!("{} cannot be read: {e}", path.display()))
}

pub(super) fn read_optional(path: &Path) -> Result<Option<Vec<u8>>, String> {
    if path.exists() { read(path).map(Some) } else { Ok(None) }
}

//! `point3r quant-error`: what a precision costs at the end, on a verification folder's frames.

use std::path::PathBuf;

use serde_json::json;

use super::convert::Precision;
use super::verify::{read, read_optional};
use super::{Outcome, peak_memory_mib};
use crate::device::{Compute, DeviceChoice};
use crate::model::Component;
use crate::pace::Pace;
use crate::verify::{RoundingReport, VerifyFiles, compare_runs, run_rounded};
use crate::weights::{Mix, Rule, Storage, component_name};

/// Arguments of `point3r quant-error`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder with inputs.safetensors; config.json and weights.safetensors as for `verify`.
    dir: PathBuf,
    /// Precisions to compare with f32; all when left out.
    #[arg(long, value_enum)]
    precision: Vec<Precision>,
    /// Store a part of the network differently: a component (`pose heads`) or the beginning of keys. Repeatable.
    #[arg(long, value_name = "PART=PRECISION")]
    keep: Vec<Rule>,
    /// Store all matrices alike, instead of the sensitive ones more precisely.
    #[arg(long)]
    uniform: bool,
    /// Also round this part alone, the others exact; `each` for every component in turn. Repeatable.
    #[arg(long, value_name = "PART")]
    part: Vec<String>,
    /// Where to compute: cpu, gpu (also a software one) or auto.
    #[arg(long, default_value = "cpu")]
    device: DeviceChoice,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

const COMPONENTS: [Component; 8] = [
    Component::Encoder,
    Component::Decoder,
    Component::MemoryDecoder,
    Component::PoseMemory,
    Component::ValueEncoder,
    Component::PointerHead,
    Component::DenseHeads,
    Component::PoseHeads,
];

#[expect(clippy::needless_pass_by_value, reason = "arguments are consumed by their command")]
pub(super) fn execute(args: Args) -> Outcome {
    let config = read_optional(&args.dir.join("config.json"))?.map(String::from_utf8).transpose()?;
    let weights = read_optional(&args.dir.join("weights.safetensors"))?;
    let inputs = read(&args.dir.join("inputs.safetensors"))?;
    let files = VerifyFiles { config: config.as_deref(), weights: weights.as_deref(), inputs: &inputs, expected: &[] };
    let Compute { device, .. } = Compute::open(args.device)?;
    let run = |mix: Option<&Mix>| pollster::block_on(run_rounded(files, mix, &device, &Pace::none()));
    let exact = run(None)?;
    let asked = if args.precision.is_empty() {
        vec![Precision::F16, Precision::Int8, Precision::Int4]
    } else {
        args.precision.clone()
    };
    let components = COMPONENTS.map(|component| component_name(component).to_owned());
    let parts: Vec<String> = args
        .part
        .iter()
        .flat_map(|part| if part == "each" { components.to_vec() } else { vec![part.clone()] })
        .collect();
    let mut mixes = Vec::new();
    for precision in asked.into_iter().map(Storage::from) {
        let mix = if args.uniform { Mix::uniform(precision) } else { Mix::of(precision) };
        mixes.push((precision.to_string(), mix.with(&args.keep)));
        for part in &parts {
            let rule = Rule { part: part.clone(), storage: precision };
            mixes.push((format!("{precision} {part}"), Mix::uniform(Storage::F32).with(&[rule])));
        }
    }
    if !args.json {
        println!(
            "{:<24} {:>10} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}  pointers",
            "weights", "bytes", "pose", "transl.", "rotation", "camera", "world", "conf."
        );
    }
    let mut reports = Vec::new();
    for (name, mix) in mixes {
        let report = compare_runs(&exact, &run(Some(&mix))?);
        if !args.json {
            print(&name, &report);
        }
        reports.push(json!({ "weights": name, "worst": report.worst(), "report": report }));
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&reports)?);
    } else if let Some(peak) = peak_memory_mib() {
        println!("peak memory: {peak} MiB");
    }
    Ok(true)
}

fn print(name: &str, report: &RoundingReport) {
    let percent = |output: &str| {
        let found = report.outputs.iter().find(|o| o.name == output).map_or(f64::NAN, |o| o.relative);
        format!("{:.3} %", found * 100.0)
    };
    let conf = ["confidence, camera", "confidence, world"].map(percent);
    let moved = report.pointers.iter().map(|[a, b]| format!("{a}/{b}")).collect::<Vec<_>>().join(" ");
    println!(
        "{name:<24} {:>10} {:>9} {:>9} {:>9} {:>9} {:>9} {:>9}  {moved}",
        report.bytes,
        percent("pose"),
        percent("translation"),
        percent("rotation"),
        percent("points, camera"),
        percent("points, world"),
        conf[1],
    );
}

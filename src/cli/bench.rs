//! `point3r bench`: time per frame with formula weights, no download.

use std::time::Instant;

use serde::Serialize;

use super::{Outcome, peak_memory_mib};
use crate::device::{Backend, Compute, DeviceChoice};
use crate::kernels::{Recording, Usage, Variant as Kernels};
use crate::model::{Config, Point3r, Probe};
use crate::pace::Pace;
use crate::preprocess::RgbImage;
use crate::weights::Parameters;

/// Arguments of `point3r bench`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Network and image size.
    #[arg(long, value_enum, default_value = "tiny")]
    preset: Preset,
    /// Where to compute: cpu, gpu (also a software one) or auto.
    #[arg(long, default_value = "cpu")]
    device: DeviceChoice,
    /// Frames to time, after one that warms up.
    #[arg(long, default_value_t = 4)]
    frames: usize,
    /// The form of the GPU kernels; by default the one that fits the adapter. `stock`: burn's own operations.
    #[arg(long, value_enum)]
    kernels: Option<Kernels>,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Preset {
    /// The network of the reference tensors at 64x48.
    Tiny,
    /// The size of the page's default model at 160x112.
    Small,
    /// The released network at 224x224.
    Full224,
    /// The released network at 512x384.
    Full512,
}

/// One timed frame.
#[derive(Debug, Serialize)]
struct Frame {
    pointers_before: usize,
    ms: f64,
    stages: Vec<(&'static str, f64)>,
    /// What the kernels did, on a GPU.
    kernels: Option<Usage>,
}

#[derive(Debug, Serialize)]
struct Report {
    preset: String,
    device: String,
    parameters: usize,
    load_ms: f64,
    /// Compiling all kernels.
    warm_ms: f64,
    gpu_bytes: u64,
    frames: Vec<Frame>,
    peak_memory_mib: Option<u64>,
}

/// Times frames of a noise sequence whose memory grows as in a real one.
#[expect(clippy::needless_pass_by_value, reason = "arguments are consumed by their command")]
pub(super) fn execute(args: Args) -> Outcome {
    let (config, [height, width]) = match args.preset {
        Preset::Tiny => (Config::tiny(), [48, 64]),
        Preset::Small => (Config::small(), [112, 160]),
        Preset::Full224 => (Config::released_formula(), [224, 224]),
        Preset::Full512 => (Config::released_formula(), [384, 512]),
    };
    let compute = Compute::open(args.device)?;
    let (device, on) = (compute.device.clone(), compute.report.clone());
    if let Some(kernels) = args.kernels {
        kernels.choose();
    }
    let start = Instant::now();
    let parameters = config.parameter_count();
    let model = Point3r::new(config.clone(), Parameters::from_formula(&config, &device))?;
    let load_ms = start.elapsed().as_secs_f64() * 1e3;

    let clock = Instant::now();
    pollster::block_on(model.warm_up([height, width], &Pace::none()))?;
    let warm_ms = clock.elapsed().as_secs_f64() * 1e3;

    let mut state = model.start();
    let mut frames = Vec::new();
    for index in 0..=args.frames {
        let image = RgbImage::noise(width, height, index);
        let pointers_before = state.memory().len();
        let recording = Recording::start();
        let clock = Instant::now();
        let mut probe = Probe::timed(Box::new(move || clock.elapsed().as_secs_f64() * 1e3));
        let step = async {
            let (prediction, _) = model.step_probed(&mut state, &image, &Pace::none(), &mut probe).await?;
            // The maps are part of the frame: wait for them.
            prediction.points_world.into_data_async().await?;
            prediction.points_camera.into_data_async().await.map_err(crate::model::ModelError::from)
        };
        pollster::block_on(step)?;
        let ms = clock.elapsed().as_secs_f64() * 1e3;
        let kernels = recording.map(Recording::finish).filter(|usage| usage.total_dispatches() > 0);
        frames.push(Frame { pointers_before, ms, stages: probe.stages().to_vec(), kernels });
    }
    let preset = format!("{:?}", args.preset).to_lowercase();
    let gpu_bytes = compute.gpu_bytes();
    let name = if on.backend == Backend::Cpu { "cpu".to_owned() } else { on.adapter };
    let report = Report {
        preset,
        device: name,
        parameters,
        load_ms,
        warm_ms,
        gpu_bytes,
        frames,
        peak_memory_mib: peak_memory_mib(),
    };
    if args.json {
        println!("{}", serde_json::to_string_pretty(&report)?);
    } else {
        print(&report);
    }
    Ok(true)
}

fn print(report: &Report) {
    println!(
        "{} on {}: {} parameters, loaded in {:.0} ms, kernels compiled in {:.0} ms, {} MiB on the GPU",
        report.preset,
        report.device,
        report.parameters,
        report.load_ms,
        report.warm_ms,
        report.gpu_bytes >> 20
    );
    println!("{:>5} {:>9} {:>10}  stages (ms)", "frame", "pointers", "ms");
    for (index, frame) in report.frames.iter().enumerate() {
        let stages: Vec<String> = frame.stages.iter().map(|(name, ms)| format!("{name} {ms:.1}")).collect();
        let note = if index == 0 { " (warms up)" } else { "" };
        println!("{index:>5} {:>9} {:>10.1}  {}{note}", frame.pointers_before, frame.ms, stages.join(", "));
    }
    if let Some(usage) = report.frames.last().and_then(|frame| frame.kernels.as_ref()) {
        let list: Vec<String> = usage.dispatches.iter().map(|(name, count)| format!("{name} {count}")).collect();
        println!(
            "last frame: {} dispatches of {} kernels ({})",
            usage.total_dispatches(),
            usage.pipelines,
            list.join(", ")
        );
        println!(
            "            {} MiB bound, largest binding {:.1} MiB, largest allocation {:.1} MiB",
            usage.bound_bytes >> 20,
            mib(usage.largest_binding),
            mib(usage.largest_allocation)
        );
    }
    if let Some(peak) = report.peak_memory_mib {
        println!("peak memory {peak} MiB");
    }
}

#[expect(clippy::cast_precision_loss, reason = "printed with one decimal")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

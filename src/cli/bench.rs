//! `point3r bench`: time per frame with formula weights, no download. On a GPU also what every stage launches and how
//! long the GPU works on it, against the best matrix product of the device.

mod roofline;

use std::time::Instant;

use burn::tensor::Tensor;
use burn_cubecl::cubecl::{dry_run::DryRun, launched::LaunchedKernels};
use serde::Serialize;

use self::roofline::Product;
use super::{Outcome, peak_memory_mib};
use crate::device::{Backend, Compute, DeviceChoice};
use crate::kernels::{Recording, Timer, Usage, Variant as Kernels};
use crate::memory::PointerMemory;
use crate::model::{Config, ModelError, Point3r, Probe, State};
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
    /// Begin with a memory of that many made-up pointers.
    #[arg(long, default_value_t = 0)]
    pointers: usize,
    /// Count operations, dispatches and bytes, but run no kernel: for sizes that a software adapter would take
    /// minutes over. The times mean nothing then.
    #[arg(long)]
    count: bool,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Preset {
    /// The network of the reference tensors at 64x48.
    Tiny,
    /// The size of the page's default model at 128x96.
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
    /// What the GPU itself spent on them.
    gpu_stages: Vec<(&'static str, f64)>,
    /// Kernels of any origin, each form of a text counted once.
    programs: usize,
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
    /// Matrix products of this device.
    products: Vec<Product>,
    peak_memory_mib: Option<u64>,
}

/// Times frames of a noise sequence whose memory grows as in a real one.
#[expect(clippy::needless_pass_by_value, reason = "arguments are consumed by their command")]
pub(super) fn execute(args: Args) -> Outcome {
    let (config, [height, width]) = match args.preset {
        Preset::Tiny => (Config::tiny(), [48, 64]),
        Preset::Small => (Config::small(), [96, 128]),
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

    let products = if args.count { Vec::new() } else { roofline::measure(&compute) };

    let _dry = args.count.then(DryRun::new);
    let mut state = match args.pointers {
        0 => model.start(),
        count => with_pointers(&model, count, [height, width]),
    };
    let mut frames = Vec::new();
    for index in 0..=args.frames {
        let image = RgbImage::noise(width, height, index);
        let pointers_before = state.memory().len();
        let recording = Recording::start();
        let clock = Instant::now();
        let launched = LaunchedKernels::new();
        let probe = Probe::timed(Box::new(move || clock.elapsed().as_secs_f64() * 1e3));
        let mut probe = probe.with_timer(if args.count { None } else { Timer::start(&device) });
        let step = async {
            let (prediction, _) = model.step_probed(&mut state, &image, &Pace::none(), &mut probe).await?;
            // The maps are part of the frame: wait for them.
            prediction.points_world.into_data_async().await?;
            prediction.points_camera.into_data_async().await.map_err(ModelError::from)
        };
        match pollster::block_on(step) {
            Err(ModelError::NotFinite) if args.count => {}
            done => done.map(drop)?,
        }
        let ms = clock.elapsed().as_secs_f64() * 1e3;
        let gpu_stages = pollster::block_on(probe.gpu_stages());
        let programs = launched.finish().len();
        let kernels = recording.map(Recording::finish).filter(|usage| usage.total_dispatches() > 0);
        frames.push(Frame { pointers_before, ms, stages: probe.stages().to_vec(), gpu_stages, programs, kernels });
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
        products,
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
    if let Some(frame) = report.frames.last() {
        print_kernels(frame, &report.products);
    }
    if let Some(peak) = report.peak_memory_mib {
        println!("peak memory {peak} MiB");
    }
}

#[expect(clippy::cast_precision_loss, reason = "printed with one decimal")]
fn mib(bytes: u64) -> f64 {
    bytes as f64 / f64::from(1 << 20)
}

/// What the kernels of a frame did, by stage.
fn print_kernels(frame: &Frame, products: &[Product]) {
    let Some(usage) = &frame.kernels else { return };
    let list: Vec<String> = usage.dispatches.iter().map(|(name, count)| format!("{name} {count}")).collect();
    println!(
        "last frame: {} dispatches of {} kernels ({})",
        usage.total_dispatches(),
        usage.pipelines,
        list.join(", ")
    );
    println!(
        "            {} programs with burn's, {} MiB bound, largest binding {:.1} MiB, largest allocation {:.1} MiB, {} B \
         read back",
        frame.programs,
        usage.bound_bytes >> 20,
        mib(usage.largest_binding),
        mib(usage.largest_allocation),
        usage.read_bytes
    );
    let list: Vec<String> = products.iter().map(|p| format!("{} {:.1}", p.name, p.gflops)).collect();
    if !list.is_empty() {
        println!("matrix products, GFLOP/s: {}", list.join(", "));
    }
    let best = products.iter().map(|p| p.gflops).fold(0.0, f64::max);
    println!(
        "{:>8} {:>10} {:>10} {:>10} {:>10} {:>9} {:>8}",
        "stage", "dispatches", "GFLOP", "MiB", "GPU ms", "GFLOP/s", "of best"
    );
    for stage in &usage.stages {
        let ms = frame.gpu_stages.iter().find(|(name, _)| *name == stage.name).map(|(_, ms)| *ms);
        let work = giga(stage.flops);
        let rate = ms.filter(|ms| *ms > 0.0).map(|ms| work / ms * 1e3);
        let share = rate.filter(|_| best > 0.0).map(|rate| rate / best * 100.0);
        let text = |value: Option<f64>, unit: &str| value.map_or_else(|| "-".to_owned(), |v| format!("{v:.1}{unit}"));
        println!(
            "{:>8} {:>10} {work:>10.2} {:>10.1} {:>10} {:>9} {:>8}",
            stage.name,
            stage.dispatches,
            mib(stage.bound_bytes),
            text(ms, ""),
            text(rate, ""),
            text(share, " %")
        );
    }
    println!(
        "{:>8} {:>10} {:>10.2} {:>10.1}",
        "all",
        usage.total_dispatches(),
        giga(usage.flops),
        mib(usage.bound_bytes)
    );
}

/// A state after one frame that left `count` pointers.
#[expect(clippy::cast_precision_loss, reason = "made-up places")]
fn with_pointers(model: &Point3r, count: usize, [height, width]: [usize; 2]) -> State {
    let patch = model.config().patch_size;
    let at = |i: usize| [i as f32 * 0.1, (i % 7) as f32, 1.0];
    let positions: Vec<[f32; 3]> = (0..count).map(at).collect();
    let features = Tensor::zeros([count, model.config().dec_embed_dim], model.device());
    let patches = (0..height * width / (patch * patch)).map(at).collect();
    model.resume(PointerMemory::new(&positions, features), patches)
}

#[expect(clippy::cast_precision_loss, reason = "printed with two decimals")]
fn giga(operations: u64) -> f64 {
    operations as f64 / 1e9
}

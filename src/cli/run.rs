//! `point3r run`: a video, a folder or images in; a cloud, a trajectory and pictures out.

mod exports;
pub(super) mod model;
mod output;

use std::{path::PathBuf, time::Instant};

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::Outcome;
use crate::{
    device::DeviceChoice,
    export::{ExportOptions, Reconstruction},
    frames::{Pick, Source},
    memory::{Eviction, PointerCap},
    pace::Pace,
    session::{FrameReport, ModelNote, Session, SessionOptions},
};

use model::LoadedModel;
use output::Output;

/// Arguments of `point3r run`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// One video, one folder of images, or images in order.
    #[arg(required = true)]
    input: Vec<PathBuf>,
    /// Folder to write to (made if absent).
    #[arg(short, long)]
    output: PathBuf,
    /// Model folder; without it, the default model of this copy.
    #[arg(long)]
    model: Option<PathBuf>,
    /// Where to compute.
    #[arg(long, value_name = "auto|cpu|gpu", default_value = "auto")]
    device: DeviceChoice,
    /// Network input size: 224 (centre square), or the length of the long side.
    #[arg(long)]
    size: Option<usize>,
    /// Frames per second of video to use (images: their rate, which only sets times).
    #[arg(long, conflicts_with = "every", value_parser = rate)]
    fps: Option<f64>,
    /// Use every K-th frame.
    #[arg(long, value_name = "K", default_value = "1", value_parser = clap::value_parser!(u32).range(1..))]
    every: u32,
    /// Stop after so many frames.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    max_frames: Option<u32>,
    /// Least confidence of points that are kept (1 keeps all).
    #[arg(long, default_value_t = 1.0, value_parser = confidence)]
    confidence: f32,
    /// Most pointers kept in memory; 0 keeps all, as the reference does.
    #[arg(long, value_name = "N", default_value_t = PointerCap::default().pointers)]
    max_pointers: usize,
    /// Which pointers go beyond that.
    #[arg(long, value_enum, default_value_t = Eviction::default())]
    eviction: Eviction,
    /// Squeeze whole frames onto the patch grid instead of cutting their edges.
    #[arg(long)]
    no_crop: bool,
    /// Also write, separated by commas: colmap, nerfstudio, maps, mesh-ply, mesh-glb; mesh = both meshes; all.
    #[arg(long, value_name = "FORMATS", value_delimiter = ',', value_parser = exports::formats)]
    export: Vec<exports::Formats>,
    /// Leave out, in every file of points, separated by commas: edges (points that float between near and far), sky.
    #[arg(long, value_name = "edges,sky", value_enum, value_delimiter = ',')]
    clean: Vec<Clean>,
    /// Factor for all lengths that are written.
    #[arg(long, default_value_t = 1.0, value_parser = exports::length)]
    scale: f32,
    /// Edge length of a mesh's voxels, in the unit that is written; without it, fitted to the scene.
    #[arg(long, value_name = "LENGTH", value_parser = exports::length)]
    voxel: Option<f32>,
    /// Print one JSON object per frame and the report, nothing else.
    #[arg(long)]
    json: bool,
}

/// Doubtful points that can be left out.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Clean {
    Edges,
    Sky,
}

fn rate(text: &str) -> Result<f64, String> {
    match text.parse::<f64>() {
        Ok(rate) if (0.001..=1000.0).contains(&rate) => Ok(rate),
        _ => Err("expected frames per second, 0.001 to 1000".to_owned()),
    }
}

fn confidence(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if value.is_finite() && value >= 0.0 => Ok(value),
        _ => Err("expected a number of at least 0 (1 keeps all points)".to_owned()),
    }
}

/// Runs the reconstruction. What was reconstructed before an error is written all the same.
pub(super) fn execute(args: Args) -> Outcome {
    let pick = args.fps.map_or(Pick::Every(args.every as usize), Pick::Rate);
    let source = Source::open(&args.input, pick, args.max_frames.map(|n| n as usize))?;
    let mut output = Output::create(&args.output, args.scale)?;
    let LoadedModel { model, about, device, load_ms, warning } = model::load(args.model.as_deref(), args.device)?;
    if let Some(warning) = &warning {
        eprintln!("warning: {warning}");
    }

    let begin = Instant::now();
    let mut session = Session::new();
    session.load(model);
    session.set_model_note(ModelNote { name: about.name.clone(), trained: Some(about.trained) });
    session.start(SessionOptions {
        size: args.size,
        crop: !args.no_crop,
        confidence: args.confidence,
        pointers: PointerCap { pointers: args.max_pointers, eviction: args.eviction },
        ..SessionOptions::default()
    })?;
    session.set_scale(args.scale);
    let bar = progress(source.expected(), args.json);
    let mut run = Run { per_frame: Vec::new(), warnings: warning.into_iter().collect(), error: None };
    for frame in source {
        let step = frame.map_err(Box::<dyn std::error::Error>::from).and_then(|frame| {
            let result = pollster::block_on(session.push(&frame, &Pace::none()))?;
            output.frame(&result)?;
            Ok(result.report)
        });
        match step {
            Ok(report) => {
                if args.json {
                    println!("{}", serde_json::to_string(&report)?);
                }
                bar.set_message(format!("{} points, {} pointers", report.points, report.pointers));
                bar.inc(1);
                run.per_frame.push(report);
            }
            Err(error) if is_skippable(error.as_ref()) => {
                bar.suspend(|| eprintln!("warning: {error}"));
                run.warnings.push(error.to_string());
            }
            Err(error) => {
                run.error = Some(error);
                break;
            }
        }
    }
    bar.finish_and_clear();

    if run.per_frame.is_empty() {
        let none = || run.warnings.last().cloned().unwrap_or_else(|| "the input holds no frames".to_owned());
        return Err(run.error.unwrap_or_else(|| format!("nothing was reconstructed: {}", none()).into()));
    }
    let options = ExportOptions {
        voxel: args.voxel,
        hide_edges: args.clean.contains(&Clean::Edges),
        hide_sky: args.clean.contains(&Clean::Sky),
        ..ExportOptions::default()
    };
    let scene = Reconstruction::of(&session);
    let mut all_missing = output.finish(&scene, &options)?;
    all_missing.extend(exports::write(&args.output, &args.export, &scene, &options, args.json)?);
    for missing in all_missing {
        eprintln!("warning: {missing}");
        run.warnings.push(missing);
    }
    let seconds = begin.elapsed().as_secs_f64();
    let input = args.input.iter().map(|path| path.display().to_string()).collect();
    let report = output.report(&session, about, device, input, seconds, load_ms, &run)?;
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        println!(
            "{} frames, {} points in {seconds:.1} s ({:.0} ms per frame): {}",
            report.frames,
            report.points,
            report.ms_per_frame.unwrap_or_default(),
            args.output.display()
        );
    }
    run.error.map_or(Ok(true), Err)
}

/// What happened, frame by frame.
struct Run {
    per_frame: Vec<FrameReport>,
    warnings: Vec<String>,
    error: Option<Box<dyn std::error::Error>>,
}

/// A frame that failed by itself: the next one may do.
fn is_skippable(error: &(dyn std::error::Error + 'static)) -> bool {
    error.downcast_ref::<crate::session::SessionError>().is_some_and(|e| e.code() == "not-finite")
}

fn progress(expected: Option<usize>, quiet: bool) -> ProgressBar {
    let bar = ProgressBar::new(expected.unwrap_or(0) as u64);
    let template = if expected.is_some() {
        "{bar:30} {pos}/{len} frames  {per_sec}  ETA {eta}  {msg}"
    } else {
        "{spinner} {pos} frames  {per_sec}  {msg}"
    };
    if let Ok(style) = ProgressStyle::with_template(template) {
        let per_sec = |state: &indicatif::ProgressState, out: &mut dyn std::fmt::Write| {
            let _ = write!(out, "{:.2} frames/s", state.per_sec());
        };
        bar.set_style(style.with_key("per_sec", per_sec));
    }
    if quiet {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    bar
}

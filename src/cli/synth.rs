//! `point3r synth`: synthetic posed RGB-D worlds, as folders or as a stream of packed records.

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};
use serde::Serialize;

use super::Outcome;
use crate::synth::folder::ColorFile;
use crate::synth::{self, Kind, Quality, Settings, folder, record, scene_seed};

/// Arguments of `point3r synth`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder to write to, or `-` for records on standard output.
    #[arg(short, long, required_unless_present = "bench")]
    output: Option<PathBuf>,
    /// Scenes to generate.
    #[arg(long, default_value_t = 1)]
    scenes: u64,
    /// Number of the first scene: a run that stopped goes on here.
    #[arg(long, default_value_t = 0)]
    first: u64,
    /// Frames per scene.
    #[arg(long, default_value_t = 16)]
    frames: usize,
    /// Seed of the run; scene i depends on the seed and i alone.
    #[arg(long, default_value_t = 0)]
    seed: u64,
    /// Width and height of a landscape frame.
    #[arg(long, default_value = "224x224", value_parser = parse_size)]
    size: Size,
    /// Family of worlds.
    #[arg(long, value_enum, default_value = "mix")]
    kind: KindArg,
    /// Output format; standard output always gets records.
    #[arg(long, value_enum, default_value = "posed-rgbd")]
    format: Format,
    /// Rendering threads (all processors by default).
    #[arg(long)]
    threads: Option<usize>,
    /// Samples per pixel.
    #[arg(long, value_enum, default_value = "fast")]
    quality: QualityArg,
    /// Share of scenes filmed upright, width and height swapped.
    #[arg(long, default_value_t = 0.0)]
    portrait: f32,
    /// Share of scenes in which something moves.
    #[arg(long, default_value_t = 0.15)]
    moving: f32,
    /// Colour files of folders.
    #[arg(long, value_enum, default_value = "png")]
    color: ColorArg,
    /// Time rendering at 128x96 and 224x224 instead of writing anything.
    #[arg(long)]
    bench: bool,
    /// With --bench: print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Size {
    width: usize,
    height: usize,
}

fn parse_size(text: &str) -> Result<Size, String> {
    let wrong = || format!("'{text}' is not a size like 128x96");
    let (w, h) = text.split_once(['x', 'X']).ok_or_else(wrong)?;
    Ok(Size { width: w.parse().map_err(|_| wrong())?, height: h.parse().map_err(|_| wrong())? })
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum KindArg {
    /// Rooms, corridors, stairs.
    Indoor,
    /// Streets and parks.
    Outdoor,
    /// Objects on a table.
    Table,
    /// A dining room or kitchen, from within reach.
    Dining,
    /// 70 % indoor, 15 % outdoor, 15 % table.
    Mix,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum QualityArg {
    /// For training by the million.
    Fast,
    /// More samples per pixel, for evaluation sets and clips.
    Full,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Format {
    /// A folder of images and text files per scene.
    PosedRgbd,
    /// One packed file per scene.
    Records,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum ColorArg {
    /// Lossless.
    Png,
    /// Quality 92.
    Jpg,
}

/// What can go wrong besides the settings.
#[derive(Debug, thiserror::Error)]
enum SynthError {
    #[error("0 scenes were asked for: say --scenes N with N at least 1")]
    NoScenes,
    #[error("0 threads cannot render: leave --threads out to use all processors")]
    NoThreads,
    #[error("cannot write to {}: {source}", path.display())]
    Write { path: PathBuf, source: io::Error },
}

fn settings(args: &Args) -> Settings {
    Settings {
        width: args.size.width,
        height: args.size.height,
        frames: args.frames,
        kind: match args.kind {
            KindArg::Indoor => Kind::Indoor,
            KindArg::Outdoor => Kind::Outdoor,
            KindArg::Table => Kind::Table,
            KindArg::Dining => Kind::Dining,
            KindArg::Mix => Kind::Mix,
        },
        quality: match args.quality {
            QualityArg::Fast => Quality::Fast,
            QualityArg::Full => Quality::Full,
        },
        portrait: args.portrait,
        moving: args.moving,
    }
}

/// Generates scenes, or times their generation.
pub(super) fn execute(args: Args) -> Outcome {
    let settings = settings(&args);
    settings.validate()?;
    if args.scenes == 0 {
        return Err(SynthError::NoScenes.into());
    }
    if args.threads == Some(0) {
        return Err(SynthError::NoThreads.into());
    }
    let threads = args.threads.unwrap_or_else(|| std::thread::available_parallelism().map_or(1, usize::from));
    if args.bench {
        return bench(&args, threads);
    }
    match args.output.as_deref() {
        Some(path) if path == Path::new("-") => to_stdout(&args, &settings, threads),
        Some(path) => to_folder(&args, &settings, threads, path),
        None => Ok(true),
    }
}

fn to_stdout(args: &Args, settings: &Settings, threads: usize) -> Outcome {
    let mut out = io::stdout().lock();
    let pack = |_, s| {
        let mut bytes = Vec::new();
        record::write(&mut bytes, &s).map(|()| bytes)
    };
    let send = |_, bytes: io::Result<Vec<u8>>| bytes.and_then(|b| out.write_all(&b));
    let sent =
        synth::generate(settings, args.seed, args.first, args.scenes, threads, pack, send).and_then(|()| out.flush());
    match sent {
        // The reader has had enough: the normal end of an endless stream.
        Err(e) if e.kind() == io::ErrorKind::BrokenPipe => Ok(true),
        Err(source) => Err(SynthError::Write { path: "standard output".into(), source }.into()),
        Ok(()) => Ok(true),
    }
}

fn to_folder(args: &Args, settings: &Settings, threads: usize, path: &Path) -> Outcome {
    let failed = |path: &Path| {
        let path = path.to_path_buf();
        move |source| SynthError::Write { path, source }
    };
    std::fs::create_dir_all(path).map_err(failed(path))?;
    let color = if args.color == ColorArg::Png { ColorFile::Png } else { ColorFile::Jpeg };
    let bar = ProgressBar::new(args.scenes);
    if let Ok(style) = ProgressStyle::with_template("{bar:40} {pos}/{len} scenes, {eta} left") {
        bar.set_style(style);
    }
    let start = Instant::now();
    let write = |index: u64, s: synth::Sequence| {
        let name = format!("scene-{index:06}");
        if args.format == Format::Records {
            let file = path.join(name + ".p3rw");
            let write = || {
                let mut out = BufWriter::new(std::fs::File::create(&file)?);
                record::write(&mut out, &s)?;
                out.flush()
            };
            write().map_err(failed(&file))
        } else {
            let dir = path.join(name);
            folder::write(&dir, &s, color).map_err(failed(&dir))
        }
    };
    let count = |_, written: Result<(), SynthError>| {
        bar.inc(1);
        written
    };
    synth::generate(settings, args.seed, args.first, args.scenes, threads, write, count)?;
    bar.finish_and_clear();
    let frames = args.scenes * settings.frames as u64;
    let seconds = start.elapsed().as_secs_f64();
    eprintln!("{frames} frames of {} scenes in {seconds:.1} s: {}", args.scenes, path.display());
    Ok(true)
}

/// One timed setting.
#[derive(Debug, Serialize)]
struct Timing {
    size: String,
    quality: &'static str,
    threads: usize,
    frames: usize,
    seconds: f64,
    frames_per_second: f64,
    /// Per second of processor time, which other programs on the machine disturb less; absent where unknown.
    frames_per_core_second: Option<f64>,
}

/// Processor seconds of this process so far, where the system tells.
fn processor_seconds() -> Option<f64> {
    // Fields 14 and 15 of the process status, in hundredths of a second on Linux.
    let status = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = status.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks: u64 = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(ticks as f64 / 100.0)
}

fn bench(args: &Args, threads: usize) -> Outcome {
    let mut timings = Vec::new();
    for (width, height) in [(128, 96), (224, 224)] {
        for quality in [Quality::Fast, Quality::Full] {
            let settings = Settings { width, height, quality, ..settings(args) };
            let scenes = if quality == Quality::Fast { 12 } else { 6 }.max(threads as u64);
            std::hint::black_box(synth::render(&Settings { frames: 2, ..settings.clone() }, scene_seed(args.seed, 0)));
            let (start, before) = (Instant::now(), processor_seconds());
            let mut frames = 0;
            let count = |_, n: usize| -> Result<(), std::convert::Infallible> {
                frames += n;
                Ok(())
            };
            synth::generate(&settings, args.seed, 0, scenes, threads, |_, s| s.frames.len(), count)?;
            let seconds = start.elapsed().as_secs_f64();
            let busy = processor_seconds().zip(before).map(|(a, b)| a - b).filter(|s| *s > 0.0);
            timings.push(Timing {
                size: format!("{width}x{height}"),
                quality: if quality == Quality::Fast { "fast" } else { "full" },
                threads,
                frames,
                seconds,
                frames_per_second: frames as f64 / seconds,
                frames_per_core_second: busy.map(|s| frames as f64 / s),
            });
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&timings)?);
        return Ok(true);
    }
    println!(
        "{:<10} {:<6} {:>8} {:>8} {:>10} {:>18}",
        "size", "", "threads", "frames", "frames/s", "frames/core-second"
    );
    for t in &timings {
        let core = t.frames_per_core_second.map_or("-".to_owned(), |f| format!("{f:.1}"));
        println!(
            "{:<10} {:<6} {:>8} {:>8} {:>10.1} {core:>18}",
            t.size, t.quality, t.threads, t.frames, t.frames_per_second
        );
    }
    Ok(true)
}

//! `point3r synth`: synthetic posed RGB-D worlds, as folders or as a stream of packed records.

mod bench;

use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};
use std::time::Instant;

use indicatif::{ProgressBar, ProgressStyle};

use super::Outcome;
use crate::synth::folder::ColorFile;
use crate::synth::gpu::{CastError, RayCaster};
use crate::synth::{self, Kind, Quality, Sequence, Settings, folder, record, scene_seed};

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
    /// Rendering threads (all processors by default; with a GPU a few more, which wait for it).
    #[arg(long)]
    threads: Option<usize>,
    /// What casts the rays. Only the processor gives the same bytes on every machine.
    #[arg(long, value_enum, default_value = "cpu")]
    device: DeviceArg,
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
enum DeviceArg {
    /// The processor.
    Cpu,
    /// The graphics card, even a software one; an error where there is none.
    Gpu,
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
    #[error(transparent)]
    Cast(#[from] CastError),
}

/// What renders scenes.
enum Caster {
    Cpu,
    Gpu(Box<RayCaster>),
}

impl Caster {
    fn open(device: DeviceArg) -> Result<Self, CastError> {
        Ok(match device {
            DeviceArg::Cpu => Self::Cpu,
            DeviceArg::Gpu => Self::Gpu(Box::new(RayCaster::open()?)),
        })
    }

    fn render(&self, settings: &Settings, seed: u64) -> Result<Sequence, CastError> {
        match self {
            Self::Cpu => Ok(synth::render(settings, seed)),
            Self::Gpu(caster) => caster.render(settings, seed),
        }
    }

    fn name(&self) -> String {
        match self {
            Self::Cpu => "processor".to_owned(),
            Self::Gpu(caster) => caster.name(),
        }
    }

    /// Enough to time; a graphics card is done with few before its clock is up.
    fn bench_scenes(&self, quality: Quality) -> u64 {
        let few = if quality == Quality::Fast { 12 } else { 6 };
        match self {
            Self::Gpu(caster) if !caster.is_software() => 32 * few,
            _ => few,
        }
    }

    /// All processors; with a GPU also those threads that wait for it.
    fn threads(&self) -> usize {
        let processors = std::thread::available_parallelism().map_or(1, usize::from);
        match self {
            Self::Cpu => processors,
            Self::Gpu(_) => processors + RayCaster::AT_ONCE,
        }
    }
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
    let caster = Caster::open(args.device)?;
    let threads = args.threads.unwrap_or_else(|| caster.threads());
    if args.bench {
        return bench::bench(&args, &caster, threads);
    }
    match args.output.as_deref() {
        Some(path) if path == Path::new("-") => to_stdout(&args, &settings, &caster, threads),
        Some(path) => to_folder(&args, &settings, &caster, threads, path),
        None => Ok(true),
    }
}

/// Renders the scenes of a run, hands each to `finish` on its own thread, and what comes of it to `take`, in order.
fn generate<T: Send>(
    args: &Args,
    settings: &Settings,
    caster: &Caster,
    threads: usize,
    finish: impl Fn(u64, &Sequence) -> Result<T, SynthError> + Sync,
    mut take: impl FnMut(T) -> Result<(), SynthError>,
) -> Result<(), SynthError> {
    let make = |index| finish(index, &caster.render(settings, scene_seed(args.seed, index))?);
    synth::in_order(args.first, args.scenes, threads, make, |_, made: Result<T, SynthError>| take(made?))
}

fn to_stdout(args: &Args, settings: &Settings, caster: &Caster, threads: usize) -> Outcome {
    let mut out = io::stdout().lock();
    let failed = |source| SynthError::Write { path: "standard output".into(), source };
    let pack = |_, s: &Sequence| {
        let mut bytes = Vec::new();
        record::write(&mut bytes, s).map(|()| bytes).map_err(failed)
    };
    let sent = generate(args, settings, caster, threads, pack, |bytes| out.write_all(&bytes).map_err(failed));
    match sent.and_then(|()| out.flush().map_err(failed)) {
        // The reader has had enough: the normal end of an endless stream.
        Err(SynthError::Write { source, .. }) if source.kind() == io::ErrorKind::BrokenPipe => Ok(true),
        Err(error) => Err(error.into()),
        Ok(()) => Ok(true),
    }
}

fn to_folder(args: &Args, settings: &Settings, caster: &Caster, threads: usize, path: &Path) -> Outcome {
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
    let write = |index: u64, s: &Sequence| {
        let name = format!("scene-{index:06}");
        if args.format == Format::Records {
            let file = path.join(name + ".p3rw");
            let write = || {
                let mut out = BufWriter::new(std::fs::File::create(&file)?);
                record::write(&mut out, s)?;
                out.flush()
            };
            write().map_err(failed(&file))
        } else {
            let dir = path.join(name);
            folder::write(&dir, s, color).map_err(failed(&dir))
        }
    };
    let count = |()| {
        bar.inc(1);
        Ok(())
    };
    generate(args, settings, caster, threads, write, count)?;
    bar.finish_and_clear();
    let frames = args.scenes * settings.frames as u64;
    let seconds = start.elapsed().as_secs_f64();
    eprintln!("{frames} frames of {} scenes in {seconds:.1} s: {}", args.scenes, path.display());
    Ok(true)
}

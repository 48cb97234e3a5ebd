//! `point3r eval`: predictions of our own run, or of a folder, scored against a data set beside trivial baselines.

use std::path::PathBuf;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use super::{Outcome, run::model};
use crate::{
    device::DeviceChoice,
    eval::{
        EvalError,
        layout::{DepthFile, Layout, Sequence},
        predict::{Folder, FramePrediction, Predictor, Wanted},
        report::{Report, overall},
        resample::{Map, Placement},
        tasks::{Options, Task, evaluate},
        truth::TrueFrame,
    },
    export::generator,
    frames::{Frame, read_image},
    pace::Pace,
    session::{Session, SessionError, SessionOptions, SessionState},
};

/// Arguments of `point3r eval`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// What to evaluate.
    #[arg(value_enum)]
    task: Task,
    /// Data set, scene or sequence.
    #[arg(long, value_name = "DIR")]
    data: PathBuf,
    /// How the data is laid out.
    #[arg(long, value_enum, default_value = "posed-rgbd")]
    layout: Layout,
    /// Predictions as `point3r run` writes them (one folder per sequence, of its name, if there are several).
    #[arg(long, value_name = "DIR", conflicts_with_all = ["model", "device", "size"])]
    pred: Option<PathBuf>,
    /// Model folder for predictions of our own; without it, the default model of this copy.
    #[arg(long, value_name = "DIR")]
    model: Option<PathBuf>,
    /// Where to compute.
    #[arg(long, value_name = "auto|cpu|gpu", default_value = "auto")]
    device: DeviceChoice,
    /// Network input size: 224 (centre square), or the length of the long side.
    #[arg(long)]
    size: Option<usize>,
    /// At most so many frames of each sequence.
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    frames: Option<u32>,
    /// Use every N-th frame (default: 1; reconstruction of 7scenes 200, of nrgbd 500).
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u32).range(1..))]
    stride: Option<u32>,
    /// Leave frames with missing depth, unusable poses or other sizes out and count them, instead of stopping.
    #[arg(long)]
    skip_bad: bool,
    /// A depth map (16-bit PNG, mm) as a further baseline: the mean map of the training data.
    #[arg(long, value_name = "PNG")]
    mean_map: Option<PathBuf>,
    /// Write plots (SVG) of the camera path and of the depth error here.
    #[arg(long, value_name = "DIR")]
    plots: Option<PathBuf>,
    /// Print one JSON object instead of tables.
    #[arg(long)]
    json: bool,
}

/// Runs the evaluation.
pub(super) fn execute(args: Args) -> Outcome {
    let mean_map = args.mean_map.map(|path| DepthFile::millimetres(path).read()).transpose()?;
    let options = Options {
        stride: args.stride.map(|n| n as usize),
        frames: args.frames.map(|n| n as usize),
        skip_bad: args.skip_bad,
        mean_map,
        plots: args.plots,
    };
    // Before a model is loaded: is there anything to evaluate it on?
    args.layout.sequences(&args.data)?;
    let (mut predictor, predictions, trained): (Box<dyn Predictor>, _, _) = match args.pred {
        Some(folder) => {
            let name = format!("folder {}", folder.display());
            (Box::new(Folder::new(folder)), name, None)
        }
        None => {
            let loaded = model::load(args.model.as_deref(), args.device)?;
            if let Some(warning) = &loaded.warning {
                eprintln!("warning: {warning}");
            }
            let note = if loaded.about.trained { "" } else { " (UNTRAINED: the numbers mean nothing)" };
            let name = format!("model {}{note}", loaded.about.name);
            (Box::new(Own::new(loaded.model, args.size)), name, Some(loaded.about.trained))
        }
    };
    let bar = ProgressBar::new(0);
    if let Ok(style) = ProgressStyle::with_template("{bar:30} {pos}/{len} frames  {per_sec}  ETA {eta}  {msg}") {
        bar.set_style(style);
    }
    if args.json {
        bar.set_draw_target(ProgressDrawTarget::hidden());
    }
    let mut progress = |sequence: &str, done: usize, all: usize| {
        bar.set_length(all as u64);
        bar.set_position(done as u64);
        let rest = if done == all { ", comparing" } else { "" };
        bar.set_message(format!("{sequence}{rest}"));
    };
    let sequences = evaluate(args.task, args.layout, &args.data, predictor.as_mut(), &options, &mut progress)?;
    bar.finish_and_clear();
    let report = Report {
        generator: generator(),
        task: args.task.name(),
        layout: args.layout.name(),
        data: args.data.display().to_string(),
        predictions,
        trained,
        weighting: args.task.weighting(),
        overall: overall(&sequences),
        sequences,
    };
    if args.json {
        println!("{}", serde_json::to_string(&report)?);
    } else {
        print!("{}", report.markdown());
    }
    Ok(true)
}

/// Predictions of our own network, through the same session as `point3r run`.
struct Own {
    session: Session,
    size: Option<usize>,
    wanted: Option<Wanted>,
}

impl Own {
    fn new(model: crate::model::Point3r, size: Option<usize>) -> Self {
        let mut session = Session::new();
        session.load(model);
        Self { session, size, wanted: None }
    }

    fn start(&mut self, crop: bool) -> Result<(), SessionError> {
        self.session.reset();
        // The maps are what is evaluated: no points are kept.
        self.session.start(SessionOptions { size: self.size, crop, budget: Some(0), ..SessionOptions::default() })
    }
}

impl Predictor for Own {
    fn begin(&mut self, sequence: &Sequence, _: bool, wanted: Wanted) -> Result<(), EvalError> {
        self.wanted = Some(wanted);
        let place = sequence.frames.first().map(|frame| frame.color.clone()).unwrap_or_default();
        self.start(wanted.crop).map_err(|e| EvalError::Prediction { frame: place, fatal: true, source: e.into() })
    }

    fn predict(&mut self, frame: &TrueFrame) -> Result<FramePrediction, EvalError> {
        let files = &frame.files;
        let image = read_image(&files.color)?;
        let wrong = |fatal| {
            move |e: SessionError| EvalError::Prediction { frame: files.color.clone(), fatal, source: e.into() }
        };
        if let Some(Wanted { independent: true, crop, .. }) = self.wanted {
            self.start(crop).map_err(wrong(true))?;
        }
        let photograph = Frame { index: files.index, time: files.time, image };
        let pushed = pollster::block_on(self.session.push(&photograph, &Pace::none()));
        let result = pushed.map_err(|e| wrong(self.session.state() != SessionState::Running)(e))?;
        let maps = &result.maps;
        let size = (maps.width, maps.height);
        let points = self
            .wanted
            .is_some_and(|wanted| wanted.points)
            .then(|| maps.points_world().chunks_exact(3).filter_map(|p| <[f32; 3]>::try_from(p).ok()).collect());
        Ok(FramePrediction {
            depth: Map::new(size.0, size.1, maps.depth().collect()),
            points,
            size,
            pose: self.session.trajectory().last().map(|(_, pose)| (*pose).into()),
            placement: Placement { scale: result.prepared.scale, offset: result.prepared.offset },
        })
    }
}

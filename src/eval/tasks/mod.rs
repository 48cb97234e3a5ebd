//! The evaluation tasks: from a data folder and predictions to rows of metrics beside trivial baselines.

mod baseline;
mod depth;
mod pose;
mod reconstruction;
mod video_depth;

use std::path::{Path, PathBuf};

use super::{
    EvalError,
    depth::{DepthLimits, DepthMetrics, Pair},
    layout::{Layout, Sequence},
    plot::Plot,
    predict::{FramePrediction, Predictor, Wanted},
    report::{Metrics, SequenceReport},
    resample::{Map, to_ground_truth},
    truth::{Needs, Selection, TrueFrame},
};

/// What is evaluated.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Task {
    /// Depth of single images, each scaled to the true median.
    Depth,
    /// Depth of whole sequences under three alignments.
    VideoDepth,
    /// Camera path: ATE, RPE, errors against frame 0.
    Pose,
    /// Points of several views: accuracy, completeness, normal consistency.
    Reconstruction,
}

impl Task {
    /// The task's name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::Depth => "depth",
            Self::VideoDepth => "video-depth",
            Self::Pose => "pose",
            Self::Reconstruction => "reconstruction",
        }
    }

    /// What the protocol asks of the network. The pose task also looks at depth, for the scale of un-aligned errors.
    #[must_use]
    pub fn wanted(self) -> Wanted {
        Wanted {
            crop: matches!(self, Self::Pose | Self::Reconstruction),
            independent: self == Self::Depth,
            depth: matches!(self, Self::Depth | Self::VideoDepth),
            pose: self == Self::Pose,
            points: self == Self::Reconstruction,
        }
    }

    fn needs(self) -> Needs {
        Needs { depth: self != Self::Pose, pose: matches!(self, Self::Pose | Self::Reconstruction) }
    }

    /// How means over sequences are weighted.
    #[must_use]
    pub fn weighting(self) -> &'static str {
        match self {
            Self::Depth | Self::VideoDepth => "weighted by valid pixels",
            Self::Pose | Self::Reconstruction => "unweighted over sequences",
        }
    }

    /// The protocol's stride for a sequence of `frames` frames.
    fn stride(self, layout: Layout, frames: usize) -> usize {
        match (self, layout) {
            (Self::Reconstruction, Layout::SevenScenes) => 200,
            (Self::Reconstruction, Layout::Nrgbd) => 500.min(frames / 2).max(1),
            _ => 1,
        }
    }
}

/// How an evaluation is made.
#[derive(Debug, Clone, Default)]
pub struct Options {
    /// Every so-manieth frame; the protocol's stride where absent.
    pub stride: Option<usize>,
    /// At most so many frames of each sequence.
    pub frames: Option<usize>,
    /// Leave unusable frames out and count them.
    pub skip_bad: bool,
    /// A depth map that knows nothing of the images, as a further baseline (the mean of the training data).
    pub mean_map: Option<Map>,
    /// Where plots go.
    pub plots: Option<PathBuf>,
}

/// Told of every frame that was predicted: sequence, frames done, frames in all.
pub type Progress<'a> = dyn FnMut(&str, usize, usize) + 'a;

/// One sequence at work.
struct Work<'a> {
    sequence: &'a Sequence,
    frames: Vec<TrueFrame>,
    skipped: Vec<String>,
    options: &'a Options,
    predictor: &'a mut dyn Predictor,
    progress: &'a mut Progress<'a>,
    plots: Vec<(&'static str, Plot)>,
}

impl Work<'_> {
    /// The prediction of a frame; nothing if it failed and such frames are skipped.
    fn predict(&mut self, number: usize, frame: &TrueFrame) -> Result<Option<FramePrediction>, EvalError> {
        let prediction = self.predictor.predict(frame);
        (self.progress)(&self.sequence.name, number + 1, self.frames.len());
        match prediction {
            Ok(prediction) => Ok(Some(prediction)),
            Err(error) if self.options.skip_bad && error.is_of_one_frame() => {
                self.skipped.push(error.to_string());
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    /// An error for when too little is left.
    fn nothing(&self, reason: &str) -> EvalError {
        let first = self.skipped.first().map(|s| format!("; the first problem: {s}")).unwrap_or_default();
        EvalError::Nothing { sequence: self.sequence.name.clone(), reason: format!("{reason}{first}") }
    }
}

/// Evaluates every sequence under `root`.
///
/// # Errors
/// When data or predictions are missing or unusable (see [`EvalError`]), or plots cannot be written.
pub fn evaluate(
    task: Task,
    layout: Layout,
    root: &Path,
    predictor: &mut dyn Predictor,
    options: &Options,
    progress: &mut Progress<'_>,
) -> Result<Vec<SequenceReport>, EvalError> {
    let mut sequences = layout.sequences(root)?;
    // The full set of a layout with a list is scored as it is for depth; a partial one on the list only.
    let partial = layout == Layout::Sintel && sequences.iter().map(|s| s.frames.len()).sum::<usize>() <= 643;
    let by_list = task == Task::Pose || (task == Task::VideoDepth && partial);
    if by_list && sequences.iter().any(|s| s.pose_list) {
        sequences.retain(|sequence| sequence.pose_list);
    }
    let single = sequences.len() == 1;
    let mut reports = Vec::new();
    for sequence in &sequences {
        let stride = options.stride.unwrap_or_else(|| task.stride(layout, sequence.frames.len()));
        let selection = Selection { stride, frames: options.frames, skip_bad: options.skip_bad };
        check(task, sequence)?;
        let mut seen = baseline::Seen::new(sequence.limits);
        let chosen = super::truth::choose(sequence, &selection, task.needs(), |depth| seen.add(depth))?;
        predictor.begin(sequence, single, task.wanted())?;
        let mut work = Work {
            sequence,
            frames: chosen.frames,
            skipped: chosen.skipped,
            options,
            predictor: &mut *predictor,
            progress: &mut *progress,
            plots: Vec::new(),
        };
        let rows = match task {
            Task::Depth => depth::rows(&mut work, &seen)?,
            Task::VideoDepth => video_depth::rows(&mut work, &seen)?,
            Task::Pose => pose::rows(&mut work)?,
            Task::Reconstruction => reconstruction::rows(&mut work)?,
        };
        if let Some(folder) = &options.plots {
            for (name, plot) in &work.plots {
                write_plot(folder, &sequence.name, name, plot)?;
            }
        }
        reports.push(SequenceReport {
            sequence: sequence.name.clone(),
            frames: work.frames.len(),
            skipped: work.skipped,
            notes: sequence.notes.clone(),
            rows,
        });
    }
    Ok(reports)
}

/// Refuses data that cannot serve the task, before time is spent on it.
fn check(task: Task, sequence: &Sequence) -> Result<(), EvalError> {
    let needs = task.needs();
    let lacks = |what, hint| Err(EvalError::Lacks { sequence: sequence.name.clone(), what, task: task.name(), hint });
    if needs.depth && sequence.frames.iter().all(|frame| frame.depth.is_none()) {
        return lacks("depth", "complete the data set, or evaluate pose");
    }
    if needs.pose && !sequence.frames.iter().any(super::layout::FrameFiles::has_pose) {
        return lacks("poses", "complete the data set, or evaluate depth");
    }
    if task == Task::Reconstruction && sequence.camera.is_none() {
        return lacks("camera intrinsics", "put the 3x3 camera matrix into intrinsics.txt beside the pictures' folder");
    }
    Ok(())
}

fn write_plot(folder: &Path, sequence: &str, name: &str, plot: &Plot) -> Result<(), EvalError> {
    let file: String =
        sequence.chars().map(|c| if c.is_alphanumeric() || "-_.".contains(c) { c } else { '_' }).collect();
    let path = folder.join(format!("{file}-{name}.svg"));
    let wrong = |e: std::io::Error| EvalError::Write { path: path.clone(), reason: e.to_string() };
    std::fs::create_dir_all(folder).map_err(wrong)?;
    std::fs::write(&path, plot.svg()).map_err(wrong)
}

/// The pairs of a frame where the truth counts and there is a prediction, and how many have none.
fn pairs(predicted: &Map, truth: &Map, limits: &DepthLimits) -> (Vec<Pair>, usize) {
    let mut missing = 0;
    let mut pairs = Vec::with_capacity(truth.values.len());
    for (&p, &g) in predicted.values.iter().zip(&truth.values) {
        if limits.counts(g) {
            if p.is_finite() {
                pairs.push((p, g));
            } else {
                missing += 1;
            }
        }
    }
    (pairs, missing)
}

/// A frame's predicted depth at the size of its true depth.
fn depth_at_truth(prediction: &FramePrediction, frame: &TrueFrame, truth: &Map) -> Option<Map> {
    let size = (truth.width, truth.height);
    Some(to_ground_truth(prediction.depth.as_ref()?, &prediction.placement, frame.photograph, size))
}

/// The columns of a depth table.
fn depth_columns(m: &DepthMetrics) -> Metrics {
    let [d1, d2, d3] = m.delta;
    Metrics(vec![
        ("AbsRel", m.abs_rel),
        ("SqRel", m.sq_rel),
        ("RMSE", m.rmse),
        ("logRMSE", m.log_rmse),
        ("d<1.25", d1),
        ("d<1.25^2", d2),
        ("d<1.25^3", d3),
    ])
}

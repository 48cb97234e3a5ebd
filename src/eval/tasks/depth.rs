//! Single image depth: every image a sequence of its own, scaled to its true median.

use super::{EvalError, Work, baseline, depth_at_truth, depth_columns, pairs};
use crate::eval::{
    depth::{Alignment, Pair, metrics},
    plot::{Line, Plot},
    report::{Kind, Metrics, Row},
    resample::Map,
};

/// Weighted sums of one row, and its AbsRel by frame.
struct Mean {
    name: &'static str,
    kind: Kind,
    sums: Vec<(&'static str, f64)>,
    weight: f64,
    by_frame: Vec<[f64; 2]>,
}

impl Mean {
    fn new(name: &'static str, kind: Kind) -> Self {
        Self { name, kind, sums: Vec::new(), weight: 0.0, by_frame: Vec::new() }
    }

    fn add(&mut self, frame: f64, columns: &Metrics, weight: f64) {
        if self.sums.is_empty() {
            self.sums = columns.0.iter().map(|(name, _)| (*name, 0.0)).collect();
        }
        for ((_, sum), (_, value)) in self.sums.iter_mut().zip(&columns.0) {
            *sum += value * weight;
        }
        self.weight += weight;
        self.by_frame.push([frame, columns.get("AbsRel").unwrap_or(f64::NAN)]);
    }

    fn row(&self) -> Row {
        let metrics = Metrics(self.sums.iter().map(|(name, sum)| (*name, sum / self.weight)).collect());
        Row { name: self.name.to_owned(), kind: self.kind, metrics, weight: self.weight }
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of pixels")]
pub(super) fn rows(work: &mut Work<'_>, seen: &baseline::Seen) -> Result<Vec<Row>, EvalError> {
    let limits = work.sequence.limits;
    let mut means = [
        Mean::new("prediction", Kind::Prediction),
        Mean::new("constant per image", Kind::Baseline),
        Mean::new("constant per sequence", Kind::Baseline),
        Mean::new("mean map of the other frames", Kind::Baseline),
        Mean::new("given mean map", Kind::Baseline),
    ];
    let middle = seen.median();
    for (number, frame) in work.frames.clone().iter().enumerate() {
        let truth = frame.depth()?;
        let Some(prediction) = work.predict(number, frame)? else { continue };
        let Some(depth) = depth_at_truth(&prediction, frame, &truth) else { continue };
        let constant =
            |value: f32| Map { width: truth.width, height: truth.height, values: vec![value; truth.values.len()] };
        let [predicted, per_image, per_sequence, mean, given] = &mut means;
        let place = frame.files.index as f64;
        let (found, missing) = pairs(&depth, &truth, &limits);
        let counted = (found.len() + missing) as f64;
        if counted == 0.0 {
            work.skipped.push(format!("{}: no depth that counts", frame.files.color.display()));
            continue;
        }
        let aligned = |pairs: &[Pair], alignment: Option<Alignment>| {
            alignment.and_then(|alignment| metrics(pairs, alignment, &limits)).map(|m| depth_columns(&m))
        };
        // Image by image the weight is what counts, so that a prediction with holes weighs as much as its baselines.
        // A median behind the camera has no scale: such an image is scored as it is.
        match aligned(&found, Alignment::median(&found).or(Some(Alignment::METRIC))) {
            Some(mut columns) => {
                columns.0.push(("covered", found.len() as f64 / counted));
                predicted.add(place, &columns, counted);
            }
            None => {
                let error = EvalError::Content {
                    path: frame.files.color.clone(),
                    problem: "nothing is predicted where the true depth counts".to_owned(),
                    hint: "check the prediction, or skip such frames with --skip-bad",
                };
                if !work.options.skip_bad {
                    return Err(error);
                }
                work.skipped.push(error.to_string());
                continue;
            }
        }
        let beside = |row: &mut Mean, map: &Map, scaled: bool| {
            let (pairs, _) = pairs(map, &truth, &limits);
            let alignment = if scaled { Alignment::median(&pairs) } else { Some(Alignment::METRIC) };
            if let Some(columns) = aligned(&pairs, alignment) {
                row.add(place, &columns, counted);
            }
        };
        beside(per_image, &constant(1.0), true);
        if let Some(value) = middle {
            beside(per_sequence, &constant(value), false);
        }
        if let Some(map) = seen.mean_of_others(&truth) {
            beside(mean, &map, true);
        }
        if let Some(map) = &work.options.mean_map {
            beside(given, &baseline::given(map, &truth), true);
        }
    }
    if means.first().is_none_or(|mean| mean.weight == 0.0) {
        return Err(work.nothing("no frame has depth that counts and a prediction"));
    }
    let lines = means.iter().filter(|mean| mean.weight > 0.0);
    let lines = lines.map(|mean| Line { name: mean.name.to_owned(), points: mean.by_frame.clone() }).collect();
    work.plots.push(("depth-error", error_plot(&work.sequence.name, "AbsRel, scaled per image", lines)));
    Ok(means.iter().filter(|mean| mean.weight > 0.0).map(Mean::row).collect())
}

/// Error against frame index.
pub(super) fn error_plot(sequence: &str, measure: &str, lines: Vec<Line>) -> Plot {
    let axes = ["frame".to_owned(), measure.to_owned()];
    Plot { title: format!("Depth error, {sequence}"), axes, equal: false, lines }
}

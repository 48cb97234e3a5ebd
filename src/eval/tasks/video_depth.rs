//! Video depth: a sequence streamed as a whole, one alignment for all its frames.

use super::{EvalError, Work, baseline, depth::error_plot, depth_at_truth, depth_columns, pairs};
use crate::eval::{
    depth::{Alignment, DepthLimits, Pair, metrics},
    plot::Line,
    report::{Kind, Row},
    resample::Map,
};

/// All pairs of a sequence, and where each frame ends among them.
#[derive(Default)]
struct Pool {
    pairs: Vec<Pair>,
    frames: Vec<(usize, usize)>,
}

impl Pool {
    fn add(&mut self, index: usize, pairs: Vec<Pair>) {
        self.pairs.extend(pairs);
        self.frames.push((index, self.pairs.len()));
    }

    #[expect(clippy::cast_precision_loss, reason = "counts of pixels")]
    fn row(&self, name: &str, kind: Kind, alignment: Option<Alignment>, limits: &DepthLimits) -> Option<Row> {
        let found = metrics(&self.pairs, alignment?, limits)?;
        Some(Row { name: name.to_owned(), kind, metrics: depth_columns(&found), weight: found.pixels as f64 })
    }

    /// AbsRel by frame under one alignment of the sequence.
    #[expect(clippy::cast_precision_loss, reason = "indices")]
    fn line(&self, name: &str, alignment: Option<Alignment>, limits: &DepthLimits) -> Option<Line> {
        let alignment = alignment?;
        let mut from = 0;
        let mut points = Vec::new();
        for &(index, to) in &self.frames {
            let part = self.pairs.get(from..to).unwrap_or_default();
            points.push([index as f64, metrics(part, alignment, limits).map_or(f64::NAN, |m| m.abs_rel)]);
            from = to;
        }
        Some(Line { name: name.to_owned(), points })
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of pixels")]
pub(super) fn rows(work: &mut Work<'_>, seen: &baseline::Seen) -> Result<Vec<Row>, EvalError> {
    let limits = work.sequence.limits;
    let (mut predicted, mut mean, mut given) = (Pool::default(), Pool::default(), Pool::default());
    let (mut per_image, mut per_sequence) = (Pool::default(), Pool::default());
    let (mut missing, mut frames_left) = (0, 0);
    for (number, frame) in work.frames.clone().iter().enumerate() {
        let truth = frame.depth()?;
        let Some(prediction) = work.predict(number, frame)? else { continue };
        let Some(depth) = depth_at_truth(&prediction, frame, &truth) else { continue };
        let index = frame.files.index;
        let (found, absent) = pairs(&depth, &truth, &limits);
        missing += absent;
        frames_left += 1;
        predicted.add(index, found);
        let constant = |value: f32| {
            let map = Map { width: truth.width, height: truth.height, values: vec![value; truth.values.len()] };
            pairs(&map, &truth, &limits).0
        };
        let ones = constant(1.0);
        if let Some(Alignment { scale, .. }) = Alignment::median(&ones) {
            #[expect(clippy::cast_possible_truncation, reason = "a depth")]
            per_image.add(index, constant(scale as f32));
        }
        if let Some(value) = seen.median() {
            per_sequence.add(index, constant(value));
        }
        if let Some(map) = seen.mean_of_others(&truth) {
            mean.add(index, pairs(&map, &truth, &limits).0);
        }
        if let Some(map) = &work.options.mean_map {
            given.add(index, pairs(&baseline::given(map, &truth), &truth, &limits).0);
        }
    }
    if frames_left == 0 || predicted.pairs.is_empty() {
        return Err(work.nothing("no pixel has both a true depth that counts and a prediction"));
    }
    let covered = predicted.pairs.len() as f64 / (predicted.pairs.len() + missing) as f64;
    let mut rows = Vec::new();
    let both = Alignment::scale_and_shift(&predicted.pairs);
    let scale = Alignment::scale(&predicted.pairs);
    for (name, alignment) in [
        ("prediction, scale and shift", both),
        ("prediction, scale", scale),
        ("prediction, metric", Some(Alignment::METRIC)),
    ] {
        if let Some(mut row) = predicted.row(name, Kind::Prediction, alignment, &limits) {
            row.metrics.0.push(("covered", covered));
            rows.push(row);
        }
    }
    let metric = Some(Alignment::METRIC);
    rows.extend(per_image.row("constant per image (true median)", Kind::Baseline, metric, &limits));
    rows.extend(per_sequence.row("constant per sequence (true median)", Kind::Baseline, metric, &limits));
    for (name, pool) in [("mean map of the other frames", &mean), ("given mean map", &given)] {
        for (how, alignment) in [
            ("scale and shift", Alignment::scale_and_shift(&pool.pairs)),
            ("scale", Alignment::scale(&pool.pairs)),
            ("metric", metric),
        ] {
            rows.extend(pool.row(&format!("{name}, {how}"), Kind::Baseline, alignment, &limits));
        }
    }
    let lines = [
        predicted.line("prediction, scale", scale, &limits),
        per_image.line("constant per image", metric, &limits),
        per_sequence.line("constant per sequence", metric, &limits),
        mean.line("mean map of the other frames", Alignment::scale(&mean.pairs), &limits),
    ];
    let lines = lines.into_iter().flatten().filter(|line| !line.points.is_empty()).collect();
    work.plots.push(("video-depth-error", error_plot(&work.sequence.name, "AbsRel, one alignment", lines)));
    Ok(rows)
}

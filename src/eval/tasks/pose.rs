//! Relative pose: the camera path of a sequence beside a camera that stands still.

use super::{EvalError, Work, depth_at_truth};
use crate::{
    eval::{
        plot::{Line, Plot},
        predict::FramePrediction,
        report::{Kind, Metrics, Row},
        trajectory::{CameraPose, PoseMetrics, align, metrics},
        truth::TrueFrame,
    },
    geometry::median,
};

/// Every so-manieth pixel takes part in the ratio of depths.
const RATIO_STEP: usize = 7;

pub(super) fn rows(work: &mut Work<'_>) -> Result<Vec<Row>, EvalError> {
    let (mut predicted, mut truth) = (Vec::new(), Vec::new());
    let mut ratios = Some(Vec::new());
    for (number, frame) in work.frames.clone().iter().enumerate() {
        let Some(prediction) = work.predict(number, frame)? else { continue };
        let (Some(pose), Some(true_pose)) = (prediction.pose, frame.pose) else { continue };
        predicted.push(pose);
        truth.push(true_pose);
        match (&mut ratios, depth_ratios(&prediction, frame)) {
            (Some(all), Some(found)) => all.extend(found),
            _ => ratios = None,
        }
    }
    if truth.len() < 2 {
        return Err(work.nothing("a path needs two frames with true and predicted pose"));
    }
    let depth_scale = ratios.and_then(median);
    let still = vec![CameraPose::IDENTITY; truth.len()];
    let row = |name: &str, kind, path: &[CameraPose]| {
        let found = metrics(path, &truth, 1.0)?;
        let scaled = depth_scale.and_then(|scale| metrics(path, &truth, scale));
        Some(Row { name: name.to_owned(), kind, metrics: columns(&found, depth_scale.is_some(), scaled), weight: 1.0 })
    };
    let rows: Vec<Row> =
        [row("prediction", Kind::Prediction, &predicted), row("no motion (static camera)", Kind::Baseline, &still)]
            .into_iter()
            .flatten()
            .collect();
    let plot = top_view(&work.sequence.name, &predicted, &truth);
    work.plots.extend(plot.map(|plot| ("trajectory", plot)));
    Ok(rows)
}

fn columns(found: &PoseMetrics, with_depth: bool, scaled: Option<PoseMetrics>) -> Metrics {
    let mut columns = vec![
        ("ATE m", found.ate),
        ("RPE trans m", found.rpe_translation),
        ("RPE rot deg", found.rpe_rotation),
        ("rot vs frame 0 deg", found.rotation_from_first),
        ("trans vs frame 0 m", found.translation_from_first),
    ];
    if with_depth {
        columns.push(("same, depth-scaled m", scaled.map_or(f64::NAN, |m| m.translation_from_first)));
    }
    Metrics(columns)
}

/// True over predicted depth at some pixels; `None` if either is not there.
fn depth_ratios(prediction: &FramePrediction, frame: &TrueFrame) -> Option<Vec<f64>> {
    let truth = frame.files.depth.as_ref()?.read().ok()?;
    let depth = depth_at_truth(prediction, frame, &truth)?;
    let ratio = |(&p, &g): (&f32, &f32)| (p > 0.0 && g > 0.0).then(|| f64::from(g) / f64::from(p));
    Some(depth.values.iter().zip(&truth.values).step_by(RATIO_STEP).filter_map(ratio).collect())
}

/// The paths seen from above (x to the right, z up) in the first true camera.
fn top_view(sequence: &str, predicted: &[CameraPose], truth: &[CameraPose]) -> Option<Plot> {
    let first = truth.first()?;
    let seen = |path: &[CameraPose], from: &CameraPose| -> Vec<[f64; 2]> {
        path.iter().map(|pose| from.relative(pose).centre).map(|[x, _, z]| [x, z]).collect()
    };
    let line = |name: &str, points| Line { name: name.to_owned(), points };
    let lines = vec![
        line("true path", seen(truth, first)),
        line("prediction, Sim(3)-aligned", seen(&align(predicted, truth)?.1, first)),
        line("prediction as it is", seen(predicted, predicted.first()?)),
    ];
    let axes = ["x (right), m".to_owned(), "z (forward), m".to_owned()];
    Some(Plot { title: format!("Camera path from above, {sequence}"), axes, equal: true, lines })
}

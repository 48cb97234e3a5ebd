//! Multi-view reconstruction beside flat planes at the true median depth and the noise of the truth itself.

use super::{EvalError, Work};
use crate::{
    eval::{
        cloud::{CloudMetrics, compare},
        linear::Vec3,
        reconstruction::{PointPair, evaluate, is_central, true_points},
        report::{Kind, Metrics, Row},
    },
    geometry::median,
};

fn row(name: &str, kind: Kind, found: &CloudMetrics) -> Row {
    let [nc, nc_median] = found.normal_consistency();
    let metrics = vec![
        ("Acc mean m", found.accuracy[0]),
        ("Acc med m", found.accuracy[1]),
        ("Comp mean m", found.completeness[0]),
        ("Comp med m", found.completeness[1]),
        ("NC mean", nc),
        ("NC med", nc_median),
    ];
    Row { name: name.to_owned(), kind, metrics: Metrics(metrics), weight: 1.0 }
}

pub(super) fn rows(work: &mut Work<'_>) -> Result<Vec<Row>, EvalError> {
    let Some(camera) = work.sequence.camera else { return Err(work.nothing("no camera intrinsics")) };
    let Some(first) = work.frames.iter().find_map(|frame| frame.pose) else { return Err(work.nothing("no pose")) };
    let (mut predicted, mut flat) = (Vec::new(), Vec::new());
    let mut planes = Vec::new();
    let mut halves: [Vec<Vec3>; 2] = Default::default();
    let mut used = 0;
    for (number, frame) in work.frames.clone().iter().enumerate() {
        let truth = frame.depth()?;
        let Some(prediction) = work.predict(number, frame)? else { continue };
        let (Some(points), Some(pose)) = (&prediction.points, frame.pose) else { continue };
        let from_first = first.relative(&pose);
        let (size, placement) = (prediction.size, prediction.placement);
        let seen = true_points(&truth, &camera, &from_first, frame.photograph, &placement, size);
        let back = |p: &Vec3| {
            from_first.relative(&crate::eval::trajectory::CameraPose {
                centre: *p,
                ..crate::eval::trajectory::CameraPose::IDENTITY
            })
        };
        let middle = median(seen.iter().flatten().map(|p| back(p).centre[2]));
        for (i, point) in seen.iter().enumerate() {
            let at = placement.in_photograph(i % size.0, i / size.0);
            let plane = middle.map(|z| from_first.to_world(camera.point(at, z)));
            planes.extend(plane);
            let Some(truth) = *point else { continue };
            let central = is_central(i, size);
            if let Some(half) = halves.get_mut(used % 2) {
                half.push(truth);
            }
            flat.extend(plane.map(|predicted| PointPair { predicted, truth, central }));
            let found = points.get(i).map(|p| p.map(f64::from)).filter(|p| p.iter().all(|v| v.is_finite()));
            predicted.extend(found.map(|predicted| PointPair { predicted, truth, central }));
        }
        used += 1;
    }
    let Some(found) = evaluate(&predicted, &first) else {
        return Err(work.nothing("no pixel has both a true depth that counts and a predicted point"));
    };
    let mut rows = vec![row("prediction", Kind::Prediction, &found.metrics)];
    let aligned = evaluate(&flat, &first).map(|f| f.metrics);
    rows.extend(aligned.map(|m| row("flat planes at true median depth and pose", Kind::Baseline, &m)));
    let [even, odd] = &halves;
    let truth: Vec<Vec3> = even.iter().chain(odd).copied().collect();
    let raw = compare(&planes, &truth);
    rows.extend(raw.map(|m| row("the same planes, whole view, not aligned", Kind::Baseline, &m)));
    let floor = compare(even, odd);
    rows.extend(floor.map(|m| row("truth: even against odd frames, whole view", Kind::Reference, &m)));
    Ok(rows)
}

//! What storing weights less precisely costs at the end: the network with and without rounding, on the same frames.

use std::collections::BTreeMap;

use burn::tensor::Device;
use serde::Serialize;

use super::{Reference, References, VerifyError, VerifyFiles, produce, read_images};
use crate::model::{Config, Point3r};
use crate::pace::Pace;
use crate::weights::{Mix, Parameters, WeightsError, formula_values};

/// Difference of one output over all frames.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct OutputError {
    /// Output.
    pub name: &'static str,
    /// Relative L2 over all frames.
    pub relative: f64,
    /// Relative L2 of each frame.
    pub frames: Vec<f64>,
}

/// Differences of a rounded network.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct RoundingReport {
    /// One row per output.
    pub outputs: Vec<OutputError>,
    /// Pointers after each frame, exact and rounded: merging is a decision that rounding can turn.
    pub pointers: Vec<[usize; 2]>,
    /// Bytes of the weights in a file, headers left out.
    pub bytes: u64,
}

impl RoundingReport {
    /// The largest relative error of poses and point maps, which is what a precision is judged by.
    #[must_use]
    pub fn worst(&self) -> f64 {
        let judged = self.outputs.iter().filter(|o| !o.name.starts_with("confidence"));
        judged.map(|o| o.relative).fold(0.0, |a: f64, b| if b.is_nan() { b } else { a.max(b) })
    }
}

/// Outputs of one run, frame by frame.
pub struct Run {
    outputs: Vec<BTreeMap<&'static str, Reference>>,
    pointers: Vec<usize>,
    bytes: u64,
}

/// Runs the folder's frames with weights stored as `mix` says; `None`: exact.
///
/// # Errors
/// When a file is unusable or the network cannot run.
pub async fn run_rounded(
    files: VerifyFiles<'_>,
    mix: Option<&Mix>,
    device: &Device,
    pace: &Pace,
) -> Result<Run, VerifyError> {
    let config =
        files.config.map_or_else(|| Ok(Config::released_formula()), Config::from_json).map_err(WeightsError::from)?;
    let images = read_images(&References::parse("inputs.safetensors", files.inputs)?)?;
    let weights = files.weights.map(|bytes| References::parse("weights.safetensors", bytes)).transpose()?;
    let mut parameters = Parameters::new(device);
    let mut bytes = 0;
    for spec in config.parameters().into_iter().filter(|spec| spec.used) {
        let values = match weights.as_ref() {
            Some(file) => file.get(&spec.name).map(|tensor| tensor.values.clone()).unwrap_or_default(),
            None => formula_values(&spec.name, &spec.shape, &config),
        };
        if values.len() != spec.len() {
            return Err(WeightsError::Missing { key: spec.name }.into());
        }
        match mix {
            Some(mix) => {
                let storage = mix.storage(&spec, &values);
                bytes += parameters.insert_stored(&spec.name, &spec.shape, storage, values);
            }
            None => parameters.insert(&spec.name, &spec.shape, values),
        }
    }
    let model = Point3r::new(config, parameters)?;
    let mut state = model.start();
    let mut run = Run { outputs: Vec::new(), pointers: Vec::new(), bytes };
    for image in &images {
        let p = model.step(&mut state, image, pace).await?;
        let (translation, rotation) = (p.pose.translation.to_vec(), p.pose.rotation.to_vec());
        let host = |values: Vec<f32>| Reference { shape: vec![values.len()], values };
        let mut outputs = BTreeMap::from([("translation", host(translation)), ("rotation", host(rotation))]);
        outputs.insert("pose", host(p.pose.translation.into_iter().chain(p.pose.rotation).collect()));
        let points = [("points, camera", p.points_camera), ("points, world", p.points_world)];
        let confidences = [("confidence, camera", p.confidence_camera), ("confidence, world", p.confidence_world)];
        for (name, map) in points {
            outputs.insert(name, produce::read(map.reshape([-1]), Vec::new()).await?);
        }
        for (name, map) in confidences {
            outputs.insert(name, produce::read(map.reshape([-1]), Vec::new()).await?);
        }
        run.outputs.push(outputs);
        run.pointers.push(p.pointers.total);
    }
    Ok(run)
}

/// A rotation is the same with all signs turned: the quaternion nearer to the exact one.
fn same_half(name: &str, exact: &Reference, rounded: &Reference) -> Reference {
    let mut rounded = rounded.clone();
    let first = match name {
        "rotation" => 0,
        "pose" => 3,
        _ => return rounded,
    };
    let dot: f32 = exact.values.iter().zip(&rounded.values).skip(first).map(|(a, b)| a * b).sum();
    if dot < 0.0 {
        rounded.values.iter_mut().skip(first).for_each(|v| *v = -*v);
    }
    rounded
}

/// Relative differences between an exact and a rounded run.
#[must_use]
pub fn compare_runs(exact: &Run, rounded: &Run) -> RoundingReport {
    let mut rows: BTreeMap<&'static str, Vec<(f64, f64)>> = BTreeMap::new();
    for (exact, rounded) in exact.outputs.iter().zip(&rounded.outputs) {
        for (name, a) in exact {
            let Some(b) = rounded.get(name).map(|b| same_half(name, a, b)) else { continue };
            let pairs = a.values.iter().zip(&b.values).map(|(a, b)| (f64::from(*a), f64::from(*b)));
            let (mut error, mut total) = (0.0, 0.0);
            for (a, b) in pairs {
                error += (a - b) * (a - b);
                total += a * a;
            }
            rows.entry(name).or_default().push((error, total));
        }
    }
    let relative = |(error, total): (f64, f64)| if total > 0.0 { (error / total).sqrt() } else { error.sqrt() };
    let outputs = rows.into_iter().map(|(name, frames)| OutputError {
        name,
        relative: relative(frames.iter().fold((0.0, 0.0), |(a, b), (c, d)| (a + c, b + d))),
        frames: frames.into_iter().map(relative).collect(),
    });
    let pointers = exact.pointers.iter().zip(&rounded.pointers).map(|(a, b)| [*a, *b]).collect();
    RoundingReport { outputs: outputs.collect(), pointers, bytes: rounded.bytes }
}

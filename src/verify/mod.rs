//! Comparison of the network with reference tensors, natively and in the page.
//!
//! A verification folder holds `config.json`, `weights.safetensors`, `inputs.safetensors` and
//! `expected.safetensors`. Which tensors are expected is up to the folder; each is found by its name, and a
//! name this program cannot produce fails rather than being skipped.

mod compare;
mod produce;
#[cfg(feature = "cli")]
mod rounding;
mod safetensors;

use burn::tensor::{Device, Tensor, TensorData};
use serde::Serialize;

pub use compare::{Group, GroupReport, TensorReport};
#[cfg(feature = "cli")]
pub use rounding::{OutputError, RoundingReport, Run, compare_runs, run_rounded};

use crate::model::{Config, ModelError, Options, Point3r, Probe};
use crate::ops::{Places, Rotary, SpaceRotary};
use crate::pace::Pace;
use crate::preprocess::RgbImage;
use crate::weights::{Parameters, WeightsError, formula_values};
use compare::Comparison;
use produce::Produced;
pub(crate) use safetensors::{Reference, References};

/// The files of a verification folder.
#[derive(Debug, Clone, Copy)]
pub struct VerifyFiles<'a> {
    /// `config.json`; absent: the released model.
    pub config: Option<&'a str>,
    /// `weights.safetensors`; absent: formula weights.
    pub weights: Option<&'a [u8]>,
    /// `inputs.safetensors`: `images_u8 [frames, height, width, 3]`, or `images` normalised.
    pub inputs: &'a [u8],
    /// `expected.safetensors`.
    pub expected: &'a [u8],
}

/// How strict the comparison is: rounding differs between devices (tolerances of the reference set).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Precision {
    /// f32 on the CPU.
    Cpu,
    /// f32 on a GPU, where sine, exponential and fused operations are less exact.
    Gpu,
}

/// Which form of the encoder's rotary embedding the reference used (spec 9.1).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Variant {
    /// f32 throughout: what this program runs.
    #[default]
    F32,
    /// Queries and keys rounded to half precision around it, as the released model's CUDA code does.
    F16Rope,
}

/// A verification that could not be carried out.
#[derive(Debug, thiserror::Error)]
pub enum VerifyError {
    /// A file is not readable as what it should be.
    #[error("{file} cannot be used: {problem}")]
    File {
        /// File name.
        file: &'static str,
        /// What is wrong with it.
        problem: String,
    },
    /// The network cannot be built.
    #[error(transparent)]
    Weights(#[from] WeightsError),
    /// A frame could not be computed.
    #[error(transparent)]
    Model(#[from] ModelError),
}

/// The outcome, tensor by tensor.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct VerifyReport {
    /// Whether every comparison passed, and there was at least one.
    pub passed: bool,
    /// Tensors compared.
    pub compared: usize,
    /// Pointers after each frame.
    pub pointers: Vec<usize>,
    /// Seconds per frame, where a clock was given.
    pub seconds: Vec<f64>,
    /// The worst of every group.
    pub groups: Vec<GroupReport>,
    /// Every tensor that failed.
    pub failures: Vec<TensorReport>,
}

/// Runs the network over the folder's inputs and compares everything the folder expects.
///
/// # Errors
/// When a file is unusable or the network cannot run; a difference is not an error but a failed report.
pub async fn verify(
    files: VerifyFiles<'_>,
    device: &Device,
    precision: Precision,
    variant: Variant,
    clock: &dyn Fn() -> f64,
    pace: &Pace,
) -> Result<VerifyReport, VerifyError> {
    let config =
        files.config.map_or_else(|| Ok(Config::released_formula()), Config::from_json).map_err(WeightsError::from)?;
    let expected = References::parse("expected.safetensors", files.expected)?;
    let images = read_images(&References::parse("inputs.safetensors", files.inputs)?)?;
    let parameters = match files.weights {
        Some(bytes) => read_weights(&References::parse("weights.safetensors", bytes)?, device),
        // All of them: a folder may expect tensors that nothing else needs.
        None => Parameters::from_formula_where(&config, device, |_| true),
    };
    let options = Options { half_rotary: variant == Variant::F16Rope, ..Options::default() };
    let model = Point3r::new(config, parameters)?.with_options(options);

    let mut comparison = Comparison::new(&expected, precision, variant);
    check_units(&expected, model.config(), &mut comparison, device).await?;
    let mut state = model.start();
    let (mut pointers, mut seconds) = (Vec::new(), Vec::new());
    for (index, image) in images.iter().enumerate() {
        let mut probe = Probe::on();
        let start = clock();
        let (prediction, fusion) = model.step_probed(&mut state, image, pace, &mut probe).await?;
        seconds.push(clock() - start);
        let produced = Produced::collect(probe, &prediction, &fusion, &state).await?;
        for (name, tensor, scale) in produced.tensors() {
            comparison.frame(index, name, tensor, scale);
        }
        pointers.push(prediction.pointers.total);
        pace.breathe().await;
    }
    Ok(comparison.finish(pointers, seconds))
}

/// The images as the network takes them.
fn read_images(inputs: &References) -> Result<Vec<RgbImage>, VerifyError> {
    let problem = |problem: &str| VerifyError::File { file: "inputs.safetensors", problem: problem.into() };
    let (values, shape) = match (inputs.get("images_u8"), inputs.get("images")) {
        (Some(bytes), _) => (bytes.values.clone(), bytes.shape.clone()),
        // Exact: the normalised values came from 8 bits.
        (None, Some(planar)) => {
            let [frames, 3, h, w] = planar.shape[..] else { return Err(problem("images is not [frames, 3, h, w]")) };
            let mut values = vec![0.0; planar.values.len()];
            for (i, v) in planar.values.iter().enumerate() {
                let (frame, rest) = (i / (3 * h * w), i % (3 * h * w));
                let (channel, pixel) = (rest / (h * w), rest % (h * w));
                if let Some(slot) = values.get_mut((frame * h * w + pixel) * 3 + channel) {
                    *slot = ((v * 0.5 + 0.5) * 255.0).round();
                }
            }
            (values, vec![frames, h, w, 3])
        }
        (None, None) => return Err(problem("it has neither images_u8 nor images")),
    };
    let [_, height, width, 3] = shape[..] else { return Err(problem("images_u8 is not [frames, height, width, 3]")) };
    let frame = (height * width * 3).max(1);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "values are 0 to 255")]
    let images = values.chunks(frame).map(|v| RgbImage { width, height, rgb: v.iter().map(|v| *v as u8).collect() });
    Ok(images.collect())
}

fn read_weights(weights: &References, device: &Device) -> Parameters {
    let mut parameters = Parameters::new(device);
    for (name, tensor) in weights.iter() {
        parameters.insert(name, &tensor.shape, tensor.values.clone());
    }
    parameters
}

/// The `unit.*` tensors: rotary embeddings on their own, and a sample of the weight formula.
async fn check_units(
    expected: &References,
    config: &Config,
    comparison: &mut Comparison<'_>,
    device: &Device,
) -> Result<(), VerifyError> {
    for name in expected.names().filter(|n| n.starts_with("unit.") && n.ends_with(".y")) {
        let stem = name.trim_end_matches(".y");
        let (Some(x), Some(pos)) = (expected.get(&format!("{stem}.x")), expected.get(&format!("{stem}.pos"))) else {
            continue;
        };
        let [1, heads, tokens, d] = x.shape[..] else { continue };
        let rotary = if stem.starts_with("unit.rope2d") {
            Rotary::plane(pos.values.as_chunks::<2>().0, d, config.rope2d_base, device)
        } else {
            let positions = pos.values.as_chunks::<3>().0.to_vec();
            // One token more than positions: the first has none.
            let without = tokens.saturating_sub(positions.len());
            SpaceRotary::new(d, &config.rope3d_bases, device).at(&Places::Host(positions), without)
        };
        let input: Tensor<1> = Tensor::from_data(TensorData::new(x.values.clone(), [x.values.len()]), device);
        let turned = rotary.apply(input.reshape([heads, tokens, d]).swap_dims(0, 1)).swap_dims(0, 1);
        let y = produce::read(turned.reshape([-1]), x.shape.clone()).await?;
        comparison.check(name, &y);
        for input in [".x", ".pos"] {
            comparison.given(&format!("{stem}{input}"));
        }
    }
    if let Some(sample) = expected.get("weights.sample") {
        let dim = config.enc_embed_dim;
        let mut values = formula_values("enc_blocks.0.attn.qkv.weight", &[3 * dim, dim], config);
        values.truncate(sample.values.len());
        #[expect(clippy::cast_precision_loss, reason = "a width")]
        let scale = (3.0 / dim as f32).sqrt();
        let values = values.into_iter().map(|v| v / scale).collect();
        comparison.check("weights.sample", &Reference { values, shape: sample.shape.clone() });
    }
    Ok(())
}

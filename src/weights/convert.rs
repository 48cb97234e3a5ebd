//! Checkpoint or weight formula to model folder, one tensor at a time.

use std::path::Path;

use half::f16;

use super::manifest::{Manifest, Storage};
use super::{Accounting, Checkpoint, FolderWriter, WeightsError, formula_values};
use crate::model::{Config, ParameterSpec};

/// What a manifest says about its model besides the tensors.
#[derive(Debug, Clone, PartialEq)]
pub struct About {
    /// Name shown to users.
    pub name: String,
    /// Licence of the weights.
    pub licence: String,
    /// What the folder is made from.
    pub source: String,
    /// SHA-256 of the source file, when there is one.
    pub source_sha256: Option<String>,
    /// False for formula weights.
    pub trained: bool,
    /// The network.
    pub config: Config,
    /// Storage of the weights.
    pub precision: Storage,
}

/// The outcome of a conversion.
#[derive(Debug, Clone, PartialEq)]
pub struct Converted {
    /// What was written.
    pub manifest: Manifest,
    /// Tensors that hold values beyond half precision and were kept as f32.
    pub kept_f32: Vec<String>,
}

/// Writes the parameters of a checkpoint that `accounting` has accepted. `progress(done, total)` counts values.
///
/// # Errors
/// When a tensor cannot be read, a second name of a tensor holds other values, or the folder cannot be written.
pub fn convert_checkpoint(
    checkpoint: &Checkpoint,
    accounting: &Accounting,
    about: About,
    dir: &Path,
    force: bool,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Converted, WeightsError> {
    for alias in &accounting.aliases {
        if let Some(source) = accounting.source_of(&alias.key)
            && source != alias.alias
            && checkpoint.bytes(source)? != checkpoint.bytes(&alias.alias)?
        {
            return Err(WeightsError::AliasDiffers { alias: alias.alias.clone(), key: alias.key.clone() });
        }
    }
    let read = |spec: &ParameterSpec| {
        let source = accounting.source_of(&spec.name);
        checkpoint.values(source.ok_or_else(|| WeightsError::Missing { key: spec.name.clone() })?)
    };
    convert(&read, about, dir, force, progress)
}

/// Writes formula weights (untrained) for `about.config`. `progress(done, total)` counts values.
///
/// # Errors
/// When the folder cannot be written.
pub fn convert_formula(
    about: About,
    dir: &Path,
    force: bool,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Converted, WeightsError> {
    let config = about.config.clone();
    convert(&|spec| Ok(formula_values(&spec.name, &spec.shape, &config)), about, dir, force, progress)
}

fn convert(
    values: &dyn Fn(&ParameterSpec) -> Result<Vec<f32>, WeightsError>,
    about: About,
    dir: &Path,
    force: bool,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Converted, WeightsError> {
    if about.precision.size().is_none() {
        return Err(WeightsError::Precision { precision: about.precision.to_string() });
    }
    let specs: Vec<ParameterSpec> = about.config.parameters().into_iter().filter(|spec| spec.used).collect();
    let mut writer = FolderWriter::create(dir, force)?;
    let mut kept_f32 = Vec::new();
    let total = specs.iter().map(|spec| spec.len() as u64).sum();
    let mut done = 0;
    for spec in &specs {
        let values = values(spec)?;
        let storage = storage_for(about.precision, &spec.shape, &values);
        if storage != about.precision && spec.shape.len() > 1 {
            kept_f32.push(spec.name.clone());
        }
        writer.push(&spec.name, &spec.shape, storage, &values)?;
        done += spec.len() as u64;
        progress(done, total);
    }
    Ok(Converted { manifest: writer.finish(about)?, kept_f32 })
}

/// Half precision is for matrices and kernels: norms and biases are 0.2 % of the bytes and stay exact, and so
/// does a tensor with values that half precision cannot hold.
fn storage_for(precision: Storage, shape: &[usize], values: &[f32]) -> Storage {
    let fits = |value: &f32| value.abs() <= f16::MAX.to_f32();
    if precision == Storage::F16 && shape.len() > 1 && values.iter().all(fits) { Storage::F16 } else { Storage::F32 }
}

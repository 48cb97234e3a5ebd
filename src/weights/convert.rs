//! Checkpoint or weight formula to model folder, one tensor at a time.

use std::path::Path;

use super::manifest::{Manifest, Storage};
use super::{Accounting, Checkpoint, FolderWriter, Mix, Rounding, WeightsError, formula_values};
use crate::model::{Component, Config, ParameterSpec};

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
    /// Precision, as the manifest names it.
    pub precision: Storage,
    /// Storage of each weight.
    pub mix: Mix,
}

/// What storing one tensor costs.
#[derive(Debug, Clone, PartialEq)]
pub struct TensorRounding {
    /// Checkpoint key.
    pub name: String,
    /// The part of the network it belongs to.
    pub component: Component,
    /// How it is stored.
    pub storage: Storage,
    /// Difference to the exact values.
    pub rounding: Rounding,
}

/// The outcome of a conversion.
#[derive(Debug, Clone, PartialEq)]
pub struct Converted {
    /// What was written.
    pub manifest: Manifest,
    /// Tensors that hold values beyond half precision and were kept as f32.
    pub kept_f32: Vec<String>,
    /// What storing each tensor costs.
    pub tensors: Vec<TensorRounding>,
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
    let specs: Vec<ParameterSpec> = about.config.parameters().into_iter().filter(|spec| spec.used).collect();
    let mut writer = FolderWriter::create(dir, force)?;
    let (mut kept_f32, mut tensors) = (Vec::new(), Vec::new());
    let total = specs.iter().map(|spec| spec.len() as u64).sum();
    let mut done = 0;
    for spec in &specs {
        let values = values(spec)?;
        let storage = about.mix.storage(spec, &values);
        if storage == Storage::F32 && about.mix.storage(spec, &[]) != storage {
            kept_f32.push(spec.name.clone());
        }
        let rounding = writer.push(&spec.name, &spec.shape, storage, &values)?;
        tensors.push(TensorRounding { name: spec.name.clone(), component: spec.component, storage, rounding });
        done += spec.len() as u64;
        progress(done, total);
    }
    Ok(Converted { manifest: writer.finish(about)?, kept_f32, tensors })
}

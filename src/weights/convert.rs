//! Checkpoint or weight formula to model folder, one tensor at a time: natively into files, in the page into its storage.

#[cfg(not(target_arch = "wasm32"))]
use std::path::Path;

use super::manifest::{Manifest, Storage, TensorEntry};
use super::shards::ShardBuilder;
use super::{Accounting, Checkpoint, Mix, Rounding, Shard, WeightsError};
#[cfg(not(target_arch = "wasm32"))]
use super::{FolderWriter, formula_values};
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

impl About {
    /// Of a checkpoint file, with what can be told without asking: its name, and the licence of released weights.
    #[must_use]
    pub fn of_checkpoint(config: Config, file: &str, precision: Storage) -> Self {
        let stem = file.rsplit_once('.').map_or(file, |(stem, _)| stem);
        Self {
            name: if stem.is_empty() { "model".to_owned() } else { stem.to_owned() },
            licence: if is_released(&config) { RELEASED_LICENCE } else { "unknown" }.to_owned(),
            source: file.to_owned(),
            source_sha256: None,
            // Only networks whose weights come from the formula carry a generator.
            trained: config.weight_generator.is_none(),
            config,
            precision,
            mix: Mix::of(precision),
        }
    }

    /// Bytes that the tensors will take.
    #[must_use]
    pub fn stored_bytes(&self) -> u64 {
        let used = self.config.parameters().into_iter().filter(|spec| spec.used);
        used.fold(0, |sum, spec| sum.saturating_add(TensorEntry::bytes_of(&spec.shape, self.mix.storage(&spec, &[]))))
    }
}

/// Licence of the weights that the authors of Point3R released.
pub const RELEASED_LICENCE: &str = "CC BY-NC-SA 4.0 (released Point3R weights, non-commercial)";

/// Whether this is the network whose weights were published, at any input size.
#[must_use]
pub fn is_released(config: &Config) -> bool {
    let released = Config::released();
    Config { image_size: released.image_size, ..config.clone() } == released
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

/// A conversion under way. It holds one tensor and one shard at a time and does no input or output of its own.
pub struct Conversion {
    about: About,
    specs: std::vec::IntoIter<ParameterSpec>,
    builder: ShardBuilder,
    kept_f32: Vec<String>,
    tensors: Vec<TensorRounding>,
    /// Values converted, and all there are.
    done: u64,
    total: u64,
}

impl Conversion {
    /// Of the network of `about.config`.
    #[must_use]
    pub fn new(about: About) -> Self {
        let specs: Vec<ParameterSpec> = about.config.parameters().into_iter().filter(|spec| spec.used).collect();
        let total = specs.iter().map(|spec| spec.len() as u64).sum();
        Self {
            about,
            specs: specs.into_iter(),
            builder: ShardBuilder::new(),
            kept_f32: Vec::new(),
            tensors: Vec::new(),
            done: 0,
            total,
        }
    }

    /// Converts the next tensor, whose values `read` gives: the shards that are full now, `None` when none is left.
    ///
    /// # Errors
    /// When the tensor cannot be read.
    pub fn step(
        &mut self,
        read: &dyn Fn(&ParameterSpec) -> Result<Vec<f32>, WeightsError>,
    ) -> Result<Option<Vec<Shard>>, WeightsError> {
        let Some(spec) = self.specs.next() else { return Ok(None) };
        let (values, mix) = (read(&spec)?, &self.about.mix);
        let storage = mix.storage(&spec, &values);
        if storage == Storage::F32 && mix.storage(&spec, &[]) != storage {
            self.kept_f32.push(spec.name.clone());
        }
        let (shards, rounding) = self.builder.push(&spec.name, &spec.shape, storage, &values)?;
        self.done += spec.len() as u64;
        self.tensors.push(TensorRounding { name: spec.name, component: spec.component, storage, rounding });
        Ok(Some(shards))
    }

    /// Values converted, and all there are.
    #[must_use]
    pub fn progress(&self) -> (u64, u64) {
        (self.done, self.total)
    }

    /// The last shard, and what was made.
    ///
    /// # Errors
    /// When tensors are missing.
    pub fn finish(self) -> Result<(Vec<Shard>, Converted), WeightsError> {
        let (shards, manifest) = self.builder.finish(self.about)?;
        Ok((shards, Converted { manifest, kept_f32: self.kept_f32, tensors: self.tensors }))
    }
}

impl Accounting {
    /// Checks that a second name of a tensor holds the same values.
    ///
    /// # Errors
    /// Names the first that does not.
    pub fn check_aliases(&self, checkpoint: &Checkpoint) -> Result<(), WeightsError> {
        for alias in &self.aliases {
            if let Some(source) = self.source_of(&alias.key)
                && source != alias.alias
                && checkpoint.bytes(source)? != checkpoint.bytes(&alias.alias)?
            {
                return Err(WeightsError::AliasDiffers { alias: alias.alias.clone(), key: alias.key.clone() });
            }
        }
        Ok(())
    }

    /// The values of a parameter in a checkpoint.
    ///
    /// # Errors
    /// When it is missing or cannot be read.
    pub fn values(&self, checkpoint: &Checkpoint, spec: &ParameterSpec) -> Result<Vec<f32>, WeightsError> {
        let source = self.source_of(&spec.name);
        checkpoint.values(source.ok_or_else(|| WeightsError::Missing { key: spec.name.clone() })?)
    }
}

/// Writes the parameters of a checkpoint that `accounting` has accepted. `progress(done, total)` counts values.
///
/// # Errors
/// When a tensor cannot be read, a second name of a tensor holds other values, or the folder cannot be written.
#[cfg(not(target_arch = "wasm32"))]
pub fn convert_checkpoint(
    checkpoint: &Checkpoint,
    accounting: &Accounting,
    about: About,
    dir: &Path,
    force: bool,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Converted, WeightsError> {
    accounting.check_aliases(checkpoint)?;
    convert(&|spec| accounting.values(checkpoint, spec), about, dir, force, progress)
}

/// Writes formula weights (untrained) for `about.config`. `progress(done, total)` counts values.
///
/// # Errors
/// When the folder cannot be written.
#[cfg(not(target_arch = "wasm32"))]
pub fn convert_formula(
    about: About,
    dir: &Path,
    force: bool,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Converted, WeightsError> {
    let config = about.config.clone();
    convert(&|spec| Ok(formula_values(&spec.name, &spec.shape, &config)), about, dir, force, progress)
}

#[cfg(not(target_arch = "wasm32"))]
fn convert(
    read: &dyn Fn(&ParameterSpec) -> Result<Vec<f32>, WeightsError>,
    about: About,
    dir: &Path,
    force: bool,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<Converted, WeightsError> {
    let writer = FolderWriter::create(dir, force)?;
    let mut conversion = Conversion::new(about);
    while let Some(shards) = conversion.step(read)? {
        shards.iter().try_for_each(|shard| writer.shard(shard))?;
        let (done, total) = conversion.progress();
        progress(done, total);
    }
    let (shards, converted) = conversion.finish()?;
    shards.iter().try_for_each(|shard| writer.shard(shard))?;
    writer.finish(&converted.manifest)?;
    Ok(converted)
}

//! Writes a model folder: shards of at most 32 MiB, filled one tensor at a time, the manifest last.
//!
//! While a folder is being written it holds `manifest.json.partial` and no `manifest.json`, so an interrupted
//! run is never mistaken for a model.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::encode::Rounding;
use super::manifest::{MANIFEST_FILE, Manifest, Storage};
use super::shards::{Shard, ShardBuilder};
use super::{About, WeightsError};

const PARTIAL: &str = "manifest.json.partial";

/// A model folder being written.
pub struct FolderWriter {
    dir: PathBuf,
    builder: ShardBuilder,
}

impl FolderWriter {
    /// Starts a model folder. `force` replaces an existing model folder, and nothing else.
    ///
    /// # Errors
    /// When the folder holds something else, or cannot be written.
    pub fn create(dir: &Path, force: bool) -> Result<Self, WeightsError> {
        fs::create_dir_all(dir).map_err(|e| WeightsError::io(dir, e))?;
        let mut entries = Vec::new();
        for entry in fs::read_dir(dir).map_err(|e| WeightsError::io(dir, e))? {
            entries.push(entry.map_err(|e| WeightsError::io(dir, e))?);
        }
        let named = |name: &str| entries.iter().any(|entry| entry.file_name() == name);
        let replaceable = force && (named(MANIFEST_FILE) || named(PARTIAL));
        if !entries.is_empty() && !replaceable {
            return Err(WeightsError::OutputExists { path: dir.display().to_string() });
        }
        let partial = dir.join(PARTIAL);
        fs::write(&partial, b"").map_err(|e| WeightsError::io(&partial, e))?;
        // The manifest goes first: from here on the folder is not a model.
        if named(MANIFEST_FILE) {
            let path = dir.join(MANIFEST_FILE);
            fs::remove_file(&path).map_err(|e| WeightsError::io(&path, e))?;
        }
        for entry in entries {
            if entry.file_name().to_str().is_some_and(is_shard_name) {
                fs::remove_file(entry.path()).map_err(|e| WeightsError::io(&entry.path(), e))?;
            }
        }
        Ok(Self { dir: dir.to_owned(), builder: ShardBuilder::new() })
    }

    /// Adds one tensor; what storing it costs.
    ///
    /// # Errors
    /// When the values do not make the shape, the storage cannot hold them, or the disk is full.
    pub fn push(
        &mut self,
        name: &str,
        shape: &[usize],
        storage: Storage,
        values: &[f32],
    ) -> Result<Rounding, WeightsError> {
        let (shards, rounding) = self.builder.push(name, shape, storage, values)?;
        write_shards(&self.dir, &shards)?;
        Ok(rounding)
    }

    /// Writes the last shard, and then the manifest, which makes the folder a model.
    ///
    /// # Errors
    /// When the tensors are not those of the config, or the disk is full.
    pub fn finish(self, about: About) -> Result<Manifest, WeightsError> {
        let Self { dir, builder } = self;
        let (shards, manifest) = builder.finish(about)?;
        write_shards(&dir, &shards)?;
        let partial = dir.join(PARTIAL);
        write_whole(&partial, manifest.to_json()?.as_bytes())?;
        let path = dir.join(MANIFEST_FILE);
        fs::rename(&partial, &path).map_err(|e| WeightsError::io(&path, e))?;
        Ok(manifest)
    }
}

fn write_shards(dir: &Path, shards: &[Shard]) -> Result<(), WeightsError> {
    shards.iter().try_for_each(|shard| write_whole(&dir.join(&shard.file), &shard.bytes))
}

fn is_shard_name(name: &str) -> bool {
    name.starts_with("model-") && name.ends_with(".safetensors")
}

/// Writes a file and waits until it is on the disk.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), WeightsError> {
    let io = |e| WeightsError::io(path, e);
    let mut file = fs::File::create(path).map_err(io)?;
    file.write_all(bytes).map_err(io)?;
    file.sync_all().map_err(io)
}

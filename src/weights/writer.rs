//! Writes a model folder: shards as they come, the manifest last.
//!
//! While a folder is being written it holds `manifest.json.partial` and no `manifest.json`, so an interrupted
//! run is never mistaken for a model.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use super::manifest::{MANIFEST_FILE, Manifest};
use super::{Shard, WeightsError};

const PARTIAL: &str = "manifest.json.partial";

/// A model folder being written.
pub struct FolderWriter {
    dir: PathBuf,
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
        Ok(Self { dir: dir.to_owned() })
    }

    /// Writes one shard.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn shard(&self, shard: &Shard) -> Result<(), WeightsError> {
        write_whole(&self.dir.join(&shard.file), &shard.bytes)
    }

    /// Writes the manifest, which makes the folder a model.
    ///
    /// # Errors
    /// When the disk is full.
    pub fn finish(self, manifest: &Manifest) -> Result<(), WeightsError> {
        let partial = self.dir.join(PARTIAL);
        write_whole(&partial, manifest.to_json()?.as_bytes())?;
        let path = self.dir.join(MANIFEST_FILE);
        fs::rename(&partial, &path).map_err(|e| WeightsError::io(&path, e))
    }
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

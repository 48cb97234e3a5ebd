//! From shards to parameters on the device, without any input or output of its own.
//!
//! The page feeds it downloads, the command line files; shards may come in any order and may be given again
//! after a failure. A shard is used only when its size and SHA-256 are those of the manifest. Tensors are
//! decoded and uploaded one at a time; only those cut over several shards wait for their other pieces.

use std::collections::{BTreeMap, HashSet};

use burn::tensor::Device;
use sha2::{Digest, Sha256};

use super::manifest::{Manifest, Storage};
use super::{Parameters, WeightsError, bytes};
use crate::model::Config;

/// A model on its way to a compute device.
#[derive(Debug)]
pub struct Loader {
    manifest: Manifest,
    parameters: Parameters,
    loaded: Vec<bool>,
    /// Pieces `(tensor, piece)` lying in each shard.
    contents: Vec<Vec<(usize, usize)>>,
    /// Decoded pieces of tensors that are not complete yet: tensor -> piece -> values.
    waiting: BTreeMap<usize, BTreeMap<usize, Vec<f32>>>,
}

impl Loader {
    /// Starts loading the model of `manifest` onto `device`.
    #[must_use]
    pub fn new(manifest: Manifest, device: &Device) -> Self {
        // Tensors that inference never reads are legal in a folder and not worth device memory.
        let specs = manifest.config.parameters();
        let unread: HashSet<&str> = specs.iter().filter(|s| !s.used).map(|s| s.name.as_str()).collect();
        let mut contents = vec![Vec::new(); manifest.shards.len()];
        for (t, tensor) in manifest.tensors.iter().enumerate().filter(|(_, t)| !unread.contains(t.name.as_str())) {
            for (p, piece) in tensor.pieces.iter().enumerate() {
                if let Some(list) = contents.get_mut(piece.shard) {
                    list.push((t, p));
                }
            }
        }
        let loaded = vec![false; manifest.shards.len()];
        Self { manifest, parameters: Parameters::new(device), loaded, contents, waiting: BTreeMap::new() }
    }

    /// The model being loaded.
    #[must_use]
    pub fn manifest(&self) -> &Manifest {
        &self.manifest
    }

    /// Checks a shard and uploads its tensors. After an error nothing of the shard is kept, and it can be given
    /// again; a shard that is already loaded is ignored.
    ///
    /// # Errors
    /// When there is no such shard, or its bytes are not those of the manifest.
    pub fn add_shard(&mut self, index: usize, bytes: &[u8]) -> Result<(), WeightsError> {
        let count = self.manifest.shards.len();
        let shard = self.manifest.shards.get(index).ok_or(WeightsError::NoSuchShard { index, count })?;
        if self.loaded.get(index).copied().unwrap_or(false) {
            return Ok(());
        }
        check_shard(&shard.file, shard.bytes, &shard.sha256, bytes)?;
        for (t, p) in self.contents.get(index).cloned().unwrap_or_default() {
            let Some(tensor) = self.manifest.tensors.get(t) else { continue };
            let Some(piece) = tensor.pieces.get(p) else { continue };
            let values = slice(bytes, piece.range).and_then(|raw| decode(tensor.storage, raw)).ok_or_else(|| {
                WeightsError::ByteRange {
                    key: tensor.name.clone(),
                    reason: format!("its bytes are not in shard {}", shard.file),
                }
            })?;
            let complete = if tensor.pieces.len() == 1 {
                values
            } else {
                let pieces = self.waiting.entry(t).or_default();
                pieces.insert(p, values);
                if pieces.len() < tensor.pieces.len() {
                    continue;
                }
                self.waiting.remove(&t).unwrap_or_default().into_values().reduce(join).unwrap_or_default()
            };
            self.parameters.insert(&tensor.name, &tensor.shape, complete);
        }
        if let Some(loaded) = self.loaded.get_mut(index) {
            *loaded = true;
        }
        Ok(())
    }

    /// Hands over the network's config and parameters.
    ///
    /// # Errors
    /// When shards are still missing.
    pub fn finish(self) -> Result<(Config, Parameters), WeightsError> {
        let count = self.loaded.len();
        let missing = self.loaded.iter().filter(|loaded| !**loaded).count();
        if missing > 0 {
            return Err(WeightsError::Incomplete { missing, count });
        }
        Ok((self.manifest.config, self.parameters))
    }
}

fn join(mut left: Vec<f32>, right: Vec<f32>) -> Vec<f32> {
    left.extend_from_slice(&right);
    left
}

/// Compares size and hash of a shard with the manifest.
pub(crate) fn check_shard(file: &str, expected: u64, sha256: &str, bytes: &[u8]) -> Result<(), WeightsError> {
    let found = bytes.len() as u64;
    if found != expected {
        return Err(WeightsError::ShardTruncated { shard: file.to_owned(), expected, found });
    }
    if hex(&Sha256::digest(bytes)) != sha256 {
        return Err(WeightsError::HashMismatch { shard: file.to_owned() });
    }
    Ok(())
}

/// Lower-case hexadecimal.
pub(crate) fn hex(bytes: &[u8]) -> String {
    use std::fmt::Write;
    bytes.iter().fold(String::new(), |mut text, byte| {
        // Writing into a String cannot fail.
        let _ = write!(text, "{byte:02x}");
        text
    })
}

fn slice(bytes: &[u8], [start, end]: [u64; 2]) -> Option<&[u8]> {
    bytes.get(usize::try_from(start).ok()?..usize::try_from(end).ok()?)
}

/// Little-endian values as f32; `None` for storage this version cannot decode.
fn decode(storage: Storage, raw: &[u8]) -> Option<Vec<f32>> {
    match storage {
        Storage::F32 => Some(bytes::from_f32(raw)),
        Storage::F16 => Some(bytes::from_f16(raw)),
        Storage::Int8 | Storage::Int4 => None,
    }
}

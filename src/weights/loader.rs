//! From shards to parameters on the device, without any input or output of its own.
//!
//! The page feeds it downloads, the command line files; shards may come in any order and may be given again
//! after a failure. A shard is used only when its size and SHA-256 are those of the manifest; it is read twice, in
//! windows to be hashed and then tensor by tensor, and never held as a whole. Tensors are decoded and uploaded one at a
//! time; only those that lie in several shards wait for their other pieces, as stored. Packed tensors stay packed.

use std::collections::{BTreeMap, BTreeSet, HashSet};

use burn::tensor::Device;
use sha2::{Digest, Sha256};

use super::manifest::{Manifest, Piece, Storage, TensorEntry};
use super::source::contains;
use super::{Parameters, Source, WeightsError, bytes};
use crate::model::Config;
use crate::quant::PackedMatrix;

/// A model on its way to a compute device.
#[derive(Debug)]
pub struct Loader {
    manifest: Manifest,
    parameters: Parameters,
    loaded: Vec<bool>,
    /// Tensors that have pieces in each shard.
    contents: Vec<BTreeSet<usize>>,
    /// Pieces of tensors that are not complete yet: tensor -> (is scale, piece) -> bytes.
    waiting: BTreeMap<usize, BTreeMap<(bool, usize), Vec<u8>>>,
}

impl Loader {
    /// Starts loading the model of `manifest` onto `device`.
    #[must_use]
    pub fn new(manifest: Manifest, device: &Device) -> Self {
        // Tensors that inference never reads are legal in a folder and not worth device memory.
        let specs = manifest.config.parameters();
        let unread: HashSet<&str> = specs.iter().filter(|s| !s.used).map(|s| s.name.as_str()).collect();
        let mut contents = vec![BTreeSet::new(); manifest.shards.len()];
        for (t, tensor) in manifest.tensors.iter().enumerate().filter(|(_, t)| !unread.contains(t.name.as_str())) {
            for piece in tensor.pieces.iter().chain(&tensor.scale) {
                if let Some(list) = contents.get_mut(piece.shard) {
                    list.insert(t);
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
        self.add_shard_from(index, &bytes)
    }

    /// As `add_shard`, from wherever the bytes are; one window or one tensor of them at a time.
    ///
    /// # Errors
    /// As `add_shard`, and when the bytes cannot be read.
    pub fn add_shard_from(&mut self, index: usize, source: &dyn Source) -> Result<(), WeightsError> {
        let count = self.manifest.shards.len();
        let shard = self.manifest.shards.get(index).ok_or(WeightsError::NoSuchShard { index, count })?;
        if self.loaded.get(index).copied().unwrap_or(false) {
            return Ok(());
        }
        check_shard(&shard.file, shard.bytes, &shard.sha256, source)?;
        for t in self.contents.get(index).cloned().unwrap_or_default() {
            let Some(tensor) = self.manifest.tensors.get(t) else { continue };
            let read = |[start, end]: [u64; 2]| read(source, &shard.file, start, end.saturating_sub(start));
            if let ([values], [] | [_]) = (tensor.pieces.as_slice(), tensor.scale.as_slice())
                && tensor.scale.iter().all(|scale| scale.shard == values.shard)
            {
                let scale = tensor.scale.first().map(|scale| read(scale.range)).transpose()?.unwrap_or_default();
                insert(&mut self.parameters, tensor, &read(values.range)?, &scale)?;
                continue;
            }
            let waiting = self.waiting.entry(t).or_default();
            for (key, piece) in numbered(tensor).filter(|(_, piece)| piece.shard == index) {
                waiting.insert(key, read(piece.range)?);
            }
            if waiting.len() == tensor.pieces.len() + tensor.scale.len() {
                let (mut values, mut scales) = (Vec::new(), Vec::new());
                for ((is_scale, _), piece) in self.waiting.remove(&t).unwrap_or_default() {
                    if is_scale { scales.extend(piece) } else { values.extend(piece) }
                }
                insert(&mut self.parameters, tensor, &values, &scales)?;
            }
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

/// All pieces of a tensor, with the place they have in it.
fn numbered(tensor: &TensorEntry) -> impl Iterator<Item = ((bool, usize), &Piece)> {
    let of = |is_scale: bool| move |(p, piece)| ((is_scale, p), piece);
    tensor.pieces.iter().enumerate().map(of(false)).chain(tensor.scale.iter().enumerate().map(of(true)))
}

/// Moves a whole tensor to the device.
fn insert(parameters: &mut Parameters, tensor: &TensorEntry, values: &[u8], scales: &[u8]) -> Result<(), WeightsError> {
    let (Some(bits), [rows, input]) = (tensor.storage.bits(), tensor.shape.as_slice()) else {
        let values = if tensor.storage == Storage::F16 { bytes::from_f16(values) } else { bytes::from_f32(values) };
        parameters.insert(&tensor.name, &tensor.shape, values);
        return Ok(());
    };
    let scales = bytes::from_f16(scales);
    if !scales.iter().all(|scale| scale.is_finite() && *scale >= 0.0) {
        return Err(WeightsError::Scale { key: tensor.name.clone() });
    }
    let words = values.as_chunks().0.iter().map(|word| u32::from_le_bytes(*word)).collect();
    let matrix = PackedMatrix::new(words, scales, [*rows, *input], bits, parameters.device());
    parameters.insert_packed(&tensor.name, matrix);
    Ok(())
}

/// Compares size and hash of a shard with the manifest.
pub(crate) fn check_shard(file: &str, expected: u64, sha256: &str, source: &dyn Source) -> Result<(), WeightsError> {
    const WINDOW: u64 = 1 << 20;
    let found = source.len();
    if found != expected {
        return Err(WeightsError::ShardTruncated { shard: file.to_owned(), expected, found });
    }
    let (mut hash, mut done) = (Sha256::new(), 0);
    while done < found {
        let length = WINDOW.min(found - done);
        hash.update(read(source, file, done, length)?);
        done += length;
    }
    if hex(&hash.finalize()) != sha256 {
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

/// A range of a shard, whose size has been compared with the manifest before anything is allocated for it.
fn read(source: &dyn Source, file: &str, start: u64, length: u64) -> Result<Vec<u8>, WeightsError> {
    let failed = |source| WeightsError::Io { path: file.to_owned(), source };
    let size = usize::try_from(length).ok().filter(|_| contains(source, start, length));
    let size = size.ok_or_else(|| failed(std::io::ErrorKind::UnexpectedEof.into()))?;
    source.read_at(start, size).map_err(failed)
}

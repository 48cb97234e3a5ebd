//! Model folders on disk (native): load one, or check that it is whole.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use burn::tensor::Device;

use super::loader::check_shard;
use super::manifest::{MANIFEST_FILE, MAX_MANIFEST_BYTES, Manifest, ShardEntry};
use super::source::FileSource;
use super::{Loader, Parameters, WeightsError};

/// Reads and checks the manifest of a model folder.
///
/// # Errors
/// When the folder has no usable manifest.
pub fn read_manifest(dir: &Path) -> Result<Manifest, WeightsError> {
    let path = dir.join(MANIFEST_FILE);
    let bytes = read_at_most(&path, MAX_MANIFEST_BYTES)?;
    let text =
        String::from_utf8(bytes).map_err(|_| WeightsError::Manifest { reason: "it is not UTF-8 text".into() })?;
    Manifest::from_json(&text)
}

/// Loads a model folder onto `device`. `progress(done, total)` counts bytes.
///
/// # Errors
/// When the folder is not a model, or a shard is missing, cut short or damaged.
pub fn load_folder(
    dir: &Path,
    device: &Device,
    progress: &mut dyn FnMut(u64, u64),
) -> Result<(Manifest, Parameters), WeightsError> {
    let mut loader = Loader::new(read_manifest(dir)?, device);
    let manifest = loader.manifest().clone();
    let (mut done, total) = (0, manifest.bytes());
    for (index, shard) in manifest.shards.iter().enumerate() {
        let path = dir.join(&shard.file);
        loader.add_shard_from(index, &FileSource::open(&path).map_err(|e| WeightsError::io(&path, e))?)?;
        done += shard.bytes;
        progress(done, total);
    }
    let (_, parameters) = loader.finish()?;
    Ok((manifest, parameters))
}

/// Checks every shard of a folder: size, hash, and that it is a safetensors file whose tensors lie where the
/// manifest says. `progress(done, total)` counts bytes.
///
/// # Errors
/// Names the first shard that is missing, cut short or damaged, or the first tensor that is elsewhere.
pub fn check_folder(dir: &Path, manifest: &Manifest, progress: &mut dyn FnMut(u64, u64)) -> Result<(), WeightsError> {
    let (mut done, total) = (0, manifest.bytes());
    for (index, shard) in manifest.shards.iter().enumerate() {
        let bytes = read_shard(dir, shard)?;
        check_shard(&shard.file, shard.bytes, &shard.sha256, &bytes.as_slice())?;
        check_header(manifest, index, &shard.file, &bytes)?;
        done += shard.bytes;
        progress(done, total);
    }
    Ok(())
}

/// Holds the header of a shard against the byte ranges of the manifest.
fn check_header(manifest: &Manifest, index: usize, file: &str, bytes: &[u8]) -> Result<(), WeightsError> {
    let (header, metadata) = safetensors::SafeTensors::read_metadata(bytes)
        .map_err(|e| WeightsError::Manifest { reason: format!("shard {file} is not a safetensors file: {e}") })?;
    let base = header as u64 + 8;
    let tensors = metadata.tensors();
    for tensor in &manifest.tensors {
        let values = if tensor.storage.bits().is_some() { ".q" } else { "" };
        let pieces = tensor.pieces.iter().map(|piece| (values, piece));
        let scales = tensor.scale.iter().map(|piece| (".scale", piece));
        for (part, piece) in pieces.chain(scales).filter(|(_, piece)| piece.shard == index) {
            let lies_there = tensors.iter().any(|(name, info)| {
                let (start, end) = info.data_offsets;
                let found = [base + start as u64, base + end as u64];
                let label = name.strip_prefix(tensor.name.as_str()).and_then(|rest| rest.strip_prefix(part));
                found == piece.range && label.is_some_and(is_piece_suffix)
            });
            if !lies_there {
                let reason = format!("the header of shard {file} places it elsewhere");
                return Err(WeightsError::ByteRange { key: tensor.name.clone(), reason });
            }
        }
    }
    Ok(())
}

/// What follows a tensor's name inside a shard: nothing, or the row range of a piece.
fn is_piece_suffix(suffix: &str) -> bool {
    suffix.is_empty() || (suffix.starts_with('[') && suffix.ends_with(']'))
}

/// Reads a shard of the size the manifest says, without trusting that size for an allocation.
fn read_shard(dir: &Path, shard: &ShardEntry) -> Result<Vec<u8>, WeightsError> {
    let path = dir.join(&shard.file);
    let file = File::open(&path).map_err(|e| WeightsError::io(&path, e))?;
    let found = file.metadata().map_err(|e| WeightsError::io(&path, e))?.len();
    if found != shard.bytes {
        return Err(WeightsError::ShardTruncated { shard: shard.file.clone(), expected: shard.bytes, found });
    }
    read_at_most(&path, shard.bytes)
}

/// Reads a whole file of at most `limit` bytes.
pub(crate) fn read_at_most(path: &Path, limit: u64) -> Result<Vec<u8>, WeightsError> {
    let file = File::open(path).map_err(|e| WeightsError::io(path, e))?;
    let mut bytes = Vec::new();
    let found = file.take(limit.saturating_add(1)).read_to_end(&mut bytes).map_err(|e| WeightsError::io(path, e))?;
    if found as u64 > limit {
        let what = path.display().to_string();
        return Err(WeightsError::TooLarge { what, value: found as u64, limit });
    }
    Ok(bytes)
}

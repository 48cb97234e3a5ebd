//! The checks behind `Manifest::from_json`. Nothing here allocates from a number in the file.

use std::collections::{HashMap, HashSet};

use super::WeightsError;
use super::manifest::{MAX_SHARD_BYTES, Manifest, Piece, TensorEntry, element_count};
use crate::model::ParameterSpec;
use crate::quant::BLOCK;

/// Most shards of a model (128 GiB at the shard limit).
const MAX_SHARDS: u64 = 4096;
/// Most bytes of all shards.
const MAX_TOTAL_BYTES: u64 = 16 << 30;
/// Most values of one tensor, and of all together.
const MAX_TENSOR_VALUES: u64 = 1 << 28;
const MAX_VALUES: u64 = 1 << 32;
/// A safetensors file begins with the length of its header.
const FIRST_DATA_BYTE: u64 = 8;

pub(super) fn check(manifest: &Manifest) -> Result<(), WeightsError> {
    check_text(manifest)?;
    check_shards(manifest)?;
    manifest.config.validate()?;
    check_tensors(manifest)?;
    let weights = manifest.tensors.iter().fold(0u64, |sum, tensor| sum.saturating_add(tensor.device_bytes()[1]));
    if manifest.needs.gpu_mib.saturating_mul(1 << 20) < weights {
        return Err(invalid(format!(
            "needs.gpu_mib is {}, but the weights alone are {} bytes",
            manifest.needs.gpu_mib, weights
        )));
    }
    Ok(())
}

fn invalid(reason: impl Into<String>) -> WeightsError {
    WeightsError::Manifest { reason: reason.into() }
}

fn within(what: &str, value: u64, limit: u64) -> Result<(), WeightsError> {
    if value > limit {
        return Err(WeightsError::TooLarge { what: what.into(), value, limit });
    }
    Ok(())
}

/// Texts are shown to users: short, and without characters that could rewrite a terminal.
fn check_text(manifest: &Manifest) -> Result<(), WeightsError> {
    let texts =
        [("name", &manifest.name, 200), ("licence", &manifest.licence, 1000), ("source", &manifest.source, 1000)];
    for (what, text, limit) in texts {
        within(&format!("the length of {what}"), text.len() as u64, limit)?;
        if text.chars().any(char::is_control) {
            return Err(invalid(format!("{what} holds control characters")));
        }
    }
    if manifest.name.is_empty() {
        return Err(invalid("name is empty"));
    }
    let features = &manifest.needs.features;
    within("the number of needed features", features.len() as u64, 32)?;
    if features.iter().any(|f| f.len() > 64 || f.chars().any(char::is_control)) {
        return Err(invalid("needs.features is not a list of feature names"));
    }
    if let Some(hash) = &manifest.source_sha256
        && !is_sha256(hash)
    {
        return Err(invalid("source_sha256 is not a SHA-256"));
    }
    Ok(())
}

fn is_sha256(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b))
}

/// A name that stays inside the folder on every system: letters, digits, `.`, `_`, `-`; no leading dot.
fn is_plain(file: &str) -> bool {
    let known = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_' | b'-');
    (1..=128).contains(&file.len()) && file.bytes().all(known) && !file.starts_with('.') && !file.contains("..")
}

fn check_shards(manifest: &Manifest) -> Result<(), WeightsError> {
    within("the number of shards", manifest.shards.len() as u64, MAX_SHARDS)?;
    let mut names = HashSet::new();
    for shard in &manifest.shards {
        if !is_plain(&shard.file) || !shard.file.ends_with(".safetensors") {
            return Err(WeightsError::ShardName { file: shard.file.chars().take(200).collect() });
        }
        // Names that differ in case only are one file on some systems.
        if !names.insert(shard.file.to_ascii_lowercase()) {
            return Err(invalid(format!("shard {} is listed twice", shard.file)));
        }
        within(&format!("shard {}", shard.file), shard.bytes, MAX_SHARD_BYTES)?;
        if !is_sha256(&shard.sha256) {
            return Err(invalid(format!("the hash of shard {} is not a SHA-256", shard.file)));
        }
    }
    within("the size of the model", manifest.bytes(), MAX_TOTAL_BYTES)
}

fn check_tensors(manifest: &Manifest) -> Result<(), WeightsError> {
    let specs: HashMap<String, ParameterSpec> =
        manifest.config.parameters().into_iter().map(|spec| (spec.name.clone(), spec)).collect();
    let mut seen = HashSet::new();
    let mut ranges = vec![Vec::new(); manifest.shards.len()];
    let mut values = 0u64;
    for tensor in &manifest.tensors {
        let Some(spec) = specs.get(&tensor.name) else {
            return Err(WeightsError::Unexpected { key: printable(&tensor.name) });
        };
        if !seen.insert(tensor.name.as_str()) {
            return Err(WeightsError::Duplicate { key: tensor.name.clone() });
        }
        if tensor.shape != spec.shape {
            let found = tensor.shape.iter().copied().take(8).collect();
            return Err(WeightsError::Shape { key: tensor.name.clone(), expected: spec.shape.clone(), found });
        }
        let count = element_count(&tensor.shape).unwrap_or(u64::MAX);
        within(&tensor.name, count, MAX_TENSOR_VALUES)?;
        values = values.saturating_add(count);
        check_pieces(manifest, tensor, &mut ranges)?;
    }
    within("the number of parameters", values, MAX_VALUES)?;
    let mut missing: Vec<&String> =
        specs.values().filter(|s| s.used && !seen.contains(s.name.as_str())).map(|s| &s.name).collect();
    missing.sort_unstable();
    if let Some(key) = missing.first() {
        return Err(WeightsError::Missing { key: (*key).clone() });
    }
    for mut shard in ranges {
        shard.sort_unstable();
        for pair in shard.windows(2) {
            if let [(_, end, _), (start, _, name)] = pair
                && start < end
            {
                let reason = "its bytes overlap another tensor's".into();
                return Err(WeightsError::ByteRange { key: (*name).to_owned(), reason });
            }
        }
    }
    Ok(())
}

fn check_pieces<'m>(
    manifest: &Manifest,
    tensor: &'m TensorEntry,
    ranges: &mut [Vec<(u64, u64, &'m str)>],
) -> Result<(), WeightsError> {
    let key = &tensor.name;
    let wrong = |reason: String| WeightsError::ByteRange { key: key.clone(), reason };
    match (tensor.storage.bits(), tensor.block) {
        (Some(_), Some(BLOCK)) if tensor.shape.len() == 2 => {}
        (Some(_), Some(BLOCK)) => return Err(wrong(format!("only matrices can be stored as {}", tensor.storage))),
        (Some(_), block) => return Err(WeightsError::Block { key: key.clone(), block: block.unwrap_or(0) }),
        (None, None) if tensor.scale.is_empty() => {}
        (None, _) => return Err(wrong(format!("{} values have no blocks", tensor.storage))),
    }
    let ([row, scale_row], [values, scales]) = (tensor.row_bytes(), tensor.file_bytes());
    check_rows(manifest, key, &tensor.pieces, "values", row, values, ranges)?;
    check_rows(manifest, key, &tensor.scale, "scales", scale_row, scales, ranges)
}

/// Holds the pieces of one array against the size its shape gives it. Rows are cut between, never within.
fn check_rows<'m>(
    manifest: &Manifest,
    key: &'m str,
    pieces: &[Piece],
    what: &str,
    row_bytes: u64,
    expected: u64,
    ranges: &mut [Vec<(u64, u64, &'m str)>],
) -> Result<(), WeightsError> {
    let wrong = |reason: String| WeightsError::ByteRange { key: key.to_owned(), reason };
    let mut total = 0u64;
    for piece in pieces {
        let [start, end] = piece.range;
        let (Some(shard), Some(used)) = (manifest.shards.get(piece.shard), ranges.get_mut(piece.shard)) else {
            return Err(wrong(format!("shard {} does not exist", piece.shard)));
        };
        if start < FIRST_DATA_BYTE || end < start || end > shard.bytes {
            return Err(wrong(format!("bytes {start}..{end} are not inside a shard of {} bytes", shard.bytes)));
        }
        let length = end - start;
        if length == 0 || row_bytes == 0 || !length.is_multiple_of(row_bytes) {
            return Err(wrong(format!("a piece of {length} bytes is not a number of rows of {row_bytes} bytes")));
        }
        total = total.saturating_add(length);
        used.push((start, end, key));
    }
    if total != expected {
        return Err(wrong(format!("its shape needs {expected} bytes of {what}, its pieces hold {total}")));
    }
    Ok(())
}

/// A name from a file, short and without control characters, for an error message.
pub(crate) fn printable(name: &str) -> String {
    name.chars().take(200).map(|c| if c.is_control() { '?' } else { c }).collect()
}

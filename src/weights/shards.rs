//! Tensors to shards of at most 32 MiB and a manifest, in memory: one shard at a time, no input or output of its own.

use safetensors::tensor::{Dtype, TensorView};
use sha2::{Digest, Sha256};

use super::encode::{Encoded, Rounding, encode};
use super::loader::hex;
use super::manifest::{FORMAT, MAX_SHARD_BYTES, Manifest, Needs, Piece, ShardEntry, Storage, TensorEntry};
use super::{About, WeightsError};
use crate::quant::BLOCK;

/// Room kept for one entry of a shard's header beside the name (dtype, shape, offsets).
const HEADER_ENTRY: usize = 200;

/// A finished shard.
pub struct Shard {
    /// Plain file name.
    pub file: String,
    /// SHA-256, lower-case hexadecimal.
    pub sha256: String,
    /// The file.
    pub bytes: Vec<u8>,
}

/// Which array of a tensor a piece belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part {
    Values,
    Scale,
}

/// Bytes of rows on their way into the next shard.
struct Pending {
    /// Name inside the shard.
    label: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
    /// The tensor and piece whose place they are.
    tensor: usize,
    part: Part,
    piece: usize,
}

/// One array of a tensor, cut into rows where it is larger than a shard.
struct Array {
    label: String,
    dtype: Dtype,
    shape: Vec<usize>,
    bytes: Vec<u8>,
    part: Part,
}

/// Collects tensors and hands out shards as they fill.
pub(crate) struct ShardBuilder {
    pending: Vec<Pending>,
    pending_bytes: usize,
    tensors: Vec<TensorEntry>,
    shards: Vec<ShardEntry>,
    full: Vec<Shard>,
    /// Most bytes of a shard.
    limit: usize,
}

impl ShardBuilder {
    pub(crate) fn new() -> Self {
        Self {
            pending: Vec::new(),
            pending_bytes: HEADER_ENTRY,
            tensors: Vec::new(),
            shards: Vec::new(),
            full: Vec::new(),
            limit: usize::try_from(MAX_SHARD_BYTES).unwrap_or(usize::MAX),
        }
    }

    /// Bytes of an array that fit a shard of their own.
    fn capacity(&self, label: &str) -> usize {
        // Two entries' worth of room: the fixed part of the header, and the row range behind the name.
        self.limit - 2 * HEADER_ENTRY - label.len().min(1 << 14)
    }

    /// Adds one tensor; the shards that are full now, in order, and what storing it costs.
    pub(crate) fn push(
        &mut self,
        name: &str,
        shape: &[usize],
        storage: Storage,
        values: &[f32],
    ) -> Result<(Vec<Shard>, Rounding), WeightsError> {
        if super::manifest::element_count(shape) != Some(values.len() as u64) {
            let found = vec![values.len()];
            return Err(WeightsError::Shape { key: name.to_owned(), expected: shape.to_vec(), found });
        }
        let columns = shape.last().copied().unwrap_or(1).max(1);
        let rows = values.len() / columns;
        let Encoded { values, scales, rounding } = encode(storage, columns, values);
        self.tensors.push(TensorEntry {
            name: name.to_owned(),
            shape: shape.to_vec(),
            storage,
            block: storage.bits().map(|_| BLOCK),
            pieces: Vec::new(),
            scale: Vec::new(),
        });
        if let Some(bits) = storage.bits() {
            let words = vec![rows, bits.words_per_row(columns)];
            self.array(Array {
                label: format!("{name}.q"),
                dtype: Dtype::U32,
                shape: words,
                bytes: values,
                part: Part::Values,
            })?;
            let shape = vec![rows, crate::quant::blocks(columns)];
            let label = format!("{name}.scale");
            self.array(Array { label, dtype: Dtype::F16, shape, bytes: scales, part: Part::Scale })?;
        } else {
            let dtype = if storage == Storage::F16 { Dtype::F16 } else { Dtype::F32 };
            let label = name.to_owned();
            self.array(Array { label, dtype, shape: shape.to_vec(), bytes: values, part: Part::Values })?;
        }
        Ok((std::mem::take(&mut self.full), rounding))
    }

    fn array(&mut self, array: Array) -> Result<(), WeightsError> {
        let Array { label, dtype, shape, bytes, part } = array;
        let capacity = self.capacity(&label);
        let tensor = self.tensors.len().saturating_sub(1);
        if bytes.len() <= capacity {
            return self.add(Pending { label, dtype, shape, bytes, tensor, part, piece: 0 });
        }
        // Too large for any shard: as many whole rows as fit, again and again.
        let columns = shape.last().copied().unwrap_or(1).max(1);
        let rows = shape.iter().product::<usize>() / columns;
        let row_bytes = bytes.len() / rows.max(1);
        let rows_per_piece = capacity / row_bytes.max(1);
        if rows_per_piece == 0 {
            let limit = capacity as u64;
            return Err(WeightsError::TooLarge { what: format!("one row of {label}"), value: row_bytes as u64, limit });
        }
        for (piece, rows) in bytes.chunks(rows_per_piece * row_bytes).enumerate() {
            let first = piece * rows_per_piece;
            let count = rows.len() / row_bytes;
            let label = format!("{label}[{first}..{}]", first + count);
            self.add(Pending { label, dtype, shape: vec![count, columns], bytes: rows.to_vec(), tensor, part, piece })?;
        }
        Ok(())
    }

    fn add(&mut self, pending: Pending) -> Result<(), WeightsError> {
        let size = pending.bytes.len() + pending.label.len() + HEADER_ENTRY;
        if self.pending_bytes + size > self.limit {
            self.flush()?;
        }
        if let Some(tensor) = self.tensors.get_mut(pending.tensor) {
            pieces_of(tensor, pending.part).push(Piece { shard: self.shards.len(), range: [0, 0] });
        }
        self.pending_bytes += size;
        self.pending.push(pending);
        Ok(())
    }

    fn flush(&mut self) -> Result<(), WeightsError> {
        let pending = std::mem::take(&mut self.pending);
        self.pending_bytes = HEADER_ENTRY;
        if pending.is_empty() {
            return Ok(());
        }
        let written = |e: safetensors::SafeTensorError| WeightsError::Manifest { reason: e.to_string() };
        let mut views = Vec::new();
        for rows in &pending {
            let view = TensorView::new(rows.dtype, rows.shape.clone(), &rows.bytes).map_err(written)?;
            views.push((rows.label.as_str(), view));
        }
        let bytes = safetensors::serialize(views, None).map_err(written)?;
        let (header, metadata) = safetensors::SafeTensors::read_metadata(&bytes).map_err(written)?;
        for rows in &pending {
            let tensor = self.tensors.get_mut(rows.tensor);
            let place = tensor.and_then(|tensor| pieces_of(tensor, rows.part).get_mut(rows.piece));
            if let (Some(info), Some(piece)) = (metadata.info(&rows.label), place) {
                let base = header as u64 + 8;
                piece.range = [base + info.data_offsets.0 as u64, base + info.data_offsets.1 as u64];
            }
        }
        let file = format!("model-{:05}.safetensors", self.shards.len() + 1);
        let sha256 = hex(&Sha256::digest(&bytes));
        self.shards.push(ShardEntry { file: file.clone(), bytes: bytes.len() as u64, sha256: sha256.clone() });
        self.full.push(Shard { file, sha256, bytes });
        Ok(())
    }

    /// The last shard, and the manifest of all.
    pub(crate) fn finish(mut self, about: About) -> Result<(Vec<Shard>, Manifest), WeightsError> {
        self.flush()?;
        let needs = Needs::of(&about.config, &self.tensors);
        let manifest = Manifest {
            format: FORMAT,
            name: about.name,
            licence: about.licence,
            source: about.source,
            source_sha256: about.source_sha256,
            trained: about.trained,
            config: about.config,
            precision: about.precision,
            tensors: self.tensors,
            shards: self.shards,
            needs,
        };
        // What is written must pass the checks of whoever reads it.
        let manifest = Manifest::from_json(&manifest.to_json()?)?;
        Ok((self.full, manifest))
    }
}

fn pieces_of(tensor: &mut TensorEntry, part: Part) -> &mut Vec<Piece> {
    match part {
        Part::Values => &mut tensor.pieces,
        Part::Scale => &mut tensor.scale,
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used, reason = "tests")]
mod tests {
    use burn::tensor::Device;

    use super::super::{Loader, Mix, formula_values};
    use super::*;
    use crate::model::Config;

    #[test]
    fn packed_matrices_cut_over_shards_are_joined_in_any_order() {
        let config = Config::tiny();
        for precision in [Storage::Int8, Storage::Int4] {
            let mix = Mix::uniform(precision);
            let mut builder = ShardBuilder::new();
            builder.limit = 40_000;
            let mut shards = Vec::new();
            for spec in config.parameters().into_iter().filter(|spec| spec.used) {
                let values = formula_values(&spec.name, &spec.shape, &config);
                let storage = mix.storage(&spec, &values);
                shards.extend(builder.push(&spec.name, &spec.shape, storage, &values).unwrap().0);
            }
            let about = About {
                name: "test".into(),
                licence: "none".into(),
                source: "formula".into(),
                source_sha256: None,
                trained: false,
                config: config.clone(),
                precision,
                mix,
            };
            let (last, manifest) = builder.finish(about).unwrap();
            shards.extend(last);
            assert!(shards.iter().all(|shard| shard.bytes.len() <= 40_000));
            assert!(manifest.tensors.iter().any(|t| t.pieces.len() > 1 && !t.scale.is_empty()));
            let mut loader = Loader::new(manifest.clone(), &Device::flex());
            for (index, shard) in shards.iter().enumerate().rev() {
                loader.add_shard(index, &shard.bytes).unwrap();
            }
            let (_, mut parameters) = loader.finish().unwrap();
            for tensor in &manifest.tensors {
                let [rows, input] = tensor.shape[..] else { continue };
                let exact = formula_values(&tensor.name, &tensor.shape, &config);
                let expected = crate::quant::quantise(&exact, input, tensor.storage.bits().unwrap()).dequantise();
                let found = parameters.take(&tensor.name, [rows, input]).unwrap();
                assert!(found.into_data().try_into_vec::<f32>().unwrap() == expected, "{}", tensor.name);
            }
        }
    }
}

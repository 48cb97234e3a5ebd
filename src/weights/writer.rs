//! Writes a model folder: shards of at most 32 MiB, filled one tensor at a time, the manifest last.
//!
//! While a folder is being written it holds `manifest.json.partial` and no `manifest.json`, so an interrupted
//! run is never mistaken for a model.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};

use half::f16;
use safetensors::tensor::{Dtype, TensorView};
use sha2::{Digest, Sha256};

use super::loader::hex;
use super::manifest::{
    FORMAT, MANIFEST_FILE, MAX_SHARD_BYTES, Manifest, Needs, Piece, ShardEntry, Storage, TensorEntry,
};
use super::{About, WeightsError};

const PARTIAL: &str = "manifest.json.partial";
/// Room kept for one entry of a shard's header beside the name (dtype, shape, offsets).
const HEADER_ENTRY: usize = 200;

/// Bytes of rows on their way into the next shard.
struct Pending {
    /// Name inside the shard.
    label: String,
    storage: Storage,
    shape: Vec<usize>,
    bytes: Vec<u8>,
    /// The tensor and piece whose place they are.
    tensor: usize,
    piece: usize,
}

/// A model folder being written.
pub struct FolderWriter {
    dir: PathBuf,
    pending: Vec<Pending>,
    pending_bytes: usize,
    tensors: Vec<TensorEntry>,
    shards: Vec<ShardEntry>,
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
        Ok(Self {
            dir: dir.to_owned(),
            pending: Vec::new(),
            pending_bytes: HEADER_ENTRY,
            tensors: Vec::new(),
            shards: Vec::new(),
        })
    }

    /// Adds one tensor.
    ///
    /// # Errors
    /// When the values do not make the shape, the storage cannot be written, or the disk is full.
    pub fn push(&mut self, name: &str, shape: &[usize], storage: Storage, values: &[f32]) -> Result<(), WeightsError> {
        if super::manifest::element_count(shape) != Some(values.len() as u64) {
            let found = vec![values.len()];
            return Err(WeightsError::Shape { key: name.to_owned(), expected: shape.to_vec(), found });
        }
        let bytes = encode(storage, values)?;
        let capacity = shard_capacity(name);
        let index = self.tensors.len();
        self.tensors.push(TensorEntry {
            name: name.to_owned(),
            shape: shape.to_vec(),
            storage,
            block: None,
            pieces: Vec::new(),
        });
        if bytes.len() <= capacity {
            return self.add(Pending {
                label: name.to_owned(),
                storage,
                shape: shape.to_vec(),
                bytes,
                tensor: index,
                piece: 0,
            });
        }
        // Too large for any shard: as many whole rows as fit, again and again.
        let columns = shape.last().copied().unwrap_or(1).max(1);
        let rows = values.len() / columns;
        let row_bytes = bytes.len() / rows.max(1);
        let rows_per_piece = capacity / row_bytes.max(1);
        if rows_per_piece == 0 {
            let limit = capacity as u64;
            return Err(WeightsError::TooLarge { what: format!("one row of {name}"), value: row_bytes as u64, limit });
        }
        for (piece, part) in bytes.chunks(rows_per_piece * row_bytes).enumerate() {
            let first = piece * rows_per_piece;
            let count = part.len() / row_bytes;
            self.add(Pending {
                label: format!("{name}[{first}..{}]", first + count),
                storage,
                shape: vec![count, columns],
                bytes: part.to_vec(),
                tensor: index,
                piece,
            })?;
        }
        Ok(())
    }

    fn add(&mut self, pending: Pending) -> Result<(), WeightsError> {
        let size = pending.bytes.len() + pending.label.len() + HEADER_ENTRY;
        if self.pending_bytes + size > max_shard() {
            self.flush()?;
        }
        if let Some(tensor) = self.tensors.get_mut(pending.tensor) {
            tensor.pieces.push(Piece { shard: self.shards.len(), range: [0, 0] });
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
        for part in &pending {
            let dtype = if part.storage == Storage::F16 { Dtype::F16 } else { Dtype::F32 };
            views
                .push((part.label.as_str(), TensorView::new(dtype, part.shape.clone(), &part.bytes).map_err(written)?));
        }
        let shard = safetensors::serialize(views, None).map_err(written)?;
        let (header, metadata) = safetensors::SafeTensors::read_metadata(&shard).map_err(written)?;
        for part in &pending {
            let place = self.tensors.get_mut(part.tensor).and_then(|tensor| tensor.pieces.get_mut(part.piece));
            if let (Some(info), Some(piece)) = (metadata.info(&part.label), place) {
                let base = header as u64 + 8;
                piece.range = [base + info.data_offsets.0 as u64, base + info.data_offsets.1 as u64];
            }
        }
        let file = format!("model-{:05}.safetensors", self.shards.len() + 1);
        write_whole(&self.dir.join(&file), &shard)?;
        self.shards.push(ShardEntry { file, bytes: shard.len() as u64, sha256: hex(&Sha256::digest(&shard)) });
        Ok(())
    }

    /// Writes the last shard, and then the manifest, which makes the folder a model.
    ///
    /// # Errors
    /// When the tensors are not those of the config, or the disk is full.
    pub fn finish(mut self, about: About) -> Result<Manifest, WeightsError> {
        self.flush()?;
        let needs = Needs::of(&about.config, &self.tensors, &self.shards);
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
        let text = manifest.to_json()?;
        // What is written must pass the checks of whoever reads it.
        let manifest = Manifest::from_json(&text)?;
        let partial = self.dir.join(PARTIAL);
        write_whole(&partial, text.as_bytes())?;
        let path = self.dir.join(MANIFEST_FILE);
        fs::rename(&partial, &path).map_err(|e| WeightsError::io(&path, e))?;
        Ok(manifest)
    }
}

fn is_shard_name(name: &str) -> bool {
    name.starts_with("model-") && name.ends_with(".safetensors")
}

fn max_shard() -> usize {
    usize::try_from(MAX_SHARD_BYTES).unwrap_or(usize::MAX)
}

/// Bytes of a tensor that fit a shard of their own.
fn shard_capacity(name: &str) -> usize {
    // Two entries' worth of room: the fixed part of the header, and the row range behind the name.
    max_shard() - 2 * HEADER_ENTRY - name.len().min(1 << 16)
}

/// Writes a file and waits until it is on the disk.
fn write_whole(path: &Path, bytes: &[u8]) -> Result<(), WeightsError> {
    let io = |e| WeightsError::io(path, e);
    let mut file = fs::File::create(path).map_err(io)?;
    file.write_all(bytes).map_err(io)?;
    file.sync_all().map_err(io)
}

fn encode(storage: Storage, values: &[f32]) -> Result<Vec<u8>, WeightsError> {
    match storage {
        Storage::F32 => Ok(values.iter().flat_map(|v| v.to_le_bytes()).collect()),
        Storage::F16 => Ok(values.iter().flat_map(|v| f16::from_f32(*v).to_le_bytes()).collect()),
        Storage::Int8 | Storage::Int4 => Err(WeightsError::Precision { precision: storage.to_string() }),
    }
}

//! `manifest.json`: what a model folder holds, format version 1.
//!
//! A manifest is untrusted input. `Manifest::from_json` accepts only one whose every tensor is a tensor of
//! the network its `config` describes, whose byte ranges lie inside shards of at most 32 MiB and are exactly
//! as long as the shape says, and whose file names are plain. After that, sizes in it can be relied on;
//! still nothing is allocated from them before as many bytes have arrived.
//!
//! ```text
//! { "format": 1, "name", "licence", "source", "source_sha256", "trained", "config": {..}, "precision": "f16",
//!   "tensors": [ { "name", "shape", "storage": "f16", "pieces": [ { "shard": 0, "range": [start, end] } ] } ],
//!   "shards":  [ { "file", "bytes", "sha256" } ],
//!   "needs":   { "gpu_mib", "max_binding_mib", "features", "wasm_mib" } }
//! ```
//! `range` counts bytes from the start of the shard file, so it can be fetched by an HTTP range request. A
//! tensor larger than a shard has several pieces: consecutive rows, in order. Packed tensors (`int8`, `int4`)
//! also have `"block": 32` and `"scale"`, the pieces of their scales; `quant` says how they are packed.

use std::fmt;

use serde::{Deserialize, Serialize};

use super::WeightsError;
use super::check::check;
use crate::model::Config;
use crate::quant::{Bits, blocks};

/// The format this program writes and reads.
pub const FORMAT: u32 = 1;
/// File name of the manifest inside a model folder.
pub const MANIFEST_FILE: &str = "manifest.json";
/// Most bytes of one shard: content delivery networks and phones cope with that.
pub const MAX_SHARD_BYTES: u64 = 32 << 20;
/// Most bytes of a `manifest.json`.
pub const MAX_MANIFEST_BYTES: u64 = 16 << 20;

/// How the values of a tensor are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Storage {
    /// IEEE single precision, little endian.
    F32,
    /// IEEE half precision, little endian.
    F16,
    /// Packed blocks of 8-bit integers (`quant`).
    Int8,
    /// Packed blocks of 4-bit integers (`quant`).
    Int4,
}

impl Storage {
    /// Bytes of one value; `None` for packed formats.
    #[must_use]
    pub fn size(self) -> Option<u64> {
        match self {
            Self::F32 => Some(4),
            Self::F16 => Some(2),
            Self::Int8 | Self::Int4 => None,
        }
    }

    /// Width of the integers of packed formats.
    #[must_use]
    pub fn bits(self) -> Option<Bits> {
        match self {
            Self::F32 | Self::F16 => None,
            Self::Int8 => Some(Bits::Int8),
            Self::Int4 => Some(Bits::Int4),
        }
    }
}

impl fmt::Display for Storage {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::F32 => "f32",
            Self::F16 => "f16",
            Self::Int8 => "int8",
            Self::Int4 => "int4",
        })
    }
}

/// Bytes of consecutive rows of a tensor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Piece {
    /// Index into `Manifest::shards`.
    pub shard: usize,
    /// First byte and one past the last, counted from the start of the shard file.
    pub range: [u64; 2],
}

/// Where one tensor is.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct TensorEntry {
    /// Checkpoint key.
    pub name: String,
    /// Row-major shape.
    pub shape: Vec<usize>,
    /// How its values are stored.
    pub storage: Storage,
    /// Values per block along the last dimension, for packed storage only.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub block: Option<usize>,
    /// Its bytes, in order.
    pub pieces: Vec<Piece>,
    /// The bytes of its scales (half precision, one per block), in order; for packed storage only.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub scale: Vec<Piece>,
}

impl TensorEntry {
    /// Number of values, `None` where it does not fit 64 bits.
    #[must_use]
    pub fn element_count(&self) -> Option<u64> {
        element_count(&self.shape)
    }

    /// Bytes in the file of a tensor of this shape and storage.
    #[must_use]
    pub(crate) fn bytes_of(shape: &[usize], storage: Storage) -> u64 {
        let (name, shape) = (String::new(), shape.to_vec());
        let entry = Self { name, shape, storage, block: None, pieces: Vec::new(), scale: Vec::new() };
        entry.file_bytes().iter().sum()
    }

    /// Bytes of one row in the file, values and scales; a row is the last dimension.
    #[must_use]
    pub(crate) fn row_bytes(&self) -> [u64; 2] {
        let columns = self.shape.last().copied().unwrap_or(1).max(1);
        match (self.storage.bits(), self.storage.size()) {
            (Some(bits), _) => [bits.words_per_row(columns) as u64 * 4, blocks(columns) as u64 * 2],
            (None, size) => [columns as u64 * size.unwrap_or(0), 0],
        }
    }

    /// Bytes of values and of scales in the file, by shape and storage.
    #[must_use]
    pub(crate) fn file_bytes(&self) -> [u64; 2] {
        let columns = self.shape.last().copied().unwrap_or(1).max(1) as u64;
        let rows = self.element_count().unwrap_or(u64::MAX) / columns;
        self.row_bytes().map(|bytes| rows.saturating_mul(bytes))
    }

    /// Bytes on a compute device, of the largest buffer and of all: packed values stay packed with f32 scales,
    /// everything else is f32.
    #[must_use]
    pub(crate) fn device_bytes(&self) -> [u64; 2] {
        let [values, scales] = self.file_bytes();
        if self.storage.bits().is_some() {
            [values, values.saturating_add(scales.saturating_mul(2))]
        } else {
            [self.element_count().unwrap_or(u64::MAX).saturating_mul(4); 2]
        }
    }
}

/// One shard file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ShardEntry {
    /// Plain file name inside the model folder.
    pub file: String,
    /// Size of the file.
    pub bytes: u64,
    /// SHA-256 of the file, lower-case hexadecimal.
    pub sha256: String,
}

/// What a device needs to run the model; computed from the tensors and the config.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Needs {
    /// Memory of the compute device: weights as they are kept there plus the largest maps of one frame.
    pub gpu_mib: u64,
    /// Largest single weight buffer.
    pub max_binding_mib: u64,
    /// Adapter features without which the model does not run.
    pub features: Vec<String>,
    /// Host memory while loading onto a GPU; on the CPU `gpu_mib` comes on top.
    pub wasm_mib: u64,
}

/// A model folder's table of contents. See the module documentation for the file.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub struct Manifest {
    /// Format version.
    pub format: u32,
    /// Name shown to users.
    pub name: String,
    /// Licence of the weights.
    pub licence: String,
    /// What the folder was made from.
    pub source: String,
    /// SHA-256 of the source file, when there was one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub source_sha256: Option<String>,
    /// False for formula weights, whose output is not a reconstruction.
    pub trained: bool,
    /// The network.
    pub config: Config,
    /// Storage asked for at conversion; single tensors may be kept more precisely.
    pub precision: Storage,
    /// Every parameter that inference reads.
    pub tensors: Vec<TensorEntry>,
    /// The shard files.
    pub shards: Vec<ShardEntry>,
    /// What a device needs.
    pub needs: Needs,
}

/// The part of a manifest that every version has.
#[derive(Deserialize)]
struct Version {
    format: u32,
}

impl Manifest {
    /// Reads and checks a `manifest.json`.
    ///
    /// # Errors
    /// When the text is not a manifest of a known version, or anything in it does not fit the rest.
    pub fn from_json(text: &str) -> Result<Self, WeightsError> {
        let length = text.len() as u64;
        if length > MAX_MANIFEST_BYTES {
            return Err(WeightsError::TooLarge {
                what: "manifest.json".into(),
                value: length,
                limit: MAX_MANIFEST_BYTES,
            });
        }
        let invalid = |e: serde_json::Error| WeightsError::Manifest { reason: e.to_string() };
        // The version first: the rest of a newer format may not even parse.
        let version: Version = serde_json::from_str(text).map_err(invalid)?;
        match version.format {
            FORMAT => {}
            0 => return Err(WeightsError::Manifest { reason: "format 0 does not exist".into() }),
            newer => return Err(WeightsError::NewerProgram { what: format!("format {newer}") }),
        }
        let manifest: Self = serde_json::from_str(text).map_err(invalid)?;
        check(&manifest)?;
        Ok(manifest)
    }

    /// The text of `manifest.json`.
    ///
    /// # Errors
    /// When a value cannot be written as JSON.
    pub fn to_json(&self) -> Result<String, WeightsError> {
        serde_json::to_string(self).map_err(|e| WeightsError::Manifest { reason: e.to_string() })
    }

    /// Bytes of all shards.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        self.shards.iter().fold(0, |sum, shard| sum.saturating_add(shard.bytes))
    }

    /// Number of stored values.
    #[must_use]
    pub fn parameters(&self) -> u64 {
        self.tensors.iter().filter_map(TensorEntry::element_count).fold(0, u64::saturating_add)
    }
}

impl Needs {
    /// Computes what a device needs for these tensors.
    #[must_use]
    pub fn of(config: &Config, tensors: &[TensorEntry]) -> Self {
        let kept = tensors.iter().map(TensorEntry::device_bytes);
        let weights = kept.clone().map(|[_, all]| all).fold(0u64, u64::saturating_add);
        let largest = kept.map(|[largest, _]| largest).max().unwrap_or(0);
        let stored = tensors.iter().map(|tensor| tensor.file_bytes().iter().sum()).max().unwrap_or(0u64);
        // The dense heads' last maps are the largest of a frame: half the fusion width at full size, and three
        // of them live at once (input, output, scratch).
        let pixels = (config.image_size as u64).saturating_pow(2);
        let map = pixels.saturating_mul(4).saturating_mul((config.dpt.feature_dim / 2) as u64);
        Self {
            gpu_mib: mib(weights.saturating_add(map.saturating_mul(3))),
            max_binding_mib: mib(largest),
            features: Vec::new(),
            // One tensor as stored, decoded, and its copy on the way to the device.
            wasm_mib: mib(stored.saturating_add(largest.saturating_mul(2))),
        }
    }
}

fn mib(bytes: u64) -> u64 {
    bytes.div_ceil(1 << 20)
}

/// Product of a shape, `None` where it does not fit 64 bits.
pub(crate) fn element_count(shape: &[usize]) -> Option<u64> {
    shape.iter().try_fold(1u64, |product, dim| product.checked_mul(*dim as u64))
}

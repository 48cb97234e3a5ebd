//! Checkpoint files: the names, shapes and values in a `.pth` (zip pickle) or `.safetensors` file.
//!
//! Opening reads the table of contents only; values are read one tensor at a time. Nothing in a pickle is ever
//! called, and a pickle that asks for a call which no weights need is refused.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{Read, Seek, SeekFrom};
use std::path::{Path, PathBuf};

use pytorch_reader::{PytorchError, PytorchReader};
use sha2::{Digest, Sha256};

use super::check::printable;
use super::loader::hex;
use super::pickle_scan::{Scan, Trust, scan, trust};
use super::{WeightsError, bytes};

/// Longest safetensors header that is read.
const MAX_HEADER_BYTES: u64 = 64 << 20;
/// Most bytes of one tensor.
const MAX_TENSOR_BYTES: u64 = 2 << 30;
/// Most keys of a checkpoint.
const MAX_KEYS: u64 = 100_000;
/// Most pickles inside a zip file.
const MAX_PICKLES: usize = 16;
/// Where training code keeps the weights; the empty name is the root of the file.
const STATE_DICTS: &[Option<&str>] = &[Some("model"), Some("state_dict"), Some("model_state_dict"), None];

/// Element types that weights come in.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Element {
    F32,
    F16,
    Bf16,
    Other(String),
}

impl Element {
    fn new(name: String) -> Self {
        match name.as_str() {
            "F32" => Self::F32,
            "F16" => Self::F16,
            "BF16" => Self::Bf16,
            _ => Self::Other(name.to_lowercase()),
        }
    }
}

enum Place {
    Pickle(pytorch_reader::Tensor),
    File { start: u64, bytes: u64 },
}

/// One tensor of a checkpoint.
pub struct CheckpointTensor {
    /// Row-major shape.
    pub shape: Vec<usize>,
    element: Element,
    place: Place,
}

impl CheckpointTensor {
    /// Name of the element type: `f32`, `f16`, `bf16`, or what the file calls it.
    #[must_use]
    pub fn element(&self) -> &str {
        match &self.element {
            Element::F32 => "f32",
            Element::F16 => "f16",
            Element::Bf16 => "bf16",
            Element::Other(name) => name,
        }
    }
}

/// An open checkpoint.
pub struct Checkpoint {
    path: PathBuf,
    tensors: BTreeMap<String, CheckpointTensor>,
    model_text: Option<String>,
    notes: Vec<String>,
}

impl Checkpoint {
    /// Reads the table of contents of a checkpoint.
    ///
    /// # Errors
    /// When the file is neither a zip pickle nor safetensors, is damaged, or asks for code to be run.
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let mut file = File::open(path).map_err(|e| WeightsError::io(path, e))?;
        let mut head = Vec::new();
        file.by_ref().take(9).read_to_end(&mut head).map_err(|e| WeightsError::io(path, e))?;
        if head.starts_with(b"PK") {
            Self::open_pickle(path)
        } else if head.get(8) == Some(&b'{') {
            Self::open_safetensors(path, file)
        } else {
            Err(damaged(path, "neither a PyTorch zip file nor .safetensors"))
        }
    }

    fn open_pickle(path: &Path) -> Result<Self, WeightsError> {
        let found = scan_zip(path)?;
        if let Some(global) = found.globals.iter().find(|name| trust(name) == Trust::Unsafe) {
            return Err(WeightsError::UnsafePickle { path: path.display().to_string(), global: printable(global) });
        }
        let notes = found
            .globals
            .iter()
            .filter(|name| trust(name) == Trust::Unknown)
            .map(|name| format!("the file also holds a Python object {}, which was not interpreted", printable(name)))
            .collect();
        for key in STATE_DICTS {
            let reader = match key {
                Some(key) => PytorchReader::with_top_level_key(path, key),
                None => PytorchReader::new(path),
            };
            let reader = match reader {
                Ok(reader) if !reader.is_empty() => reader,
                Ok(_) | Err(PytorchError::KeyNotFound(_)) => continue,
                Err(PytorchError::Io(e)) if e.kind() == std::io::ErrorKind::NotFound => {
                    return Err(WeightsError::io(path, e));
                }
                Err(e) => return Err(damaged(path, &e.to_string())),
            };
            let tensors = reader
                .into_tensors()
                .into_iter()
                .map(|(name, tensor)| {
                    let (shape, element) = (tensor.shape().to_vec(), Element::new(format!("{:?}", tensor.dtype())));
                    (name, CheckpointTensor { shape, element, place: Place::Pickle(tensor) })
                })
                .collect();
            return Self::new(path, tensors, found.model_text, notes);
        }
        Err(damaged(path, "it holds no tensors"))
    }

    fn open_safetensors(path: &Path, mut file: File) -> Result<Self, WeightsError> {
        let io = |e| WeightsError::io(path, e);
        let size = file.metadata().map_err(io)?.len();
        file.seek(SeekFrom::Start(0)).map_err(io)?;
        let mut length = [0; 8];
        file.read_exact(&mut length).map_err(io)?;
        let length = u64::from_le_bytes(length);
        if length > MAX_HEADER_BYTES.min(size) {
            return Err(damaged(path, "its header is longer than the file"));
        }
        let mut header = Vec::new();
        file.take(length).read_to_end(&mut header).map_err(io)?;
        let metadata: safetensors::tensor::Metadata =
            serde_json::from_slice(&header).map_err(|e| damaged(path, &e.to_string()))?;
        let base = length + 8;
        if base.saturating_add(metadata.data_len() as u64) != size {
            return Err(damaged(path, "it is cut short, or longer than its header says"));
        }
        let tensors = metadata
            .tensors()
            .into_iter()
            .map(|(name, info)| {
                let (start, end) = (info.data_offsets.0 as u64, info.data_offsets.1 as u64);
                let place = Place::File { start: base + start, bytes: end.saturating_sub(start) };
                let element = Element::new(format!("{:?}", info.dtype));
                (name, CheckpointTensor { shape: info.shape.clone(), element, place })
            })
            .collect();
        Self::new(path, tensors, None, Vec::new())
    }

    fn new(
        path: &Path,
        tensors: BTreeMap<String, CheckpointTensor>,
        model_text: Option<String>,
        notes: Vec<String>,
    ) -> Result<Self, WeightsError> {
        let (value, limit) = (tensors.len() as u64, MAX_KEYS);
        if value > limit {
            return Err(WeightsError::TooLarge { what: "the number of keys".into(), value, limit });
        }
        Ok(Self { path: path.to_owned(), tensors, model_text, notes })
    }

    /// The file.
    #[must_use]
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Every tensor by the key it has in the file.
    #[must_use]
    pub fn tensors(&self) -> &BTreeMap<String, CheckpointTensor> {
        &self.tensors
    }

    /// Keys and shapes.
    pub fn keys(&self) -> impl Iterator<Item = (&str, &[usize])> {
        self.tensors.iter().map(|(name, tensor)| (name.as_str(), tensor.shape.as_slice()))
    }

    /// The text that described the model when it was trained, if the file has it. Never evaluated.
    #[must_use]
    pub fn model_text(&self) -> Option<&str> {
        self.model_text.as_deref()
    }

    /// Remarks worth showing.
    #[must_use]
    pub fn notes(&self) -> &[String] {
        &self.notes
    }

    /// The stored bytes of one tensor, as many as its shape says.
    ///
    /// # Errors
    /// When there is no such tensor, or its bytes cannot be read.
    pub fn bytes(&self, key: &str) -> Result<Vec<u8>, WeightsError> {
        let tensor = self.tensors.get(key).ok_or_else(|| WeightsError::Missing { key: key.to_owned() })?;
        match &tensor.place {
            Place::Pickle(pickle) => {
                within_limit(key, pickle.byte_len() as u64)?;
                pickle.read().map_err(|e| damaged(&self.path, &e.to_string()))
            }
            Place::File { start, bytes } => {
                within_limit(key, *bytes)?;
                let io = |e| WeightsError::io(&self.path, e);
                let mut file = File::open(&self.path).map_err(io)?;
                file.seek(SeekFrom::Start(*start)).map_err(io)?;
                let mut buffer = Vec::new();
                let found = file.take(*bytes).read_to_end(&mut buffer).map_err(io)?;
                if found as u64 == *bytes { Ok(buffer) } else { Err(damaged(&self.path, "it is cut short")) }
            }
        }
    }

    /// The values of one tensor.
    ///
    /// # Errors
    /// When it cannot be read, is not of a weight type, or holds values that are not numbers.
    pub fn values(&self, key: &str) -> Result<Vec<f32>, WeightsError> {
        let raw = self.bytes(key)?;
        let element = self.tensors.get(key).map(|tensor| &tensor.element);
        let values = match element {
            Some(Element::F32) => bytes::from_f32(&raw),
            Some(Element::F16) => bytes::from_f16(&raw),
            Some(Element::Bf16) => bytes::from_bf16(&raw),
            Some(Element::Other(dtype)) => {
                return Err(WeightsError::Dtype { key: key.to_owned(), dtype: dtype.clone() });
            }
            None => return Err(WeightsError::Missing { key: key.to_owned() }),
        };
        if values.iter().any(|value| !value.is_finite()) {
            return Err(WeightsError::NotFinite { key: key.to_owned() });
        }
        Ok(values)
    }

    /// SHA-256 of the whole file, lower-case hexadecimal.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn sha256(&self) -> Result<String, WeightsError> {
        let io = |e| WeightsError::io(&self.path, e);
        let mut file = File::open(&self.path).map_err(io)?;
        let mut hash = Sha256::new();
        std::io::copy(&mut file, &mut hash).map_err(io)?;
        Ok(hex(&hash.finalize()))
    }
}

fn damaged(path: &Path, reason: &str) -> WeightsError {
    WeightsError::Checkpoint { path: path.display().to_string(), reason: printable(reason) }
}

fn within_limit(key: &str, value: u64) -> Result<(), WeightsError> {
    if value > MAX_TENSOR_BYTES {
        return Err(WeightsError::TooLarge { what: printable(key), value, limit: MAX_TENSOR_BYTES });
    }
    Ok(())
}

/// Scans every pickle inside the zip file (`torch.save` writes one, `data.pkl`).
fn scan_zip(path: &Path) -> Result<Scan, WeightsError> {
    let file = File::open(path).map_err(|e| WeightsError::io(path, e))?;
    let mut archive = zip::ZipArchive::new(std::io::BufReader::new(file)).map_err(|e| damaged(path, &e.to_string()))?;
    let mut all: Option<Scan> = None;
    let mut pickles = 0;
    for index in 0..archive.len() {
        let entry = archive.by_index(index).map_err(|e| damaged(path, &e.to_string()))?;
        if !entry.name_raw().ends_with(b".pkl") {
            continue;
        }
        pickles += 1;
        if pickles > MAX_PICKLES {
            return Err(damaged(path, "it holds more pickles than any checkpoint"));
        }
        let mut pickle = Vec::new();
        entry
            .take(pytorch_reader::MAX_PICKLE_SIZE)
            .read_to_end(&mut pickle)
            .map_err(|e| damaged(path, &e.to_string()))?;
        let found = scan(&pickle).ok_or_else(|| damaged(path, "its pickle is damaged"))?;
        let all = all.get_or_insert_default();
        all.globals.extend(found.globals);
        all.model_text = all.model_text.take().or(found.model_text);
    }
    all.ok_or_else(|| damaged(path, "it is a zip file without a pickle, not a checkpoint"))
}

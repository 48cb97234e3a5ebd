//! Checkpoint files: the names, shapes and values in a `.pth` (zip pickle) or `.safetensors` file.
//!
//! Opening reads the table of contents only; values are read one tensor at a time, natively from a file and in the page
//! from a dropped one. Nothing in a pickle is ever called, and a pickle that asks for a call which no weights need is
//! refused.

mod hashing;
mod pickle;
mod pickle_scan;
mod zip_index;

use std::collections::BTreeMap;
#[cfg(not(target_arch = "wasm32"))]
use std::path::{Path, PathBuf};

use super::check::printable;
#[cfg(not(target_arch = "wasm32"))]
use super::source::FileSource;
use super::source::{Source, contains};
use super::{WeightsError, bytes};
pub use hashing::Hashing;
use pickle::PickledTensor;
use pickle_scan::{Scan, Trust, scan, trust};
use zip_index::ZipIndex;

/// Longest safetensors header that is read.
const MAX_HEADER_BYTES: u64 = natively(64 << 20, 8 << 20);
/// Most bytes of one tensor.
const MAX_TENSOR_BYTES: u64 = natively(2 << 30, 128 << 20);
/// Most keys of a checkpoint.
const MAX_KEYS: u64 = 100_000;
/// Most pickles inside a zip file.
const MAX_PICKLES: usize = 16;
/// Most bytes of one pickle.
const MAX_PICKLE_BYTES: u64 = natively(64 << 20, 8 << 20);
/// Where training code keeps the weights, if not at the root of the file.
const STATE_DICTS: &[&str] = &["model", "state_dict", "model_state_dict"];

/// A limit natively, and in the page, whose memory is small: the released checkpoint's largest tensor has 38 MB, its
/// pickle 0.2 MB.
const fn natively(limit: u64, page: u64) -> u64 {
    if cfg!(target_arch = "wasm32") { page } else { limit }
}

/// Element types that weights come in.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Element {
    F32,
    F16,
    Bf16,
    Other(String),
}

impl Element {
    /// From the name in a safetensors header or of a PyTorch type.
    fn new(name: &str) -> Self {
        match name {
            "F32" | "FloatStorage" | "float32" => Self::F32,
            "F16" | "HalfStorage" | "float16" => Self::F16,
            "BF16" | "BFloat16Storage" | "bfloat16" => Self::Bf16,
            _ => Self::Other(printable(name.trim_end_matches("Storage")).to_lowercase()),
        }
    }

    fn size(&self) -> Option<u64> {
        match self {
            Self::F32 => Some(4),
            Self::F16 | Self::Bf16 => Some(2),
            Self::Other(_) => None,
        }
    }
}

enum Place {
    /// A range of a storage, which is an entry of the zip file.
    Pickle(PickledTensor),
    File {
        start: u64,
        bytes: u64,
    },
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
        Self::name_of(&self.element)
    }

    fn name_of(element: &Element) -> &str {
        match element {
            Element::F32 => "f32",
            Element::F16 => "f16",
            Element::Bf16 => "bf16",
            Element::Other(name) => name,
        }
    }
}

/// An open checkpoint.
pub struct Checkpoint {
    name: String,
    source: Box<dyn Source>,
    #[cfg(not(target_arch = "wasm32"))]
    path: PathBuf,
    zip: ZipIndex,
    /// Name of the folder inside the zip file, with its slash.
    folder: String,
    tensors: BTreeMap<String, CheckpointTensor>,
    model_text: Option<String>,
    notes: Vec<String>,
}

impl Checkpoint {
    /// Reads the table of contents of a checkpoint on disk.
    ///
    /// # Errors
    /// When the file is neither a zip pickle nor safetensors, is damaged, or asks for code to be run.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn open(path: &Path) -> Result<Self, WeightsError> {
        let source = FileSource::open(path).map_err(|e| WeightsError::io(path, e))?;
        let mut checkpoint = Self::read(&path.display().to_string(), Box::new(source))?;
        path.clone_into(&mut checkpoint.path);
        Ok(checkpoint)
    }

    /// Reads the table of contents of a checkpoint; `name` is for messages.
    ///
    /// # Errors
    /// As `open`.
    pub fn read(name: &str, source: Box<dyn Source>) -> Result<Self, WeightsError> {
        let mut checkpoint = Self {
            name: name.to_owned(),
            source,
            #[cfg(not(target_arch = "wasm32"))]
            path: PathBuf::new(),
            zip: ZipIndex::default(),
            folder: String::new(),
            tensors: BTreeMap::new(),
            model_text: None,
            notes: Vec::new(),
        };
        let head = checkpoint.part(0, checkpoint.source.len().min(9))?;
        if head.starts_with(b"PK") {
            checkpoint.read_pickle()?;
        } else if head.get(8) == Some(&b'{') {
            checkpoint.read_safetensors()?;
        } else {
            return Err(checkpoint.damaged("neither a PyTorch zip file nor .safetensors"));
        }
        let (value, limit) = (checkpoint.tensors.len() as u64, MAX_KEYS);
        if value > limit {
            return Err(WeightsError::TooLarge { what: "the number of keys".into(), value, limit });
        }
        Ok(checkpoint)
    }

    fn damaged(&self, reason: &str) -> WeightsError {
        WeightsError::Checkpoint { path: self.name.clone(), reason: printable(reason) }
    }

    /// A range of the file, after checking that it is there.
    fn part(&self, offset: u64, length: u64) -> Result<Vec<u8>, WeightsError> {
        let size = usize::try_from(length).ok().filter(|_| contains(self.source.as_ref(), offset, length));
        let size = size.ok_or_else(|| self.damaged("it is cut short"))?;
        self.source.read_at(offset, size).map_err(|e| WeightsError::Io { path: self.name.clone(), source: e })
    }

    fn read_pickle(&mut self) -> Result<(), WeightsError> {
        self.zip = ZipIndex::read(self.source.as_ref()).map_err(|reason| self.damaged(&reason))?;
        let (data, found) = self.scan_pickles()?;
        if let Some(global) = found.globals.iter().find(|name| trust(name) == Trust::Unsafe) {
            return Err(WeightsError::UnsafePickle { path: self.name.clone(), global: printable(global) });
        }
        let unknown = found.globals.iter().filter(|name| trust(name) == Trust::Unknown);
        let note = |name: &String| {
            format!("the file also holds a Python object {}, which was not interpreted", printable(name))
        };
        self.notes = unknown.map(note).collect();
        self.model_text = found.model_text;
        let (name, pickle) = data.ok_or_else(|| self.damaged("it holds no data.pkl"))?;
        self.folder = name.trim_end_matches("data.pkl").to_owned();
        if let Some(entry) = self.zip.0.get(&format!("{}byteorder", self.folder)).cloned()
            && entry.size < 64
            && self.entry(&entry)? != b"little"
        {
            return Err(self.damaged("its numbers are big-endian"));
        }
        let limit = usize::try_from(MAX_KEYS).unwrap_or(usize::MAX);
        let tensors = pickle::tensors(&pickle, STATE_DICTS, limit);
        let tensors = tensors.ok_or_else(|| self.damaged("its pickle is damaged"))?;
        if tensors.is_empty() {
            return Err(self.damaged("it holds no tensors"));
        }
        for (name, tensor) in tensors {
            let (shape, element) = (tensor.shape.clone(), Element::new(&tensor.element));
            self.tensors.insert(name, CheckpointTensor { shape, element, place: Place::Pickle(tensor) });
        }
        Ok(())
    }

    /// The pickle that lists the tensors (`torch.save` writes no other), and what all of them mention together.
    #[expect(clippy::type_complexity, reason = "one private step")]
    fn scan_pickles(&self) -> Result<(Option<(String, Vec<u8>)>, Scan), WeightsError> {
        let entries: Vec<_> = self.zip.0.iter().filter(|(name, _)| name.ends_with(".pkl")).collect();
        if entries.is_empty() || entries.len() > MAX_PICKLES {
            return Err(self.damaged("it is a zip file without a pickle, or with too many, not a checkpoint"));
        }
        let (mut data, mut all) = (None, Scan::default());
        for (name, entry) in entries {
            if entry.size > MAX_PICKLE_BYTES {
                return Err(self.damaged("its pickle is larger than any checkpoint's"));
            }
            let pickle = self.entry(entry)?;
            let found = scan(&pickle).ok_or_else(|| self.damaged("its pickle is damaged"))?;
            all.globals.extend(found.globals);
            all.model_text = all.model_text.take().or(found.model_text);
            if data.is_none() && name.ends_with("data.pkl") {
                data = Some((name.clone(), pickle));
            }
        }
        Ok((data, all))
    }

    /// All bytes of an entry of the zip file, whose checksum is right.
    fn entry(&self, entry: &zip_index::Entry) -> Result<Vec<u8>, WeightsError> {
        let start = ZipIndex::start(self.source.as_ref(), entry).map_err(|reason| self.damaged(&reason))?;
        let bytes = self.part(start, entry.size)?;
        if crc32fast::hash(&bytes) == entry.crc32 {
            Ok(bytes)
        } else {
            Err(self.damaged("a part of it has another checksum than its table of contents says"))
        }
    }

    fn read_safetensors(&mut self) -> Result<(), WeightsError> {
        let size = self.source.len();
        let length = self.part(0, 8)?.as_chunks().0.first().map_or(u64::MAX, |bytes| u64::from_le_bytes(*bytes));
        if length > MAX_HEADER_BYTES.min(size) {
            return Err(self.damaged("its header is longer than the file"));
        }
        let header = self.part(8, length)?;
        let metadata: safetensors::tensor::Metadata =
            serde_json::from_slice(&header).map_err(|e| self.damaged(&e.to_string()))?;
        let base = length + 8;
        if base.saturating_add(metadata.data_len() as u64) != size {
            return Err(self.damaged("it is cut short, or longer than its header says"));
        }
        for (name, info) in metadata.tensors() {
            let (start, end) = (info.data_offsets.0 as u64, info.data_offsets.1 as u64);
            let place = Place::File { start: base + start, bytes: end.saturating_sub(start) };
            let element = Element::new(&format!("{:?}", info.dtype));
            self.tensors.insert(name, CheckpointTensor { shape: info.shape.clone(), element, place });
        }
        Ok(())
    }

    /// The file on disk.
    #[cfg(not(target_arch = "wasm32"))]
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
            Place::Pickle(pickled) => self.pickled(key, pickled, &tensor.element),
            Place::File { start, bytes } => {
                within_limit(key, *bytes)?;
                self.part(*start, *bytes)
            }
        }
    }

    /// The values of a tensor inside a storage, row by row.
    fn pickled(&self, key: &str, tensor: &PickledTensor, element: &Element) -> Result<Vec<u8>, WeightsError> {
        let wrong = || self.damaged(&format!("{key} does not lie inside its storage"));
        let Some(size) = element.size() else {
            let dtype = CheckpointTensor::name_of(element).to_owned();
            return Err(WeightsError::Dtype { key: printable(key), dtype });
        };
        let entry = self.zip.0.get(&format!("{}data/{}", self.folder, tensor.storage)).ok_or_else(wrong)?;
        let count = super::manifest::element_count(&tensor.shape).ok_or_else(wrong)?;
        let length = count.checked_mul(size).ok_or_else(wrong)?;
        within_limit(key, length)?;
        let offset = tensor.offset.checked_mul(size).ok_or_else(wrong)?;
        if offset == 0 && length == entry.size && tensor.is_row_major() {
            return self.entry(entry);
        }
        let start = ZipIndex::start(self.source.as_ref(), entry).map_err(|reason| self.damaged(&reason))?;
        let inside = |length: u64| offset.checked_add(length).is_some_and(|end| end <= entry.size);
        if tensor.is_row_major() {
            return if inside(length) { self.part(start + offset, length) } else { Err(wrong()) };
        }
        // Laid out otherwise (a transposed matrix): the span that it covers, then element by element.
        let last = tensor.shape.iter().zip(&tensor.strides).try_fold(0u64, |last, (dim, stride)| {
            last.checked_add((*dim as u64).saturating_sub(1).checked_mul(*stride)?)
        });
        let span = last.and_then(|last| last.checked_add(1)?.checked_mul(size)).ok_or_else(wrong)?;
        within_limit(key, span)?;
        if tensor.strides.len() != tensor.shape.len() || !inside(span) {
            return Err(wrong());
        }
        let values = self.part(start + offset, span)?;
        let width = usize::try_from(size).unwrap_or(usize::MAX);
        let mut out = Vec::new();
        for number in 0..count {
            let (mut rest, mut at) = (number, 0);
            for (dim, stride) in tensor.shape.iter().zip(&tensor.strides).rev() {
                at += rest % (*dim as u64).max(1) * stride;
                rest /= (*dim as u64).max(1);
            }
            let at = usize::try_from(at * size).unwrap_or(usize::MAX);
            out.extend_from_slice(values.get(at..at + width).ok_or_else(wrong)?);
        }
        Ok(out)
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
        let mut hashing = Hashing::default();
        while hashing.step(self)? {}
        Ok(hashing.finish())
    }

    /// Bytes of the whole file.
    #[must_use]
    pub fn file_bytes(&self) -> u64 {
        self.source.len()
    }
}

fn within_limit(key: &str, value: u64) -> Result<(), WeightsError> {
    if value > MAX_TENSOR_BYTES {
        return Err(WeightsError::TooLarge { what: printable(key), value, limit: MAX_TENSOR_BYTES });
    }
    Ok(())
}

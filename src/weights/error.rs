//! What can be wrong with weights: a closed set, each with a stable short code and a message that says what to do.

use crate::model::ConfigError;

/// Weights that cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum WeightsError {
    /// The network needs a tensor that the file does not have.
    #[error("{key} is missing: the file belongs to another model or is incomplete; download it again")]
    Missing {
        /// Checkpoint key.
        key: String,
    },
    /// A tensor has another shape than the network needs.
    #[error("{key}: shape {found:?}, but this network needs {expected:?}: the file belongs to another model")]
    Shape {
        /// Checkpoint key.
        key: String,
        /// Shape by the config.
        expected: Vec<usize>,
        /// Shape in the file.
        found: Vec<usize>,
    },
    /// A tensor that this network does not have.
    #[error(
        "{key} is not a tensor of this network: the file belongs to another model; use the config that came with it"
    )]
    Unexpected {
        /// Checkpoint key.
        key: String,
    },
    /// The same tensor twice.
    #[error("{key} occurs twice: the file is damaged; convert the checkpoint again")]
    Duplicate {
        /// Checkpoint key.
        key: String,
    },
    /// The config is not a network.
    #[error(transparent)]
    Config(#[from] ConfigError),

    /// `manifest.json` is not JSON of the documented form.
    #[error("manifest.json is not usable ({reason}): download the model again or convert the checkpoint again")]
    Manifest {
        /// What is wrong with it.
        reason: String,
    },
    /// The folder was written by a newer version of this program.
    #[error(
        "this model uses {what}, which needs a newer version of this program: update it, or convert with f32 or f16"
    )]
    NewerProgram {
        /// The unknown feature.
        what: String,
    },
    /// A shard file name that is not a plain name inside the model folder.
    #[error(
        "shard name {file:?} is not a plain file name: this model folder is not safe to load; get it from its origin"
    )]
    ShardName {
        /// The name in the manifest.
        file: String,
    },
    /// The bytes of a tensor cannot be where the manifest says they are.
    #[error("{key}: {reason}: the manifest does not match its shards; download the model again")]
    ByteRange {
        /// Checkpoint key.
        key: String,
        /// What does not fit.
        reason: String,
    },
    /// Packed weights in blocks that this program does not read.
    #[error("{key} is packed in blocks of {block}, this program reads blocks of 32: convert the checkpoint again")]
    Block {
        /// Checkpoint key.
        key: String,
        /// Block size in the manifest, 0 where it has none.
        block: usize,
    },
    /// A scale of packed weights that no packing makes.
    #[error("{key} holds a scale that is negative or not a number: the model is damaged; download it again")]
    Scale {
        /// Checkpoint key.
        key: String,
    },
    /// Something is larger than any model this program can run.
    #[error("{what} is {value}, the limit is {limit}: this is not a model this program can run")]
    TooLarge {
        /// What is too large.
        what: String,
        /// Its value.
        value: u64,
        /// The most that is accepted.
        limit: u64,
    },

    /// A shard has fewer or more bytes than the manifest says.
    #[error("shard {shard} has {found} bytes instead of {expected}: the download was cut short; download it again")]
    ShardTruncated {
        /// File name.
        shard: String,
        /// Bytes by the manifest.
        expected: u64,
        /// Bytes found.
        found: u64,
    },
    /// A shard's bytes are not those the manifest was made for.
    #[error("shard {shard} is damaged (its SHA-256 differs from the manifest): download it again")]
    HashMismatch {
        /// File name.
        shard: String,
    },
    /// A shard index outside the manifest.
    #[error("there is no shard {index}: this model has {count}; ask for shards listed in its manifest")]
    NoSuchShard {
        /// The index asked for.
        index: usize,
        /// Number of shards.
        count: usize,
    },
    /// Loading ended before every shard was there.
    #[error("{missing} of {count} shards are not loaded: load the remaining shards before finishing")]
    Incomplete {
        /// Shards not loaded.
        missing: usize,
        /// Number of shards.
        count: usize,
    },
    /// The device lacks what the model needs.
    #[error("{name} does not fit this device: {reason}; use a smaller model or a lower precision")]
    DoesNotFit {
        /// The model's name.
        name: String,
        /// The need that is not met.
        reason: String,
    },
    /// A model file or folder does not exist.
    #[error("{path} does not exist or is not a model: give a folder with a manifest.json, or a checkpoint file")]
    NotFound {
        /// What was asked for.
        path: String,
    },
    /// The operating system could not read or write.
    #[error("{path}: {source}; check the path, the permissions and the free space")]
    Io {
        /// File or folder.
        path: String,
        /// What the operating system said.
        source: std::io::Error,
    },

    /// The checkpoint is not in a form that can be read.
    #[error(
        "{path} cannot be read as a checkpoint ({reason}): download it again, or save it again with a current PyTorch"
    )]
    Checkpoint {
        /// File.
        path: String,
        /// What is wrong with it.
        reason: String,
    },
    /// A pickle asks for code to be run. It was not.
    #[error(
        "{path} asks for {global} to be called, which no weights need; nothing was run. Do not trust this file: get the checkpoint from its origin"
    )]
    UnsafePickle {
        /// File.
        path: String,
        /// `module.name` of the Python object.
        global: String,
    },
    /// A tensor's element type is not a weight type.
    #[error("{key} holds {dtype} values: only f32, f16 and bf16 weights can be converted; cast the checkpoint first")]
    Dtype {
        /// Checkpoint key.
        key: String,
        /// The element type found.
        dtype: String,
    },
    /// A tensor holds NaN or infinity.
    #[error("{key} holds NaN or infinite values: the checkpoint is damaged or its training diverged; use another one")]
    NotFinite {
        /// Checkpoint key.
        key: String,
    },
    /// Two names of one tensor with different values.
    #[error("{alias} should be the same tensor as {key} but differs: the checkpoint is damaged; download it again")]
    AliasDiffers {
        /// The duplicate name.
        alias: String,
        /// The canonical name.
        key: String,
    },
    /// The checkpoint's keys do not make this network.
    #[error(
        "the checkpoint does not fit this network: {missing} missing, {wrong_shape} of wrong shape, {unexpected} unexpected (listed above); give the config that belongs to it with --config, or tolerate extra keys with --allow-unexpected"
    )]
    Accounting {
        /// Keys the network needs and the checkpoint lacks.
        missing: usize,
        /// Keys with another shape.
        wrong_shape: usize,
        /// Keys the network does not know.
        unexpected: usize,
    },
    /// No config was given and the tensors do not tell it.
    #[error("the network's sizes cannot be told from this checkpoint ({reason}): give its config with --config")]
    UnknownConfig {
        /// What is missing.
        reason: String,
    },

    /// The output folder holds something that must not be overwritten.
    #[error("{path} is not empty: choose a new folder, or replace an existing model folder with --force")]
    OutputExists {
        /// Folder.
        path: String,
    },
}

impl WeightsError {
    /// A stable short code, shared with the page.
    #[must_use]
    pub fn code(&self) -> &'static str {
        match self {
            Self::Missing { .. }
            | Self::Shape { .. }
            | Self::Unexpected { .. }
            | Self::Accounting { .. }
            | Self::UnknownConfig { .. } => "tensor-shape",
            Self::Duplicate { .. }
            | Self::Config(_)
            | Self::Manifest { .. }
            | Self::ShardName { .. }
            | Self::ByteRange { .. }
            | Self::Block { .. }
            | Self::TooLarge { .. } => "manifest-invalid",
            Self::ShardTruncated { .. } | Self::Incomplete { .. } => "shard-truncated",
            Self::HashMismatch { .. } => "shard-damaged",
            Self::DoesNotFit { .. } => "model-too-large",
            Self::NotFound { .. } | Self::Io { .. } => "model-not-found",
            Self::NewerProgram { .. } | Self::Checkpoint { .. } | Self::UnsafePickle { .. } | Self::Dtype { .. } => {
                "unsupported-file"
            }
            Self::NotFinite { .. } | Self::Scale { .. } | Self::AliasDiffers { .. } => "damaged-file",
            Self::NoSuchShard { .. } | Self::OutputExists { .. } => "bad-request",
        }
    }

    /// An error of the operating system at `path`; a missing file gets its own name.
    #[cfg(not(target_arch = "wasm32"))]
    pub(crate) fn io(path: &std::path::Path, source: std::io::Error) -> Self {
        let path = path.display().to_string();
        match source.kind() {
            std::io::ErrorKind::NotFound => Self::NotFound { path },
            _ => Self::Io { path, source },
        }
    }
}

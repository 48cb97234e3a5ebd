//! Where a network's parameters come from.
//!
//! A `Parameters` is filled one tensor at a time, in any order, from shards, a checkpoint or the weight
//! formula, and each tensor goes to the compute device at once; `model::Point3r::new` then takes them out.
//!
//! ```text
//! checkpoint (.pth, .safetensors) --accounting--> FolderWriter --> manifest.json + shards --Loader--> Parameters
//! weight formula ------------------------------------^
//! ```

mod accounting;
pub(crate) mod bytes;
mod check;
mod checkpoint;
mod convert;
mod encode;
mod error;
mod fit;
#[cfg(not(target_arch = "wasm32"))]
mod folder;
mod formula;
mod infer;
mod loader;
mod manifest;
mod parameters;
mod precision;
mod shards;
mod source;
#[cfg(not(target_arch = "wasm32"))]
mod writer;

pub use accounting::{Accounting, Alias, WrongShape};
pub use checkpoint::{Checkpoint, CheckpointTensor, Hashing};
pub use convert::{About, Conversion, Converted, RELEASED_LICENCE, TensorRounding, is_released};
#[cfg(not(target_arch = "wasm32"))]
pub use convert::{convert_checkpoint, convert_formula};
pub use encode::Rounding;
pub use error::WeightsError;
pub use fit::Room;
#[cfg(not(target_arch = "wasm32"))]
pub use folder::{check_folder, load_folder, read_manifest};
pub use formula::{formula_preset, formula_scale, formula_values};
pub use infer::{Inferred, infer_config};
pub use loader::Loader;
pub use manifest::{
    FORMAT, MANIFEST_FILE, MAX_MANIFEST_BYTES, MAX_SHARD_BYTES, Manifest, Needs, Piece, ShardEntry, Storage,
    TensorEntry,
};
pub use parameters::{Matrix, Parameters};
#[cfg(feature = "cli")]
pub(crate) use precision::component_name;
pub use precision::{Mix, Rule};
pub use shards::Shard;
pub use source::Source;
#[cfg(not(target_arch = "wasm32"))]
pub use writer::FolderWriter;

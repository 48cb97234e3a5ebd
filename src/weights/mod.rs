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
mod error;
#[cfg(not(target_arch = "wasm32"))]
mod folder;
mod formula;
mod infer;
mod loader;
mod manifest;
mod parameters;

#[cfg(feature = "cli")]
mod checkpoint;
#[cfg(feature = "cli")]
mod convert;
#[cfg(feature = "cli")]
mod encode;
#[cfg(feature = "cli")]
mod pickle_scan;
#[cfg(feature = "cli")]
mod precision;
#[cfg(feature = "cli")]
mod shards;
#[cfg(feature = "cli")]
mod writer;

pub use accounting::{Accounting, Alias, WrongShape};
pub use error::WeightsError;
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
pub use checkpoint::{Checkpoint, CheckpointTensor};
#[cfg(feature = "cli")]
pub use convert::{About, Converted, TensorRounding, convert_checkpoint, convert_formula};
#[cfg(feature = "cli")]
pub use encode::Rounding;
#[cfg(feature = "cli")]
pub(crate) use precision::component_name;
#[cfg(feature = "cli")]
pub use precision::{Mix, Rule};
#[cfg(feature = "cli")]
pub use writer::FolderWriter;

//! The network (spec sections 2-5), one file per part; `Point3r::step` runs one frame.
//!
//! ```text
//! image -> Encoder -> Decoder <-> PointerMemory, PoseMemory -> Heads -> points, confidence, pose
//!                                        ^---- PointerNetwork <----------'
//! ```

mod block;
mod config;
mod decoder;
mod dpt;
mod embed;
mod encoder;
mod error;
mod heads;
mod lone_block;
mod parameters;
mod pointers;
mod pose_memory;
mod prediction;
mod presets;
mod probe;
mod remember;
mod step;
mod warm;

pub use config::{Component, Config, ConfigError, Dpt, ParameterSpec, PointerHead, PoseHead, Stack, WeightGenerator};
pub use error::ModelError;
pub use lone_block::{BlockTensor, BlockValues, LoneBlock};
pub use parameters::canonical_key;
pub use prediction::{PointerStats, Prediction};
pub use probe::{Clock, Probe, Record};
pub use step::{Options, Point3r, State};

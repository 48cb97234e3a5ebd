//! The network (spec sections 2-5), one file per part; `Point3r::step` runs one frame.

mod config;
mod parameters;
mod prediction;

pub use config::{Component, Config, ConfigError, Dpt, ParameterSpec, Stack};
pub use parameters::canonical_key;
pub use prediction::{PointerStats, Prediction};

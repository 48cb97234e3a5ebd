//! Where a network's parameters come from.
//!
//! A `Parameters` is filled one tensor at a time, in any order, from shards, a checkpoint or the weight
//! formula, and each tensor goes to the compute device at once; `model::Point3r::new` then takes them out.

mod error;
mod formula;
mod parameters;

pub use error::WeightsError;
pub use formula::{formula_scale, formula_values};
pub use parameters::Parameters;

//! Evaluation: the field's protocols and metrics, on our own predictions or on predictions read from a folder.
//!
//! ```text
//! layout: files of a data set --> truth: checked frames --+
//!                                                         +--> tasks: rows of metrics --> report, plot
//! predict: our network, or a folder of predictions  ------+        beside trivial baselines
//! ```
//!
//! `depth`, `trajectory`, `cloud` and `reconstruction` hold the metrics and know nothing of files.

pub mod cloud;
pub mod depth;
mod error;
pub mod kdtree;
pub mod layout;
pub mod linear;
mod parallel;
pub mod plot;
pub mod predict;
pub mod reconstruction;
pub mod report;
pub mod resample;
pub mod tasks;
pub mod trajectory;
pub mod truth;

pub use error::EvalError;

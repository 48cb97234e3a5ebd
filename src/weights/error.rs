//! What can be wrong with weights. Every message says what to do.

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
    /// The config is not a network.
    #[error(transparent)]
    Config(#[from] ConfigError),
}

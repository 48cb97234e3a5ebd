//! The model that a reconstruction was made with, as files tell of it.

use serde::{Deserialize, Serialize};

use super::Session;

/// Written into files whose points are no reconstruction.
const UNTRAINED: &str = "untrained weights: shapes only, not a reconstruction";

/// A model by name. It belongs to the reconstruction: another model that is loaded later changes nothing about it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModelNote {
    /// As its manifest calls it.
    pub name: String,
    /// False for formula weights; `None` where nobody wrote it down.
    #[serde(default)]
    pub trained: Option<bool>,
}

impl ModelNote {
    /// What must be said wherever the points are shown.
    #[must_use]
    pub fn warning(&self) -> Option<&'static str> {
        (self.trained == Some(false)).then_some(UNTRAINED)
    }

    /// What files say about it, a line each.
    #[must_use]
    pub fn comments(&self) -> Vec<String> {
        let name = (!self.name.is_empty()).then(|| format!("model: {}", self.name));
        name.into_iter().chain(self.warning().map(str::to_owned)).collect()
    }
}

impl Session {
    /// Says what the loaded model is called; reconstructions that are started from now on carry it.
    pub fn set_model_note(&mut self, note: ModelNote) {
        self.loaded_note = Some(note);
    }

    /// The model that made the reconstruction that is there; `None` for a scene that was opened.
    #[must_use]
    pub fn made_with(&self) -> Option<&ModelNote> {
        self.made_with.as_ref()
    }
}

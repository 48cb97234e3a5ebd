//! What a session offers to look at besides cloud and frames: the pointers as records, and the scale of the scene.

use std::sync::Arc;

use super::Session;
use crate::memory::{PointerList, PointerRecord};
use crate::model::{ModelError, State};

/// Where pointers are, and what they are as far as that is known.
type Pointers = (PointerList, Arc<[PointerRecord]>);

impl Session {
    /// The pointers after the last frame, in memory order, as far as they are known here: on a GPU they are only read
    /// when somebody looks ([`Session::watch_pointers`], [`Session::know_pointers`]); until then there are none. They
    /// stay when the reconstruction is stopped.
    #[must_use]
    pub fn pointer_records(&self) -> &Arc<[PointerRecord]> {
        &self.pointer_records
    }

    /// Where the pointers after the last frame are.
    #[must_use]
    pub fn pointer_list(&self) -> &PointerList {
        &self.pointer_list
    }

    /// Whether every frame's pointers are read back: one more small readback per frame on a GPU.
    pub fn watch_pointers(&mut self, watched: bool) {
        self.watched = watched;
    }

    /// The pointers of [`Session::pointer_list`], now that they were read.
    pub fn know_pointers(&mut self, records: Arc<[PointerRecord]>) {
        self.pointer_records = records;
    }

    /// The pointers of a state and, where they are known or looked at, what they are.
    pub(super) async fn look_at_pointers(&self, state: Option<&State>) -> Result<Pointers, ModelError> {
        let list = state.map(|state| state.memory().list()).unwrap_or_default();
        let records = match list.known() {
            Some(records) => records.clone(),
            None if self.watched => list.read().await?,
            None => Arc::default(),
        };
        Ok((list, records))
    }

    pub(super) fn remember_pointers(&mut self, (list, records): Pointers) {
        (self.pointer_list, self.pointer_records) = (list, records);
    }

    /// What the user said a world unit is: the factor by which exports are enlarged, 1 unless set.
    #[must_use]
    pub fn scale(&self) -> f32 {
        self.scale.unwrap_or(1.0)
    }

    /// Sets the scale; it belongs to the scene and goes with it. Ignored unless finite and positive.
    pub fn set_scale(&mut self, scale: f32) {
        if scale.is_finite() && scale > 0.0 {
            self.scale = (scale != 1.0).then_some(scale);
        }
    }
}

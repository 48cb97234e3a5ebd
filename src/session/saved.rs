//! A reconstruction put away frame by frame and taken up again: what `scene_log` writes and reads.

use std::sync::Arc;

use super::{ModelNote, Phase, Session, SessionError, SessionOptions, View};
use crate::{
    cloud::{Chunk, Cloud},
    keyframes::{Keyframe, Keyframes},
    pace::Pace,
};

/// How the network's input lies in the photographs: `input = photograph * scale - offset`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// Size of the network's input, (across, down).
    pub input: (usize, usize),
    /// Size of the photograph.
    pub photograph: (usize, usize),
    /// Input pixels per photograph pixel, (x, y).
    pub scale: [f64; 2],
    /// Left and top input pixels cut off after scaling.
    pub offset: [f64; 2],
}

/// Everything that a frame left behind, the memory apart. Handles: cheap to clone.
#[derive(Debug, Clone, PartialEq)]
pub struct SavedFrame {
    /// Pose, time, picture and maps.
    pub keyframe: Arc<Keyframe>,
    /// Points.
    pub chunk: Arc<Chunk>,
    /// How the input lies in the photograph.
    pub placement: Placement,
}

impl Session {
    /// What is worth saving of a frame, by its position in the reconstruction.
    #[must_use]
    pub fn saved_frame(&self, position: usize) -> Option<SavedFrame> {
        let View { input, photograph, scale, offset } = self.view?;
        Some(SavedFrame {
            keyframe: self.keyframes.frames().get(position)?.clone(),
            chunk: self.cloud.chunks().get(position)?.clone(),
            placement: Placement { input, photograph, scale, offset },
        })
    }

    /// The options of the reconstruction that is there.
    #[must_use]
    pub fn options(&self) -> &SessionOptions {
        &self.options
    }

    /// Empties the session for frames that were saved: afterwards it is at rest, `add_saved` fills it, and
    /// `continue_scan` takes it up. `scale` is what [`Session::scale`] was, where it was set, `made_with` the model that
    /// made the frames.
    ///
    /// # Errors
    /// While a reconstruction is going on.
    pub fn begin_restore(
        &mut self,
        options: SessionOptions,
        scale: Option<f32>,
        made_with: Option<ModelNote>,
    ) -> Result<(), SessionError> {
        if matches!(self.phase, Phase::Running | Phase::Paused) {
            return self.refuse("restore a reconstruction", "stop first");
        }
        self.clear();
        self.cloud = Cloud::new(options.budget.unwrap_or(usize::MAX));
        self.keyframes = Keyframes::new(options.keyframe_budget);
        self.options = options;
        self.made_with = made_with;
        if let Some(scale) = scale {
            self.set_scale(scale);
        }
        Ok(())
    }

    /// Adds a frame that was saved, as the last one. Points beyond the budget are merged, as when they were new.
    ///
    /// # Errors
    /// While a reconstruction is going on.
    pub async fn add_saved(&mut self, frame: SavedFrame, pace: &Pace) -> Result<(), SessionError> {
        if matches!(self.phase, Phase::Running | Phase::Paused) {
            return self.refuse("restore a frame", "stop first");
        }
        let SavedFrame { keyframe, chunk, placement: Placement { input, photograph, scale, offset } } = frame;
        let Keyframe { time, pose, focal, pointers, .. } = *keyframe;
        let mut cloud = self.cloud.clone();
        cloud.push(Arc::unwrap_or_clone(chunk));
        cloud.fuse(pace).await;
        self.cloud = cloud;
        self.keyframes.push(Arc::unwrap_or_clone(keyframe));
        self.trajectory.push((time, pose));
        self.focals.push(focal);
        self.pointers.push(pointers[0]);
        self.view = Some(View { input, photograph, scale, offset });
        Ok(())
    }

    /// Drops saved frames after the first `frames`, as an undo that was saved did.
    pub fn keep_saved(&mut self, frames: usize) {
        if !matches!(self.phase, Phase::Running | Phase::Paused) {
            self.truncate(frames);
        }
    }
}

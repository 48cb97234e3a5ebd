//! Going back and going on: undo of any depth, and rebuilding the memory of a reconstruction that was put away.
//!
//! Both replay the pictures that were kept: the network's input is stored bit by bit, so the memory comes out as if
//! the frames that were taken back had never been. What the replayed frames gave stays as it is.

use super::{Phase, Session, SessionError, checkpoints::Checkpoints};
use crate::{
    model::{ModelError, Point3r, State},
    pace::Pace,
    preprocess::RgbImage,
};

/// What is to be taken back.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Undo {
    /// The last frames.
    Frames(usize),
    /// The frames of the last seconds, by the source's clock; the last frame in any case.
    Seconds(f64),
    /// Everything after this frame (counted from 0 over the frames that counted).
    To(usize),
}

/// Is told how many of how many frames have been replayed.
pub type Replayed<'a> = &'a mut dyn FnMut(usize, usize);

impl Session {
    /// Frames that would be left.
    #[must_use]
    pub fn frames_after(&self, undo: Undo) -> usize {
        let frames = self.frames();
        match undo {
            Undo::Frames(count) => frames.saturating_sub(count),
            Undo::To(last) => frames.min(last.saturating_add(1)),
            Undo::Seconds(seconds) => {
                let end = self.trajectory.last().map_or(0.0, |(time, _)| *time);
                let recent = |(time, _): &&(f64, _)| end - time < seconds;
                frames - self.trajectory.iter().rev().take_while(recent).count().max(1).min(frames)
            }
        }
    }

    /// Takes frames back: their points, their poses and what the memory learned. Where no memory is at work (after
    /// `stop`, or when the device is lost) only what is kept is shortened. Returns the number of frames left.
    ///
    /// # Errors
    /// When there is nothing to undo, or when pictures that would have to be replayed have been let go of
    /// ([`crate::keyframes`]); nothing changes then. A device failure ends in `Lost`, with the cloud as it was.
    pub async fn undo(&mut self, undo: Undo, pace: &Pace, replayed: Replayed<'_>) -> Result<usize, SessionError> {
        let working = matches!(self.phase, Phase::Running | Phase::Paused);
        if !working && self.frames() == 0 {
            return self.refuse("undo", "there is no frame to take back");
        }
        let left = self.frames_after(undo);
        if working && left == 0 {
            self.forget_memory();
        } else if working && left < self.frames() {
            let Some(model) = self.model.clone() else { return self.refuse("undo", "load a model first") };
            let (from, state) = match self.checkpoints.before(left) {
                Some((from, state)) => (from, Some(state.clone())),
                None => (0, None),
            };
            if self.first_picture_gone(from, left).is_some() {
                let reachable = (left..self.frames()).find(|&target| {
                    let from = self.checkpoints.before(target).map_or(0, |(from, _)| from);
                    self.first_picture_gone(from, target).is_none()
                });
                let available = self.frames() - reachable.unwrap_or(self.frames());
                return Err(SessionError::UndoTooFar { asked: self.frames() - left, available });
            }
            let mut checkpoints = self.checkpoints.clone();
            checkpoints.truncate(from);
            let outcome = self.replay(&model, state, checkpoints, from..left, pace, replayed).await;
            (self.memory, self.checkpoints) = self.or_lose(outcome)?;
        }
        self.truncate(left);
        self.renew_pointers(left).await?;
        Ok(left)
    }

    /// Takes frames again after `stop`, or after a saved reconstruction was restored: the memory is rebuilt by
    /// replaying every picture. Where it is still there, this is `resume`. Ends in `Running`.
    ///
    /// # Errors
    /// Unless there is a model and a reconstruction at rest whose pictures are all kept.
    pub async fn continue_scan(&mut self, pace: &Pace, replayed: Replayed<'_>) -> Result<(), SessionError> {
        if matches!(self.phase, Phase::Running | Phase::Paused) {
            return self.resume();
        }
        let hint = match self.phase {
            Phase::Idle if self.frames() > 0 => None,
            Phase::Idle => Some("start a new one"),
            Phase::Running | Phase::Paused => None,
            Phase::Lost => Some("load the model again"),
            Phase::Failed => Some("reset first"),
        };
        if let Some(hint) = hint {
            return self.refuse("continue a reconstruction", hint);
        }
        let Some(model) = self.model.clone() else {
            return self.refuse("continue a reconstruction", "load a model first");
        };
        if let Some(gone) = self.first_picture_gone(0, self.frames()) {
            return Err(SessionError::PictureGone { frame: gone });
        }
        let frames = self.frames();
        let outcome = self.replay(&model, None, Checkpoints::default(), 0..frames, pace, replayed).await;
        (self.memory, self.checkpoints) = self.or_lose(outcome)?;
        self.renew_pointers(frames).await?;
        self.size = self.view.map(|view| view.input);
        self.phase = Phase::Running;
        Ok(())
    }

    /// The memory after `frames`, from the one before them.
    async fn replay(
        &self,
        model: &Point3r,
        mut state: Option<State>,
        mut checkpoints: Checkpoints,
        frames: std::ops::Range<usize>,
        pace: &Pace,
        replayed: Replayed<'_>,
    ) -> Result<(Option<State>, Checkpoints), SessionError> {
        let total = frames.len();
        for (done, position) in frames.enumerate() {
            replayed(done, total);
            let kept = self.keyframes.frames().get(position).and_then(|frame| frame.maps.as_ref());
            let Some(maps) = kept else { return Err(SessionError::PictureGone { frame: position }) };
            let image = RgbImage { width: maps.width, height: maps.height, rgb: maps.rgb.clone() };
            let mut next = state.clone().unwrap_or_else(|| model.start().with_cap(self.options.pointers));
            let stepped = model.step(&mut next, &image, pace).await;
            stepped.map_err(|source| SessionError::Model { frame: position, source })?;
            if let Some(before) = state.replace(next) {
                checkpoints.keep(position, before);
            }
        }
        replayed(total, total);
        Ok((state, checkpoints))
    }

    async fn renew_pointers(&mut self, frames: usize) -> Result<(), SessionError> {
        let pointers = self.look_at_pointers(self.memory.as_ref()).await;
        let pointers = pointers.map_err(|source| SessionError::Model { frame: frames, source });
        let pointers = self.or_lose(pointers)?;
        self.remember_pointers(pointers);
        Ok(())
    }

    /// The first of these frames whose picture the budget let go of.
    fn first_picture_gone(&self, from: usize, to: usize) -> Option<usize> {
        let frames = self.keyframes.frames().get(from..to).unwrap_or_default();
        frames.iter().position(|frame| frame.maps.is_none()).map(|n| from + n)
    }

    fn or_lose<T>(&mut self, outcome: Result<T, SessionError>) -> Result<T, SessionError> {
        if matches!(outcome, Err(SessionError::Model { source: ModelError::Device(_), .. })) {
            self.lose();
        }
        outcome
    }

    /// Drops everything after the first `frames` frames, the memory apart.
    pub(super) fn truncate(&mut self, frames: usize) {
        let undone = self.frames().saturating_sub(frames);
        self.cloud.undo(undone);
        self.keyframes.undo(undone);
        self.trajectory.truncate(frames);
        self.focals.truncate(frames);
        self.pointers.truncate(frames);
    }
}

//! How a long export gives way, tells how far it is, and can be stopped.

use super::ExportError;
use crate::pace::Pace;

/// Looks after one export.
pub struct Watch<'a> {
    pace: &'a Pace,
    progress: &'a mut dyn FnMut(f32),
    cancelled: &'a dyn Fn() -> bool,
    /// The part of the whole that `at` speaks about: start and length.
    part: (f32, f32),
}

impl<'a> Watch<'a> {
    /// `progress` is told shares from 0 to 1; `cancelled` is asked at every pause.
    pub fn new(pace: &'a Pace, progress: &'a mut dyn FnMut(f32), cancelled: &'a dyn Fn() -> bool) -> Self {
        Self { pace, progress, cancelled, part: (0.0, 1.0) }
    }

    /// From here on, `at(0..1)` stands for `from..to` of the whole.
    pub fn part(&mut self, from: f32, to: f32) {
        self.part = (from, to - from);
    }

    /// Reports the share that is done, and pauses.
    ///
    /// # Errors
    /// [`ExportError::Cancelled`].
    pub async fn at(&mut self, share: f32) -> Result<(), ExportError> {
        (self.progress)(self.part.0 + self.part.1 * share.clamp(0.0, 1.0));
        self.pace.breathe().await;
        if (self.cancelled)() { Err(ExportError::Cancelled) } else { Ok(()) }
    }

    /// `at` for item `done` of `total`.
    ///
    /// # Errors
    /// [`ExportError::Cancelled`].
    #[expect(clippy::cast_precision_loss, reason = "a share for a progress bar")]
    pub async fn item(&mut self, done: usize, total: usize) -> Result<(), ExportError> {
        self.at(done as f32 / total.max(1) as f32).await
    }
}

//! How packing gives way to whatever else the thread has to do, and learns that nobody waits for it any more.

use crate::{pace::Pace, scene::SceneError};

/// Items that are worked on between two pauses: some milliseconds in a browser.
const BLOCK: usize = 1 << 15;

/// Where packing may pause.
pub(super) struct Breath<'a> {
    pub(super) pace: &'a Pace,
    pub(super) cancelled: &'a dyn Fn() -> bool,
}

impl Breath<'_> {
    /// Pauses.
    pub(super) async fn now(&self) -> Result<(), SceneError> {
        self.pace.breathe().await;
        if (self.cancelled)() { Err(SceneError::Cancelled) } else { Ok(()) }
    }

    /// Pauses once per block of items; `index` counts them.
    pub(super) async fn at(&self, index: usize) -> Result<(), SceneError> {
        if index % BLOCK == BLOCK - 1 { self.now().await } else { Ok(()) }
    }
}

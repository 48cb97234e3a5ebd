//! What a GPU reports asynchronously: its loss, which is final, and errors nobody waited for.

use std::{
    future::Future,
    pin::Pin,
    sync::{Arc, Mutex, MutexGuard, PoisonError},
    task::{Context, Poll, Waker},
};

use super::DeviceError;

#[derive(Debug, Default)]
struct EventState {
    lost: Option<DeviceError>,
    error: Option<DeviceError>,
    wakers: Vec<Waker>,
}

/// What the GPU reported asynchronously. Cheap to clone; all clones see the same events.
#[derive(Debug, Clone, Default)]
pub struct GpuEvents(Arc<Mutex<EventState>>);

impl GpuEvents {
    fn state(&self) -> MutexGuard<'_, EventState> {
        // The state is valid after a panic elsewhere: every write is one assignment.
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The loss, once it has happened; it is final.
    #[must_use]
    pub fn lost(&self) -> Option<DeviceError> {
        self.state().lost.clone()
    }

    /// Takes the first uncaptured error since the last call.
    #[must_use]
    pub fn take_error(&self) -> Option<DeviceError> {
        self.state().error.take()
    }

    /// Resolves when the device is lost, so that a wait on the GPU can be given up.
    #[must_use]
    pub fn until_lost(&self) -> UntilLost {
        UntilLost(self.clone())
    }

    pub(super) fn report_lost(&self, error: DeviceError) {
        let wakers = {
            let mut state = self.state();
            state.lost.get_or_insert(error);
            std::mem::take(&mut state.wakers)
        };
        wakers.into_iter().for_each(Waker::wake);
    }

    pub(super) fn report_error(&self, error: DeviceError) {
        self.state().error.get_or_insert(error);
    }
}

/// Future of [`GpuEvents::until_lost`].
#[derive(Debug)]
pub struct UntilLost(GpuEvents);

impl Future for UntilLost {
    type Output = DeviceError;

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<DeviceError> {
        let mut state = self.0.state();
        if let Some(error) = &state.lost {
            return Poll::Ready(error.clone());
        }
        if !state.wakers.iter().any(|w| w.will_wake(context.waker())) {
            state.wakers.push(context.waker().clone());
        }
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loss_wakes_the_waiter_and_is_final() {
        let events = GpuEvents::default();
        assert!(events.lost().is_none());
        events.report_lost(DeviceError::Lost("first".to_owned()));
        events.report_lost(DeviceError::Lost("second".to_owned()));
        assert_eq!(pollster::block_on(events.until_lost()), DeviceError::Lost("first".to_owned()));
    }
}

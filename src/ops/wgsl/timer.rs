//! How long the GPU itself works on each stage of a frame: timestamps where the adapter has them, else the program's
//! clock around work that is waited for.

use burn::tensor::{Device, Tensor};
use burn_cubecl::cubecl::client::{Client, ProfileWindow};
use burn_cubecl::cubecl::profile::ProfileDuration;

use super::Buffer;

/// Measures one window of work after another.
pub struct Timer {
    client: Client,
    window: Option<ProfileWindow>,
    done: Vec<(&'static str, ProfileDuration)>,
}

impl std::fmt::Debug for Timer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Timer").field("windows", &self.done.len()).finish_non_exhaustive()
    }
}

impl Timer {
    /// Starts measuring; `None` off the GPU.
    #[must_use]
    pub fn start(device: &Device) -> Option<Self> {
        if crate::ops::is_host(device) {
            return None;
        }
        let client = Buffer::of(Tensor::<1>::empty([1], device))?.0.client;
        let window = client.profile_start().ok();
        Some(Self { client, window, done: Vec::new() })
    }

    /// Ends the window that began with the timer or with the window before, and begins the next.
    pub fn end(&mut self, name: &'static str) {
        if let Some(window) = self.window.take()
            && let Ok(duration) = self.client.profile_end(window)
        {
            self.done.push((name, duration));
        }
        self.window = self.client.profile_start().ok();
    }

    /// Milliseconds of every window in which the GPU had something to do.
    pub async fn finish(mut self) -> Vec<(&'static str, f64)> {
        let mut times = Vec::new();
        for (name, duration) in std::mem::take(&mut self.done) {
            if let Some(ticks) = duration.resolve().await {
                times.push((name, ticks.duration().as_secs_f64() * 1e3));
            }
        }
        times
    }
}

impl Drop for Timer {
    fn drop(&mut self) {
        if let Some(window) = self.window.take() {
            self.client.profile_abandon(window);
        }
    }
}

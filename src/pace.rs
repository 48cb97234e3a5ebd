//! Cooperative pauses inside long computations, so that a worker that computes on its own thread still
//! draws and answers messages. Natively a pause does nothing.

use std::fmt;
use std::future::Future;
use std::pin::Pin;

/// A future that returns to the event loop once.
type Yield = Pin<Box<dyn Future<Output = ()>>>;

/// Where a computation may pause.
#[derive(Default)]
pub struct Pace(Option<Box<dyn Fn() -> Yield>>);

impl fmt::Debug for Pace {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Pace").field(&self.0.is_some()).finish()
    }
}

impl Pace {
    /// Never pauses.
    #[must_use]
    pub fn none() -> Self {
        Self(None)
    }

    /// Pauses by awaiting what `pause` returns; `pause` decides how often that is really needed.
    #[must_use]
    pub fn new(pause: impl Fn() -> Yield + 'static) -> Self {
        Self(Some(Box::new(pause)))
    }

    /// A point at which a pause does no harm.
    pub async fn breathe(&self) {
        if let Some(pause) = &self.0 {
            pause().await;
        }
    }
}

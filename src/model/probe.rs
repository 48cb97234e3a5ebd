//! A look inside a frame: intermediates for comparison with reference tensors, and the time of each stage.

use std::fmt;

use burn::tensor::Tensor;

use crate::kernels::Timer;
use crate::ops::wgsl::record;

/// A recorded tensor: its values on the device, flattened, and its shape.
pub type Record = (String, Tensor<1>, Vec<usize>);

/// Milliseconds on any clock that only moves forward.
pub type Clock = Box<dyn Fn() -> f64>;

/// Watches a frame from inside: records intermediates by name, or times the stages. Costs nothing when off.
#[derive(Default)]
pub struct Probe {
    records: Option<Vec<Record>>,
    clock: Option<(Clock, f64)>,
    stages: Vec<(&'static str, f64)>,
    timer: Option<Timer>,
}

impl fmt::Debug for Probe {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Probe").field("records", &self.is_on()).field("stages", &self.stages).finish_non_exhaustive()
    }
}

impl Probe {
    /// Records nothing.
    #[must_use]
    pub fn off() -> Self {
        Self::default()
    }

    /// Records everything, and makes the network compute outputs that nothing else needs.
    #[must_use]
    pub fn on() -> Self {
        Self { records: Some(Vec::new()), ..Self::default() }
    }

    /// Times the stages of the frame with `clock`. A GPU works behind the program's back: there the waiting
    /// shows in the stage that reads back (`fuse`).
    #[must_use]
    pub fn timed(clock: Clock) -> Self {
        let now = clock();
        Self { clock: Some((clock, now)), ..Self::default() }
    }

    /// Also has the GPU measure the stages.
    #[must_use]
    pub fn with_timer(self, timer: Option<Timer>) -> Self {
        Self { timer, ..self }
    }

    /// Milliseconds that the GPU spent on each stage, where a timer was given.
    pub async fn gpu_stages(&mut self) -> Vec<(&'static str, f64)> {
        match self.timer.take() {
            Some(timer) => timer.finish().await,
            None => Vec::new(),
        }
    }

    /// Whether intermediates are recorded.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.records.is_some()
    }

    /// Records `tensor` under `name`, relative to the frame.
    pub(crate) fn record<const D: usize>(&mut self, name: impl AsRef<str>, tensor: &Tensor<D>) {
        if let Some(records) = &mut self.records {
            let shape = tensor.dims().to_vec();
            records.push((name.as_ref().to_owned(), tensor.clone().reshape([-1]), shape));
        }
    }

    /// Records what `tensor` makes, only where something is recorded.
    pub(crate) fn record_with<const D: usize>(&mut self, name: impl AsRef<str>, tensor: impl FnOnce() -> Tensor<D>) {
        if self.is_on() {
            self.record(name, &tensor());
        }
    }

    /// Ends the stage that began with the frame or with the stage before.
    pub(crate) fn stage(&mut self, name: &'static str) {
        record::stage(name);
        if let Some(timer) = &mut self.timer {
            timer.end(name);
        }
        if let Some((clock, since)) = &mut self.clock {
            let now = clock();
            self.stages.push((name, now - *since));
            *since = now;
        }
    }

    /// Takes what was recorded.
    pub fn take(&mut self) -> Vec<Record> {
        self.records.as_mut().map(std::mem::take).unwrap_or_default()
    }

    /// Milliseconds per stage, in order.
    #[must_use]
    pub fn stages(&self) -> &[(&'static str, f64)] {
        &self.stages
    }
}

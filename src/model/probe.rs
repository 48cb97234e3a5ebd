//! Recording of intermediates, for comparing the network with reference tensors.

use burn::tensor::Tensor;

/// A recorded tensor: its values on the device, flattened, and its shape.
pub type Record = (String, Tensor<1>, Vec<usize>);

/// Collects intermediates by name while a frame runs; costs nothing when off.
#[derive(Debug, Default)]
pub struct Probe(Option<Vec<Record>>);

impl Probe {
    /// Records nothing.
    #[must_use]
    pub fn off() -> Self {
        Self(None)
    }

    /// Records everything, and makes the network compute outputs that nothing else needs.
    #[must_use]
    pub fn on() -> Self {
        Self(Some(Vec::new()))
    }

    /// Whether anything is recorded.
    #[must_use]
    pub fn is_on(&self) -> bool {
        self.0.is_some()
    }

    /// Records `tensor` under `name`, relative to the frame.
    pub(crate) fn record<const D: usize>(&mut self, name: impl AsRef<str>, tensor: &Tensor<D>) {
        if let Some(records) = &mut self.0 {
            let shape = tensor.dims().to_vec();
            records.push((name.as_ref().to_owned(), tensor.clone().reshape([-1]), shape));
        }
    }

    /// Takes what was recorded.
    pub fn take(&mut self) -> Vec<Record> {
        self.0.as_mut().map(std::mem::take).unwrap_or_default()
    }
}

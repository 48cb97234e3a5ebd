//! Parameters on their compute device, by name, on the way from a file into a network.

use std::collections::HashMap;

use burn::tensor::{Device, Tensor, TensorData};

use super::{WeightsError, formula_values};
use crate::model::{Config, ParameterSpec};

/// Parameters waiting to be taken by a network. Values are f32 on the device.
#[derive(Debug)]
pub struct Parameters {
    device: Device,
    tensors: HashMap<String, (Tensor<1>, Vec<usize>)>,
}

impl Parameters {
    /// An empty set on `device`.
    #[must_use]
    pub fn new(device: &Device) -> Self {
        Self { device: device.clone(), tensors: HashMap::new() }
    }

    /// All parameters that inference reads, from the weight formula (untrained).
    #[must_use]
    pub fn from_formula(config: &Config, device: &Device) -> Self {
        Self::from_formula_where(config, device, |spec| spec.used)
    }

    /// The parameters that `wanted` picks, from the weight formula.
    pub(crate) fn from_formula_where(config: &Config, device: &Device, wanted: fn(&ParameterSpec) -> bool) -> Self {
        let mut parameters = Self::new(device);
        for spec in config.parameters().into_iter().filter(wanted) {
            parameters.insert(&spec.name, &spec.shape, formula_values(&spec.name, &spec.shape, config));
        }
        parameters
    }

    /// Uploads one tensor. `values.len()` must be the product of `shape`; callers check files before.
    pub fn insert(&mut self, name: &str, shape: &[usize], values: Vec<f32>) {
        debug_assert_eq!(values.len(), shape.iter().product::<usize>());
        let len = values.len();
        let tensor = Tensor::from_data(TensorData::new(values, [len]), &self.device);
        self.tensors.insert(name.to_owned(), (tensor, shape.to_vec()));
    }

    /// Takes a tensor out, with the shape the network needs.
    ///
    /// # Errors
    /// When it is missing or has another shape.
    pub fn take<const D: usize>(&mut self, name: &str, shape: [usize; D]) -> Result<Tensor<D>, WeightsError> {
        let (tensor, found) =
            self.tensors.remove(name).ok_or_else(|| WeightsError::Missing { key: name.to_owned() })?;
        if found != shape {
            return Err(WeightsError::Shape { key: name.to_owned(), expected: shape.to_vec(), found });
        }
        Ok(tensor.reshape(shape))
    }

    /// Whether a tensor is waiting.
    #[must_use]
    pub fn contains(&self, name: &str) -> bool {
        self.tensors.contains_key(name)
    }

    /// The device the tensors are on.
    #[must_use]
    pub fn device(&self) -> &Device {
        &self.device
    }
}

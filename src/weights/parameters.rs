//! Parameters on their compute device, by name, on the way from a file into a network.

use std::collections::HashMap;

use burn::tensor::{Device, Tensor, TensorData};

#[cfg(feature = "cli")]
use super::Storage;
use super::{WeightsError, formula_values};
use crate::model::{Config, ParameterSpec};
use crate::quant::PackedMatrix;
#[cfg(feature = "cli")]
use crate::quant::quantise;

/// A parameter on its device.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a tensor handle; a network has a thousand")]
enum Stored {
    Dense(Tensor<1>, Vec<usize>),
    Packed(Box<PackedMatrix>),
}

/// A matrix `[d_out, d_in]` as its file has it.
#[derive(Debug)]
#[expect(clippy::large_enum_variant, reason = "a tensor handle, soon taken apart")]
pub enum Matrix {
    /// f32 values.
    Dense(Tensor<2>),
    /// Blocks of integers.
    Packed(Box<PackedMatrix>),
}

/// Parameters waiting to be taken by a network: f32 on the device, or packed where the file is.
#[derive(Debug)]
pub struct Parameters {
    device: Device,
    tensors: HashMap<String, Stored>,
    packed_values: usize,
}

impl Parameters {
    /// An empty set on `device`.
    #[must_use]
    pub fn new(device: &Device) -> Self {
        Self { device: device.clone(), tensors: HashMap::new(), packed_values: 0 }
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
        self.tensors.insert(name.to_owned(), Stored::Dense(tensor, shape.to_vec()));
    }

    /// Stores one tensor as a file of this storage would have it; the bytes it would take there.
    #[cfg(feature = "cli")]
    pub(crate) fn insert_stored(&mut self, name: &str, shape: &[usize], storage: Storage, values: Vec<f32>) -> u64 {
        if let (Some(bits), [rows, input]) = (storage.bits(), shape) {
            let packed = quantise(&values, *input, bits);
            let scales: Vec<f32> = packed.scales.iter().map(|scale| scale.to_f32()).collect();
            let bytes = packed.words.len() * 4 + scales.len() * 2;
            self.insert_packed(name, PackedMatrix::new(packed.words, scales, [*rows, *input], bits, &self.device));
            return bytes as u64;
        }
        let bytes = values.len() as u64 * storage.size().unwrap_or(4);
        let half = |v: &f32| half::f16::from_f32(*v).to_f32();
        let values = if storage == Storage::F16 { values.iter().map(half).collect() } else { values };
        self.insert(name, shape, values);
        bytes
    }

    /// Keeps a packed matrix.
    pub fn insert_packed(&mut self, name: &str, matrix: PackedMatrix) {
        self.packed_values += matrix.dims().iter().product::<usize>();
        self.tensors.insert(name.to_owned(), Stored::Packed(Box::new(matrix)));
    }

    /// Values of all packed matrices that were inserted.
    pub(crate) fn packed_values(&self) -> usize {
        self.packed_values
    }

    /// Takes a tensor out, with the shape the network needs; a packed one as the values it stands for.
    ///
    /// # Errors
    /// When it is missing or has another shape.
    pub fn take<const D: usize>(&mut self, name: &str, shape: [usize; D]) -> Result<Tensor<D>, WeightsError> {
        match self.take_stored(name, &shape)? {
            Stored::Dense(tensor, _) => Ok(tensor.reshape(shape)),
            Stored::Packed(matrix) => Ok(matrix.dequantise().reshape(shape)),
        }
    }

    /// Takes a matrix out, with the shape the network needs, packed if it is.
    ///
    /// # Errors
    /// When it is missing or has another shape.
    pub fn take_matrix(&mut self, name: &str, shape: [usize; 2]) -> Result<Matrix, WeightsError> {
        match self.take_stored(name, &shape)? {
            Stored::Dense(tensor, _) => Ok(Matrix::Dense(tensor.reshape(shape))),
            Stored::Packed(matrix) => Ok(Matrix::Packed(matrix)),
        }
    }

    fn take_stored(&mut self, name: &str, shape: &[usize]) -> Result<Stored, WeightsError> {
        let stored = self.tensors.remove(name).ok_or_else(|| WeightsError::Missing { key: name.to_owned() })?;
        let found = match &stored {
            Stored::Dense(_, shape) => shape.clone(),
            Stored::Packed(matrix) => matrix.dims().to_vec(),
        };
        if found != shape {
            return Err(WeightsError::Shape { key: name.to_owned(), expected: shape.to_vec(), found });
        }
        Ok(stored)
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

//! Reference tensors from `.safetensors` files, as f32.

use std::collections::BTreeMap;

use safetensors::{Dtype, SafeTensors};

use super::VerifyError;
use crate::weights::bytes;

/// One tensor on the host.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reference {
    pub(crate) values: Vec<f32>,
    pub(crate) shape: Vec<usize>,
}

/// A file's tensors by name.
#[derive(Debug)]
pub(crate) struct References(BTreeMap<String, Reference>);

impl References {
    pub(crate) fn parse(file: &'static str, bytes: &[u8]) -> Result<Self, VerifyError> {
        let problem = |problem: String| VerifyError::File { file, problem };
        let tensors = SafeTensors::deserialize(bytes).map_err(|e| problem(e.to_string()))?;
        let mut all = BTreeMap::new();
        for (name, view) in tensors.iter() {
            let values = decode(view.dtype(), view.data())
                .ok_or_else(|| problem(format!("{name} is of type {:?}, which is not known here", view.dtype())))?;
            all.insert(name.to_owned(), Reference { values, shape: view.shape().to_vec() });
        }
        Ok(Self(all))
    }

    pub(crate) fn get(&self, name: &str) -> Option<&Reference> {
        self.0.get(name)
    }

    pub(crate) fn names(&self) -> impl Iterator<Item = &str> {
        self.0.keys().map(String::as_str)
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (&str, &Reference)> {
        self.0.iter().map(|(name, tensor)| (name.as_str(), tensor))
    }
}

#[expect(clippy::cast_precision_loss, reason = "indices and counts stay far below 2^24")]
fn decode(dtype: Dtype, data: &[u8]) -> Option<Vec<f32>> {
    Some(match dtype {
        Dtype::F32 => bytes::from_f32(data),
        Dtype::F16 => bytes::from_f16(data),
        Dtype::BF16 => bytes::from_bf16(data),
        Dtype::I32 => data.as_chunks().0.iter().map(|b| i32::from_le_bytes(*b) as f32).collect(),
        Dtype::I64 => data.as_chunks().0.iter().map(|b| i64::from_le_bytes(*b) as f32).collect(),
        Dtype::U8 | Dtype::BOOL => data.iter().map(|b| f32::from(*b)).collect(),
        _ => return None,
    })
}

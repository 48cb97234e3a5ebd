//! Normalisation of a whole map: what `GroupNorm(1, channels)` is in other frameworks.

use burn::tensor::Tensor;

use crate::weights::{Parameters, WeightsError};

/// Added to variances, as that layer has it.
const EPS: f64 = 1e-5;

/// Mean 0 and variance 1 over all values of a `[1, channels, height, width]` map, then scale and shift by channel.
#[derive(Debug, Clone)]
pub(crate) struct MapNorm {
    weight: Tensor<4>,
    bias: Tensor<4>,
}

impl MapNorm {
    pub(crate) fn take(p: &mut Parameters, prefix: &str, channels: usize) -> Result<Self, WeightsError> {
        let mut values = |name: &str| p.take(&format!("{prefix}.{name}"), [channels]);
        let (weight, bias): (Tensor<1>, Tensor<1>) = (values("weight")?, values("bias")?);
        let shape = [1, channels, 1, 1];
        Ok(Self { weight: weight.reshape(shape), bias: bias.reshape(shape) })
    }

    /// Biased variance. Means are taken by row, by channel, then over channels: no sum is long enough to lose digits.
    pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let x = x.clone() - mean(x);
        let variance = mean(x.clone() * x.clone());
        x / (variance + EPS).sqrt() * self.weight.clone() + self.bias.clone()
    }
}

/// `[1, 1, 1, 1]`.
fn mean(x: Tensor<4>) -> Tensor<4> {
    x.mean_dim(3).mean_dim(2).mean_dim(1)
}

#[cfg(test)]
mod tests {
    use burn::tensor::{Device, TensorData};

    use super::*;

    #[test]
    fn map_norm_is_exact_far_from_zero() {
        let device = Device::flex();
        let values: Vec<f32> = (0..2 * 30 * 40).map(|i| 500.0 + (i % 17) as f32 / 8.0).collect();
        let one = |v: [f32; 2]| Tensor::<4>::from_data(TensorData::new(v.to_vec(), [1, 2, 1, 1]), &device);
        let norm = MapNorm { weight: one([1.0, 2.0]), bias: one([0.0, -1.0]) };
        let x = Tensor::<4>::from_data(TensorData::new(values.clone(), [1, 2, 30, 40]), &device);
        let found = norm.forward(x).into_data().try_into_vec::<f32>().unwrap();
        let n = values.len() as f64;
        let mean = values.iter().map(|v| f64::from(*v)).sum::<f64>() / n;
        let variance = values.iter().map(|v| (f64::from(*v) - mean).powi(2)).sum::<f64>() / n;
        for (i, (found, value)) in found.iter().zip(&values).enumerate() {
            let plain = (f64::from(*value) - mean) / (variance + EPS).sqrt();
            let expected = if i < 1200 { plain } else { 2.0 * plain - 1.0 };
            // f32 rounding of values near 500: 3e-5 of a deviation of 0.6.
            assert!((f64::from(*found) - expected).abs() < 5e-4, "{i}: {found} {expected}");
        }
    }
}

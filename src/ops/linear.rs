//! Linear layers: dense weights of any device, packed weights, and what the CPU makes of both.
//!
//! In wasm the CPU has weights in panels (`gemm`); natively burn's product uses threads and wider registers.

use std::sync::Arc;

use burn::tensor::{Tensor, TensorData, module};

use super::gemm::{Panels, Tiles};
use super::wgsl::{Buffer, Variant, linear as kernel};
use super::{gelu, host};
use crate::quant::{BLOCK, Bits, PackedMatrix, blocks, unpack_block};
use crate::weights::{Matrix, Parameters, WeightsError};

/// Most packed values of a network that the CPU unpacks once, when it is loaded (256 MiB of f32).
const UNPACKED_ON_HOST: usize = 64 << 20;
/// Output channels that the CPU unpacks at a time: 8 MiB of f32 at the largest width of the released network.
const PANEL: usize = 512;

/// `y = x W^T + b`, `W` given as `[out, in]`.
#[derive(Debug, Clone)]
pub(crate) struct Linear {
    weight: Weight,
    bias: Tensor<1>,
}

#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "a tensor handle; a network has a few hundred")]
enum Weight {
    /// `[in, out]`, contiguous: a product of few tokens spends as long packing a transposed matrix as multiplying.
    Dense(Tensor<2>),
    /// On a GPU.
    Packed(Box<PackedMatrix>),
    /// On the CPU in wasm.
    Panels(Arc<Panels>),
    /// On the CPU, for networks that are too large to be unpacked.
    Host(Arc<HostMatrix>),
    /// On a GPU, for the kernels.
    Kernel(Variant, Box<KernelMatrix>),
}

/// Weights `[outputs, inputs]` and bias as the kernels read them.
#[derive(Debug, Clone)]
struct KernelMatrix {
    weights: kernel::Weights,
    bias: Buffer,
    inputs: usize,
    outputs: usize,
}

/// What follows the sums.
#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "a tensor handle, gone with the call")]
pub(crate) enum Then {
    /// Nothing.
    Store,
    /// The exact GELU.
    Gelu,
    /// A sum with another tensor.
    AddTo(Tensor<2>),
}

impl Linear {
    /// From `[out, in]`. Reshaping a transposed view lays it out anew.
    pub(crate) fn dense(weight: Tensor<2>, bias: Tensor<1>) -> Self {
        let [output, input] = weight.dims();
        if let Some(dense) = Buffer::of(weight.clone())
            && let Some(weight) = KernelMatrix::weight(kernel::Weights::Dense(dense), &bias, [output, input])
        {
            return Self { weight, bias };
        }
        if host::uses_panels(&weight.device())
            && let Ok(values) = weight.to_data().as_slice::<f32>()
        {
            let element = |k: usize, n: usize| values.get(n * input + k).copied().unwrap_or_default();
            return Self { weight: Weight::Panels(Arc::new(Panels::new(input, output, element))), bias };
        }
        let weight: Tensor<1> = weight.transpose().reshape([input * output]);
        Self::from_columns(weight.reshape([input, output]), bias)
    }

    /// From `[in, out]`.
    pub(crate) fn from_columns(weight: Tensor<2>, bias: Tensor<1>) -> Self {
        let [input, output] = weight.dims();
        if host::uses_panels(&weight.device())
            && let Ok(values) = weight.to_data().as_slice::<f32>()
        {
            let element = |k: usize, n: usize| values.get(k * output + n).copied().unwrap_or_default();
            return Self { weight: Weight::Panels(Arc::new(Panels::new(input, output, element))), bias };
        }
        Self { weight: Weight::Dense(weight), bias }
    }

    pub(crate) fn take(p: &mut Parameters, prefix: &str, input: usize, output: usize) -> Result<Self, WeightsError> {
        let weight = p.take_matrix(&format!("{prefix}.weight"), [output, input])?;
        let bias = p.take(&format!("{prefix}.bias"), [output])?;
        let packed = match weight {
            Matrix::Dense(weight) => return Ok(Self::dense(weight, bias)),
            Matrix::Packed(packed) => packed,
        };
        let weight = match host::is_host(p.device()) {
            false => KernelMatrix::packed(&packed, &bias).unwrap_or(Weight::Packed(packed)),
            true if p.packed_values() > UNPACKED_ON_HOST => Weight::Host(Arc::new(HostMatrix::new(*packed)?)),
            true => return Ok(Self::from_columns(HostMatrix::new(*packed)?.columns(0, output, &bias), bias)),
        };
        Ok(Self { weight, bias })
    }

    /// A convolution whose kernel is its stride: a linear map of the flattened patch (channel outer, then y, x).
    pub(crate) fn take_patch(p: &mut Parameters, prefix: &str, side: usize, out: usize) -> Result<Self, WeightsError> {
        let weight = p.take(&format!("{prefix}.weight"), [out, 3, side, side])?;
        Ok(Self::dense(weight.reshape([out, 3 * side * side]), p.take(&format!("{prefix}.bias"), [out])?))
    }

    /// A 1x1 convolution as a map of tokens.
    pub(crate) fn take_pointwise(
        p: &mut Parameters,
        prefix: &str,
        input: usize,
        output: usize,
    ) -> Result<Self, WeightsError> {
        let weight = p.take(&format!("{prefix}.weight"), [output, input, 1, 1])?;
        Ok(Self::dense(weight.reshape([output, input]), p.take(&format!("{prefix}.bias"), [output])?))
    }

    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        match &self.weight {
            Weight::Dense(weight) => module::linear(x, weight.clone(), Some(self.bias.clone())),
            Weight::Packed(matrix) => packed(x, matrix, &self.bias),
            Weight::Panels(panels) => multiply(x, panels, &self.bias),
            Weight::Host(matrix) => matrix.linear(&x, &self.bias),
            Weight::Kernel(variant, matrix) => matrix.apply(*variant, x, Then::Store),
        }
    }

    /// `forward` and what follows, in one pass where the kernels run.
    pub(crate) fn forward_then(&self, x: Tensor<2>, then: Then) -> Tensor<2> {
        match (&self.weight, then) {
            (Weight::Kernel(variant, matrix), then) => matrix.apply(*variant, x, then),
            (_, Then::Store) => self.forward(x),
            (_, Then::Gelu) => gelu(self.forward(x)),
            (_, Then::AddTo(residual)) => residual + self.forward(x),
        }
    }
}

impl KernelMatrix {
    /// `None` where the kernels do not run or do not take this shape.
    fn weight(weights: kernel::Weights, bias: &Tensor<1>, [outputs, inputs]: [usize; 2]) -> Option<Weight> {
        let variant = Variant::of(&bias.device()).filter(|_| weights.fits(inputs))?;
        let bias = Buffer::of(bias.clone())?;
        Some(Weight::Kernel(variant, Box::new(Self { weights, bias, inputs, outputs })))
    }

    fn packed(matrix: &PackedMatrix, bias: &Tensor<1>) -> Option<Weight> {
        let (q, scale) = (Buffer::of_int(matrix.q.clone())?, Buffer::of(matrix.scale.clone())?);
        let weights = match matrix.bits {
            Bits::Int8 => kernel::Weights::Int8(q, scale),
            Bits::Int4 => kernel::Weights::Int4(q, scale),
        };
        Self::weight(weights, bias, matrix.dims())
    }

    fn apply(&self, variant: Variant, x: Tensor<2>, then: Then) -> Tensor<2> {
        let [tokens, _] = x.dims();
        let residual = match &then {
            Then::AddTo(residual) => Buffer::of(residual.clone()),
            _ => None,
        };
        let gelu = matches!(then, Then::Gelu);
        let after = kernel::After { bias: Some(&self.bias), gelu, residual: residual.as_ref(), relu_before: false };
        let Some(on_gpu) = Buffer::of(x.clone()) else { return x };
        self.weights.apply(variant, &on_gpu, [tokens, self.inputs, self.outputs], after).tensor()
    }
}

/// Packed weights on a GPU: unpacked by tensor operations, then multiplied.
fn packed(x: Tensor<2>, matrix: &PackedMatrix, bias: &Tensor<1>) -> Tensor<2> {
    x.matmul(matrix.dequantise().transpose()) + bias.clone().unsqueeze()
}

/// `x B + bias` in memory.
fn multiply(x: Tensor<2>, panels: &Panels, bias: &Tensor<1>) -> Tensor<2> {
    let ([rows, depth], columns, device) = (x.dims(), panels.columns(), x.device());
    let (x, bias) = (x.into_data(), bias.to_data());
    let mut out = vec![0.0; rows * columns];
    // Every tensor of the network is f32.
    if let (Ok(x), Ok(bias)) = (x.as_slice::<f32>(), bias.as_slice::<f32>()) {
        panels.multiply(&Tiles::new(depth, x.chunks(depth.max(1))), bias, &mut out);
    }
    Tensor::from_data(TensorData::new(out, [rows, columns]), &device)
}

/// Packed weights in memory, unpacked a panel of output channels at a time.
#[derive(Debug)]
struct HostMatrix {
    words: Vec<u32>,
    scales: Vec<f32>,
    input: usize,
    bits: Bits,
}

impl HostMatrix {
    fn new(matrix: PackedMatrix) -> Result<Self, WeightsError> {
        let unread = |_| WeightsError::Missing { key: "a packed matrix".into() };
        let PackedMatrix { q, scale, bits, input } = matrix;
        let words = q.into_data().try_into_vec::<u32>().map_err(unread)?;
        let scales = scale.into_data().try_into_vec::<f32>().map_err(unread)?;
        Ok(Self { words, scales, input, bits })
    }

    /// Output channels `first..first + count` as `[in, count]`, on the device of `like`.
    fn columns(&self, first: usize, count: usize, like: &Tensor<1>) -> Tensor<2> {
        let (per_block, row_blocks) = (self.bits.words_per_block(), blocks(self.input));
        let mut values = vec![0.0; row_blocks * BLOCK * count];
        // Each share is one block of inputs for all of the panel's channels.
        host::each_row(&mut values, BLOCK * count, |block, values| {
            for column in 0..count {
                let at = (first + column) * row_blocks + block;
                let words = self.words.get(at * per_block..(at + 1) * per_block).unwrap_or_default();
                let mut unpacked = [0.0; BLOCK];
                unpack_block(words, self.scales.get(at).copied().unwrap_or_default(), self.bits, &mut unpacked);
                for (row, value) in values.chunks_mut(count).zip(unpacked) {
                    if let Some(slot) = row.get_mut(column) {
                        *slot = value;
                    }
                }
            }
        });
        values.truncate(self.input * count);
        Tensor::from_data(TensorData::new(values, [self.input, count]), &like.device())
    }

    fn linear(&self, x: &Tensor<2>, bias: &Tensor<1>) -> Tensor<2> {
        let [outputs] = bias.dims();
        let panel = |first: usize| {
            let count = PANEL.min(outputs - first);
            let bias = bias.clone().narrow(0, first, count);
            Linear::from_columns(self.columns(first, count, &bias), bias).forward(x.clone())
        };
        Tensor::cat((0..outputs).step_by(PANEL).map(panel).collect(), 1)
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::Device;

    use super::*;
    use crate::quant::quantise;

    fn values(count: usize) -> Vec<f32> {
        (0..count).map(|i| ((i * 7919) % 2003) as f32 / 1000.0 - 1.0).collect()
    }

    fn tensor<const D: usize>(values: Vec<f32>, shape: [usize; D]) -> Tensor<D> {
        Tensor::from_data(TensorData::new(values, shape), &Device::flex())
    }

    fn worst(a: Tensor<2>, b: Tensor<2>) -> f32 {
        (a - b).abs().max().into_data().try_to_vec::<f32>().unwrap()[0]
    }

    #[test]
    fn every_form_of_a_packed_layer_is_the_dense_layer_of_its_values() {
        for bits in [Bits::Int8, Bits::Int4] {
            for (tokens, input, output) in [(1, 32, 8), (5, 64, 700), (3, 40, 513)] {
                let packed_values = quantise(&values(input * output), input, bits);
                let scales = packed_values.scales.iter().map(|s| s.to_f32()).collect();
                let matrix =
                    PackedMatrix::new(packed_values.words.clone(), scales, [output, input], bits, &Device::flex());
                let x = tensor(values(tokens * input), [tokens, input]);
                let bias = tensor(values(output), [output]);
                let dense = Linear::dense(tensor(packed_values.dequantise(), [output, input]), bias.clone());
                let expected = dense.forward(x.clone());
                let host = HostMatrix::new(matrix.clone()).unwrap();
                let once = Linear::from_columns(host.columns(0, output, &bias), bias.clone());
                assert!(worst(once.forward(x.clone()), expected.clone()) == 0.0);
                assert!(worst(host.linear(&x, &bias), expected.clone()) < 1e-4);
                assert!(worst(packed(x.clone(), &matrix, &bias), expected.clone()) < 1e-4);
                let values = packed_values.dequantise();
                let panels = Panels::new(input, output, |k, n| values[n * input + k]);
                assert!(worst(multiply(x, &panels, &bias), expected) < 1e-4);
            }
        }
    }
}

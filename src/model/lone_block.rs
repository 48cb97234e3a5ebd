//! One block of the released image encoder alone, with formula weights: what benches run beside other runtimes.

use burn::tensor::{Device, Tensor, TensorData};

use super::block::Block;
use super::{Config, ModelError, ParameterSpec};
use crate::ops::Rotary;
use crate::quant::{Bits, Packed, PackedMatrix, quantise};
use crate::weights::{Parameters, WeightsError, formula_values};

/// The beginning of its tensors' keys.
const PREFIX: &str = "enc_blocks.0";

/// A tensor of the block: what another runtime must be given to compute the same.
#[derive(Debug, Clone)]
pub struct BlockTensor {
    /// Key without the block's own: `attn.qkv.weight`.
    pub name: String,
    /// Matrices are `[d_out, d_in]`.
    pub shape: Vec<usize>,
    /// Values as they are stored.
    pub stored: BlockValues,
}

/// How a tensor of the block is stored.
#[derive(Debug, Clone)]
pub enum BlockValues {
    /// f32.
    Dense(Vec<f32>),
    /// Blocks of integers.
    Packed(Packed),
}

/// The block on a device.
#[derive(Debug)]
pub struct LoneBlock {
    block: Block,
    rotary: Rotary,
    device: Device,
    tokens: usize,
}

impl LoneBlock {
    /// The network the block is taken from: its width, heads, epsilon and rotary base.
    #[must_use]
    pub fn config() -> Config {
        Config::released_formula()
    }

    /// The block's tensors, matrices packed if `bits` says so.
    #[must_use]
    pub fn tensors(bits: Option<Bits>) -> Vec<BlockTensor> {
        let config = Self::config();
        let own = |spec: &ParameterSpec| spec.name.strip_prefix(PREFIX).is_some_and(|rest| rest.starts_with('.'));
        let tensor = |spec: ParameterSpec| {
            let values = formula_values(&spec.name, &spec.shape, &config);
            let stored = match (bits, spec.shape.as_slice()) {
                (Some(bits), [_, input]) => BlockValues::Packed(quantise(&values, *input, bits)),
                _ => BlockValues::Dense(values),
            };
            let name = spec.name.trim_start_matches(PREFIX).trim_start_matches('.').to_owned();
            BlockTensor { name, shape: spec.shape, stored }
        };
        config.parameters().into_iter().filter(own).map(tensor).collect()
    }

    /// The block for `tokens` tokens, of which `columns` stand in a row of the patch grid.
    ///
    /// # Errors
    /// Never for tensors of [`LoneBlock::tensors`]; else when one is missing or has another shape.
    pub fn new(
        tensors: Vec<BlockTensor>,
        tokens: usize,
        columns: usize,
        device: &Device,
    ) -> Result<Self, WeightsError> {
        let config = Self::config();
        let (dim, heads) = (config.enc_embed_dim, config.enc_num_heads);
        let mut parameters = Parameters::new(device);
        for tensor in tensors {
            let name = format!("{PREFIX}.{}", tensor.name);
            match (tensor.stored, tensor.shape.as_slice()) {
                (BlockValues::Packed(packed), [rows, input]) => {
                    let scales = packed.scales.iter().map(|scale| scale.to_f32()).collect();
                    let matrix = PackedMatrix::new(packed.words, scales, [*rows, *input], packed.bits, device);
                    parameters.insert_packed(&name, matrix);
                }
                (BlockValues::Packed(packed), shape) => parameters.insert(&name, shape, packed.dequantise()),
                (BlockValues::Dense(values), shape) => parameters.insert(&name, shape, values),
            }
        }
        #[expect(clippy::cast_precision_loss, reason = "patch coordinates are small")]
        let position = |token: usize| [(token / columns.max(1)) as f32, (token % columns.max(1)) as f32];
        let positions: Vec<_> = (0..tokens).map(position).collect();
        Ok(Self {
            block: Block::take(&mut parameters, PREFIX, dim, heads, config.mlp_ratio, config.layer_norm_eps)?,
            rotary: Rotary::plane(&positions, dim / heads, config.rope2d_base, device),
            device: device.clone(),
            tokens,
        })
    }

    /// Tokens `[tokens, width]`, row-major, through the block.
    ///
    /// # Errors
    /// When there are not so many values, or the device gives nothing back.
    pub async fn run(&self, x: Vec<f32>) -> Result<Vec<f32>, ModelError> {
        let width = Self::config().enc_embed_dim;
        if x.len() != self.tokens * width {
            return Err(ModelError::Device(format!("{} values are not {} tokens of {width}", x.len(), self.tokens)));
        }
        let x: Tensor<2> = Tensor::from_data(TensorData::new(x, [self.tokens, width]), &self.device);
        let data = self.block.forward(x, &self.rotary).into_data_async().await?;
        data.try_into_vec::<f32>().map_err(|e| ModelError::Device(format!("{e:?}")))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn packed_block_is_near_the_exact_one_and_refuses_other_sizes() {
        let device = Device::flex();
        let x: Vec<f32> = (0..5 * 1024).map(|i| ((i * 7919) % 2003) as f32 / 1000.0 - 1.0).collect();
        let run = |bits| {
            let block = LoneBlock::new(LoneBlock::tensors(bits), 5, 3, &device).unwrap();
            assert!(pollster::block_on(block.run(vec![0.0; 7])).is_err());
            pollster::block_on(block.run(x.clone())).unwrap()
        };
        let (exact, int8, int4) = (run(None), run(Some(Bits::Int8)), run(Some(Bits::Int4)));
        let norm = |v: &mut dyn Iterator<Item = f32>| v.map(|v| v * v).sum::<f32>().sqrt();
        let error = |a: &[f32]| norm(&mut a.iter().zip(&exact).map(|(a, b)| a - b)) / norm(&mut exact.iter().copied());
        // Weights are off by 0.4 % and 6 %; the residual carries most of the output.
        assert!(error(&int8) > 1e-5 && error(&int8) < 0.01, "{}", error(&int8));
        assert!(error(&int4) > error(&int8) && error(&int4) < 0.15, "{}", error(&int4));
    }
}

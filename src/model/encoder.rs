//! Image encoder and the value encoder's shared form: tokens of patches, plain blocks, norm (spec 4.1, 4.7).

use burn::tensor::Tensor;

use super::block::Block;
use super::config::Config;
use super::probe::Probe;
use crate::ops::{LayerNorm, Rotary};
use crate::pace::Pace;
use crate::weights::{Parameters, WeightsError};

/// A vision transformer over embedded patches.
#[derive(Debug, Clone)]
pub(crate) struct Encoder {
    blocks: Vec<Block>,
    norm: LayerNorm,
}

impl Encoder {
    /// The image encoder: `enc_blocks`, `enc_norm`.
    pub(crate) fn take_image(p: &mut Parameters, c: &Config) -> Result<Self, WeightsError> {
        let (dim, eps) = (c.enc_embed_dim, c.layer_norm_eps);
        let blocks = (0..c.enc_depth)
            .map(|i| Block::take(p, &format!("enc_blocks.{i}"), dim, c.enc_num_heads, c.mlp_ratio, eps))
            .collect::<Result<_, _>>()?;
        Ok(Self { blocks, norm: LayerNorm::take(p, "enc_norm", dim, eps)? })
    }

    /// The encoder of predicted points: `value_encoder`, `value_norm`.
    pub(crate) fn take_value(p: &mut Parameters, c: &Config) -> Result<Self, WeightsError> {
        let (dim, eps, stack) = (c.value_dim(), c.layer_norm_eps, &c.value_encoder);
        let blocks = (0..stack.depth)
            .map(|i| Block::take(p, &format!("value_encoder.{i}"), dim, stack.heads, stack.mlp_ratio, eps))
            .collect::<Result<_, _>>()?;
        Ok(Self { blocks, norm: LayerNorm::take(p, "value_norm", dim, eps)? })
    }

    /// Tokens `[patches, dim]` through all blocks, normalised. `names` prefixes what is recorded.
    pub(crate) async fn forward(
        &self,
        tokens: Tensor<2>,
        rotary: &Rotary,
        names: &str,
        probe: &mut Probe,
        pace: &Pace,
    ) -> Tensor<2> {
        let mut x = tokens;
        probe.record(format!("{names}.patch_embed"), &x);
        for (i, block) in self.blocks.iter().enumerate() {
            x = block.forward(x, rotary);
            probe.record(format!("{names}.block.{i}"), &x);
            pace.breathe().await;
        }
        self.norm.forward(x)
    }
}

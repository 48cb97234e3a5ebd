//! Pointer creation: one candidate pointer per patch (spec 4.7).

use burn::tensor::Tensor;

use super::config::Config;
use super::encoder::Encoder;
use super::probe::Probe;
use crate::ops::{Linear, Mlp, Rotary};
use crate::pace::Pace;
use crate::weights::{Parameters, WeightsError};

/// The networks that describe a patch by what it shows and where it lies.
#[derive(Debug, Clone)]
pub(crate) struct PointerNetwork {
    key: Mlp,
    embed: Linear,
    value: Encoder,
    value_out: Linear,
}

impl PointerNetwork {
    pub(crate) fn take(p: &mut Parameters, c: &Config) -> Result<Self, WeightsError> {
        let head = &c.memory_attn_head;
        Ok(Self {
            key: Mlp::take_named(
                p,
                ["memory_attn_head.0", "memory_attn_head.2"],
                [head.in_dim, head.hidden, head.out],
            )?,
            embed: Linear::take_patch(p, "pts_patch_embed.proj", c.patch_size, c.value_dim())?,
            value: Encoder::take_value(p, c)?,
            value_out: Linear::take(p, "value_out", c.value_dim(), c.enc_embed_dim)?,
        })
    }

    /// Features of the candidates before projection, `[patches, encoder width]`. `tokens`: last decoder output
    /// without pose token; `points`: world points, cut into patches.
    pub(crate) async fn features(
        &self,
        encoded: Tensor<2>,
        tokens: Tensor<2>,
        points: Tensor<2>,
        rotary: &Rotary,
        probe: &mut Probe,
        pace: &Pace,
    ) -> Tensor<2> {
        let key = self.key.forward(Tensor::cat(vec![encoded, tokens], 1));
        probe.record("mem_key_feat", &key);
        let value = self.value.forward(self.embed.forward(points), rotary, "value", probe, pace).await;
        let value = self.value_out.forward(value);
        probe.record("mem_value_feat", &value);
        key + value
    }
}

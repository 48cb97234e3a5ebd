//! Transformer blocks (spec 3.3-3.6).

use burn::tensor::{Tensor, activation};

use super::rope::Rotary;
use crate::ops::{LayerNorm, Linear, Mlp, attend, heads_of, join_heads};
use crate::weights::{Parameters, WeightsError};

/// Attention of a stream over itself.
#[derive(Debug, Clone)]
pub(crate) struct SelfAttention {
    qkv: Linear,
    proj: Linear,
    heads: usize,
}

impl SelfAttention {
    fn take(p: &mut Parameters, prefix: &str, dim: usize, heads: usize) -> Result<Self, WeightsError> {
        Ok(Self {
            qkv: Linear::take(p, &format!("{prefix}.qkv"), dim, 3 * dim)?,
            proj: Linear::take(p, &format!("{prefix}.proj"), dim, dim)?,
            heads,
        })
    }

    fn forward(&self, x: Tensor<2>, rotary: Option<&Rotary>) -> Tensor<2> {
        let [tokens, dim] = x.dims();
        let qkv = self.qkv.forward(x);
        // Over one token softmax is 1: the values are the result (spec 4.6).
        let part = |i: usize| heads_of(qkv.clone().narrow(1, i * dim, dim), self.heads);
        let out = if tokens == 1 { part(2) } else { attend(turn(part(0), rotary), turn(part(1), rotary), part(2)) };
        self.proj.forward(join_heads(out))
    }
}

/// Attention of a stream over another.
#[derive(Debug, Clone)]
pub(crate) struct CrossAttention {
    /// Absent where the other stream is one token and the attention a constant (spec 4.6).
    query_key: Option<(LayerNorm, Linear, Linear)>,
    value: Linear,
    proj: Linear,
    heads: usize,
}

impl CrossAttention {
    fn take(
        p: &mut Parameters,
        block: &str,
        dim: usize,
        heads: usize,
        eps: f64,
        single_key: bool,
    ) -> Result<Self, WeightsError> {
        let prefix = format!("{block}.cross_attn");
        let query_key = if single_key {
            None
        } else {
            Some((
                LayerNorm::take(p, &format!("{block}.norm2"), dim, eps)?,
                Linear::take(p, &format!("{prefix}.projq"), dim, dim)?,
                Linear::take(p, &format!("{prefix}.projk"), dim, dim)?,
            ))
        };
        Ok(Self {
            query_key,
            value: Linear::take(p, &format!("{prefix}.projv"), dim, dim)?,
            proj: Linear::take(p, &format!("{prefix}.proj"), dim, dim)?,
            heads,
        })
    }

    /// `x` not yet normalised, `y` normalised.
    fn forward(&self, x: Tensor<2>, y: Tensor<2>, of_x: Option<&Rotary>, of_y: Option<&Rotary>) -> Tensor<2> {
        let value = self.value.forward(y.clone());
        let Some((norm, query, key)) = &self.query_key else {
            return self.proj.forward(value);
        };
        let q = turn(heads_of(query.forward(norm.forward(x)), self.heads), of_x);
        let k = turn(heads_of(key.forward(y), self.heads), of_y);
        self.proj.forward(join_heads(attend(q, k, heads_of(value, self.heads))))
    }
}

fn turn(t: Tensor<3>, rotary: Option<&Rotary>) -> Tensor<3> {
    match rotary {
        Some(rotary) => rotary.apply(t),
        None => t,
    }
}

/// Plain pre-norm block (spec 3.4).
#[derive(Debug, Clone)]
pub(crate) struct Block {
    norm1: LayerNorm,
    attn: SelfAttention,
    norm2: LayerNorm,
    mlp: Mlp,
}

impl Block {
    pub(crate) fn take(
        p: &mut Parameters,
        prefix: &str,
        dim: usize,
        heads: usize,
        ratio: usize,
        eps: f64,
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            norm1: LayerNorm::take(p, &format!("{prefix}.norm1"), dim, eps)?,
            attn: SelfAttention::take(p, &format!("{prefix}.attn"), dim, heads)?,
            norm2: LayerNorm::take(p, &format!("{prefix}.norm2"), dim, eps)?,
            mlp: Mlp::take(p, &format!("{prefix}.mlp"), dim, ratio)?,
        })
    }

    pub(crate) fn forward(&self, x: Tensor<2>, rotary: &Rotary) -> Tensor<2> {
        let x = x.clone() + self.attn.forward(self.norm1.forward(x), Some(rotary));
        x.clone() + self.mlp.forward(self.norm2.forward(x))
    }
}

/// Block of a stream that reads another stream (spec 3.5). Only `x` changes.
#[derive(Debug, Clone)]
pub(crate) struct DecoderBlock {
    norm1: LayerNorm,
    attn: SelfAttention,
    norm_y: LayerNorm,
    cross: CrossAttention,
    norm3: LayerNorm,
    mlp: Mlp,
}

impl DecoderBlock {
    pub(crate) fn take(
        p: &mut Parameters,
        prefix: &str,
        dim: usize,
        heads: usize,
        ratio: usize,
        eps: f64,
        single_key: bool,
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            norm1: LayerNorm::take(p, &format!("{prefix}.norm1"), dim, eps)?,
            attn: SelfAttention::take(p, &format!("{prefix}.attn"), dim, heads)?,
            norm_y: LayerNorm::take(p, &format!("{prefix}.norm_y"), dim, eps)?,
            cross: CrossAttention::take(p, prefix, dim, heads, eps, single_key)?,
            norm3: LayerNorm::take(p, &format!("{prefix}.norm3"), dim, eps)?,
            mlp: Mlp::take(p, &format!("{prefix}.mlp"), dim, ratio)?,
        })
    }

    pub(crate) fn forward(
        &self,
        x: Tensor<2>,
        y: Tensor<2>,
        of_x: Option<&Rotary>,
        of_y: Option<&Rotary>,
    ) -> Tensor<2> {
        let x = x.clone() + self.attn.forward(self.norm1.forward(x), of_x);
        let x = x.clone() + self.cross.forward(x, self.norm_y.forward(y), of_x, of_y);
        x.clone() + self.mlp.forward(self.norm3.forward(x))
    }
}

/// Layer norm whose scale and shift are read off a condition (spec 3.6).
#[derive(Debug, Clone)]
struct ConditionedNorm {
    norm: LayerNorm,
    modulation: Linear,
}

impl ConditionedNorm {
    fn take(p: &mut Parameters, prefix: &str, dim: usize, eps: f64) -> Result<Self, WeightsError> {
        Ok(Self {
            norm: LayerNorm::take(p, &format!("{prefix}.norm"), dim, eps)?,
            modulation: Linear::take(p, &format!("{prefix}.mlp.1"), dim, 2 * dim)?,
        })
    }

    fn forward(&self, x: Tensor<2>, condition: Tensor<2>) -> Tensor<2> {
        let [_, dim] = x.dims();
        let m = self.modulation.forward(activation::silu(condition));
        let (shift, scale) = (m.clone().narrow(1, 0, dim), m.narrow(1, dim, dim));
        self.norm.forward(x) * (scale + 1.0) + shift
    }
}

/// Block conditioned on the pose token (spec 3.6).
#[derive(Debug, Clone)]
pub(crate) struct ConditionedBlock {
    norm1: ConditionedNorm,
    attn: SelfAttention,
    norm2: ConditionedNorm,
    mlp: Mlp,
}

impl ConditionedBlock {
    pub(crate) fn take(
        p: &mut Parameters,
        prefix: &str,
        dim: usize,
        heads: usize,
        ratio: usize,
        eps: f64,
    ) -> Result<Self, WeightsError> {
        Ok(Self {
            norm1: ConditionedNorm::take(p, &format!("{prefix}.norm1"), dim, eps)?,
            attn: SelfAttention::take(p, &format!("{prefix}.attn"), dim, heads)?,
            norm2: ConditionedNorm::take(p, &format!("{prefix}.norm2"), dim, eps)?,
            mlp: Mlp::take(p, &format!("{prefix}.mlp"), dim, ratio)?,
        })
    }

    pub(crate) fn forward(&self, x: Tensor<2>, condition: &Tensor<2>, rotary: &Rotary) -> Tensor<2> {
        let x = x.clone() + self.attn.forward(self.norm1.forward(x, condition.clone()), Some(rotary));
        x.clone() + self.mlp.forward(self.norm2.forward(x, condition.clone()))
    }
}

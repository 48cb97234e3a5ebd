//! Transformer blocks (spec 3.3-3.6).

use burn::tensor::{Tensor, activation};

use crate::ops::{LayerNorm, Linear, Mlp, Rotary, Then, attend_other, attend_own};
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

    /// `residual` plus the attention of `x`.
    fn forward_onto(&self, residual: Tensor<2>, x: Tensor<2>, rotary: Option<&Rotary>) -> Tensor<2> {
        let [tokens, dim] = x.dims();
        let qkv = self.qkv.forward(x);
        // Over one token softmax is 1: the values are the result (spec 4.6).
        let out = if tokens == 1 { qkv.narrow(1, 2 * dim, dim) } else { attend_own(qkv, self.heads, rotary) };
        self.proj.forward_then(out, Then::AddTo(residual))
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

    /// `x` plus its attention over `y`; `x` not yet normalised, `y` normalised.
    fn forward_onto(&self, x: Tensor<2>, y: Tensor<2>, of_x: Option<&Rotary>, of_y: Option<&Rotary>) -> Tensor<2> {
        let value = self.value.forward(y.clone());
        let Some((norm, query, key)) = &self.query_key else {
            // One row, the same for all of `x`.
            return x + self.proj.forward(value);
        };
        let (q, k) = (query.forward(norm.forward(x.clone())), key.forward(y));
        self.proj.forward_then(attend_other([q, k, value], self.heads, of_x, of_y), Then::AddTo(x))
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
        let x = self.attn.forward_onto(x.clone(), self.norm1.forward(x), Some(rotary));
        self.mlp.forward_onto(x.clone(), self.norm2.forward(x))
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
        let x = self.attn.forward_onto(x.clone(), self.norm1.forward(x), of_x);
        let x = self.cross.forward_onto(x, self.norm_y.forward(y), of_x, of_y);
        self.mlp.forward_onto(x.clone(), self.norm3.forward(x))
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
        self.norm.forward_modulated(x, self.modulation.forward(activation::silu(condition)))
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
        let x = self.attn.forward_onto(x.clone(), self.norm1.forward(x, condition.clone()), Some(rotary));
        self.mlp.forward_onto(x.clone(), self.norm2.forward(x, condition.clone()))
    }
}

//! The hot operations, on burn tensors of any device. Tokens are rows: `[tokens, channels]`.

mod attention;
mod conv;
mod host;
mod linear;
mod norm;

use burn::tensor::{Tensor, activation, module};

pub(crate) use attention::{attend, heads_of, join_heads};
pub(crate) use conv::{Conv, UpConv, patches_of_map, tokens_to_map, upsample2};
pub(crate) use host::{each_row, in_place, is_host};
pub(crate) use linear::Linear;
pub(crate) use norm::MapNorm;

use crate::weights::{Parameters, WeightsError};

/// Layer normalisation over channels, biased variance.
#[derive(Debug, Clone)]
pub(crate) struct LayerNorm {
    weight: Tensor<1>,
    bias: Tensor<1>,
    eps: f64,
}

impl LayerNorm {
    pub(crate) fn take(p: &mut Parameters, prefix: &str, dim: usize, eps: f64) -> Result<Self, WeightsError> {
        let weight = p.take(&format!("{prefix}.weight"), [dim])?;
        Ok(Self { weight, bias: p.take(&format!("{prefix}.bias"), [dim])?, eps })
    }

    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        module::layer_norm(x, self.weight.clone(), Some(self.bias.clone()), self.eps)
    }
}

/// Two linear layers with the exact GELU between them.
#[derive(Debug, Clone)]
pub(crate) struct Mlp {
    first: Linear,
    second: Linear,
}

impl Mlp {
    pub(crate) fn take(p: &mut Parameters, prefix: &str, dim: usize, ratio: usize) -> Result<Self, WeightsError> {
        Self::take_named(p, [&format!("{prefix}.fc1"), &format!("{prefix}.fc2")], [dim, ratio * dim, dim])
    }

    pub(crate) fn take_named(
        p: &mut Parameters,
        [first, second]: [&str; 2],
        [input, hidden, output]: [usize; 3],
    ) -> Result<Self, WeightsError> {
        Ok(Self { first: Linear::take(p, first, input, hidden)?, second: Linear::take(p, second, hidden, output)? })
    }

    pub(crate) fn forward(&self, x: Tensor<2>) -> Tensor<2> {
        self.second.forward(gelu(self.first.forward(x)))
    }
}

/// The exact GELU.
pub(crate) fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if is_host(&x.device()) { in_place(x, host::gelu) } else { activation::gelu(x) }
}

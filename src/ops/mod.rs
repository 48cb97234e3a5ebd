//! The hot operations, on burn tensors of any device. Tokens are rows: `[tokens, channels]`.

mod attention;
mod conv;
mod gemm;
mod host;
mod linear;
mod map;
mod norm;
mod patches;
mod rotary;
pub(crate) mod wgsl;

use burn::tensor::{Tensor, activation, module};

pub(crate) use attention::{attend_other, attend_own};
pub(crate) use conv::{Conv, UpConv};
pub(crate) use host::{each_row, in_place, is_host};
pub(crate) use linear::{Linear, Then};
pub(crate) use map::Map;
pub(crate) use norm::MapNorm;
pub(crate) use patches::{image_patches, normalised, patches_of_map};
pub(crate) use rotary::{Places, Rotary, SpaceRotary};

use crate::weights::{Parameters, WeightsError};
use wgsl::{Buffer, Variant};

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
        if let Some(y) = self.kernel(&x, None) {
            return y;
        }
        module::layer_norm(x, self.weight.clone(), Some(self.bias.clone()), self.eps)
    }

    /// Then `y * (1 + scale) + shift`, `modulation` being `[1, shift | scale]`.
    pub(crate) fn forward_modulated(&self, x: Tensor<2>, modulation: Tensor<2>) -> Tensor<2> {
        if let Some(y) = self.kernel(&x, Some(&modulation)) {
            return y;
        }
        let [_, dim] = x.dims();
        let (shift, scale) = (modulation.clone().narrow(1, 0, dim), modulation.narrow(1, dim, dim));
        self.forward(x) * (scale + 1.0) + shift
    }

    fn kernel(&self, x: &Tensor<2>, modulation: Option<&Tensor<2>>) -> Option<Tensor<2>> {
        let dims @ [_, channels] = x.dims();
        let variant = Variant::of(&x.device()).filter(|_| channels.is_multiple_of(4))?;
        let on = |t: &Tensor<1>| Buffer::of(t.clone());
        let modulation = modulation.and_then(|m| Buffer::of(m.clone()));
        let (x, weight, bias) = (Buffer::of(x.clone())?, on(&self.weight)?, on(&self.bias)?);
        #[expect(clippy::cast_possible_truncation, reason = "a small constant")]
        let eps = self.eps as f32;
        Some(wgsl::norm::layer_norm(variant, &x, dims, [&weight, &bias], modulation.as_ref(), eps).tensor())
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
        self.second.forward(self.first.forward_then(x, Then::Gelu))
    }

    /// `residual` plus what `forward` makes of `x`.
    pub(crate) fn forward_onto(&self, residual: Tensor<2>, x: Tensor<2>) -> Tensor<2> {
        self.second.forward_then(self.first.forward_then(x, Then::Gelu), Then::AddTo(residual))
    }
}

/// The exact GELU.
pub(crate) fn gelu<const D: usize>(x: Tensor<D>) -> Tensor<D> {
    if is_host(&x.device()) { in_place(x, host::gelu) } else { activation::gelu(x) }
}

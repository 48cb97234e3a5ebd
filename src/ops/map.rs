//! Maps of the dense heads and what is done to them beside convolution (spec 5.2, 5.3).

use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
use burn::tensor::{Tensor, TensorData, activation, module};

use super::host;
use super::wgsl::{Buffer, Variant, map as kernel};

/// A map of `[height, width]` pixels. Each form has its own order: channels first for burn's operations, channels
/// last, as tokens have them, for the kernels.
#[derive(Debug, Clone)]
pub(crate) enum Map {
    /// `[1, channels, height, width]`.
    Planes(Tensor<4>),
    /// `[height, width, channels]`.
    Pixels(Variant, Tensor<3>),
}

impl Map {
    /// Row-major tokens `[height * width, channels]` as a map, for the kernels where `variant` says which.
    pub(crate) fn of_tokens(tokens: Tensor<2>, [height, width]: [usize; 2], variant: Option<Variant>) -> Self {
        let [_, channels] = tokens.dims();
        match variant {
            Some(variant) => Self::Pixels(variant, tokens.reshape([height, width, channels])),
            None => Self::Planes(tokens.transpose().reshape([1, channels, height, width])),
        }
    }

    /// `[1, channels, height, width]`.
    pub(crate) fn planes(&self) -> Tensor<4> {
        match self {
            Self::Planes(map) => map.clone(),
            Self::Pixels(_, map) => map.clone().permute([2, 0, 1]).unsqueeze(),
        }
    }

    /// Height and width.
    pub(crate) fn size(&self) -> [usize; 2] {
        match self {
            Self::Planes(map) => {
                let [_, _, height, width] = map.dims();
                [height, width]
            }
            Self::Pixels(_, map) => {
                let [height, width, _] = map.dims();
                [height, width]
            }
        }
    }

    /// The top left part of that size.
    pub(crate) fn crop(self, [height, width]: [usize; 2]) -> Self {
        if self.size() == [height, width] {
            return self;
        }
        match self {
            Self::Planes(map) => Self::Planes(map.narrow(2, 0, height).narrow(3, 0, width)),
            Self::Pixels(variant, map) => Self::Pixels(variant, map.narrow(0, 0, height).narrow(1, 0, width)),
        }
    }

    /// In the order that `variant` says.
    pub(crate) fn in_form(self, variant: Option<Variant>) -> Self {
        match (self, variant) {
            (Self::Planes(map), Some(variant)) => Self::Pixels(variant, map.permute([0, 2, 3, 1]).squeeze_dim(0)),
            (map @ Self::Pixels(..), None) => Self::Planes(map.planes()),
            (map, _) => map,
        }
    }

    /// The sum, in this map's order.
    pub(crate) fn plus(self, other: Self) -> Self {
        match (self, other) {
            (Self::Pixels(variant, a), Self::Pixels(_, b)) => Self::Pixels(variant, a + b),
            (a, b) => Self::Planes(a.planes() + b.planes()),
        }
    }

    /// Negative values become zero.
    pub(crate) fn relu(self) -> Self {
        match self {
            Self::Planes(map) => Self::Planes(activation::relu(map)),
            Self::Pixels(variant, map) => Self::Pixels(variant, activation::relu(map)),
        }
    }

    /// Bilinear upsampling by two, corners aligned.
    pub(crate) fn upsample2(self) -> Self {
        let [height, _] = self.size();
        match self {
            Self::Planes(map) => Self::Planes(upsample2(map)),
            Self::Pixels(..) => self.upsampled_rows([0, 2 * height]),
        }
    }

    /// Rows of the upsampled map; of planes, always all.
    pub(crate) fn upsampled_rows(self, rows: [usize; 2]) -> Self {
        let Self::Pixels(variant, map) = self else { return self.upsample2() };
        let dims @ [_, width, channels] = map.dims();
        let Some(x) = Buffer::of(map.clone()) else { return Self::Pixels(variant, map) };
        let up: Tensor<2> = kernel::upsample2(&x, dims, rows).tensor();
        Self::Pixels(variant, up.reshape([rows[1] - rows[0], 2 * width, channels]))
    }
}

/// Bilinear upsampling by two, corners aligned.
fn upsample2(x: Tensor<4>) -> Tensor<4> {
    let [batch, channels, h, w] = x.dims();
    let device = x.device();
    if host::is_host(&device)
        && let Ok(planes) = x.to_data().as_slice::<f32>()
    {
        let up = host::upsample2(planes, h, w);
        return Tensor::from_data(TensorData::new(up, [batch, channels, 2 * h, 2 * w]), &device);
    }
    let options = InterpolateOptions::new(InterpolateMode::Bilinear).with_align_corners(true);
    module::interpolate(x, options.with_output_size([2 * h, 2 * w]))
}

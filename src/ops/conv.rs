//! Convolutions and resampling of the dense heads (spec 5.2). Maps are `[1, channels, height, width]`.

use burn::tensor::ops::{ConvOptions, InterpolateMode, InterpolateOptions};
use burn::tensor::{Tensor, TensorData, module};

use super::{Linear, host};
use crate::weights::{Parameters, WeightsError};

/// A convolution with square kernel, "same" padding for stride 1.
#[derive(Debug, Clone)]
pub(crate) struct Conv {
    weight: Tensor<4>,
    bias: Option<Tensor<1>>,
    stride: usize,
    padding: usize,
}

impl Conv {
    pub(crate) fn take(
        p: &mut Parameters,
        prefix: &str,
        [input, output]: [usize; 2],
        kernel: usize,
        stride: usize,
        bias: bool,
    ) -> Result<Self, WeightsError> {
        let weight = p.take(&format!("{prefix}.weight"), [output, input, kernel, kernel])?;
        let bias = if bias { Some(p.take(&format!("{prefix}.bias"), [output])?) } else { None };
        Ok(Self { weight, bias, stride, padding: kernel / 2 })
    }

    pub(crate) fn forward(&self, x: Tensor<4>) -> Tensor<4> {
        let options = ConvOptions::new([self.stride; 2], [self.padding; 2], [1, 1], 1);
        module::conv2d(x, self.weight.clone(), self.bias.clone(), options)
    }
}

/// A transposed convolution whose kernel is its stride: every token becomes a `side` x `side` tile.
#[derive(Debug, Clone)]
pub(crate) struct UpConv {
    tiles: Linear,
    channels: usize,
    side: usize,
}

impl UpConv {
    pub(crate) fn take(p: &mut Parameters, prefix: &str, dim: usize, side: usize) -> Result<Self, WeightsError> {
        let weight: Tensor<4> = p.take(&format!("{prefix}.weight"), [dim, dim, side, side])?;
        let bias: Tensor<1> = p.take(&format!("{prefix}.bias"), [dim])?;
        let weight = weight.reshape([dim, dim * side * side]);
        let bias = bias.reshape([dim, 1]).expand([dim, side * side]).reshape([dim * side * side]);
        Ok(Self { tiles: Linear::from_columns(weight, bias), channels: dim, side })
    }

    /// `[height * width, channels]` tokens to a map `side` times as large.
    pub(crate) fn forward(&self, tokens: Tensor<2>, [height, width]: [usize; 2]) -> Tensor<4> {
        let (c, s) = (self.channels, self.side);
        let tiles: Tensor<5> = self.tiles.forward(tokens).reshape([height, width, c, s, s]);
        tiles.permute([2, 0, 3, 1, 4]).reshape([1, c, height * s, width * s])
    }
}

/// Row-major tokens `[height * width, channels]` as a map.
pub(crate) fn tokens_to_map(tokens: Tensor<2>, [height, width]: [usize; 2]) -> Tensor<4> {
    let [_, channels] = tokens.dims();
    tokens.transpose().reshape([1, channels, height, width])
}

/// A `[height, width, 3]` map cut into flattened square patches `[patches, 3 * side * side]`.
pub(crate) fn patches_of_map(map: Tensor<3>, side: usize) -> Tensor<2> {
    let [height, width, channels] = map.dims();
    let (h, w) = (height / side, width / side);
    let tiles: Tensor<5> = map.reshape([h, side, w, side, channels]);
    tiles.permute([0, 2, 4, 1, 3]).reshape([h * w, channels * side * side])
}

/// Bilinear upsampling by two, corners aligned.
pub(crate) fn upsample2(x: Tensor<4>) -> Tensor<4> {
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

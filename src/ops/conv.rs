//! Convolutions of the dense heads (spec 5.2).

use std::sync::Arc;

use burn::tensor::ops::ConvOptions;
use burn::tensor::{Tensor, TensorData, module};

use super::gemm::Kernels;
use super::wgsl::linear::{After, Convolution, Weights};
use super::wgsl::{Buffer, Variant};
use super::{Linear, Map, host};
use crate::weights::{Parameters, WeightsError};

/// A convolution with square kernel, "same" padding for stride 1.
#[derive(Debug, Clone)]
pub(crate) struct Conv {
    form: Form,
    stride: usize,
    side: usize,
}

#[derive(Debug, Clone)]
#[expect(clippy::large_enum_variant, reason = "tensor handles; a network has a few dozen")]
enum Form {
    /// `[output, input, side, side]`.
    Tensors(Tensor<4>, Option<Tensor<1>>),
    /// On the CPU in wasm, with the bias (may be empty).
    Host(Arc<Kernels>, Vec<f32>),
    /// `[output, side, side, input]`.
    Kernel(Box<KernelForm>),
}

#[derive(Debug, Clone)]
struct KernelForm {
    weights: Weights,
    bias: Option<Buffer>,
    inputs: usize,
    outputs: usize,
}

impl Conv {
    /// For maps of the form that `variant` says.
    pub(crate) fn take(
        p: &mut Parameters,
        prefix: &str,
        [input, output]: [usize; 2],
        side: usize,
        stride: usize,
        bias: bool,
        variant: Option<Variant>,
    ) -> Result<Self, WeightsError> {
        let weight: Tensor<4> = p.take(&format!("{prefix}.weight"), [output, input, side, side])?;
        let bias = if bias { Some(p.take(&format!("{prefix}.bias"), [output])?) } else { None };
        if host::uses_panels(p.device()) {
            // Every tensor of the network is f32.
            let bias = bias.and_then(|bias: Tensor<1>| bias.into_data().try_into_vec::<f32>().ok());
            let data = weight.into_data();
            let kernels = Kernels::new(data.as_slice::<f32>().unwrap_or_default(), [output, input, side]);
            return Ok(Self { form: Form::Host(Arc::new(kernels), bias.unwrap_or_default()), stride, side });
        }
        let form = variant
            .and_then(|_| KernelForm::new(&weight, bias.as_ref()))
            .map_or(Form::Tensors(weight, bias), |form| Form::Kernel(Box::new(form)));
        Ok(Self { form, stride, side })
    }

    pub(crate) fn forward(&self, x: Map) -> Map {
        self.run(x, false, None)
    }

    /// Of the map with negative values set to zero.
    pub(crate) fn forward_relu(&self, x: Map) -> Map {
        self.run(x, true, None)
    }

    /// `residual` plus the convolution of `x` with negative values set to zero.
    pub(crate) fn forward_relu_onto(&self, residual: Map, x: Map) -> Map {
        self.run(x, true, Some(residual))
    }

    fn run(&self, x: Map, relu: bool, residual: Option<Map>) -> Map {
        match (&self.form, x) {
            (Form::Kernel(form), Map::Pixels(variant, map)) => {
                let [height, width, _] = map.dims();
                let rows = [0, height.div_ceil(self.stride)];
                let (stride, kernel) = (self.stride, self.side);
                let conv = Convolution { height, width, kernel, stride, top: 0, rows };
                form.run(variant, map, conv, relu, residual)
            }
            (Form::Host(kernels, bias), x) => {
                let y = convolve_on_host(kernels, bias, self.stride, if relu { x.relu() } else { x }.planes());
                Map::Planes(match residual {
                    Some(residual) => residual.planes() + y,
                    None => y,
                })
            }
            (Form::Tensors(weight, bias), x) => {
                let x = if relu { x.relu() } else { x };
                let options = ConvOptions::new([self.stride; 2], [self.side / 2; 2], [1, 1], 1);
                let y = module::conv2d(x.planes(), weight.clone(), bias.clone(), options);
                Map::Planes(match residual {
                    Some(residual) => residual.planes() + y,
                    None => y,
                })
            }
            // A head has one form throughout.
            (Form::Kernel(_), x) => x,
        }
    }

    /// Rows `first..last` of the output for a map of `height` rows, of which `band` holds those from `top` on.
    /// Stride 1; kernels only.
    pub(crate) fn forward_band(&self, band: Map, height: usize, top: usize, rows: [usize; 2]) -> Map {
        let (Form::Kernel(form), Map::Pixels(variant, map)) = (&self.form, band.clone()) else { return band };
        let [_, width, _] = map.dims();
        let conv = Convolution { height, width, kernel: self.side, stride: 1, top, rows };
        form.run(variant, map, conv, false, None)
    }
}

/// The convolution of a map `[1, input, height, width]` in memory.
fn convolve_on_host(kernels: &Kernels, bias: &[f32], stride: usize, map: Tensor<4>) -> Tensor<4> {
    let ([_, _, height, width], device) = (map.dims(), map.device());
    let data = map.into_data();
    // Every tensor of the network is f32.
    let y = kernels.convolve(data.as_slice::<f32>().unwrap_or_default(), [height, width], stride, bias);
    let [height, width] = [height, width].map(|side| side.div_ceil(stride));
    Tensor::from_data(TensorData::new(y, [1, kernels.output(), height, width]), &device)
}

impl KernelForm {
    fn new(weight: &Tensor<4>, bias: Option<&Tensor<1>>) -> Option<Self> {
        let [outputs, inputs, _, _] = weight.dims();
        let last: Tensor<1> = weight.clone().permute([0, 2, 3, 1]).reshape([-1]);
        let bias = match bias {
            Some(bias) => Some(Buffer::of(bias.clone())?),
            None => None,
        };
        Some(Self { weights: Weights::Dense(Buffer::of(last)?), bias, inputs, outputs })
    }

    fn run(&self, variant: Variant, map: Tensor<3>, conv: Convolution, relu: bool, residual: Option<Map>) -> Map {
        let residual = match residual {
            Some(Map::Pixels(_, residual)) => Buffer::of(residual),
            _ => None,
        };
        let after = After { bias: self.bias.as_ref(), gelu: false, residual: residual.as_ref(), relu_before: relu };
        let Some(x) = Buffer::of(map.clone()) else { return Map::Pixels(variant, map) };
        let dims = [self.inputs, self.outputs];
        let [first, last] = conv.rows;
        let pixels = (last - first) * conv.out_width();
        let y: Tensor<2> = if conv.kernel == 1 {
            self.weights.apply(variant, &x, [pixels, self.inputs, self.outputs], after).tensor()
        } else {
            self.weights.convolve(variant, &x, dims, conv, after).tensor()
        };
        Map::Pixels(variant, y.reshape([last - first, conv.out_width(), self.outputs]))
    }
}

/// A transposed convolution whose kernel is its stride: every token becomes a `side` x `side` tile.
#[derive(Debug, Clone)]
pub(crate) struct UpConv {
    /// Output channel outer, then y, x of the tile; for the kernels y, x of the tile, then channel.
    tiles: Linear,
    channels: usize,
    side: usize,
    variant: Option<Variant>,
}

impl UpConv {
    pub(crate) fn take(
        p: &mut Parameters,
        prefix: &str,
        dim: usize,
        side: usize,
        variant: Option<Variant>,
    ) -> Result<Self, WeightsError> {
        let weight: Tensor<4> = p.take(&format!("{prefix}.weight"), [dim, dim, side, side])?;
        let bias: Tensor<1> = p.take(&format!("{prefix}.bias"), [dim])?;
        let area = side * side;
        let tiles = if variant.is_some() {
            let weight = weight.permute([2, 3, 1, 0]).reshape([area * dim, dim]);
            Linear::dense(weight, bias.reshape([1, dim]).expand([area, dim]).reshape([area * dim]))
        } else {
            let bias = bias.reshape([dim, 1]).expand([dim, area]).reshape([dim * area]);
            Linear::from_columns(weight.reshape([dim, dim * area]), bias)
        };
        Ok(Self { tiles, channels: dim, side, variant })
    }

    /// `[height * width, channels]` tokens to a map `side` times as large.
    pub(crate) fn forward(&self, tokens: Tensor<2>, [height, width]: [usize; 2]) -> Map {
        let (c, s) = (self.channels, self.side);
        let tiles = self.tiles.forward(tokens);
        if let Some(variant) = self.variant {
            let tiles: Tensor<5> = tiles.reshape([height, width, s, s, c]);
            return Map::Pixels(variant, tiles.permute([0, 2, 1, 3, 4]).reshape([height * s, width * s, c]));
        }
        let tiles: Tensor<5> = tiles.reshape([height, width, c, s, s]);
        Map::Planes(tiles.permute([2, 0, 3, 1, 4]).reshape([1, c, height * s, width * s]))
    }
}

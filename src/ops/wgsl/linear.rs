//! Linear map on the GPU: dense or packed weights, f32 sums, with bias, GELU or residual in the same pass.
//! Texts: `shaders/kernels/linear.wgsl`, `linear_tiled.wgsl`. CPU twin: `Linear` on the CPU.

use super::{Buffer, Kernel, Text, Variant, launch, with_head, word};

/// Weights `[outputs, inputs]` on the GPU.
#[derive(Debug, Clone)]
pub(crate) enum Weights {
    /// f32 values.
    Dense(Buffer),
    /// Blocks of 32 int8 along the inputs, four to a word, and their scales.
    Int8(Buffer, Buffer),
    /// Blocks of 32 int4 (zero-point 8) along the inputs, eight to a word, and their scales.
    Int4(Buffer, Buffer),
}

/// What happens to the sums before they are stored.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct After<'a> {
    /// `[outputs]`, added.
    pub(crate) bias: Option<&'a Buffer>,
    /// The exact GELU.
    pub(crate) gelu: bool,
    /// `[tokens, outputs]`, added last.
    pub(crate) residual: Option<&'a Buffer>,
    /// Negative inputs are taken as zero.
    pub(crate) relu_before: bool,
}

/// A convolution of a map `[height, width, inputs]`, as a sum of linear maps of shifted pixels; the dense weights
/// are `[outputs, kernel, kernel, inputs]`, "same" padding. A band of the map may be given, and made.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Convolution {
    /// Rows of the whole input map.
    pub(crate) height: usize,
    /// Its columns.
    pub(crate) width: usize,
    /// Side of the kernel, odd.
    pub(crate) kernel: usize,
    /// Step of the input per output pixel.
    pub(crate) stride: usize,
    /// First input row that is there.
    pub(crate) top: usize,
    /// Output rows to make.
    pub(crate) rows: [usize; 2],
}

impl Convolution {
    /// Output columns.
    pub(crate) fn out_width(&self) -> usize {
        self.width.div_ceil(self.stride)
    }
}

impl Weights {
    /// Whether the kernels take `inputs` inputs in this format; others go through burn.
    pub(crate) fn fits(&self, inputs: usize) -> bool {
        inputs > 0 && inputs.is_multiple_of(if matches!(self, Self::Dense(_)) { 4 } else { 32 })
    }

    /// `x` `[tokens, inputs]` to `[tokens, outputs]`; neither may be empty.
    pub(crate) fn apply(&self, variant: Variant, x: &Buffer, dims: [usize; 3], after: After<'_>) -> Buffer {
        self.run(variant, x, dims, after, None)
    }

    /// The rows of a convolution's output map as `[pixels, outputs]`. Dense weights only.
    pub(crate) fn convolve(
        &self,
        variant: Variant,
        x: &Buffer,
        [inputs, outputs]: [usize; 2],
        conv: Convolution,
        after: After<'_>,
    ) -> Buffer {
        let [first, last] = conv.rows;
        self.run(variant, x, [(last - first) * conv.out_width(), inputs, outputs], after, Some(conv))
    }

    fn run(
        &self,
        variant: Variant,
        x: &Buffer,
        [tokens, inputs, outputs]: [usize; 3],
        after: After<'_>,
        conv: Option<Convolution>,
    ) -> Buffer {
        let (format, mut bound): (&[&'static str], Vec<&Buffer>) = match self {
            Self::Dense(w) => (&["DENSE"], vec![x, w]),
            Self::Int8(q, scale) => (&["PACKED", "INT8"], vec![x, q, scale]),
            Self::Int4(q, scale) => (&["PACKED", "INT4"], vec![x, q, scale]),
        };
        let mut flags = format.to_vec();
        for (name, buffer) in [("BIAS", after.bias), ("RESIDUAL", after.residual)] {
            if let Some(buffer) = buffer {
                flags.push(name);
                bound.push(buffer);
            }
        }
        let mut info = vec![tokens, inputs, outputs];
        if let Some(c) = &conv {
            let [first, _] = c.rows;
            info.extend([c.height, c.width, c.out_width(), c.stride, c.kernel, c.top, first]);
        }
        let set = [("GELU", after.gelu), ("RELU", after.relu_before), ("CONV", conv.is_some())];
        flags.extend(set.into_iter().filter_map(|(name, on)| on.then_some(name)));
        super::record::computed(2 * tokens * inputs * outputs * conv.map_or(1, |c| c.kernel * c.kernel));
        let y = x.beside([tokens, outputs]);
        let (kernel, groups) = kernel(variant, flags, tokens, outputs);
        launch(kernel, groups, &bound, &[&y], &info.into_iter().map(word).collect::<Vec<_>>());
        y
    }
}

fn kernel(variant: Variant, flags: Vec<&'static str>, tokens: usize, outputs: usize) -> (Kernel, [usize; 3]) {
    // A single token leaves nothing to share: tiles would compute 31 rows for nothing.
    if variant == Variant::Tiled && tokens > 4 {
        let text = Text { template: with_head!("linear_head", "linear_tiled"), flags, numbers: vec![] };
        let kernel = Kernel { name: "linear_tiled", text, group: [8, 8, 1] };
        return (kernel, [outputs.div_ceil(64), tokens.div_ceil(32), 1]);
    }
    let rows = if tokens > 4 { 8 } else { 1 };
    let numbers = vec![("ROWS", word(rows))];
    let text = Text { template: with_head!("linear_head", "linear"), flags, numbers };
    (Kernel { name: "linear", text, group: [64, 1, 1] }, [outputs.div_ceil(4 * 64), tokens.div_ceil(rows), 1])
}

#[cfg(test)]
#[allow(clippy::unwrap_used, clippy::expect_used)]
mod tests {
    use super::super::tests::{gpu, random, read, upload, validate, worst};
    use super::*;

    /// `x W^T + b`, GELU, residual in f64.
    fn twin(x: &[f32], w: &[f32], dims: [usize; 3], bias: &[f32], gelu: bool, residual: &[f32]) -> Vec<f32> {
        let [tokens, inputs, outputs] = dims;
        let mut y = Vec::new();
        for t in 0..tokens {
            for n in 0..outputs {
                let sum: f64 = (0..inputs).map(|k| f64::from(x[t * inputs + k]) * f64::from(w[n * inputs + k])).sum();
                let mut v = (sum + f64::from(bias[n])) as f32;
                if gelu {
                    let mut one = [v];
                    crate::ops::host::gelu(&mut one);
                    [v] = one;
                }
                y.push(v + residual[t * outputs + n]);
            }
        }
        y
    }

    /// Words, scales and the values they stand for.
    fn packed(bits: usize, inputs: usize, outputs: usize, seed: u32) -> (Vec<u32>, Vec<f32>, Vec<f32>) {
        let top = if bits == 8 { 127.0 } else { 7.0 };
        let integers: Vec<i32> =
            random(inputs * outputs, seed).iter().map(|v| (v * (top + 0.4)).round() as i32).collect();
        let scales: Vec<f32> = random(inputs / 32 * outputs, seed + 1).iter().map(|v| v.abs() / top + 1e-3).collect();
        let per_word = 32 / bits;
        let words = integers
            .chunks(per_word)
            .map(|c| {
                c.iter().enumerate().fold(0, |word, (i, v)| {
                    let code = if bits == 8 { *v as u8 as u32 } else { (*v + 8) as u32 };
                    word | code << (bits * i)
                })
            })
            .collect();
        let values = integers.iter().enumerate().map(|(i, v)| *v as f32 * scales[i / 32]).collect();
        (words, scales, values)
    }

    #[test]
    fn linear_is_its_cpu_twin_for_every_format_fusion_and_edge() {
        let Some(device) = gpu() else { return };
        let shapes = [
            [1, 32, 1],
            [1, 96, 7],
            [3, 64, 5],
            [5, 32, 4],
            [8, 128, 256],
            [13, 192, 576],
            [33, 64, 65],
            [197, 96, 70],
        ];
        for (i, dims @ [tokens, inputs, outputs]) in shapes.into_iter().enumerate() {
            let seed = i as u32 * 100 + 1;
            let x = random(tokens * inputs, seed);
            let bias = random(outputs, seed + 10);
            let residual = random(tokens * outputs, seed + 20);
            let dense = random(inputs * outputs, seed + 30);
            let (q8, s8, w8) = packed(8, inputs, outputs, seed + 40);
            let (q4, s4, w4) = packed(4, inputs, outputs, seed + 50);
            let float = |v: &[f32]| upload(v, &device);
            let words = |q: &[u32]| float(&q.iter().map(|w| f32::from_bits(*w)).collect::<Vec<_>>());
            let formats = [
                (Weights::Dense(float(&dense)), dense),
                (Weights::Int8(words(&q8), float(&s8)), w8),
                (Weights::Int4(words(&q4), float(&s4)), w4),
            ];
            for (weights, values) in formats {
                for variant in [Variant::Portable, Variant::Tiled] {
                    for (gelu, add) in [(false, false), (true, false), (false, true)] {
                        let (bias_on, residual_on) = (float(&bias), float(&residual));
                        let added = add.then_some(&residual_on);
                        let after = After { bias: Some(&bias_on), gelu, residual: added, relu_before: false };
                        let y = read(weights.apply(variant, &float(&x), dims, after));
                        let none = vec![0.0; tokens * outputs];
                        let twin = twin(&x, &values, dims, &bias, gelu, if add { &residual } else { &none });
                        let error = worst(&y, &twin);
                        assert!(error < 3e-6 * inputs as f32, "{dims:?} {variant:?} {gelu} {add}: {error}");
                    }
                }
            }
        }
    }

    #[test]
    fn convolution_is_its_cpu_twin_for_strides_edges_and_bands() {
        let Some(device) = gpu() else { return };
        for (i, (height, width, inputs, outputs, kernel, stride)) in
            [(1, 1, 4, 1, 3, 1), (5, 7, 8, 6, 3, 1), (5, 6, 12, 5, 3, 2), (6, 3, 36, 70, 3, 2), (4, 9, 16, 4, 1, 1)]
                .into_iter()
                .enumerate()
        {
            let x = random(height * width * inputs, i as u32);
            let w = random(outputs * kernel * kernel * inputs, i as u32 + 9);
            let (out_height, out_width) = (height.div_ceil(stride), width.div_ceil(stride));
            let residual = random(out_height * out_width * outputs, 3);
            let mut expected = residual.clone();
            for (at, value) in expected.iter_mut().enumerate() {
                let (pixel, n) = (at / outputs, at % outputs);
                for tap in 0..kernel * kernel {
                    let y = (pixel / out_width * stride + tap / kernel).wrapping_sub(kernel / 2);
                    let column = (pixel % out_width * stride + tap % kernel).wrapping_sub(kernel / 2);
                    if y < height && column < width {
                        for k in 0..inputs {
                            let v = x[(y * width + column) * inputs + k].max(0.0);
                            *value += v * w[(n * kernel * kernel + tap) * inputs + k];
                        }
                    }
                }
            }
            let weights = Weights::Dense(upload(&w, &device));
            for variant in [Variant::Portable, Variant::Tiled] {
                let whole = Convolution { height, width, kernel, stride, top: 0, rows: [0, out_height] };
                let on = upload(&residual, &device);
                let after = After { residual: Some(&on), relu_before: true, ..After::default() };
                let dims = [inputs, outputs];
                let found = read(weights.convolve(variant, &upload(&x, &device), dims, whole, after));
                assert!(worst(&found, &expected) < 1e-4, "{i} {variant:?}: {}", worst(&found, &expected));
                // The lower half from a band of the input.
                let (first, top) = (out_height / 2, (out_height / 2 * stride).saturating_sub(kernel / 2));
                let band = Convolution { top, rows: [first, out_height], ..whole };
                let on = upload(&residual[first * out_width * outputs..], &device);
                let after = After { residual: Some(&on), relu_before: true, ..After::default() };
                let x = upload(&x[top * width * inputs..], &device);
                let found = read(weights.convolve(variant, &x, dims, band, after));
                let expected = &expected[first * out_width * outputs..];
                assert!(worst(&found, expected) < 1e-4, "{i} {variant:?}, a band");
            }
        }
    }

    #[test]
    fn every_text_validates() {
        for variant in [Variant::Portable, Variant::Tiled] {
            for tokens in [1, 100] {
                let formats = [vec!["DENSE"], vec!["DENSE", "CONV"], vec!["PACKED", "INT8"], vec!["PACKED", "INT4"]];
                for format in formats {
                    let after = [vec![], vec!["BIAS"], vec!["BIAS", "GELU"], vec!["RELU", "RESIDUAL"]];
                    for after in after {
                        validate(&kernel(variant, [format.clone(), after].concat(), tokens, 64).0);
                    }
                }
            }
        }
    }
}

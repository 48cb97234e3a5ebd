//! Elementwise work of the CPU backend, in place and in one pass, in a form that compilers vectorise.
//!
//! burn's own forms call scalar `libm` functions per element, which in wasm costs as much as the matrix
//! products around them. Each function here is the twin of the tensor form it stands in for (compared in tests).

use burn::tensor::{Device, Tensor};

/// Whether tensors of this device are plain memory.
pub(crate) fn is_host(device: &Device) -> bool {
    *device == Device::flex()
}

/// Whether matrix products of this device are ours (`gemm`): one thread with 128-bit registers, that is wasm.
pub(crate) fn uses_panels(device: &Device) -> bool {
    cfg!(target_arch = "wasm32") && is_host(device)
}

/// Changes the values of an f32 tensor on the host, without a copy where nothing else holds them.
pub(crate) fn in_place<const D: usize>(tensor: Tensor<D>, change: impl FnOnce(&mut [f32])) -> Tensor<D> {
    let device = tensor.device();
    let mut data = tensor.into_data();
    // Every tensor of the network is f32; of another type it would have been refused when it was made.
    if let Ok(values) = data.as_mut_slice::<f32>() {
        change(values);
    }
    Tensor::from_data(data, &device)
}

/// Runs `change` on every row, natively on all threads.
pub(crate) fn each_row(values: &mut [f32], row: usize, change: impl Fn(usize, &mut [f32]) + Sync) {
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        // Below this a thread costs more than it saves.
        const SHARE: usize = 1 << 14;
        let rows = (SHARE / row.max(1)).max(1);
        values.par_chunks_mut(rows * row.max(1)).enumerate().for_each(|(share, values)| {
            values.chunks_mut(row.max(1)).enumerate().for_each(|(i, values)| change(share * rows + i, values));
        });
    }
    #[cfg(target_arch = "wasm32")]
    values.chunks_mut(row.max(1)).enumerate().for_each(|(i, values)| change(i, values));
}

/// `e^x`, within 2 units in the last place; values below e^-87 come out as e^-87.
#[inline]
fn exp(x: f32) -> f32 {
    // Adding 1.5 * 2^23 rounds to the nearest integer, which then stands in the low bits.
    const ROUND: f32 = 12_582_912.0;
    let x = x.clamp(-87.0, 88.0);
    let shifted = x * std::f32::consts::LOG2_E + ROUND;
    let n = shifted - ROUND;
    // ln 2 in two parts, so that the product with the first is exact.
    let r = x - n * 0.693_359_4 + n * 2.121_944_4e-4;
    let p = 1.987_569_1e-4;
    let p = p * r + 1.398_2e-3;
    let p = p * r + 8.333_452e-3;
    let p = p * r + 4.166_579_6e-2;
    let p = p * r + 1.666_666_6e-1;
    let p = p * r + 0.5;
    let value = p * r * r + r + 1.0;
    let exponent = shifted.to_bits().wrapping_sub(ROUND.to_bits()).wrapping_add(127) << 23;
    value * f32::from_bits(exponent)
}

/// The error function: a rational approximation in x^2, exact to 2e-7.
#[inline]
fn erf(x: f32) -> f32 {
    let x = x.clamp(-4.0, 4.0);
    let z = x * x;
    let p = -2.726_142_3e-10;
    let p = p * z + 2.770_681_4e-8;
    let p = p * z - 2.101_024_1e-6;
    let p = p * z - 5.692_506_3e-5;
    let p = p * z - 7.349_906e-4;
    let p = p * z - 2.954_6e-3;
    let p = p * z - 1.609_603_4e-2;
    let q = -1.456_607_2e-5;
    let q = q * z - 2.133_740_6e-4;
    let q = q * z - 1.682_827e-3;
    let q = q * z - 7.373_329e-3;
    let q = q * z - 1.426_473_9e-2;
    x * p / q
}

/// `x (1 + erf(x / sqrt 2)) / 2`.
pub(crate) fn gelu(values: &mut [f32]) {
    each_row(values, 1024, |_, values| {
        for x in values {
            *x = 0.5 * *x * (1.0 + erf(*x * std::f32::consts::FRAC_1_SQRT_2));
        }
    });
}

/// Softmax of `scale * x` over rows of length `row`.
pub(crate) fn softmax(values: &mut [f32], row: usize, scale: f32) {
    /// Lanes that are summed apart, so that sums vectorise.
    const LANES: usize = 8;
    each_row(values, row, |_, row| {
        let largest = row.iter().fold(f32::NEG_INFINITY, |m, x| if *x > m { *x } else { m });
        let mut sums = [0.0f32; LANES];
        let (lanes, rest) = row.as_chunks_mut::<LANES>();
        for values in lanes {
            for (x, sum) in values.iter_mut().zip(&mut sums) {
                *x = exp((*x - largest) * scale);
                *sum += *x;
            }
        }
        for (x, sum) in rest.iter_mut().zip(&mut sums) {
            *x = exp((*x - largest) * scale);
            *sum += *x;
        }
        let share = 1.0 / sums.iter().sum::<f32>();
        for x in row {
            *x *= share;
        }
    });
}

/// Where each of `2 n` samples lies between `n` when the corners are aligned: left neighbour and share of the right.
#[expect(clippy::cast_precision_loss, reason = "pixel coordinates are small")]
fn aligned_samples(n: usize) -> Vec<(usize, f32)> {
    let (last, span) = (n - 1, 2 * n - 1);
    let sample = |i: usize| {
        let left = (i * last / span).min(last.saturating_sub(1));
        (left, (i * last - left * span) as f32 / span as f32)
    };
    (0..2 * n).map(sample).collect()
}

/// Bilinear upsampling by two, corners aligned, of planes of `height` x `width`.
pub(crate) fn upsample2(planes: &[f32], height: usize, width: usize) -> Vec<f32> {
    let (rows, columns) = (aligned_samples(height), aligned_samples(width));
    let mut out = vec![0.0; planes.len() * 4];
    each_row(&mut out, 4 * height * width, |index, out| {
        let plane = planes.get(index * height * width..).unwrap_or_default();
        let row = |y: usize| plane.get(y * width..(y + 1) * width).unwrap_or_default();
        let mut between = vec![0.0; width + 1];
        for (out, (y, share)) in out.chunks_mut(2 * width).zip(&rows) {
            let (above, below) = (row(*y), row((y + 1).min(height - 1)));
            for (between, (a, b)) in between.iter_mut().zip(above.iter().zip(below)) {
                *between = a + (b - a) * share;
            }
            for (out, (x, share)) in out.iter_mut().zip(&columns) {
                if let Some([left, right]) = between.get(*x..x + 2) {
                    *out = left + (right - left) * share;
                }
            }
        }
    });
    out
}

#[cfg(test)]
mod tests {
    use burn::tensor::module::interpolate;
    use burn::tensor::ops::{InterpolateMode, InterpolateOptions};
    use burn::tensor::{TensorData, activation};

    use super::*;

    /// Values around zero and far out.
    fn values(count: usize, spread: f32) -> Vec<f32> {
        let mut x = 12_345u32;
        (0..count)
            .map(|_| {
                x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
                ((x >> 8) as f32 / 8_388_608.0 - 1.0) * spread
            })
            .collect()
    }

    fn tensor(values: &[f32], rows: usize) -> Tensor<2> {
        let data = TensorData::new(values.to_vec(), [rows, values.len() / rows]);
        Tensor::from_data(data, &Device::flex())
    }

    fn worst(a: &Tensor<2>, b: &Tensor<2>) -> f32 {
        let read = |t: &Tensor<2>| t.to_data().try_to_vec::<f32>().unwrap();
        read(a).iter().zip(read(b)).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max)
    }

    #[test]
    fn exponential_is_exact_to_two_units_in_the_last_place() {
        for x in values(20_000, 80.0) {
            let (found, exact) = (f64::from(exp(x)), f64::from(x).exp());
            assert!((found / exact - 1.0).abs() < 2.5e-7, "{x}: {found} {exact}");
        }
    }

    #[test]
    fn gelu_is_the_twin_of_burns() {
        for spread in [0.01, 1.0, 6.0, 100.0] {
            let input = tensor(&values(3_001, spread), 1);
            let found = in_place(input.clone(), gelu);
            assert!(worst(&found, &activation::gelu(input)) < 6e-7 * spread.max(1.0));
        }
    }

    #[test]
    fn softmax_is_the_twin_of_burns_for_any_row_length() {
        for (rows, columns) in [(1, 1), (3, 7), (5, 8), (4, 197), (2, 4099)] {
            let input = tensor(&values(rows * columns, 30.0), rows);
            let found = in_place(input.clone(), |v| softmax(v, columns, 0.3));
            assert!(worst(&found, &activation::softmax(input * 0.3, 1)) < 3e-7);
        }
    }

    #[test]
    fn upsampling_is_the_twin_of_burns_for_any_size() {
        for (height, width) in [(1, 1), (1, 5), (4, 1), (2, 2), (3, 4), (7, 10), (33, 21)] {
            let values = values(3 * height * width, 2.0);
            let found = upsample2(&values, height, width);
            let map: Tensor<4> = Tensor::from_data(TensorData::new(values, [1, 3, height, width]), &Device::flex());
            let options = InterpolateOptions::new(InterpolateMode::Bilinear).with_align_corners(true);
            let expected = interpolate(map, options.with_output_size([2 * height, 2 * width]));
            let expected = expected.into_data().try_into_vec::<f32>().unwrap();
            let worst = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(found.len() == expected.len() && worst < 2e-6, "{height}x{width}: {worst}");
        }
    }

    #[test]
    fn rows_are_numbered_in_order() {
        let mut rows = vec![0.0; 7 * 5000];
        each_row(&mut rows, 7, |i, row| row.fill(i as f32));
        assert!(rows.chunks(7).enumerate().all(|(i, row)| row.iter().all(|v| *v == i as f32)));
    }
}

//! Pillow's 8-bit separable resampling, bit for bit.
//!
//! Filter weights are normalised in f64, rounded to 22-bit fixed point, and applied first along rows,
//! then along columns; each pass rounds to 8 bits. When shrinking, the filter is stretched (antialiasing).

use std::borrow::Cow;

/// A resampling kernel.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Filter {
    /// Windowed sinc with three lobes.
    Lanczos,
    /// Cubic convolution with a = -0.5.
    Bicubic,
}

impl Filter {
    fn support(self) -> f64 {
        match self {
            Self::Lanczos => 3.0,
            Self::Bicubic => 2.0,
        }
    }

    fn weight(self, x: f64) -> f64 {
        match self {
            Self::Lanczos if (-3.0..3.0).contains(&x) => sinc(x) * sinc(x / 3.0),
            Self::Lanczos => 0.0,
            Self::Bicubic => {
                const A: f64 = -0.5;
                let x = x.abs();
                if x < 1.0 {
                    ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0
                } else if x < 2.0 {
                    (((x - 5.0) * x + 8.0) * x - 4.0) * A
                } else {
                    0.0
                }
            }
        }
    }
}

fn sinc(x: f64) -> f64 {
    if x == 0.0 {
        return 1.0;
    }
    let x = x * std::f64::consts::PI;
    x.sin() / x
}

const PRECISION_BITS: u32 = 22;

/// The source range and fixed-point weights of one output sample.
struct Taps {
    first: usize,
    weights: Vec<i32>,
}

#[expect(
    clippy::cast_precision_loss,
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "sizes are at most 16384 and weights of order one; truncation is part of the rule"
)]
fn taps(input: usize, output: usize, filter: Filter) -> Vec<Taps> {
    let scale = input as f64 / output as f64;
    let filter_scale = scale.max(1.0);
    let support = filter.support() * filter_scale;
    let step = 1.0 / filter_scale;
    (0..output)
        .map(|i| {
            let center = (i as f64 + 0.5) * scale;
            let first = (center - support + 0.5).max(0.0) as usize;
            let last = ((center + support + 0.5) as usize).min(input);
            let mut weights: Vec<f64> =
                (first..last).map(|j| filter.weight((j as f64 - center + 0.5) * step)).collect();
            let sum: f64 = weights.iter().sum();
            if sum != 0.0 {
                weights.iter_mut().for_each(|w| *w /= sum);
            }
            let one = f64::from(1 << PRECISION_BITS);
            let weights = weights.iter().map(|w| (w * one + 0.5_f64.copysign(*w)) as i32).collect();
            Taps { first, weights }
        })
        .collect()
}

fn clip(sum: i32) -> u8 {
    (sum >> PRECISION_BITS).clamp(0, 255) as u8
}

const HALF: i32 = 1 << (PRECISION_BITS - 1);

/// Resizes interleaved RGB from `from` to `to` (both (across, down), at least 1). An axis that keeps its
/// size is left alone. `rgb.len()` must be `from.0 * from.1 * 3`.
pub(super) fn resize(rgb: Cow<'_, [u8]>, from: (usize, usize), to: (usize, usize), filter: Filter) -> Cow<'_, [u8]> {
    let rgb = if from.0 == to.0 { rgb } else { Cow::Owned(resize_rows(&rgb, from.0, to.0, filter)) };
    if from.1 == to.1 { rgb } else { Cow::Owned(resize_columns(&rgb, to.0 * 3, from.1, to.1, filter)) }
}

fn resize_rows(rgb: &[u8], from: usize, to: usize, filter: Filter) -> Vec<u8> {
    let taps = taps(from, to, filter);
    let mut out = Vec::with_capacity(rgb.len() / from * to);
    for row in rgb.chunks_exact(from * 3) {
        for Taps { first, weights } in &taps {
            let mut sum = [HALF; 3];
            for (pixel, weight) in row.chunks_exact(3).skip(*first).zip(weights) {
                for (sum, &value) in sum.iter_mut().zip(pixel) {
                    *sum += i32::from(value) * weight;
                }
            }
            out.extend(sum.map(clip));
        }
    }
    out
}

fn resize_columns(rgb: &[u8], stride: usize, from: usize, to: usize, filter: Filter) -> Vec<u8> {
    let mut out = Vec::with_capacity(stride * to);
    let mut sums = vec![0_i32; stride];
    for Taps { first, weights } in taps(from, to, filter) {
        sums.fill(HALF);
        for (row, weight) in rgb.chunks_exact(stride).skip(first).zip(weights) {
            for (sum, &value) in sums.iter_mut().zip(row) {
                *sum += i32::from(value) * weight;
            }
        }
        out.extend(sums.iter().map(|&sum| clip(sum)));
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_flat_image_stays_flat_in_both_directions() {
        for (from, to) in [((7, 5), (40, 33)), ((40, 33), (7, 5)), ((1, 1), (16, 16)), ((90, 1), (16, 3))] {
            for filter in [Filter::Lanczos, Filter::Bicubic] {
                let rgb = vec![201; from.0 * from.1 * 3];
                let out = resize(Cow::Borrowed(&rgb), from, to, filter);
                assert_eq!(out.len(), to.0 * to.1 * 3);
                assert!(out.iter().all(|&v| v == 201), "{from:?} {to:?} {filter:?}");
            }
        }
    }
}

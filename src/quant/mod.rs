//! Packed weights: blocks of integers with one scale each, from f32 and back, on the host.
//!
//! A matrix `[d_out, d_in]` is cut into blocks of 32 values along `d_in`; a row has `ceil(d_in / 32)` of them.
//! `w[n, k] = scale[n, k / 32] * v[n, k]` with small integers `v`, packed into u32 words:
//!
//! | | v | words per block | inside a word |
//! |---|---|---|---|
//! | int8 | -127..=127 | 8 | byte `k % 4`, two's complement, lowest first |
//! | int4 | -8..=7 | 4 | nibble `k % 8`, stored as `v + 8`, lowest first |
//!
//! Words are `[d_out, blocks * words per block]`, scales `[d_out, blocks]`, half precision in files. Where `d_in`
//! is no multiple of 32, the last block of a row is filled up with `v = 0`.
//!
//! The scale is not just `max / 127`: of several candidates, each followed by the best scale for its integers,
//! the one with the smallest squared error is taken, and the integers are rounded again for that scale as stored.

mod matrix;

use half::f16;

pub use matrix::PackedMatrix;

/// Values that share a scale.
pub const BLOCK: usize = 32;

/// Width of the integers.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Bits {
    /// -127..=127.
    Int8,
    /// -8..=7.
    Int4,
}

impl Bits {
    /// u32 words of one block.
    #[must_use]
    pub fn words_per_block(self) -> usize {
        BLOCK / self.values_per_word()
    }

    /// Values in one u32 word.
    #[must_use]
    pub fn values_per_word(self) -> usize {
        match self {
            Self::Int8 => 4,
            Self::Int4 => 8,
        }
    }

    /// u32 words of one row of `input` values.
    #[must_use]
    pub fn words_per_row(self, input: usize) -> usize {
        blocks(input) * self.words_per_block()
    }

    /// Smallest and largest integer.
    fn range(self) -> (f32, f32) {
        match self {
            Self::Int8 => (-127.0, 127.0),
            Self::Int4 => (-8.0, 7.0),
        }
    }

    /// How many steps the largest magnitude of a block may be: what the search tries.
    fn candidates(self) -> &'static [f32] {
        match self {
            Self::Int8 => &[127.0, 125.5, 124.0, 121.0, 118.0],
            Self::Int4 => &[7.0, 7.25, 7.5, 7.75, 8.0, 8.25, 6.75, 6.5, 6.0, 8.6, 9.0],
        }
    }
}

/// Blocks of one row of `input` values.
#[must_use]
pub fn blocks(input: usize) -> usize {
    input.div_ceil(BLOCK)
}

/// A packed matrix on the host.
#[derive(Debug, Clone, PartialEq)]
pub struct Packed {
    /// `[rows, words per row]`.
    pub words: Vec<u32>,
    /// `[rows, blocks]`, finite and not negative.
    pub scales: Vec<f16>,
    /// Values of one row.
    pub input: usize,
    /// Width of the integers.
    pub bits: Bits,
}

/// Packs a row-major matrix of finite values with rows of `input`.
#[must_use]
pub fn quantise(values: &[f32], input: usize, bits: Bits) -> Packed {
    let rows = values.len() / input.max(1);
    let (per_row, row_blocks) = (bits.words_per_row(input), blocks(input));
    let mut words = vec![0u32; rows * per_row];
    let mut scales = vec![f16::ZERO; rows * row_blocks];
    let row = |((words, scales), values): ((&mut [u32], &mut [f16]), &[f32])| {
        let blocks = words.chunks_mut(bits.words_per_block()).zip(scales).zip(values.chunks(BLOCK));
        for ((words, scale), values) in blocks {
            let mut block = [0.0; BLOCK];
            for (slot, value) in block.iter_mut().zip(values) {
                *slot = *value;
            }
            let (found, integers) = quantise_block(&block, bits);
            *scale = found;
            pack(&integers, bits, words);
        }
    };
    #[cfg(not(target_arch = "wasm32"))]
    {
        use rayon::prelude::*;
        let rows = words.par_chunks_mut(per_row.max(1)).zip(scales.par_chunks_mut(row_blocks.max(1)));
        rows.zip(values.par_chunks(input.max(1))).for_each(row);
    }
    #[cfg(target_arch = "wasm32")]
    {
        let rows = words.chunks_mut(per_row.max(1)).zip(scales.chunks_mut(row_blocks.max(1)));
        rows.zip(values.chunks(input.max(1))).for_each(row);
    }
    Packed { words, scales, input, bits }
}

impl Packed {
    /// The values that the packed matrix stands for.
    #[must_use]
    pub fn dequantise(&self) -> Vec<f32> {
        let scales: Vec<f32> = self.scales.iter().map(|s| s.to_f32()).collect();
        dequantise(&self.words, &scales, self.input, self.bits)
    }
}

/// The values, row-major, that words and scales stand for. The CPU twin of every kernel that reads packed weights.
#[must_use]
pub fn dequantise(words: &[u32], scales: &[f32], input: usize, bits: Bits) -> Vec<f32> {
    let (per_row, row_blocks) = (bits.words_per_row(input), blocks(input));
    let rows = words.chunks(per_row.max(1)).zip(scales.chunks(row_blocks.max(1)));
    let mut values = Vec::with_capacity(words.len() / per_row.max(1) * input);
    for (words, scales) in rows {
        let row = words.chunks(bits.words_per_block()).zip(scales).flat_map(|(words, scale)| {
            let mut block = [0.0; BLOCK];
            unpack_block(words, *scale, bits, &mut block);
            block
        });
        values.extend(row.take(input));
    }
    values
}

/// The 32 values of one block.
#[inline]
pub(crate) fn unpack_block(words: &[u32], scale: f32, bits: Bits, values: &mut [f32; BLOCK]) {
    match bits {
        Bits::Int8 => {
            for (values, word) in values.as_chunks_mut::<4>().0.iter_mut().zip(words) {
                for (value, byte) in values.iter_mut().zip(word.to_le_bytes()) {
                    *value = f32::from(byte.cast_signed()) * scale;
                }
            }
        }
        Bits::Int4 => {
            for (values, word) in values.as_chunks_mut::<8>().0.iter_mut().zip(words) {
                for (nibble, value) in values.iter_mut().enumerate() {
                    let v = (word >> (4 * nibble)) & 15;
                    #[expect(clippy::cast_precision_loss, reason = "-8 to 7")]
                    let v = (v.cast_signed() - 8) as f32;
                    *value = v * scale;
                }
            }
        }
    }
}

fn pack(integers: &[f32; BLOCK], bits: Bits, words: &mut [u32]) {
    let per_word = bits.values_per_word();
    for (word, values) in words.iter_mut().zip(integers.chunks(per_word)) {
        *word = values.iter().rev().fold(0, |word, v| {
            #[expect(clippy::cast_possible_truncation, reason = "an integer of at most 8 bits")]
            let v = *v as i32;
            match bits {
                Bits::Int8 => word << 8 | (v.cast_unsigned() & 255),
                Bits::Int4 => word << 4 | ((v + 8).cast_unsigned() & 15),
            }
        });
    }
}

/// Rounds to the nearest integer without a library call: exact below 2^22.
#[inline]
fn round(x: f32) -> f32 {
    const ROUND: f32 = 12_582_912.0;
    (x + ROUND) - ROUND
}

/// Integers for values that are already divided by the scale.
#[inline]
fn integers_of(values: &[f32; BLOCK], steps: f32, bits: Bits) -> [f32; BLOCK] {
    let (low, high) = bits.range();
    values.map(|x| round(x * steps).clamp(low, high))
}

/// Sums of products, in lanes that vectorise: `(sum x q, sum q q)`.
#[inline]
fn products(values: &[f32; BLOCK], integers: &[f32; BLOCK]) -> (f32, f32) {
    let (mut xq, mut qq) = ([0.0f32; 8], [0.0f32; 8]);
    for (x, q) in values.as_chunks::<8>().0.iter().zip(integers.as_chunks::<8>().0) {
        for (((xq, qq), x), q) in xq.iter_mut().zip(&mut qq).zip(x).zip(q) {
            *xq += x * q;
            *qq += q * q;
        }
    }
    (xq.iter().sum(), qq.iter().sum())
}

/// The scale, as it is stored, and the integers with the smallest squared error that the search finds.
fn quantise_block(values: &[f32; BLOCK], bits: Bits) -> (f16, [f32; BLOCK]) {
    let largest = values.iter().fold(0.0f32, |m, x| m.max(x.abs()));
    let mut best = (0.0f32, 0.0f32);
    for levels in bits.candidates() {
        let steps = levels / largest;
        if !steps.is_finite() {
            break;
        }
        let integers = integers_of(values, steps, bits);
        let (xq, qq) = products(values, &integers);
        // With the best scale xq / qq for these integers, the squared error is sum x x - gain.
        let gain = if qq > 0.0 { xq * (xq / qq) } else { 0.0 };
        if gain > best.0 {
            best = (gain, xq / qq);
        }
    }
    let scale = f16::from_f32(best.1);
    let steps = 1.0 / scale.to_f32();
    // A block too small for half precision is zero.
    if scale.is_finite() && steps.is_finite() {
        (scale, integers_of(values, steps, bits))
    } else {
        (f16::ZERO, [0.0; BLOCK])
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Deterministic values, roughly normal.
    fn values(count: usize, spread: f32) -> Vec<f32> {
        let mut x = 12_345u32;
        let mut uniform = || {
            x = x.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (x >> 8) as f32 / 8_388_608.0 - 1.0
        };
        (0..count).map(|_| (uniform() + uniform() + uniform()) * spread).collect()
    }

    fn error(a: &[f32], b: &[f32]) -> f32 {
        let squares: f32 = a.iter().zip(b).map(|(a, b)| (a - b) * (a - b)).sum();
        (squares / b.iter().map(|b| b * b).sum::<f32>()).sqrt()
    }

    /// What `max / levels` without any search gives.
    fn plain(values: &[f32], levels: f32, bits: Bits) -> Vec<f32> {
        let block = |block: &[f32]| {
            let scale = block.iter().fold(0.0f32, |m, x| m.max(x.abs())) / levels;
            let (low, high) = bits.range();
            block.iter().map(|x| (x / scale).round().clamp(low, high) * scale).collect::<Vec<_>>()
        };
        values.chunks(BLOCK).flat_map(block).collect()
    }

    #[test]
    fn the_searched_scale_beats_the_largest_value() {
        let values = values(64 * 512, 0.02);
        for (bits, levels, bar) in [(Bits::Int8, 127.0, 0.0061), (Bits::Int4, 7.0, 0.098)] {
            let found = error(&quantise(&values, 512, bits).dequantise(), &values);
            let plain = error(&plain(&values, levels, bits), &values);
            assert!(found < bar && found < plain, "{bits:?}: {found} plain {plain}");
        }
        let found = error(&quantise(&values, 512, Bits::Int4).dequantise(), &values);
        let plain = error(&plain(&values, 7.0, Bits::Int4), &values);
        assert!(found < 0.92 * plain, "{found} {plain}");
    }

    #[test]
    fn layout_is_lowest_first() {
        let mut row = vec![0.0; 32];
        (row[0], row[1], row[9]) = (127.0, -127.0, 1.0);
        let packed = quantise(&row, 32, Bits::Int8);
        assert_eq!(packed.scales, [f16::ONE]);
        assert_eq!(packed.words[0], 0x0000_817f);
        assert_eq!(packed.words[2], 0x0000_0100);
        let mut row = vec![0.0; 32];
        (row[0], row[1], row[8]) = (-8.0, 7.0, 3.0);
        let packed = quantise(&row, 32, Bits::Int4);
        assert_eq!(packed.scales, [f16::ONE]);
        assert_eq!(packed.words, [0x8888_88f0, 0x8888_888b, 0x8888_8888, 0x8888_8888]);
    }

    #[test]
    fn any_row_length_comes_back_and_the_rest_of_a_block_is_zero() {
        for bits in [Bits::Int8, Bits::Int4] {
            for input in [1, 5, 31, 32, 33, 63, 64, 100] {
                let values = values(3 * input, 1.0);
                let packed = quantise(&values, input, bits);
                assert_eq!(packed.words.len(), 3 * bits.words_per_row(input));
                assert_eq!(packed.scales.len(), 3 * blocks(input));
                let back = packed.dequantise();
                assert_eq!(back.len(), values.len());
                assert!(error(&back, &values) < 0.15, "{bits:?} {input}");
                let padded = dequantise(
                    &packed.words,
                    &packed.scales.iter().map(|s| s.to_f32()).collect::<Vec<_>>(),
                    blocks(input) * BLOCK,
                    bits,
                );
                for (row, padded) in back.chunks(input).zip(padded.chunks(blocks(input) * BLOCK)) {
                    assert_eq!(row, &padded[..input]);
                    assert!(padded[input..].iter().all(|v| *v == 0.0));
                }
            }
        }
    }

    #[test]
    fn zero_tiny_and_large_blocks_stay_finite() {
        for bits in [Bits::Int8, Bits::Int4] {
            for size in [0.0, f32::MIN_POSITIVE / 4.0, 1e-30, 1e-9, 3e-5, 65_000.0] {
                let mut row = vec![0.0; 32];
                (row[3], row[4]) = (size, -size / 2.0);
                let packed = quantise(&row, 32, bits);
                assert!(packed.scales.iter().all(|s| s.is_finite() && *s >= f16::ZERO), "{size}");
                let back = packed.dequantise();
                assert!(back.iter().zip(&row).all(|(a, b)| (a - b).abs() <= size.max(1e-8)), "{size}: {back:?}");
            }
        }
    }
}

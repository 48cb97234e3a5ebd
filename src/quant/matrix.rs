//! A packed matrix on a compute device.

use burn::tensor::{DType, Device, Int, Tensor, TensorData};

use super::{BLOCK, Bits, blocks};

/// A matrix `[d_out, d_in]` as words and scales on a device; the module says what they hold.
#[derive(Debug, Clone)]
pub struct PackedMatrix {
    /// u32 words `[d_out, words per row]`.
    pub q: Tensor<2, Int>,
    /// f32 scales `[d_out, blocks]`: half precision in files, widened so that no kernel meets a half subnormal.
    pub scale: Tensor<2>,
    /// Width of the integers.
    pub bits: Bits,
    /// `d_in`.
    pub input: usize,
}

impl PackedMatrix {
    /// Uploads words and scales of `rows` rows; their number must be right, callers check files before.
    #[must_use]
    pub fn new(words: Vec<u32>, scales: Vec<f32>, [rows, input]: [usize; 2], bits: Bits, device: &Device) -> Self {
        debug_assert_eq!(words.len(), rows * bits.words_per_row(input));
        let words = TensorData::new(words, [rows, bits.words_per_row(input)]);
        let scales = TensorData::new(scales, [rows, blocks(input)]);
        Self {
            q: Tensor::from_data(words, (device, DType::U32)),
            scale: Tensor::from_data(scales, device),
            bits,
            input,
        }
    }

    /// `[d_out, d_in]`.
    #[must_use]
    pub fn dims(&self) -> [usize; 2] {
        let [rows, _] = self.q.dims();
        [rows, self.input]
    }

    /// The dense matrix `[d_out, d_in]`, by tensor operations of any device.
    #[must_use]
    pub fn dequantise(&self) -> Tensor<2> {
        let ([rows, words], per_word) = (self.q.dims(), self.bits.values_per_word());
        let width = 32 / per_word;
        // Both forms become `unsigned - half`: int4 is stored that way, int8 turns into it by flipping its sign bit.
        let (mask, flip, half) = match self.bits {
            Bits::Int8 => (255u32, 128u32, 128.0),
            Bits::Int4 => (15, 0, 8.0),
        };
        let digit = |i: usize| -> Tensor<3> {
            let shifted = self.q.clone().bitwise_right_shift_scalar((i * width) as u32);
            let digit = shifted.bitwise_and_scalar(mask).bitwise_xor_scalar(flip);
            (digit.float() - half).reshape([rows, words, 1])
        };
        let digits = Tensor::cat((0..per_word).map(digit).collect(), 2);
        let row_blocks = blocks(self.input);
        let by_block: Tensor<3> = digits.reshape([rows, row_blocks, BLOCK]);
        let values = by_block * self.scale.clone().reshape([rows, row_blocks, 1]);
        values.reshape([rows, row_blocks * BLOCK]).narrow(1, 0, self.input)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quant::{dequantise, quantise};

    #[test]
    fn tensor_form_is_the_twin_of_the_host_form() {
        let device = Device::flex();
        for bits in [Bits::Int8, Bits::Int4] {
            for (rows, input) in [(1, 1), (3, 32), (5, 70), (4, 128)] {
                let values: Vec<f32> = (0..rows * input).map(|i| ((i * 7919) % 201) as f32 / 100.0 - 1.0).collect();
                let packed = quantise(&values, input, bits);
                let scales: Vec<f32> = packed.scales.iter().map(|s| s.to_f32()).collect();
                let expected = dequantise(&packed.words, &scales, input, bits);
                let matrix = PackedMatrix::new(packed.words, scales, [rows, input], bits, &device);
                assert_eq!(matrix.dims(), [rows, input]);
                let found = matrix.dequantise().into_data().try_to_vec::<f32>().unwrap();
                assert_eq!(found, expected);
            }
        }
    }
}

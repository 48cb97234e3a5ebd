//! Convolutions with "same" padding: output channels are the rows of a tile, eight pixels the columns of a panel. What
//! eight pixels see is gathered once for all output channels; no unfolded copy of the whole map is made.

use super::{COLUMNS, ROWS, Tiles, tile_by_panel};

/// Square kernels `[out, in, side, side]` in tiles of 4 output channels.
#[derive(Debug, Clone)]
pub(crate) struct Kernels {
    tiles: Tiles,
    input: usize,
    output: usize,
    side: usize,
}

impl Kernels {
    /// From row-major `[output, input, side, side]`.
    pub(crate) fn new(values: &[f32], [output, input, side]: [usize; 3]) -> Self {
        let depth = input * side * side;
        Self { tiles: Tiles::new(depth, values.chunks(depth.max(1))), input, output, side }
    }

    /// Output channels.
    pub(crate) fn output(&self) -> usize {
        self.output
    }

    /// The convolution of a map `[input, height, width]`, plus `bias` (may be empty): the map
    /// `[output, ceil(height / stride), ceil(width / stride)]`.
    pub(crate) fn convolve(&self, map: &[f32], size: [usize; 2], stride: usize, bias: &[f32]) -> Vec<f32> {
        let padded = Padded::new(map, size, self.input, self.side / 2);
        let [height, width] = size.map(|side| side.div_ceil(stride));
        let (pixels, depth) = (height * width, self.tiles.depth.max(1));
        let mut out = vec![0.0; self.output * pixels];
        let mut panel = vec![[0.0; COLUMNS]; depth];
        for first in (0..pixels).step_by(COLUMNS) {
            padded.gather(&mut panel, self.side, first, width, stride);
            let count = COLUMNS.min(pixels - first);
            let tiles = self.tiles.values.chunks(depth * ROWS);
            for ((tile, kernels), maps) in tiles.enumerate().zip(out.chunks_mut(ROWS * pixels)) {
                let start = std::array::from_fn(|r| [bias.get(tile * ROWS + r).copied().unwrap_or_default(); COLUMNS]);
                let sums = tile_by_panel(kernels.as_chunks::<ROWS>().0, &panel, &start);
                for (map, sums) in maps.chunks_mut(pixels).zip(&sums) {
                    for (pixel, sum) in map.get_mut(first..first + count).unwrap_or_default().iter_mut().zip(sums) {
                        *pixel = *sum;
                    }
                }
            }
        }
        out
    }
}

/// A map with a border of zeros.
struct Padded {
    values: Vec<f32>,
    /// Values of one row, of one channel.
    row: usize,
    channel: usize,
}

impl Padded {
    fn new(map: &[f32], [height, width]: [usize; 2], channels: usize, border: usize) -> Self {
        let row = width + 2 * border;
        let channel = row * (height + 2 * border);
        let mut values = vec![0.0; channel * channels];
        for (to, from) in values.chunks_mut(channel.max(1)).zip(map.chunks((height * width).max(1))) {
            for (to, from) in to.chunks_mut(row.max(1)).skip(border).zip(from.chunks(width.max(1))) {
                if let Some(to) = to.get_mut(border..border + width) {
                    to.copy_from_slice(from);
                }
            }
        }
        Self { values, row, channel }
    }

    /// What eight output pixels from number `first` on see, `[channel, y, x of the kernel][pixel]`. Pixels count along
    /// rows of `width`; beyond the last one the panel holds something that is not used.
    fn gather(&self, panel: &mut [[f32; COLUMNS]], side: usize, first: usize, width: usize, stride: usize) {
        let corner = |pixel: usize| (pixel / width * self.row + pixel % width) * stride;
        let corners: [usize; COLUMNS] = std::array::from_fn(|i| corner(first + i));
        let neighbours = stride == 1 && first % width + COLUMNS <= width;
        let channels = self.values.chunks_exact(self.channel.max(1));
        for (channel, panel) in channels.zip(panel.chunks_mut(side * side)) {
            for (y, slots) in panel.chunks_mut(side).enumerate() {
                for (x, slots) in slots.iter_mut().enumerate() {
                    let offset = y * self.row + x;
                    if neighbours {
                        let eight = channel.get(corners[0] + offset..).and_then(|row| row.first_chunk());
                        *slots = eight.copied().unwrap_or_default();
                    } else {
                        for (slot, corner) in slots.iter_mut().zip(corners) {
                            *slot = channel.get(corner + offset).copied().unwrap_or_default();
                        }
                    }
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use burn::tensor::ops::ConvOptions;
    use burn::tensor::{Device, Tensor, TensorData, module};

    use super::*;

    fn values(count: usize, seed: usize) -> Vec<f32> {
        (0..count).map(|i| (((i + seed) * 7919) % 2003) as f32 / 1000.0 - 1.0).collect()
    }

    #[test]
    fn convolution_is_the_twin_of_burns_for_any_size() {
        let sizes = [
            (1, 1, 1, 1, 1, 1),
            (3, 5, 4, 7, 3, 1),
            (8, 4, 9, 8, 3, 1),
            (5, 9, 3, 17, 3, 1),
            (6, 7, 5, 30, 1, 1),
            (2, 4, 1, 2, 3, 1),
            (4, 6, 7, 10, 3, 2),
            (3, 3, 8, 20, 3, 2),
        ];
        for (input, output, height, width, side, stride) in sizes {
            let (map, kernel) = (values(input * height * width, 1), values(output * input * side * side, 2));
            let bias = values(output, 3);
            let found = Kernels::new(&kernel, [output, input, side]).convolve(&map, [height, width], stride, &bias);
            let tensor = |v: Vec<f32>, shape: [usize; 4]| -> Tensor<4> {
                Tensor::from_data(TensorData::new(v, shape), &Device::flex())
            };
            let options = ConvOptions::new([stride; 2], [side / 2; 2], [1; 2], 1);
            let bias: Tensor<1> = Tensor::from_data(TensorData::new(bias, [output]), &Device::flex());
            let expected = module::conv2d(
                tensor(map, [1, input, height, width]),
                tensor(kernel, [output, input, side, side]),
                Some(bias),
                options,
            );
            let expected = expected.into_data().try_into_vec::<f32>().unwrap();
            let worst = found.iter().zip(&expected).map(|(a, b)| (a - b).abs()).fold(0.0, f32::max);
            assert!(found.len() == expected.len() && worst < 1e-4, "{input} {output} {height} {width} {side}: {worst}");
        }
    }
}

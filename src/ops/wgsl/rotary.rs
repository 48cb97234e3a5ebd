//! Rotary embeddings on the GPU: tables of positions that are there already, and turning in place.
//! Texts: `shaders/kernels/rotary_table.wgsl`, `rotate.wgsl`. CPU twin: `Rotary` on the CPU (`ops/rotary.rs`).

use super::{Buffer, Kernel, Text, launch, word};

/// Cosines and signed sines of a list of tokens, for one head width.
#[derive(Debug, Clone)]
pub(crate) struct Tables {
    /// `[tokens, 2 * width]`, pairs.
    pub(crate) table: Buffer,
    /// `[width]`, u32.
    pub(crate) partner: Buffer,
    /// Channels of a head.
    pub(crate) width: usize,
}

/// What the tables of positions in space need beside the positions, uploaded once.
#[derive(Debug, Clone)]
pub(crate) struct SpaceConstants {
    /// `[bases, width]`.
    pub(crate) frequencies: Buffer,
    /// `[width]`, u32: axis, and 4 where the sine is negated.
    pub(crate) channels: Buffer,
    /// `[width]`, u32.
    pub(crate) partner: Buffer,
    /// Channels of a head.
    pub(crate) width: usize,
    /// How many bases are averaged.
    pub(crate) bases: usize,
}

impl Tables {
    /// Turns the first `heads` heads of every row of `x` `[tokens, row]`, in place.
    pub(crate) fn turn(&self, x: &Buffer, tokens: usize, heads: usize, row: usize, half: bool) {
        let groups = [(tokens * heads).div_ceil(64), 1, 1];
        let info = [tokens, heads, row].map(word);
        launch(turning(self.width, half), groups, &[&self.table, &self.partner], &[x], &info);
    }
}

impl SpaceConstants {
    /// Tables of `count` positions, the first three words of rows of `row`, after `skip` tokens without position.
    pub(crate) fn tables(&self, positions: &Buffer, [count, row]: [usize; 2], skip: usize) -> Tables {
        let (tokens, width) = (count + skip, self.width);
        let table = positions.beside([tokens, 2 * width]);
        let info = [tokens, skip, width, self.bases, row].map(word);
        let inputs = [positions, &self.frequencies, &self.channels];
        launch(tabulating(), [(tokens * width).div_ceil(64), 1, 1], &inputs, &[&table], &info);
        Tables { table, partner: self.partner.clone(), width }
    }
}

fn turning(width: usize, half: bool) -> Kernel {
    let flags = half.then_some("HALF").into_iter().collect();
    let template = include_str!("../../../shaders/kernels/rotate.wgsl");
    let text = Text { template, flags, numbers: vec![("D", word(width))] };
    Kernel { name: "rotate", text, group: [64, 1, 1] }
}

fn tabulating() -> Kernel {
    let template = include_str!("../../../shaders/kernels/rotary_table.wgsl");
    Kernel { name: "rotary_table", text: Text { template, flags: vec![], numbers: vec![] }, group: [64, 1, 1] }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use burn::tensor::{Device, Tensor, TensorData};

    use super::super::tests::{gpu, random, upload, validate, worst};
    use super::*;
    use crate::ops::{Places, Rotary, SpaceRotary};

    fn turned(rotary: &Rotary, x: &[f32], shape: [usize; 3], device: &Device) -> Vec<f32> {
        let x: Tensor<3> = Tensor::from_data(TensorData::new(x.to_vec(), shape), device);
        rotary.apply(x).into_data().try_into_vec().unwrap()
    }

    #[test]
    fn turning_in_space_is_its_cpu_twin_also_for_odd_chunks_far_away_and_without_position() {
        let Some(device) = gpu() else { return };
        let bases = [10.0, 100.0, 1000.0, 10_000.0];
        for (width, heads, count, skip, far) in
            [(64, 12, 13, 1, 3.0), (48, 16, 5, 0, 40.0), (64, 1, 1, 0, 1000.0), (32, 2, 70, 1, 0.01)]
        {
            let positions: Vec<f32> = random(count * 3, 7).iter().map(|v| v * far).collect();
            let x = random((count + skip) * heads * width, 8);
            let shape = [count + skip, heads, width];
            let listed = Places::Host(positions.as_chunks().0.to_vec());
            let host = SpaceRotary::new(width, &bases, &Device::flex()).at(&listed, skip);
            let expected = turned(&host, &x, shape, &Device::flex());
            let space = SpaceRotary::new(width, &bases, &device);
            // As the pointer memory has them: two more words in every row.
            let rows: Vec<f32> = positions.chunks(3).flat_map(|p| [p[0], p[1], p[2], 9.0, 9.0]).collect();
            let on_gpu = space.at_buffer(&upload(&rows, &device), [count, 5], skip).unwrap();
            // The angle itself is rounded to 24 bits.
            let tolerance = 2e-6 + far * 2e-7;
            let found = turned(&on_gpu, &x, shape, &device);
            assert!(worst(&found, &expected) < tolerance, "{width} {far}: {}", worst(&found, &expected));
            let found = turned(&space.at(&listed, skip), &x, shape, &device);
            assert!(worst(&found, &expected) < 2e-6, "{width} {far}, tables from the host");
        }
    }

    #[test]
    fn turning_in_a_plane_is_its_cpu_twin_also_in_half_precision() {
        let Some(device) = gpu() else { return };
        for half in [false, true] {
            let x = random(15 * 2 * 64, 5);
            let on = |d: &Device| turned(&Rotary::grid([3, 5], 64, 100.0, half, d), &x, [15, 2, 64], d);
            // Rounded to half, a difference in the last bit of f32 may become one in the last bit of f16.
            let tolerance = if half { 1e-3 } else { 1e-6 };
            assert!(worst(&on(&device), &on(&Device::flex())) < tolerance, "{half}");
        }
    }

    #[test]
    fn every_text_validates() {
        validate(&tabulating());
        for width in [4, 48, 64, 128] {
            validate(&turning(width, false));
            validate(&turning(width, true));
        }
    }
}

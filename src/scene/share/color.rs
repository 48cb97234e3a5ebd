//! Colours of neighbouring voxels: brightness and two colour differences (the reversible YCoCg transform), coarser for
//! the latter, each as its difference to the voxel before.

use super::coder::{Decoder, Encoder, Tree};

/// Bits kept of brightness and of each colour difference.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Depths {
    /// 3 to 8.
    pub(super) luma: u32,
    /// 3 to 9.
    pub(super) chroma: u32,
}

impl Depths {
    pub(super) fn usable(self) -> bool {
        (3..=8).contains(&self.luma) && (3..=9).contains(&self.chroma)
    }

    fn quantise(self, [r, g, b]: [u8; 3]) -> [u32; 3] {
        let [r, g, b] = [r, g, b].map(i32::from);
        let co = r - b;
        let middle = b + (co >> 1);
        let cg = g - middle;
        let y = middle + (cg >> 1);
        [y >> (8 - self.luma), (co + 256) >> (9 - self.chroma), (cg + 256) >> (9 - self.chroma)].map(|v| v as u32)
    }

    /// The middle of what a quantised colour stands for.
    fn restore(self, [y, co, cg]: [u32; 3]) -> [u8; 3] {
        let middle = |v: u32, lost: u32| (v << lost | (1 << lost) >> 1) as i32;
        let y = middle(y, 8 - self.luma);
        let [co, cg] = [co, cg].map(|v| middle(v, 9 - self.chroma) - 256);
        let between = y - (cg >> 1);
        let g = cg + between;
        let b = between - (co >> 1);
        [b + co, g, b].map(|v| v.clamp(0, 255) as u8)
    }
}

/// Contexts, and the colour before.
pub(super) struct Colors {
    depths: Depths,
    luma: Tree,
    /// By how much brightness changed: little, some, much.
    chroma: [[Tree; 3]; 2],
    before: [u32; 3],
}

impl Colors {
    pub(super) fn new(depths: Depths) -> Self {
        let tree = || Tree::new(depths.chroma);
        let chroma = [0; 2].map(|_| [0; 3].map(|_| tree()));
        let before = depths.quantise([128; 3]);
        Self { depths, luma: Tree::new(depths.luma), chroma, before }
    }

    pub(super) fn encode(&mut self, encoder: &mut Encoder, color: [u8; 3]) {
        let next = self.depths.quantise(color);
        let mask = [(1 << self.depths.luma) - 1, (1 << self.depths.chroma) - 1];
        let change = |i: usize| next[i].wrapping_sub(self.before[i]) & mask[usize::from(i > 0)];
        let luma = change(0);
        encoder.tree(&mut self.luma, luma);
        let class = class(luma, self.depths.luma);
        for i in 0..2 {
            encoder.tree(&mut self.chroma[i][class], change(i + 1));
        }
        self.before = next;
    }

    pub(super) fn decode(&mut self, decoder: &mut Decoder<'_>) -> [u8; 3] {
        let luma = decoder.tree(&mut self.luma);
        let class = class(luma, self.depths.luma);
        let changes = [luma, decoder.tree(&mut self.chroma[0][class]), decoder.tree(&mut self.chroma[1][class])];
        let mask = [(1 << self.depths.luma) - 1, (1 << self.depths.chroma) - 1];
        self.before = std::array::from_fn(|i| (self.before[i] + changes[i]) & mask[usize::from(i > 0)]);
        self.depths.restore(self.before)
    }
}

/// How large a change (modulo `2^bits`) is.
fn class(change: u32, bits: u32) -> usize {
    let size = change.min((1 << bits) - change);
    usize::from(size > 0) + usize::from(size > 1 << bits >> 4)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn full_depth_is_exact_and_less_is_within_half_a_step() {
        for code in 0..(1 << 12) {
            let color = [code as u8, (code * 7) as u8, (code >> 4) as u8];
            let exact = Depths { luma: 8, chroma: 9 };
            assert_eq!(exact.restore(exact.quantise(color)), color);
            let coarse = Depths { luma: 6, chroma: 5 };
            let off = coarse.restore(coarse.quantise(color)).iter().zip(color).map(|(a, b)| a.abs_diff(b)).max();
            assert!(off <= Some(16), "{color:?}: {off:?}"); // half steps: 2 of brightness, 8 + 4 of the differences
        }
    }
}

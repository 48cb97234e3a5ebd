//! The interleaved two-stream decoder (spec 4.4). It knows nothing about what the second stream is.

use burn::tensor::Tensor;

use super::block::DecoderBlock;
use super::config::Config;
use super::probe::Probe;
use crate::ops::{LayerNorm, Rotary};
use crate::pace::Pace;
use crate::weights::{Parameters, WeightsError};

/// Two stacks of blocks that read each other.
#[derive(Debug, Clone)]
pub(crate) struct Decoder {
    image: Vec<DecoderBlock>,
    norm: LayerNorm,
    /// One block less than `image`: nothing reads the second stream after the last one.
    memory: Vec<DecoderBlock>,
    /// The block and norm nothing reads, where the weights carry them; run only for a probe.
    memory_tail: Option<(DecoderBlock, LayerNorm)>,
    hooks: [usize; 4],
}

/// Position tables of both streams for both head widths; `None` in the first frame (spec 4.3).
#[derive(Debug)]
pub(crate) struct StreamPositions {
    /// Image tokens, image stream heads / memory stream heads.
    pub(crate) image: [Rotary; 2],
    /// Memory tokens, image stream heads / memory stream heads.
    pub(crate) memory: [Rotary; 2],
}

impl Decoder {
    pub(crate) fn take(p: &mut Parameters, c: &Config) -> Result<Self, WeightsError> {
        let (dim, eps, ratio) = (c.dec_embed_dim, c.layer_norm_eps, c.mlp_ratio);
        let image = (0..c.dec_depth)
            .map(|i| DecoderBlock::take(p, &format!("dec_blocks.{i}"), dim, c.dec_num_heads, ratio, eps, false))
            .collect::<Result<_, _>>()?;
        let memory_block = |p: &mut Parameters, i: usize| {
            DecoderBlock::take(p, &format!("dec_blocks_memory.{i}"), dim, c.memory_dec_num_heads, ratio, eps, false)
        };
        let last = c.dec_depth - 1;
        let memory = (0..last).map(|i| memory_block(p, i)).collect::<Result<_, _>>()?;
        let memory_tail = if p.contains("dec_norm_memory.weight") {
            Some((memory_block(p, last)?, LayerNorm::take(p, "dec_norm_memory", dim, eps)?))
        } else {
            None
        };
        let norm = LayerNorm::take(p, "dec_norm", dim, eps)?;
        Ok(Self { image, norm, memory, memory_tail, hooks: c.dpt.hooks })
    }

    /// Runs both streams. Returns the image stream after the hooked blocks 1..=3; the last is normalised.
    pub(crate) async fn forward(
        &self,
        mut x: Tensor<2>,
        mut y: Tensor<2>,
        positions: Option<&StreamPositions>,
        probe: &mut Probe,
        pace: &Pace,
    ) -> [Tensor<2>; 3] {
        let table = |stream: usize| positions.map_or((None, None), |p| (p.image.get(stream), p.memory.get(stream)));
        let ((image_x, image_y), (memory_x, memory_y)) = (table(0), table(1));
        let [_, first, second, _] = self.hooks;
        let mut hooked = [x.clone(), x.clone()];
        for (i, block) in self.image.iter().enumerate() {
            let next_x = block.forward(x.clone(), y.clone(), image_x, image_y);
            pace.breathe().await;
            if let Some(block) = self.memory.get(i) {
                y = block.forward(y, x, memory_y, memory_x);
                probe.record(format!("dec_mem.{}", i + 1), &y);
                pace.breathe().await;
            } else if let (true, Some((block, norm))) = (probe.is_on(), &self.memory_tail) {
                let tail = norm.forward(block.forward(y.clone(), x, memory_y, memory_x));
                probe.record(format!("dec_mem.{}", i + 1), &tail);
            }
            x = next_x;
            if i + 1 < self.image.len() {
                probe.record(format!("dec_img.{}", i + 1), &x);
            }
            let [one, two] = &mut hooked;
            if i + 1 == first {
                *one = x.clone();
            }
            if i + 1 == second {
                *two = x.clone();
            }
        }
        let x = self.norm.forward(x);
        probe.record(format!("dec_img.{}", self.image.len()), &x);
        let [one, two] = hooked;
        [one, two, x]
    }
}

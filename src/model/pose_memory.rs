//! Pose memory: a fixed set of slots that is read before and rewritten after every frame (spec 4.2, 4.6).
//! A slot is a key half (image feature) and a value half (pose token).

use burn::tensor::Tensor;

use super::block::DecoderBlock;
use super::config::Config;
use crate::ops::Linear;
use crate::pace::Pace;
use crate::weights::{Parameters, WeightsError};

/// Read and write networks of the pose memory, and its learned first content.
#[derive(Debug, Clone)]
pub(crate) struct PoseMemory {
    query: Linear,
    masked: Tensor<2>,
    initial: Tensor<2>,
    read: Vec<DecoderBlock>,
    write: Vec<DecoderBlock>,
}

impl PoseMemory {
    pub(crate) fn take(p: &mut Parameters, c: &Config) -> Result<Self, WeightsError> {
        let (dim, half, slots) = (c.pose_memory_dim(), c.dec_embed_dim, c.pose_memory_slots());
        let blocks = |p: &mut Parameters, kind: &str, single_key: bool| {
            (0..c.pose_memory.depth)
                .map(|i| {
                    let prefix = format!("pose_retriever.{kind}_blocks.{i}");
                    let (heads, ratio) = (c.pose_memory.heads, c.pose_memory.mlp_ratio);
                    DecoderBlock::take(p, &prefix, dim, heads, ratio, c.layer_norm_eps, single_key)
                })
                .collect::<Result<Vec<_>, _>>()
        };
        Ok(Self {
            query: Linear::take(p, "pose_retriever.proj_q", c.enc_embed_dim, half)?,
            masked: p.take("pose_retriever.masked_token", [1, 1, half])?.squeeze_dim(0),
            initial: p.take("pose_retriever.mem", [1, slots, dim])?.squeeze_dim(0),
            read: blocks(p, "read", false)?,
            write: blocks(p, "write", true)?,
        })
    }

    /// The slots before the first frame, `[slots, 2 * width]`.
    pub(crate) fn initial(&self) -> Tensor<2> {
        self.initial.clone()
    }

    /// The key of an image: its mean token, projected, `[1, width]`.
    pub(crate) fn key(&self, image_mean: Tensor<2>) -> Tensor<2> {
        self.query.forward(image_mean)
    }

    /// Reads the pose token that belongs to `key`, `[1, width]`.
    pub(crate) async fn read(&self, key: Tensor<2>, slots: &Tensor<2>, pace: &Pace) -> Tensor<2> {
        let [_, half] = key.dims();
        let mut x = Tensor::cat(vec![key, self.masked.clone()], 1);
        for block in &self.read {
            x = block.forward(x, slots.clone(), None, None);
            pace.breathe().await;
        }
        x.narrow(1, half, half)
    }

    /// The slots after `pose_token` has been written under `key`.
    pub(crate) async fn write(
        &self,
        key: Tensor<2>,
        pose_token: Tensor<2>,
        mut slots: Tensor<2>,
        pace: &Pace,
    ) -> Tensor<2> {
        let entry = Tensor::cat(vec![key, pose_token], 1);
        for block in &self.write {
            slots = block.forward(slots, entry.clone(), None, None);
            pace.breathe().await;
        }
        slots
    }
}

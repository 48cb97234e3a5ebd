//! Truncated signed distances in blocks of 8 x 8 x 8 voxels, which exist only near surfaces.

use std::collections::HashMap;

use half::f16;

use super::depth::DepthView;

/// Voxels along the edge of a block.
pub(super) const EDGE: i32 = 8;
const VOXELS: usize = (EDGE * EDGE * EDGE) as usize;
/// Bytes that a block takes, with its place in the table.
pub(super) const BLOCK_BYTES: usize = VOXELS * size_of::<Voxel>() + 64;
/// No average moves slower than this many sure frames would.
const MOST_WEIGHT: f32 = 1e4;

/// One sample of the distance field.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Voxel {
    /// In units of the truncation, -1 (behind the surface) to 1 (before it).
    distance: f16,
    /// sRGB, 8.8 fixed point: bytes would stop short of the average.
    color: [u16; 3],
    /// Sum of weights; 0: not seen.
    weight: f32,
}

impl Voxel {
    pub(super) fn is_seen(&self) -> bool {
        self.weight > 0.0
    }

    pub(super) fn distance(&self) -> f32 {
        self.distance.to_f32()
    }

    pub(super) fn color(&self) -> [f32; 3] {
        self.color.map(|c| f32::from(c) / 256.0)
    }

    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "an average of bytes")]
    fn add(&mut self, distance: f32, color: [u8; 3], weight: f32) {
        let share = weight / (self.weight + weight);
        self.distance = f16::from_f32(self.distance() + share * (distance - self.distance()));
        for (own, new) in self.color.iter_mut().zip(color) {
            let mixed = f32::from(*own) + share * (256.0 * f32::from(new) - f32::from(*own));
            *own = (mixed + 0.5) as u16;
        }
        self.weight = (self.weight + weight).min(MOST_WEIGHT);
    }
}

/// One block: where it lies, in blocks, and its voxels, x fastest.
struct Block {
    place: [i32; 3],
    /// The frame that touched it last.
    stamp: u32,
    voxels: Box<[Voxel]>,
}

/// The distance field.
pub(super) struct Volume {
    voxel: f32,
    truncation: f32,
    most: usize,
    table: HashMap<[i32; 3], u32>,
    blocks: Vec<Block>,
    frames: u32,
}

/// The block of a voxel, and the voxel's number inside.
pub(super) fn split(at: [i32; 3]) -> ([i32; 3], usize) {
    let [x, y, z] = at.map(|v| v.rem_euclid(EDGE));
    (at.map(|v| v.div_euclid(EDGE)), ((z * EDGE + y) * EDGE + x) as usize)
}

impl Volume {
    /// An empty field of `voxel`-sized voxels that will have at most `most` blocks.
    pub(super) fn new(voxel: f32, truncation: f32, most: usize) -> Self {
        Self { voxel, truncation, most, table: HashMap::new(), blocks: Vec::new(), frames: 0 }
    }

    pub(super) fn voxel(&self) -> f32 {
        self.voxel
    }

    pub(super) fn blocks(&self) -> usize {
        self.table.len()
    }

    /// Places of all blocks, sorted, so that what is made of them does not depend on a hash.
    pub(super) fn places(&self) -> Vec<[i32; 3]> {
        let mut places: Vec<_> = self.blocks.iter().map(|block| block.place).collect();
        places.sort_unstable();
        places
    }

    pub(super) fn voxels(&self, place: [i32; 3]) -> Option<&[Voxel]> {
        let block = self.blocks.get(*self.table.get(&place)? as usize)?;
        Some(&block.voxels)
    }

    /// Where a voxel's sample lies in the world.
    #[expect(clippy::cast_precision_loss, reason = "places of blocks are small")]
    pub(super) fn position(&self, at: [i32; 3]) -> [f32; 3] {
        at.map(|v| (v as f32 + 0.5) * self.voxel)
    }

    /// Calls `touch` with every block that the band around the seen surface passes.
    #[expect(clippy::cast_possible_truncation, reason = "far points were left out; `as` saturates")]
    fn band(&self, view: &DepthView<'_>, stride: usize, mut touch: impl FnMut([i32; 3])) {
        let size = self.voxel * EDGE as f32;
        let mut last = [i32::MAX; 3];
        for (point, ray) in view.rays(stride) {
            for step in -2_i8..=2 {
                let k = f32::from(step) * 0.5 * self.truncation;
                let place = std::array::from_fn(|i| ((point[i] + k * ray[i]) / size).floor() as i32);
                if place != last {
                    touch(place);
                    last = place;
                }
            }
        }
    }

    /// Notes the blocks that `fuse` would make, without voxels.
    pub(super) fn reserve(&mut self, view: &DepthView<'_>, stride: usize) {
        let mut table = std::mem::take(&mut self.table);
        self.band(view, stride, |place| {
            if table.len() < self.most {
                table.insert(place, 0);
            }
        });
        self.table = table;
    }

    /// Adds what a frame saw.
    pub(super) fn fuse(&mut self, view: &DepthView<'_>) {
        self.frames += 1;
        let (mut table, mut blocks) = (std::mem::take(&mut self.table), std::mem::take(&mut self.blocks));
        self.band(view, 1, |place| {
            let number = match table.get(&place) {
                Some(&number) => number,
                None if blocks.len() < self.most => {
                    let number = blocks.len() as u32; // `most` blocks fit in memory
                    let voxels = vec![Voxel::default(); VOXELS].into_boxed_slice();
                    blocks.push(Block { place, stamp: 0, voxels });
                    table.insert(place, number);
                    number
                }
                None => return,
            };
            if let Some(block) = blocks.get_mut(number as usize) {
                block.stamp = self.frames;
            }
        });
        (self.table, self.blocks) = (table, blocks);

        let (frame, truncation, voxel) = (self.frames, self.truncation, self.voxel);
        let radius = 0.87 * voxel * EDGE as f32; // half the diagonal of a block
        for block in &mut self.blocks {
            let corner = block.place.map(|v| v * EDGE);
            if block.stamp != frame {
                // Seen through: whatever is there was an error, or has moved.
                let half = 0.5 * EDGE as f32 * voxel;
                let centre = corner.map(|v| v as f32 * voxel + half);
                if !view.seen(centre).is_some_and(|seen| seen.deeper > truncation + radius && seen.before > truncation)
                {
                    continue;
                }
            }
            let mut voxels = block.voxels.iter_mut();
            for z in 0..EDGE {
                for y in 0..EDGE {
                    for x in 0..EDGE {
                        let Some(sample) = voxels.next() else { break };
                        let at = [corner[0] + x, corner[1] + y, corner[2] + z].map(|v| (v as f32 + 0.5) * voxel);
                        let Some(seen) = view.seen(at) else { continue };
                        let distance = seen.before / truncation;
                        if distance > -1.0 {
                            // Behind the surface a frame is less and less to be believed.
                            let weight = seen.weight * (1.0 + distance.min(0.0));
                            sample.add(distance.min(1.0), seen.color, weight);
                        }
                    }
                }
            }
        }
    }
}

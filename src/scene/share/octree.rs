//! The voxels of a cloud as an octree, level by level. Whether a child is there is predicted from its three neighbours
//! of the same parent that are known already and from the three parents beside it; a surface costs about 2 bits per
//! voxel.

use super::{
    breath::Breath,
    coder::{Context, Decoder, Encoder},
};
use crate::scene::SceneError;

/// Levels at most: positions take 16 bits per axis.
pub(super) const MAX_DEPTH: u32 = 16;

pub(super) type Voxel = [u16; 3];

/// Nodes of all levels together that `count` voxels may have: a surface has 4/3 per voxel, chains of single children
/// more. Bounds the work of reading.
pub(super) fn most_nodes(count: usize) -> usize {
    4 * count + 4096
}

/// Nodes of all levels above the voxels, which are in Morton order.
pub(super) fn nodes(voxels: &[Voxel], depth: u32) -> usize {
    let differ = |pair: &[Voxel]| match pair {
        [a, b] => 16 - (0..3).map(|i| (a[i] ^ b[i]).leading_zeros()).min().unwrap_or(16),
        _ => 0,
    };
    // Two neighbours that differ from bit k on share all nodes but the k below.
    depth as usize + voxels.windows(2).map(|pair| differ(pair).saturating_sub(1) as usize).sum::<usize>()
}

/// For each child (8), the presence of its known siblings (8) and of the parents beside it (8), and whether an earlier
/// sibling is there at all.
struct Contexts(Vec<Context>);

impl Contexts {
    fn new() -> Self {
        Self(vec![Context::default(); 8 * 8 * 8 * 2])
    }

    /// `coded` are the children before `child`, `beside` the six neighbours of the parent (see [`Level::beside`]).
    fn of(&mut self, child: usize, coded: u8, beside: u8) -> Option<&mut Context> {
        let (mut siblings, mut parents) = (0, 0);
        for axis in 0..3 {
            let mask = 1 << axis;
            siblings |= usize::from(coded >> (child ^ mask) & 1) << axis;
            let side = 2 * axis + usize::from(child & mask != 0);
            parents |= usize::from(beside >> side & 1) << axis;
        }
        self.0.get_mut(((child * 8 + siblings) * 8 + parents) * 2 + usize::from(coded != 0))
    }
}

/// The nodes of one level, and a hash table to find them.
struct Level {
    nodes: Vec<Voxel>,
    /// Index of a node plus 1; 0 is free.
    table: Vec<u32>,
}

impl Level {
    fn new(nodes: Vec<Voxel>) -> Self {
        let mut level = Self { table: vec![0; (2 * nodes.len()).next_power_of_two().max(4)], nodes: Vec::new() };
        for (index, &node) in nodes.iter().enumerate() {
            let mut slot = level.slot(node);
            while level.table.get(slot).is_some_and(|&entry| entry != 0) {
                slot = (slot + 1) & (level.table.len() - 1);
            }
            if let Some(entry) = level.table.get_mut(slot) {
                *entry = index as u32 + 1;
            }
        }
        level.nodes = nodes;
        level
    }

    fn slot(&self, [x, y, z]: Voxel) -> usize {
        let hash = u32::from(x).wrapping_mul(73_856_093)
            ^ u32::from(y).wrapping_mul(19_349_663)
            ^ u32::from(z).wrapping_mul(83_492_791);
        (hash ^ hash >> 15) as usize & (self.table.len() - 1)
    }

    fn has(&self, node: Voxel) -> bool {
        let mut slot = self.slot(node);
        loop {
            match self.table.get(slot) {
                None | Some(0) => return false,
                Some(&entry) if self.nodes.get(entry as usize - 1) == Some(&node) => return true,
                Some(_) => slot = (slot + 1) & (self.table.len() - 1),
            }
        }
    }

    /// Which of -x, +x, -y, +y, -z, +z is there, as bits.
    fn beside(&self, node: Voxel) -> u8 {
        let mut bits = 0;
        for axis in 0..3 {
            for (side, step) in [u16::MAX, 1].into_iter().enumerate() {
                let mut neighbour = node;
                // Over the edge lies the far side, which is as good a guess as any and needs no exception.
                neighbour[axis] = neighbour[axis].wrapping_add(step);
                bits |= u8::from(self.has(neighbour)) << (2 * axis + side);
            }
        }
        bits
    }
}

fn child(node: Voxel, index: usize) -> Voxel {
    std::array::from_fn(|axis| node[axis] << 1 | (index >> axis & 1) as u16)
}

/// A voxel's place in the order in which the octree lists them.
pub(super) fn morton(voxel: Voxel) -> u64 {
    let spread = |v: u16| (0..16).fold(0_u64, |code, bit| code | u64::from(v >> bit & 1) << (3 * bit));
    spread(voxel[0]) | spread(voxel[1]) << 1 | spread(voxel[2]) << 2
}

/// Writes voxels, which must be distinct, in Morton order, and within `2^depth`.
pub(super) async fn encode(
    encoder: &mut Encoder,
    voxels: &[Voxel],
    depth: u32,
    breath: &Breath<'_>,
) -> Result<(), SceneError> {
    let mut contexts = Contexts::new();
    for level in 0..depth {
        let shift = depth - level;
        let above = |v: &Voxel| v.map(|c| (u32::from(c) >> shift) as u16);
        let mut nodes: Vec<Voxel> = voxels.iter().map(above).collect();
        nodes.dedup();
        let mut voxels = voxels.iter().map(|v| v.map(|c| c >> (shift - 1))).peekable();
        let level = Level::new(nodes);
        breath.now().await?;
        for (index, &node) in level.nodes.iter().enumerate() {
            breath.at(index).await?;
            let mut wanted = 0_u8;
            while let Some(next) = voxels.next_if(|v| v.map(|c| c >> 1) == node) {
                wanted |= 1 << (next[0] & 1 | (next[1] & 1) << 1 | (next[2] & 1) << 2);
            }
            let (beside, mut coded) = (level.beside(node), 0);
            for index in 0..8 {
                // The last child of a node with no other must be there.
                if index == 7 && coded == 0 {
                    break;
                }
                let bit = wanted >> index & 1 == 1;
                if let Some(context) = contexts.of(index, coded, beside) {
                    encoder.bit(context, bit);
                }
                coded |= u8::from(bit) << index;
            }
        }
    }
    Ok(())
}

/// Reads `count` voxels.
pub(super) fn decode(decoder: &mut Decoder<'_>, count: usize, depth: u32) -> Result<Vec<Voxel>, SceneError> {
    let mut contexts = Contexts::new();
    let mut nodes = vec![[0; 3]];
    let mut visited = 0;
    for _ in 0..depth {
        visited += nodes.len();
        if visited > most_nodes(count) {
            return Err(SceneError::damaged("the link's points lie too far apart"));
        }
        let level = Level::new(nodes);
        let mut next = Vec::new();
        for &node in &level.nodes {
            let (beside, mut coded) = (level.beside(node), 0_u8);
            for index in 0..8 {
                let must = index == 7 && coded == 0;
                if must || contexts.of(index, coded, beside).is_some_and(|context| decoder.bit(context)) {
                    coded |= 1 << index;
                    next.push(child(node, index));
                }
            }
            // No level has more nodes than the last one: more work than announced is refused at once.
            if next.len() > count {
                return Err(SceneError::damaged("the link holds more points than it announces"));
            }
        }
        nodes = next;
    }
    if nodes.len() != count {
        return Err(SceneError::damaged("the link holds fewer points than it announces"));
    }
    Ok(nodes)
}

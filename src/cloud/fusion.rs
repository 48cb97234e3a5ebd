//! Merging points into voxels when the budget is used up.
//!
//! Works in slices (voxels whose hash falls into the same part), so the memory it needs beside the cloud is a
//! fraction of the cloud. The result depends on the points alone, not on timing: voxels in the order in which they
//! were first seen, within each slice.

use std::{
    collections::{HashMap, HashSet},
    hash::{BuildHasherDefault, Hasher},
};

use super::{Bounds, Chunk, Cloud, PackedPoint, decode_confidence};
use crate::pace::Pace;

/// How a cloud was merged.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct VoxelFusion {
    /// Side of a voxel, world units.
    pub voxel: f32,
    /// How many times points were merged.
    pub times: u32,
}

const SLICES: u64 = 8;
/// A voxel grows by this factor until few enough are left: three steps double it.
const GROWTH: f32 = 1.26;
/// Voxels counted, about, to estimate how many there are.
const COUNTED: usize = 20_000;
/// A doubtful point next to one without doubts counts next to nothing.
const DOUBTFUL_WEIGHT: f32 = 1e-3;

/// A voxel being filled.
struct Cell {
    owner: usize,
    code: u8,
    flags: u8,
    weight: f32,
    /// Weighted sum of offsets from the grid's corner of the voxel.
    offset: [f32; 3],
    rgb: [f32; 3],
}

/// `cloud` with its points merged to at most about `target`.
pub(super) async fn fused(cloud: &Cloud, target: usize, pace: &Pace) -> Cloud {
    let Some(bounds) = cloud.bounds() else { return cloud.clone() };
    let before = cloud.fusion;
    let mut grid = Grid { origin: bounds.min, voxel: before.map_or_else(|| spacing(cloud), |f| f.voxel) };
    grid.voxel = grid.voxel.max(smallest_voxel(bounds));
    while estimate(cloud, grid, pace).await > target.max(1) && grid.voxel < 1e6 {
        grid.voxel *= GROWTH;
    }

    let mut chunks: Vec<Chunk> = cloud.chunks.iter().map(|c| Chunk::new(c.frame, Vec::new())).collect();
    for slice in 0..SLICES {
        for (key, cell) in cells(cloud, grid, slice, pace).await {
            let Some(chunk) = chunks.get_mut(cell.owner) else { continue };
            let point = cell.point(grid, key);
            // Sums of absurd coordinates overflow.
            if point.position.iter().all(|v| v.is_finite()) {
                chunk.points.push(point);
                chunk.flags.push(cell.flags);
            }
        }
    }
    let mut fused = Cloud::new(cloud.budget);
    for mut chunk in chunks {
        if chunk.flags.iter().all(|f| *f == 0) {
            chunk.flags = Vec::new();
        }
        chunk.points.shrink_to_fit();
        fused.push(chunk);
    }
    fused.fusion = Some(VoxelFusion { voxel: grid.voxel, times: before.map_or(0, |f| f.times) + 1 });
    fused
}

/// All voxels of a slice, in the order in which they were first seen.
async fn cells(cloud: &Cloud, grid: Grid, slice: u64, pace: &Pace) -> Vec<([u32; 3], Cell)> {
    let mut index: HashMap<u64, u32, BuildHasherDefault<Mixed>> = HashMap::default();
    let mut cells: Vec<([u32; 3], Cell)> = Vec::new();
    for (owner, chunk) in cloud.chunks.iter().enumerate() {
        for (point, flags) in chunk.flagged() {
            let key = grid.key(point.position);
            let packed = pack(key);
            if mix(packed) >> 32 & (SLICES - 1) != slice {
                continue;
            }
            let at = *index.entry(packed).or_insert_with(|| {
                cells.push((key, Cell::new(owner)));
                u32::try_from(cells.len() - 1).unwrap_or(u32::MAX)
            });
            if let Some((_, cell)) = cells.get_mut(at as usize) {
                cell.add(point, flags, grid.corner(key));
            }
        }
        pace.breathe().await;
    }
    cells
}

impl Cell {
    fn new(owner: usize) -> Self {
        Self { owner, code: 0, flags: u8::MAX, weight: 0.0, offset: [0.0; 3], rgb: [0.0; 3] }
    }

    fn add(&mut self, point: &PackedPoint, flags: u8, corner: [f32; 3]) {
        let doubtful = if flags == 0 { 1.0 } else { DOUBTFUL_WEIGHT };
        let weight = decode_confidence(point.confidence_code()) * doubtful;
        self.weight += weight;
        self.code = self.code.max(point.confidence_code());
        self.flags &= flags;
        for ((sum, value), corner) in self.offset.iter_mut().zip(point.position).zip(corner) {
            *sum += weight * (value - corner);
        }
        for (sum, value) in self.rgb.iter_mut().zip(point.color()) {
            *sum += weight * f32::from(value);
        }
    }

    fn point(&self, grid: Grid, key: [u32; 3]) -> PackedPoint {
        let corner = grid.corner(key);
        let position = std::array::from_fn(|i| corner[i] + self.offset[i] / self.weight);
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "a mean of bytes is a byte")]
        let [r, g, b] = self.rgb.map(|sum| (sum / self.weight).round() as u8);
        PackedPoint { position, rgba: u32::from_le_bytes([r, g, b, self.code]) }
    }
}

/// Where voxels lie.
#[derive(Clone, Copy)]
struct Grid {
    origin: [f32; 3],
    voxel: f32,
}

impl Grid {
    /// Cell of a point; 21 bits per axis (`smallest_voxel` sees to it that they suffice).
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 21 bits")]
    fn key(&self, p: [f32; 3]) -> [u32; 3] {
        std::array::from_fn(|i| ((p[i] - self.origin[i]) / self.voxel).clamp(0.0, MOST) as u32)
    }

    #[expect(clippy::cast_precision_loss, reason = "21 bits")]
    fn corner(&self, key: [u32; 3]) -> [f32; 3] {
        std::array::from_fn(|i| self.origin[i] + key[i] as f32 * self.voxel)
    }
}

const MOST: f32 = 2_097_151.0;

fn smallest_voxel(bounds: Bounds) -> f32 {
    let side = (0..3).map(|i| bounds.max[i] - bounds.min[i]).fold(0.0, f32::max);
    (side.min(f32::MAX) / MOST).max(f32::MIN_POSITIVE)
}

fn pack([x, y, z]: [u32; 3]) -> u64 {
    u64::from(x) | u64::from(y) << 21 | u64::from(z) << 42
}

/// Multiplies and folds: neighbouring voxels land far apart.
fn mix(key: u64) -> u64 {
    let product = (key ^ key >> 31).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    product ^ product >> 29
}

#[derive(Default)]
struct Mixed(u64);

impl Hasher for Mixed {
    fn finish(&self) -> u64 {
        self.0
    }
    fn write(&mut self, bytes: &[u8]) {
        for &byte in bytes {
            self.0 = mix(self.0 ^ u64::from(byte));
        }
    }
    fn write_u64(&mut self, key: u64) {
        self.0 = mix(key);
    }
}

/// About how many voxels hold a point.
async fn estimate(cloud: &Cloud, grid: Grid, pace: &Pace) -> usize {
    let part = (cloud.points / COUNTED).max(1) as u64;
    let mut seen: HashSet<u64, BuildHasherDefault<Mixed>> = HashSet::default();
    for chunk in &cloud.chunks {
        let keys = chunk.points.iter().map(|p| pack(grid.key(p.position)));
        seen.extend(keys.filter(|&key| (mix(key) >> 20).is_multiple_of(part)));
        pace.breathe().await;
    }
    seen.len() * usize::try_from(part).unwrap_or(usize::MAX)
}

/// Median distance between neighbours of a frame: below it, merging would change little.
fn spacing(cloud: &Cloud) -> f32 {
    let step = cloud.points.div_ceil(COUNTED).max(1);
    let distance = |pair: &[PackedPoint]| match pair {
        [a, b] => (0..3).map(|i| (a.position[i] - b.position[i]).powi(2)).sum::<f32>().sqrt(),
        _ => 0.0,
    };
    let pairs = cloud.chunks.iter().flat_map(|chunk| chunk.points.windows(2).step_by(step));
    let mut distances: Vec<f32> = pairs.map(distance).filter(|d| *d > 0.0 && d.is_finite()).collect();
    let middle = distances.len() / 2;
    distances.sort_unstable_by(f32::total_cmp);
    distances.get(middle).copied().unwrap_or(1e-3)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    /// A wall seen by every frame, and a stripe of its own per frame.
    fn scan(frames: u32, budget: usize) -> Cloud {
        let mut cloud = Cloud::new(budget);
        for frame in 0..frames {
            cloud.push(view(frame));
        }
        cloud
    }

    fn view(frame: u32) -> Chunk {
        let mut points = Vec::new();
        for i in 0..50 {
            for j in 0..50 {
                let jitter = 0.001 * ((i * 7 + j * 13 + frame * 5) % 11) as f32;
                let at = [0.02 * i as f32 + jitter, 0.02 * j as f32 - jitter, 2.0 + jitter];
                points.push(PackedPoint::new(at, [200, 100, 50], 4.0));
            }
        }
        for i in 0..50 {
            points.push(PackedPoint::new([0.02 * i as f32, 3.0 + frame as f32, 2.0], [0, 0, 255], 4.0));
        }
        Chunk::new(frame, points)
    }

    fn fuse(cloud: &mut Cloud) {
        pollster::block_on(cloud.fuse(&Pace::none()));
    }

    #[test]
    fn a_cloud_within_its_budget_is_left_alone() {
        let mut cloud = scan(4, 1 << 20);
        let before = cloud.points_above(0.0).map(|(_, p)| *p).collect::<Vec<_>>();
        fuse(&mut cloud);
        assert_eq!(cloud.fusion(), None);
        assert_eq!(before, cloud.points_above(0.0).map(|(_, p)| *p).collect::<Vec<_>>());
    }

    #[test]
    fn fusion_brings_a_cloud_below_half_its_budget_and_moves_nothing_by_more_than_a_voxel() {
        let budget = 100_000;
        let mut cloud = scan(20, budget);
        let raw = cloud.clone();
        fuse(&mut cloud);
        let fusion = cloud.fusion().unwrap();
        assert_eq!(fusion.times, 1);
        assert!(cloud.bytes() <= budget * 11 / 20, "{} bytes", cloud.bytes()); // the estimate is by sample
        assert_eq!(cloud.chunks().len(), 20);
        let points: Vec<_> = cloud.points_above(0.0).map(|(_, p)| p.position).collect();
        for (_, p) in raw.points_above(0.0).step_by(97) {
            let near = points.iter().any(|q| (0..3).all(|i| (q[i] - p.position[i]).abs() <= fusion.voxel));
            assert!(near, "{:?} has no voxel of {}", p.position, fusion.voxel);
        }
    }

    #[test]
    fn undo_after_fusion_leaves_exactly_the_voxels_that_the_remaining_frames_saw() {
        let mut cloud = scan(20, 100_000);
        fuse(&mut cloud);
        cloud.undo(15);
        let stripes: Vec<f32> = cloud.points_above(0.0).map(|(_, p)| p.position[1]).filter(|y| *y > 2.0).collect();
        assert!(stripes.iter().all(|y| *y < 7.5), "stripes of undone frames are gone");
        assert!((0..5).all(|frame| stripes.iter().any(|y| (y - 3.0 - frame as f32).abs() < 0.5)));
        // The wall was first seen by frame 0 (jitter lets later frames touch a few border voxels first).
        let wall = |c: &Chunk| c.points.iter().filter(|p| p.position[1] < 2.0).count();
        let first = wall(&cloud.chunks()[0]);
        assert!(first > 0 && cloud.chunks()[1..].iter().map(|c| wall(c)).sum::<usize>() < first);
        cloud.undo(5);
        assert!(cloud.is_empty() && cloud.bytes() == 0);
    }

    #[test]
    fn a_scan_goes_on_after_fusion_and_is_merged_again() {
        let mut cloud = Cloud::new(100_000);
        for frame in 0..60 {
            cloud.push(view(frame));
            fuse(&mut cloud);
            assert!(cloud.bytes() <= 100_000);
        }
        assert!(cloud.fusion().unwrap().times > 1);
        assert_eq!(cloud.chunks().len(), 60);
    }

    #[test]
    fn confident_points_pull_the_mean_and_doubtful_ones_do_not_count() {
        let mut cloud = Cloud::new(40);
        let at = |x: f32, grey: u8, confidence: f32| PackedPoint::new([x, 0.0, 0.0], [grey; 3], confidence);
        cloud.push(Chunk {
            frame: 0,
            points: vec![at(0.0, 0, 1.0), at(0.9, 90, 512.0), at(0.5, 255, 4096.0)],
            flags: vec![0, 0, 1],
        });
        fuse(&mut cloud);
        let points: Vec<_> = cloud.points_above(0.0).collect();
        assert_eq!(points.len(), 1);
        let (_, point) = points[0];
        assert!((point.position[0] - 0.89).abs() < 0.02 && point.color()[0].abs_diff(90) <= 3, "{point:?}");
        assert!(cloud.chunks()[0].flags.is_empty(), "a voxel with one good point is good");
    }

    #[test]
    fn absurd_extents_end() {
        let mut cloud = Cloud::new(64);
        let far = [[0.0f32; 3], [1e30, -1e30, 1e30], [1e-30; 3], [1.0; 3], [3e38, 0.0, 0.0]];
        cloud.push(Chunk::new(0, far.map(|p| PackedPoint::new(p, [1; 3], 1.0)).to_vec()));
        fuse(&mut cloud);
        assert!(cloud.points_above(0.0).all(|(_, p)| p.position.iter().all(|v| v.is_finite())));
    }
}

//! Explicit spatial pointer memory (spec 4.7, 4.8).
//!
//! Each pointer is a world position (frame-0 camera axes) and a feature of the decoder's width. Merging is
//! deterministic: a pointer hit by new patches keeps its row and takes their mean, other patches are appended
//! in patch order. Positions are decided on the host in plain f32, so every device decides alike; features
//! never leave the device. A cap keeps the memory, and with it the cost of a frame, from growing for ever.

mod cap;

use burn::tensor::{Device, Int, Tensor, TensorData};

pub use cap::{Eviction, PointerCap};

use crate::ops::wgsl::{Buffer, Variant, gather::gather_mean};

/// How a frame's patches enter the memory.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum UpdateMode {
    /// Patches near a pointer replace it, others are appended (release and evaluation).
    #[default]
    Merge,
    /// Every patch is appended (first training stage).
    Concatenate,
}

/// What one frame's patches did; indices are rows of the memory before the frame.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Fusion {
    /// Distance from which a patch becomes a pointer of its own.
    pub threshold: f32,
    /// Per patch, the nearest pointer and its distance; empty in the first frame.
    pub nearest: Vec<(usize, f32)>,
    /// Per patch, whether it was appended.
    pub added: Vec<bool>,
}

/// When a pointer came into being and when it was last hit, in frames fused before.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct PointerAge {
    /// The frame that appended it.
    pub born: u32,
    /// The last frame whose patches it took the mean of; `born` if none did.
    pub updated: u32,
}

/// Positions and features of all pointers.
#[derive(Debug, Clone, Default)]
pub struct PointerMemory {
    positions: Vec<[f32; 3]>,
    ages: Vec<PointerAge>,
    /// Frames fused so far.
    frames: u32,
    /// `[pointers, width]`; `None` before the first frame.
    features: Option<Tensor<2>>,
}

impl PointerMemory {
    /// Number of pointers.
    #[must_use]
    pub fn len(&self) -> usize {
        self.positions.len()
    }

    /// True before the first frame.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.positions.is_empty()
    }

    /// World positions, in row order.
    #[must_use]
    pub fn positions(&self) -> &[[f32; 3]] {
        &self.positions
    }

    /// When pointers were born and last hit, in row order.
    #[must_use]
    pub fn ages(&self) -> &[PointerAge] {
        &self.ages
    }

    /// Features `[pointers, width]`, in row order.
    #[must_use]
    pub fn features(&self) -> Option<&Tensor<2>> {
        self.features.as_ref()
    }

    /// Takes in one frame: `positions[n]` and row `n` of `features` belong to patch `n`.
    /// `merge_unit` divides the diagonal of everything seen into the merge threshold.
    pub fn fuse(&mut self, positions: &[[f32; 3]], features: Tensor<2>, mode: UpdateMode, merge_unit: usize) -> Fusion {
        let frame = self.frames;
        self.frames += 1;
        let new = PointerAge { born: frame, updated: frame };
        let Some(old) = self.features.take() else {
            self.positions = positions.to_vec();
            self.ages = vec![new; positions.len()];
            self.features = Some(features);
            return Fusion { added: vec![true; positions.len()], ..Fusion::default() };
        };
        if mode == UpdateMode::Concatenate {
            self.positions.extend_from_slice(positions);
            self.ages.resize(self.positions.len(), new);
            self.features = Some(Tensor::cat(vec![old, features], 0));
            return Fusion { added: vec![true; positions.len()], ..Fusion::default() };
        }
        let fusion = decide(&self.positions, positions, merge_unit);
        let plan = Plan::new(self.positions.len(), &fusion);
        self.features = Some(plan.features(old, features));
        plan.positions(&mut self.positions, positions);
        for (pointer, _) in &plan.merges {
            if let Some(age) = self.ages.get_mut(*pointer) {
                age.updated = frame;
            }
        }
        self.ages.resize(self.positions.len(), new);
        fusion
    }

    /// Brings the memory down to `cap` and says how many pointers went.
    pub fn limit(&mut self, cap: PointerCap) -> usize {
        let Some(rows) = cap::survivors(cap, &self.positions, &self.ages) else { return 0 };
        let evicted = self.positions.len() - rows.len();
        self.positions = rows.iter().filter_map(|row| self.positions.get(*row)).copied().collect();
        self.ages = rows.iter().filter_map(|row| self.ages.get(*row)).copied().collect();
        self.features = self.features.take().map(|features| gather(features, &rows));
        evicted
    }
}

/// The given rows, in that order.
fn gather(features: Tensor<2>, rows: &[usize]) -> Tensor<2> {
    let rows = index_tensor(rows.iter(), &features.device());
    features.select(0, rows)
}

fn index_tensor<'a>(rows: impl Iterator<Item = &'a usize>, device: &Device) -> Tensor<1, Int> {
    #[expect(clippy::cast_possible_wrap, clippy::cast_possible_truncation, reason = "rows fit 31 bits")]
    let list: Vec<i32> = rows.map(|r| *r as i32).collect();
    let count = list.len();
    Tensor::from_data(TensorData::new(list, [count]), device)
}

/// Threshold and nearest pointer of every patch.
fn decide(pointers: &[[f32; 3]], patches: &[[f32; 3]], merge_unit: usize) -> Fusion {
    let mut low = [f32::INFINITY; 3];
    let mut high = [f32::NEG_INFINITY; 3];
    for p in pointers.iter().chain(patches) {
        for ((low, high), value) in low.iter_mut().zip(&mut high).zip(p) {
            *low = low.min(*value);
            *high = high.max(*value);
        }
    }
    #[expect(clippy::cast_precision_loss, reason = "a small divisor")]
    let unit = merge_unit as f32;
    let squares: f32 = low.iter().zip(high).map(|(low, high)| ((high - low) / unit).powi(2)).sum();
    let threshold = squares.sqrt();
    let nearest: Vec<(usize, f32)> = patches
        .iter()
        .map(|[x, y, z]| {
            let mut best = (0, f32::INFINITY);
            for (m, [px, py, pz]) in pointers.iter().enumerate() {
                let d = (x - px).powi(2) + (y - py).powi(2) + (z - pz).powi(2);
                if d < best.1 {
                    best = (m, d);
                }
            }
            (best.0, best.1.sqrt())
        })
        .collect();
    // `!(d < t)` rather than `d >= t`: a patch that is not a number is appended, never merged.
    let added = nearest.iter().map(|(_, d)| !matches!(d.partial_cmp(&threshold), Some(std::cmp::Ordering::Less)));
    Fusion { threshold, added: added.collect(), nearest }
}

/// The merges and additions of one frame, as index lists.
struct Plan {
    before: usize,
    /// Pointers that are hit, with the patches that hit them, in row order.
    merges: Vec<(usize, Vec<usize>)>,
    /// Patches to append.
    additions: Vec<usize>,
}

impl Plan {
    fn new(before: usize, fusion: &Fusion) -> Self {
        let mut hits: Vec<(usize, usize)> = Vec::new();
        let mut additions = Vec::new();
        for (patch, ((pointer, _), added)) in fusion.nearest.iter().zip(&fusion.added).enumerate() {
            if *added {
                additions.push(patch);
            } else {
                hits.push((*pointer, patch));
            }
        }
        hits.sort_unstable();
        let mut merges: Vec<(usize, Vec<usize>)> = Vec::new();
        for (pointer, patch) in hits {
            match merges.last_mut() {
                Some((last, patches)) if *last == pointer => patches.push(patch),
                _ => merges.push((pointer, vec![patch])),
            }
        }
        Self { before, merges, additions }
    }

    fn positions(&self, pointers: &mut Vec<[f32; 3]>, patches: &[[f32; 3]]) {
        for (pointer, hits) in &self.merges {
            let mut sum = [0.0f32; 3];
            for p in hits.iter().filter_map(|&n| patches.get(n)) {
                for (sum, value) in sum.iter_mut().zip(p) {
                    *sum += value;
                }
            }
            #[expect(clippy::cast_precision_loss, reason = "counts below the number of patches")]
            let count = hits.len() as f32;
            if let Some(slot) = pointers.get_mut(*pointer) {
                *slot = sum.map(|s| s / count);
            }
        }
        pointers.extend(self.additions.iter().filter_map(|&n| patches.get(n)));
    }

    /// One gather over [old; means; new]: no scatter, so the order of execution cannot matter.
    fn features(&self, old: Tensor<2>, new: Tensor<2>) -> Tensor<2> {
        let device = old.device();
        if let Some(features) = self.features_by_kernel(&old, &new, &device) {
            return features;
        }
        let [patches, _] = new.dims();
        let mut rows: Vec<usize> = (0..self.before).collect();
        for (k, (pointer, _)) in self.merges.iter().enumerate() {
            if let Some(row) = rows.get_mut(*pointer) {
                *row = self.before + k;
            }
        }
        let first_new = self.before + self.merges.len();
        rows.extend(self.additions.iter().map(|n| first_new + n));
        let mut sources = vec![old];
        if !self.merges.is_empty() {
            sources.push(self.averaging(patches, &device).matmul(new.clone()));
        }
        sources.push(new);
        gather(Tensor::cat(sources, 0), &rows)
    }

    /// The same in one pass, where the kernels run.
    fn features_by_kernel(&self, old: &Tensor<2>, new: &Tensor<2>, device: &Device) -> Option<Tensor<2>> {
        let [_, channels] = old.dims();
        Variant::of(device).filter(|_| channels.is_multiple_of(4))?;
        let rows = self.before + self.additions.len();
        let mut plan: Vec<[usize; 2]> = (0..self.before).map(|row| [row, 0]).collect();
        let mut items = Vec::new();
        for (pointer, hits) in &self.merges {
            if let Some(entry) = plan.get_mut(*pointer) {
                *entry = [2 * rows + items.len(), hits.len()];
                items.extend_from_slice(hits);
            }
        }
        for patch in &self.additions {
            plan.push([2 * rows + items.len(), 1]);
            items.push(*patch);
        }
        let words = index_tensor(plan.as_flattened().iter().chain(&items), device);
        let (old, new, plan) = (Buffer::of(old.clone())?, Buffer::of(new.clone())?, Buffer::of_int(words)?);
        Some(gather_mean(&old, &new, &plan, [rows, channels]).tensor())
    }

    /// `[merges, patches]`, rows sum to one.
    fn averaging(&self, patches: usize, device: &Device) -> Tensor<2> {
        let mut weights = vec![0.0f32; self.merges.len() * patches];
        for (row, (_, hits)) in weights.chunks_mut(patches).zip(&self.merges) {
            #[expect(clippy::cast_precision_loss, reason = "counts below the number of patches")]
            let share = 1.0 / hits.len() as f32;
            for &n in hits {
                if let Some(w) = row.get_mut(n) {
                    *w = share;
                }
            }
        }
        Tensor::from_data(TensorData::new(weights, [self.merges.len(), patches]), device)
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    fn features(values: &[f32]) -> Tensor<2> {
        let device = Device::flex();
        Tensor::<1>::from_data(TensorData::new(values.to_vec(), [values.len()]), &device).reshape([values.len(), 1])
    }

    fn column(memory: &PointerMemory) -> Vec<f32> {
        memory.features().unwrap().clone().into_data().try_to_vec().unwrap()
    }

    /// A memory of pointers at x = 0, 10 and 20: with unit 20 the threshold is 1.
    fn three() -> PointerMemory {
        let mut memory = PointerMemory::default();
        let at = [[0.0; 3], [10.0, 0.0, 0.0], [20.0, 0.0, 0.0]];
        memory.fuse(&at, features(&[1.0, 2.0, 3.0]), UpdateMode::Merge, 20);
        memory
    }

    #[test]
    fn first_frame_makes_one_pointer_per_patch() {
        assert_eq!(three().len(), 3);
        assert_eq!(column(&three()), [1.0, 2.0, 3.0]);
    }

    #[test]
    fn merge_replaces_position_and_feature_by_mean_of_hits_and_appends_the_rest_in_patch_order() {
        let mut memory = three();
        let patches = [[5.0, 0.0, 0.0], [10.5, 0.0, 0.0], [15.0, 0.0, 0.0], [9.7, 0.0, 0.0]];
        let fusion = memory.fuse(&patches, features(&[10.0, 20.0, 30.0, 40.0]), UpdateMode::Merge, 20);
        assert_eq!(fusion.threshold, 1.0);
        assert_eq!(fusion.added, [true, false, true, false]);
        assert_eq!(fusion.nearest[1].0, 1);
        assert_eq!(column(&memory), [1.0, 30.0, 3.0, 10.0, 30.0]);
        let x: Vec<f32> = memory.positions().iter().map(|p| p[0]).collect();
        assert_eq!(x, [0.0, 10.1, 20.0, 5.0, 15.0]);
        let ages: Vec<_> = memory.ages().iter().map(|age| (age.born, age.updated)).collect();
        assert_eq!(ages, [(0, 0), (0, 1), (0, 0), (1, 1), (1, 1)]);
    }

    #[test]
    fn a_cap_keeps_positions_ages_and_features_together() {
        let mut memory = three();
        memory.fuse(&[[10.5, 0.0, 0.0], [30.0, 0.0, 0.0]], features(&[8.0, 9.0]), UpdateMode::Merge, 20);
        assert_eq!(memory.limit(PointerCap { pointers: 2, eviction: Eviction::Oldest }), 2);
        assert_eq!(column(&memory), [8.0, 9.0]);
        let x: Vec<f32> = memory.positions().iter().map(|p| p[0]).collect();
        assert_eq!((x, memory.ages().len(), memory.len()), (vec![10.5, 30.0], 2, 2));
        assert_eq!(memory.limit(PointerCap::OFF), 0);
    }

    #[test]
    fn features_are_fused_alike_on_the_gpu() {
        use crate::ops::wgsl::tests::{gpu, random};
        let Some(gpu) = gpu() else { return };
        let fused = |device: &Device| -> Vec<Vec<f32>> {
            let mut memory = PointerMemory::default();
            let mut after = Vec::new();
            for (frame, patches) in [70, 33, 100, 1].into_iter().enumerate() {
                let at = random(3 * patches, 5 + frame as u32);
                let at: Vec<[f32; 3]> = at.as_chunks().0.iter().map(|p: &[f32; 3]| p.map(|v| v * 2.0)).collect();
                let values = TensorData::new(random(patches * 12, 9), [patches, 12]);
                memory.fuse(&at, Tensor::from_data(values, device), UpdateMode::Merge, 20);
                if frame == 2 {
                    memory.limit(PointerCap { pointers: 90, eviction: Eviction::Redundant });
                }
                after.push(column(&memory));
            }
            after
        };
        for (found, expected) in fused(&gpu).iter().zip(fused(&Device::flex())) {
            assert!(found.len() == expected.len() && found.iter().zip(&expected).all(|(a, b)| (a - b).abs() < 1e-6));
        }
    }

    #[test]
    fn a_patch_exactly_at_the_threshold_is_added() {
        let mut memory = three();
        let fusion = memory.fuse(&[[11.0, 0.0, 0.0]], features(&[9.0]), UpdateMode::Merge, 20);
        assert_eq!(fusion.added, [true]);
    }

    #[test]
    fn a_patch_that_is_not_a_number_never_overwrites_a_pointer() {
        let mut memory = three();
        let fusion = memory.fuse(&[[f32::NAN; 3]], features(&[9.0]), UpdateMode::Merge, 20);
        assert_eq!(fusion.added, [true]);
        assert_eq!(column(&memory), [1.0, 2.0, 3.0, 9.0]);
    }

    #[test]
    fn concatenation_appends_every_patch() {
        let mut memory = three();
        memory.fuse(&[[0.0; 3], [0.0; 3]], features(&[8.0, 9.0]), UpdateMode::Concatenate, 20);
        assert_eq!(column(&memory), [1.0, 2.0, 3.0, 8.0, 9.0]);
    }
}

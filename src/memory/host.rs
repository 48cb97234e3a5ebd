//! The pointer memory in plain memory: for the CPU, for burn's own GPU operations, and as the twin of the GPU kernels.
//! Positions are decided on here in f32; features stay on the device they were computed on.

use burn::tensor::{Device, Int, Tensor, TensorData};

use super::{Fusion, PointerAge, PointerCap, UpdateMode, cap};

/// Positions and features of all pointers.
#[derive(Debug, Clone, Default)]
pub(crate) struct HostPointers {
    pub(super) positions: Vec<[f32; 3]>,
    pub(super) ages: Vec<PointerAge>,
    /// Frames fused so far.
    pub(super) frames: u32,
    /// `[pointers, width]`; `None` before the first frame.
    pub(crate) features: Option<Tensor<2>>,
}

impl HostPointers {
    /// Takes in one frame: `positions[n]` and row `n` of `features` belong to patch `n`.
    /// `merge_unit` divides the diagonal of everything seen into the merge threshold.
    pub(crate) fn fuse(
        &mut self,
        positions: &[[f32; 3]],
        features: Tensor<2>,
        mode: UpdateMode,
        merge_unit: usize,
    ) -> Fusion {
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
    pub(crate) fn limit(&mut self, cap: PointerCap) -> usize {
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
    let diagonal: f32 = low.iter().zip(high).map(|(low, high)| (high - low).powi(2)).sum();
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
            best
        })
        .collect();
    // Squares, and a product in place of a quotient: the same few roundings on every device. `!(a < b)` rather than
    // `a >= b`: a patch that is not a number is appended, never merged.
    let near = |d: f32| matches!((d * (unit * unit)).partial_cmp(&diagonal), Some(std::cmp::Ordering::Less));
    let added = nearest.iter().map(|(_, d)| !near(*d)).collect();
    let nearest = nearest.into_iter().map(|(row, d)| (row, d.sqrt())).collect();
    Fusion { threshold: diagonal.sqrt() / unit, added, nearest }
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
    use super::super::Eviction;
    use super::*;

    fn features(values: &[f32]) -> Tensor<2> {
        let device = Device::flex();
        Tensor::<1>::from_data(TensorData::new(values.to_vec(), [values.len()]), &device).reshape([values.len(), 1])
    }

    fn column(memory: &HostPointers) -> Vec<f32> {
        memory.features.clone().unwrap().into_data().try_to_vec().unwrap()
    }

    /// A memory of pointers at x = 0, 10 and 20: with unit 20 the threshold is 1.
    fn three() -> HostPointers {
        let mut memory = HostPointers::default();
        let at = [[0.0; 3], [10.0, 0.0, 0.0], [20.0, 0.0, 0.0]];
        memory.fuse(&at, features(&[1.0, 2.0, 3.0]), UpdateMode::Merge, 20);
        memory
    }

    #[test]
    fn first_frame_makes_one_pointer_per_patch() {
        assert_eq!(three().positions.len(), 3);
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
        let x: Vec<f32> = memory.positions.iter().map(|p| p[0]).collect();
        assert_eq!(x, [0.0, 10.1, 20.0, 5.0, 15.0]);
        let ages: Vec<_> = memory.ages.iter().map(|age| (age.born, age.updated)).collect();
        assert_eq!(ages, [(0, 0), (0, 1), (0, 0), (1, 1), (1, 1)]);
    }

    #[test]
    fn a_cap_keeps_positions_ages_and_features_together() {
        let mut memory = three();
        memory.fuse(&[[10.5, 0.0, 0.0], [30.0, 0.0, 0.0]], features(&[8.0, 9.0]), UpdateMode::Merge, 20);
        assert_eq!(memory.limit(PointerCap { pointers: 2, eviction: Eviction::Oldest }), 2);
        assert_eq!(column(&memory), [8.0, 9.0]);
        let x: Vec<f32> = memory.positions.iter().map(|p| p[0]).collect();
        assert_eq!((x, memory.ages.len(), memory.positions.len()), (vec![10.5, 30.0], 2, 2));
        assert_eq!(memory.limit(PointerCap::OFF), 0);
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

//! The pointer memory in GPU buffers. Their number is known here too: it comes with the one readback of a frame.

use std::sync::Arc;

use burn::tensor::{Device, ExecutionError, Tensor};

use super::{Eviction, Fusion, HostPointers, PointerAge, PointerCap, PointerRecord, UpdateMode};
use crate::ops::Places;
use crate::ops::wgsl::pointers::{Cap, Patches, ROW, Rules, Updated, update};
use crate::ops::wgsl::{Buffer, Variant};

/// Told from what an earlier frame may have left in the same buffer.
const STAMP: u32 = 0x5033_0000;

/// Positions, ages and features of all pointers.
#[derive(Debug, Clone)]
pub(crate) struct DevicePointers {
    /// Frames fused so far.
    frames: u32,
    /// `None` before the first frame.
    rows: Option<Box<Rows>>,
}

#[derive(Debug, Clone)]
struct Rows {
    count: usize,
    /// `[count, ROW]`, with room behind.
    places: Buffer,
    /// `[count, width]`, with room behind.
    features: Buffer,
    width: usize,
}

/// A frame that the GPU is taking in.
#[derive(Debug)]
pub(crate) struct Pending {
    before: DevicePointers,
    updated: Updated,
    stamp: u32,
    patches: usize,
    width: usize,
}

/// What a frame's readback says.
#[derive(Debug)]
pub(crate) struct Counted {
    /// Raw pose.
    pub(crate) pose: [f32; 7],
    /// Patches that became pointers.
    pub(crate) added: usize,
    /// Pointers that went because of the cap.
    pub(crate) evicted: usize,
    /// The memory after the frame.
    pub(crate) after: DevicePointers,
}

impl DevicePointers {
    /// `pointers` on `device`; `None` where the kernels do not run or do not take features of that width.
    pub(super) fn uploaded(pointers: &HostPointers, device: &Device, width: usize) -> Option<Self> {
        Variant::of(device).filter(|_| width.is_multiple_of(4))?;
        let frames = pointers.frames;
        let Some(features) = pointers.features.clone().filter(|_| !pointers.positions.is_empty()) else {
            return Some(Self { frames, rows: None });
        };
        let row = |(at, age): (&[f32; 3], &PointerAge)| {
            let [x, y, z] = at.map(f32::to_bits);
            [x, y, z, age.born, age.updated]
        };
        let words: Vec<u32> = pointers.positions.iter().zip(&pointers.ages).flat_map(row).collect();
        let features = Buffer::of(features)?;
        let places = features.words_beside(&words);
        Some(Self { frames, rows: Some(Box::new(Rows { count: pointers.positions.len(), places, features, width })) })
    }

    pub(super) fn len(&self) -> usize {
        self.rows.as_ref().map_or(0, |rows| rows.count)
    }

    pub(super) fn features(&self) -> Option<Tensor<2>> {
        self.rows.as_ref().map(|rows| rows.features.first_rows(rows.count, rows.width).tensor())
    }

    pub(super) fn list(&self) -> PointerList {
        match &self.rows {
            Some(rows) => PointerList(List::Device(Box::new(rows.places.first_rows(rows.count, ROW)))),
            None => PointerList::default(),
        }
    }

    pub(super) fn places(&self) -> Places {
        match &self.rows {
            Some(rows) => Places::Device { buffer: Box::new(rows.places.clone()), count: rows.count, row: ROW },
            None => Places::Host(Vec::new()),
        }
    }

    /// Has the GPU take in a frame: means `[patches, 3]` and features `[patches, width]` of its patches, and the raw
    /// pose that is to be read back with the counts. The memory itself does not change.
    pub(crate) fn fuse(
        &self,
        [means, features, pose]: [&Buffer; 3],
        [patches, width]: [usize; 2],
        (mode, merge_unit): (UpdateMode, usize),
        cap: PointerCap,
    ) -> Pending {
        let patch = Patches { means, features, pose, count: patches, channels: width };
        let stamp = STAMP ^ self.frames;
        let rules = Rules {
            merge_unit: (mode == UpdateMode::Merge).then_some(merge_unit),
            frame: self.frames,
            stamp,
            cap: (cap.pointers > 0).then_some(Cap {
                pointers: cap.pointers,
                oldest: match cap.eviction {
                    Eviction::Oldest => true,
                    Eviction::Redundant => false,
                },
            }),
        };
        let old = self.rows.as_ref().map(|rows| (&rows.places, &rows.features, rows.count));
        Pending { before: self.clone(), updated: update(old, patch, rules), stamp, patches, width }
    }
}

impl Pending {
    /// The frame's one readback. `None`: some number is not finite, or the GPU has not done its work.
    ///
    /// # Errors
    /// When the device is lost.
    pub(crate) async fn counted(&self) -> Result<Option<Counted>, ExecutionError> {
        let words = self.updated.status.read_words().await?;
        let Some(([pose @ .., count, added, evicted, finite, stamp], _)) = words.split_first_chunk::<12>() else {
            return Ok(None);
        };
        let [count, added, evicted] = [*count, *added, *evicted].map(|n| n as usize);
        let whole = *finite == 1 && *stamp == self.stamp && added <= self.patches;
        if !whole || count != self.before.len() + added || evicted > count {
            return Ok(None);
        }
        let rows = Rows {
            count: count - evicted,
            places: self.updated.places.clone(),
            features: self.updated.features.clone(),
            width: self.width,
        };
        let after = DevicePointers { frames: self.before.frames + 1, rows: Some(Box::new(rows)) };
        Ok(Some(Counted { pose: pose.map(f32::from_bits), added, evicted, after }))
    }

    /// What every patch did: read only where somebody compares decisions.
    ///
    /// # Errors
    /// When the device is lost.
    pub(crate) async fn fusion(&self, (mode, merge_unit): (UpdateMode, usize)) -> Result<Fusion, ExecutionError> {
        let words = self.updated.found.read_words().await?;
        let (pairs, _) = words.as_chunks::<2>();
        let Some(([diagonal, _], patches)) = pairs.split_last() else { return Ok(Fusion::default()) };
        let added = patches.iter().map(|[row, _]| row >> 31 != 0).collect();
        if self.before.len() == 0 || mode == UpdateMode::Concatenate {
            return Ok(Fusion { added, ..Fusion::default() });
        }
        let nearest = |[row, distance]: &[u32; 2]| ((row & 0x7fff_ffff) as usize, f32::from_bits(*distance).sqrt());
        #[expect(clippy::cast_precision_loss, reason = "a small divisor")]
        let threshold = f32::from_bits(*diagonal).sqrt() / merge_unit as f32;
        Ok(Fusion { threshold, nearest: patches.iter().map(nearest).collect(), added })
    }
}

/// Positions and ages of all pointers: here, or on the GPU until they are asked for.
#[derive(Debug, Clone, Default)]
pub struct PointerList(List);

#[derive(Debug, Clone)]
enum List {
    Host(Arc<[PointerRecord]>),
    Device(Box<Buffer>),
}

impl Default for List {
    fn default() -> Self {
        Self::Host(Arc::default())
    }
}

impl PointerList {
    pub(super) fn of_host(positions: &[[f32; 3]], ages: &[PointerAge]) -> Self {
        let record = |(position, age): (&[f32; 3], &PointerAge)| PointerRecord {
            position: *position,
            born: age.born,
            updated: age.updated,
        };
        Self(List::Host(positions.iter().zip(ages).map(record).collect()))
    }

    /// The pointers, where they need not be read from a GPU.
    #[must_use]
    pub fn known(&self) -> Option<&Arc<[PointerRecord]>> {
        match &self.0 {
            List::Host(records) => Some(records),
            List::Device(_) => None,
        }
    }

    /// The pointers in memory order.
    ///
    /// # Errors
    /// When the device they are on is lost.
    pub async fn read(&self) -> Result<Arc<[PointerRecord]>, ExecutionError> {
        let places = match &self.0 {
            List::Host(records) => return Ok(records.clone()),
            List::Device(places) => places,
        };
        let words = places.read_words().await?;
        let record = |[x, y, z, born, updated]: &[u32; ROW]| PointerRecord {
            position: [*x, *y, *z].map(f32::from_bits),
            born: *born,
            updated: *updated,
        };
        Ok(words.as_chunks::<ROW>().0.iter().map(record).collect())
    }
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use burn::tensor::TensorData;

    use super::*;
    use crate::memory::host::HostPointers;
    use crate::ops::wgsl::tests::{gpu, random, upload, worst};

    const WIDTH: usize = 12;
    const UNIT: usize = 20;

    /// Positions and features of one frame, and what is done with them.
    struct Frame {
        at: Vec<[f32; 3]>,
        features: Vec<f32>,
        mode: UpdateMode,
        cap: PointerCap,
    }

    fn frame(at: Vec<[f32; 3]>, seed: u32) -> Frame {
        let features = random(at.len() * WIDTH, seed);
        Frame { at, features, mode: UpdateMode::Merge, cap: PointerCap::OFF }
    }

    fn scattered(patches: usize, seed: u32, spread: f32) -> Frame {
        let at = random(3 * patches, seed);
        frame(at.as_chunks().0.iter().map(|p: &[f32; 3]| p.map(|v| v * spread)).collect(), seed + 1)
    }

    /// Runs the same frames on the host and on the GPU and compares everything after each.
    fn alike(frames: &[Frame]) {
        let Some(device) = gpu() else { return };
        let flex = Device::flex();
        let mut host = HostPointers::default();
        let mut on_gpu = DevicePointers::uploaded(&host, &device, WIDTH).unwrap();
        for (i, Frame { at, features, mode, cap }) in frames.iter().enumerate() {
            let tensor = TensorData::new(features.clone(), [at.len(), WIDTH]);
            let before = host.positions.len();
            let expected = host.fuse(at, Tensor::from_data(tensor, &flex), *mode, UNIT);
            let total = host.positions.len();
            let evicted = host.limit(*cap);

            let pose: Vec<f32> = (0..7).map(|j| j as f32 + i as f32 / 8.0).collect();
            let inputs = [&upload(at.as_flattened(), &device), &upload(features, &device), &upload(&pose, &device)];
            let earlier = pollster::block_on(on_gpu.list().read()).unwrap();
            let pending = on_gpu.fuse(inputs, [at.len(), WIDTH], (*mode, UNIT), *cap);
            let counted = pollster::block_on(pending.counted()).unwrap().unwrap();
            assert_eq!(counted.pose.to_vec(), pose);
            assert_eq!((counted.added, counted.evicted), (total - before, evicted), "frame {i}");

            let found = pollster::block_on(pending.fusion((*mode, UNIT))).unwrap();
            assert_eq!(found.added, expected.added, "frame {i}");
            let rows = |fusion: &Fusion| fusion.nearest.iter().map(|(row, _)| *row).collect::<Vec<_>>();
            assert_eq!(rows(&found), rows(&expected), "frame {i}");
            assert!((found.threshold - expected.threshold).abs() <= 1e-6 * expected.threshold);

            assert_eq!(pollster::block_on(on_gpu.list().read()).unwrap(), earlier, "the memory before is untouched");
            on_gpu = counted.after;
            assert_eq!(on_gpu.len(), host.positions.len());
            let list = pollster::block_on(on_gpu.list().read()).unwrap();
            for ((record, position), age) in list.iter().zip(&host.positions).zip(&host.ages) {
                assert!(worst(&record.position, position) < 1e-5, "frame {i}: {record:?} {position:?}");
                assert_eq!((record.born, record.updated), (age.born, age.updated), "frame {i}");
            }
            let values = |t: Option<Tensor<2>>| t.unwrap().into_data().try_to_vec::<f32>().unwrap();
            assert!(worst(&values(on_gpu.features()), &values(host.features.clone())) < 1e-6, "frame {i}");
        }
    }

    #[test]
    fn random_frames_of_any_size_are_fused_as_on_the_host() {
        for (seed, sizes) in [[1, 1, 2, 1, 64], [70, 33, 100, 1, 65], [196, 196, 196, 63, 128], [300, 7, 64, 12, 500]]
            .into_iter()
            .enumerate()
        {
            let spread = [2.0, 0.3, 5.0, 100.0][seed];
            let frames: Vec<_> =
                sizes.into_iter().enumerate().map(|(i, n)| scattered(n, (seed * 10 + i) as u32 + 3, spread)).collect();
            alike(&frames);
        }
    }

    #[test]
    fn both_policies_evict_the_same_pointers_as_on_the_host() {
        for eviction in [Eviction::Oldest, Eviction::Redundant] {
            for pointers in [1, 64, 90] {
                let cap = PointerCap { pointers, eviction };
                let sizes = [70, 33, 100, 1, 65, 200].into_iter().enumerate();
                alike(&sizes.map(|(i, n)| Frame { cap, ..scattered(n, i as u32 + 50, 2.0) }).collect::<Vec<_>>());
            }
        }
    }

    #[test]
    fn a_frame_that_reaches_the_cap_exactly_evicts_nothing() {
        let cap = PointerCap { pointers: 100, eviction: Eviction::Oldest };
        let frames = [(60, 1), (40, 2), (1, 3)];
        alike(&frames.map(|(n, seed)| Frame { cap, mode: UpdateMode::Concatenate, ..scattered(n, seed, 2.0) }));
    }

    #[test]
    fn ties_go_to_the_lower_row_and_a_patch_at_the_threshold_is_appended() {
        let line = |x: &[f32]| x.iter().map(|x| [*x, 0.0, 0.0]).collect::<Vec<_>>();
        // Unit 20 over a length of 20: the threshold is 1. 5 lies between two pointers, 11 exactly one away.
        alike(&[
            frame(line(&[0.0, 10.0, 20.0, 4.5, 5.5, 4.5]), 1),
            frame(line(&[5.0, 11.0, 9.5, 10.5, 10.25, 5.0]), 2),
            frame(line(&[3.0, 3.0, 3.0]), 3),
        ]);
    }

    #[test]
    fn coinciding_points_have_no_threshold_and_are_all_appended() {
        alike(&[frame(vec![[1.0; 3]; 65], 1), frame(vec![[1.0; 3]; 3], 2)]);
    }

    #[test]
    fn concatenation_appends_every_patch() {
        alike(&[1, 2].map(|seed| Frame { mode: UpdateMode::Concatenate, ..scattered(65, seed, 1.0) }));
    }

    #[test]
    fn a_frame_with_a_number_that_is_not_finite_is_told_apart() {
        let Some(device) = gpu() else { return };
        let start = DevicePointers::uploaded(&HostPointers::default(), &device, WIDTH).unwrap();
        for (broken, pose) in [(f32::NAN, 0.0), (f32::INFINITY, 0.0), (0.0, f32::NAN), (0.0, f32::NEG_INFINITY)] {
            let mut at = vec![1.0; 65 * 3];
            at[64 * 3 + 1] = broken;
            let inputs = [
                &upload(&at, &device),
                &upload(&[0.0; 65 * WIDTH], &device),
                &upload(&[1.0, 0.0, 0.0, 0.0, 0.0, 0.0, pose], &device),
            ];
            let pending = start.fuse(inputs, [65, WIDTH], (UpdateMode::Merge, UNIT), PointerCap::OFF);
            let counted = pollster::block_on(pending.counted()).unwrap();
            assert_eq!(counted.is_none(), !broken.is_finite() || !pose.is_finite(), "{broken} {pose}");
        }
    }
}

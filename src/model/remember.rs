//! The end of a frame: its patches enter the pointer memory, and the one readback says what came of it.

use burn::tensor::Tensor;

use super::error::ModelError;
use super::prediction::PointerStats;
use super::probe::Probe;
use super::step::{Geometry, Point3r, State};
use crate::memory::{DevicePointers, Fusion, HostPointers, PointerMemory, Ready};
use crate::ops::Places;
use crate::ops::wgsl::Buffer;

/// What a frame leaves behind.
pub(super) struct Remembered {
    /// Raw pose.
    pub(super) pose: [f32; 7],
    pub(super) memory: PointerMemory,
    /// Where the frame's patches lie.
    pub(super) patches: Places,
    pub(super) pointers: PointerStats,
    /// What every patch did; on a GPU only where a probe asks for it.
    pub(super) fusion: Fusion,
}

impl Point3r {
    /// The memory after a frame. `means` `[patches, 3]`: where its patches lie; `features` `[patches, width]`: what
    /// they show.
    ///
    /// # Errors
    /// When the device fails or a number is not finite.
    pub(super) async fn remember(
        &self,
        state: &State,
        pose: Tensor<2>,
        means: Tensor<2>,
        features: Tensor<2>,
        probe: &mut Probe,
    ) -> Result<Remembered, ModelError> {
        let [_, width] = features.dims();
        match state.memory().ready(&features.device(), width) {
            Ready::Host(before) => self.remember_on_host(state, *before, pose, means, features, probe).await,
            Ready::Device(before) => self.remember_on_device(state, &before, [means, features, pose], probe).await,
        }
    }

    async fn remember_on_device(
        &self,
        state: &State,
        before: &DevicePointers,
        [means, features, pose]: [Tensor<2>; 3],
        probe: &mut Probe,
    ) -> Result<Remembered, ModelError> {
        let size @ [patches, _] = features.dims();
        let rule = (self.options().update, self.config().merge_len_unit);
        let gone = || ModelError::Device("a tensor is not where the network computes".into());
        let [means, features, pose] = [means, features, pose].map(Buffer::of);
        let means = means.ok_or_else(gone)?;
        let inputs = [&means, &features.ok_or_else(gone)?, &pose.ok_or_else(gone)?];
        let pending = before.fuse(inputs, size, rule, state.cap());
        let counted = pending.counted().await?.ok_or(ModelError::NotFinite)?;
        let memory = PointerMemory::of_device(counted.after);
        let mut fusion = Fusion::default();
        if probe.is_on() {
            fusion = pending.fusion(rule).await?;
            if let Some(features) = memory.features() {
                probe.record("ptr_feat", &features);
            }
        }
        let (total, added, evicted) = (memory.len(), counted.added, counted.evicted);
        Ok(Remembered {
            pose: counted.pose,
            memory,
            patches: Places::Device { buffer: Box::new(means), count: patches, row: 3 },
            pointers: PointerStats { total, added, merged: patches - added, evicted },
            fusion,
        })
    }

    async fn remember_on_host(
        &self,
        state: &State,
        mut before: HostPointers,
        pose: Tensor<2>,
        means: Tensor<2>,
        features: Tensor<2>,
        probe: &mut Probe,
    ) -> Result<Remembered, ModelError> {
        let small = Tensor::cat(vec![pose.reshape([-1]), means.reshape([-1])], 0);
        let values =
            small.into_data_async().await?.try_into_vec::<f32>().map_err(|e| ModelError::Device(format!("{e:?}")))?;
        if !values.iter().all(|v| v.is_finite()) {
            return Err(ModelError::NotFinite);
        }
        let (pose, means) = values.split_first_chunk::<7>().ok_or_else(|| ModelError::Device("short read".into()))?;
        let patches = means.as_chunks::<3>().0.to_vec();
        let fusion = before.fuse(&patches, features, self.options().update, self.config().merge_len_unit);
        if let Some(features) = &before.features {
            probe.record("ptr_feat", features);
        }
        let evicted = before.limit(state.cap());
        let added = fusion.added.iter().filter(|a| **a).count();
        let memory = PointerMemory::of_host(before);
        let pointers = PointerStats { total: memory.len(), added, merged: patches.len() - added, evicted };
        Ok(Remembered { pose: *pose, memory, patches: Places::Host(patches), pointers, fusion })
    }
}

impl State {
    /// A state as after a frame that left these patches (`warm_up`).
    pub(super) fn remembering(mut self, positions: &[[f32; 3]], features: Tensor<2>, geometry: Geometry) -> Self {
        self.frames += 1;
        self.memory = PointerMemory::new(positions, features);
        self.previous_patches = Places::Host(positions.to_vec());
        self.geometry = Some(geometry);
        self
    }
}

//! The ray-caster as WGSL compute kernels (`shaders/synth`): all frames of a scene in one submission, one readback.
//!
//! Worlds and paths are the CPU's; light, textures and the camera's own defects follow from the same random numbers.
//! [`super::render`] is the twin of it all. Several threads may render through one `RayCaster`: while the GPU works for
//! one of them, the others draw worlds and encode frames.
//!
//! ```text
//! flat -> primary -> illuminate -> smooth -> resolve -> exposure -> blur -> tone -> compression -> readback
//!         passes.rs                                     develop.rs                                 slot.rs
//! ```

mod bindings;
mod develop;
mod flat;
mod passes;
mod slot;
#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::{Condvar, Mutex, PoisonError};

use super::camera::{Camera, Lens};
use super::math::Rng;
use super::{FRAME_SEED, Frame, Plan, Sequence, Settings, plan};
use crate::device::{DeviceError, Gpu, Tier};
use develop::{Developer, Development};
use flat::Flat;
use passes::Passes;
use slot::{Programs, Slot};

/// Largest buffer that is asked for if a frame fits into it, bytes.
const LARGEST_BUFFER: u64 = 512 << 20;
/// Workgroups along an axis of a dispatch, at most.
const MOST_AT_ONCE: u64 = 65_535;

/// Why a scene was not rendered.
#[derive(Debug, thiserror::Error)]
pub enum CastError {
    /// No adapter, or it failed.
    #[error("{0}; --device cpu renders without one")]
    Device(#[from] DeviceError),
    /// The image buffers of a single frame are larger than the adapter allows.
    #[error(
        "a frame of {width}x{height} needs a buffer of {needed} bytes and this adapter allows {allowed}; render smaller frames, or on the CPU"
    )]
    TooLarge {
        /// Pixels.
        width: usize,
        /// Pixels.
        height: usize,
        /// Bytes.
        needed: u64,
        /// Bytes.
        allowed: u64,
    },
}

/// Renders scenes on a GPU.
#[derive(Debug)]
pub struct RayCaster {
    gpu: Gpu,
    programs: Programs,
    slots: Mutex<Vec<Slot>>,
    returned: Condvar,
    /// Bytes that a buffer may have.
    largest_buffer: u64,
}

impl RayCaster {
    /// Scenes that are uploaded, rendered and read back at the same time, at most.
    pub const AT_ONCE: usize = 3;

    /// Opens the best adapter, even a software one.
    ///
    /// # Errors
    /// If there is none, or it does not open.
    pub fn open() -> Result<Self, CastError> {
        Ok(Self::new(pollster::block_on(Gpu::open(Gpu::instance(), None))?))
    }

    /// Prepares the passes on an open device.
    #[must_use]
    pub fn new(gpu: Gpu) -> Self {
        let programs = Programs { passes: Passes::new(&gpu.device), developer: Developer::new(&gpu.device) };
        let slots = (0..Self::AT_ONCE).map(|_| Slot::default()).collect();
        let limits = gpu.device.limits();
        let largest_buffer = limits.max_storage_buffer_binding_size.min(limits.max_buffer_size);
        Self { gpu, programs, slots: Mutex::new(slots), returned: Condvar::new(), largest_buffer }
    }

    /// The adapter's name with its API.
    #[must_use]
    pub fn name(&self) -> String {
        self.gpu.name()
    }

    /// Whether the adapter is a rasteriser on the CPU: correct, and slower than [`super::render`].
    #[must_use]
    pub fn is_software(&self) -> bool {
        self.gpu.tier == Tier::Software
    }

    /// Renders the scene of a seed. Settings must have passed `validate`.
    ///
    /// # Errors
    /// If a frame is too large for the adapter, or the device failed.
    pub fn render(&self, settings: &Settings, seed: u64) -> Result<Sequence, CastError> {
        let Plan { world, lens, cameras, sensor } = plan(settings, seed);
        let (lights, random) = random_numbers(seed, cameras.len(), sensor.draws(&lens));
        let samples = settings.quality.samples();
        let mut exposure = None;
        let mut frames = Vec::with_capacity(cameras.len());
        for part in self.parts(&lens, cameras.len())? {
            let flat = Flat::new(&world, &lens, samples, part.start, &cameras[part.clone()], &lights[part.clone()]);
            let development = Development::new(&sensor, &lens, &cameras, &random, part.clone(), exposure);
            let cameras = &cameras[part];
            exposure = self.submit(&flat, Some(&development), |read| {
                let (pixels, exposures) = read.split_at(read.len() - 4 * cameras.len());
                let parts = pixels.chunks_exact(8 * lens.width * lens.height);
                frames.extend(parts.zip(cameras).map(|(pixels, camera)| frame_of(pixels, camera)));
                bytemuck::pod_collect_to_vec(exposures).last().copied()
            })?;
        }
        let (cx, cy) = lens.centre();
        let intrinsics = [lens.focal, 0.0, cx, 0.0, lens.focal, cy, 0.0, 0.0, 1.0];
        Ok(Sequence { seed, width: lens.width, height: lens.height, intrinsics, frames })
    }

    /// Runs of frames that fit into the device's buffers.
    fn parts(&self, lens: &Lens, frames: usize) -> Result<impl Iterator<Item = Range<usize>> + use<>, CastError> {
        let (width, height, allowed) = (lens.width, lens.height, self.largest_buffer);
        let needed = slot::largest_buffer((width * height) as u64);
        if needed > allowed {
            return Err(CastError::TooLarge { width, height, needed, allowed });
        }
        let at_once = (allowed.min(LARGEST_BUFFER) / needed).clamp(1, MOST_AT_ONCE) as usize;
        Ok((0..frames).step_by(at_once).map(move |first| first..frames.min(first + at_once)))
    }

    fn submit<T>(
        &self,
        flat: &Flat,
        development: Option<&Development>,
        take: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, CastError> {
        Ok(self.lend().slot.render(&self.gpu, &self.programs, flat, development, take)?)
    }

    /// The next free slot.
    fn lend(&self) -> Lent<'_> {
        let mut slots = self.slots.lock().unwrap_or_else(PoisonError::into_inner);
        loop {
            if let Some(slot) = slots.pop() {
                return Lent { caster: self, slot };
            }
            slots = self.returned.wait(slots).unwrap_or_else(PoisonError::into_inner);
        }
    }
}

/// A slot that goes back by itself.
struct Lent<'a> {
    caster: &'a RayCaster,
    slot: Slot,
}

impl Drop for Lent<'_> {
    fn drop(&mut self) {
        let slot = std::mem::take(&mut self.slot);
        self.caster.slots.lock().unwrap_or_else(PoisonError::into_inner).push(slot);
        self.caster.returned.notify_one();
    }
}

/// Seeds of the light of every frame, and where the numbers of its sensor begin: those that `super::render` draws.
fn random_numbers(seed: u64, frames: usize, draws: u64) -> (Vec<u64>, Vec<Rng>) {
    let mut r = Rng::new(seed ^ FRAME_SEED);
    let draw = |_| {
        let light = r.next();
        let sensor = r.clone();
        r.skip(draws);
        (light, sensor)
    };
    (0..frames).map(draw).unzip()
}

/// A frame from what the last pass wrote, 8 bytes per pixel: red, green, blue, motion, depth.
fn frame_of(pixels: &[u8], camera: &Camera) -> Frame {
    let (pixels, _) = pixels.as_chunks::<8>();
    Frame {
        rgb: pixels.iter().flat_map(|p| [p[0], p[1], p[2]]).collect(),
        depth: pixels.iter().map(|p| u16::from_le_bytes([p[4], p[5]])).collect(),
        pose: camera.matrix(),
        motion: pixels.iter().map(|p| p[3]).collect(),
    }
}

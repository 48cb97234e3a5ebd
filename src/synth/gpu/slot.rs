//! The image buffers of one submission, kept from scene to scene.

use std::sync::mpsc;

use super::develop::{Developer, Development, Images};
use super::flat::Flat;
use super::passes::Passes;
use crate::device::{DeviceError, Gpu};

/// Bytes per pixel of a surface, of light before and after smoothing, of an image, and of the finished frame.
const SURFACE_BYTES: u64 = 32;
const SHADE_BYTES: u64 = 48;
const IMAGE_BYTES: u64 = 16;
const FRAME_BYTES: u64 = 8;
/// Buffers hold a multiple of this number of pixels, so that images begin where bindings may.
const PIXELS: u64 = 16;

/// Bytes of the largest buffer for this many pixels.
pub(super) const fn largest_buffer(pixels: u64) -> u64 {
    pixels.next_multiple_of(PIXELS) * SHADE_BYTES
}

/// Buffers for some number of pixels and frames; none at first, and none after a failure.
#[derive(Debug, Default)]
pub(super) struct Slot(Option<Buffers>);

/// Light lies in two buffers, before and after smoothing. When it is used up, each has room for three images.
#[derive(Debug)]
struct Buffers {
    pixels: u64,
    frames: u64,
    light: [wgpu::Buffer; 2],
    groups: [wgpu::BindGroup; 2],
    exposures: wgpu::Buffer,
    readback: wgpu::Buffer,
}

impl Buffers {
    fn new(device: &wgpu::Device, passes: &Passes, pixels: u64, frames: u64) -> Self {
        let buffer = |label, size, usage| {
            device.create_buffer(&wgpu::BufferDescriptor { label: Some(label), size, usage, mapped_at_creation: false })
        };
        let storage = wgpu::BufferUsages::STORAGE;
        let shown = storage | wgpu::BufferUsages::COPY_SRC;
        let surfaces = buffer("surfaces", pixels * SURFACE_BYTES, storage);
        let light = [
            buffer("light, then images", pixels * SHADE_BYTES, shown),
            buffer("smooth light, then images", pixels * SHADE_BYTES, shown),
        ];
        let exposures = buffer("exposures", frames * 4, shown);
        let readback = buffer(
            "readback",
            pixels * IMAGE_BYTES + frames * 4,
            wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
        );
        let groups = passes.image_groups(device, &surfaces, light.each_ref());
        Self { pixels, frames, light, groups, exposures, readback }
    }
}

/// Compiled passes of both kinds.
#[derive(Debug)]
pub(super) struct Programs {
    pub(super) passes: Passes,
    pub(super) developer: Developer,
}

impl Slot {
    /// Renders, and hands what was rendered to `take`: without a development linear colours and z, 16 bytes per pixel;
    /// with one finished frames, 8 bytes per pixel, and the frames' exposures, 4 bytes each.
    ///
    /// # Errors
    /// What the device reported.
    pub(super) fn render<T>(
        &mut self,
        gpu: &Gpu,
        programs: &Programs,
        flat: &Flat,
        development: Option<&Development>,
        take: impl FnOnce(&[u8]) -> T,
    ) -> Result<T, DeviceError> {
        let [width, height, frames] = flat.params.size().map(u64::from);
        let pixels = width * height * frames;
        let buffers = match self.0.take() {
            Some(kept) if kept.pixels >= pixels && kept.frames >= frames => kept,
            _ => Buffers::new(&gpu.device, &programs.passes, pixels.next_multiple_of(PIXELS), frames),
        };
        let world = programs.passes.upload(&gpu.device, flat);
        let mut encoder = gpu.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        programs.passes.record(&mut encoder, &world, &buffers.groups);
        let [first, second] = &buffers.light;
        let bytes = match development {
            None => {
                encoder.copy_buffer_to_buffer(first, 0, &buffers.readback, 0, pixels * IMAGE_BYTES);
                pixels * IMAGE_BYTES
            }
            Some(development) => {
                let images = Images {
                    buffers: [first, second],
                    stride: pixels.next_multiple_of(PIXELS) * IMAGE_BYTES,
                    bytes: pixels * IMAGE_BYTES,
                    exposures: &buffers.exposures,
                };
                programs.developer.record(&gpu.device, &mut encoder, development, &images);
                let end = pixels * FRAME_BYTES;
                encoder.copy_buffer_to_buffer(second, 0, &buffers.readback, 0, end);
                encoder.copy_buffer_to_buffer(&buffers.exposures, 0, &buffers.readback, end, frames * 4);
                end + frames * 4
            }
        };
        let submission = gpu.queue.submit([encoder.finish()]);
        let (sender, mapped) = mpsc::channel();
        buffers.readback.map_async(wgpu::MapMode::Read, 0..bytes, move |result| {
            // Nobody receives if the wait below failed.
            let _ = sender.send(result);
        });
        let wait = wgpu::PollType::Wait { submission_index: Some(submission), timeout: None };
        let waited = gpu.device.poll(wait);
        if let Some(error) = gpu.events.lost().or_else(|| gpu.events.take_error()) {
            return Err(error);
        }
        let lost = |error: &dyn std::fmt::Display| DeviceError::Lost(error.to_string());
        waited.map_err(|e| lost(&e))?;
        mapped.recv().map_err(|e| lost(&e))?.map_err(|e| lost(&e))?;
        let result = {
            let view = buffers.readback.get_mapped_range(0..bytes).map_err(|e| lost(&e))?;
            take(&view)
        };
        buffers.readback.unmap();
        self.0 = Some(buffers);
        Ok(result)
    }
}

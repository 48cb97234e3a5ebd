//! A picture of the view at any size, without touching what is on screen.

use std::{
    future::poll_fn,
    sync::{Arc, Mutex, PoisonError},
    task::{Poll, Waker},
};

use super::Renderer;

/// Sides that a picture may have, pixels.
const SIDES: std::ops::RangeInclusive<u32> = 16..=4096;

/// A picture on its way back from the device.
pub struct Capture {
    device: wgpu::Device,
    buffer: wgpu::Buffer,
    size: [u32; 2],
    row: u32,
    swapped: bool,
}

/// What mapping came to, and who waits for it.
type Mapped = Arc<Mutex<(Option<Result<(), String>>, Option<Waker>)>>;

impl Renderer {
    /// Draws the view at `width` x `height` pixels, turned about its pivot by `turn` radians, as the camera stands.
    /// Sizes of points and lines grow with the height. `None` for a size that no picture has.
    pub fn capture(&mut self, width: u32, height: u32, turn: f32) -> Option<Capture> {
        if !SIDES.contains(&width) || !SIDES.contains(&height) || !turn.is_finite() {
            return None;
        }
        let (before, ratio, camera, changed) = (self.size, self.pixel_ratio, self.camera, self.changed);
        let grown = ratio * height as f32 / before[1].max(1) as f32;
        self.resize(width, height, grown);
        self.camera.yaw += turn;
        let texture = self.device.create_texture(&wgpu::TextureDescriptor {
            label: Some("capture"),
            size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
            mip_level_count: 1,
            sample_count: 1,
            dimension: wgpu::TextureDimension::D2,
            format: self.format,
            usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::COPY_SRC,
            view_formats: &[],
        });
        self.draw(&texture.create_view(&wgpu::TextureViewDescriptor::default()));
        self.resize(before[0], before[1], ratio);
        (self.camera, self.changed) = (camera, changed);

        let row = (width * 4).next_multiple_of(wgpu::COPY_BYTES_PER_ROW_ALIGNMENT);
        let buffer = self.device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("capture"),
            size: u64::from(row) * u64::from(height),
            usage: wgpu::BufferUsages::COPY_DST | wgpu::BufferUsages::MAP_READ,
            mapped_at_creation: false,
        });
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor::default());
        let layout = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(row), rows_per_image: None };
        encoder.copy_texture_to_buffer(
            texture.as_image_copy(),
            wgpu::TexelCopyBufferInfo { buffer: &buffer, layout },
            wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
        );
        self.queue.submit([encoder.finish()]);
        let swapped = matches!(self.format, wgpu::TextureFormat::Bgra8Unorm | wgpu::TextureFormat::Bgra8UnormSrgb);
        Some(Capture { device: self.device.clone(), buffer, size: [width, height], row, swapped })
    }
}

impl Capture {
    /// The picture's RGBA rows, top to bottom.
    ///
    /// # Errors
    /// What the device says when it cannot give the picture.
    pub async fn read(self) -> Result<Vec<u8>, String> {
        let mapped = Mapped::default();
        let told = mapped.clone();
        self.buffer.map_async(wgpu::MapMode::Read, .., move |result| {
            let mut state = told.lock().unwrap_or_else(PoisonError::into_inner);
            state.0 = Some(result.map_err(|error| error.to_string()));
            if let Some(waker) = state.1.take() {
                waker.wake();
            }
        });
        // In the browser the event loop does this; natively somebody has to.
        self.device.poll(wgpu::PollType::wait_indefinitely()).map_err(|error| error.to_string())?;
        poll_fn(|context| {
            let mut state = mapped.lock().unwrap_or_else(PoisonError::into_inner);
            state.1 = Some(context.waker().clone());
            state.0.take().map_or(Poll::Pending, Poll::Ready)
        })
        .await?;
        let bytes = self.buffer.get_mapped_range(..).map_err(|error| error.to_string())?;
        let [width, height] = self.size.map(|side| side as usize);
        let mut rgba = Vec::with_capacity(width * height * 4);
        for row in bytes.chunks_exact(self.row as usize).take(height) {
            for &[a, g, c, _] in row.as_chunks::<4>().0.iter().take(width) {
                rgba.extend(if self.swapped { [c, g, a, 255] } else { [a, g, c, 255] });
            }
        }
        Ok(rgba)
    }
}

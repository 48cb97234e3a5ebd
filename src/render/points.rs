//! The cloud on the GPU: fixed-size pages of packed points, filled in order.
//!
//! A frame's points (a chunk) lie wherever the last chunk ended, across pages if need be, so hundreds of frames
//! take a handful of buffers and draw calls. Chunks leave from the end (undo) or all at once (reset).

use super::{Pipeline, pipeline};

/// Bytes of one packed point: `[x, y, z]` as f32 bits, then `r | g << 8 | b << 16 | confidence code << 24`.
pub const POINT_BYTES: usize = 16;
/// Points of one page: 8 MiB.
const PAGE_POINTS: usize = (8 << 20) / POINT_BYTES;

struct Page {
    buffer: wgpu::Buffer,
    group: wgpu::BindGroup,
}

/// The points drawn.
pub(super) struct Points {
    pipeline: Pipeline,
    pages: Vec<Page>,
    /// Points of each chunk, in order.
    chunks: Vec<usize>,
    len: usize,
}

impl Points {
    pub(super) fn new(device: &wgpu::Device, view: &wgpu::BindGroupLayout, format: wgpu::TextureFormat) -> Self {
        let source = include_str!("../../shaders/points.wgsl");
        let pipeline = pipeline(device, view, format, "points", source);
        Self { pipeline, pages: Vec::new(), chunks: Vec::new(), len: 0 }
    }

    pub(super) fn chunks(&self) -> usize {
        self.chunks.len()
    }

    pub(super) fn len(&self) -> usize {
        self.len
    }

    pub(super) fn bytes(&self) -> u64 {
        (self.pages.len() * PAGE_POINTS * POINT_BYTES) as u64
    }

    /// Appends a chunk. Bytes beyond the last whole point are ignored.
    pub(super) fn push(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, points: &[u8]) {
        let count = points.len() / POINT_BYTES;
        let mut rest = &points[..count * POINT_BYTES];
        while !rest.is_empty() {
            let (page, start) = (self.len / PAGE_POINTS, self.len % PAGE_POINTS);
            if page == self.pages.len() {
                self.pages.push(self.new_page(device));
            }
            let take = rest.len().min((PAGE_POINTS - start) * POINT_BYTES);
            let (now, later) = rest.split_at(take);
            queue.write_buffer(&self.pages[page].buffer, (start * POINT_BYTES) as u64, now);
            self.len += take / POINT_BYTES;
            rest = later;
        }
        self.chunks.push(count);
    }

    /// Keeps the first `chunks` chunks and gives back the pages nobody uses.
    pub(super) fn truncate(&mut self, chunks: usize) {
        while self.chunks.len() > chunks {
            self.len -= self.chunks.pop().unwrap_or(0);
        }
        for page in self.pages.drain(self.len.div_ceil(PAGE_POINTS)..) {
            page.buffer.destroy();
        }
    }

    pub(super) fn draw(&self, pass: &mut wgpu::RenderPass<'_>) {
        pass.set_pipeline(&self.pipeline.pipeline);
        for (index, page) in self.pages.iter().enumerate() {
            let count = (self.len - index * PAGE_POINTS).min(PAGE_POINTS);
            pass.set_bind_group(1, &page.group, &[]);
            pass.draw(0..(3 * count) as u32, 0..1);
        }
    }

    fn new_page(&self, device: &wgpu::Device) -> Page {
        let buffer = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("point page"),
            size: (PAGE_POINTS * POINT_BYTES) as u64,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let group = self.pipeline.bind(device, &buffer);
        Page { buffer, group }
    }
}

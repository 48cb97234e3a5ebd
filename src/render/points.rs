//! The cloud on the GPU: fixed-size pages of packed points, filled in order.
//!
//! A frame's points (a chunk) lie wherever the last chunk ended, across pages if need be, so hundreds of frames
//! take a handful of buffers. Chunks leave from the end (undo) or all at once (reset). The flags of a point travel
//! in the two lowest bits of its x: on the GPU alone, where three units in the last place are nothing.

use std::ops::Range;

use bytemuck::{Pod, Zeroable};

use super::pipeline::{Storage, group, pipeline, storage_layout};
use crate::{cloud::Chunk, geometry::Pose};

/// Bytes of one packed point: `[x, y, z]` as f32 bits, then `r | g << 8 | b << 16 | confidence code << 24`.
pub const POINT_BYTES: usize = 16;
/// Points of one page: 8 MiB.
const PAGE_POINTS: usize = (8 << 20) / POINT_BYTES;
const FLAG_BITS: u32 = 3;

struct Page {
    buffer: wgpu::Buffer,
    group: wgpu::BindGroup,
}

/// The camera of a chunk as the shader reads it.
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
struct FrameCamera {
    eye: [f32; 3],
    unused_0: f32,
    forward: [f32; 3],
    unused_1: f32,
}

/// The points drawn.
pub(super) struct Points {
    pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
    pages: Vec<Page>,
    /// Where each chunk begins, in points; and the end of the last.
    starts: Vec<usize>,
    frames: Storage,
    frames_group: Option<wgpu::BindGroup>,
}

impl Points {
    pub(super) fn new(device: &wgpu::Device, view: &wgpu::BindGroupLayout, format: wgpu::TextureFormat) -> Self {
        let layout = storage_layout(device);
        let source = include_str!("../../shaders/points.wgsl");
        let pipeline = pipeline(device, &[view, &layout, &layout], format, true, "points", source);
        let frames = Storage::new("cameras of chunks");
        Self { pipeline, layout, pages: Vec::new(), starts: vec![0], frames, frames_group: None }
    }

    pub(super) fn chunks(&self) -> usize {
        self.starts.len() - 1
    }

    pub(super) fn len(&self) -> usize {
        self.starts.last().copied().unwrap_or(0)
    }

    pub(super) fn bytes(&self) -> u64 {
        (self.pages.len() * PAGE_POINTS * POINT_BYTES) as u64 + self.frames.bytes()
    }

    /// Appends a chunk.
    pub(super) fn push(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, chunk: &Chunk) {
        let words: Vec<[u32; 4]> = chunk
            .flagged()
            .map(|(p, flags)| {
                let [x, y, z] = p.position.map(f32::to_bits);
                [x & !FLAG_BITS | u32::from(flags) & FLAG_BITS, y, z, p.rgba]
            })
            .collect();
        let mut len = self.len();
        let mut rest = words.as_slice();
        while !rest.is_empty() {
            let (page, start) = (len / PAGE_POINTS, len % PAGE_POINTS);
            if page == self.pages.len() {
                self.pages.push(self.new_page(device));
            }
            let (now, later) = rest.split_at(rest.len().min(PAGE_POINTS - start));
            queue.write_buffer(&self.pages[page].buffer, (start * POINT_BYTES) as u64, bytemuck::cast_slice(now));
            len += now.len();
            rest = later;
        }
        self.starts.push(len);
    }

    /// Keeps the first `chunks` chunks and gives back the pages nobody uses.
    pub(super) fn truncate(&mut self, chunks: usize) {
        self.starts.truncate(chunks + 1);
        let needed = self.len().div_ceil(PAGE_POINTS);
        for page in self.pages.drain(needed..) {
            page.buffer.destroy();
        }
    }

    /// Tells which camera saw which chunk.
    pub(super) fn set_cameras(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        poses: impl Iterator<Item = Pose>,
    ) {
        let camera = |pose: Pose| {
            let r = pose.rotation_matrix();
            FrameCamera { eye: pose.translation, unused_0: 0.0, forward: [r[0][2], r[1][2], r[2][2]], unused_1: 0.0 }
        };
        let mut cameras: Vec<FrameCamera> = poses.map(camera).collect();
        // A buffer must hold something, and points without a camera are seen from the world's origin.
        cameras.push(camera(Pose::IDENTITY));
        if self.frames.set(device, queue, bytemuck::cast_slice(&cameras))
            && let Some(buffer) = self.frames.buffer()
        {
            self.frames_group = Some(group(device, &self.layout, &[buffer.as_entire_binding()]));
        }
    }

    /// Draws the chunks of `shown`; one call per chunk and page where `by_chunk` says that the shader wants to know
    /// the chunk, else one per page.
    pub(super) fn draw(&self, pass: &mut wgpu::RenderPass<'_>, shown: Range<usize>, by_chunk: bool) {
        let Some(frames) = &self.frames_group else { return };
        let shown = shown.start.min(self.chunks())..shown.end.min(self.chunks());
        if shown.is_empty() {
            return;
        }
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(2, frames, &[]);
        for (index, page) in self.pages.iter().enumerate() {
            let (from, to) = (index * PAGE_POINTS, (index + 1) * PAGE_POINTS);
            let mut bound = false;
            let mut draw = |chunk: usize, start: usize, end: usize| {
                let (start, end) = (start.max(from), end.min(to));
                if start < end {
                    if !bound {
                        pass.set_bind_group(1, &page.group, &[]);
                        bound = true;
                    }
                    let vertices = (3 * (start - from)) as u32..(3 * (end - from)) as u32;
                    pass.draw(vertices, chunk as u32..chunk as u32 + 1);
                }
            };
            if by_chunk {
                for chunk in shown.clone() {
                    draw(chunk, self.starts[chunk], self.starts[chunk + 1]);
                }
            } else {
                draw(0, self.starts[shown.start], self.starts[shown.end]);
            }
        }
    }

    fn new_page(&self, device: &wgpu::Device) -> Page {
        let buffer = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("point page"),
            size: (PAGE_POINTS * POINT_BYTES) as u64,
            usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let group = group(device, &self.layout, &[buffer.as_entire_binding()]);
        Page { buffer, group }
    }
}

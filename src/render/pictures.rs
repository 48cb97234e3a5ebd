//! The frames' pictures in their frusta: thumbnails in one atlas of bounded size.

use std::{
    ops::Range,
    sync::{Arc, Weak},
};

use bytemuck::{Pod, Zeroable};

use super::{
    frusta::{FrameView, MOST_FRUSTA, drawn},
    pipeline::{Storage, group, layout, pipeline},
};
use crate::keyframes::KeyframeMaps;

/// Side of a thumbnail's cell, pixels; a row of the atlas has so many cells that all fit.
const CELL: u32 = 96;
const CELLS_ACROSS: u32 = 16;
const ATLAS: u32 = CELL * CELLS_ACROSS;

/// One picture as the shader reads it.
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
struct Quad {
    corner: [f32; 3],
    left: f32,
    right: [f32; 3],
    top: f32,
    down: [f32; 3],
    width: f32,
    height: f32,
    unused: [f32; 3],
}

/// Pictures on the GPU.
pub(super) struct Pictures {
    pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
    sampler: wgpu::Sampler,
    atlas: Option<wgpu::Texture>,
    /// What each cell shows; that must not keep maps which the keyframes have let go of.
    cells: Vec<Weak<KeyframeMaps>>,
    quads: Storage,
    group: Option<wgpu::BindGroup>,
    len: usize,
}

impl Pictures {
    pub(super) fn new(device: &wgpu::Device, view: &wgpu::BindGroupLayout, format: wgpu::TextureFormat) -> Self {
        let layout = layout(
            device,
            &[
                wgpu::BindingType::Buffer {
                    ty: wgpu::BufferBindingType::Storage { read_only: true },
                    has_dynamic_offset: false,
                    min_binding_size: None,
                },
                wgpu::BindingType::Texture {
                    sample_type: wgpu::TextureSampleType::Float { filterable: true },
                    view_dimension: wgpu::TextureViewDimension::D2,
                    multisampled: false,
                },
                wgpu::BindingType::Sampler(wgpu::SamplerBindingType::Filtering),
            ],
        );
        let source = include_str!("../../shaders/pictures.wgsl");
        let pipeline = pipeline(device, &[view, &layout], format, true, "pictures", source);
        let sampler = device.create_sampler(&wgpu::SamplerDescriptor {
            mag_filter: wgpu::FilterMode::Linear,
            min_filter: wgpu::FilterMode::Linear,
            ..Default::default()
        });
        let quads = Storage::new("pictures");
        Self { pipeline, layout, sampler, atlas: None, cells: Vec::new(), quads, group: None, len: 0 }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.quads.bytes() + self.atlas.as_ref().map_or(0, |_| u64::from(ATLAS) * u64::from(ATLAS) * 4)
    }

    /// Shows the pictures of the frames of `shown`, in frusta of depth `size`. Without frames the atlas is let go of.
    pub(super) fn set(
        &mut self,
        device: &wgpu::Device,
        queue: &wgpu::Queue,
        frames: &[FrameView],
        shown: Range<usize>,
        size: f32,
    ) {
        let shown = shown.start.min(frames.len())..shown.end.min(frames.len());
        self.len = 0;
        if shown.is_empty() {
            self.atlas = None;
            self.group = None;
            self.cells.clear();
            return;
        }
        let mut renewed = self.atlas.is_none();
        let atlas = self.atlas.get_or_insert_with(|| new_atlas(device)).clone();
        let mut quads = Vec::new();
        self.cells.resize(MOST_FRUSTA, Weak::new());
        for (cell, frame) in drawn(shown).filter_map(|i| frames.get(i)).enumerate().take(MOST_FRUSTA) {
            let Some(maps) = frame.maps.as_ref().filter(|_| frame.pose.is_finite()) else { continue };
            let place = [cell as u32 % CELLS_ACROSS, cell as u32 / CELLS_ACROSS].map(|i| i * CELL);
            let [width, height] = thumbnail_size(maps.width, maps.height);
            let known = &mut self.cells[cell];
            if !std::ptr::eq(known.as_ptr(), Arc::as_ptr(maps)) {
                write_cell(queue, &atlas, place, [width, height], &thumbnail(maps, width, height));
                *known = Arc::downgrade(maps);
            }
            let [a, b, _, d] = frame.corners(size);
            let minus = |p: [f32; 3]| std::array::from_fn(|i| p[i] - a[i]);
            // Half a pixel inside: filtering must not reach into the neighbouring cell.
            let share = |pixels: f32| pixels / ATLAS as f32;
            quads.push(Quad {
                corner: a,
                left: share(place[0] as f32 + 0.5),
                right: minus(b),
                top: share(place[1] as f32 + 0.5),
                down: minus(d),
                width: share(width as f32 - 1.0),
                height: share(height as f32 - 1.0),
                unused: [0.0; 3],
            });
        }
        self.len = quads.len();
        renewed |= self.quads.set(device, queue, bytemuck::cast_slice(&quads));
        if renewed && let Some(buffer) = self.quads.buffer() {
            let view = atlas.create_view(&wgpu::TextureViewDescriptor::default());
            let resources = [
                buffer.as_entire_binding(),
                wgpu::BindingResource::TextureView(&view),
                wgpu::BindingResource::Sampler(&self.sampler),
            ];
            self.group = Some(group(device, &self.layout, &resources));
        }
    }

    pub(super) fn draw(&self, pass: &mut wgpu::RenderPass<'_>) {
        let Some(group) = self.group.as_ref().filter(|_| self.len > 0) else { return };
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(1, group, &[]);
        pass.draw(0..(6 * self.len) as u32, 0..1);
    }
}

fn new_atlas(device: &wgpu::Device) -> wgpu::Texture {
    device.create_texture(&wgpu::TextureDescriptor {
        label: Some("thumbnails"),
        size: wgpu::Extent3d { width: ATLAS, height: ATLAS, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format: wgpu::TextureFormat::Rgba8Unorm,
        usage: wgpu::TextureUsages::COPY_DST | wgpu::TextureUsages::TEXTURE_BINDING,
        view_formats: &[],
    })
}

fn write_cell(queue: &wgpu::Queue, atlas: &wgpu::Texture, [x, y]: [u32; 2], [width, height]: [u32; 2], rgba: &[u8]) {
    let origin = wgpu::Origin3d { x, y, z: 0 };
    let at = wgpu::TexelCopyTextureInfo { texture: atlas, mip_level: 0, origin, aspect: wgpu::TextureAspect::All };
    let rows = wgpu::TexelCopyBufferLayout { offset: 0, bytes_per_row: Some(width * 4), rows_per_image: None };
    queue.write_texture(at, rgba, rows, wgpu::Extent3d { width, height, depth_or_array_layers: 1 });
}

/// The picture's size, at most that of a cell.
fn thumbnail_size(width: usize, height: usize) -> [u32; 2] {
    let longest = width.max(height).max(1);
    [width, height].map(|side| ((side * CELL as usize).div_ceil(longest) as u32).clamp(2, CELL))
}

/// The picture, smaller: each pixel the mean of those it stands for. RGBA.
fn thumbnail(maps: &KeyframeMaps, width: u32, height: u32) -> Vec<u8> {
    let mut rgba = Vec::with_capacity((width * height * 4) as usize);
    let span = |i: u32, of: u32, side: usize| {
        let start = i as usize * side / of as usize;
        start..((i as usize + 1) * side / of as usize).max(start + 1).min(side)
    };
    for y in 0..height {
        for x in 0..width {
            let mut sum = [0u32; 3];
            let mut count = 0;
            for row in span(y, height, maps.height) {
                for column in span(x, width, maps.width) {
                    let at = 3 * (row * maps.width + column);
                    for (sum, value) in sum.iter_mut().zip(maps.rgb.get(at..at + 3).unwrap_or_default()) {
                        *sum += u32::from(*value);
                    }
                    count += 1;
                }
            }
            rgba.extend(sum.map(|s| u8::try_from(s / count.max(1)).unwrap_or(u8::MAX)));
            rgba.push(u8::MAX);
        }
    }
    rgba
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::preprocess::RgbImage;

    #[test]
    fn thumbnails_keep_the_shape_and_the_mean() {
        assert_eq!(thumbnail_size(640, 480), [96, 72]);
        assert_eq!(thumbnail_size(100, 400), [24, 96]);
        assert_eq!(thumbnail_size(0, 0), [2, 2]);
        let image = RgbImage { width: 4, height: 2, rgb: (0..8).flat_map(|i| [i * 10, 100, 0]).collect() };
        let maps = KeyframeMaps::new(&image, std::iter::repeat_n(1.0, 8), &[1.0; 8]);
        assert_eq!(thumbnail(&maps, 2, 1), [25, 100, 0, 255, 45, 100, 0, 255]);
        assert_eq!(thumbnail(&maps, 8, 4).len(), 8 * 4 * 4, "small pictures are enlarged");
    }
}

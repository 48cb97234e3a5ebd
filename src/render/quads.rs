//! Six vertices per element of a storage buffer: how lines and diamonds are drawn, each by a shader of its own.

use bytemuck::Pod;

use super::pipeline::{Storage, group, pipeline, storage_layout};

/// Elements on the GPU and the pipeline that makes a quad of each.
pub(super) struct Quads {
    pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
    elements: Storage,
    group: Option<wgpu::BindGroup>,
    len: usize,
}

impl Quads {
    /// `source` reads the view at group 0 and the elements at group 1; `name` is for people.
    pub(super) fn new(
        device: &wgpu::Device,
        view: &wgpu::BindGroupLayout,
        format: wgpu::TextureFormat,
        name: &'static str,
        source: &str,
    ) -> Self {
        let layout = storage_layout(device);
        let pipeline = pipeline(device, &[view, &layout], format, true, name, source);
        Self { pipeline, layout, elements: Storage::new(name), group: None, len: 0 }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.elements.bytes()
    }

    /// Replaces everything.
    pub(super) fn set<T: Pod>(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, elements: &[T]) {
        self.len = elements.len();
        if self.elements.set(device, queue, bytemuck::cast_slice(elements))
            && let Some(buffer) = self.elements.buffer()
        {
            self.group = Some(group(device, &self.layout, &[buffer.as_entire_binding()]));
        }
    }

    pub(super) fn draw(&self, pass: &mut wgpu::RenderPass<'_>) {
        let Some(group) = self.group.as_ref().filter(|_| self.len > 0) else { return };
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(1, group, &[]);
        pass.draw(0..(6 * self.len) as u32, 0..1);
    }
}

//! Eye-dome lighting: the points drawn off screen, then shaded by the steps of their depth. Needs nothing that a
//! software adapter lacks.

use super::pipeline::{DEPTH, group, layout, pipeline};

/// The pass, with the colours it reads.
pub(super) struct EyeDome {
    pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
    format: wgpu::TextureFormat,
    colour: Option<wgpu::Texture>,
}

impl EyeDome {
    pub(super) fn new(device: &wgpu::Device, view: &wgpu::BindGroupLayout, format: wgpu::TextureFormat) -> Self {
        let texture = |sample_type| wgpu::BindingType::Texture {
            sample_type,
            view_dimension: wgpu::TextureViewDimension::D2,
            multisampled: false,
        };
        let colour = texture(wgpu::TextureSampleType::Float { filterable: false });
        let layout = layout(device, &[colour, texture(wgpu::TextureSampleType::Depth)]);
        let source = include_str!("../../shaders/eyedome.wgsl");
        let pipeline = pipeline(device, &[view, &layout], format, false, "eye-dome lighting", source);
        Self { pipeline, layout, format, colour: None }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.colour.as_ref().map_or(0, |t| u64::from(t.width()) * u64::from(t.height()) * 4)
    }

    /// Gives the texture back: it is not needed.
    pub(super) fn rest(&mut self) {
        if let Some(texture) = self.colour.take() {
            texture.destroy();
        }
    }

    /// Where the points are to be drawn.
    pub(super) fn colour_view(&mut self, device: &wgpu::Device, size: [u32; 2]) -> wgpu::TextureView {
        let texture = fitting(device, self.colour.take(), size, self.format);
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        self.colour = Some(texture);
        view
    }

    pub(super) fn draw(
        &self,
        device: &wgpu::Device,
        pass: &mut wgpu::RenderPass<'_>,
        colour: &wgpu::TextureView,
        depth: &wgpu::TextureView,
    ) {
        let resources = [colour, depth].map(wgpu::BindingResource::TextureView);
        let group = group(device, &self.layout, &resources);
        pass.set_pipeline(&self.pipeline);
        pass.set_bind_group(1, &group, &[]);
        pass.draw(0..3, 0..1);
    }
}

/// `texture` if it has this size, else a new one to draw into and read from.
pub(super) fn fitting(
    device: &wgpu::Device,
    texture: Option<wgpu::Texture>,
    [width, height]: [u32; 2],
    format: wgpu::TextureFormat,
) -> wgpu::Texture {
    if let Some(texture) = texture {
        if [texture.width(), texture.height()] == [width, height] {
            return texture;
        }
        texture.destroy();
    }
    device.create_texture(&wgpu::TextureDescriptor {
        label: Some(if format == DEPTH { "depth" } else { "points" }),
        size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
        mip_level_count: 1,
        sample_count: 1,
        dimension: wgpu::TextureDimension::D2,
        format,
        usage: wgpu::TextureUsages::RENDER_ATTACHMENT | wgpu::TextureUsages::TEXTURE_BINDING,
        view_formats: &[],
    })
}

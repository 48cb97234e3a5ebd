//! Pipelines and bind groups, as the parts of the renderer need them.

/// Depth of every target: reversed, 1 near and 0 infinity.
pub(super) const DEPTH: wgpu::TextureFormat = wgpu::TextureFormat::Depth32Float;

/// A layout of one buffer at binding 0.
pub(super) fn buffer_layout(device: &wgpu::Device, ty: wgpu::BufferBindingType) -> wgpu::BindGroupLayout {
    layout(device, &[wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None }])
}

/// A layout of one storage buffer at binding 0, read only.
pub(super) fn storage_layout(device: &wgpu::Device) -> wgpu::BindGroupLayout {
    buffer_layout(device, wgpu::BufferBindingType::Storage { read_only: true })
}

/// A layout of bindings from 0 on.
pub(super) fn layout(device: &wgpu::Device, types: &[wgpu::BindingType]) -> wgpu::BindGroupLayout {
    let entry = |(binding, ty): (u32, &wgpu::BindingType)| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::VERTEX_FRAGMENT,
        ty: *ty,
        count: None,
    };
    let entries: Vec<_> = (0..).zip(types).map(entry).collect();
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries })
}

/// A group of resources at bindings from 0 on.
pub(super) fn group(
    device: &wgpu::Device,
    layout: &wgpu::BindGroupLayout,
    resources: &[wgpu::BindingResource<'_>],
) -> wgpu::BindGroup {
    let entries: Vec<_> = (0..)
        .zip(resources)
        .map(|(binding, resource)| wgpu::BindGroupEntry { binding, resource: resource.clone() })
        .collect();
    device.create_bind_group(&wgpu::BindGroupDescriptor { label: None, layout, entries: &entries })
}

/// A storage buffer that grows to hold what is put into it.
pub(super) struct Storage {
    label: &'static str,
    buffer: Option<wgpu::Buffer>,
}

impl Storage {
    pub(super) fn new(label: &'static str) -> Self {
        Self { label, buffer: None }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.buffer.as_ref().map_or(0, wgpu::Buffer::size)
    }

    pub(super) fn buffer(&self) -> Option<&wgpu::Buffer> {
        self.buffer.as_ref()
    }

    /// Replaces the content. True if it needed another buffer: bind it again.
    pub(super) fn set(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, content: &[u8]) -> bool {
        let needed = content.len() as u64;
        let renew = self.bytes() < needed.max(1);
        if renew {
            self.buffer = Some(device.create_buffer(&wgpu::BufferDescriptor {
                label: Some(self.label),
                size: needed.next_power_of_two().max(4096),
                usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            }));
        }
        if let (Some(buffer), false) = (&self.buffer, content.is_empty()) {
            queue.write_buffer(buffer, 0, content);
        }
        renew
    }
}

/// Builds a pipeline for `source`, a shader with entry points `vertex` and `fragment`; with `depth` it tests and
/// writes depth.
pub(super) fn pipeline(
    device: &wgpu::Device,
    layouts: &[&wgpu::BindGroupLayout],
    format: wgpu::TextureFormat,
    depth: bool,
    label: &str,
    source: &str,
) -> wgpu::RenderPipeline {
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(label),
        source: wgpu::ShaderSource::Wgsl(source.into()),
    });
    let layouts: Vec<_> = layouts.iter().map(|layout| Some(*layout)).collect();
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(label),
        bind_group_layouts: &layouts,
        immediate_size: 0,
    });
    device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some(label),
        layout: Some(&layout),
        vertex: wgpu::VertexState {
            module: &module,
            entry_point: Some("vertex"),
            compilation_options: Default::default(),
            buffers: &[],
        },
        primitive: wgpu::PrimitiveState::default(),
        depth_stencil: depth.then(|| wgpu::DepthStencilState {
            format: DEPTH,
            depth_write_enabled: Some(true),
            depth_compare: Some(wgpu::CompareFunction::Greater),
            stencil: wgpu::StencilState::default(),
            bias: wgpu::DepthBiasState::default(),
        }),
        multisample: wgpu::MultisampleState::default(),
        fragment: Some(wgpu::FragmentState {
            module: &module,
            entry_point: Some("fragment"),
            compilation_options: Default::default(),
            targets: &[Some(format.into())],
        }),
        multiview_mask: None,
        cache: None,
    })
}

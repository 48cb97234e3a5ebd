//! What all passes are made of: programs from files, layouts of buffers, buffers with content.

/// The files of a program, one text.
macro_rules! program {
    ($($file:literal),*) => {
        concat!($(include_str!(concat!("../../../shaders/synth/", $file, ".wgsl"))),*)
    };
}
pub(super) use program;

/// The pipeline of an entry point with its program.
pub(super) fn pipeline(
    device: &wgpu::Device,
    (entry, text): &(&str, &'static str),
    groups: &[&wgpu::BindGroupLayout],
) -> wgpu::ComputePipeline {
    let groups: Vec<_> = groups.iter().map(|group| Some(*group)).collect();
    let layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(entry),
        bind_group_layouts: &groups,
        immediate_size: 0,
    });
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(entry),
        source: wgpu::ShaderSource::Wgsl((*text).into()),
    });
    device.create_compute_pipeline(&wgpu::ComputePipelineDescriptor {
        label: Some(entry),
        layout: Some(&layout),
        module: &module,
        entry_point: Some(entry),
        compilation_options: wgpu::PipelineCompilationOptions::default(),
        cache: None,
    })
}

/// Buffers at bindings from 0 on.
pub(super) fn layout(device: &wgpu::Device, types: &[wgpu::BufferBindingType]) -> wgpu::BindGroupLayout {
    let entry = |(binding, ty): (u32, &wgpu::BufferBindingType)| wgpu::BindGroupLayoutEntry {
        binding,
        visibility: wgpu::ShaderStages::COMPUTE,
        ty: wgpu::BindingType::Buffer { ty: *ty, has_dynamic_offset: false, min_binding_size: None },
        count: None,
    };
    let entries: Vec<_> = (0..).zip(types).map(entry).collect();
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor { label: None, entries: &entries })
}

/// What is bound from 0 on.
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

/// Part of a buffer.
pub(super) fn part(buffer: &wgpu::Buffer, offset: u64, bytes: u64) -> wgpu::BindingResource<'_> {
    wgpu::BindingResource::Buffer(wgpu::BufferBinding { buffer, offset, size: wgpu::BufferSize::new(bytes) })
}

/// A buffer with this content; an empty one still has room for one element, as bindings need.
pub(super) fn filled(device: &wgpu::Device, content: &[u8], usage: wgpu::BufferUsages) -> wgpu::Buffer {
    const ROOM: [u8; 128] = [0; 128];
    let contents = if content.is_empty() { &ROOM } else { content };
    wgpu::util::DeviceExt::create_buffer_init(
        device,
        &wgpu::util::BufferInitDescriptor { label: None, contents, usage },
    )
}

#[cfg(test)]
#[allow(clippy::panic)]
mod tests {
    use naga::valid::{Capabilities, ValidationFlags, Validator};

    use crate::synth::gpu::{develop, passes};

    #[test]
    fn every_program_validates() {
        for (entry, text) in passes::PROGRAMS.into_iter().chain(develop::PROGRAMS) {
            let module = naga::front::wgsl::parse_str(text)
                .unwrap_or_else(|e| panic!("{entry} does not parse:\n{}", e.emit_to_string(text)));
            Validator::new(ValidationFlags::all(), Capabilities::default())
                .validate(&module)
                .unwrap_or_else(|e| panic!("{entry} is invalid:\n{}", e.emit_to_string(text)));
            assert!(module.entry_points.iter().any(|p| p.name == entry), "{entry} is not there");
        }
    }
}

//! The compute passes over all pixels of all frames: programs, what they bind, their order.

use super::bindings::{filled, group, layout, pipeline, program};
use super::flat::Flat;

/// Entry points in their order with their programs.
pub(super) const PROGRAMS: [(&str, &str); 4] = [
    ("primary", program!("scene", "noise", "solids", "trace", "primary")),
    ("illuminate", program!("scene", "noise", "solids", "trace", "light", "illuminate")),
    ("smooth_light", program!("scene", "smooth")),
    ("resolve", program!("scene", "noise", "solids", "trace", "light", "pictures", "textures", "resolve")),
];

/// Pixels per side of a workgroup.
const TILE: u32 = 8;

/// Compiled passes.
#[derive(Debug)]
pub(super) struct Passes {
    world: wgpu::BindGroupLayout,
    images: wgpu::BindGroupLayout,
    pipelines: Vec<wgpu::ComputePipeline>,
}

/// What a submission reads: one world and its frames.
pub(super) struct World {
    group: wgpu::BindGroup,
    size: [u32; 3],
}

impl Passes {
    pub(super) fn new(device: &wgpu::Device) -> Self {
        let storage = |read_only| wgpu::BufferBindingType::Storage { read_only };
        let read = storage(true);
        let world = layout(device, &[wgpu::BufferBindingType::Uniform, read, read, read, read, read]);
        let images = layout(device, &[storage(false), storage(false), storage(false)]);
        let pipelines = PROGRAMS.iter().map(|program| pipeline(device, program, &[&world, &images])).collect();
        Self { world, images, pipelines }
    }

    /// Uploads a world with its frames.
    pub(super) fn upload(&self, device: &wgpu::Device, flat: &Flat) -> World {
        let usage = wgpu::BufferUsages::STORAGE;
        let buffers = [
            filled(device, bytemuck::bytes_of(&flat.params), wgpu::BufferUsages::UNIFORM),
            filled(device, bytemuck::cast_slice(&flat.prims), usage),
            filled(device, bytemuck::cast_slice(&flat.nodes), usage),
            filled(device, bytemuck::cast_slice(&flat.materials), usage),
            filled(device, bytemuck::cast_slice(&flat.lights), usage),
            filled(device, bytemuck::cast_slice(&flat.frames), usage),
        ];
        let buffers = buffers.each_ref().map(wgpu::Buffer::as_entire_binding);
        World { group: group(device, &self.world, &buffers), size: flat.params.size() }
    }

    /// The groups of the passes over a pixel's surface and two buffers, which take turns as source and target. The last
    /// pass writes into the first of them.
    pub(super) fn image_groups(
        &self,
        device: &wgpu::Device,
        surfaces: &wgpu::Buffer,
        [a, b]: [&wgpu::Buffer; 2],
    ) -> [wgpu::BindGroup; 2] {
        let bound =
            |buffers: [&wgpu::Buffer; 3]| group(device, &self.images, &buffers.map(wgpu::Buffer::as_entire_binding));
        [bound([surfaces, b, a]), bound([surfaces, a, b])]
    }

    /// Records all passes.
    pub(super) fn record(&self, encoder: &mut wgpu::CommandEncoder, world: &World, images: &[wgpu::BindGroup; 2]) {
        let [width, height, frames] = world.size;
        let [into_a, into_b] = images;
        for (pipeline, images) in self.pipelines.iter().zip([into_a, into_a, into_b, into_a]) {
            let mut pass = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            pass.set_pipeline(pipeline);
            pass.set_bind_group(0, &world.group, &[]);
            pass.set_bind_group(1, images, &[]);
            pass.dispatch_workgroups(width.div_ceil(TILE), height.div_ceil(TILE), frames);
        }
    }
}

//! The camera's defects on the GPU: what they need, flat (the layout of `shaders/synth/sensor.wgsl`), and their passes.

use bytemuck::{Pod, Zeroable};

use super::bindings::{filled, group, layout, part, pipeline, program};
use crate::synth::camera::{Camera, Lens};
use crate::synth::math::{Rng, V3};
use crate::synth::sensor::{Sensor, cosine_basis};

/// Entry points with their programs.
pub(super) const PROGRAMS: [(&str, &str); 8] = [
    ("measure", program!("sensor", "exposure")),
    ("adapt", program!("sensor", "exposure")),
    ("motion_blur", program!("sensor", "blur")),
    ("soften", program!("sensor", "blur")),
    ("blend", program!("sensor", "blur")),
    ("tone", program!("sensor", "noise", "tone")),
    ("pack", program!("sensor", "compress")),
    ("compress", program!("sensor", "compress")),
];

#[derive(Debug, Clone, Copy)]
enum Pass {
    Measure,
    Adapt,
    MotionBlur,
    Soften,
    Blend,
    Tone,
    Pack,
    Compress,
}

#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
struct FlatSensor {
    width: u32,
    height: u32,
    frames: u32,
    focal: f32,
    centre: [f32; 2],
    wanted: f32,
    adaptation: f32,
    white: [f32; 3],
    exposure: f32,
    saturation: f32,
    vignette: f32,
    blur: f32,
    focus_distance: f32,
    focus_strength: f32,
    shutter: f32,
    noise: f32,
    row_noise: f32,
    step: f32,
    unused: [f32; 3],
}

#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
struct FlatView {
    position: [f32; 3],
    seed_low: u32,
    right: [f32; 3],
    seed_high: u32,
    down: [f32; 3],
    band: f32,
    forward: [f32; 3],
    band_step: f32,
    before: [[f32; 4]; 4],
}

impl FlatView {
    fn new(frame: usize, camera: &Camera, before: &Camera, random: &Rng) -> Self {
        let vec3 = |v: V3| [v.x, v.y, v.z];
        let vec4 = |v: V3| [v.x, v.y, v.z, 0.0];
        let state = random.state();
        let (band, band_step) = Sensor::band(frame, &mut random.clone());
        Self {
            position: vec3(camera.position),
            seed_low: state as u32,
            right: vec3(camera.right),
            seed_high: (state >> 32) as u32,
            down: vec3(camera.down),
            band,
            forward: vec3(camera.forward),
            band_step,
            before: [before.position, before.right, before.down, before.forward].map(vec4),
        }
    }
}

/// What the camera of a scene does to some of its frames.
#[derive(Debug)]
pub(super) struct Development {
    sensor: FlatSensor,
    tables: Vec<f32>,
    views: Vec<FlatView>,
}

impl Development {
    /// Of frames `part` of a scene. `random` is where each frame's random numbers begin; `exposure` that of the frame
    /// before.
    pub(super) fn new(
        sensor: &Sensor,
        lens: &Lens,
        cameras: &[Camera],
        random: &[Rng],
        part: std::ops::Range<usize>,
        exposure: Option<f32>,
    ) -> Self {
        let (cx, cy) = lens.centre();
        let (focus_distance, focus_strength) = sensor.focus.unwrap_or_default();
        let flat = FlatSensor {
            width: lens.width as u32,
            height: lens.height as u32,
            frames: part.len() as u32,
            focal: lens.focal,
            centre: [cx, cy],
            wanted: sensor.target,
            adaptation: sensor.adaptation,
            white: [sensor.white.x, sensor.white.y, sensor.white.z],
            exposure: exposure.unwrap_or(0.0),
            saturation: sensor.saturation,
            vignette: sensor.vignette,
            blur: sensor.blur,
            focus_distance,
            focus_strength,
            shutter: sensor.shutter,
            noise: sensor.noise,
            row_noise: sensor.row_noise,
            step: sensor.compression.unwrap_or(0.0),
            unused: [0.0; 3],
        };
        let view = |i: usize| FlatView::new(i, &cameras[i], &cameras[i.saturating_sub(1)], &random[i]);
        let basis = cosine_basis();
        let tables = sensor.tone.iter().chain(basis.iter().flatten()).copied().collect();
        Self { sensor: flat, tables, views: part.map(view).collect() }
    }
}

/// Six images of one submission. The first one is to be developed; `RESULT` becomes what is read.
pub(super) struct Images<'a> {
    /// Two buffers of three images each.
    pub(super) buffers: [&'a wgpu::Buffer; 2],
    /// From one image to the next, bytes.
    pub(super) stride: u64,
    /// Of an image, bytes.
    pub(super) bytes: u64,
    pub(super) exposures: &'a wgpu::Buffer,
}

/// Which image holds the result, packed in its first half; it lies at the beginning of the second buffer.
const RESULT: usize = 3;

impl Images<'_> {
    fn binding(&self, index: usize) -> wgpu::BindingResource<'_> {
        part(self.buffers[index / 3], (index % 3) as u64 * self.stride, self.bytes)
    }
}

/// Compiled passes.
#[derive(Debug)]
pub(super) struct Developer {
    sensor: wgpu::BindGroupLayout,
    images: wgpu::BindGroupLayout,
    pipelines: Vec<wgpu::ComputePipeline>,
}

impl Developer {
    pub(super) fn new(device: &wgpu::Device) -> Self {
        let storage = |read_only| wgpu::BufferBindingType::Storage { read_only };
        let sensor = layout(device, &[wgpu::BufferBindingType::Uniform, storage(true), storage(true)]);
        let images = layout(device, &[storage(false); 5]);
        let pipelines = PROGRAMS.iter().map(|program| pipeline(device, program, &[&sensor, &images])).collect();
        Self { sensor, images, pipelines }
    }

    /// Records the passes that this camera needs.
    pub(super) fn record(
        &self,
        device: &wgpu::Device,
        encoder: &mut wgpu::CommandEncoder,
        development: &Development,
        images: &Images<'_>,
    ) {
        let FlatSensor { width, height, frames, shutter, blur, focus_distance, step, .. } = development.sensor;
        let usage = wgpu::BufferUsages::STORAGE;
        let buffers = [
            filled(device, bytemuck::bytes_of(&development.sensor), wgpu::BufferUsages::UNIFORM),
            filled(device, bytemuck::cast_slice(&development.tables), usage),
            filled(device, bytemuck::cast_slice(&development.views), usage),
        ];
        let sensor = group(device, &self.sensor, &buffers.each_ref().map(wgpu::Buffer::as_entire_binding));
        let tiles = |side: u32| [width.div_ceil(side), height.div_ceil(side), frames];
        // From one image to another; what is not read is bound to images of its own.
        let mut run = |pass: Pass, from: usize, to: usize, workgroups: [u32; 3]| {
            let [soft, softer] = match pass {
                Pass::Blend => [2, 4],
                _ => {
                    let mut free = (0..6).filter(|i| *i != from && *i != to);
                    [free.next().unwrap_or(0), free.next().unwrap_or(0)]
                }
            };
            let mut bindings: Vec<_> = [from, soft, softer, to].map(|i| images.binding(i)).into();
            bindings.push(images.exposures.as_entire_binding());
            let bound = group(device, &self.images, &bindings);
            let mut recorded = encoder.begin_compute_pass(&wgpu::ComputePassDescriptor::default());
            recorded.set_pipeline(&self.pipelines[pass as usize]);
            recorded.set_bind_group(0, &sensor, &[]);
            recorded.set_bind_group(1, &bound, &[]);
            let [x, y, z] = workgroups;
            recorded.dispatch_workgroups(x, y, z);
            to
        };
        run(Pass::Measure, 0, 1, [frames, 1, 1]);
        run(Pass::Adapt, 0, 1, [1, 1, 1]);
        let mut now = 0;
        if shutter > 0.0 {
            now = run(Pass::MotionBlur, now, 1, tiles(8));
        }
        if blur > 0.0 || focus_distance > 0.0 {
            run(Pass::Soften, now, 2, tiles(8));
            if focus_distance > 0.0 {
                run(Pass::Soften, 2, 4, tiles(8));
            }
            now = run(Pass::Blend, now, 3, tiles(8));
        }
        now = run(Pass::Tone, now, 5, tiles(8));
        if step > 0.0 {
            run(Pass::Compress, now, RESULT, tiles(16));
        } else {
            run(Pass::Pack, now, RESULT, tiles(8));
        }
    }
}

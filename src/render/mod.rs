//! Drawing the scan: points, camera path and frusta, seen by an orbit camera.
//!
//! Works on the device that inference uses (or alone, where inference runs on the CPU) and draws into any
//! texture view: a canvas in the browser ([`surface`]), an off-screen texture in tests. Nothing is drawn unless
//! something changed. All geometry is pulled from storage buffers; colours are sRGB bytes end to end.

pub mod camera;
mod lines;
mod points;
pub mod surface;

use bytemuck::{Pod, Zeroable};

pub use self::points::POINT_BYTES;
use self::{camera::OrbitCamera, lines::Lines, points::Points};
use crate::geometry::Pose;

const DEPTH: wgpu::TextureFormat = wgpu::TextureFormat::Depth32Float;

/// Behind the points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Background {
    /// Near black.
    #[default]
    Dark,
    /// Near white.
    Light,
}

impl Background {
    fn srgb(self) -> [f64; 3] {
        match self {
            Self::Dark => [0.055, 0.063, 0.078],
            Self::Light => [0.965, 0.969, 0.976],
        }
    }
}

/// What the user can set. Sizes in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ViewSettings {
    /// Diameter of a point at the pivot.
    pub point_size: f32,
    /// Points whose confidence code is lower are not drawn.
    pub min_code: u8,
    /// Behind the points.
    pub background: Background,
    /// Draw the camera path and frusta.
    pub cameras: bool,
}

impl Default for ViewSettings {
    fn default() -> Self {
        Self { point_size: 2.5, min_code: 0, background: Background::Dark, cameras: true }
    }
}

/// The uniform of both shaders.
#[repr(C)]
#[derive(Clone, Copy, Pod, Zeroable)]
struct View {
    view_projection: [[f32; 4]; 4],
    viewport: [f32; 2],
    point_size: f32,
    pivot_distance: f32,
    min_code: u32,
    linear_target: u32,
    near: f32,
    line_width: f32,
}

/// A pipeline whose group 1 is one storage buffer.
struct Pipeline {
    pipeline: wgpu::RenderPipeline,
    layout: wgpu::BindGroupLayout,
}

impl Pipeline {
    fn bind(&self, device: &wgpu::Device, buffer: &wgpu::Buffer) -> wgpu::BindGroup {
        device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: None,
            layout: &self.layout,
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: buffer.as_entire_binding() }],
        })
    }
}

/// Draws the scan.
pub struct Renderer {
    device: wgpu::Device,
    queue: wgpu::Queue,
    format: wgpu::TextureFormat,
    view: wgpu::Buffer,
    view_group: wgpu::BindGroup,
    points: Points,
    lines: Lines,
    depth: Option<wgpu::Texture>,
    /// Device pixels.
    size: [u32; 2],
    pixel_ratio: f32,
    camera: OrbitCamera,
    settings: ViewSettings,
    changed: bool,
}

impl Renderer {
    /// Prepares pipelines for targets of `format`.
    #[must_use]
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue, format: wgpu::TextureFormat) -> Self {
        let layout = bind_layout(device, wgpu::BufferBindingType::Uniform);
        let view = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("view"),
            size: size_of::<View>() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let view_group = device.create_bind_group(&wgpu::BindGroupDescriptor {
            label: Some("view"),
            layout: &layout,
            entries: &[wgpu::BindGroupEntry { binding: 0, resource: view.as_entire_binding() }],
        });
        Self {
            points: Points::new(device, &layout, format),
            lines: Lines::new(device, &layout, format),
            device: device.clone(),
            queue: queue.clone(),
            format,
            view,
            view_group,
            depth: None,
            size: [1, 1],
            pixel_ratio: 1.0,
            camera: OrbitCamera::default(),
            settings: ViewSettings::default(),
            changed: true,
        }
    }

    /// Sets the size of the target in device pixels and how many of them a CSS pixel has.
    pub fn resize(&mut self, width: u32, height: u32, pixel_ratio: f32) {
        self.size = [width.max(1), height.max(1)];
        self.pixel_ratio = if pixel_ratio.is_finite() { pixel_ratio.clamp(0.25, 8.0) } else { 1.0 };
        self.changed = true;
    }

    /// The target's size in device pixels.
    #[must_use]
    pub fn size(&self) -> [u32; 2] {
        self.size
    }

    /// Where the viewer stands.
    #[must_use]
    pub fn camera(&self) -> &OrbitCamera {
        &self.camera
    }

    /// Moves the viewer.
    pub fn camera_mut(&mut self) -> &mut OrbitCamera {
        self.changed = true;
        &mut self.camera
    }

    /// Height of the view in CSS pixels, and its width over its height.
    #[must_use]
    pub fn css_height_and_aspect(&self) -> (f32, f32) {
        let [width, height] = self.size.map(|v| v as f32);
        (height / self.pixel_ratio, width / height)
    }

    /// What the user has set.
    #[must_use]
    pub fn settings(&self) -> &ViewSettings {
        &self.settings
    }

    /// Changes what the user can set.
    pub fn settings_mut(&mut self) -> &mut ViewSettings {
        self.changed = true;
        &mut self.settings
    }

    /// Appends one frame's points, [`POINT_BYTES`] each.
    pub fn push_chunk(&mut self, points: &[u8]) {
        self.points.push(&self.device, &self.queue, points);
        self.changed = true;
    }

    /// Keeps the first `chunks` frames' points.
    pub fn truncate_chunks(&mut self, chunks: usize) {
        self.points.truncate(chunks);
        self.changed = true;
    }

    /// Frames whose points are here.
    #[must_use]
    pub fn chunks(&self) -> usize {
        self.points.chunks()
    }

    /// Points here, shown or not.
    #[must_use]
    pub fn point_count(&self) -> usize {
        self.points.len()
    }

    /// Replaces the camera path; frusta are `frustum` world units deep.
    pub fn set_poses(&mut self, poses: &[Pose], frustum: f32) {
        self.lines.set(&self.device, &self.queue, poses, frustum);
        self.changed = true;
    }

    /// GPU memory of the points, lines and depth, bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let depth = self.depth.as_ref().map_or(0, |t| u64::from(t.width()) * u64::from(t.height()) * 4);
        self.points.bytes() + self.lines.bytes() + depth + size_of::<View>() as u64
    }

    /// Whether the next drawing would differ from the last.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.changed
    }

    /// Draws into `target`, a view of the format given to `new` and the size given to `resize`.
    pub fn draw(&mut self, target: &wgpu::TextureView) {
        self.queue.write_buffer(&self.view, 0, bytemuck::bytes_of(&self.view_uniform()));
        let depth = self.depth_view();
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("view") });
        {
            let mut pass = encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
                label: Some("view"),
                color_attachments: &[Some(wgpu::RenderPassColorAttachment {
                    view: target,
                    depth_slice: None,
                    resolve_target: None,
                    ops: wgpu::Operations {
                        load: wgpu::LoadOp::Clear(self.clear_colour()),
                        store: wgpu::StoreOp::Store,
                    },
                })],
                depth_stencil_attachment: Some(wgpu::RenderPassDepthStencilAttachment {
                    view: &depth,
                    depth_ops: Some(wgpu::Operations { load: wgpu::LoadOp::Clear(0.0), store: wgpu::StoreOp::Discard }),
                    stencil_ops: None,
                }),
                timestamp_writes: None,
                occlusion_query_set: None,
                multiview_mask: None,
            });
            pass.set_bind_group(0, &self.view_group, &[]);
            self.points.draw(&mut pass);
            if self.settings.cameras {
                self.lines.draw(&mut pass);
            }
        }
        self.queue.submit([encoder.finish()]);
        self.changed = false;
    }

    fn view_uniform(&self) -> View {
        let [width, height] = self.size.map(|v| v as f32);
        View {
            view_projection: self.camera.view_projection(width, height),
            viewport: [width, height],
            point_size: self.settings.point_size * self.pixel_ratio,
            pivot_distance: self.camera.distance,
            min_code: u32::from(self.settings.min_code),
            linear_target: u32::from(self.format.is_srgb()),
            near: self.camera.near(),
            line_width: self.pixel_ratio,
        }
    }

    fn clear_colour(&self) -> wgpu::Color {
        let linear = |c: f64| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
        let [r, g, b] = self.settings.background.srgb().map(|c| if self.format.is_srgb() { linear(c) } else { c });
        wgpu::Color { r, g, b, a: 1.0 }
    }

    fn depth_view(&mut self) -> wgpu::TextureView {
        let [width, height] = self.size;
        let fits = self.depth.as_ref().is_some_and(|t| [t.width(), t.height()] == [width, height]);
        let texture = match self.depth.take().filter(|_| fits) {
            Some(texture) => texture,
            None => self.device.create_texture(&wgpu::TextureDescriptor {
                label: Some("depth"),
                size: wgpu::Extent3d { width, height, depth_or_array_layers: 1 },
                mip_level_count: 1,
                sample_count: 1,
                dimension: wgpu::TextureDimension::D2,
                format: DEPTH,
                usage: wgpu::TextureUsages::RENDER_ATTACHMENT,
                view_formats: &[],
            }),
        };
        let view = texture.create_view(&wgpu::TextureViewDescriptor::default());
        self.depth = Some(texture);
        view
    }
}

fn bind_layout(device: &wgpu::Device, ty: wgpu::BufferBindingType) -> wgpu::BindGroupLayout {
    device.create_bind_group_layout(&wgpu::BindGroupLayoutDescriptor {
        label: None,
        entries: &[wgpu::BindGroupLayoutEntry {
            binding: 0,
            visibility: wgpu::ShaderStages::VERTEX_FRAGMENT,
            ty: wgpu::BindingType::Buffer { ty, has_dynamic_offset: false, min_binding_size: None },
            count: None,
        }],
    })
}

/// Builds a pipeline for `source`, a shader with entry points `vertex` and `fragment`.
fn pipeline(
    device: &wgpu::Device,
    view: &wgpu::BindGroupLayout,
    format: wgpu::TextureFormat,
    label: &str,
    source: &str,
) -> Pipeline {
    let module = device.create_shader_module(wgpu::ShaderModuleDescriptor {
        label: Some(label),
        source: wgpu::ShaderSource::Wgsl(source.into()),
    });
    let layout = bind_layout(device, wgpu::BufferBindingType::Storage { read_only: true });
    let pipeline_layout = device.create_pipeline_layout(&wgpu::PipelineLayoutDescriptor {
        label: Some(label),
        bind_group_layouts: &[Some(view), Some(&layout)],
        immediate_size: 0,
    });
    let pipeline = device.create_render_pipeline(&wgpu::RenderPipelineDescriptor {
        label: Some(label),
        layout: Some(&pipeline_layout),
        vertex: wgpu::VertexState {
            module: &module,
            entry_point: Some("vertex"),
            compilation_options: Default::default(),
            buffers: &[],
        },
        primitive: wgpu::PrimitiveState::default(),
        depth_stencil: Some(wgpu::DepthStencilState {
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
    });
    Pipeline { pipeline, layout }
}

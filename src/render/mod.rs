//! Drawing the scan: points with eye-dome lighting, camera path and frusta with pictures, pointers, measurements.
//!
//! Works on the device that inference uses (or alone, where inference runs on the CPU) and draws into any
//! texture view: a canvas in the browser ([`surface`]), an off-screen texture in tests. Nothing is drawn unless
//! something changed. All geometry is pulled from storage buffers; colours are sRGB bytes end to end.
//!
//! ```text
//! points --> colour, depth --eye-dome lighting--> target <-- lines, pictures, glyphs (tested against the depth)
//! points ---------------------------------------> target                             (without the lighting)
//! ```

pub mod camera;
pub mod capture;
mod eyedome;
pub mod frusta;
mod glyphs;
mod lines;
pub mod maps;
pub mod motion;
pub mod pick;
mod pictures;
mod pipeline;
mod points;
mod quads;
pub mod ramp;
mod settings;
pub mod surface;

use bytemuck::{Pod, Zeroable};

use self::{
    camera::OrbitCamera,
    eyedome::{EyeDome, fitting},
    glyphs::Glyphs,
    lines::{Drawing, Lines},
    pick::{Picked, Screen},
    pictures::Pictures,
    pipeline::{DEPTH, buffer_layout, group},
    points::Points,
};
pub use self::{
    frusta::FrameView,
    glyphs::PointerColour,
    points::POINT_BYTES,
    settings::{Background, ColourMode, Timeline, ViewSettings},
};
use crate::{
    cloud::{Chunk, Cloud},
    session::PointerRecord,
};

/// The uniform of all shaders.
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
    range: [f32; 2],
    colour_mode: u32,
    hidden_flags: u32,
    attenuation: u32,
    least_size: f32,
    vividness: f32,
    edl: f32,
    background: [f32; 4],
}

/// Draws the scan.
pub struct Renderer {
    device: wgpu::Device,
    queue: wgpu::Queue,
    format: wgpu::TextureFormat,
    view: wgpu::Buffer,
    view_group: wgpu::BindGroup,
    points: Points,
    eye_dome: EyeDome,
    lines: Lines,
    pictures: Pictures,
    glyphs: Glyphs,
    depth: Option<wgpu::Texture>,
    /// Device pixels.
    size: [u32; 2],
    pixel_ratio: f32,
    camera: OrbitCamera,
    settings: ViewSettings,
    frames: Vec<FrameView>,
    /// Depth of a frustum, world units.
    frustum: f32,
    measured: Vec<[f32; 3]>,
    changed: bool,
    /// Frames, what is shown of them or what is measured changed: lines and pictures are to be made anew.
    overlay_changed: bool,
}

impl Renderer {
    /// Prepares pipelines for targets of `format`.
    #[must_use]
    pub fn new(device: &wgpu::Device, queue: &wgpu::Queue, format: wgpu::TextureFormat) -> Self {
        let layout = buffer_layout(device, wgpu::BufferBindingType::Uniform);
        let view = device.create_buffer(&wgpu::BufferDescriptor {
            label: Some("view"),
            size: size_of::<View>() as u64,
            usage: wgpu::BufferUsages::UNIFORM | wgpu::BufferUsages::COPY_DST,
            mapped_at_creation: false,
        });
        let mut points = Points::new(device, &layout, format);
        points.set_cameras(device, queue, std::iter::empty());
        Self {
            points,
            eye_dome: EyeDome::new(device, &layout, format),
            lines: Lines::new(device, &layout, format),
            pictures: Pictures::new(device, &layout, format),
            glyphs: Glyphs::new(device, &layout, format),
            view_group: group(device, &layout, &[view.as_entire_binding()]),
            device: device.clone(),
            queue: queue.clone(),
            format,
            view,
            depth: None,
            size: [1, 1],
            pixel_ratio: 1.0,
            camera: OrbitCamera::default(),
            settings: ViewSettings::default(),
            frames: Vec::new(),
            frustum: 0.1,
            measured: Vec::new(),
            changed: true,
            overlay_changed: false,
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
        self.overlay_changed = true;
        &mut self.settings
    }

    /// Appends one frame's points.
    pub fn push_chunk(&mut self, chunk: &Chunk) {
        self.points.push(&self.device, &self.queue, chunk);
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

    /// Replaces the cameras of the frames; frusta are `frustum` world units deep.
    pub fn set_frames(&mut self, frames: Vec<FrameView>, frustum: f32) {
        self.points.set_cameras(&self.device, &self.queue, frames.iter().map(|frame| frame.pose));
        (self.frames, self.frustum) = (frames, frustum);
        (self.changed, self.overlay_changed) = (true, true);
    }

    /// Cameras of the frames.
    #[must_use]
    pub fn frames(&self) -> &[FrameView] {
        &self.frames
    }

    /// Replaces the pointers.
    pub fn set_pointers(&mut self, pointers: &[PointerRecord], colour: PointerColour) {
        self.glyphs.set(&self.device, &self.queue, pointers, colour);
        self.changed = true;
    }

    /// Replaces what is measured: no point, one, or the two ends of a line.
    pub fn set_measured(&mut self, ends: &[[f32; 3]]) {
        self.measured = ends.to_vec();
        (self.changed, self.overlay_changed) = (true, true);
    }

    /// The point of `cloud`, the one that is drawn, at (`x`, `y`) CSS pixels from the top left; within a finger's
    /// reach where there is none.
    #[must_use]
    pub fn point_at(&self, cloud: &Cloud, [x, y]: [f32; 2]) -> Option<Picked> {
        let ratio = self.pixel_ratio;
        pick::point_at(cloud, &self.camera, &self.settings, self.screen(), [x * ratio, y * ratio], 10.0 * ratio)
    }

    /// The frame whose frustum is drawn at (`x`, `y`) CSS pixels from the top left.
    #[must_use]
    pub fn frame_at(&self, [x, y]: [f32; 2]) -> Option<usize> {
        let at = [x * self.pixel_ratio, y * self.pixel_ratio];
        pick::frame_at(&self.frames, &self.camera, &self.settings, self.screen(), at, self.frustum)
    }

    fn screen(&self) -> Screen {
        let [width, height] = self.size.map(|v| v as f32);
        Screen { width, height, pixel_ratio: self.pixel_ratio }
    }

    /// GPU memory of everything drawn and of the textures drawn into, bytes.
    #[must_use]
    pub fn bytes(&self) -> u64 {
        let depth = self.depth.as_ref().map_or(0, |t| u64::from(t.width()) * u64::from(t.height()) * 4);
        let drawn = self.points.bytes() + self.lines.bytes() + self.pictures.bytes() + self.glyphs.bytes();
        drawn + depth + self.eye_dome.bytes() + size_of::<View>() as u64
    }

    /// Whether the next drawing would differ from the last.
    #[must_use]
    pub fn changed(&self) -> bool {
        self.changed
    }

    /// Draws into `target`, a view of the format given to `new` and the size given to `resize`.
    pub fn draw(&mut self, target: &wgpu::TextureView) {
        if std::mem::take(&mut self.overlay_changed) {
            self.renew_overlay();
        }
        self.queue.write_buffer(&self.view, 0, bytemuck::bytes_of(&self.view_uniform()));
        let texture = fitting(&self.device, self.depth.take(), self.size, DEPTH);
        let depth = texture.create_view(&wgpu::TextureViewDescriptor::default());
        self.depth = Some(texture);
        let mut encoder = self.device.create_command_encoder(&wgpu::CommandEncoderDescriptor { label: Some("view") });
        let clear = wgpu::LoadOp::Clear(self.clear_colour());
        if self.settings.points && self.settings.edl > 0.0 {
            let colour = self.eye_dome.colour_view(&self.device, self.size);
            self.draw_points(&mut begin(&mut encoder, "points", &colour, clear, Some((&depth, true))));
            let mut pass = begin(&mut encoder, "eye-dome lighting", target, clear, None);
            pass.set_bind_group(0, &self.view_group, &[]);
            self.eye_dome.draw(&self.device, &mut pass, &colour, &depth);
        } else {
            self.eye_dome.rest();
            self.draw_points(&mut begin(&mut encoder, "points", target, clear, Some((&depth, true))));
        }
        {
            let mut pass = begin(&mut encoder, "overlay", target, wgpu::LoadOp::Load, Some((&depth, false)));
            pass.set_bind_group(0, &self.view_group, &[]);
            self.pictures.draw(&mut pass);
            self.lines.draw(&mut pass);
            if self.settings.pointers {
                self.glyphs.draw(&mut pass);
            }
        }
        self.queue.submit([encoder.finish()]);
        self.changed = false;
    }

    fn draw_points(&self, pass: &mut wgpu::RenderPass<'_>) {
        pass.set_bind_group(0, &self.view_group, &[]);
        if self.settings.points {
            let shown = self.settings.timeline.range(self.points.chunks());
            let by_chunk = matches!(self.settings.colour, ColourMode::Depth | ColourMode::Frame);
            self.points.draw(pass, shown, by_chunk);
        }
    }

    fn renew_overlay(&mut self) {
        let shown = self.settings.timeline.range(self.frames.len());
        let drawing = Drawing {
            frames: &self.frames,
            size: self.frustum,
            shown: shown.clone(),
            cameras: self.settings.cameras,
            measured: &self.measured,
            cross: 0.25 * self.frustum,
        };
        self.lines.set(&self.device, &self.queue, &drawing);
        let pictured = if self.settings.cameras && self.settings.thumbnails { shown } else { 0..0 };
        self.pictures.set(&self.device, &self.queue, &self.frames, pictured, self.frustum);
    }

    fn view_uniform(&self) -> View {
        let [width, height] = self.size.map(|v| v as f32);
        let s = &self.settings;
        let [r, g, b] = s.background.srgb().map(|c| c as f32);
        View {
            view_projection: self.camera.view_projection(width, height),
            viewport: [width, height],
            point_size: s.point_size * self.pixel_ratio,
            pivot_distance: self.camera.distance,
            min_code: u32::from(s.min_code),
            linear_target: u32::from(self.format.is_srgb()),
            near: self.camera.near(),
            line_width: self.pixel_ratio,
            range: s.range,
            colour_mode: s.colour as u32,
            hidden_flags: u32::from(s.hidden_flags),
            attenuation: u32::from(s.attenuation),
            least_size: s.least_size * self.camera.pixels_per_unit(height),
            vividness: s.vividness,
            edl: s.edl,
            background: [r, g, b, 1.0],
        }
    }

    fn clear_colour(&self) -> wgpu::Color {
        let linear = |c: f64| if c <= 0.04045 { c / 12.92 } else { ((c + 0.055) / 1.055).powf(2.4) };
        let [r, g, b] = self.settings.background.srgb().map(|c| if self.format.is_srgb() { linear(c) } else { c });
        wgpu::Color { r, g, b, a: 1.0 }
    }
}

/// A pass into `target`; `depth` is the depth buffer and whether it begins empty.
fn begin<'e>(
    encoder: &'e mut wgpu::CommandEncoder,
    label: &str,
    target: &wgpu::TextureView,
    load: wgpu::LoadOp<wgpu::Color>,
    depth: Option<(&wgpu::TextureView, bool)>,
) -> wgpu::RenderPass<'e> {
    let attachment = |(view, clear)| wgpu::RenderPassDepthStencilAttachment {
        view,
        depth_ops: Some(wgpu::Operations {
            load: if clear { wgpu::LoadOp::Clear(0.0) } else { wgpu::LoadOp::Load },
            store: wgpu::StoreOp::Store,
        }),
        stencil_ops: None,
    };
    encoder.begin_render_pass(&wgpu::RenderPassDescriptor {
        label: Some(label),
        color_attachments: &[Some(wgpu::RenderPassColorAttachment {
            view: target,
            depth_slice: None,
            resolve_target: None,
            ops: wgpu::Operations { load, store: wgpu::StoreOp::Store },
        })],
        depth_stencil_attachment: depth.map(attachment),
        timestamp_writes: None,
        occlusion_query_set: None,
        multiview_mask: None,
    })
}

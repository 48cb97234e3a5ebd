//! The canvas of the engine: the renderer, kept equal to the snapshot.

use serde::Deserialize;

use super::snapshot::Snapshot;
use crate::cloud::encode_confidence;
use crate::device::{DeviceError, Gpu};
use crate::render::surface::Canvas;
use crate::render::{Background, Renderer};

/// Points looked at to place the camera: enough for percentiles.
const SAMPLE: usize = 20_000;
/// Depth of a frustum, as a part of the distance to the first frame's scene.
const FRUSTUM: f32 = 0.06;

/// What `setView` may change.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ViewOptions {
    point_size: Option<f32>,
    confidence: Option<f32>,
    background: Option<String>,
}

/// See the module.
pub(super) struct View {
    gpu: Gpu,
    canvas: Canvas,
    renderer: Renderer,
    /// The user has moved the camera, or it was placed for the first frame.
    placed: bool,
    frustum: f32,
}

impl View {
    pub(super) fn new(gpu: Gpu, surface: wgpu::Surface<'static>) -> Result<Self, DeviceError> {
        let canvas = Canvas::new(&gpu, surface)?;
        let renderer = Renderer::new(&gpu.device, &gpu.queue, canvas.format());
        Ok(Self { gpu, canvas, renderer, placed: false, frustum: 0.1 })
    }

    pub(super) fn bytes(&self) -> u64 {
        let [width, height] = self.renderer.size().map(u64::from);
        self.renderer.bytes() + 2 * 4 * width * height // two pictures of the canvas
    }

    pub(super) fn resize(&mut self, width: f64, height: f64, pixel_ratio: f64) {
        let ratio = if pixel_ratio.is_finite() && pixel_ratio > 0.0 { pixel_ratio } else { 1.0 };
        let most = self.gpu.device.limits().max_texture_dimension_2d;
        // `as` saturates, and takes what is not a number as 0; the renderer takes 0 as 1.
        let pixels = |css: f64| ((css * ratio).round() as u32).min(most);
        self.renderer.resize(pixels(width), pixels(height), ratio as f32);
    }

    pub(super) fn orbit(&mut self, dx: f32, dy: f32) {
        if dx.is_finite() && dy.is_finite() {
            self.placed = true;
            self.renderer.camera_mut().orbit(dx, dy);
        }
    }

    pub(super) fn pan(&mut self, dx: f32, dy: f32) {
        if dx.is_finite() && dy.is_finite() {
            self.placed = true;
            let (height, _) = self.renderer.css_height_and_aspect();
            self.renderer.camera_mut().pan(dx, dy, height);
        }
    }

    pub(super) fn zoom(&mut self, factor: f32) {
        self.placed = true;
        self.renderer.camera_mut().zoom(factor);
    }

    pub(super) fn fit(&mut self, snapshot: &Snapshot) {
        let points = snapshot.sample(SAMPLE, self.renderer.settings().min_code);
        let cameras: Vec<_> = snapshot.poses().iter().map(|pose| pose.translation).collect();
        let (_, aspect) = self.renderer.css_height_and_aspect();
        self.renderer.camera_mut().fit(&points, &cameras, aspect);
    }

    pub(super) fn set(&mut self, options: &ViewOptions) {
        let settings = self.renderer.settings_mut();
        if let Some(size) = options.point_size.filter(|s| s.is_finite()) {
            settings.point_size = size.clamp(0.5, 64.0);
        }
        if let Some(confidence) = options.confidence {
            settings.min_code = if confidence > 1.0 { encode_confidence(confidence) } else { 0 };
        }
        match options.background.as_deref() {
            Some("light") => settings.background = Background::Light,
            Some(_) => settings.background = Background::Dark,
            None => {}
        }
    }

    /// Uploads what is new in the snapshot and drops what is gone.
    pub(super) fn show(&mut self, snapshot: &Snapshot) {
        let chunks = snapshot.cloud().chunks();
        if self.renderer.chunks() > chunks.len() {
            self.renderer.truncate_chunks(chunks.len());
        }
        for chunk in chunks.iter().skip(self.renderer.chunks()) {
            self.renderer.push_chunk(bytemuck::cast_slice(&chunk.points));
        }
        if !self.placed && snapshot.points() > 0 {
            self.placed = true;
            self.renderer.camera_mut().start(&snapshot.sample(SAMPLE, 0));
            self.frustum = FRUSTUM * self.renderer.camera().distance;
        }
        self.renderer.set_poses(&snapshot.poses(), self.frustum);
    }

    /// Back to an empty view, as before the first frame.
    pub(super) fn clear(&mut self) {
        self.renderer.truncate_chunks(0);
        self.renderer.set_poses(&[], 0.0);
        self.placed = false;
    }

    pub(super) fn draw(&mut self) -> bool {
        self.renderer.changed() && self.canvas.draw(&self.gpu, &mut self.renderer)
    }
}

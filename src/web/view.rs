//! The canvas of the engine: the renderer, kept equal to the snapshot, and how the viewer moves.

use std::sync::Arc;

use serde::Deserialize;

use super::platform;
use super::snapshot::Snapshot;
use crate::cloud::{Chunk, FLAG_EDGE, FLAG_SKY, encode_confidence};
use crate::device::{DeviceError, Gpu};
use crate::geometry::Pose;
use crate::render::camera::{FIELD_OF_VIEW, OrbitCamera};
use crate::render::capture::Capture;
use crate::render::maps::colour_range;
use crate::render::motion::Motion;
use crate::render::pick::Picked;
use crate::render::surface::Canvas;
use crate::render::{Background, ColourMode, FrameView, PointerColour, Renderer, Timeline};
use crate::scene::Viewpoint;

/// Points looked at to place the camera: enough for percentiles.
const SAMPLE: usize = 20_000;
/// Depth of a frustum, as a part of the distance to the first frame's scene.
const FRUSTUM: f32 = 0.06;
/// Points keep this much of their colour while pointers are shown.
const VIVIDNESS_BEHIND_POINTERS: f32 = 0.35;
/// Diameter of a merged point in voxels: neighbours just overlap.
const VOXEL_COVER: f32 = 1.25;
/// Walking speed, distances to the pivot per second; and how much faster it is in a hurry.
const FLY_SPEED: f32 = 0.6;
const HURRY: f32 = 3.0;
/// A drawing that came so late does not make the viewer jump, seconds.
const LONGEST_STEP: f64 = 0.1;

/// What `setView` may change; what is absent stays.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
pub(super) struct ViewOptions {
    points: Option<bool>,
    point_size: Option<f32>,
    attenuation: Option<bool>,
    edl: Option<f32>,
    colour: Option<ColourMode>,
    confidence: Option<f32>,
    hide_edges: Option<bool>,
    hide_sky: Option<bool>,
    background: Option<Background>,
    cameras: Option<bool>,
    thumbnails: Option<bool>,
    pointers: Option<PointersShown>,
    timeline: Option<TimelineMode>,
    /// The frame the timeline is at.
    frame: Option<usize>,
    navigation: Option<Navigation>,
    follow: Option<bool>,
    /// Ease from view to view, or jump.
    animate: Option<bool>,
}

/// Which pointers are shown, and how.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum PointersShown {
    Off,
    Age,
    Change,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum TimelineMode {
    All,
    Upto,
    Only,
}

/// What a drag does: turns the scene, or the viewer's head.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum Navigation {
    Orbit,
    Fly,
}

/// See the module.
pub(super) struct View {
    gpu: Gpu,
    canvas: Canvas,
    pub(super) renderer: Renderer,
    /// The chunks that the renderer has.
    shown: Vec<Arc<Chunk>>,
    /// The user has moved the camera, or it was placed for the first frame.
    placed: bool,
    frustum: f32,
    pointers: PointerColour,
    timeline: (TimelineMode, usize),
    navigation: Navigation,
    follow: bool,
    animate: bool,
    motion: Option<Motion>,
    /// Right, down, forward: -1 to 1 each, more in a hurry.
    walk: [f32; 3],
    last_step: f64,
}

impl View {
    pub(super) fn new(gpu: Gpu, surface: wgpu::Surface<'static>) -> Result<Self, DeviceError> {
        let canvas = Canvas::new(&gpu, surface)?;
        let renderer = Renderer::new(&gpu.device, &gpu.queue, canvas.format());
        Ok(Self {
            gpu,
            canvas,
            renderer,
            shown: Vec::new(),
            placed: false,
            frustum: 0.1,
            pointers: PointerColour::Age,
            timeline: (TimelineMode::All, 0),
            navigation: Navigation::Orbit,
            follow: false,
            animate: true,
            motion: None,
            walk: [0.0; 3],
            last_step: 0.0,
        })
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

    /// The user takes the camera: whatever moves it otherwise ends.
    fn taken(&mut self) -> &mut OrbitCamera {
        self.placed = true;
        self.motion = None;
        self.renderer.camera_mut()
    }

    pub(super) fn orbit(&mut self, dx: f32, dy: f32) {
        if dx.is_finite() && dy.is_finite() {
            let flies = self.navigation == Navigation::Fly;
            let camera = self.taken();
            if flies { camera.look(dx, dy) } else { camera.orbit(dx, dy) }
        }
    }

    pub(super) fn pan(&mut self, dx: f32, dy: f32) {
        if dx.is_finite() && dy.is_finite() {
            let (height, _) = self.renderer.css_height_and_aspect();
            self.taken().pan(dx, dy, height);
        }
    }

    pub(super) fn zoom(&mut self, factor: f32) {
        self.taken().zoom(factor);
    }

    /// Walks until told otherwise: to the right, down, forward; each -1, 0 or 1.
    pub(super) fn walk(&mut self, direction: [f32; 3], hurry: bool) {
        let speed = FLY_SPEED * if hurry { HURRY } else { 1.0 };
        self.walk = direction.map(|v| if v.is_finite() { v.clamp(-1.0, 1.0) * speed } else { 0.0 });
        self.last_step = platform::now();
        if self.walk != [0.0; 3] {
            self.taken();
        }
    }

    pub(super) fn fit(&mut self, snapshot: &Snapshot) {
        let points = snapshot.sample(SAMPLE, self.renderer.settings().min_code);
        let cameras: Vec<_> = self.renderer.frames().iter().map(|frame| frame.pose.translation).collect();
        let (_, aspect) = self.renderer.css_height_and_aspect();
        let mut to = *self.renderer.camera();
        to.fit(&points, &cameras, aspect);
        self.go(to);
    }

    pub(super) fn viewpoint(&self) -> Viewpoint {
        let camera = self.renderer.camera();
        Viewpoint { eye: camera.eye(), target: camera.pivot }
    }

    pub(super) fn look(&mut self, viewpoint: &Viewpoint) {
        let Some((distance, yaw, pitch)) = viewpoint.orbit() else { return };
        self.placed = true;
        self.motion = None;
        let camera = self.renderer.camera_mut();
        *camera = OrbitCamera { pivot: viewpoint.target, distance, yaw, pitch, ..OrbitCamera::default() };
    }

    /// Looks through the camera of a frame. False if there is no such frame.
    pub(super) fn look_through(&mut self, frame: usize) -> bool {
        let Some(view) = self.renderer.frames().get(frame) else { return false };
        let (_, aspect) = self.renderer.css_height_and_aspect();
        let [across, down] = view.half;
        let half = down.max(across / aspect.max(0.01));
        let (pose, mut to) = (view.pose, *self.renderer.camera());
        to.look_through(&pose, 2.0 * half.atan(), self.frustum / FRUSTUM);
        self.placed = true;
        self.go(to);
        true
    }

    /// Stands behind and above a camera, and looks where it looks.
    fn stand_behind(&mut self, pose: &Pose) {
        let mut to = *self.renderer.camera();
        let distance = self.frustum / FRUSTUM;
        to.look_through(pose, FIELD_OF_VIEW, distance);
        to.roll = 0.0;
        to.pitch = (0.5 * to.pitch + 0.3).clamp(-1.2, 1.2);
        to.stand_at(pose.translation);
        to.fly([0.0, -0.1 * distance, -0.5 * distance]);
        self.go(to);
    }

    fn go(&mut self, to: OrbitCamera) {
        if self.animate && *self.renderer.camera() != to {
            self.motion = Some(Motion { from: *self.renderer.camera(), to, start: platform::now() });
        } else {
            self.motion = None;
            *self.renderer.camera_mut() = to;
        }
    }

    pub(super) fn set(&mut self, options: &ViewOptions, snapshot: &Snapshot) {
        let frames = self.renderer.frames().len();
        let settings = self.renderer.settings_mut();
        let finite = |value: Option<f32>| value.filter(|v| v.is_finite());
        if let Some(size) = finite(options.point_size) {
            settings.point_size = size.clamp(0.5, 64.0);
        }
        if let Some(edl) = finite(options.edl) {
            settings.edl = edl.clamp(0.0, 4.0);
        }
        if let Some(confidence) = options.confidence {
            settings.min_code = if confidence > 1.0 { encode_confidence(confidence) } else { 0 };
        }
        let hide = |flags: u8, flag: u8, hide: Option<bool>| match hide {
            Some(true) => flags | flag,
            Some(false) => flags & !flag,
            None => flags,
        };
        settings.hidden_flags = hide(settings.hidden_flags, FLAG_EDGE, options.hide_edges);
        settings.hidden_flags = hide(settings.hidden_flags, FLAG_SKY, options.hide_sky);
        settings.points = options.points.unwrap_or(settings.points);
        settings.attenuation = options.attenuation.unwrap_or(settings.attenuation);
        settings.background = options.background.unwrap_or(settings.background);
        settings.cameras = options.cameras.unwrap_or(settings.cameras);
        settings.thumbnails = options.thumbnails.unwrap_or(settings.thumbnails);
        settings.colour = options.colour.unwrap_or(settings.colour);
        if let Some(pointers) = options.pointers {
            settings.pointers = pointers != PointersShown::Off;
            settings.vividness = if settings.pointers { VIVIDNESS_BEHIND_POINTERS } else { 1.0 };
            self.pointers = if pointers == PointersShown::Change { PointerColour::Change } else { PointerColour::Age };
        }
        let (mode, frame) = self.timeline;
        self.timeline = (options.timeline.unwrap_or(mode), options.frame.unwrap_or(frame));
        settings.timeline = match self.timeline {
            (TimelineMode::All, _) => Timeline::All,
            (TimelineMode::Upto, frame) => Timeline::UpTo(frame),
            (TimelineMode::Only, frame) => Timeline::Only(frame),
        };
        self.navigation = options.navigation.unwrap_or(self.navigation);
        self.animate = options.animate.unwrap_or(self.animate);
        self.follow = options.follow.unwrap_or(self.follow);
        if options.pointers.is_some() {
            self.show_pointers(snapshot);
        }
        if options.colour.is_some() {
            self.renew_range(snapshot);
        }
        if options.follow == Some(true) && frames > 0 {
            self.follow_last();
        }
    }

    pub(super) fn shows_pointers(&self) -> bool {
        self.renderer.settings().pointers
    }

    fn show_pointers(&mut self, snapshot: &Snapshot) {
        if self.renderer.settings().pointers {
            self.renderer.set_pointers(snapshot.pointer_records(), self.pointers);
        }
    }

    fn renew_range(&mut self, snapshot: &Snapshot) {
        let mode = self.renderer.settings().colour;
        if mode != ColourMode::Rgb {
            let range = colour_range(snapshot.cloud(), self.renderer.frames(), mode);
            self.renderer.settings_mut().range = range;
        }
    }

    fn follow_last(&mut self) {
        if let Some(pose) = self.renderer.frames().last().map(|frame| frame.pose) {
            self.stand_behind(&pose);
        }
    }

    /// Uploads what is new in the snapshot and drops what is gone.
    pub(super) fn show(&mut self, snapshot: &Snapshot) {
        let chunks = snapshot.cloud().chunks();
        let same = self.shown.iter().zip(chunks).take_while(|(a, b)| Arc::ptr_eq(a, b)).count();
        if same < self.shown.len() {
            self.renderer.truncate_chunks(same);
            self.shown.truncate(same);
        }
        for chunk in chunks.iter().skip(same) {
            self.renderer.push_chunk(chunk);
            self.shown.push(chunk.clone());
        }
        if !self.placed && snapshot.cloud().point_count() > 0 {
            self.placed = true;
            self.motion = None;
            self.renderer.camera_mut().start(&snapshot.sample(SAMPLE, 0));
            self.frustum = FRUSTUM * self.renderer.camera().distance;
        }
        let voxel = snapshot.cloud().fusion().map_or(0.0, |fusion| fusion.voxel);
        self.renderer.settings_mut().least_size = VOXEL_COVER * voxel;
        let frames: Vec<FrameView> = snapshot.frame_views();
        let grown = frames.len() > self.renderer.frames().len();
        self.renderer.set_frames(frames, self.frustum);
        self.show_pointers(snapshot);
        self.renew_range(snapshot);
        if self.follow && grown {
            self.follow_last();
        }
    }

    /// Back to an empty view, as before the first frame.
    pub(super) fn clear(&mut self) {
        self.renderer.truncate_chunks(0);
        self.renderer.set_frames(Vec::new(), self.frustum);
        self.renderer.set_pointers(&[], self.pointers);
        self.renderer.set_measured(&[]);
        self.shown.clear();
        self.placed = false;
        self.motion = None;
    }

    pub(super) fn navigation(&self) -> Navigation {
        self.navigation
    }

    /// The point that is drawn at a place of the canvas, CSS pixels.
    pub(super) fn point_at(&self, snapshot: &Snapshot, at: [f32; 2]) -> Option<Picked> {
        self.renderer.point_at(snapshot.cloud(), at)
    }

    /// The view as a picture of another size, turned by `turn` radians.
    pub(super) fn capture(&mut self, width: u32, height: u32, turn: f32) -> Option<Capture> {
        self.renderer.capture(width, height, turn)
    }

    pub(super) fn draw(&mut self) -> bool {
        self.step();
        self.renderer.changed() && self.canvas.draw(&self.gpu, &mut self.renderer)
    }

    /// Moves the camera along, if something moves it.
    fn step(&mut self) {
        let now = platform::now();
        if let Some(motion) = self.motion {
            let (camera, done) = motion.at(now);
            *self.renderer.camera_mut() = camera;
            if done {
                self.motion = None;
            }
        }
        if self.walk != [0.0; 3] {
            let seconds = ((now - self.last_step) / 1e3).clamp(0.0, LONGEST_STEP) as f32;
            let camera = self.renderer.camera_mut();
            let distance = camera.distance;
            camera.fly(self.walk.map(|v| v * distance * seconds));
        }
        self.last_step = now;
    }
}

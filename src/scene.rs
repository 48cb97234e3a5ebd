//! A reconstruction as it is kept, shared and looked at: points, camera path, where to look from. No network in it.
//!
//! A scene is written as GLB ([`crate::export::glb`]) or in a link's compact form, and read back from GLB, PLY or
//! that form. Whatever is read is untrusted.

mod collect;
mod error;
pub mod glb;
pub mod ply;
pub mod share;

pub use error::{Limits, SceneError};

use crate::{
    cloud::Cloud,
    geometry::{Intrinsics, Pose, median},
    session::Session,
};

/// One frame's camera.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SceneCamera {
    /// Index of the frame in its source.
    pub frame: u32,
    /// Seconds since the start of the source.
    pub time: f64,
    /// Camera-to-world, OpenCV axes.
    pub pose: Pose,
}

/// Where a viewer stands and what it turns around, world coordinates. "Up" is -y.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize, serde::Deserialize)]
pub struct Viewpoint {
    /// The eye.
    pub eye: [f32; 3],
    /// The point looked at.
    pub target: [f32; 3],
}

impl Viewpoint {
    /// Whether it is one: finite, and the eye is not where it looks.
    #[must_use]
    pub fn is_usable(&self) -> bool {
        let finite = self.eye.iter().chain(&self.target).all(|v| v.is_finite() && v.abs() < 1e9);
        finite && self.eye.iter().zip(self.target).any(|(a, b)| (a - b).abs() > 1e-6)
    }
}

impl Viewpoint {
    /// Distance, turn about the vertical axis (0 looks along +z) and tilt (positive looks down), radians; `None` where
    /// this is no viewpoint.
    #[must_use]
    pub fn orbit(&self) -> Option<(f32, f32, f32)> {
        let [x, y, z]: [f32; 3] = std::array::from_fn(|i| self.target[i] - self.eye[i]);
        let distance = (x * x + y * y + z * z).sqrt();
        let usable = self.is_usable() && distance.is_finite() && distance > 0.0;
        usable.then(|| (distance, x.atan2(z), (y / distance).clamp(-1.0, 1.0).asin().clamp(-1.55, 1.55)))
    }
}

/// A scene. Cloning is cheap: points are shared.
#[derive(Debug, Clone, Default)]
pub struct Scene {
    /// What it shows, one line; may be empty.
    pub title: String,
    /// The points, one chunk per frame (or one in all, where frames are not known).
    pub cloud: Cloud,
    /// Camera of every frame, in order.
    pub cameras: Vec<SceneCamera>,
    /// The pinhole camera that took the frames.
    pub intrinsics: Option<Intrinsics>,
    /// Where to look from at first.
    pub viewpoint: Option<Viewpoint>,
    /// Distance between neighbouring points, world units, where points lie on a grid.
    pub spacing: Option<f32>,
}

/// Colour of points that have none: seen on dark and on light.
const PLAIN: [u8; 3] = [140; 3];
/// Characters of a title.
const MAX_TITLE: usize = 120;

/// A title as it may be shown: one line of bounded length.
#[must_use]
pub fn title(text: &str) -> String {
    let hidden =
        |c: &char| c.is_control() || ('\u{202a}'..='\u{202e}').contains(c) || ('\u{2066}'..='\u{2069}').contains(c);
    text.trim().chars().map(|c| if hidden(&c) { ' ' } else { c }).take(MAX_TITLE).collect()
}

/// Reads a scene from a file or a link's bytes: GLB, PLY, or our compact form, by how the bytes begin.
///
/// # Errors
/// See [`SceneError`]; nothing larger than the limits is ever allocated.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Scene, SceneError> {
    match bytes {
        [b'g', b'l', b'T', b'F', ..] => glb::read(bytes, limits),
        [b'p', b'l', b'y', b'\n' | b'\r', ..] => ply::read(bytes, limits),
        [b'P', b'3', b'S', _, ..] => share::read(bytes, limits),
        [] => Err(SceneError::damaged("it has no bytes")),
        _ => Err(SceneError::Unsupported("no scene that is known here".to_owned())),
    }
}

impl Scene {
    /// From behind the first camera, circling the middle of what lies before it; `None` without cameras.
    #[must_use]
    pub fn first_view(&self) -> Option<Viewpoint> {
        const SAMPLE: usize = 20_000;
        let pose = self.cameras.first()?.pose;
        let back = pose.inverse();
        let step = (self.cloud.point_count() / SAMPLE).max(1);
        let points = self.cloud.points_above(0.0).step_by(step).map(|(_, p)| back.transform_point(p.position)[2]);
        let depth = median(points.filter(|z| z.is_finite() && *z > 0.0).map(f64::from))? as f32;
        let [eye, target] = [-0.5, 1.0].map(|share| pose.transform_point([0.0, 0.0, share * depth]));
        Some(Viewpoint { eye, target }).filter(Viewpoint::is_usable)
    }

    /// The same scene, `factor` times as large.
    #[must_use]
    #[expect(clippy::float_cmp, reason = "nothing to do is exactly 1")]
    pub fn scaled(mut self, factor: f32) -> Self {
        if factor == 1.0 {
            return self;
        }
        let larger = |v: [f32; 3]| v.map(|v| v * factor);
        self.cloud = self.cloud.scaled(factor);
        self.cameras.iter_mut().for_each(|c| c.pose.translation = larger(c.pose.translation));
        self.viewpoint = self.viewpoint.map(|v| Viewpoint { eye: larger(v.eye), target: larger(v.target) });
        self.spacing = self.spacing.map(|v| v * factor);
        self
    }

    /// What a session holds.
    #[must_use]
    pub fn of(session: &Session, title: &str) -> Self {
        let camera = |(frame, &(time, pose)): (u32, &(f64, Pose))| SceneCamera { frame, time, pose };
        let numbers = session.keyframes().frames().iter().map(|k| k.index);
        Self {
            title: title.to_owned(),
            cloud: session.cloud().clone(),
            cameras: numbers.zip(session.trajectory()).map(camera).collect(),
            intrinsics: session.intrinsics(),
            viewpoint: None,
            spacing: None,
        }
    }
}

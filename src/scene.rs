//! A reconstruction as it is kept, shared and looked at: points, camera path, where to look from. No network in it.
//!
//! A scene is written as GLB ([`crate::export::glb`]) or in a link's compact form, and read back from GLB, PLY or
//! that form. Whatever is read is untrusted.

use crate::{
    cloud::Cloud,
    geometry::{Intrinsics, Pose},
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
}

impl Scene {
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
        }
    }
}

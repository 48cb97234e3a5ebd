//! What exports are made from.

use std::sync::Arc;

use super::{ExportError, ExportOptions};
use crate::{
    cloud::Cloud,
    geometry::{Intrinsics, Pose},
    keyframes::{Keyframe, KeyframeMaps, Keyframes},
    scene::{Scene, SceneCamera},
    session::{ModelNote, Session},
};

/// Points, frames and camera of a scan. Cloning is cheap: points and maps are shared.
#[derive(Debug, Clone, Default)]
pub struct Reconstruction {
    /// The points.
    pub cloud: Cloud,
    /// Pose, picture and maps of every frame.
    pub keyframes: Keyframes,
    /// The camera of all frames, in pixels of their maps; `None` where no frame gave one.
    pub camera: Option<Intrinsics>,
    /// The same camera in pixels of the photographs.
    pub photograph: Option<Intrinsics>,
    /// Factor that the user measured, from this reconstruction's unit to metres; `None`: nothing was measured.
    pub scale: Option<f32>,
    /// The model that made it, where one did.
    pub model: Option<ModelNote>,
}

/// A frame whose picture and maps are kept.
pub(super) type FrameWithMaps<'a> = (&'a Keyframe, &'a KeyframeMaps);

impl Reconstruction {
    /// What a session holds now.
    #[must_use]
    pub fn of(session: &Session) -> Self {
        Self {
            cloud: session.cloud().clone(),
            keyframes: session.keyframes().clone(),
            camera: session.intrinsics(),
            photograph: session.photograph_intrinsics(),
            scale: Some(session.scale()),
            model: session.made_with().cloned(),
        }
    }

    /// The options with what the reconstruction itself adds: the scale that the user measured, and what is to be said
    /// of the model that made it.
    #[must_use]
    pub fn complete(&self, options: &ExportOptions) -> ExportOptions {
        let warning = self.model.as_ref().and_then(ModelNote::warning);
        let title = [Some(options.title.as_str()).filter(|title| !title.is_empty()), warning];
        let said = self.model.iter().flat_map(ModelNote::comments);
        ExportOptions {
            scale: options.scale * self.scale.unwrap_or(1.0),
            title: title.into_iter().flatten().collect::<Vec<_>>().join(" - "),
            comments: said.chain(options.comments.iter().cloned()).collect(),
            ..options.clone()
        }
    }

    /// Time and camera-to-world pose of every frame.
    #[must_use]
    pub fn trajectory(&self) -> Vec<(f64, Pose)> {
        self.keyframes.frames().iter().map(|frame| (frame.time, frame.pose)).collect()
    }

    /// The camera, for formats that cannot do without.
    ///
    /// # Errors
    /// [`ExportError::NoCamera`]; [`ExportError::Empty`] where there is no frame at all.
    pub fn camera(&self) -> Result<Intrinsics, ExportError> {
        if self.keyframes.frames().is_empty() {
            return Err(ExportError::Empty);
        }
        self.camera.ok_or(ExportError::NoCamera)
    }

    /// Frames whose maps are kept and belong to the camera's picture size, in order.
    ///
    /// # Errors
    /// When there is none, or a pose is not finite.
    pub(super) fn frames_with_maps(&self) -> Result<Vec<FrameWithMaps<'_>>, ExportError> {
        if self.keyframes.frames().is_empty() {
            return Err(ExportError::Empty);
        }
        let fits = |maps: &KeyframeMaps| {
            let pixels = maps.width * maps.height;
            let whole = [maps.rgb.len(), 3 * maps.depth.len(), 3 * maps.confidence.len()] == [3 * pixels; 3];
            whole && pixels > 0 && self.camera.is_none_or(|c| (c.width, c.height) == (maps.width, maps.height))
        };
        let mut frames = Vec::new();
        for (number, frame) in self.keyframes.frames().iter().enumerate() {
            if !frame.pose.is_finite() || !frame.time.is_finite() {
                return Err(ExportError::NotFinite(number));
            }
            if let Some(maps) = frame.maps.as_deref().filter(|maps| fits(maps)) {
                frames.push((Arc::as_ref(frame), maps));
            }
        }
        if frames.is_empty() { Err(ExportError::NoMaps) } else { Ok(frames) }
    }

    /// Points and cameras as a scene, at the scale and with the title of the options.
    #[must_use]
    pub fn scene(&self, options: &ExportOptions) -> Scene {
        let scale = options.scale;
        let scaled = |v: [f32; 3]| v.map(|v| v * scale);
        #[expect(clippy::float_cmp, reason = "nothing to do is exactly 1")]
        let cloud = if scale == 1.0 { self.cloud.clone() } else { self.cloud.scaled(scale) };
        let camera = |frame: &Arc<Keyframe>| SceneCamera {
            frame: frame.index,
            time: frame.time,
            pose: Pose { translation: scaled(frame.pose.translation), ..frame.pose },
        };
        Scene {
            title: options.title.clone(),
            cloud,
            cameras: self.keyframes.frames().iter().map(camera).collect(),
            intrinsics: self.camera,
            viewpoint: None,
            spacing: None,
        }
    }
}

//! Scenes in the page: opening one, packing one for a link, and where the viewer stands.

use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use super::Engine;
use super::error::EngineError;
use super::messages::{Answer, from_js, to_js};
use super::platform;
use crate::scene::share::{ShareOptions, Shared, pack_paced};
use crate::scene::{Limits, Scene, SceneError, Viewpoint, read};

/// Points that a page takes: 256 MB.
const LIMITS: Limits = Limits { points: 16 << 20, bytes: 512 << 20, cameras: 20_000 };

/// What was opened.
#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct SceneAnswer<'a> {
    title: &'a str,
    points: usize,
    cameras: usize,
    spacing: Option<f32>,
    viewpoint: Option<Viewpoint>,
}

/// What `share` is told.
#[derive(Deserialize, Default)]
#[serde(default, rename_all = "camelCase")]
struct Request {
    #[serde(flatten)]
    options: ShareOptions,
    title: String,
    viewpoint: Option<Viewpoint>,
}

impl From<SceneError> for EngineError {
    fn from(error: SceneError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

fn shared_to_js(shared: &Shared) -> Answer {
    #[derive(Serialize)]
    struct Numbers {
        points: usize,
        voxel: f32,
        cameras: usize,
    }
    let answer = to_js(&Numbers { points: shared.points, voxel: shared.voxel, cameras: shared.cameras })?;
    let bytes = js_sys::Uint8Array::from(shared.bytes.as_slice());
    js_sys::Reflect::set(&answer, &"bytes".into(), &bytes)?;
    Ok(answer)
}

#[wasm_bindgen]
impl Engine {
    /// Turns any scene file into the compact form that the small viewer reads. Needs no engine.
    ///
    /// # Errors
    /// When the file is refused, or nothing fits.
    #[wasm_bindgen(js_name = packScene)]
    pub async fn pack_scene(bytes: Vec<u8>, options: JsValue) -> Answer {
        let request: Request = from_js(options)?;
        let mut scene = read(&bytes, &LIMITS).map_err(EngineError::from)?;
        drop(bytes);
        scene.viewpoint = request.viewpoint.or(scene.viewpoint);
        let packed = pack_paced(&scene, request.options, &platform::pace(), &|| false).await;
        shared_to_js(&packed.map_err(EngineError::from)?)
    }

    /// Shows a scene file (GLB, PLY, compact form) instead of what is there.
    ///
    /// # Errors
    /// When the file is refused, or a reconstruction is going on.
    #[wasm_bindgen(js_name = openScene)]
    pub fn open_scene(&self, bytes: &[u8]) -> Answer {
        let mut session = self.session.borrow_mut();
        let session = session.as_mut().ok_or_else(EngineError::busy)?;
        let scene = read(bytes, &LIMITS).map_err(EngineError::from)?;
        session.adopt(&scene).map_err(EngineError::from)?;
        self.error.take();
        self.forget_picture();
        self.snapshot.borrow_mut().clear();
        self.publish(session);
        match scene.viewpoint.or_else(|| scene.first_view()) {
            Some(viewpoint) => self.with_view(|view| view.look(&viewpoint)),
            None => {
                let snapshot = self.snapshot.borrow();
                self.with_view(|view| view.fit(&snapshot));
            }
        }
        to_js(&SceneAnswer {
            title: &scene.title,
            points: scene.cloud.point_count(),
            cameras: scene.cameras.len(),
            spacing: scene.spacing,
            viewpoint: scene.viewpoint,
        })
    }

    /// Packs what is there into the compact form, giving way to everything else. Asking again, or `cancelShare`, ends
    /// what was asked before.
    ///
    /// # Errors
    /// When there is no point, or nothing fits; `cancelled`.
    pub async fn share(&self, options: JsValue) -> Answer {
        let request: Request = from_js(options)?;
        let scene = {
            let snapshot = self.snapshot.borrow();
            let session = snapshot.session();
            Scene { viewpoint: request.viewpoint, ..Scene::of(session, &request.title) }.scaled(session.scale())
        };
        let number = self.cancel_share();
        let outdated = || self.shares.get() != number;
        let packed = pack_paced(&scene, request.options, &self.pace, &outdated).await;
        shared_to_js(&packed.map_err(EngineError::from)?)
    }

    /// Ends the packing that is going on, if there is one.
    #[wasm_bindgen(js_name = cancelShare)]
    pub fn cancel_share(&self) -> u32 {
        self.shares.set(self.shares.get().wrapping_add(1));
        self.shares.get()
    }

    /// Where the viewer stands; undefined without a view.
    pub fn viewpoint(&self) -> Answer {
        self.view.borrow().as_ref().map_or(Ok(JsValue::UNDEFINED), |view| to_js(&view.viewpoint()))
    }

    /// Puts the viewer there. What is not a viewpoint is ignored.
    pub fn look(&self, viewpoint: JsValue) -> Answer<()> {
        let viewpoint: Viewpoint = from_js(viewpoint)?;
        self.with_view(|view| view.look(&viewpoint));
        Ok(())
    }
}

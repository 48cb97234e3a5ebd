//! Looking at the scene: where the viewer goes, what is under the pointer, a frame's maps, the course of the memory, the scale.

use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::Engine;
use super::command::Command;
use super::error::EngineError;
use super::messages::{Answer, from_js, to_js};
use super::view::{Navigation, View, ViewOptions};
use crate::render::{ColourMode, maps};

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct PickAnswer {
    position: [f32; 3],
    frame: usize,
    confidence: f32,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct FrameAnswer {
    /// Index of the frame in its source.
    index: u32,
    time: f64,
    width: usize,
    height: usize,
    depth_range: Option<[f32; 2]>,
    confidence_range: Option<[f32; 2]>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct HistoryAnswer {
    times: Vec<f64>,
    pointers: Vec<usize>,
    added: Vec<usize>,
    merged: Vec<usize>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct ViewAnswer {
    colour: ColourMode,
    range: [f32; 2],
    navigation: Navigation,
    eye: [f32; 3],
    target: [f32; 3],
    field_of_view: f32,
    frames: usize,
}

#[wasm_bindgen]
impl Engine {
    /// Size of the view in CSS pixels, and device pixels per CSS pixel.
    pub fn resize(&self, width: f64, height: f64, pixel_ratio: f64) {
        self.with_view(|view| view.resize(width, height, pixel_ratio));
    }

    /// Turns the view by a drag, CSS pixels.
    pub fn orbit(&self, dx: f32, dy: f32) {
        self.with_view(|view| view.orbit(dx, dy));
    }

    /// Moves the view by a drag, CSS pixels.
    pub fn pan(&self, dx: f32, dy: f32) {
        self.with_view(|view| view.pan(dx, dy));
    }

    /// Comes closer (factor > 1) or backs away.
    pub fn zoom(&self, factor: f32) {
        self.with_view(|view| view.zoom(factor));
    }

    /// Shows everything.
    pub fn fit(&self) {
        let snapshot = self.snapshot.borrow();
        self.with_view(|view| view.fit(&snapshot));
    }

    /// Changes how points are drawn.
    #[wasm_bindgen(js_name = setView)]
    pub fn set_view(&self, options: JsValue) -> Answer<()> {
        let options: ViewOptions = from_js(options)?;
        let snapshot = self.snapshot.borrow();
        self.with_view(|view| view.set(&options, &snapshot));
        Ok(())
    }

    /// Draws if something changed; whether it did.
    pub fn draw(&self) -> bool {
        self.lost().is_none() && self.view.borrow_mut().as_mut().is_some_and(View::draw)
    }

    /// Reads the pointers back where they are shown and not known: on a GPU they stay there until somebody looks.
    #[wasm_bindgen(js_name = readPointers)]
    pub async fn read_pointers(&self) -> Answer<()> {
        let wanted = self.view.borrow().as_ref().is_some_and(View::shows_pointers);
        let list = {
            let snapshot = self.snapshot.borrow();
            if !wanted || !snapshot.pointer_records().is_empty() {
                return Ok(());
            }
            snapshot.session().pointer_list().clone()
        };
        // A lost device is told elsewhere.
        let Ok(records) = list.read().await else { return Ok(()) };
        let mut snapshot = self.snapshot.borrow_mut();
        snapshot.know_pointers(records);
        self.with_view(|view| view.show(&snapshot));
        Ok(())
    }

    /// The point that is drawn at a place of the canvas (CSS pixels from its top left): `{position, frame,
    /// confidence}`, or null.
    pub fn pick(&self, x: f32, y: f32) -> Answer {
        let snapshot = self.snapshot.borrow();
        let picked = self.view.borrow().as_ref().and_then(|view| view.point_at(&snapshot, [x, y]));
        let answer = picked.and_then(|picked| {
            let point = snapshot.cloud().chunks().get(picked.chunk)?.points.get(picked.index)?;
            Some(PickAnswer { position: picked.position, frame: picked.chunk, confidence: point.confidence() })
        });
        to_js(&answer)
    }

    /// The frame whose frustum is drawn at a place of the canvas.
    #[wasm_bindgen(js_name = frameAt)]
    pub fn frame_at(&self, x: f32, y: f32) -> Option<usize> {
        self.view.borrow().as_ref().and_then(|view| view.renderer.frame_at([x, y]))
    }

    /// Looks through the camera of a frame (counted from 0 over the frames kept).
    #[wasm_bindgen(js_name = lookThrough)]
    pub fn look_through(&self, frame: usize) {
        self.with_view(|view| {
            view.look_through(frame);
        });
    }

    /// Walks until told otherwise: to the right, down, forward.
    pub fn walk(&self, x: f32, y: f32, z: f32, hurry: bool) {
        self.with_view(|view| view.walk([x, y, z], hurry));
    }

    /// Draws what is measured: x y z of no point, one, or two.
    #[wasm_bindgen(js_name = setMeasured)]
    pub fn set_measured(&self, ends: &[f32]) {
        self.with_view(|view| view.renderer.set_measured(ends.as_chunks::<3>().0));
    }

    /// Sets what a unit of the scene is; lengths of exports are multiplied by it.
    #[wasm_bindgen(js_name = setScale)]
    pub fn set_scale(&self, scale: f32) -> Answer<()> {
        if !(scale.is_finite() && scale > 0.0) {
            return Err(EngineError::bad_request("a scale is a positive number").into());
        }
        self.snapshot.borrow_mut().set_scale(scale);
        self.command(Command::Scale(scale))
    }

    /// Picture, depth and confidence of a frame as RGBA bytes, one after another, before which
    /// `frameFacts` says how large they are. Empty once the maps were let go of.
    #[wasm_bindgen(js_name = framePictures)]
    pub fn frame_pictures(&self, frame: usize) -> Vec<u8> {
        let snapshot = self.snapshot.borrow();
        let Some(kept) = snapshot.keyframe(frame).and_then(|k| k.maps.clone()) else { return Vec::new() };
        let mut bytes = maps::photograph(&kept);
        bytes.extend(maps::depth(&kept).rgba);
        bytes.extend(maps::confidence(&kept).rgba);
        bytes
    }

    /// `{index, time, width, height, depthRange, confidenceRange}` of a frame, or null.
    #[wasm_bindgen(js_name = frameFacts)]
    pub fn frame_facts(&self, frame: usize) -> Answer {
        let snapshot = self.snapshot.borrow();
        let answer = snapshot.keyframe(frame).map(|keyframe| {
            let kept = keyframe.maps.as_ref();
            FrameAnswer {
                index: keyframe.index,
                time: keyframe.time,
                width: kept.map_or(0, |m| m.width),
                height: kept.map_or(0, |m| m.height),
                depth_range: kept.and_then(|m| maps::depth(m).range),
                confidence_range: kept.and_then(|m| maps::confidence(m).range),
            }
        });
        to_js(&answer)
    }

    /// Times of all frames, and pointers in memory, added and merged at each.
    pub fn history(&self) -> Answer {
        let snapshot = self.snapshot.borrow();
        let frames = snapshot.keyframes();
        let count = |which: usize| frames.iter().map(|f| f.pointers.get(which).copied().unwrap_or(0)).collect();
        to_js(&HistoryAnswer {
            times: frames.iter().map(|f| f.time).collect(),
            pointers: count(0),
            added: count(1),
            merged: count(2),
        })
    }

    /// Where the viewer stands and what colours say; null without a canvas.
    #[wasm_bindgen(js_name = viewState)]
    pub fn view_state(&self) -> Answer {
        let view = self.view.borrow();
        let answer = view.as_ref().map(|view| {
            let (camera, settings) = (view.renderer.camera(), view.renderer.settings());
            ViewAnswer {
                colour: settings.colour,
                range: settings.range,
                navigation: view.navigation(),
                eye: camera.eye(),
                target: camera.pivot,
                field_of_view: camera.field_of_view,
                frames: view.renderer.frames().len(),
            }
        });
        to_js(&answer)
    }
}

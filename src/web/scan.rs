//! A scan's calls: which camera frames are worth computing, undo, putting the scan away and taking it up again.

use std::cell::RefCell;
use std::future::poll_fn;
use std::task::{Poll, Waker};

use serde::{Deserialize, Serialize};
use wasm_bindgen::prelude::*;

use super::Engine;
use super::error::EngineError;
use super::messages::{Answer, from_js, to_js};
use crate::frames::gate::{Gate, Verdict};
use crate::render::maps;
use crate::scene_log::{self, Begin, Record, SceneLogError, VERSION};
use crate::session::{Session, Undo};
use crate::weights::Manifest;

/// What the engine keeps for scans besides the session.
#[derive(Default)]
pub(super) struct ScanState {
    gate: RefCell<Gate>,
    /// Identity of the model in use.
    model: RefCell<String>,
    /// Identity of the model that made the reconstruction.
    made_with: RefCell<String>,
    /// Who waits for the session to be free.
    waiting: RefCell<Vec<Waker>>,
}

impl ScanState {
    /// A model has been loaded.
    pub(super) fn loaded(&self, manifest: &Manifest) {
        use sha2::{Digest, Sha256};
        let mut hash = Sha256::new();
        manifest.shards.iter().for_each(|shard| hash.update(&shard.sha256));
        let digest: String = hash.finalize().iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        self.model.replace(format!("{} {digest}", manifest.name));
    }

    /// A new reconstruction begins.
    pub(super) fn started(&self) {
        self.gate.take();
        self.made_with.replace(self.model.borrow().clone());
    }

    /// The session is free again.
    pub(super) fn freed(&self) {
        self.waiting.take().into_iter().for_each(Waker::wake);
    }
}

/// What `undo` is told: one of the three.
#[derive(Deserialize, Default)]
#[serde(default)]
struct UndoRequest {
    frames: Option<usize>,
    seconds: Option<f64>,
    to: Option<usize>,
}

/// What `lastFrame` answers.
#[derive(Serialize)]
struct LastFrame {
    time: f64,
    width: usize,
    height: usize,
}

impl From<UndoRequest> for Undo {
    fn from(request: UndoRequest) -> Self {
        match request {
            UndoRequest { to: Some(last), .. } => Self::To(last),
            UndoRequest { seconds: Some(seconds), .. } => Self::Seconds(seconds),
            UndoRequest { frames, .. } => Self::Frames(frames.unwrap_or(1)),
        }
    }
}

#[wasm_bindgen]
impl Engine {
    /// Whether a frame of a live camera (RGBA rows) is worth `push`: `take`, `blurred` or `still`. Seconds, rising.
    pub fn judge(&self, rgba: &[u8], width: usize, height: usize, time: f64) -> String {
        let verdict = self.scan.gate.borrow_mut().judge(rgba, width, height, 4, time);
        match verdict {
            Verdict::Take => "take",
            Verdict::Blurred => "blurred",
            Verdict::Still => "still",
        }
        .to_owned()
    }

    /// Takes frames back, after the one being computed: `{ frames }`, `{ seconds }` or `{ to }`, the last position kept.
    /// `replayed(done, total)` is called while the memory is rebuilt. Answers with the number of frames left.
    pub async fn undo(&self, what: JsValue, replayed: Option<js_sys::Function>) -> Answer<usize> {
        let what: UndoRequest = from_js(what)?;
        let mut session = self.free_session().await;
        let left = self.race(session.undo(what.into(), &self.pace, &mut progress(replayed.as_ref()))).await;
        self.give_back(session, left)
    }

    /// Takes up the reconstruction that is there, after `stop` or `restore`: rebuilds the memory from its pictures.
    #[wasm_bindgen(js_name = continueScan)]
    pub async fn continue_scan(&self, replayed: Option<js_sys::Function>) -> Answer<()> {
        let (made_with, model) = (self.scan.made_with.borrow().clone(), self.scan.model.borrow().clone());
        if made_with != model {
            let message = format!("this reconstruction was made with {made_with}, the model in use is {model}");
            return Err(EngineError::bad_request(&message).into());
        }
        let mut session = self.free_session().await;
        let done = self.race(session.continue_scan(&self.pace, &mut progress(replayed.as_ref()))).await;
        self.scan.gate.take();
        self.give_back(session, done)
    }

    /// The bytes that begin a log of the reconstruction (see `scene_log`). `began` in seconds since 1970.
    #[wasm_bindgen(js_name = beginRecord)]
    pub fn begin_record(&self, name: &str, began: f64) -> Vec<u8> {
        scene_log::begin_record(&Begin {
            version: VERSION,
            model: self.scan.made_with.borrow().clone(),
            options: self.snapshot.borrow().session().options().clone(),
            name: name.to_owned(),
            began,
            scale: Some(self.snapshot.borrow().session().scale()),
            made_with: self.snapshot.borrow().session().made_with().cloned(),
        })
    }

    /// The bytes of a frame for the log, by its position; none if there is no such frame.
    #[wasm_bindgen(js_name = frameRecord)]
    pub fn frame_record(&self, position: usize) -> Option<Vec<u8>> {
        self.snapshot.borrow().session().saved_frame(position).map(|frame| scene_log::frame_record(&frame))
    }

    /// The bytes that say how many frames an undo left.
    #[wasm_bindgen(js_name = keepRecord)]
    pub fn keep_record(&self, frames: usize) -> Vec<u8> {
        scene_log::keep_record(frames)
    }

    /// The bytes that say what the user set the scale to.
    #[wasm_bindgen(js_name = scaleRecord)]
    pub fn scale_record(&self, scale: f32) -> Vec<u8> {
        scene_log::scale_record(scale)
    }

    /// Frames that are there after the record that begins with these 28 bytes, if there were `before`.
    #[wasm_bindgen(js_name = framesAfter)]
    pub fn frames_after(&self, start: &[u8], before: usize) -> usize {
        scene_log::frames_after(start, before)
    }

    /// Bytes of the record that begins with these.
    #[wasm_bindgen(js_name = recordBytes)]
    pub fn record_bytes(&self, head: &[u8]) -> Answer<usize> {
        scene_log::record_bytes(head).map_err(|error| EngineError::from(error).into())
    }

    /// What the first record of a log says, `{ name, model, began }`; nothing is changed.
    #[wasm_bindgen(js_name = beginInfo)]
    pub fn begin_info(&self, record: &[u8]) -> Answer {
        match scene_log::read_record(record).map_err(EngineError::from)? {
            (Record::Begin(begin), _) => to_js(&begin),
            _ => Err(EngineError::from(SceneLogError::Damaged("it does not begin with a beginning")).into()),
        }
    }

    /// Applies one record of a log: the first one empties the session, the others fill it.
    pub async fn restore(&self, record: Vec<u8>) -> Answer<()> {
        let (record, _) = scene_log::read_record(&record).map_err(EngineError::from)?;
        let mut session = self.free_session().await;
        let outcome = match record {
            Record::Begin(begin) => {
                let made_with = begin.note();
                let begun = session.begin_restore(begin.options, begin.scale, made_with);
                if begun.is_ok() {
                    self.scan.made_with.replace(begin.model);
                    self.error.take();
                    self.forget_picture();
                    self.snapshot.borrow_mut().clear();
                }
                Ok(begun)
            }
            Record::Frame(frame) => {
                self.next_frame.set(frame.keyframe.index as usize + 1);
                self.race(session.add_saved(frame, &self.pace)).await
            }
            Record::Keep(frames) => {
                session.keep_saved(frames);
                Ok(Ok(()))
            }
            Record::Scale(scale) => {
                session.set_scale(scale);
                Ok(Ok(()))
            }
        };
        self.give_back(session, outcome)
    }

    /// When the last frame was taken and how large its photograph was: `{ time, width, height }`.
    #[wasm_bindgen(js_name = lastFrame)]
    pub fn last_frame(&self) -> Answer {
        let snapshot = self.snapshot.borrow();
        let session = snapshot.session();
        let Some(frame) = session.frames().checked_sub(1).and_then(|last| session.saved_frame(last)) else {
            return Ok(JsValue::UNDEFINED);
        };
        let (width, height) = frame.placement.photograph;
        to_js(&LastFrame { time: frame.keyframe.time, width, height })
    }

    /// The depth of the last frame as a picture `{ width, height, rgba, range }`, coloured as everywhere.
    #[wasm_bindgen(js_name = depthPicture)]
    pub fn depth_picture(&self) -> Answer {
        let snapshot = self.snapshot.borrow();
        let last = snapshot.session().keyframes().frames().last();
        let Some(frame) = last.and_then(|last| last.maps.clone()) else { return Ok(JsValue::UNDEFINED) };
        let picture = maps::depth(&frame);
        let rgba = js_sys::Uint8ClampedArray::from(picture.rgba.as_slice());
        let answer = js_sys::Object::new();
        let set = |name: &str, value: JsValue| js_sys::Reflect::set(&answer, &name.into(), &value);
        set("width", frame.width.into())?;
        set("height", frame.height.into())?;
        set("rgba", rgba.into())?;
        set("range", to_js(&picture.range)?)?;
        Ok(answer.into())
    }
}

impl Engine {
    /// The session, as soon as nobody else uses it; it must be given back.
    async fn free_session(&self) -> Session {
        poll_fn(|context| match self.session.borrow_mut().take() {
            Some(session) => Poll::Ready(session),
            None => {
                self.scan.waiting.borrow_mut().push(context.waker().clone());
                Poll::Pending
            }
        })
        .await
    }

    /// Ends what `free_session` began.
    fn give_back<T>(
        &self,
        mut session: Session,
        outcome: Result<Result<T, crate::session::SessionError>, EngineError>,
    ) -> Answer<T> {
        let outcome = outcome.and_then(|done| Ok(done?));
        if matches!(&outcome, Err(error) if error.code == "device-lost") {
            session.lose();
        }
        self.settle(session);
        Ok(outcome?)
    }
}

fn progress(callback: Option<&js_sys::Function>) -> impl FnMut(usize, usize) {
    move |done, total| {
        if let Some(callback) = callback {
            // What the page does with it is not the engine's concern.
            let _ = callback.call2(&JsValue::UNDEFINED, &done.into(), &total.into());
        }
    }
}

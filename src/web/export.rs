//! Files from the page: made from the snapshot, so while frames are computed and after the device is gone, piece by
//! piece, giving way to the event loop, and stopped when asked.

use std::cell::Cell;
use std::collections::BTreeMap;

use js_sys::{Function, Uint8Array};
use wasm_bindgen::prelude::*;

use super::Engine;
use super::error::EngineError;
use super::messages::{Answer, from_js, to_js};
use crate::device::DeviceError;
use crate::export::{ExportError, ExportOptions, Format, Sink, Watch, estimate::estimate, export, zip::Zip};

/// One file is made at a time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(super) enum Exporting {
    #[default]
    Idle,
    Running,
    Cancelled,
}

/// Makes the state idle again, however the export ends.
struct Running<'a>(&'a Cell<Exporting>);

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.0.set(Exporting::Idle);
    }
}

/// The one file of a format, handed on as it is.
struct Direct<'a>(&'a mut dyn FnMut(&[u8]) -> Result<(), ExportError>);

impl Sink for Direct<'_> {
    fn file(&mut self, _path: &str, bytes: &[u8]) -> Result<(), ExportError> {
        (self.0)(bytes)
    }
}

impl From<ExportError> for EngineError {
    fn from(error: ExportError) -> Self {
        Self::new(error.code(), error.to_string())
    }
}

/// Pieces in which a large file is handed over: copies stay small.
const PIECE: usize = 8 << 20;

#[wasm_bindgen]
impl Engine {
    /// Makes a file; formats of many files come as a zip. `emit` is given its bytes in order, `progress` shares of 1.
    ///
    /// # Errors
    /// `busy` while another is made; the error's own code when there is nothing to write, or `cancelled`.
    #[wasm_bindgen(js_name = exportFile)]
    pub async fn export_file(
        &self,
        format: String,
        options: JsValue,
        emit: Function,
        progress: Function,
    ) -> Answer<()> {
        let format: Format = format.parse().map_err(EngineError::from)?;
        let options: ExportOptions = if options.is_undefined() { ExportOptions::default() } else { from_js(options)? };
        if self.exporting.get() != Exporting::Idle {
            return Err(EngineError::new("busy", "another file is being made".to_owned()).into());
        }
        self.exporting.set(Exporting::Running);
        let _running = Running(&self.exporting);
        let scene = self.snapshot.borrow().reconstruction();

        let mut emit = |bytes: &[u8]| {
            for piece in bytes.chunks(PIECE) {
                let taken = emit.call1(&JsValue::UNDEFINED, &Uint8Array::from(piece));
                taken.map_err(|_| ExportError::Io(std::io::Error::other("the page did not take the bytes")))?;
            }
            Ok(())
        };
        // A progress bar that cannot be moved is no reason to stop.
        let mut progress = |share: f32| drop(progress.call1(&JsValue::UNDEFINED, &share.into()));
        let cancelled = || self.exporting.get() == Exporting::Cancelled;
        let mut watch = Watch::new(&self.pace, &mut progress, &cancelled);
        let written = if format.is_folder() {
            let mut zip = Zip::new(&mut emit);
            match export(&scene, format, &options, &mut zip, &mut watch).await {
                Ok(()) => zip.finish(),
                Err(error) => Err(error),
            }
        } else {
            export(&scene, format, &options, &mut Direct(&mut emit), &mut watch).await
        };
        Ok(written.map_err(EngineError::from)?)
    }

    /// Stops the file being made, if there is one.
    #[wasm_bindgen(js_name = cancelExport)]
    pub fn cancel_export(&self) {
        if self.exporting.get() == Exporting::Running {
            self.exporting.set(Exporting::Cancelled);
        }
    }

    /// About how many bytes each format takes, by name; absent where that cannot be told.
    #[wasm_bindgen(js_name = exportSizes)]
    pub fn export_sizes(&self, options: JsValue) -> Answer {
        let options: ExportOptions = if options.is_undefined() { ExportOptions::default() } else { from_js(options)? };
        let scene = self.snapshot.borrow().reconstruction();
        let sizes =
            Format::ALL.into_iter().filter_map(|f| estimate(&scene, f, &options).map(|bytes| (f.name(), bytes)));
        to_js(&sizes.collect::<BTreeMap<_, _>>())
    }

    /// The view as it is, drawn at another size and turned about its pivot by `turn` radians: RGBA rows.
    ///
    /// # Errors
    /// `device-lost` when there is nothing to draw with; `bad-request` for a size that no picture has.
    pub async fn capture(&self, width: u32, height: u32, turn: f32) -> Answer<Vec<u8>> {
        if let Some(lost) = self.lost() {
            return Err(EngineError::from(lost).into());
        }
        let missing = || EngineError::new("device-lost", "there is no graphics device to draw with".to_owned());
        let capture = self.view.borrow_mut().as_mut().map(|view| view.capture(width, height, turn));
        let capture = capture.ok_or_else(missing)?;
        let capture = capture.ok_or_else(|| EngineError::bad_request("a picture has 16 to 4096 pixels a side"))?;
        Ok(capture.read().await.map_err(|error| EngineError::from(DeviceError::Refused(error)))?)
    }
}

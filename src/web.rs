//! The engine in the browser: one class, `Engine`, in a dedicated worker. The only wasm-bindgen code of the crate
//! (this file and the folder `web`).
//!
//! JavaScript may call anything at any time, also while `push` waits: methods take `&self`, and no borrow is held
//! across an await. `push` takes the session out of its cell; meanwhile [`Snapshot`] answers (a clone that shares
//! points and tensors), drawing goes on, and commands for the session wait in `deferred`.
//! Everything thrown is an [`EngineError`]; a Rust panic instead posts `{code: "crashed", message}` to the page.

mod bench;
mod bench_block;
mod command;
mod convert;
mod error;
mod export;
mod look;
mod messages;
mod model;
mod platform;
mod scan;
mod scene;
mod snapshot;
mod source;
mod view;

use std::cell::{Cell, RefCell};
use std::future::{Future, poll_fn};
use std::pin::{Pin, pin};
use std::task::{Poll, Waker};

use wasm_bindgen::prelude::*;
use web_sys::OffscreenCanvas;

use self::command::Command;
use self::error::EngineError;
use self::messages::{
    Answer, CreateOptions, DeviceAnswer, ModelAnswer, StartOptions, StatsAnswer, VerifyBytes, from_js, rgb_image, to_js,
};
use self::snapshot::Snapshot;
use self::view::View;
use crate::device::{Backend, Compute, DeviceChoice, DeviceError, Gpu};
use crate::frames::Frame;
use crate::model::Point3r;
use crate::pace::Pace;
use crate::session::{Clock, ModelNote, Session, SessionOptions, SessionState};
use crate::verify::{Precision, Variant};
use crate::weights::Loader;

/// Bytes of points before they are merged into voxels, unless asked otherwise.
const CLOUD_BUDGET: usize = 256 << 20;

/// The engine.
#[wasm_bindgen]
pub struct Engine {
    compute: Compute,
    pace: Pace,
    /// None while `push` or `verify` uses it.
    session: RefCell<Option<Session>>,
    snapshot: RefCell<Snapshot>,
    view: RefCell<Option<View>>,
    loader: RefCell<Option<Loader>>,
    deferred: RefCell<Vec<Command>>,
    reset_requested: Cell<bool>,
    push_waker: RefCell<Option<Waker>>,
    next_frame: Cell<usize>,
    error: RefCell<Option<EngineError>>,
    scan: scan::ScanState,
    exporting: Cell<export::Exporting>,
    /// Counts what was asked to be packed: only the last is wanted.
    shares: Cell<u32>,
}

#[wasm_bindgen]
impl Engine {
    /// Opens the devices and binds the canvas, if there is one.
    ///
    /// # Errors
    /// `no-webgpu` or `no-adapter`, unless the CPU was asked for: then the engine runs without drawing.
    pub async fn create(canvas: Option<OffscreenCanvas>, options: JsValue) -> Answer<Engine> {
        platform::install_reporting();
        let options: CreateOptions = from_js(options)?;
        let choice: DeviceChoice = options.device.parse().map_err(EngineError::from)?;
        let (gpu, surface) = match open_gpu(canvas).await {
            Ok((gpu, surface)) => (Ok(gpu), surface),
            Err(error) if choice == DeviceChoice::Cpu => (Err(error), None),
            Err(error) => return Err(EngineError::from(error).into()),
        };
        let compute = Compute::choose(choice, gpu).map_err(EngineError::from)?;
        let view = match (&compute.gpu, surface) {
            (Some(gpu), Some(surface)) => Some(View::new(gpu.clone(), surface).map_err(EngineError::from)?),
            _ => None,
        };
        Ok(Self {
            compute,
            pace: platform::pace(),
            session: RefCell::new(Some(Session::with_clock(Clock(platform::now)))),
            snapshot: RefCell::default(),
            view: RefCell::new(view),
            loader: RefCell::default(),
            deferred: RefCell::default(),
            reset_requested: Cell::default(),
            push_waker: RefCell::default(),
            next_frame: Cell::default(),
            error: RefCell::default(),
            exporting: Cell::default(),
            shares: Cell::default(),
            scan: scan::ScanState::default(),
        })
    }

    /// What the machine has and where inference runs.
    pub fn device(&self) -> Answer {
        let rendering = self.view.borrow().is_some();
        to_js(&DeviceAnswer { report: self.compute.report.clone(), rendering })
    }

    /// Makes the loaded model the one in use. On a GPU everything it will run is compiled first, so that no frame waits.
    #[wasm_bindgen(js_name = finishModel)]
    pub async fn finish_model(&self) -> Answer {
        if self.session.borrow().is_none() {
            return Err(EngineError::busy().into());
        }
        let loader = self.loader.take().ok_or_else(|| EngineError::bad_request("open a manifest first"))?;
        let (name, trained) = (loader.manifest().name.clone(), loader.manifest().trained);
        self.scan.loaded(loader.manifest());
        let (config, parameters) = loader.finish().map_err(EngineError::from)?;
        let answer = ModelAnswer { name, trained, parameters: config.parameter_count(), input_size: config.image_size };
        let model = Point3r::new(config, parameters).map_err(EngineError::from)?;
        // Meanwhile nothing else may compute: the session is away, as during a frame.
        let mut session = self.session.borrow_mut().take().ok_or_else(EngineError::busy)?;
        let warmed = self.unless_lost(model.warm_up(model.usual_size(), &self.pace)).await;
        let warmed = warmed.and_then(|done| done.map_err(|e| EngineError::new(e.code(), e.to_string())));
        let warmed = warmed.and_then(|()| self.check_gpu());
        if warmed.is_ok() {
            session.load(model);
            session.set_model_note(ModelNote { name: answer.name.clone(), trained: Some(trained) });
        }
        self.settle(session);
        warmed?;
        self.error.take();
        to_js(&answer)
    }

    /// Begins a reconstruction with an empty cloud.
    pub fn start(&self, options: JsValue) -> Answer<()> {
        let given: StartOptions = if options.is_undefined() { StartOptions::default() } else { from_js(options)? };
        let mut session = self.session.borrow_mut();
        let session = session.as_mut().ok_or_else(EngineError::busy)?;
        let defaults = SessionOptions::default();
        let options = SessionOptions {
            size: given.size,
            confidence: given.confidence.unwrap_or(defaults.confidence),
            // `as` saturates, and takes what is not a number as 0.
            budget: Some(given.budget.map_or(CLOUD_BUDGET, |bytes| bytes as usize)),
            ..defaults
        };
        match session.state() {
            SessionState::Running | SessionState::Paused => session.stop(),
            SessionState::Failed => session.reset(),
            _ => {}
        }
        session.start(options).map_err(EngineError::from)?;
        self.next_frame.set(0);
        self.scan.started();
        self.error.take();
        self.forget_picture();
        self.snapshot.borrow_mut().clear();
        self.publish(session);
        Ok(())
    }

    /// Reconstructs one frame (RGBA rows, top to bottom), returning to the event loop while it computes.
    pub async fn push(&self, rgba: Vec<u8>, width: usize, height: usize, time: f64) -> Answer {
        let image = rgb_image(&rgba, width, height)?;
        drop(rgba);
        let mut session = self.session.borrow_mut().take().ok_or_else(EngineError::busy)?;
        let index = self.next_frame.replace(self.next_frame.get() + 1);
        let frame = Frame { index, time, image };
        session.watch_pointers(self.view.borrow().as_ref().is_some_and(View::shows_pointers));
        let raced = self.race(session.push(&frame, &self.pace)).await;
        let outcome = raced.and_then(|pushed| Ok(pushed?.report));
        let outcome = outcome.and_then(|report| self.check_gpu().map(|()| report));
        if let Err(error) = &outcome {
            match error.code {
                "device-lost" => session.lose(),
                "out-of-memory" => session.fail(),
                _ => {}
            }
        }
        if let Ok(report) = &outcome {
            self.snapshot.borrow_mut().took(report.ms_per_frame);
        }
        self.settle(session);
        self.read_pointers().await?;
        match outcome {
            Ok(report) => {
                self.error.take();
                to_js(&report)
            }
            Err(error) => {
                // What concerns this frame alone is the caller's to tell; what concerns the engine stays visible.
                if matches!(error.code, "device-lost" | "out-of-memory" | "crashed") {
                    self.error.replace(Some(error.clone()));
                }
                Err(error.into())
            }
        }
    }

    /// Refuses frames until `resume`; at once, or when the frame being computed is done.
    pub fn pause(&self) -> Answer<()> {
        self.command(Command::Pause)
    }

    /// Takes frames again.
    pub fn resume(&self) -> Answer<()> {
        self.command(Command::Resume)
    }

    /// Forgets the reconstruction; a frame being computed is given up and its promise rejected.
    pub fn reset(&self) -> Answer<()> {
        self.error.take();
        self.next_frame.set(0);
        self.deferred.take();
        self.forget_picture();
        if let Some(session) = self.session.borrow_mut().as_mut() {
            session.reset();
            self.publish(session);
        } else {
            self.reset_requested.set(true);
            self.snapshot.borrow_mut().clear();
            if let Some(waker) = self.push_waker.take() {
                waker.wake();
            }
        }
        Ok(())
    }

    /// The reconstruction so far as a file.
    pub fn export(&self, format: &str) -> Answer<Vec<u8>> {
        Ok(self.snapshot.borrow().export(format)?)
    }

    /// Numbers to show.
    pub fn stats(&self) -> Answer {
        let snapshot = self.snapshot.borrow();
        let view_bytes = self.view.borrow().as_ref().map_or(0, View::bytes);
        let lost = self.lost().map(EngineError::from);
        to_js(&StatsAnswer {
            state: snapshot.state(),
            device: self.compute.report.backend,
            tier: self.compute.report.tier,
            frames: snapshot.frames(),
            pointers: snapshot.pointers(),
            points: snapshot.cloud().point_count(),
            ms_per_frame: snapshot.ms_per_frame(),
            gpu_bytes: view_bytes + self.compute.gpu_bytes(),
            wasm_bytes: platform::memory_bytes(),
            cloud_bytes: snapshot.cloud().bytes(),
            cloud_budget: Some(snapshot.cloud().budget()).filter(|budget| *budget < usize::MAX),
            voxel: snapshot.cloud().fusion().map(|fusion| fusion.voxel),
            fusions: snapshot.cloud().fusion().map_or(0, |fusion| fusion.times),
            map_bytes: snapshot.map_bytes(),
            scale: snapshot.scale(),
            error: lost.or_else(|| self.error.borrow().clone()),
        })
    }

    /// Runs a reference folder on the engine's compute device and compares.
    pub async fn verify(&self, files: JsValue) -> Answer {
        let files = VerifyBytes::from_js(&files)?;
        let session = self.session.borrow_mut().take().ok_or_else(EngineError::busy)?;
        let precision = match self.compute.report.backend {
            Backend::Cpu => Precision::Cpu,
            Backend::Gpu => Precision::Gpu,
        };
        let clock = || platform::now() / 1e3;
        let device = &self.compute.device;
        let work = crate::verify::verify(files.borrow(), device, precision, Variant::F32, &clock, &self.pace);
        let raced = self.race(work).await;
        self.reset_requested.set(false);
        self.settle(session);
        let report = raced?.map_err(EngineError::from)?;
        self.check_gpu()?;
        to_js(&report)
    }
}

impl Engine {
    /// Loss of the GPU, if it was lost.
    fn lost(&self) -> Option<DeviceError> {
        self.compute.gpu.as_ref().and_then(|gpu| gpu.events.lost())
    }

    /// What inference must know of the GPU: loss and errors, if inference runs there.
    fn check_gpu(&self) -> Result<(), EngineError> {
        match &self.compute.gpu {
            Some(gpu) if self.compute.report.backend == Backend::Gpu => {
                gpu.events.lost().or_else(|| gpu.events.take_error()).map_or(Ok(()), |error| Err(error.into()))
            }
            _ => Ok(()),
        }
    }

    /// Runs `work` until it is done or the device it runs on is lost.
    async fn unless_lost<F: Future>(&self, work: F) -> Result<F::Output, EngineError> {
        let mut work = pin!(work);
        let gpu = self.compute.gpu.as_ref().filter(|_| self.compute.report.backend == Backend::Gpu);
        let mut lost = gpu.map(|gpu| gpu.events.until_lost());
        poll_fn(|context| {
            if let Some(Poll::Ready(error)) = lost.as_mut().map(|lost| Pin::new(lost).poll(context)) {
                return Poll::Ready(Err(error.into()));
            }
            work.as_mut().poll(context).map(Ok)
        })
        .await
    }

    /// Runs `work` until it is done, the device it runs on is lost, or a reset is asked for.
    async fn race<F: Future>(&self, work: F) -> Result<F::Output, EngineError> {
        let mut work = pin!(work);
        let until_reset = poll_fn(|context| {
            if self.reset_requested.get() {
                return Poll::Ready(Err(EngineError::bad_request("the reconstruction was reset")));
            }
            self.push_waker.replace(Some(context.waker().clone()));
            work.as_mut().poll(context).map(Ok)
        });
        self.unless_lost(until_reset).await?
    }

    fn command(&self, command: Command) -> Answer<()> {
        if let Some(session) = self.session.borrow_mut().as_mut() {
            command.apply(session)?;
            self.publish(session);
        } else {
            self.deferred.borrow_mut().push(command);
        }
        Ok(())
    }

    /// Puts the session back after work on it, and does what was asked for meanwhile.
    fn settle(&self, mut session: Session) {
        if self.reset_requested.take() {
            session.reset();
        }
        for command in self.deferred.take() {
            // A command that no longer applies (the frame failed) has nothing to act on.
            let _ = command.apply(&mut session);
        }
        self.publish(&session);
        self.session.replace(Some(session));
        self.scan.freed();
    }

    /// Makes what the session holds visible to everything that may ask while the session is away.
    fn publish(&self, session: &Session) {
        let mut snapshot = self.snapshot.borrow_mut();
        snapshot.take_from(session);
        self.with_view(|view| view.show(&snapshot));
    }

    fn forget_picture(&self) {
        self.with_view(View::clear);
    }

    fn with_view(&self, change: impl FnOnce(&mut View)) {
        if let (None, Some(view)) = (self.lost(), self.view.borrow_mut().as_mut()) {
            change(view);
        }
    }
}

async fn open_gpu(canvas: Option<OffscreenCanvas>) -> Result<(Gpu, Option<wgpu::Surface<'static>>), DeviceError> {
    if !platform::has_webgpu() {
        return Err(DeviceError::NoWebGpu);
    }
    let instance = Gpu::instance();
    let gpu = Gpu::open(instance.clone(), None).await?;
    // Only now: a canvas that was given a context can never be used for another.
    let refused = |e: wgpu::CreateSurfaceError| DeviceError::Refused(e.to_string());
    let surface = canvas.map(|c| instance.create_surface(wgpu::SurfaceTarget::OffscreenCanvas(c))).transpose();
    Ok((gpu, surface.map_err(refused)?))
}

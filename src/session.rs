//! A reconstruction in progress: the only state machine, the same natively and in the worker.
//!
//! ```text
//! Empty --load--> Ready --start--> Running <--pause/resume--> Paused
//!                   ^------ stop, reset --------'---------------'
//! any state with a model --lose--> Lost (device gone)    --fail--> Failed;   both leave by load or reset
//! ```
//!
//! Whatever happens, the cloud and the trajectory so far stay until `reset` or `start`.
//! A frame either counts fully or not at all: the network works on a copy of the memory (tensors are
//! shared, not copied), which replaces the memory only when the frame's output is usable.
//! `undo` therefore also rewinds the memory, to any frame ([`Undo`]).

mod adopt;
mod checkpoints;
mod error;
mod maps;
mod origin;
mod rewind;
mod saved;
mod scene;
mod types;

use std::sync::Arc;

pub use crate::memory::PointerRecord;
pub use checkpoints::RECENT;
pub use error::SessionError;
pub use maps::Maps;
pub use origin::ModelNote;
pub use rewind::{Replayed, Undo};
pub use saved::{Placement, SavedFrame};
pub use types::{Clock, FrameReport, FrameResult, SessionOptions, SessionState};

use self::checkpoints::Checkpoints;
use crate::{
    cloud::Cloud,
    frames::Frame,
    geometry::{Intrinsics, Pose, focal_length, median},
    keyframes::{Keyframe, KeyframeMaps, Keyframes},
    memory::PointerList,
    model::{ModelError, Point3r, Probe, State},
    pace::Pace,
    preprocess::Preprocess,
};

/// A reconstruction and everything it owns. Cloning is cheap: tensors and points are shared, not copied.
#[derive(Debug, Clone, Default)]
pub struct Session {
    clock: Clock,
    phase: Phase,
    model: Option<Point3r>,
    options: SessionOptions,
    memory: Option<State>,
    checkpoints: Checkpoints,
    size: Option<(usize, usize)>,
    view: Option<View>,
    cloud: Cloud,
    keyframes: Keyframes,
    trajectory: Vec<(f64, Pose)>,
    focals: Vec<Option<f64>>,
    pointers: Vec<usize>,
    /// Where the pointers after the last frame are; stays when the memory is let go of.
    pointer_list: PointerList,
    /// What they are, as far as it is known.
    pointer_records: Arc<[PointerRecord]>,
    /// Whether they are to be known after every frame.
    watched: bool,
    /// Metres, or whatever the user measures in, per unit of the network.
    scale: Option<f32>,
    /// The model that is loaded, and the one that made what is there.
    loaded_note: Option<ModelNote>,
    made_with: Option<ModelNote>,
}

/// How the network's input lies in the photographs.
#[derive(Debug, Clone, Copy)]
struct View {
    input: (usize, usize),
    photograph: (usize, usize),
    scale: [f64; 2],
    offset: [f64; 2],
}

/// `SessionState` without what follows from the model's presence.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Phase {
    #[default]
    Idle,
    Running,
    Paused,
    Lost,
    Failed,
}

impl Session {
    /// A session without a model.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// A session that measures time by `clock` (the page's).
    #[must_use]
    pub fn with_clock(clock: Clock) -> Self {
        Self { clock, ..Self::default() }
    }

    /// Where the session stands.
    #[must_use]
    pub fn state(&self) -> SessionState {
        match (self.phase, &self.model) {
            (Phase::Lost, _) => SessionState::Lost,
            (Phase::Failed, _) => SessionState::Failed,
            (_, None) => SessionState::Empty,
            (Phase::Idle, _) => SessionState::Ready,
            (Phase::Running, _) => SessionState::Running,
            (Phase::Paused, _) => SessionState::Paused,
        }
    }

    fn refuse<T>(&self, request: &'static str, hint: &'static str) -> Result<T, SessionError> {
        Err(SessionError::State { request, state: self.state(), hint })
    }

    /// Takes a model. A reconstruction that was going on ends; its cloud stays until the next `start`.
    pub fn load(&mut self, model: Point3r) {
        self.forget_memory();
        self.loaded_note = None;
        self.model = Some(model);
        self.phase = Phase::Idle;
    }

    /// The model, if one is loaded.
    #[must_use]
    pub fn model(&self) -> Option<&Point3r> {
        self.model.as_ref()
    }

    /// Begins a reconstruction; what was there before is cleared.
    ///
    /// # Errors
    /// Unless the session is ready, or when the requested input size is not usable.
    pub fn start(&mut self, options: SessionOptions) -> Result<(), SessionError> {
        match self.state() {
            SessionState::Ready => {}
            SessionState::Empty => return self.refuse("start", "load a model first"),
            SessionState::Lost => return self.refuse("start", "load the model again"),
            SessionState::Failed => return self.refuse("start", "reset first"),
            SessionState::Running | SessionState::Paused => return self.refuse("start", "stop or reset first"),
        }
        if let Some(size) = options.size {
            let probe = Preprocess { size, crop: options.crop };
            probe.input_size(512, 512).map_err(|source| SessionError::Image { frame: 0, source })?;
        }
        self.clear();
        self.cloud = Cloud::new(options.budget.unwrap_or(usize::MAX));
        self.keyframes = Keyframes::new(options.keyframe_budget);
        self.options = options;
        self.made_with = self.loaded_note.clone();
        self.phase = Phase::Running;
        Ok(())
    }

    /// Reconstructs one frame: prepares the picture, runs the network, reads its maps, adds points.
    ///
    /// # Errors
    /// When the session is not running or the frame cannot be used; nothing changes then, except that
    /// a device failure ends in [`SessionState::Lost`].
    pub async fn push(&mut self, frame: &Frame, pace: &Pace) -> Result<FrameResult, SessionError> {
        if self.phase != Phase::Running {
            return self.refuse("take a frame", "start or resume first");
        }
        let Some(model) = &self.model else { return self.refuse("take a frame", "load a model first") };
        let clock = self.clock.0;
        let begin = clock();

        let size = self.options.size.unwrap_or(model.config().image_size);
        let prepare = Preprocess { size, crop: self.options.crop };
        let wrong = |source| SessionError::Image { frame: frame.index, source };
        let found = prepare.input_size(frame.image.width, frame.image.height).map_err(wrong)?;
        if let Some(expected) = self.size.filter(|&expected| expected != found) {
            return Err(SessionError::FrameSize { frame: frame.index, expected, found });
        }
        let prepared = prepare.prepare(&frame.image).map_err(wrong)?;
        let after_preprocess = clock();
        pace.breathe().await;

        let mut memory = self.memory.clone().unwrap_or_else(|| model.start().with_cap(self.options.pointers));
        let mut probe = Probe::timed(Box::new(clock));
        let prediction = match model.step_probed(&mut memory, &prepared.image, pace, &mut probe).await {
            Ok((prediction, _)) => prediction,
            Err(error) => {
                if matches!(error, ModelError::Device(_)) {
                    self.lose();
                }
                return Err(SessionError::Model { frame: frame.index, source: error });
            }
        };
        let (pose, pointers) = (prediction.pose, prediction.pointers);
        let after_network = clock();

        let maps = match Maps::of(prediction).await {
            Ok(maps) => maps,
            Err(error) => {
                self.lose();
                return Err(error);
            }
        };
        let looked_at = match self.look_at_pointers(Some(&memory)).await {
            Ok(pointers) => pointers,
            Err(source) => {
                self.lose();
                return Err(SessionError::Model { frame: frame.index, source });
            }
        };
        let after_readback = clock();
        let broken = maps.broken_world_values() + pose.to_array().iter().filter(|v| !v.is_finite()).count();
        if broken > 0 {
            return Err(SessionError::NotFinite { frame: frame.index, count: broken });
        }

        let focal = focal_length(maps.points_camera(), maps.width, maps.height);
        let number = u32::try_from(frame.index).unwrap_or(u32::MAX);
        let chunk = maps.chunk(number, &prepared.image, self.options.confidence);
        let frame_points = chunk.points.len();
        // On a copy, which shares the points: should the future be dropped meanwhile, nothing has happened.
        let mut cloud = self.cloud.clone();
        cloud.push(chunk);
        cloud.fuse(pace).await;
        self.cloud = cloud;
        if let Some(before) = self.memory.replace(memory) {
            self.checkpoints.keep(self.trajectory.len(), before);
        }
        self.remember_pointers(looked_at);
        self.size = Some(found);
        let photograph = (frame.image.width, frame.image.height);
        self.view = Some(View { input: found, photograph, scale: prepared.scale, offset: prepared.offset });
        let kept = KeyframeMaps::new(&prepared.image, maps.depth(), maps.confidence_camera());
        self.keyframes.push(Keyframe {
            index: number,
            time: frame.time,
            pose,
            focal,
            pointers: [pointers.total, pointers.added, pointers.merged],
            maps: Some(Arc::new(kept)),
        });
        self.trajectory.push((frame.time, pose));
        self.focals.push(focal);
        self.pointers.push(pointers.total);

        let end = clock();
        let stages = [
            ("preprocess", after_preprocess - begin),
            ("readback", after_readback - after_network),
            ("pack", end - after_readback),
        ];
        let report = FrameReport {
            index: frame.index,
            time: frame.time,
            pose: pose.to_array(),
            pointers: pointers.total,
            added: pointers.added,
            merged: pointers.merged,
            points: self.cloud.point_count(),
            frame_points,
            voxel: self.cloud.fusion().map(|fusion| fusion.voxel),
            focal,
            ms_per_frame: end - begin,
            stages: stages.into_iter().chain(probe.stages().iter().copied()).collect(),
            bytes: self.cloud.bytes(),
        };
        Ok(FrameResult { report, prepared, maps })
    }

    /// Refuses frames until `resume`.
    ///
    /// # Errors
    /// Unless the session is running (pausing twice is fine).
    pub fn pause(&mut self) -> Result<(), SessionError> {
        match self.phase {
            Phase::Running | Phase::Paused => self.phase = Phase::Paused,
            _ => return self.refuse("pause", "nothing is running"),
        }
        Ok(())
    }

    /// Takes frames again.
    ///
    /// # Errors
    /// Unless the session is paused (resuming twice is fine).
    pub fn resume(&mut self) -> Result<(), SessionError> {
        match self.phase {
            Phase::Running | Phase::Paused => self.phase = Phase::Running,
            _ => return self.refuse("resume", "start first"),
        }
        Ok(())
    }

    /// Ends the reconstruction. The cloud stays for export; the memory is let go of.
    pub fn stop(&mut self) {
        self.forget_memory();
        if matches!(self.phase, Phase::Running | Phase::Paused) {
            self.phase = Phase::Idle;
        }
    }

    /// Clears everything but the model. A lost session stays empty until a model is loaded.
    pub fn reset(&mut self) {
        self.clear();
        self.phase = Phase::Idle;
    }

    /// The compute device is gone: the model with it, the cloud stays.
    pub fn lose(&mut self) {
        self.forget_memory();
        self.model = None;
        self.phase = Phase::Lost;
    }

    /// The computation cannot go on: the cloud stays, `reset` or `load` begins anew.
    pub fn fail(&mut self) {
        self.forget_memory();
        self.phase = Phase::Failed;
    }

    fn forget_memory(&mut self) {
        self.memory = None;
        self.checkpoints.clear();
        self.size = None;
    }

    fn clear(&mut self) {
        self.forget_memory();
        self.cloud = Cloud::default();
        self.keyframes = Keyframes::default();
        self.trajectory.clear();
        self.focals.clear();
        self.pointers.clear();
        (self.pointer_list, self.pointer_records) = Default::default();
        self.scale = None;
        self.made_with = None;
        self.view = None;
    }

    /// The points so far.
    #[must_use]
    pub fn cloud(&self) -> &Cloud {
        &self.cloud
    }

    /// Pose, picture and maps of every frame.
    #[must_use]
    pub fn keyframes(&self) -> &Keyframes {
        &self.keyframes
    }

    /// Time and camera-to-world pose of every frame.
    #[must_use]
    pub fn trajectory(&self) -> &[(f64, Pose)] {
        &self.trajectory
    }

    /// Focal length of every frame, pixels of the network input.
    #[must_use]
    pub fn focals(&self) -> &[Option<f64>] {
        &self.focals
    }

    /// Number of frames that counted.
    #[must_use]
    pub fn frames(&self) -> usize {
        self.trajectory.len()
    }

    /// Pointers in memory after the last frame.
    #[must_use]
    pub fn pointers(&self) -> usize {
        self.pointers.last().copied().unwrap_or(0)
    }

    /// Size of the network's input, (across, down), once there is a frame.
    #[must_use]
    pub fn input_size(&self) -> Option<(usize, usize)> {
        self.view.map(|view| view.input)
    }

    /// The camera of the sequence, pixels of the network input: the median of its frames' focal lengths.
    #[must_use]
    pub fn intrinsics(&self) -> Option<Intrinsics> {
        let (width, height) = self.view?.input;
        Some(Intrinsics::centred(median(self.focals.iter().flatten().copied())?, width, height))
    }

    /// The same camera in pixels of the photographs (of the last one, should they differ in size).
    #[must_use]
    pub fn photograph_intrinsics(&self) -> Option<Intrinsics> {
        let View { photograph: (width, height), scale, offset, .. } = self.view?;
        Some(self.intrinsics()?.in_photograph(scale, offset, width, height))
    }
}

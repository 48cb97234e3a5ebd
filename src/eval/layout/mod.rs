//! Data set layouts: which files are the frames, depths, poses and cameras of which sequences.
//!
//! A reader only lists files; pictures, depths and poses are opened when a task asks for them, so that a task is
//! not stopped by what it does not need.

mod depth_only;
mod numbers;
mod posed_rgbd;
mod read;
mod rooms;
mod sintel;
mod tum;

use std::path::{Path, PathBuf};

pub(super) use numbers::{text, tum_poses};
pub(super) use read::{pictures, png16};

use super::{EvalError, depth::DepthLimits, resample::Map, trajectory::CameraPose};
use numbers::PoseForm;

/// The layouts that can be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Layout {
    /// `color/`, `depth/` (16 bit, mm), `pose/` (4x4), `intrinsics.txt`.
    PosedRgbd,
    /// TUM RGB-D, as published or reduced to `rgb_90` and `groundtruth_90.txt`.
    Tum,
    /// 7-Scenes with depth registered to colour (`.depth.proj.png`).
    #[value(name = "7scenes")]
    SevenScenes,
    /// Neural RGB-D.
    Nrgbd,
    /// MPI Sintel with depth and cameras.
    Sintel,
    /// Bonn RGB-D Dynamic, as published or reduced to `rgb_110` and `depth_110`.
    Bonn,
    /// KITTI depth selection, gathered by sequence or flat.
    Kitti,
    /// NYU-v2 as `nyu_images` and `nyu_depths` (`.npy`).
    Nyu,
    /// `ScanNet`, exported or reduced to `color_90` and `pose_90.txt`.
    Scannet,
}

/// Where depth is stored and how.
#[derive(Debug, Clone, PartialEq)]
pub struct DepthFile {
    /// The file.
    pub path: PathBuf,
    coding: DepthCoding,
    hint: &'static str,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum DepthCoding {
    /// 16-bit PNG; 0 and 65535 mean none.
    Png { per_metre: f32 },
    /// Sintel's `.dpt`.
    Sintel,
    /// A two-dimensional `.npy` of f32 or f64, metres.
    Npy,
}

impl DepthFile {
    fn png(path: PathBuf, per_metre: f32) -> Self {
        let hint = "depth is needed here: complete the data set, or skip such frames with --skip-bad";
        Self { path, coding: DepthCoding::Png { per_metre }, hint }
    }

    /// A 16-bit PNG in millimetres.
    #[must_use]
    pub fn millimetres(path: PathBuf) -> Self {
        Self { hint: "give a 16-bit PNG", ..Self::png(path, 1000.0) }
    }

    /// Reads the depth, metres; not a number where there is none.
    ///
    /// # Errors
    /// When the file is missing or holds something else.
    pub fn read(&self) -> Result<Map, EvalError> {
        read::depth(&self.path, self.coding, self.hint)
    }
}

/// Where a pose is stored.
#[derive(Debug, Clone, PartialEq, Default)]
enum PoseSource {
    #[default]
    None,
    File(PathBuf, PoseForm),
    /// Numbers of a file with one pose per line or block; the path names the place in it.
    Numbers(PathBuf, Vec<f64>, PoseForm),
}

/// One frame of a sequence: where to find it.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameFiles {
    /// Position in the sequence before any selection.
    pub index: usize,
    /// Seconds.
    pub time: f64,
    /// The picture.
    pub color: PathBuf,
    /// Its depth.
    pub depth: Option<DepthFile>,
    pose: PoseSource,
}

impl FrameFiles {
    #[expect(clippy::cast_precision_loss, reason = "indices")]
    fn new(index: usize, color: PathBuf) -> Self {
        Self { index, time: index as f64 / 30.0, color, depth: None, pose: PoseSource::None }
    }

    /// Whether the layout has a pose for the frame.
    #[must_use]
    pub fn has_pose(&self) -> bool {
        self.pose != PoseSource::None
    }

    /// Reads the camera-to-world pose.
    ///
    /// # Errors
    /// When there is none or it is not usable.
    pub fn pose(&self) -> Result<CameraPose, EvalError> {
        match &self.pose {
            PoseSource::None => Err(EvalError::Missing {
                path: self.color.clone(),
                reason: "the frame has no pose".to_owned(),
                hint: "complete the data set, or skip such frames with --skip-bad",
            }),
            PoseSource::File(path, PoseForm::SintelCamera) => read::sintel_camera(path).map(|(pose, _)| pose),
            PoseSource::File(path, form) => numbers::pose(path, &numbers::read(path)?, *form),
            PoseSource::Numbers(place, values, form) => numbers::pose(place, values, *form),
        }
    }
}

/// A pinhole camera, pixels of the pictures; positions from the corner of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Camera {
    /// Focal lengths.
    pub focal: [f64; 2],
    /// Principal point.
    pub centre: [f64; 2],
}

impl Camera {
    /// From the usual four numbers, which count from the middle of the first pixel.
    fn new(fx: f64, fy: f64, cx: f64, cy: f64) -> Self {
        Self { focal: [fx, fy], centre: [cx + 0.5, cy + 0.5] }
    }

    /// The point of depth `z` seen at picture position `at`.
    #[must_use]
    pub fn point(&self, at: [f64; 2], z: f64) -> [f64; 3] {
        [(at[0] - self.centre[0]) / self.focal[0] * z, (at[1] - self.centre[1]) / self.focal[1] * z, z]
    }
}

/// One sequence of frames.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence {
    /// Its name below the data folder.
    pub name: String,
    /// Frames in order.
    pub frames: Vec<FrameFiles>,
    /// The camera of the pictures.
    pub camera: Option<Camera>,
    /// Which depths count.
    pub limits: DepthLimits,
    /// Whether it belongs to the list on which pose is usually reported.
    pub pose_list: bool,
    /// What the reader left out.
    pub notes: Vec<String>,
}

impl Sequence {
    fn new(name: String, frames: Vec<FrameFiles>) -> Self {
        let limits = DepthLimits::default();
        Self { name, frames, camera: None, limits, pose_list: true, notes: Vec::new() }
    }
}

/// What a layout needs to know: one reader per family of data sets.
trait Reader {
    /// What a folder must hold, for the error message.
    fn expected(&self) -> &'static str;
    /// How deep below the data folder sequences may lie.
    fn depth(&self) -> usize;
    /// Whether `folder` is a sequence.
    fn is_sequence(&self, folder: &Path) -> bool;
    /// Lists the sequence in `folder`.
    fn sequence(&self, folder: &Path, name: String) -> Result<Sequence, EvalError>;
}

impl Layout {
    /// The layout's name on the command line.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::PosedRgbd => "posed-rgbd",
            Self::Tum => "tum",
            Self::SevenScenes => "7scenes",
            Self::Nrgbd => "nrgbd",
            Self::Sintel => "sintel",
            Self::Bonn => "bonn",
            Self::Kitti => "kitti",
            Self::Nyu => "nyu",
            Self::Scannet => "scannet",
        }
    }

    /// The sequences under `root`, which may be a data set, a scene or a single sequence.
    ///
    /// # Errors
    /// When there is none, or one cannot be listed.
    pub fn sequences(self, root: &Path) -> Result<Vec<Sequence>, EvalError> {
        let reader: &dyn Reader = match self {
            Self::PosedRgbd => &posed_rgbd::PosedRgbd,
            Self::Tum => &tum::TUM,
            Self::Bonn => &tum::BONN,
            Self::SevenScenes => &rooms::SevenScenes,
            Self::Nrgbd => &rooms::NeuralRgbd,
            Self::Scannet => &posed_rgbd::ScanNet,
            Self::Sintel => &sintel::Sintel,
            Self::Kitti => &depth_only::Kitti,
            Self::Nyu => &depth_only::Nyu,
        };
        let mut folders = Vec::new();
        find(root, reader, reader.depth(), &mut folders)?;
        if folders.is_empty() {
            let expected = reader.expected();
            return Err(EvalError::NoSequence { path: root.to_owned(), layout: self.name(), expected });
        }
        let mut sequences = Vec::new();
        for folder in folders {
            let sequence = reader.sequence(&folder, name_below(root, &folder))?;
            if sequence.frames.is_empty() {
                let expected = reader.expected();
                return Err(EvalError::NoSequence { path: folder, layout: self.name(), expected });
            }
            sequences.push(sequence);
        }
        Ok(sequences)
    }
}

/// The folder's path below `root` with `/`, or its own name if it is the root.
fn name_below(root: &Path, folder: &Path) -> String {
    let below = folder.strip_prefix(root).unwrap_or(folder);
    let parts: Vec<_> = below.components().map(|c| c.as_os_str().to_string_lossy().into_owned()).collect();
    if !parts.is_empty() {
        return parts.join("/");
    }
    let full = root.canonicalize().unwrap_or_else(|_| root.to_owned());
    full.file_name().map_or_else(|| "sequence".to_owned(), |name| name.to_string_lossy().into_owned())
}

fn find(folder: &Path, reader: &dyn Reader, depth: usize, found: &mut Vec<PathBuf>) -> Result<(), EvalError> {
    if reader.is_sequence(folder) {
        found.push(folder.to_owned());
        return Ok(());
    }
    let entries = read::entries(folder)?;
    if depth > 0 {
        for entry in entries.iter().filter(|path| path.is_dir()) {
            find(entry, reader, depth - 1, found)?;
        }
    }
    Ok(())
}

//! Where predictions come from: something that is given frames in order, or a folder of `point3r run`.

use std::{
    collections::BTreeMap,
    path::{Path, PathBuf},
};

use super::{
    EvalError,
    layout::{Sequence, png16},
    resample::{Map, Placement, assumed_placement},
    trajectory::CameraPose,
    truth::TrueFrame,
};

mod ply;

/// What a task wants of predictions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Wanted {
    /// Cut pictures to the patch grid (true) or squeeze them onto it.
    pub crop: bool,
    /// Every frame is a sequence of its own.
    pub independent: bool,
    /// Depth is used.
    pub depth: bool,
    /// Poses are used.
    pub pose: bool,
    /// World points are used.
    pub points: bool,
}

/// What is predicted for one frame.
#[derive(Debug, Clone)]
pub struct FramePrediction {
    /// Depth at network size; not a number where there is none.
    pub depth: Option<Map>,
    /// World points per network pixel, if wanted.
    pub points: Option<Vec<[f32; 3]>>,
    /// Size of the network's input, (across, down).
    pub size: (usize, usize),
    /// Camera-to-world, in the frame of the first camera.
    pub pose: Option<CameraPose>,
    /// Where the maps lie in the photograph.
    pub placement: Placement,
}

/// Makes predictions, sequence by sequence, frame by frame.
pub trait Predictor {
    /// A sequence begins.
    ///
    /// # Errors
    /// When its predictions cannot be made or found.
    fn begin(&mut self, sequence: &Sequence, single: bool, wanted: Wanted) -> Result<(), EvalError>;

    /// The prediction for the next frame.
    ///
    /// # Errors
    /// When it cannot be made or found.
    fn predict(&mut self, frame: &TrueFrame) -> Result<FramePrediction, EvalError>;
}

/// Predictions of a folder as `point3r run` writes them: `depth/NNNNNN.png` (NNNNNN: index of the frame in its
/// sequence), `trajectory.tum` with one line per depth picture, `cloud.ply`, `intrinsics.json`.
///
/// For data of several sequences the folder holds one such folder per sequence, of the sequence's name.
#[derive(Debug)]
pub struct Folder {
    root: PathBuf,
    now: Option<Opened>,
}

#[derive(Debug)]
struct Opened {
    folder: PathBuf,
    wanted: Wanted,
    /// Depth picture by frame index.
    depths: BTreeMap<usize, PathBuf>,
    poses: BTreeMap<usize, (PathBuf, CameraPose)>,
    points: BTreeMap<usize, Vec<[f32; 3]>>,
    placement: Option<Placed>,
}

/// A network input size and where inputs of that size lie.
type Placed = ((usize, usize), Placement);

const HINT: &str = "write predictions with `point3r run`, from the same frames in the same order";

impl Folder {
    /// Predictions below `root`.
    #[must_use]
    pub fn new(root: PathBuf) -> Self {
        Self { root, now: None }
    }
}

impl Predictor for Folder {
    fn begin(&mut self, sequence: &Sequence, single: bool, wanted: Wanted) -> Result<(), EvalError> {
        let named = self.root.join(&sequence.name);
        let folder = if single && !named.is_dir() { self.root.clone() } else { named };
        self.now = Some(Opened::new(folder, wanted)?);
        Ok(())
    }

    fn predict(&mut self, frame: &TrueFrame) -> Result<FramePrediction, EvalError> {
        let none =
            || EvalError::Nothing { sequence: self.root.display().to_string(), reason: "no sequence".to_owned() };
        self.now.as_mut().ok_or_else(none)?.predict(frame)
    }
}

impl Opened {
    fn new(folder: PathBuf, wanted: Wanted) -> Result<Self, EvalError> {
        let mut depths = BTreeMap::new();
        let maps = folder.join("depth");
        if maps.is_dir() {
            for path in super::layout::pictures(&maps)? {
                let index = path.file_stem().and_then(|s| s.to_str()).and_then(|s| s.parse().ok());
                let index = index.ok_or_else(|| EvalError::Content {
                    path: path.clone(),
                    problem: "its name is no frame index".to_owned(),
                    hint: HINT,
                })?;
                depths.insert(index, path);
            }
        }
        let poses = if wanted.pose { trajectory(&folder.join("trajectory.tum"), &depths)? } else { BTreeMap::new() };
        let points = if wanted.points { ply::points_by_frame(&folder.join("cloud.ply"))? } else { BTreeMap::new() };
        let placement = placement(&folder.join("intrinsics.json"))?;
        Ok(Self { folder, wanted, depths, poses, points, placement })
    }

    fn predict(&mut self, frame: &TrueFrame) -> Result<FramePrediction, EvalError> {
        let index = frame.files.index;
        let absent = |path: PathBuf, what: &str| EvalError::Missing {
            path,
            reason: format!("no {what} for frame {index} ({})", frame.files.color.display()),
            hint: HINT,
        };
        let wanted = self.wanted;
        let path = self.depths.get(&index);
        if path.is_none() && (wanted.depth || wanted.points) {
            return Err(absent(self.folder.join("depth").join(format!("{index:06}.png")), "depth"));
        }
        let depth = match path {
            Some(path) => {
                let (width, height, raw) = png16(path, HINT)?;
                let metres = |v: u16| if v == 0 { f32::NAN } else { f32::from(v) / 1000.0 };
                Map::new(width, height, raw.into_iter().map(metres).collect())
            }
            None => None,
        };
        let size = depth.as_ref().map_or(frame.photograph, |map| (map.width, map.height));
        let placement = match self.placement {
            Some((input, placement)) if input == size => placement,
            _ => assumed_placement(path.unwrap_or(&self.folder), frame.photograph, size)?,
        };
        let pose = self.poses.get(&index).map(|(_, pose)| *pose);
        if wanted.pose && pose.is_none() {
            return Err(absent(self.folder.join("trajectory.tum"), "pose"));
        }
        let points = if wanted.points {
            let cloud = self.folder.join("cloud.ply");
            let points = self.points.remove(&index).ok_or_else(|| absent(cloud.clone(), "points"))?;
            if points.len() != size.0 * size.1 {
                return Err(EvalError::Content {
                    path: cloud,
                    problem: format!(
                        "{} points of frame {index}, whose depth has {} pixels",
                        points.len(),
                        size.0 * size.1
                    ),
                    hint: "reconstruction needs every point: predict with --confidence 1",
                });
            }
            Some(points)
        } else {
            None
        };
        Ok(FramePrediction { depth, points, size, pose, placement })
    }
}

/// Poses by frame index: the lines belong to the depth pictures in order, or to frames 0, 1, ... without those.
fn trajectory(
    path: &Path,
    depths: &BTreeMap<usize, PathBuf>,
) -> Result<BTreeMap<usize, (PathBuf, CameraPose)>, EvalError> {
    let poses = super::layout::tum_poses(path)?;
    if !depths.is_empty() && depths.len() != poses.len() {
        let problem = format!("{} poses, but {} depth pictures beside it", poses.len(), depths.len());
        return Err(EvalError::Content { path: path.to_owned(), problem, hint: HINT });
    }
    let indices: Vec<usize> =
        if depths.is_empty() { (0..poses.len()).collect() } else { depths.keys().copied().collect() };
    Ok(indices.into_iter().zip(poses).collect())
}

/// Where the network's input lies in the photograph, from the two cameras of `intrinsics.json`.
fn placement(path: &Path) -> Result<Option<Placed>, EvalError> {
    #[derive(serde::Deserialize)]
    struct Cameras {
        input: Option<crate::geometry::Intrinsics>,
        photograph: Option<crate::geometry::Intrinsics>,
    }
    if !path.exists() {
        return Ok(None);
    }
    let text = super::layout::text(path)?;
    let cameras: Cameras = serde_json::from_str(&text).map_err(|e| EvalError::Content {
        path: path.to_owned(),
        problem: e.to_string(),
        hint: "write it with `point3r run`, or remove it if the prediction shows the whole picture",
    })?;
    let (Some(input), Some(photograph)) = (cameras.input, cameras.photograph) else { return Ok(None) };
    let scale = [input.fx / photograph.fx, input.fy / photograph.fy];
    let offset =
        [(photograph.cx + 0.5) * scale[0] - (input.cx + 0.5), (photograph.cy + 0.5) * scale[1] - (input.cy + 0.5)];
    let usable = scale.iter().all(|s| s.is_finite() && *s > 0.0) && offset.iter().all(|o| o.is_finite());
    // Rounding of the two cameras must not move the picture's edge into it.
    let rounded = offset.map(|o| if (o - o.round()).abs() < 1e-6 { o.round() } else { o });
    Ok(usable.then_some(((input.width, input.height), Placement { scale, offset: rounded })))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Intrinsics;

    #[test]
    fn the_two_cameras_of_a_run_say_where_its_cut_out_lies() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("intrinsics.json");
        assert_eq!(placement(&path).unwrap(), None);
        // 640x480 photograph, scaled to 299x224, the middle 224 columns kept.
        let (scale, offset) = ([299.0 / 640.0, 224.0 / 480.0], [37.0, 0.0]);
        let input = Intrinsics::centred(180.0, 224, 224);
        let photograph = input.in_photograph(scale, offset, 640, 480);
        std::fs::write(&path, serde_json::json!({ "input": input, "photograph": photograph }).to_string()).unwrap();
        let (size, found) = placement(&path).unwrap().unwrap();
        assert_eq!(size, (224, 224));
        for k in 0..2 {
            assert!((found.scale[k] - scale[k]).abs() < 1e-12 && (found.offset[k] - offset[k]).abs() < 1e-9);
        }
        std::fs::write(&path, "{\"input\": null, \"photograph\": null}").unwrap();
        assert_eq!(placement(&path).unwrap(), None);
        std::fs::write(&path, "[]").unwrap();
        assert!(placement(&path).unwrap_err().to_string().contains("intrinsics.json"));
    }
}

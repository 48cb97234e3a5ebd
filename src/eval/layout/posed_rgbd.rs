//! Folders of pictures, depths and matrices with equal names: our own layout, and ScanNet's.

use std::path::{Path, PathBuf};

use super::{DepthFile, EvalError, FrameFiles, PoseSource, Reader, Sequence, numbers, numbers::PoseForm, read};

/// `color/NAME.{jpg,png}`, `depth/NAME.png` (mm), `pose/NAME.txt`, `intrinsics.txt`.
pub(super) struct PosedRgbd;

impl Reader for PosedRgbd {
    fn expected(&self) -> &'static str {
        "folders color, depth, pose and a file intrinsics.txt"
    }

    fn depth(&self) -> usize {
        2
    }

    fn is_sequence(&self, folder: &Path) -> bool {
        folder.join("color").is_dir()
    }

    fn sequence(&self, folder: &Path, name: String) -> Result<Sequence, EvalError> {
        let pose = folder.join("pose").is_dir().then(|| folder.join("pose"));
        let frames = frames(&folder.join("color"), &folder.join("depth"), pose.as_deref())?;
        let mut sequence = Sequence::new(name, frames);
        let camera = folder.join("intrinsics.txt");
        if camera.exists() {
            sequence.camera = Some(numbers::camera(&camera)?);
        }
        Ok(sequence)
    }
}

/// Frames of a folder of pictures, with the files of the same name beside it. The files need not exist yet.
fn frames(color: &Path, depth: &Path, pose: Option<&Path>) -> Result<Vec<FrameFiles>, EvalError> {
    let frame = |(index, path): (usize, PathBuf)| {
        let stem = read::stem(&path);
        let mut frame = FrameFiles::new(index, path);
        frame.depth = depth.is_dir().then(|| DepthFile::png(depth.join(format!("{stem}.png")), 1000.0));
        if let Some(pose) = pose {
            frame.pose = PoseSource::File(pose.join(format!("{stem}.txt")), PoseForm::Matrix);
        }
        frame
    };
    Ok(read::pictures(color)?.into_iter().enumerate().map(frame).collect())
}

/// `color_90/`, `depth_90/`, `pose_90.txt` (16 numbers a line), or the exported `color/`, `depth/`, `pose/`.
pub(super) struct ScanNet;

impl ScanNet {
    fn color(folder: &Path) -> Option<(PathBuf, &'static str)> {
        ["_90", ""].into_iter().map(|end| (folder.join(format!("color{end}")), end)).find(|(path, _)| path.is_dir())
    }
}

impl Reader for ScanNet {
    fn expected(&self) -> &'static str {
        "folders SCENE with color_90 and pose_90.txt, or color, depth, pose"
    }

    fn depth(&self) -> usize {
        2
    }

    fn is_sequence(&self, folder: &Path) -> bool {
        Self::color(folder).is_some()
    }

    fn sequence(&self, folder: &Path, name: String) -> Result<Sequence, EvalError> {
        let (color, end) = Self::color(folder).unwrap_or_else(|| (folder.join("color"), ""));
        let poses = folder.join(format!("pose{end}"));
        let depth = folder.join(format!("depth{end}"));
        let mut frames = frames(&color, &depth, poses.is_dir().then_some(poses.as_path()))?;
        let list = folder.join(format!("pose{end}.txt"));
        if list.exists() {
            let lines = numbers::lines(&list)?;
            if lines.len() != frames.len() {
                let problem = format!("{} poses for {} pictures in {}", lines.len(), frames.len(), color.display());
                let hint = "prepare both from the same frames";
                return Err(EvalError::Content { path: list, problem, hint });
            }
            for (frame, (place, values)) in frames.iter_mut().zip(lines) {
                frame.pose = PoseSource::Numbers(place, values, PoseForm::Matrix);
            }
        }
        let mut sequence = Sequence::new(name, frames);
        let camera = folder.join("intrinsic/intrinsic_color.txt");
        if camera.exists() {
            sequence.camera = Some(numbers::camera(&camera)?);
        }
        Ok(sequence)
    }
}

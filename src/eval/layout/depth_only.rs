//! Data sets with pictures and depth but no poses: KITTI's depth selection and NYU-v2.

use std::path::{Path, PathBuf};

use super::{DepthCoding, DepthFile, EvalError, FrameFiles, Reader, Sequence, read};

/// `image_gathered/DRIVE/*.png` with `groundtruth_depth_gathered/DRIVE/*.png` (16 bit, 256 per metre), or the flat
/// `image` and `groundtruth_depth`. Pictures and depths are paired by order.
pub(super) struct Kitti;

impl Kitti {
    /// The folder of depths that belongs to a folder of pictures.
    fn depths(folder: &Path) -> Option<PathBuf> {
        let name = folder.file_name()?.to_str()?;
        if name == "image" {
            return Some(folder.parent()?.join("groundtruth_depth")).filter(|path| path.is_dir());
        }
        let gathered = folder.parent()?;
        if gathered.file_name()? != "image_gathered" {
            return None;
        }
        Some(gathered.parent()?.join("groundtruth_depth_gathered").join(name)).filter(|path| path.is_dir())
    }
}

impl Reader for Kitti {
    fn expected(&self) -> &'static str {
        "image_gathered/DRIVE with groundtruth_depth_gathered/DRIVE, or image with groundtruth_depth"
    }

    fn depth(&self) -> usize {
        4
    }

    fn is_sequence(&self, folder: &Path) -> bool {
        Self::depths(folder).is_some()
    }

    fn sequence(&self, folder: &Path, name: String) -> Result<Sequence, EvalError> {
        let pictures = read::pictures(folder)?;
        let depth_folder = Self::depths(folder).unwrap_or_default();
        let depths = read::pictures(&depth_folder)?;
        if pictures.len() != depths.len() {
            let problem = format!("{} depths for {} pictures in {}", depths.len(), pictures.len(), folder.display());
            return Err(EvalError::Content { path: depth_folder, problem, hint: "complete the data set" });
        }
        let frame = |(index, (path, depth)): (usize, (PathBuf, PathBuf))| {
            let mut frame = FrameFiles::new(index, path);
            frame.depth = Some(DepthFile::png(depth, 256.0));
            frame
        };
        Ok(Sequence::new(name, pictures.into_iter().zip(depths).enumerate().map(frame).collect()))
    }
}

/// `nyu_images/NAME.png` with `nyu_depths/NAME.npy`, metres.
pub(super) struct Nyu;

impl Reader for Nyu {
    fn expected(&self) -> &'static str {
        "folders nyu_images and nyu_depths (.npy)"
    }

    fn depth(&self) -> usize {
        2
    }

    fn is_sequence(&self, folder: &Path) -> bool {
        folder.join("nyu_images").is_dir() && folder.join("nyu_depths").is_dir()
    }

    fn sequence(&self, folder: &Path, name: String) -> Result<Sequence, EvalError> {
        let frame = |(index, path): (usize, PathBuf)| {
            let depth = folder.join("nyu_depths").join(format!("{}.npy", read::stem(&path)));
            let mut frame = FrameFiles::new(index, path);
            let hint = "complete the data set, or skip such frames with --skip-bad";
            frame.depth = Some(DepthFile { path: depth, coding: DepthCoding::Npy, hint });
            frame
        };
        Ok(Sequence::new(
            name,
            read::pictures(&folder.join("nyu_images"))?.into_iter().enumerate().map(frame).collect(),
        ))
    }
}

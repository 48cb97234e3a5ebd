//! MPI Sintel: `final/SEQ/frame_NNNN.png`, `depth/SEQ/frame_NNNN.dpt`, `camdata_left/SEQ/frame_NNNN.cam`.

use std::path::{Path, PathBuf};

use super::{
    DepthCoding, DepthFile, DepthLimits, EvalError, FrameFiles, PoseSource, Reader, Sequence, numbers::PoseForm, read,
};

/// The sequences on which camera pose is reported: the others move too little or are mostly fog.
const POSE_LIST: [&str; 14] = [
    "alley_2",
    "ambush_4",
    "ambush_5",
    "ambush_6",
    "cave_2",
    "cave_4",
    "market_2",
    "market_5",
    "market_6",
    "shaman_3",
    "sleeping_1",
    "sleeping_2",
    "temple_2",
    "temple_3",
];

pub(super) struct Sintel;

impl Reader for Sintel {
    fn expected(&self) -> &'static str {
        "training/final/SEQUENCE with training/depth and training/camdata_left beside it"
    }

    fn depth(&self) -> usize {
        3
    }

    fn is_sequence(&self, folder: &Path) -> bool {
        let in_final = folder.parent().and_then(Path::file_name).is_some_and(|name| name == "final");
        in_final && folder.join("frame_0001.png").is_file()
    }

    fn sequence(&self, folder: &Path, _: String) -> Result<Sequence, EvalError> {
        let name = folder.file_name().unwrap_or_default().to_string_lossy().into_owned();
        let training = folder.parent().and_then(Path::parent).unwrap_or(folder);
        let (depth, cameras) = (training.join("depth").join(&name), training.join("camdata_left").join(&name));
        let frame = |(index, path): (usize, PathBuf)| {
            let stem = read::stem(&path);
            let mut frame = FrameFiles::new(index, path);
            frame.depth = depth.is_dir().then(|| DepthFile {
                path: depth.join(format!("{stem}.dpt")),
                coding: DepthCoding::Sintel,
                hint: "complete the data set, or skip such frames with --skip-bad",
            });
            if cameras.is_dir() {
                frame.pose = PoseSource::File(cameras.join(format!("{stem}.cam")), PoseForm::SintelCamera);
            }
            frame
        };
        let frames: Vec<FrameFiles> = read::pictures(folder)?.into_iter().enumerate().map(frame).collect();
        let pose_list = POSE_LIST.contains(&name.as_str());
        let first = cameras.join("frame_0001.cam");
        let camera = if first.is_file() { Some(read::sintel_camera(&first)?.1) } else { None };
        let limits = DepthLimits { below: Some(70.0), clip: Some(70.0) };
        Ok(Sequence { camera, limits, pose_list, ..Sequence::new(name, frames) })
    }
}

//! Scanned and modelled rooms: 7-Scenes and Neural RGB-D.

use std::path::{Path, PathBuf};

use super::{
    Camera, DepthCoding, DepthFile, EvalError, FrameFiles, PoseSource, Reader, Sequence, numbers, numbers::PoseForm,
    read,
};

/// `frame-NNNNNN.color.png`, `.depth.proj.png` (mm, registered to colour), `.pose.txt`. Poses are used as
/// published (of the depth camera, 2.5 cm from the colour camera), as all published tables do.
pub(super) struct SevenScenes;

const COLOR: &str = ".color.png";

impl Reader for SevenScenes {
    fn expected(&self) -> &'static str {
        "folders SCENE/seq-NN of frame-NNNNNN.color.png, .depth.proj.png and .pose.txt"
    }

    fn depth(&self) -> usize {
        3
    }

    fn is_sequence(&self, folder: &Path) -> bool {
        folder.join("frame-000000.color.png").is_file()
    }

    fn sequence(&self, folder: &Path, name: String) -> Result<Sequence, EvalError> {
        let mut frames = Vec::new();
        for path in read::pictures(folder)? {
            let file = path.file_name().unwrap_or_default().to_string_lossy().into_owned();
            let Some(base) = file.strip_suffix(COLOR) else { continue };
            let depth = folder.join(format!("{base}.depth.proj.png"));
            let pose = folder.join(format!("{base}.pose.txt"));
            let mut frame = FrameFiles::new(frames.len(), path);
            frame.depth = Some(DepthFile {
                path: depth,
                coding: DepthCoding::Png { per_metre: 1000.0 },
                hint: "7-Scenes depth as published is not registered to colour: project it into the colour camera \
                       (.depth.proj.png) first",
            });
            frame.pose = PoseSource::File(pose, PoseForm::Matrix);
            frames.push(frame);
        }
        let mut sequence = Sequence::new(name, frames);
        sequence.camera = Some(Camera::new(525.0, 525.0, 320.0, 240.0));
        if !is_test_sequence(folder) {
            sequence.notes.push("not in the scene's TestSplit.txt: published tables do not use it".to_owned());
        }
        Ok(sequence)
    }
}

/// Whether the scene's list of test sequences, if there is one, names the folder (`sequence3` for `seq-03`).
fn is_test_sequence(folder: &Path) -> bool {
    let Some(list) = folder.parent().map(|scene| scene.join("TestSplit.txt")).filter(|list| list.is_file()) else {
        return true;
    };
    let number = |text: &str| text.trim_start_matches(|c: char| !c.is_ascii_digit()).trim().parse::<u32>().ok();
    let own = number(&folder.file_name().unwrap_or_default().to_string_lossy());
    numbers::text(&list).map_or(true, |text| text.lines().any(|line| number(line) == own))
}

/// `images/imgN.png`, `depth/depthN.png` (mm), `poses.txt` (4x4 blocks, OpenGL axes), `focal.txt`.
pub(super) struct NeuralRgbd;

impl Reader for NeuralRgbd {
    fn expected(&self) -> &'static str {
        "folders SCENE with images, depth and poses.txt"
    }

    fn depth(&self) -> usize {
        1
    }

    fn is_sequence(&self, folder: &Path) -> bool {
        folder.join("images").is_dir() && folder.join("poses.txt").is_file()
    }

    fn sequence(&self, folder: &Path, name: String) -> Result<Sequence, EvalError> {
        let list = folder.join("poses.txt");
        let rows = numbers::lines(&list)?;
        let pictures = read::pictures(&folder.join("images"))?;
        if rows.len() != pictures.len() * 4 {
            let problem = format!("{} rows, but {} pictures have 4 each", rows.len(), pictures.len());
            return Err(EvalError::Content { path: list, problem, hint: "complete the data set" });
        }
        let frame = |((index, color), rows): ((usize, PathBuf), &[numbers::Line])| {
            let number: String = read::stem(&color).chars().filter(char::is_ascii_digit).collect();
            let mut frame = FrameFiles::new(index, color);
            frame.depth = Some(DepthFile::png(folder.join("depth").join(format!("depth{number}.png")), 1000.0));
            let place = rows.first().map_or_else(|| list.clone(), |(place, _)| place.clone());
            let values = rows.iter().flat_map(|(_, values)| values.iter().copied()).collect();
            frame.pose = PoseSource::Numbers(place, values, PoseForm::MatrixOpenGl);
            frame
        };
        let frames = pictures.into_iter().enumerate().zip(rows.chunks_exact(4)).map(frame).collect();
        let mut sequence = Sequence::new(name, frames);
        let file = folder.join("focal.txt");
        let focal = if file.exists() { numbers::read(&file)?.first().copied() } else { None };
        let focal = focal.filter(|f| f.is_finite() && *f > 0.0).unwrap_or(554.256_258);
        sequence.camera = Some(Camera::new(focal, focal, 320.0, 240.0));
        Ok(sequence)
    }
}

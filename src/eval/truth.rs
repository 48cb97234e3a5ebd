//! The frames of a sequence that take part: selected, opened and checked.

use super::{
    EvalError,
    layout::{FrameFiles, Sequence},
    resample::Map,
    trajectory::CameraPose,
};

/// Which frames take part and what happens to unusable ones.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Selection {
    /// Every so-manieth frame.
    pub stride: usize,
    /// At most so many.
    pub frames: Option<usize>,
    /// Leave unusable frames out and count them, instead of ending with an error.
    pub skip_bad: bool,
}

/// What a task needs of each frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Needs {
    /// Depth.
    pub depth: bool,
    /// Pose.
    pub pose: bool,
}

/// A frame that takes part.
#[derive(Debug, Clone, PartialEq)]
pub struct TrueFrame {
    /// Its files.
    pub files: FrameFiles,
    /// Size of the picture, (across, down).
    pub photograph: (usize, usize),
    /// Camera-to-world, if the task needs it.
    pub pose: Option<CameraPose>,
}

impl TrueFrame {
    /// Reads the depth (again), metres, not a number where there is none.
    ///
    /// # Errors
    /// When the file is missing or holds something else.
    pub fn depth(&self) -> Result<Map, EvalError> {
        self.files.depth.as_ref().map_or_else(
            || {
                Err(EvalError::Missing {
                    path: self.files.color.clone(),
                    reason: "the picture has no depth".to_owned(),
                    hint: "complete the data set, or skip such frames with --skip-bad",
                })
            },
            super::layout::DepthFile::read,
        )
    }
}

/// The frames that were chosen, and what was left out.
#[derive(Debug, Default)]
pub struct Chosen {
    /// Frames in order.
    pub frames: Vec<TrueFrame>,
    /// What was left out and why.
    pub skipped: Vec<String>,
}

/// Chooses and checks frames. `seen` is called with the depth of every frame that takes part, if depth is needed.
///
/// # Errors
/// At the first unusable frame, unless such frames are skipped; when none is left.
pub fn choose(
    sequence: &Sequence,
    selection: &Selection,
    needs: Needs,
    mut seen: impl FnMut(&Map),
) -> Result<Chosen, EvalError> {
    let mut chosen = Chosen::default();
    let mut depth_size = None;
    let wanted = sequence.frames.iter().step_by(selection.stride.max(1));
    for files in wanted.take(selection.frames.unwrap_or(usize::MAX)) {
        let expected = chosen.frames.first().map(|f: &TrueFrame| f.photograph);
        match open(files, needs, expected, depth_size) {
            Ok((frame, depth)) => {
                if let Some(depth) = depth {
                    depth_size = Some((depth.width, depth.height));
                    seen(&depth);
                }
                chosen.frames.push(frame);
            }
            Err(error) if selection.skip_bad && error.is_of_one_frame() => chosen.skipped.push(error.to_string()),
            Err(error) => return Err(error),
        }
    }
    if chosen.frames.is_empty() {
        let reason = format!("no usable frame; the first problem: {}", chosen.skipped.first().map_or("none", |s| s));
        return Err(EvalError::Nothing { sequence: sequence.name.clone(), reason });
    }
    Ok(chosen)
}

type Opened = (TrueFrame, Option<Map>);

fn open(
    files: &FrameFiles,
    needs: Needs,
    photograph: Option<(usize, usize)>,
    depth_size: Option<(usize, usize)>,
) -> Result<Opened, EvalError> {
    let found = picture_size(files)?;
    let same = |path: &std::path::Path, expected: Option<(usize, usize)>, found| match expected {
        Some(expected) if expected != found => Err(EvalError::MixedSizes { path: path.to_owned(), expected, found }),
        _ => Ok(()),
    };
    same(&files.color, photograph, found)?;
    let pose = if needs.pose { Some(files.pose()?) } else { None };
    let frame = TrueFrame { files: files.clone(), photograph: found, pose };
    let mut map = None;
    if needs.depth {
        let depth = frame.depth()?;
        let path = files.depth.as_ref().map_or(files.color.as_path(), |file| file.path.as_path());
        same(path, depth_size, (depth.width, depth.height))?;
        map = Some(depth);
    }
    Ok((frame, map))
}

fn picture_size(files: &FrameFiles) -> Result<(usize, usize), EvalError> {
    let missing = |reason: String| EvalError::Missing {
        path: files.color.clone(),
        reason,
        hint: "copy the picture again, or skip such frames with --skip-bad",
    };
    let reader = image::ImageReader::open(&files.color).and_then(image::ImageReader::with_guessed_format);
    let reader = reader.map_err(|e| missing(e.to_string()))?;
    let (width, height) = reader.into_dimensions().map_err(|e| missing(e.to_string()))?;
    Ok((width as usize, height as usize))
}

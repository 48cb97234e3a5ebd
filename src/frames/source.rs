//! A sequence of frames from files: one video, one folder, or images.

use std::path::{Path, PathBuf};

use super::{
    Frame, FrameError,
    images::{images_in, is_image_name, read_image},
    video::Video,
};

/// Which frames of a source are used.
#[derive(Debug, Clone, Copy, PartialEq)]
pub enum Pick {
    /// Every n-th, beginning with the first.
    Every(usize),
    /// So many per second of video. Images have no time of their own: all are used, this far apart.
    Rate(f64),
}

impl Pick {
    fn every(self) -> usize {
        match self {
            Self::Every(k) => k.max(1),
            Self::Rate(_) => 1,
        }
    }
}

/// Frames in order, read as they are asked for.
#[derive(Debug)]
pub struct Source {
    kind: Kind,
    expected: Option<usize>,
}

#[derive(Debug)]
enum Kind {
    Images { paths: std::vec::IntoIter<(usize, PathBuf)>, rate: f64 },
    Video(Box<Video>),
}

impl Source {
    /// Opens one video, one folder of images, or any number of images.
    ///
    /// # Errors
    /// When a path does not exist, or is none of these.
    pub fn open(paths: &[PathBuf], pick: Pick, max_frames: Option<usize>) -> Result<Self, FrameError> {
        for path in paths {
            std::fs::metadata(path)
                .map_err(|e| FrameError::Unreadable { path: path.clone(), reason: e.to_string() })?;
        }
        let images = match paths {
            [] => return Err(FrameError::NoFrames(PathBuf::from("the command line"))),
            [folder] if folder.is_dir() => images_in(folder)?,
            [file] if !is_image_name(file) && !has_image_content(file) => {
                let video = Video::open(file, pick, max_frames)?;
                let expected = video.expected();
                return Ok(Self { kind: Kind::Video(Box::new(video)), expected });
            }
            files => {
                if let Some(other) = files.iter().find(|f| f.is_dir() || !(is_image_name(f) || has_image_content(f))) {
                    return Err(FrameError::Mixed(other.clone()));
                }
                files.to_vec()
            }
        };
        let picked = images.into_iter().enumerate().step_by(pick.every());
        let picked: Vec<_> = picked.take(max_frames.unwrap_or(usize::MAX)).collect();
        let rate = if let Pick::Rate(rate) = pick { rate } else { 1.0 };
        Ok(Self { expected: Some(picked.len()), kind: Kind::Images { paths: picked.into_iter(), rate } })
    }

    /// How many frames there will be, where the source tells.
    #[must_use]
    pub fn expected(&self) -> Option<usize> {
        self.expected
    }
}

impl Iterator for Source {
    type Item = Result<Frame, FrameError>;

    #[expect(clippy::cast_precision_loss, reason = "frame numbers")]
    fn next(&mut self) -> Option<Self::Item> {
        match &mut self.kind {
            Kind::Video(video) => video.next(),
            Kind::Images { paths, rate } => {
                let (index, path) = paths.next()?;
                Some(read_image(&path).map(|image| Frame { index, time: index as f64 / *rate, image }))
            }
        }
    }
}

/// Whether the first bytes are those of an image.
fn has_image_content(path: &Path) -> bool {
    image::ImageReader::open(path)
        .and_then(image::ImageReader::with_guessed_format)
        .is_ok_and(|reader| reader.format().is_some())
}

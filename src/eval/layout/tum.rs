//! TUM RGB-D and Bonn RGB-D Dynamic: pictures and depths named by time, one trajectory file.
//!
//! As published, pictures, depths and poses have clocks of their own and are paired by nearest time (20 ms).
//! Reduced copies (`rgb_90`, `depth_90`, `groundtruth_90.txt`; Bonn `_110`) are paired by order.

use std::path::{Path, PathBuf};

use super::{Camera, DepthFile, EvalError, FrameFiles, PoseSource, Reader, Sequence, numbers, numbers::PoseForm, read};

/// Largest time between two things that are taken to be of one moment, seconds.
const SAME_MOMENT: f64 = 0.02;

pub(super) struct Tum {
    suffixes: &'static [&'static str],
    expected: &'static str,
    below: Option<f32>,
    camera: fn(&str) -> Option<Camera>,
}

/// TUM RGB-D.
pub(super) const TUM: Tum = Tum {
    suffixes: &["_90", ""],
    expected: "folders with rgb_90 and groundtruth_90.txt, or rgb, depth and groundtruth.txt",
    below: None,
    camera: |name| {
        // The calibrations published with the data set, by camera.
        let cameras = [
            ("freiburg1", [517.3, 516.5, 318.6, 255.3]),
            ("freiburg2", [520.9, 521.0, 325.1, 249.7]),
            ("freiburg3", [535.4, 539.2, 320.1, 247.6]),
        ];
        let (_, [fx, fy, cx, cy]) = cameras.into_iter().find(|(part, _)| name.contains(part))?;
        Some(Camera::new(fx, fy, cx, cy))
    },
};

/// Bonn RGB-D Dynamic; depths from 70 m count as none.
pub(super) const BONN: Tum = Tum {
    suffixes: &["_110", ""],
    expected: "folders with rgb_110, depth_110 and groundtruth_110.txt, or rgb, depth and groundtruth.txt",
    below: Some(70.0),
    camera: |_| Some(Camera::new(542.822_841, 542.576_870, 315.593_520, 237.756_098)),
};

impl Tum {
    fn color(&self, folder: &Path) -> Option<(PathBuf, &'static str)> {
        self.suffixes.iter().map(|end| (folder.join(format!("rgb{end}")), *end)).find(|(path, _)| path.is_dir())
    }
}

/// The time in a file's name.
fn time(path: &Path) -> Option<f64> {
    read::stem(path).parse().ok().filter(|t: &f64| t.is_finite())
}

/// The element of `sorted` nearest in time, if it is of the same moment.
fn nearest<T>(sorted: &[(f64, T)], time: f64) -> Option<&T> {
    let after = sorted.partition_point(|(t, _)| *t < time);
    let near = [after.checked_sub(1), Some(after)].into_iter().flatten().filter_map(|i| sorted.get(i));
    let best = near.min_by(|a, b| (a.0 - time).abs().total_cmp(&(b.0 - time).abs()))?;
    ((best.0 - time).abs() <= SAME_MOMENT).then_some(&best.1)
}

impl Reader for Tum {
    fn expected(&self) -> &'static str {
        self.expected
    }

    fn depth(&self) -> usize {
        2
    }

    fn is_sequence(&self, folder: &Path) -> bool {
        self.color(folder).is_some()
    }

    fn sequence(&self, folder: &Path, name: String) -> Result<Sequence, EvalError> {
        let (color, end) = self.color(folder).unwrap_or_else(|| (folder.join("rgb"), ""));
        let pictures = read::pictures(&color)?;
        let depth_folder = folder.join(format!("depth{end}"));
        let depths = if depth_folder.is_dir() { read::pictures(&depth_folder)? } else { Vec::new() };
        let poses = poses(&folder.join(format!("groundtruth{end}.txt")))?;

        let frames: Vec<FrameFiles> =
            pictures.into_iter().enumerate().map(|(index, path)| FrameFiles::new(index, path)).collect();
        let mut sequence = Sequence::new(name, frames);
        let count = sequence.frames.len();
        let mut by_time: Vec<(f64, PathBuf)> = depths.iter().filter_map(|p| Some((time(p)?, p.clone()))).collect();
        by_time.sort_by(|a, b| a.0.total_cmp(&b.0));
        let mut poses_by_time: Vec<(f64, PoseSource)> = poses.iter().map(|(t, p)| (*t, p.clone())).collect();
        poses_by_time.sort_by(|a, b| a.0.total_cmp(&b.0));
        for (i, frame) in sequence.frames.iter_mut().enumerate() {
            let moment = time(&frame.color);
            frame.time = moment.unwrap_or(frame.time);
            let depth = match moment {
                _ if !end.is_empty() && depths.len() == count => depths.get(i),
                Some(moment) => nearest(&by_time, moment),
                None => None,
            };
            frame.depth = depth.map(|path| DepthFile::png(path.clone(), 5000.0));
            let pose = match moment {
                _ if !end.is_empty() && poses.len() == count => poses.get(i).map(|(_, pose)| pose),
                Some(moment) => nearest(&poses_by_time, moment),
                None => None,
            };
            frame.pose = pose.cloned().unwrap_or_default();
        }
        // As published, recordings begin before and end after the tracked part: those frames never count.
        if end.is_empty() && !poses.is_empty() {
            sequence.frames.retain(FrameFiles::has_pose);
            let dropped = count - sequence.frames.len();
            if dropped > 0 {
                sequence
                    .notes
                    .push(format!("{dropped} of {count} pictures have no pose within 20 ms and were left out"));
            }
        }
        sequence.limits.below = self.below;
        let camera = folder.join("intrinsics.txt");
        let own = camera.exists().then(|| numbers::camera(&camera)).transpose()?;
        sequence.camera = own.or_else(|| (self.camera)(&sequence.name));
        Ok(sequence)
    }
}

/// The trajectory: time and pose per line; none if there is no file.
fn poses(path: &Path) -> Result<Vec<(f64, PoseSource)>, EvalError> {
    if !path.exists() {
        return Ok(Vec::new());
    }
    let pose = |(place, values): (PathBuf, Vec<f64>)| {
        let (&time, rest) = values.split_first().unwrap_or((&f64::NAN, &[]));
        (time, PoseSource::Numbers(place, rest.to_vec(), PoseForm::Tum))
    };
    Ok(numbers::lines(path)?.into_iter().map(pose).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_nearest_moment_within_20_ms_counts() {
        let list = [(1.0, 'a'), (1.033, 'b'), (1.066, 'c')];
        assert_eq!(nearest(&list, 1.02), Some(&'b'));
        assert_eq!(nearest(&list, 0.985), Some(&'a'));
        assert_eq!(nearest(&list, 1.09), None);
        assert_eq!(nearest::<char>(&[], 1.0), None);
    }
}

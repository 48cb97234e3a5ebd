//! Depth files of every coding, Sintel's cameras, and sorted folders.

use std::path::{Path, PathBuf};

use image::{DynamicImage, ImageReader, Limits};

use super::{Camera, DepthCoding, EvalError};
use crate::{
    eval::{
        linear::{apply, nearest_rotation, transpose},
        resample::Map,
        trajectory::CameraPose,
    },
    preprocess::MAX_SIDE,
};

/// Binary depth beyond this is no depth.
const LARGEST: u64 = 1 << 30;

fn missing(path: &Path, reason: impl ToString, hint: &'static str) -> EvalError {
    EvalError::Missing { path: path.to_owned(), reason: reason.to_string(), hint }
}

fn content(path: &Path, problem: impl ToString) -> EvalError {
    let hint = "check --layout, copy the file again, or skip such frames with --skip-bad";
    EvalError::Content { path: path.to_owned(), problem: problem.to_string(), hint }
}

/// The entries of a folder by name, numbers by value.
pub(super) fn entries(folder: &Path) -> Result<Vec<PathBuf>, EvalError> {
    let wrong = |e: std::io::Error| missing(folder, e, "check the path");
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(wrong)? {
        paths.push(entry.map_err(wrong)?.path());
    }
    paths.sort_by(|a, b| crate::frames::natural_order(&a.to_string_lossy(), &b.to_string_lossy()));
    Ok(paths)
}

/// The pictures of a folder by name.
pub(in crate::eval) fn pictures(folder: &Path) -> Result<Vec<PathBuf>, EvalError> {
    Ok(entries(folder)?.into_iter().filter(|path| crate::frames::is_image_name(path)).collect())
}

/// The file's name without its last extension.
pub(super) fn stem(path: &Path) -> String {
    path.file_stem().unwrap_or_default().to_string_lossy().into_owned()
}

/// Reads a 16-bit picture.
pub(in crate::eval) fn png16(path: &Path, hint: &'static str) -> Result<(usize, usize, Vec<u16>), EvalError> {
    let mut reader = ImageReader::open(path).map_err(|e| missing(path, e, hint))?;
    reader.set_format(image::ImageFormat::Png);
    let mut limits = Limits::default();
    limits.max_image_width = u32::try_from(MAX_SIDE).ok();
    limits.max_image_height = limits.max_image_width;
    limits.max_alloc = Some(LARGEST);
    reader.limits(limits);
    match reader.decode().map_err(|e| content(path, e))? {
        DynamicImage::ImageLuma16(picture) => {
            Ok((picture.width() as usize, picture.height() as usize, picture.into_raw()))
        }
        other => Err(content(path, format!("16-bit grey depth expected, found {:?}", other.color()))),
    }
}

/// Reads a depth file, metres; not a number where there is none.
pub(super) fn depth(path: &Path, coding: DepthCoding, hint: &'static str) -> Result<Map, EvalError> {
    let map = match coding {
        DepthCoding::Png { per_metre } => {
            let (width, height, raw) = png16(path, hint)?;
            let metres = |v: u16| if matches!(v, 0 | u16::MAX) { f32::NAN } else { f32::from(v) / per_metre };
            Map::new(width, height, raw.into_iter().map(metres).collect())
        }
        DepthCoding::Sintel => {
            let bytes = binary(path, hint)?;
            let mut words = bytes.chunks_exact(4).map(|w| <[u8; 4]>::try_from(w).unwrap_or_default());
            let tag = words.next().map(f32::from_le_bytes);
            let mut side = || words.next().map(i32::from_le_bytes).and_then(|v| usize::try_from(v).ok());
            let (Some(width), Some(height), true) = (side(), side(), tag.is_some_and(is_sintel_tag)) else {
                return Err(content(path, "no Sintel depth file"));
            };
            sized(width, height, words.map(f32::from_le_bytes).collect())
        }
        DepthCoding::Npy => npy(&binary(path, hint)?),
    };
    let mut map = map.ok_or_else(|| content(path, "its size does not fit its content"))?;
    for value in &mut map.values {
        if !value.is_finite() || *value <= 0.0 {
            *value = f32::NAN;
        }
    }
    Ok(map)
}

fn sized(width: usize, height: usize, values: Vec<f32>) -> Option<Map> {
    (width <= MAX_SIDE && height <= MAX_SIDE).then(|| Map::new(width, height, values)).flatten()
}

fn binary(path: &Path, hint: &'static str) -> Result<Vec<u8>, EvalError> {
    let size = std::fs::metadata(path).map_err(|e| missing(path, e, hint))?.len();
    if size > LARGEST {
        return Err(content(path, format!("{size} bytes are too many")));
    }
    std::fs::read(path).map_err(|e| missing(path, e, hint))
}

/// A two-dimensional array of little-endian f32 or f64 in C order, NumPy's format 1 to 3.
fn npy(bytes: &[u8]) -> Option<Map> {
    let rest = bytes.strip_prefix(b"\x93NUMPY")?;
    let (&[major, _], rest) = rest.split_first_chunk::<2>()?;
    let (length, rest) = if major == 1 {
        let (length, rest) = rest.split_first_chunk::<2>()?;
        (usize::from(u16::from_le_bytes(*length)), rest)
    } else {
        let (length, rest) = rest.split_first_chunk::<4>()?;
        (usize::try_from(u32::from_le_bytes(*length)).ok()?, rest)
    };
    let (header, data) = rest.split_at_checked(length)?;
    let header = std::str::from_utf8(header).ok()?;
    let after =
        |key: &str| header.split_once(key).map(|(_, rest)| rest.trim_start().trim_start_matches(':').trim_start());
    if after("'fortran_order'")?.starts_with("True") {
        return None;
    }
    let shape = after("'shape'")?.strip_prefix('(')?.split_once(')')?.0;
    let sides: Vec<usize> =
        shape.split(',').map(str::trim).filter(|s| !s.is_empty()).map(|s| s.parse().ok()).collect::<Option<_>>()?;
    let &[height, width] = sides.as_slice() else { return None };
    let kind = after("'descr'")?;
    let values = if kind.starts_with("'<f4'") {
        data.chunks_exact(4).map(|w| f32::from_le_bytes(<[u8; 4]>::try_from(w).unwrap_or_default())).collect()
    } else if kind.starts_with("'<f8'") {
        #[expect(clippy::cast_possible_truncation, reason = "depth in metres")]
        data.chunks_exact(8).map(|w| f64::from_le_bytes(<[u8; 8]>::try_from(w).unwrap_or_default()) as f32).collect()
    } else {
        return None;
    };
    sized(width, height, values)
}

/// The mark at the start of Sintel's binary files.
fn is_sintel_tag(tag: f32) -> bool {
    (tag - 202_021.25).abs() < 0.01
}

/// Sintel's camera file: pose (camera-to-world) and camera.
pub(super) fn sintel_camera(path: &Path) -> Result<(CameraPose, Camera), EvalError> {
    let bytes = binary(path, "the sequence needs camdata_left; complete the data set, or use --skip-bad")?;
    let (tag, rest) = bytes.split_first_chunk::<4>().ok_or_else(|| content(path, "empty"))?;
    let numbers: Vec<f64> =
        rest.chunks_exact(8).map(|w| f64::from_le_bytes(<[u8; 8]>::try_from(w).unwrap_or_default())).collect();
    if !is_sintel_tag(f32::from_le_bytes(*tag)) {
        return Err(content(path, "no Sintel camera file"));
    }
    let &[fx, _, cx, _, fy, cy, _, _, _, a, b, c, x, d, e, f, y, g, h, i, z] = numbers.as_slice() else {
        return Err(EvalError::PoseSize { path: path.to_owned(), expected: "9 + 12 numbers", found: numbers.len() });
    };
    if numbers.iter().any(|v| !v.is_finite()) {
        return Err(EvalError::PoseNotFinite { path: path.to_owned() });
    }
    // World to camera in the file.
    let back = transpose(&nearest_rotation(&[[a, b, c], [d, e, f], [g, h, i]]));
    let centre = apply(&back, [x, y, z]).map(|v| -v);
    Ok((CameraPose { rotation: back, centre }, Camera::new(fx, fy, cx, cy)))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn npy_arrays_of_both_widths_are_read_and_others_refused() {
        let file = |kind: &str, shape: &str, data: &[u8]| {
            let header = format!("{{'descr': '{kind}', 'fortran_order': False, 'shape': {shape}, }}\n");
            let mut bytes = b"\x93NUMPY\x01\x00".to_vec();
            bytes.extend(u16::try_from(header.len()).unwrap().to_le_bytes());
            bytes.extend(header.as_bytes());
            bytes.extend(data);
            bytes
        };
        let single: Vec<u8> = [1.0_f32, 2.0, 3.0, 4.0, 5.0, 6.0].iter().flat_map(|v| v.to_le_bytes()).collect();
        let map = npy(&file("<f4", "(2, 3)", &single)).unwrap();
        assert_eq!((map.width, map.height, map.at(2, 1)), (3, 2, 6.0));
        let double: Vec<u8> = [1.5_f64, 2.5].iter().flat_map(|v| v.to_le_bytes()).collect();
        assert_eq!(npy(&file("<f8", "(1, 2)", &double)).unwrap().values, [1.5, 2.5]);
        for (kind, shape) in [("<f4", "(2, 4)"), ("<i4", "(2, 3)"), ("<f4", "(6,)"), ("<f4", "(99999999, 99999999)")] {
            assert_eq!(npy(&file(kind, shape, &single)), None, "{kind} {shape}");
        }
        assert_eq!(npy(b"\x93NUMPY\x01\x00\xff\xff"), None);
    }
}

//! Text files of numbers: poses, trajectories and cameras.

use std::path::{Path, PathBuf};

use super::{Camera, EvalError};
use crate::eval::{
    linear::{determinant, nearest_rotation, rotation_of},
    trajectory::CameraPose,
};

/// Text files beyond this are no poses.
const LARGEST: u64 = 64 << 20;

/// How a pose is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum PoseForm {
    /// 4x4 (or its first 3 rows), row-major, camera-to-world, OpenCV axes.
    Matrix,
    /// The same with OpenGL camera axes (y up, z backward).
    MatrixOpenGl,
    /// `tx ty tz qx qy qz qw`, camera-to-world.
    Tum,
    /// Sintel's binary camera file.
    SintelCamera,
}

/// Reads a text file of moderate size.
pub(in crate::eval) fn text(path: &Path) -> Result<String, EvalError> {
    let missing = |reason: String| EvalError::Missing {
        path: path.to_owned(),
        reason,
        hint: "complete the data set, choose another --layout, or skip such frames with --skip-bad",
    };
    let size = std::fs::metadata(path).map_err(|e| missing(e.to_string()))?.len();
    if size > LARGEST {
        return Err(missing(format!("{size} bytes are too many for a text file of poses")));
    }
    std::fs::read_to_string(path).map_err(|e| missing(e.to_string()))
}

/// The numbers of a line; `None` if a word is none.
pub(super) fn parse(line: &str) -> Option<Vec<f64>> {
    line.split(|c: char| c.is_whitespace() || c == ',').filter(|w| !w.is_empty()).map(|w| w.parse().ok()).collect()
}

fn not_numbers(path: PathBuf) -> EvalError {
    EvalError::Content {
        path,
        problem: "not numbers only".to_owned(),
        hint: "check that it is the file the layout expects",
    }
}

/// All numbers of a file.
pub(super) fn read(path: &Path) -> Result<Vec<f64>, EvalError> {
    parse(&text(path)?).ok_or_else(|| not_numbers(path.to_owned()))
}

/// `path` with a line number, for messages.
fn place(path: &Path, line: usize) -> PathBuf {
    PathBuf::from(format!("{}, line {line}", path.display()))
}

/// A line of a file: its place, for messages, and its numbers.
pub(super) type Line = (PathBuf, Vec<f64>);

/// The numbers of every line that is no comment and not empty, with the line's place.
pub(super) fn lines(path: &Path) -> Result<Vec<Line>, EvalError> {
    let content = text(path)?;
    let wanted = content.lines().enumerate().filter(|(_, l)| !l.trim().is_empty() && !l.trim_start().starts_with('#'));
    wanted
        .map(|(number, line)| {
            let place = place(path, number + 1);
            parse(line).map(|numbers| (place.clone(), numbers)).ok_or_else(|| not_numbers(place))
        })
        .collect()
}

/// A pose from its numbers.
pub(super) fn pose(path: &Path, values: &[f64], form: PoseForm) -> Result<CameraPose, EvalError> {
    let size = |expected| EvalError::PoseSize { path: path.to_owned(), expected, found: values.len() };
    if form == PoseForm::Tum {
        let &[tx, ty, tz, qx, qy, qz, qw] = values else { return Err(size("7 numbers (tx ty tz qx qy qz qw)")) };
        finite(path, values)?;
        let length = (qx * qx + qy * qy + qz * qz + qw * qw).sqrt();
        if (length - 1.0).abs() > 0.05 {
            return Err(EvalError::PoseRotation { path: path.to_owned(), determinant: length.powi(3) });
        }
        let rotation = rotation_of([qw, qx, qy, qz].map(|v| v / length));
        return Ok(CameraPose { rotation, centre: [tx, ty, tz] });
    }
    let (rows, last) = values.split_at_checked(12).ok_or_else(|| size("4x4 numbers"))?;
    if !matches!(last.len(), 0 | 4) {
        return Err(size("4x4 numbers"));
    }
    finite(path, values)?;
    let mut rotation = [[0.0; 3]; 3];
    let mut centre = [0.0; 3];
    for ((row, target), translation) in rows.chunks_exact(4).zip(&mut rotation).zip(&mut centre) {
        let &[a, b, c, t] = row else { return Err(size("4x4 numbers")) };
        let turned = if form == PoseForm::MatrixOpenGl { -1.0 } else { 1.0 };
        *target = [a, b * turned, c * turned];
        *translation = t;
    }
    let found = determinant(&rotation);
    let nearest = nearest_rotation(&rotation);
    let furthest = rotation.iter().zip(&nearest).flat_map(|(a, b)| a.iter().zip(b).map(|(x, y)| (x - y).abs()));
    // Published poses are rounded products: determinants of 0.9994 occur.
    if furthest.fold(0.0, f64::max) > 0.05 {
        return Err(EvalError::PoseRotation { path: path.to_owned(), determinant: found });
    }
    Ok(CameraPose { rotation: nearest, centre })
}

/// All poses of a trajectory (`time tx ty tz qx qy qz qw`) with their places.
pub(in crate::eval) fn tum_poses(path: &Path) -> Result<Vec<(PathBuf, CameraPose)>, EvalError> {
    let timed = |(place, values): (PathBuf, Vec<f64>)| {
        let rest = values.split_first().map_or(&[][..], |(_, rest)| rest);
        pose(&place, rest, PoseForm::Tum).map(|pose| (place, pose))
    };
    lines(path)?.into_iter().map(timed).collect()
}

fn finite(path: &Path, values: &[f64]) -> Result<(), EvalError> {
    if values.iter().all(|v| v.is_finite()) { Ok(()) } else { Err(EvalError::PoseNotFinite { path: path.to_owned() }) }
}

/// A camera from a 3x3 or 4x4 matrix file.
pub(super) fn camera(path: &Path) -> Result<Camera, EvalError> {
    let values = read(path)?;
    let (fx, fy, cx, cy) = match *values.as_slice() {
        [fx, _, cx, _, fy, cy, _, _, _] | [fx, _, cx, _, _, fy, cy, _, _, _, _, _, _, _, _, _] => (fx, fy, cx, cy),
        _ => {
            let problem = format!("3x3 numbers expected, {} found", values.len());
            return Err(EvalError::Content {
                path: path.to_owned(),
                problem,
                hint: "write the camera matrix, row by row",
            });
        }
    };
    if !(fx > 0.0 && fy > 0.0 && fx.is_finite() && fy.is_finite() && cx.is_finite() && cy.is_finite()) {
        let problem = format!("focal lengths {fx}, {fy} and centre {cx}, {cy} are no camera");
        return Err(EvalError::Content { path: path.to_owned(), problem, hint: "write the camera matrix, row by row" });
    }
    Ok(Camera::new(fx, fy, cx, cy))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn poses_of_every_form_agree() {
        let path = Path::new("p.txt");
        let matrix = [0.0, -1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 2.0, 0.0, 0.0, 1.0, 3.0, 0.0, 0.0, 0.0, 1.0];
        let half = 0.5_f64.sqrt();
        let a = pose(path, &matrix, PoseForm::Matrix).unwrap();
        let b = pose(path, &[1.0, 2.0, 3.0, 0.0, 0.0, half, half], PoseForm::Tum).unwrap();
        let c = pose(path, &matrix[..12], PoseForm::Matrix).unwrap();
        assert_eq!((a, a.centre), (c, b.centre));
        for (x, y) in a.rotation.iter().flatten().zip(b.rotation.iter().flatten()) {
            assert!((x - y).abs() < 1e-12);
        }
        let flipped = [0.0, 1.0, 0.0, 1.0, 1.0, 0.0, 0.0, 2.0, 0.0, 0.0, -1.0, 3.0, 0.0, 0.0, 0.0, 1.0];
        assert_eq!(pose(path, &flipped, PoseForm::MatrixOpenGl).unwrap(), a);
    }

    #[test]
    fn unusable_poses_are_named() {
        let path = Path::new("pose/7.txt");
        let mut matrix = [1.0, 0.0, 0.0, 1.0, 0.0, 1.0, 0.0, 2.0, 0.0, 0.0, 1.0, 3.0, 0.0, 0.0, 0.0, 1.0];
        let error = pose(path, &matrix[..9], PoseForm::Matrix).unwrap_err();
        assert!(matches!(error, EvalError::PoseSize { found: 9, .. }) && error.to_string().contains("pose/7.txt"));
        assert!(matches!(pose(path, &matrix, PoseForm::Tum), Err(EvalError::PoseSize { .. })));
        matrix[3] = f64::NAN;
        assert!(matches!(pose(path, &matrix, PoseForm::Matrix), Err(EvalError::PoseNotFinite { .. })));
        matrix[3] = 0.0;
        matrix[0] = -1.0; // a reflection
        assert!(matches!(pose(path, &matrix, PoseForm::Matrix), Err(EvalError::PoseRotation { .. })));
        let none = pose(path, &[0.0; 7], PoseForm::Tum);
        assert!(matches!(none, Err(EvalError::PoseRotation { .. })));
    }
}

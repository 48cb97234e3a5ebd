//! Preprocessing held against reference images (`preprocess.safetensors`), natively and in the page.
//!
//! A case is `{name}{size}.input_u8` with `.output_u8` (cropped) and, where the reference has one,
//! `.resize_output_u8` (whole picture); the digits at the end of the case's name are the input size.

use safetensors::{Dtype, SafeTensors};
use serde::Serialize;

use super::{Preprocess, PreprocessError, RgbImage};

/// Share of values that may be one level off (golden README; we expect none).
const MAX_DIFFERING: f64 = 0.01;

/// Reference files that cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum ReferenceError {
    /// Not a safetensors file.
    #[error("the preprocessing reference is not a readable safetensors file ({0}): copy it again")]
    File(#[from] safetensors::SafeTensorError),
    /// A tensor that is missing or not an 8-bit RGB image.
    #[error("{0} is not an 8-bit image of shape [height, width, 3]: the reference file is incomplete, copy it again")]
    Tensor(String),
    /// A case without an input size in its name.
    #[error("case {0} does not end with its input size: the reference file is of another kind")]
    Name(String),
    /// No case at all.
    #[error("the reference file holds no preprocessing case (no tensor ends with .input_u8)")]
    Empty,
    /// A case that this program refuses.
    #[error("case {case}: {source}")]
    Refused {
        /// Case name.
        case: String,
        /// Why.
        source: PreprocessError,
    },
}

impl ReferenceError {
    /// The error's name in the closed set shared with the page.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "damaged-file"
    }
}

/// One compared image.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PreprocessCase {
    /// Tensor name of the expected image.
    pub name: String,
    /// Largest difference of any value, 8-bit levels; 255 where the shapes differ.
    pub max_difference: u8,
    /// Share of values that differ.
    pub differing: f64,
    /// Equal, or at most one level off on less than 1 % of the values.
    pub pass: bool,
}

/// All compared images.
#[derive(Debug, Clone, PartialEq, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct PreprocessReport {
    /// In the order of their names.
    pub cases: Vec<PreprocessCase>,
    /// Whether every case passes.
    pub pass: bool,
}

fn image(file: &SafeTensors<'_>, name: &str) -> Result<RgbImage, ReferenceError> {
    let wrong = || ReferenceError::Tensor(name.to_owned());
    let tensor = file.tensor(name).map_err(|_| wrong())?;
    match (tensor.dtype(), tensor.shape()) {
        (Dtype::U8, &[height, width, 3]) => Ok(RgbImage { width, height, rgb: tensor.data().to_vec() }),
        _ => Err(wrong()),
    }
}

#[expect(clippy::cast_precision_loss, reason = "counts of pixels")]
fn compare(name: &str, expected: &RgbImage, found: &RgbImage) -> PreprocessCase {
    let same_shape = (expected.width, expected.height) == (found.width, found.height);
    let (mut max_difference, mut differing) = if same_shape { (0, 0_usize) } else { (255, expected.rgb.len()) };
    if same_shape {
        for (a, b) in expected.rgb.iter().zip(&found.rgb) {
            max_difference = max_difference.max(a.abs_diff(*b));
            differing += usize::from(a != b);
        }
    }
    let differing = differing as f64 / expected.rgb.len().max(1) as f64;
    let pass = max_difference == 0 || (max_difference == 1 && differing < MAX_DIFFERING);
    PreprocessCase { name: name.to_owned(), max_difference, differing, pass }
}

/// Prepares every input of a reference file and compares it with the expected images.
///
/// # Errors
/// When the file is not such a reference. Differences are not errors: they are in the report.
pub fn verify_preprocess(bytes: &[u8]) -> Result<PreprocessReport, ReferenceError> {
    let file = SafeTensors::deserialize(bytes)?;
    let mut names: Vec<&str> = file.names().into_iter().filter_map(|n| n.strip_suffix(".input_u8")).collect();
    names.sort_unstable();
    let mut cases = Vec::new();
    for case in names {
        let prefix = case.trim_end_matches(|c: char| c.is_ascii_digit());
        let size = case.strip_prefix(prefix).and_then(|digits| digits.parse().ok());
        let size = size.ok_or_else(|| ReferenceError::Name(case.to_owned()))?;
        let input = image(&file, &format!("{case}.input_u8"))?;
        for (suffix, crop) in [("output_u8", true), ("resize_output_u8", false)] {
            let name = format!("{case}.{suffix}");
            if !crop && file.tensor(&name).is_err() {
                continue;
            }
            let expected = image(&file, &name)?;
            let prepared = Preprocess { size, crop }.prepare(&input);
            let found = prepared.map_err(|source| ReferenceError::Refused { case: case.to_owned(), source })?;
            cases.push(compare(&name, &expected, &found.image));
        }
    }
    if cases.is_empty() {
        return Err(ReferenceError::Empty);
    }
    let pass = cases.iter().all(|case| case.pass);
    Ok(PreprocessReport { cases, pass })
}

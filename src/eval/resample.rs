//! Where a network-sized map lies in the photograph, and its values there.
//!
//! Predictions are brought to the size of the ground truth by cubic convolution (a = -0.75, four by four
//! neighbours, edges repeated, no smoothing): the usual "bicubic" of image libraries for float maps.

use super::EvalError;

/// A map of one value per pixel, row order. What is not finite is missing.
#[derive(Debug, Clone, PartialEq)]
pub struct Map {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// `width * height` values.
    pub values: Vec<f32>,
}

impl Map {
    /// A map of the given values; `None` if their number is wrong.
    #[must_use]
    pub fn new(width: usize, height: usize, values: Vec<f32>) -> Option<Self> {
        (values.len() == width * height && width > 0 && height > 0).then_some(Self { width, height, values })
    }

    /// The value of a pixel; not a number outside.
    #[must_use]
    pub fn at(&self, x: usize, y: usize) -> f32 {
        if x < self.width { self.values.get(y * self.width + x).copied().unwrap_or(f32::NAN) } else { f32::NAN }
    }
}

/// Where the network's input lies in the photograph: `input = photograph * scale - offset`, in pixels
/// measured from the corner of the picture.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Placement {
    /// Input pixels per photograph pixel, (x, y).
    pub scale: [f64; 2],
    /// Input pixels cut off at the left and the top.
    pub offset: [f64; 2],
}

impl Placement {
    /// The whole photograph squeezed onto the input.
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "image sides")]
    pub fn whole(photograph: (usize, usize), input: (usize, usize)) -> Self {
        let scale = [input.0 as f64 / photograph.0 as f64, input.1 as f64 / photograph.1 as f64];
        Self { scale, offset: [0.0; 2] }
    }

    /// The photograph position, from its corner, of the centre of input pixel (x, y).
    #[must_use]
    #[expect(clippy::cast_precision_loss, reason = "image sides")]
    pub fn in_photograph(&self, x: usize, y: usize) -> [f64; 2] {
        let [sx, sy] = self.scale;
        [(x as f64 + 0.5 + self.offset[0]) / sx, (y as f64 + 0.5 + self.offset[1]) / sy]
    }
}

/// The four neighbours of a sample along one axis and their weights; `None` beyond the map.
#[derive(Debug, Clone, Copy)]
struct Taps {
    at: [usize; 4],
    weight: [f32; 4],
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    clippy::cast_precision_loss,
    clippy::cast_possible_wrap,
    reason = "image sides; clamped to the map"
)]
fn taps(position: f64, length: usize) -> Option<Taps> {
    const A: f64 = -0.75;
    // Position from the corner; the last half pixel on each side repeats the edge.
    if !(0.0..=length as f64).contains(&position) || length == 0 {
        return None;
    }
    let centred = position - 0.5;
    let first = centred.floor();
    let t = centred - first;
    let outer = |x: f64| ((A * x - 5.0 * A) * x + 8.0 * A) * x - 4.0 * A;
    let inner = |x: f64| ((A + 2.0) * x - (A + 3.0)) * x * x + 1.0;
    let mut weight = [outer(t + 1.0), inner(t), inner(1.0 - t), 0.0];
    weight[3] = 1.0 - weight[0] - weight[1] - weight[2];
    let clamp = |k: i64| (first as i64 + k).clamp(0, length as i64 - 1) as usize;
    Some(Taps { at: [clamp(-1), clamp(0), clamp(1), clamp(2)], weight: weight.map(|w| w as f32) })
}

/// `map` as seen from a picture of `size` pixels that shows the same photograph (of size `photograph`).
/// Missing where the map does not reach or where a neighbour is missing.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "image sides")]
pub fn to_ground_truth(map: &Map, placement: &Placement, photograph: (usize, usize), size: (usize, usize)) -> Map {
    let axis = |count: usize, whole: usize, k: usize, length: usize| -> Vec<Option<Taps>> {
        let step = whole as f64 / count as f64;
        let position = |i| (i as f64 + 0.5) * step * placement.scale[k] - placement.offset[k];
        (0..count).map(|i| taps(position(i), length)).collect()
    };
    let across = axis(size.0, photograph.0, 0, map.width);
    let down = axis(size.1, photograph.1, 1, map.height);
    let mut values = Vec::with_capacity(size.0 * size.1);
    for y in &down {
        for x in &across {
            let (Some(x), Some(y)) = (x, y) else {
                values.push(f32::NAN);
                continue;
            };
            let mut sum = 0.0;
            for (&row, &wy) in y.at.iter().zip(&y.weight) {
                for (&column, &wx) in x.at.iter().zip(&x.weight) {
                    let weight = wx * wy;
                    // A missing neighbour that has no say does not hurt (equal sizes: only one neighbour counts).
                    if weight != 0.0 {
                        sum += weight * map.at(column, row);
                    }
                }
            }
            values.push(sum);
        }
    }
    Map { width: size.0, height: size.1, values }
}

/// Where a prediction of size `input` lies in its photograph when nothing but the sizes is known: the whole
/// photograph, which is only believed if the shapes agree to 4 % (half a patch of 16 in 200 pixels).
///
/// # Errors
/// When the shapes differ: the prediction shows a cut-out of unknown position.
#[expect(clippy::cast_precision_loss, reason = "image sides")]
pub fn assumed_placement(
    file: &std::path::Path,
    photograph: (usize, usize),
    input: (usize, usize),
) -> Result<Placement, EvalError> {
    let shape = |(w, h): (usize, usize)| w as f64 / h as f64;
    if (shape(photograph) / shape(input) - 1.0).abs() > 0.04 {
        return Err(EvalError::Shape { path: file.to_owned(), photograph, input });
    }
    Ok(Placement::whole(photograph, input))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ramp(width: usize, height: usize) -> Map {
        let values = (0..height).flat_map(|y| (0..width).map(move |x| 1.0 + x as f32 * 0.5 + y as f32 * 0.25));
        Map::new(width, height, values.collect()).unwrap()
    }

    #[test]
    fn equal_sizes_change_nothing_even_beside_missing_pixels() {
        let mut map = ramp(9, 7);
        map.values[10] = f32::NAN;
        let same = to_ground_truth(&map, &Placement::whole((9, 7), (9, 7)), (9, 7), (9, 7));
        assert_eq!(same.values[11], map.values[11]);
        assert!(same.values[10].is_nan() && same.values.iter().filter(|v| v.is_nan()).count() == 1);
    }

    #[test]
    fn doubling_uses_the_cubic_weights_of_image_libraries() {
        let mut impulse = Map::new(8, 1, vec![0.0; 8]).unwrap();
        impulse.values[3] = 1.0;
        let doubled = to_ground_truth(&impulse, &Placement::whole((16, 1), (8, 1)), (16, 1), (16, 1));
        // Sample 2k lies a quarter pixel before source pixel k, sample 2k + 1 a quarter behind it (a = -0.75).
        let weights = [-0.035_156_25, -0.105_468_75, 0.261_718_75, 0.878_906_25];
        for (i, weight) in weights.iter().enumerate() {
            assert!((doubled.at(3 + i, 0) - weight).abs() < 1e-6);
            assert!((doubled.at(10 - i, 0) - weight).abs() < 1e-6);
        }
        let ramp = to_ground_truth(&ramp(10, 8), &Placement::whole((30, 24), (10, 8)), (30, 24), (30, 24));
        assert!((ramp.at(13, 10) - (1.0 + 4.0 * 0.5 + 3.0 * 0.25)).abs() < 1e-6); // on a source pixel
    }

    #[test]
    fn a_cut_out_covers_its_part_of_the_photograph_only() {
        // 20x10 photograph, halved to 10x5, the middle 4 columns kept; ground truth at photograph size.
        let placement = Placement { scale: [0.5, 0.5], offset: [3.0, 0.0] };
        let seen = to_ground_truth(&ramp(4, 5), &placement, (20, 10), (20, 10));
        let covered: Vec<bool> = (0..20).map(|x| seen.at(x, 4).is_finite()).collect();
        assert_eq!(covered, (0..20).map(|x| (6..14).contains(&x)).collect::<Vec<_>>());
        assert_eq!(placement.in_photograph(0, 0), [7.0, 1.0]);
    }

    #[test]
    fn shapes_that_disagree_are_refused() {
        let path = std::path::Path::new("depth");
        assert!(assumed_placement(path, (640, 480), (512, 384)).is_ok());
        assert!(assumed_placement(path, (640, 480), (224, 160)).is_err());
        assert!(assumed_placement(path, (640, 480), (224, 224)).is_err());
    }
}

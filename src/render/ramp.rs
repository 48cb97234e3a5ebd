//! Colour ramps: numbers as colours. The CPU twin of `ramp` in `shaders/points.wgsl`.

/// A ramp.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ramp {
    /// Dark violet to yellow, rising in brightness.
    Viridis,
    /// Blue over green to red.
    Turbo,
}

const VIRIDIS: [[u8; 3]; 10] = [
    [68, 1, 84],
    [72, 40, 120],
    [62, 74, 137],
    [49, 104, 142],
    [38, 130, 142],
    [31, 158, 137],
    [53, 183, 121],
    [109, 205, 89],
    [180, 222, 44],
    [253, 231, 37],
];
const TURBO: [[u8; 3]; 10] = [
    [48, 18, 59],
    [70, 98, 215],
    [53, 170, 249],
    [26, 228, 182],
    [113, 254, 95],
    [199, 239, 52],
    [250, 186, 57],
    [245, 105, 24],
    [201, 42, 4],
    [122, 4, 3],
];

impl Ramp {
    /// The sRGB colour at `t`, from 0 to 1 (clamped; what is not a number is 0).
    #[must_use]
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to the ramp and to bytes")]
    pub fn colour(self, t: f32) -> [u8; 3] {
        let stops = match self {
            Self::Viridis => &VIRIDIS,
            Self::Turbo => &TURBO,
        };
        let x = if t.is_nan() { 0.0 } else { t.clamp(0.0, 1.0) } * 9.0;
        let at = (x as usize).min(8);
        let share = x - at as f32;
        let [low, high] = [at, at + 1].map(|i| stops.get(i).copied().unwrap_or_default());
        std::array::from_fn(|c| (f32::from(low[c]) + share * (f32::from(high[c]) - f32::from(low[c]))).round() as u8)
    }
}

/// The 2nd and 98th percentile of the finite values: the ends of a ramp that shows them. `None` where there is no value.
#[must_use]
pub fn robust_range(values: impl Iterator<Item = f32>) -> Option<[f32; 2]> {
    let mut values: Vec<f32> = values.filter(|v| v.is_finite()).collect();
    let cut = values.len() / 50;
    values.sort_unstable_by(f32::total_cmp);
    let low = *values.get(cut)?;
    let high = *values.get(values.len() - 1 - cut)?;
    // A single value lies in the middle of its ramp.
    let (low, high) = if high > low { (low, high) } else { (low - 0.5, low + 0.5) };
    Some([low, high])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn ramps_end_where_they_should_and_survive_nonsense() {
        assert_eq!(Ramp::Viridis.colour(0.0), [68, 1, 84]);
        assert_eq!(Ramp::Viridis.colour(1.0), [253, 231, 37]);
        assert_eq!(Ramp::Turbo.colour(f32::INFINITY), [122, 4, 3]);
        assert_eq!(Ramp::Turbo.colour(f32::NAN), [48, 18, 59]);
        assert_eq!(Ramp::Viridis.colour(0.5 / 9.0), [70, 21, 102]);
    }

    #[test]
    fn ranges_leave_out_extremes() {
        let values = (0..=100).map(|i| i as f32).chain([1e9, f32::NAN, f32::NEG_INFINITY]);
        let [low, high] = robust_range(values).unwrap();
        assert!((1.0..4.0).contains(&low) && (96.0..100.0).contains(&high), "{low} {high}");
        assert_eq!(robust_range([3.0; 4].into_iter()), Some([2.5, 3.5]));
        assert_eq!(robust_range([f32::NAN].into_iter()), None);
    }
}

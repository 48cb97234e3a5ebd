//! Depth metrics and the alignments that precede them (single image and video depth).
//!
//! A depth pair is (predicted, true) at a pixel where the truth counts. Sums run in f64.

use super::parallel;
use crate::geometry::median;

/// A predicted and a true depth at one pixel.
pub type Pair = (f32, f32);

/// The smallest prediction in logarithms and ratios; a prediction behind the camera counts as this near.
const NEAREST: f64 = 1e-5;

/// What a data set says about its depth.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub struct DepthLimits {
    /// True depths of this and beyond do not count.
    pub below: Option<f32>,
    /// Aligned predictions are cut to this.
    pub clip: Option<f32>,
}

impl DepthLimits {
    /// Whether a true depth counts.
    #[must_use]
    pub fn counts(&self, truth: f32) -> bool {
        truth.is_finite() && truth > 0.0 && self.below.is_none_or(|limit| truth < limit)
    }
}

/// The metrics of a set of pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct DepthMetrics {
    /// Mean of |p - g| / g.
    pub abs_rel: f64,
    /// Mean of (p - g)^2 / g.
    pub sq_rel: f64,
    /// Root of the mean squared difference.
    pub rmse: f64,
    /// Root of the mean squared difference of natural logarithms.
    pub log_rmse: f64,
    /// Shares of pixels with max(p/g, g/p) below 1.25, 1.25^2, 1.25^3.
    pub delta: [f64; 3],
    /// Number of pixels.
    pub pixels: usize,
}

#[derive(Clone, Copy, Default)]
struct Sums {
    abs_rel: f64,
    sq_rel: f64,
    squared: f64,
    log_squared: f64,
    delta: [u64; 3],
    count: usize,
}

impl Sums {
    fn of(pairs: &[Pair], align: impl Fn(f64) -> f64) -> Self {
        let mut sums = Self::default();
        for &(p, g) in pairs {
            let (p, g) = (align(f64::from(p)), f64::from(g));
            let difference = p - g;
            sums.abs_rel += difference.abs() / g;
            sums.sq_rel += difference * difference / g;
            sums.squared += difference * difference;
            let positive = p.max(NEAREST);
            let log = (positive / g).ln();
            sums.log_squared += log * log;
            let ratio = (positive / g).max(g / positive);
            for (count, limit) in sums.delta.iter_mut().zip([1.25, 1.5625, 1.953_125]) {
                *count += u64::from(ratio < limit);
            }
        }
        sums.count = pairs.len();
        sums
    }

    fn plus(self, other: Self) -> Self {
        Self {
            abs_rel: self.abs_rel + other.abs_rel,
            sq_rel: self.sq_rel + other.sq_rel,
            squared: self.squared + other.squared,
            log_squared: self.log_squared + other.log_squared,
            delta: std::array::from_fn(|k| self.delta[k] + other.delta[k]),
            count: self.count + other.count,
        }
    }
}

/// An alignment of predicted to true depth: `scale * p + shift`.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Alignment {
    /// Factor.
    pub scale: f64,
    /// Added to every pixel.
    pub shift: f64,
}

impl Alignment {
    /// Depth as it was predicted.
    pub const METRIC: Self = Self { scale: 1.0, shift: 0.0 };

    /// Scale that makes the medians of an image equal (single image depth).
    #[must_use]
    pub fn median(pairs: &[Pair]) -> Option<Self> {
        let truth = median(pairs.iter().map(|&(_, g)| f64::from(g)))?;
        let predicted = median(pairs.iter().map(|&(p, _)| f64::from(p)))?;
        let scale = truth / predicted;
        (scale.is_finite() && scale > 0.0).then_some(Self { scale, shift: 0.0 })
    }

    /// Scale by iterative reweighting: s = mean g / mean p at first, then 10 times
    /// s = sum(w p g) / sum(w p^2) with w = 1 / (|s p - g| + 1e-8); at least 1e-3.
    #[must_use]
    pub fn scale(pairs: &[Pair]) -> Option<Self> {
        let total = |f: &(dyn Fn(f64, f64) -> [f64; 2] + Sync)| {
            let part = |pairs: &[Pair]| {
                pairs.iter().fold([0.0; 2], |[a, b], &(p, g)| {
                    let [x, y] = f(f64::from(p), f64::from(g));
                    [a + x, b + y]
                })
            };
            parallel::chunks(pairs, part).into_iter().fold([0.0; 2], |[a, b], [x, y]| [a + x, b + y])
        };
        let [truth, predicted] = total(&|p, g| [g, p]);
        let mut scale = truth / predicted;
        for _ in 0..10 {
            let [along, squared] = total(&|p, g| {
                let weight = 1.0 / ((scale * p - g).abs() + 1e-8);
                [weight * p * g, weight * p * p]
            });
            scale = (along / squared).max(1e-3);
        }
        scale.is_finite().then_some(Self { scale, shift: 0.0 })
    }

    /// Scale and shift that make the sum of |s p + t - g| small, by Adam: step 1e-4, at most 1000 steps, ended
    /// when the sum changes by less than 1e-6; from s = ratio of medians, t = 0.
    #[must_use]
    pub fn scale_and_shift(pairs: &[Pair]) -> Option<Self> {
        const STEP: f64 = 1e-4;
        const BETA: [f64; 2] = [0.9, 0.999];
        let mut now = Self::median(pairs)?;
        let (mut first, mut second, mut before) = ([0.0; 2], [0.0; 2], f64::INFINITY);
        for round in 1..=1000 {
            let part = |pairs: &[Pair]| {
                pairs.iter().fold([0.0; 3], |[loss, by_scale, by_shift], &(p, g)| {
                    let (p, rest) = (f64::from(p), now.scale * f64::from(p) + now.shift - f64::from(g));
                    let sign = if rest == 0.0 { 0.0 } else { rest.signum() };
                    [loss + rest.abs(), by_scale + sign * p, by_shift + sign]
                })
            };
            let [loss, by_scale, by_shift] =
                parallel::chunks(pairs, part).into_iter().fold([0.0; 3], |a, b| std::array::from_fn(|k| a[k] + b[k]));
            let step = std::array::from_fn::<f64, 2, _>(|k| {
                let gradient = [by_scale, by_shift][k];
                first[k] = BETA[0] * first[k] + (1.0 - BETA[0]) * gradient;
                second[k] = BETA[1] * second[k] + (1.0 - BETA[1]) * gradient * gradient;
                let mean = first[k] / (1.0 - BETA[0].powi(round));
                let spread = second[k] / (1.0 - BETA[1].powi(round));
                STEP * mean / (spread.sqrt() + 1e-8)
            });
            now = Self { scale: now.scale - step[0], shift: now.shift - step[1] };
            if (before - loss).abs() < 1e-6 {
                break;
            }
            before = loss;
        }
        (now.scale.is_finite() && now.shift.is_finite()).then_some(now)
    }
}

/// The metrics of aligned predictions; `None` without pixels.
#[must_use]
#[expect(clippy::cast_precision_loss, reason = "counts of pixels")]
pub fn metrics(pairs: &[Pair], alignment: Alignment, limits: &DepthLimits) -> Option<DepthMetrics> {
    let clip = limits.clip.map_or(f64::INFINITY, f64::from);
    let align = |p: f64| (alignment.scale * p + alignment.shift).min(clip);
    let sums = parallel::chunks(pairs, |part| Sums::of(part, align)).into_iter().fold(Sums::default(), Sums::plus);
    if sums.count == 0 {
        return None;
    }
    let n = sums.count as f64;
    Some(DepthMetrics {
        abs_rel: sums.abs_rel / n,
        sq_rel: sums.sq_rel / n,
        rmse: (sums.squared / n).sqrt(),
        log_rmse: (sums.log_squared / n).sqrt(),
        delta: sums.delta.map(|count| count as f64 / n),
        pixels: sums.count,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn pairs(scale: f32, shift: f32) -> Vec<Pair> {
        (0..5000)
            .map(|i| {
                let truth = 1.0 + 0.6 * (i as f32 * 0.37).sin() + 0.0002 * i as f32;
                ((truth - shift) / scale, truth)
            })
            .collect()
    }

    #[test]
    fn the_truth_itself_has_no_error() {
        let m = metrics(&pairs(1.0, 0.0), Alignment::METRIC, &DepthLimits::default()).unwrap();
        assert_eq!((m.abs_rel, m.sq_rel, m.rmse, m.log_rmse, m.delta), (0.0, 0.0, 0.0, 0.0, [1.0; 3]));
        assert_eq!(m.pixels, 5000);
    }

    #[test]
    fn metrics_of_three_pixels_are_what_the_formulas_say() {
        let m = metrics(&[(1.0, 2.0), (3.0, 2.0), (4.0, 4.0)], Alignment::METRIC, &DepthLimits::default()).unwrap();
        assert!((m.abs_rel - 1.0 / 3.0).abs() < 1e-12);
        assert!((m.sq_rel - 1.0 / 3.0).abs() < 1e-12);
        assert!((m.rmse - (2.0_f64 / 3.0).sqrt()).abs() < 1e-12);
        let log = (2.0_f64.ln().powi(2) + 1.5_f64.ln().powi(2)) / 3.0;
        assert!((m.log_rmse - log.sqrt()).abs() < 1e-12);
        assert_eq!(m.delta, [1.0 / 3.0, 2.0 / 3.0, 2.0 / 3.0]);
    }

    #[test]
    fn depth_behind_the_camera_is_wrong_not_right() {
        let m = metrics(&[(-2.0, 2.0)], Alignment::METRIC, &DepthLimits::default()).unwrap();
        assert_eq!((m.abs_rel, m.delta), (2.0, [0.0; 3]));
        assert!((m.log_rmse - (2.0_f64 / 1e-5).ln()).abs() < 1e-9);
    }

    #[test]
    fn a_known_scale_is_recovered_by_medians_and_by_reweighting() {
        for scale in [0.2, 1.0, 7.5] {
            let pairs = pairs(scale, 0.0);
            for found in [Alignment::median(&pairs).unwrap(), Alignment::scale(&pairs).unwrap()] {
                assert!((found.scale / f64::from(scale) - 1.0).abs() < 1e-5, "{found:?}"); // pairs are f32
            }
        }
    }

    #[test]
    fn reweighting_ignores_outliers_that_would_move_a_mean() {
        let mut pairs = pairs(2.0, 0.0);
        for pair in pairs.iter_mut().step_by(10) {
            pair.0 *= 5.0;
        }
        assert!((Alignment::scale(&pairs).unwrap().scale / 2.0 - 1.0).abs() < 0.01);
    }

    #[test]
    fn scale_and_shift_are_recovered_as_far_as_the_steps_reach() {
        // 1000 steps of 1e-4 move each parameter by at most 0.1.
        let pairs = pairs(1.02, 0.03);
        let found = Alignment::scale_and_shift(&pairs).unwrap();
        assert!((found.scale - 1.02).abs() < 2e-3 && (found.shift - 0.03).abs() < 2e-3, "{found:?}");
        let limits = DepthLimits::default();
        let after = metrics(&pairs, found, &limits).unwrap().abs_rel;
        let before = metrics(&pairs, Alignment::median(&pairs).unwrap(), &limits).unwrap().abs_rel;
        assert!(after < 1e-3 && before > 5e-3, "{before} -> {after}");
    }

    #[test]
    fn limits_choose_the_truth_and_cut_the_prediction() {
        let limits = DepthLimits { below: Some(70.0), clip: Some(70.0) };
        assert!(limits.counts(69.9) && !limits.counts(70.0) && !limits.counts(0.0) && !limits.counts(f32::NAN));
        let m = metrics(&[(500.0, 50.0)], Alignment::METRIC, &limits).unwrap();
        assert!((m.abs_rel - 0.4).abs() < 1e-12);
        assert_eq!(metrics(&[], Alignment::METRIC, &limits), None);
        assert_eq!(Alignment::median(&[(0.0, 1.0)]), None);
    }
}

//! What a sequence's true depth says without looking at pictures: its median and its mean map.

use crate::eval::{
    depth::DepthLimits,
    resample::{Map, Placement, to_ground_truth},
};

/// Bits of a depth that the histogram for the median distinguishes (3e-5 of the depth).
const DROPPED_BITS: u32 = 8;

/// Depths seen so far.
pub(super) struct Seen {
    limits: DepthLimits,
    /// Sum of logarithms and count by pixel.
    pixels: Vec<(f64, u32)>,
    histogram: Vec<u32>,
    all: (f64, u64),
}

impl Seen {
    pub(super) fn new(limits: DepthLimits) -> Self {
        Self { limits, pixels: Vec::new(), histogram: Vec::new(), all: (0.0, 0) }
    }

    /// Adds a frame (all frames have one size).
    pub(super) fn add(&mut self, depth: &Map) {
        self.pixels.resize(depth.values.len(), (0.0, 0));
        self.histogram.resize(1 << (31 - DROPPED_BITS), 0);
        for (&g, pixel) in depth.values.iter().zip(&mut self.pixels) {
            if self.limits.counts(g) {
                let log = f64::from(g).ln();
                *pixel = (pixel.0 + log, pixel.1 + 1);
                self.all = (self.all.0 + log, self.all.1 + 1);
                if let Some(count) = self.histogram.get_mut((g.to_bits() >> DROPPED_BITS) as usize) {
                    *count += 1;
                }
            }
        }
    }

    /// The median over all frames, to 3e-5 of it.
    pub(super) fn median(&self) -> Option<f32> {
        let mut below = 0_u64;
        let bin = self.histogram.iter().position(|&count| {
            below += u64::from(count);
            below * 2 > self.all.1
        })?;
        let middle = (u32::try_from(bin).ok()? << DROPPED_BITS) + (1 << (DROPPED_BITS - 1));
        Some(f32::from_bits(middle))
    }

    /// The geometric mean, pixel by pixel, of all frames but the one whose depth is `own`. Pixels that no other frame
    /// saw take the mean over everything. `None` if there is no other frame.
    #[expect(clippy::cast_possible_truncation, clippy::cast_precision_loss, reason = "depths and counts of pixels")]
    pub(super) fn mean_of_others(&self, own: &Map) -> Option<Map> {
        let mut any = false;
        let whole = (self.all.0 / self.all.1 as f64).exp() as f32;
        let pixel = |(&g, &(sum, count)): (&f32, &(f64, u32))| {
            let (sum, count) = if self.limits.counts(g) { (sum - f64::from(g).ln(), count - 1) } else { (sum, count) };
            any |= count > 0;
            if count > 0 { (sum / f64::from(count)).exp() as f32 } else { whole }
        };
        let values = own.values.iter().zip(&self.pixels).map(pixel).collect();
        let map = Map::new(own.width, own.height, values)?;
        any.then_some(map)
    }
}

/// A given map at the size of `truth`; holes take its median.
pub(super) fn given(map: &Map, truth: &Map) -> Map {
    let size = (truth.width, truth.height);
    let mut resized = to_ground_truth(map, &Placement::whole(size, (map.width, map.height)), size, size);
    let middle = crate::geometry::median(map.values.iter().map(|&v| f64::from(v))).unwrap_or(1.0);
    for value in &mut resized.values {
        if !value.is_finite() || *value <= 0.0 {
            #[expect(clippy::cast_possible_truncation, reason = "a depth")]
            let middle = middle as f32;
            *value = middle;
        }
    }
    resized
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_mean_of_others_leaves_a_frame_out_and_the_median_is_pooled() {
        let mut seen = Seen::new(DepthLimits { below: Some(50.0), clip: None });
        let frames =
            [[1.0, 2.0, f32::NAN], [4.0, 60.0, f32::NAN], [4.0, 8.0, 3.0]].map(|v| Map::new(3, 1, v.into()).unwrap());
        frames.iter().for_each(|frame| seen.add(frame));
        let others = seen.mean_of_others(&frames[0]).unwrap();
        assert!((others.values[0] - 4.0).abs() < 1e-5 && (others.values[1] - 8.0).abs() < 1e-5);
        assert!((others.values[2] - 3.0).abs() < 1e-5);
        let everything = (1.0_f32 * 2.0 * 4.0 * 4.0 * 8.0 * 3.0).powf(1.0 / 6.0);
        assert!((seen.mean_of_others(&frames[2]).unwrap().values[2] - everything).abs() < 1e-4);
        assert!((seen.median().unwrap() / 4.0 - 1.0).abs() < 1e-4 || (seen.median().unwrap() / 3.0 - 1.0).abs() < 1e-4);
        let mut alone = Seen::new(DepthLimits::default());
        alone.add(&frames[0]);
        assert_eq!(alone.mean_of_others(&frames[0]), None);
        assert_eq!(Seen::new(DepthLimits::default()).median(), None);
    }
}

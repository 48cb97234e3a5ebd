//! A frame's maps as pictures, and the range of values that a colour mode shows.

use super::{
    frusta::FrameView,
    ramp::{Ramp, robust_range},
    settings::ColourMode,
};
use crate::{cloud::Cloud, keyframes::KeyframeMaps};

/// Points looked at to find a range: enough for percentiles.
const SAMPLE: usize = 20_000;

/// A map as RGBA bytes, and the values at the ends of its ramp.
#[derive(Debug, Clone, PartialEq)]
pub struct MapPicture {
    /// Row order; transparent where there is no value.
    pub rgba: Vec<u8>,
    /// Values at the ends of the ramp, if the map has any.
    pub range: Option<[f32; 2]>,
}

/// The frame as the network saw it.
#[must_use]
pub fn photograph(maps: &KeyframeMaps) -> Vec<u8> {
    maps.rgb.as_chunks::<3>().0.iter().flat_map(|[r, g, b]| [*r, *g, *b, u8::MAX]).collect()
}

/// Depth: near is blue, far is red; the frame's units.
#[must_use]
pub fn depth(maps: &KeyframeMaps) -> MapPicture {
    picture(maps.depth().map(|d| if d > 0.0 { d } else { f32::NAN }), Ramp::Turbo, |v| v)
}

/// Confidence: unsure is violet, sure is yellow; the ramp is logarithmic, the range is not.
#[must_use]
pub fn confidence(maps: &KeyframeMaps) -> MapPicture {
    picture(maps.confidence.iter().map(|&code| f32::from(code)), Ramp::Viridis, |code| {
        crate::cloud::decode_confidence(code.clamp(0.0, 255.0) as u8)
    })
}

fn picture(values: impl Iterator<Item = f32>, ramp: Ramp, unit: impl Fn(f32) -> f32) -> MapPicture {
    let values: Vec<f32> = values.collect();
    let Some([low, high]) = robust_range(values.iter().copied()) else {
        return MapPicture { rgba: vec![0; values.len() * 4], range: None };
    };
    let colour = |v: f32| {
        let [r, g, b] = ramp.colour((v - low) / (high - low));
        if v.is_finite() { [r, g, b, u8::MAX] } else { [0; 4] }
    };
    MapPicture { rgba: values.iter().flat_map(|&v| colour(v)).collect(), range: Some([unit(low), unit(high)]) }
}

/// The values at the ends of the ramp by which `mode` colours the cloud.
#[must_use]
pub fn colour_range(cloud: &Cloud, frames: &[FrameView], mode: ColourMode) -> [f32; 2] {
    let step = cloud.point_count().div_ceil(SAMPLE).max(1);
    let chunks = cloud.chunks().iter().enumerate();
    let points = chunks.flat_map(|(i, chunk)| chunk.points.iter().map(move |p| (i, p))).step_by(step);
    let range = match mode {
        ColourMode::Rgb => None,
        ColourMode::Depth => robust_range(points.map(|(i, p)| {
            let inside = frames.get(i).map(|frame| frame.pose.inverse().transform_point(p.position));
            inside.unwrap_or(p.position)[2]
        })),
        ColourMode::Confidence => robust_range(points.map(|(_, p)| f32::from(p.confidence_code()))),
        ColourMode::Frame => Some([0.0, cloud.chunks().len().saturating_sub(1).max(1) as f32]),
        ColourMode::Height => robust_range(points.map(|(_, p)| -p.position[1])),
    };
    range.unwrap_or([0.0, 1.0])
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{
        cloud::{Chunk, PackedPoint},
        geometry::Pose,
        preprocess::RgbImage,
    };

    #[test]
    fn maps_become_pictures_with_their_range_and_holes_are_transparent() {
        let image = RgbImage { width: 2, height: 2, rgb: (0..12).collect() };
        let maps = KeyframeMaps::new(&image, [1.0, 3.0, f32::NAN, -1.0].into_iter(), &[1.0, 2.0, 4.0, 4096.0]);
        assert_eq!(photograph(&maps)[4..8], [3, 4, 5, 255]);
        let depth = depth(&maps);
        assert_eq!(depth.range, Some([1.0, 3.0]));
        assert_eq!(depth.rgba[..3], Ramp::Turbo.colour(0.0));
        assert_eq!((depth.rgba[11], depth.rgba[15]), (0, 0));
        let [low, high] = confidence(&maps).range.unwrap();
        assert!(low == 1.0 && high == 4096.0);
    }

    #[test]
    fn ranges_are_those_of_the_quantity_shown() {
        let mut cloud = Cloud::default();
        let chunk = |x: f32| {
            Chunk::new(
                0,
                vec![PackedPoint::new([x, -2.0, 1.0], [0; 3], 1.0), PackedPoint::new([x, 1.0, 4.0], [0; 3], 9.0)],
            )
        };
        cloud.push(chunk(0.0));
        cloud.push(chunk(0.0));
        let behind = FrameView::new(Pose { translation: [0.0, 0.0, -1.0], ..Pose::IDENTITY });
        let frames = [FrameView::new(Pose::IDENTITY), behind];
        assert_eq!(colour_range(&cloud, &frames, ColourMode::Depth), [1.0, 5.0]);
        assert_eq!(colour_range(&cloud, &frames, ColourMode::Height), [-1.0, 2.0]);
        assert_eq!(colour_range(&cloud, &frames, ColourMode::Frame), [0.0, 1.0]);
        assert_eq!(colour_range(&Cloud::default(), &frames, ColourMode::Height), [0.0, 1.0]);
    }
}

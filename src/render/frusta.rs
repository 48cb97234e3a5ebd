//! The cameras of the frames as they are shown: which of them, how large, and where their pictures lie.

use std::{ops::Range, sync::Arc};

use crate::{geometry::Pose, keyframes::KeyframeMaps};

/// Frusta shown at most: of more frames every second, third, ... is left out.
pub const MOST_FRUSTA: usize = 256;

/// The camera of a frame.
#[derive(Debug, Clone, PartialEq)]
pub struct FrameView {
    /// Camera-to-world.
    pub pose: Pose,
    /// Half width and half height of what it sees at depth 1.
    pub half: [f32; 2],
    /// Its picture, if it is still there.
    pub maps: Option<Arc<KeyframeMaps>>,
}

impl FrameView {
    /// A camera of which nothing is known but its pose: a common 4:3 one.
    #[must_use]
    pub fn new(pose: Pose) -> Self {
        Self { pose, half: [0.58, 0.435], maps: None }
    }

    /// A camera with its focal length, pixels of `maps`.
    #[must_use]
    pub fn with_maps(pose: Pose, focal: Option<f64>, maps: Option<Arc<KeyframeMaps>>) -> Self {
        let half = maps.as_ref().zip(focal).map(|(maps, focal)| {
            let half = |side: usize| (side as f64 / (2.0 * focal)).clamp(0.05, 4.0) as f32;
            [half(maps.width), half(maps.height)]
        });
        Self { half: half.unwrap_or(Self::new(pose).half), pose, maps }
    }

    /// Corners of the frustum's far side, `depth` in front of the camera: top left, top right, bottom right, bottom
    /// left.
    #[must_use]
    pub fn corners(&self, depth: f32) -> [[f32; 3]; 4] {
        let [x, y] = self.half.map(|half| half * depth);
        [[-x, -y], [x, -y], [x, y], [-x, y]].map(|[x, y]| self.pose.transform_point([x, y, depth]))
    }
}

/// The frames of `shown` whose frusta are drawn: all of them, or evenly spread ones and the last.
pub fn drawn(shown: Range<usize>) -> impl Iterator<Item = usize> {
    let step = shown.len().div_ceil(MOST_FRUSTA - 1).max(1);
    let last =
        shown.end.checked_sub(1).filter(|last| *last >= shown.start && !(last - shown.start).is_multiple_of(step));
    shown.step_by(step).chain(last)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn long_paths_show_some_frusta_evenly_and_always_the_last() {
        assert_eq!(drawn(2..5).collect::<Vec<_>>(), [2, 3, 4]);
        assert_eq!(drawn(5..5).count(), 0);
        for count in [255, 256, 257, 1000, 99_999] {
            let all: Vec<_> = drawn(0..count).collect();
            assert!(all.len() <= MOST_FRUSTA && all.last() == Some(&(count - 1)), "{count}");
        }
    }
}

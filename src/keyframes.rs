//! What is kept of every frame besides its points: when and where it was taken, its picture, depth and confidence.
//!
//! Exports, the timeline and the saved scene are made from these. A pixel takes 6 bytes; when the budget is used
//! up, the oldest frames lose their maps and keep the rest, and that is counted.

use std::sync::Arc;

use half::f16;

use crate::{
    cloud::{decode_confidence, encode_confidence},
    geometry::Pose,
    preprocess::RgbImage,
};

/// Bytes of maps kept unless asked otherwise: some 4,700 frames at 160x112, 430 at 512x384.
pub const DEFAULT_BUDGET: usize = 512 << 20;

/// Picture, depth and confidence of a frame, row order, at the network's size.
#[derive(Debug, Clone, PartialEq)]
pub struct KeyframeMaps {
    /// Pixels across.
    pub width: usize,
    /// Pixels down.
    pub height: usize,
    /// Interleaved sRGB bytes.
    pub rgb: Vec<u8>,
    /// z in the frame's own camera (metres where the model is metric), to 0.05 %; not finite or <= 0: none.
    pub depth: Vec<f16>,
    /// Code of the camera points' confidence (see [`crate::cloud`]).
    pub confidence: Vec<u8>,
}

impl KeyframeMaps {
    /// Packs the maps of a frame. `depth` and `confidence` have one value per pixel of `image`.
    #[must_use]
    pub fn new(image: &RgbImage, depth: impl Iterator<Item = f32>, confidence: &[f32]) -> Self {
        Self {
            width: image.width,
            height: image.height,
            rgb: image.rgb.clone(),
            depth: depth.map(f16::from_f32).collect(),
            confidence: confidence.iter().map(|&c| encode_confidence(c)).collect(),
        }
    }

    /// Bytes the maps take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.rgb.len() + 2 * self.depth.len() + self.confidence.len()
    }

    /// Depth per pixel, f32.
    pub fn depth(&self) -> impl Iterator<Item = f32> {
        self.depth.iter().map(|d| d.to_f32())
    }

    /// Confidence per pixel, to 3.3 %.
    pub fn confidence(&self) -> impl Iterator<Item = f32> {
        self.confidence.iter().map(|&c| decode_confidence(c))
    }
}

/// One frame of a reconstruction.
#[derive(Debug, Clone, PartialEq)]
pub struct Keyframe {
    /// Index of the frame in its source.
    pub index: u32,
    /// Seconds since the start of the source.
    pub time: f64,
    /// Camera-to-world.
    pub pose: Pose,
    /// Focal length, pixels of the network input, where it could be estimated.
    pub focal: Option<f64>,
    /// Pointers in memory after this frame, those it added, and patches it merged into existing ones.
    pub pointers: [usize; 3],
    /// Picture, depth, confidence; `None` once the budget let go of them.
    pub maps: Option<Arc<KeyframeMaps>>,
}

/// All frames of a reconstruction, in order. Cloning is cheap: frames are shared.
#[derive(Debug, Clone)]
pub struct Keyframes {
    frames: Vec<Arc<Keyframe>>,
    bytes: usize,
    budget: usize,
}

impl Default for Keyframes {
    fn default() -> Self {
        Self::new(DEFAULT_BUDGET)
    }
}

impl Keyframes {
    /// No frames; at most `budget` bytes of maps will be kept.
    #[must_use]
    pub fn new(budget: usize) -> Self {
        Self { frames: Vec::new(), bytes: 0, budget }
    }

    /// Adds a frame, letting go of the oldest maps if there is no room.
    pub fn push(&mut self, frame: Keyframe) {
        self.bytes += frame.maps.as_ref().map_or(0, |maps| maps.bytes());
        self.frames.push(Arc::new(frame));
        let mut oldest = self.frames.iter_mut().filter(|frame| frame.maps.is_some());
        while self.bytes > self.budget {
            let Some(frame) = oldest.next() else { break };
            self.bytes -= frame.maps.as_ref().map_or(0, |maps| maps.bytes());
            *frame = Arc::new(Keyframe { maps: None, ..Keyframe::clone(frame) });
        }
    }

    /// Drops the last `frames` frames.
    pub fn undo(&mut self, frames: usize) {
        let keep = self.frames.len().saturating_sub(frames);
        for frame in self.frames.drain(keep..) {
            self.bytes -= frame.maps.as_ref().map_or(0, |maps| maps.bytes());
        }
    }

    /// Frames in order.
    #[must_use]
    pub fn frames(&self) -> &[Arc<Keyframe>] {
        &self.frames
    }

    /// Bytes the maps take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Frames whose maps the budget let go of.
    #[must_use]
    pub fn without_maps(&self) -> usize {
        self.frames.iter().filter(|frame| frame.maps.is_none()).count()
    }
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]
    use super::*;

    fn frame(index: u32) -> Keyframe {
        let image = RgbImage { width: 2, height: 1, rgb: vec![1, 2, 3, 4, 5, 6] };
        let maps = KeyframeMaps::new(&image, [1.5, 2.25].into_iter(), &[1.0, 64.0]);
        let pose = Pose::IDENTITY;
        Keyframe { index, time: 0.0, pose, focal: None, pointers: [0; 3], maps: Some(Arc::new(maps)) }
    }

    #[test]
    fn maps_keep_depth_and_confidence() {
        let maps = frame(0).maps.unwrap();
        assert_eq!(maps.bytes(), 12);
        assert_eq!(maps.depth().collect::<Vec<_>>(), [1.5, 2.25]);
        assert!(maps.confidence().zip([1.0, 64.0]).all(|(a, b): (f32, f32)| (a / b - 1.0).abs() < 0.02));
    }

    #[test]
    fn the_budget_takes_the_oldest_maps_and_keeps_the_frames() {
        let mut frames = Keyframes::new(30);
        (0..4).for_each(|index| frames.push(frame(index)));
        assert_eq!((frames.frames().len(), frames.without_maps(), frames.bytes()), (4, 2, 24));
        assert!(frames.frames()[1].maps.is_none() && frames.frames()[2].maps.is_some());
        frames.undo(3);
        assert_eq!((frames.frames().len(), frames.bytes()), (1, 0));
    }
}

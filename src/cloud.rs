//! The reconstructed points on the host: one chunk per frame, so undoing a frame drops its chunk.
//!
//! A point is 16 bytes, the same on the host, in the renderer's buffers and in its shader. Its confidence
//! takes 8 bits on a logarithmic scale: `confidence = 2^(12 * code / 255)`, so code 0 is 1 (the least the
//! network gives), code 255 is 4096 or more, and a step is 3.3 %.

//!
//! A cloud has a budget of bytes. When it is used up, points are merged into voxels ([`VoxelFusion`]), so a long
//! scan goes on at bounded memory.

mod clean;
mod fusion;

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};

pub use clean::{FLAG_EDGE, FLAG_SKY, flags_of};
pub use fusion::VoxelFusion;

use crate::pace::Pace;

/// Octaves of confidence that the 8-bit code covers.
pub const CONFIDENCE_OCTAVES: f32 = 12.0;

/// The 8-bit code of a confidence: rising, saturating at both ends; 0 for what is not a number.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 8 bits")]
pub fn encode_confidence(confidence: f32) -> u8 {
    (confidence.max(1.0).log2() / CONFIDENCE_OCTAVES * 255.0).round().clamp(0.0, 255.0) as u8
}

/// The confidence a code stands for.
#[must_use]
pub fn decode_confidence(code: u8) -> f32 {
    (f32::from(code) * (CONFIDENCE_OCTAVES / 255.0)).exp2()
}

/// A coloured world point with its confidence.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
pub struct PackedPoint {
    /// World position, metres where the model is metric.
    pub position: [f32; 3],
    /// `r | g << 8 | b << 16 | confidence code << 24`.
    pub rgba: u32,
}

impl PackedPoint {
    /// Packs a point.
    #[must_use]
    pub fn new(position: [f32; 3], [r, g, b]: [u8; 3], confidence: f32) -> Self {
        Self { position, rgba: u32::from_le_bytes([r, g, b, encode_confidence(confidence)]) }
    }

    /// sRGB colour.
    #[must_use]
    pub fn color(&self) -> [u8; 3] {
        let [r, g, b, _] = self.rgba.to_le_bytes();
        [r, g, b]
    }

    /// Confidence, to 3.3 %.
    #[must_use]
    pub fn confidence(&self) -> f32 {
        decode_confidence(self.confidence_code())
    }

    /// The 8-bit confidence code.
    #[must_use]
    pub fn confidence_code(&self) -> u8 {
        self.rgba.to_le_bytes()[3]
    }
}

/// The points of one frame. Once voxels were merged: the voxels that this frame was the first to see.
#[derive(Debug, Clone, PartialEq)]
pub struct Chunk {
    /// Index of the frame in its source.
    pub frame: u32,
    /// Points, in pixel order as long as nothing was merged.
    pub points: Vec<PackedPoint>,
    /// What is doubtful about each point ([`FLAG_EDGE`], [`FLAG_SKY`]); empty where nothing is.
    pub flags: Vec<u8>,
}

impl Chunk {
    /// Points without doubts.
    #[must_use]
    pub fn new(frame: u32, points: Vec<PackedPoint>) -> Self {
        Self { frame, points, flags: Vec::new() }
    }

    /// Every point with its flags.
    pub fn flagged(&self) -> impl Iterator<Item = (&PackedPoint, u8)> + Clone {
        let flags = self.flags.iter().copied().chain(std::iter::repeat(0));
        self.points.iter().zip(flags)
    }

    fn bytes(&self) -> usize {
        size_of_val(&*self.points) + self.flags.len()
    }
}

/// Which points are wanted.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Selection {
    /// Least confidence; 1 takes all.
    pub confidence: f32,
    /// Doubts ([`FLAG_EDGE`], [`FLAG_SKY`]) of which a point may have none.
    pub hide: u8,
}

impl From<f32> for Selection {
    /// By confidence alone.
    fn from(confidence: f32) -> Self {
        Self { confidence, hide: 0 }
    }
}

/// An axis-aligned box.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Bounds {
    /// Smallest coordinates.
    pub min: [f32; 3],
    /// Largest coordinates.
    pub max: [f32; 3],
}

impl Bounds {
    /// Nothing yet: `including` makes it a box.
    const EMPTY: Self = Self { min: [f32::INFINITY; 3], max: [f32::NEG_INFINITY; 3] };

    fn including(mut self, point: [f32; 3]) -> Self {
        for ((min, max), v) in self.min.iter_mut().zip(&mut self.max).zip(point) {
            *min = min.min(v);
            *max = max.max(v);
        }
        self
    }
}

/// All points so far. Cloning is cheap: frames are shared, not copied.
#[derive(Debug, Clone)]
pub struct Cloud {
    chunks: Vec<Arc<Chunk>>,
    bounds: Vec<Bounds>,
    points: usize,
    bytes: usize,
    budget: usize,
    fusion: Option<VoxelFusion>,
}

impl Default for Cloud {
    fn default() -> Self {
        Self::new(usize::MAX)
    }
}

impl Cloud {
    /// An empty cloud that [`Cloud::fuse`] will keep within `budget` bytes. A budget of 0 keeps no point at all.
    #[must_use]
    pub fn new(budget: usize) -> Self {
        Self { chunks: Vec::new(), bounds: Vec::new(), points: 0, bytes: 0, budget, fusion: None }
    }

    /// Adds a frame's points.
    pub fn push(&mut self, mut chunk: Chunk) {
        if self.budget == 0 {
            chunk = Chunk::new(chunk.frame, Vec::new());
        }
        self.points += chunk.points.len();
        self.bytes += chunk.bytes();
        self.bounds.push(chunk.points.iter().fold(Bounds::EMPTY, |b, p| b.including(p.position)));
        self.chunks.push(Arc::new(chunk));
    }

    /// Merges points into voxels if they take more than the budget: to half of it, so that this is rare.
    ///
    /// A voxel's points become their mean, weighted by confidence, and belong to the first frame that saw it. Undoing
    /// frames therefore still takes back every voxel that only they saw; where they shared one with frames that
    /// stay, its point stays at the mean: off by less than a voxel.
    pub async fn fuse(&mut self, pace: &Pace) {
        if self.bytes > self.budget {
            let target = self.budget / 2 / (size_of::<PackedPoint>() + 1);
            *self = fusion::fused(self, target, pace).await;
        }
    }

    /// Drops the points of the last `frames` frames.
    pub fn undo(&mut self, frames: usize) {
        let keep = self.chunks.len().saturating_sub(frames);
        for chunk in self.chunks.drain(keep..) {
            self.points -= chunk.points.len();
            self.bytes -= chunk.bytes();
        }
        self.bounds.truncate(keep);
    }

    /// Frames in order.
    #[must_use]
    pub fn chunks(&self) -> &[Arc<Chunk>] {
        &self.chunks
    }

    /// Every point with its frame's index, those below `confidence` left out.
    pub fn points_above(&self, confidence: f32) -> impl Iterator<Item = (u32, &PackedPoint)> + Clone {
        self.selected(Selection::from(confidence))
    }

    /// Every wanted point with its frame's index.
    pub fn selected(&self, wanted: Selection) -> impl Iterator<Item = (u32, &PackedPoint)> + Clone {
        let least = if wanted.confidence > 1.0 { encode_confidence(wanted.confidence) } else { 0 };
        let wanted = move |(p, flags): &(&PackedPoint, u8)| p.confidence_code() >= least && flags & wanted.hide == 0;
        self.chunks.iter().flat_map(move |c| c.flagged().filter(wanted).map(|(p, _)| (c.frame, p)))
    }

    /// Number of points.
    #[must_use]
    pub fn point_count(&self) -> usize {
        self.points
    }

    /// Whether there is no point.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.points == 0
    }

    /// Bytes the points take.
    #[must_use]
    pub fn bytes(&self) -> usize {
        self.bytes
    }

    /// Bytes the points may take before they are merged.
    #[must_use]
    pub fn budget(&self) -> usize {
        self.budget
    }

    /// How points were merged to stay within the budget, if they were.
    #[must_use]
    pub fn fusion(&self) -> Option<VoxelFusion> {
        self.fusion
    }

    /// The same cloud, `factor` times as large.
    #[must_use]
    pub fn scaled(&self, factor: f32) -> Self {
        let larger = |p: &PackedPoint| PackedPoint { position: p.position.map(|v| v * factor), ..*p };
        let mut cloud = Self::new(self.budget);
        for chunk in &self.chunks {
            let points = chunk.points.iter().map(larger).collect();
            cloud.push(Chunk { frame: chunk.frame, points, flags: chunk.flags.clone() });
        }
        cloud.fusion = self.fusion.map(|fusion| VoxelFusion { voxel: fusion.voxel * factor, ..fusion });
        cloud
    }

    /// The box around all points.
    #[must_use]
    pub fn bounds(&self) -> Option<Bounds> {
        let all = |b: Bounds, c: &Bounds| b.including(c.min).including(c.max);
        let with_points = self.bounds.iter().zip(&self.chunks).filter(|(_, c)| !c.points.is_empty());
        (!self.is_empty()).then(|| with_points.map(|(b, _)| b).fold(Bounds::EMPTY, all))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn chunk(frame: u32, count: usize) -> Chunk {
        let point = |i: usize| PackedPoint::new([frame as f32, i as f32, -1.0], [1, 2, 3], 1.0 + i as f32);
        Chunk::new(frame, (0..count).map(point).collect())
    }

    #[test]
    fn confidence_codes_rise_and_are_within_half_a_step() {
        for code in 0..=255 {
            assert_eq!(encode_confidence(decode_confidence(code)), code);
        }
        let mut last = 0;
        for i in 0..20_000 {
            let confidence = 1.0 + 0.3 * i as f32;
            let code = encode_confidence(confidence);
            assert!(code >= last);
            last = code;
            let ratio = decode_confidence(code) / confidence.min(4096.0);
            assert!((ratio.ln()).abs() < 0.0164, "{confidence}"); // half of 12 octaves / 255
        }
    }

    #[test]
    fn hostile_confidences_have_a_code() {
        for (confidence, code) in
            [(f32::NAN, 0), (f32::INFINITY, 255), (f32::NEG_INFINITY, 0), (-3.0, 0), (0.0, 0), (1e30, 255)]
        {
            assert_eq!(encode_confidence(confidence), code, "{confidence}");
        }
    }

    #[test]
    fn a_point_keeps_its_colour_and_takes_16_bytes() {
        let point = PackedPoint::new([1.0, 2.0, 3.0], [250, 0, 7], 64.0);
        assert_eq!(size_of::<PackedPoint>(), 16);
        assert_eq!(point.color(), [250, 0, 7]);
        assert!((point.confidence() / 64.0 - 1.0).abs() < 0.0165);
    }

    #[test]
    fn undo_drops_the_last_frames() {
        let mut cloud = Cloud::default();
        assert_eq!(cloud.bounds(), None);
        for frame in 0..3 {
            cloud.push(chunk(frame, 10));
        }
        cloud.push(chunk(3, 0));
        assert_eq!(cloud.bounds(), Some(Bounds { min: [0.0, 0.0, -1.0], max: [2.0, 9.0, -1.0] }));
        cloud.undo(2);
        assert_eq!((cloud.chunks().len(), cloud.point_count(), cloud.bytes()), (2, 20, 320));
        cloud.undo(100);
        assert!(cloud.is_empty() && cloud.chunks().is_empty());
    }

    #[test]
    fn the_filter_keeps_what_is_confident_enough() {
        let mut cloud = Cloud::default();
        cloud.push(chunk(4, 10)); // confidences 1 to 10
        assert_eq!(cloud.points_above(0.0).count(), 10);
        assert_eq!(cloud.points_above(f32::NAN).count(), 10);
        assert_eq!(cloud.points_above(5.0).count(), 6);
        assert!(cloud.points_above(5.0).all(|(frame, p)| frame == 4 && p.confidence() > 4.8));
    }

    #[test]
    fn doubtful_points_are_left_out_by_what_is_doubtful_about_them() {
        let mut cloud = Cloud::default();
        cloud.push(Chunk { flags: vec![0, FLAG_EDGE, FLAG_SKY, FLAG_EDGE | FLAG_SKY], ..chunk(0, 4) });
        cloud.push(chunk(1, 2));
        let count = |hide| cloud.selected(Selection { confidence: 1.0, hide }).count();
        assert_eq!([0, FLAG_EDGE, FLAG_SKY, FLAG_EDGE | FLAG_SKY].map(count), [6, 4, 4, 3]);
    }
}

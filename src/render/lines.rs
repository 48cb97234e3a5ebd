//! The camera path, a small frustum per frame and what is measured, as line segments of constant width on the screen.

use std::ops::Range;

use bytemuck::{Pod, Zeroable};

use super::{
    frusta::{FrameView, drawn},
    quads::Quads,
};

const PATH: u32 = rgb(0xf2, 0x9b, 0x2e);
const CAMERA: u32 = rgb(0x4c, 0x9a, 0xf0);
const LATEST: u32 = rgb(0xff, 0x5a, 0x4f);
const MEASURE: u32 = rgb(0xff, 0xe0, 0x3a);

/// One segment as the shader reads it.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
struct Segment {
    start: [f32; 3],
    colour: u32,
    end: [f32; 3],
    width: f32,
}

/// What the lines show.
#[derive(Default)]
pub(super) struct Drawing<'a> {
    pub(super) frames: &'a [FrameView],
    /// Depth of a frustum, world units.
    pub(super) size: f32,
    /// The frames shown.
    pub(super) shown: Range<usize>,
    /// Path and frusta, or not.
    pub(super) cameras: bool,
    /// Ends of what is measured.
    pub(super) measured: &'a [[f32; 3]],
    /// Arms of the crosses at those ends, world units.
    pub(super) cross: f32,
}

/// Lines on the GPU.
pub(super) struct Lines(Quads);

impl Lines {
    pub(super) fn new(device: &wgpu::Device, view: &wgpu::BindGroupLayout, format: wgpu::TextureFormat) -> Self {
        Self(Quads::new(device, view, format, "lines", include_str!("../../shaders/lines.wgsl")))
    }

    pub(super) fn bytes(&self) -> u64 {
        self.0.bytes()
    }

    /// Replaces everything.
    pub(super) fn set(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, drawing: &Drawing<'_>) {
        self.0.set(device, queue, &segments(drawing));
    }

    pub(super) fn draw(&self, pass: &mut wgpu::RenderPass<'_>) {
        self.0.draw(pass);
    }
}

fn segments(drawing: &Drawing<'_>) -> Vec<Segment> {
    let line = |start, end, colour, width| Segment { start, colour, end, width };
    let mut segments = Vec::new();
    if drawing.cameras {
        let shown = drawing.shown.start.min(drawing.frames.len())..drawing.shown.end.min(drawing.frames.len());
        let path = drawing.frames.get(shown.clone()).unwrap_or_default();
        for pair in path.windows(2) {
            segments.push(line(pair[0].pose.translation, pair[1].pose.translation, PATH, 1.5));
        }
        let end = shown.end;
        for (index, frame) in drawn(shown).filter_map(|i| Some((i, drawing.frames.get(i)?))) {
            let (colour, width) = if index + 1 == end { (LATEST, 1.5) } else { (CAMERA, 1.0) };
            let corners = frame.corners(drawing.size);
            for (k, corner) in corners.into_iter().enumerate() {
                segments.push(line(frame.pose.translation, corner, colour, width));
                segments.push(line(corner, corners[(k + 1) % 4], colour, width));
            }
        }
    }
    for pair in drawing.measured.windows(2) {
        segments.push(line(pair[0], pair[1], MEASURE, 2.0));
    }
    for point in drawing.measured {
        for axis in 0..3 {
            let end =
                |sign: f32| std::array::from_fn(|i| point[i] + if i == axis { sign * drawing.cross } else { 0.0 });
            segments.push(line(end(-1.0), end(1.0), MEASURE, 2.0));
        }
    }
    segments.retain(|s| s.start.iter().chain(&s.end).all(|v| v.is_finite()));
    segments
}

const fn rgb(r: u32, g: u32, b: u32) -> u32 {
    r | g << 8 | b << 16
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::geometry::Pose;

    fn of(frames: &[FrameView], size: f32) -> Vec<Segment> {
        segments(&Drawing { frames, size, shown: 0..frames.len(), cameras: true, ..Drawing::default() })
    }

    #[test]
    fn a_pose_gives_eight_segments_and_a_pair_one_more() {
        let still = FrameView::new(Pose::IDENTITY);
        let step = FrameView::new(Pose { translation: [1.0, 0.0, 0.0], ..Pose::IDENTITY });
        assert_eq!(of(&[], 0.1).len(), 0);
        assert_eq!(of(std::slice::from_ref(&still), 0.1).len(), 8);
        assert_eq!(of(&[still, step], 0.1).len(), 17);
    }

    #[test]
    fn a_frustum_opens_forward_and_poses_that_are_not_finite_are_not_drawn() {
        let lines = of(&[FrameView::new(Pose::IDENTITY)], 2.0);
        assert!(lines.iter().all(|s| s.start[2] == 0.0 || s.start[2] == 2.0));
        let broken = Pose { translation: [f32::NAN; 3], ..Pose::IDENTITY };
        assert!(of(&[FrameView::new(broken)], 1.0).is_empty());
    }

    #[test]
    fn two_measured_points_give_a_line_and_two_crosses() {
        let drawing = Drawing { measured: &[[0.0; 3], [1.0; 3]], cross: 0.1, ..Drawing::default() };
        assert_eq!(segments(&drawing).len(), 7);
    }
}

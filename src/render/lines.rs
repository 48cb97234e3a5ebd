//! The camera path and a small frustum per pose, as line segments of constant width on the screen.

use bytemuck::{Pod, Zeroable};

use super::{Pipeline, pipeline};
use crate::geometry::Pose;

/// Half width, half height of a frustum's far rectangle at depth 1 (a common 4:3 camera).
const FRUSTUM: [f32; 2] = [0.58, 0.435];
const PATH: u32 = rgb(0xf2, 0x9b, 0x2e);
const CAMERA: u32 = rgb(0x4c, 0x9a, 0xf0);
const LATEST: u32 = rgb(0xff, 0x5a, 0x4f);

/// One segment as the shader reads it.
#[repr(C)]
#[derive(Debug, Clone, Copy, PartialEq, Pod, Zeroable)]
struct Segment {
    start: [f32; 3],
    colour: u32,
    end: [f32; 3],
    width: f32,
}

/// Path and frusta on the GPU.
pub(super) struct Lines {
    pipeline: Pipeline,
    buffer: Option<(wgpu::Buffer, wgpu::BindGroup)>,
    len: usize,
}

impl Lines {
    pub(super) fn new(device: &wgpu::Device, view: &wgpu::BindGroupLayout, format: wgpu::TextureFormat) -> Self {
        let source = include_str!("../../shaders/lines.wgsl");
        Self { pipeline: pipeline(device, view, format, "lines", source), buffer: None, len: 0 }
    }

    pub(super) fn bytes(&self) -> u64 {
        self.buffer.as_ref().map_or(0, |(buffer, _)| buffer.size())
    }

    /// Replaces everything by the path through `poses` and their frusta of depth `size`.
    pub(super) fn set(&mut self, device: &wgpu::Device, queue: &wgpu::Queue, poses: &[Pose], size: f32) {
        let segments = segments(poses, size);
        self.len = segments.len();
        let needed = (self.len * size_of::<Segment>()) as u64;
        if self.len == 0 {
            return;
        }
        if self.bytes() < needed {
            let buffer = device.create_buffer(&wgpu::BufferDescriptor {
                label: Some("line segments"),
                size: needed.next_power_of_two().max(4096),
                usage: wgpu::BufferUsages::STORAGE | wgpu::BufferUsages::COPY_DST,
                mapped_at_creation: false,
            });
            let group = self.pipeline.bind(device, &buffer);
            self.buffer = Some((buffer, group));
        }
        if let Some((buffer, _)) = &self.buffer {
            queue.write_buffer(buffer, 0, bytemuck::cast_slice(&segments));
        }
    }

    pub(super) fn draw(&self, pass: &mut wgpu::RenderPass<'_>) {
        let Some((_, group)) = self.buffer.as_ref().filter(|_| self.len > 0) else { return };
        pass.set_pipeline(&self.pipeline.pipeline);
        pass.set_bind_group(1, group, &[]);
        pass.draw(0..(6 * self.len) as u32, 0..1);
    }
}

fn segments(poses: &[Pose], size: f32) -> Vec<Segment> {
    let mut segments = Vec::with_capacity(poses.len() * 9);
    let line = |start, end, colour, width| Segment { start, colour, end, width };
    for pair in poses.windows(2) {
        segments.push(line(pair[0].translation, pair[1].translation, PATH, 1.5));
    }
    for (index, pose) in poses.iter().enumerate() {
        let (colour, width) = if index + 1 == poses.len() { (LATEST, 1.5) } else { (CAMERA, 1.0) };
        let corner = |sx: f32, sy: f32| to_world(pose, [sx * FRUSTUM[0] * size, sy * FRUSTUM[1] * size, size]);
        let corners = [corner(-1.0, -1.0), corner(1.0, -1.0), corner(1.0, 1.0), corner(-1.0, 1.0)];
        for (k, c) in corners.into_iter().enumerate() {
            segments.push(line(pose.translation, c, colour, width));
            segments.push(line(c, corners[(k + 1) % 4], colour, width));
        }
    }
    segments.retain(|s| s.start.iter().chain(&s.end).all(|v| v.is_finite()));
    segments
}

fn to_world(pose: &Pose, p: [f32; 3]) -> [f32; 3] {
    let r = pose.rotation_matrix();
    std::array::from_fn(|i| r[i][0] * p[0] + r[i][1] * p[1] + r[i][2] * p[2] + pose.translation[i])
}

const fn rgb(r: u32, g: u32, b: u32) -> u32 {
    r | g << 8 | b << 16
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_pose_gives_eight_segments_and_a_pair_one_more() {
        let step = Pose { translation: [1.0, 0.0, 0.0], ..Pose::IDENTITY };
        assert_eq!(segments(&[], 0.1).len(), 0);
        assert_eq!(segments(&[Pose::IDENTITY], 0.1).len(), 8);
        assert_eq!(segments(&[Pose::IDENTITY, step], 0.1).len(), 17);
    }

    #[test]
    fn a_frustum_opens_forward_and_poses_that_are_not_finite_are_not_drawn() {
        let lines = segments(&[Pose::IDENTITY], 2.0);
        assert!(lines.iter().all(|s| s.start[2] == 0.0 || s.start[2] == 2.0));
        let broken = Pose { translation: [f32::NAN; 3], ..Pose::IDENTITY };
        assert!(segments(&[broken], 1.0).is_empty());
    }
}

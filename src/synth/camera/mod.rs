//! Hand-held cameras: the lens, the pose, and the path through a world.
//!
//! `view` is a coarse look through a camera, which decides what is worth seeing; `mover` puts something that moves
//! before it; `drive` is what the hand does; `path` puts them together.

mod drive;
mod mover;
mod path;
mod view;

pub(super) use path::path;

use super::math::{Rng, V3, sin_cos, v3};

/// Least distance from the camera to the (boxed) solids, metres.
pub(in crate::synth) const CLEARANCE: f32 = 0.12;
/// Least share of a coarse grid of a frame's points that the frame before must see, and the other way round.
pub(in crate::synth) const LEAST_OVERLAP: f32 = 0.45;
/// Depth beyond which nothing is written, metres.
pub(in crate::synth) const FARTHEST: f32 = 65.0;

/// Pinhole lens. Pixel centres are whole numbers; the principal point is the image centre.
#[derive(Debug, Clone, Copy)]
pub(in crate::synth) struct Lens {
    pub(in crate::synth) width: usize,
    pub(in crate::synth) height: usize,
    pub(in crate::synth) focal: f32,
}

impl Lens {
    /// Draws a focal length for a horizontal field of view of 45 to 80 degrees.
    pub(in crate::synth) fn random(r: &mut Rng, width: usize, height: usize) -> Self {
        // A phone held upright keeps its lens: its narrow side is the horizontal one.
        let widest = if height > width { 62.0 } else { 80.0 };
        let fov = r.range(45.0, widest).to_radians();
        let (s, c) = sin_cos(0.5 * fov);
        Self { width, height, focal: 0.5 * width as f32 * c / s }
    }
    pub(in crate::synth) fn centre(&self) -> (f32, f32) {
        (0.5 * (self.width as f32 - 1.0), 0.5 * (self.height as f32 - 1.0))
    }
}

/// A camera with OpenCV axes in world coordinates.
#[derive(Debug, Clone, Copy)]
pub(in crate::synth) struct Camera {
    pub(in crate::synth) position: V3,
    pub(in crate::synth) right: V3,
    pub(in crate::synth) down: V3,
    pub(in crate::synth) forward: V3,
}

impl Camera {
    /// Ray through an image position, with unit z in the camera frame.
    #[inline(always)]
    pub(in crate::synth) fn ray(&self, lens: &Lens, x: f32, y: f32) -> V3 {
        let (cx, cy) = lens.centre();
        self.forward + self.right * ((x - cx) / lens.focal) + self.down * ((y - cy) / lens.focal)
    }
    /// Image position and depth of a world point.
    #[inline(always)]
    pub(in crate::synth) fn project(&self, lens: &Lens, p: V3) -> (f32, f32, f32) {
        let d = p - self.position;
        let z = d.dot(self.forward);
        let (cx, cy) = lens.centre();
        let iz = lens.focal / z.max(1e-4);
        (d.dot(self.right) * iz + cx, d.dot(self.down) * iz + cy, z)
    }
    /// Camera-to-world matrix, row-major.
    pub(in crate::synth) fn matrix(&self) -> [f32; 16] {
        let (a, b, c, t) = (self.right, self.down, self.forward, self.position);
        [a.x, b.x, c.x, t.x, a.y, b.y, c.y, t.y, a.z, b.z, c.z, t.z, 0.0, 0.0, 0.0, 1.0]
    }
}

/// Position and Euler angles; yaw 0 looks along +z, positive pitch looks up.
#[derive(Debug, Clone, Copy)]
struct Stance {
    p: V3,
    yaw: f32,
    pitch: f32,
    roll: f32,
}

impl Stance {
    fn camera(&self) -> Camera {
        let (sy, cy) = sin_cos(self.yaw);
        let (sp, cp) = sin_cos(self.pitch);
        let (sr, cr) = sin_cos(self.roll);
        let forward = v3(sy * cp, sp, cy * cp).unit();
        let right = forward.cross(v3(0.0, 1.0, 0.0)).unit();
        let down = forward.cross(right);
        Camera { position: self.p, right: right * cr + down * sr, down: down * cr - right * sr, forward }
    }
    fn towards(&self, o: &Self, share: f32) -> Self {
        let f = |a: f32, b: f32| a + (b - a) * share;
        Self {
            p: self.p.mix(o.p, share),
            yaw: f(self.yaw, o.yaw),
            pitch: f(self.pitch, o.pitch),
            roll: f(self.roll, o.roll),
        }
    }
}

//! A coarse look through a camera: is there something to see, and how much of it does another camera see?

use super::{CLEARANCE, Camera, FARTHEST, Lens, Stance};
use crate::synth::math::{Rng, V3, atan2, ln, sin_cos, v3};
use crate::synth::shape::{FAR, LANES, NONE, Packet};
use crate::synth::world::{Area, World};

/// A coarse look through a camera.
pub(super) struct View {
    pub(super) points: Vec<V3>,
    rays: usize,
    near: usize,
    /// Rays that hit something within the world's own range (not the view through a window).
    within: usize,
    /// Spread of log depth plus number of things: how much there is to see.
    pub(super) interest: f32,
}

pub(super) fn view(world: &World, lens: &Lens, camera: &Camera) -> View {
    const GRID: [usize; 2] = [8, 6];
    let mut v = View { points: Vec::with_capacity(48), rays: GRID[0] * GRID[1], near: 0, within: 0, interest: 0.0 };
    let mut solids: Vec<u32> = Vec::new();
    let (mut s1, mut s2) = (0.0, 0.0);
    for row in 0..GRID[1] {
        let mut rays = Packet::new();
        let y = (row as f32 + 0.5) / GRID[1] as f32 * lens.height as f32 - 0.5;
        let at = |i: usize| camera.ray(lens, (i as f32 + 0.5) / GRID[0] as f32 * lens.width as f32 - 0.5, y);
        for i in 0..LANES {
            rays.set(i, camera.position, at(i), FAR);
        }
        world.solids.trace(&mut rays);
        for i in 0..LANES {
            if rays.id[i] == NONE || rays.t[i] >= FARTHEST {
                continue;
            }
            let point = camera.position + at(i) * rays.t[i];
            v.points.push(point);
            v.near += usize::from(rays.t[i] < 0.3);
            if rays.t[i] >= world.range || !world.is_inside(point) {
                continue;
            }
            v.within += 1;
            let structure = world.solids.prims.get(rays.id[i] as usize).is_some_and(|p| p.world_uv);
            if !structure && !solids.contains(&rays.id[i]) {
                solids.push(rays.id[i]);
            }
            let l = ln(rays.t[i]);
            s1 += l;
            s2 += l * l;
        }
    }
    let n = v.within.max(1) as f32;
    v.interest = (s2 / n - s1 * s1 / (n * n)).max(0.0).sqrt() + 0.06 * solids.len() as f32;
    v
}

impl View {
    /// Mostly the world itself, and not a surface right before the lens.
    pub(super) fn is_sound(&self, world: &World) -> bool {
        self.within as f32 >= world.least_within * self.rays as f32 && self.near * 5 <= self.rays
    }
    /// Not a bare wall.
    pub(super) fn is_varied(&self) -> bool {
        self.interest > 0.4
    }
}

/// Share of points that a camera sees.
pub(super) fn seen_by(world: &World, lens: &Lens, points: &[V3], camera: &Camera) -> f32 {
    let inside: Vec<V3> = points
        .iter()
        .copied()
        .filter(|&p| {
            let (x, y, z) = camera.project(lens, p);
            z > 0.05 && x > 0.0 && y > 0.0 && x < lens.width as f32 - 1.0 && y < lens.height as f32 - 1.0
        })
        .collect();
    let mut seen = 0;
    for part in inside.chunks(LANES) {
        seen += world.visible(camera.position, part).iter().take(part.len()).filter(|v| **v).count();
    }
    seen as f32 / points.len().max(1) as f32
}

/// A first stance with something to see, or none if the world is too crowded.
pub(super) fn start(world: &World, lens: &Lens, r: &mut Rng) -> Option<Stance> {
    let total: f32 = world.areas.iter().map(Area::size).sum();
    let eye = if r.chance(0.75) { r.range(1.15, 1.75) } else { r.range(world.heights[0], world.heights[1]) };
    let eye = eye.clamp(world.heights[0], world.heights[1]);
    let tilt = if r.chance(0.8) { r.range(-0.45, 0.05) } else { r.range(-0.8, 0.35) };
    let wanted = r.int(2, 10);
    let mut best: Option<(f32, Stance)> = None;
    let mut found = 0;
    for _ in 0..240 {
        let mut pick = r.unit() * total;
        let mut area = world.areas.first()?;
        for a in &world.areas {
            area = a;
            pick -= a.size();
            if pick < 0.0 {
                break;
            }
        }
        let mut s = Stance {
            p: v3(r.range(area.x[0], area.x[1]), eye, r.range(area.z[0], area.z[1])),
            yaw: 0.0,
            pitch: tilt,
            roll: 0.0,
        };
        s.yaw = r.range(-std::f32::consts::PI, std::f32::consts::PI);
        if let Some(f) = world.focus {
            let d = r.range(world.focus_distance[0], world.focus_distance[1]);
            let (sin, cos) = sin_cos(s.yaw);
            s.p = v3(f.x - sin * d, f.y + d * r.range(0.2, 0.8), f.z - cos * d);
            s.pitch = -atan2(s.p.y - f.y, d);
            s.p.y = s.p.y.min(world.heights[1]);
        }
        if !world.is_free(s.p, CLEARANCE + 0.15) {
            continue;
        }
        let v = view(world, lens, &s.camera());
        if !v.is_sound(world) || v.interest < 0.6 {
            continue;
        }
        found += 1;
        if best.is_none_or(|(score, _)| v.interest > score) {
            best = Some((v.interest, s));
        }
        if found >= wanted {
            break;
        }
    }
    best.map(|(_, s)| s)
}

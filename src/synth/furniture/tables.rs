//! Tables: bare or laid, with chairs around them, or as a desk with screens.

use super::clutter::clutter;
use super::seats::{chair, legs};
use crate::synth::math::{Axes, Rng, V3, splat, v3};
use crate::synth::texture::{FURNITURE, Material, Texture as T};
use crate::synth::world::{Builder, Group};

/// A table with things on it; half width, half depth, height.
pub(in crate::synth) fn table(b: &mut Builder, r: &mut Rng, w: f32, d: f32, h: f32, things: usize) -> Group {
    let mut g = Group::default();
    let top = b.any(r, FURNITURE);
    let leg = b.any(r, &[T::Plain, T::Wood]);
    let t = r.range(0.012, 0.03);
    if r.chance(0.25) {
        let rad = w.min(d * 1.4);
        g.frustum(v3(0.0, h - 2.0 * t, 0.0), 2.0 * t, rad, rad, top);
        g.frustum(V3::ZERO, h - 2.0 * t, 0.05, 0.04, leg);
        g.frustum(V3::ZERO, 0.03, rad * 0.5, rad * 0.45, leg);
        clutter(b, r, &mut g, h, rad * 0.65, rad * 0.65, things);
    } else {
        g.block(v3(0.0, h - t, 0.0), v3(w, t, d), top);
        let thick = r.range(0.02, 0.045);
        let round = r.chance(0.4);
        legs(&mut g, w, d, h - 2.0 * t, thick, round, leg);
        if r.chance(0.4) {
            g.block(v3(0.0, h - 0.08, 0.0), v3(w * 0.92, 0.05, d * 0.9), leg);
        }
        clutter(b, r, &mut g, h, w * 0.95, d * 0.95, things);
    }
    g
}

pub(super) fn desk(b: &mut Builder, r: &mut Rng) -> Group {
    let (w, d, h) = (r.range(0.55, 0.9), r.range(0.3, 0.4), r.range(0.7, 0.78));
    let n = r.int(0, 4);
    let mut g = table(b, r, w, d, h, 0);
    let dark = Material::plain(r, splat(0.03));
    let dark = b.material(dark);
    for k in 0..r.int(1, 2) {
        let mut m = Material::random(r, &[T::Screen]);
        m.emission = r.range(0.1, 0.9);
        let m = b.material(m);
        let x = (k as f32 - 0.3) * 0.6;
        g.block(v3(x, h + 0.28, -0.4 * d), v3(0.27, 0.16, 0.015), dark);
        g.block(v3(x, h + 0.28, -0.4 * d + 0.012), v3(0.26, 0.15, 0.006), m);
        g.block(v3(x, h + 0.06, -0.4 * d), v3(0.03, 0.06, 0.015), dark);
        g.block(v3(x, h + 0.008, -0.4 * d), v3(0.12, 0.008, 0.08), dark);
    }
    let keys = b.any(r, &[T::Checker, T::Text]);
    g.block(v3(0.0, h + 0.01, 0.4 * d), v3(0.2, 0.01, 0.06), keys);
    let mut side = Group::default();
    clutter(b, r, &mut side, 0.0, 0.12, d * 0.8, n);
    g.add(&side, Axes::IDENTITY, v3(w - 0.16, h, 0.0));
    g
}

pub(super) fn dining(b: &mut Builder, r: &mut Rng) -> Group {
    let (w, d, h) = (r.range(0.5, 0.95), r.range(0.4, 0.5), r.range(0.7, 0.78));
    let n = r.int(1, 8);
    let mut g = table(b, r, w, d, h, n);
    let c = chair(b, r);
    for s in [-1.0f32, 1.0] {
        for k in 0..r.int(0, 2) {
            let x = if w > 0.75 { (k as f32 - 0.5) * w } else { 0.0 };
            let facing = if s > 0.0 { std::f32::consts::PI } else { 0.0 };
            g.add(&c, Axes::yaw(facing + r.range(-0.35, 0.35)), v3(x, 0.0, s * (d + r.range(0.05, 0.3))));
        }
    }
    g
}

/// A large table with chairs on all sides, pushed in or pulled back; half its width and height of its top beside it.
pub(in crate::synth) fn laid_table(b: &mut Builder, r: &mut Rng) -> (Group, [f32; 2]) {
    let (w, d, h) = (r.range(0.5, 1.1), r.range(0.38, 0.6), r.range(0.68, 0.8));
    let n = r.int(2, 14);
    let mut g = table(b, r, w, d, h, n);
    let c = chair(b, r);
    for _ in 0..r.int(0, 5) {
        // Papers, lying flat.
        let paper = b.any(r, &[T::Poster, T::Photo, T::Text]);
        let at = v3(r.range(-0.8, 0.8) * w, h + 0.003, r.range(-0.75, 0.75) * d);
        g.turned_block(at, v3(r.range(0.07, 0.12), 0.003, r.range(0.1, 0.16)), Axes::yaw(r.range(-3.1, 3.1)), paper);
    }
    for (count, side, reach, way) in [(2, 0.0, d, w), (2, std::f32::consts::PI, d, w), (1, 0.5, w, d), (1, -0.5, w, d)]
    {
        for k in 0..count {
            if r.chance(0.35) {
                continue;
            }
            let facing = if count == 2 { side } else { side * std::f32::consts::PI };
            let along = if count == 2 { (k as f32 - 0.5) * way + r.range(-0.1, 0.1) } else { r.range(-0.1, 0.1) };
            let back = reach + r.range(-0.05, 0.45);
            let axes = Axes::yaw(facing);
            let at = axes.to_world(v3(along, 0.0, -back));
            g.add(&c, Axes::yaw(facing + r.range(-0.5, 0.5)), at);
        }
    }
    (g, [w, h])
}

//! Pieces of no larger group: a television, stairs, a folding screen, plain odd shapes.

use crate::synth::math::{Axes, Rng, V3, splat, v3};
use crate::synth::texture::{CLUTTER, FURNITURE, Material, PAINT, Texture as T};
use crate::synth::world::{Builder, Group};

pub(super) fn television(b: &mut Builder, r: &mut Rng) -> Group {
    let mut g = Group::default();
    let m = b.any(r, FURNITURE);
    let dark = Material::plain(r, splat(0.02));
    let dark = b.material(dark);
    let mut screen = Material::random(r, &[T::Photo, T::Screen]);
    screen.emission = r.range(0.0, 0.8);
    let screen = b.material(screen);
    let w = r.range(0.4, 0.75);
    g.block(v3(0.0, 0.22, 0.0), v3(w + 0.15, 0.22, 0.2), m);
    g.block(v3(0.0, 0.46 + 0.56 * w, -0.05), v3(w, 0.56 * w, 0.025), dark);
    g.block(v3(0.0, 0.46 + 0.56 * w, -0.026), v3(w * 0.97, 0.54 * w, 0.004), screen);
    g.block(v3(0.0, 0.45, -0.05), v3(0.15, 0.02, 0.08), dark);
    g
}

/// A flight of steps up to a landing or against a wall, with a rail.
pub(in crate::synth) fn stairs(b: &mut Builder, r: &mut Rng) -> Group {
    let mut g = Group::default();
    let step = b.any(r, &[T::Wood, T::Planks, T::Marble, T::Mottled, T::Tiles]);
    let rail = b.any(r, &[T::Wood, T::Plain]);
    let (w, n) = (r.range(0.45, 0.65), r.int(6, 13));
    let (rise, run) = (r.range(0.16, 0.19), r.range(0.25, 0.3));
    let deep = 0.5 * run * n as f32;
    for i in 0..n {
        let z = deep - run * (i as f32 + 0.5);
        let top = rise * (i as f32 + 1.0);
        g.block(v3(0.0, 0.5 * top, z), v3(w, 0.5 * top, 0.5 * run), step);
        if i % 2 == 0 {
            g.rod(v3(w - 0.04, top, z), v3(w - 0.04, top + 0.85, z), 0.014, 0.014, rail);
        }
    }
    let (a, c) = (v3(w - 0.04, rise + 0.85, deep - 0.5 * run), v3(w - 0.04, rise * n as f32 + 0.85, -deep + 0.5 * run));
    g.rod(a, c, 0.03, 0.03, rail);
    g
}

pub(super) fn odd_shape(b: &mut Builder, r: &mut Rng) -> Group {
    let mut g = Group::default();
    let m = b.any(r, CLUTTER);
    let h = v3(r.range(0.08, 0.4), r.range(0.08, 0.4), r.range(0.08, 0.4));
    let up = v3(0.0, h.length() * 0.8, 0.0);
    match r.int(0, 3) {
        0 => g.turned_block(up, h, Axes::random(r), m),
        1 => g.turned_ball(up, h, Axes::random(r), m),
        2 => g.frustum(V3::ZERO, 2.0 * h.y, h.x, h.z, m),
        _ => g.ball(v3(0.0, h.x, 0.0), splat(h.x), m),
    }
    g
}

pub(super) fn screen_wall(b: &mut Builder, r: &mut Rng) -> Group {
    let mut g = Group::default();
    let (m, f) = (b.any(r, CLUTTER), b.any(r, PAINT));
    let (w, h) = (r.range(0.4, 0.9), r.range(0.5, 0.95));
    g.block(v3(0.0, h + 0.05, 0.0), v3(w, h, 0.02), m);
    for s in [-1.0, 1.0] {
        g.block(v3(s * w, h, 0.0), v3(0.025, h + 0.05, 0.03), f);
        g.block(v3(s * w, 0.02, 0.0), v3(0.03, 0.02, 0.2), f);
    }
    g
}

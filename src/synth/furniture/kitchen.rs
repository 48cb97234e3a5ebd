//! The kitchen: a counter with sink and wall units, a fridge with notes on its door.

use super::clutter::clutter;
use crate::synth::math::{Rng, splat, v3};
use crate::synth::texture::{FURNITURE, Material, PAINT, Texture as T};
use crate::synth::world::{Builder, Group, Mat};

pub(super) fn counter(b: &mut Builder, r: &mut Rng) -> Group {
    let mut g = Group::default();
    let (front, top) = (b.any(r, FURNITURE), b.any(r, &[T::Marble, T::Plain, T::Terrazzo, T::Wood]));
    let steel = Material::plain(r, splat(0.45));
    let steel = b.material(steel);
    let n = r.int(2, 4);
    let w = 0.3 * n as f32;
    g.block(v3(0.0, 0.43, 0.0), v3(w, 0.43, 0.29), front);
    g.block(v3(0.0, 0.88, 0.01), v3(w + 0.01, 0.02, 0.31), top);
    for i in 0..n {
        let x = -w + 0.3 + 0.6 * i as f32;
        g.block(v3(x, 0.44, 0.296), v3(0.28, 0.37, 0.008), front);
        g.block(v3(x, 0.74, 0.32), v3(0.12, 0.008, 0.012), steel);
    }
    g.block(v3(w * 0.4, 0.903, 0.0), v3(0.25, 0.006, 0.2), steel);
    g.rod(v3(w * 0.4, 0.9, -0.22), v3(w * 0.4, 1.15, -0.22), 0.014, 0.014, steel);
    g.rod(v3(w * 0.4, 1.15, -0.22), v3(w * 0.4, 1.12, -0.05), 0.012, 0.01, steel);
    let k = r.int(1, 5);
    clutter(b, r, &mut g, 0.9, w, 0.26, k);
    if r.chance(0.7) {
        g.block(v3(0.0, 1.75, -0.12), v3(w, 0.32, 0.17), front);
        for i in 0..n {
            g.block(v3(-w + 0.3 + 0.6 * i as f32, 1.75, 0.055), v3(0.285, 0.3, 0.006), front);
        }
    }
    g
}

pub(super) fn fridge(b: &mut Builder, r: &mut Rng) -> Group {
    let mut g = Group::default();
    let body = Material::plain(r, splat(r.clone().range(0.3, 0.85)));
    let body = b.material(body);
    let trim = b.any(r, PAINT);
    let h = r.range(0.75, 0.98);
    g.block(v3(0.0, h, 0.0), v3(0.31, h, 0.3), body);
    let split = r.range(0.6, 1.3) * h;
    g.block(v3(0.0, split, 0.301), v3(0.31, 0.008, 0.004), trim);
    for y in [split - 0.25, split + 0.2] {
        g.block(v3(-0.25, y, 0.33), v3(0.012, 0.12, 0.012), trim);
    }
    for _ in 0..r.int(0, 5) {
        let note = b.any(r, &[T::Poster, T::Photo, T::Text]);
        g.block(
            v3(r.range(-0.2, 0.2), h + r.range(-0.3, 0.7) * h, 0.304),
            v3(r.range(0.03, 0.1), r.range(0.03, 0.1), 0.003),
            note,
        );
    }
    g
}

/// What all units of a fitted kitchen share.
pub(in crate::synth) struct Units {
    front: Mat,
    top: Mat,
    plinth: Mat,
    handle: Mat,
    splash: Mat,
    /// Height of the worktop, metres.
    height: f32,
    /// Half the width of one unit, metres.
    half: f32,
    hung: bool,
}

impl Units {
    /// Draws a style.
    pub(in crate::synth) fn random(b: &mut Builder, r: &mut Rng) -> Self {
        let front = if r.chance(0.5) { PAINT } else { FURNITURE };
        let metal = Material::plain(r, splat(r.clone().range(0.1, 0.6)));
        Self {
            front: b.any(r, front),
            top: b.any(r, &[T::Marble, T::Plain, T::Terrazzo, T::Wood]),
            plinth: b.any(r, PAINT),
            handle: b.material(metal),
            splash: b.any(r, &[T::Tiles, T::Tiles, T::Plain, T::Bricks]),
            height: r.range(0.84, 0.95),
            half: r.range(0.2, 0.32),
            hung: r.chance(0.45),
        }
    }

    /// A row along a wall, `2 w` long: base units, worktop full of things, splashback with notes, often wall units.
    pub(in crate::synth) fn row(&self, b: &mut Builder, r: &mut Rng, w: f32) -> Group {
        let mut g = Group::default();
        let h = self.height;
        g.block(v3(0.0, 0.05, -0.04), v3(w, 0.05, 0.25), self.plinth);
        g.block(v3(0.0, 0.5 * (h + 0.06), 0.0), v3(w, 0.5 * (h - 0.14), 0.28), self.front);
        g.block(v3(0.0, h - 0.02, 0.01), v3(w + 0.005, 0.02, 0.31), self.top);
        g.block(v3(0.0, h + 0.25, -0.285), v3(w, 0.25, 0.01), self.splash);
        let n = ((w / self.half) as usize).max(1);
        let half = w / n as f32;
        for i in 0..n {
            let x = -w + half * (2 * i + 1) as f32;
            let (low, high) = (0.12, h - 0.06);
            g.block(v3(x, 0.5 * (low + high), 0.286), v3(half - 0.004, 0.5 * (high - low), 0.008), self.front);
            g.block(v3(x, high - 0.07, 0.31), v3((0.6 * half).min(0.14), 0.007, 0.012), self.handle);
        }
        let k = (w * r.range(1.0, 7.0)) as usize;
        clutter(b, r, &mut g, h, w, 0.22, k);
        for _ in 0..r.int(0, (4.0 * w) as usize) {
            let note = b.any(r, &[T::Poster, T::Photo, T::Text]);
            let (x, y) = (r.range(-0.9, 0.9) * w, h + r.range(0.15, 0.4));
            g.block(v3(x, y, -0.27), v3(r.range(0.05, 0.12), r.range(0.06, 0.15), 0.004), note);
        }
        if self.hung {
            let (y, rise) = (h + 0.55 + 0.32, 0.32);
            g.block(v3(0.0, y, -0.13), v3(w, rise, 0.16), self.front);
            for i in 0..n {
                let x = -w + half * (2 * i + 1) as f32;
                g.block(v3(x, y, 0.036), v3(half - 0.004, rise - 0.01, 0.006), self.front);
            }
        }
        g
    }
}

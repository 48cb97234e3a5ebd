//! Small things that lie on tables, shelves and sills, and how they are spread there.

use super::plants::foliage;
use crate::synth::math::{Axes, Rng, V3, splat, v3};
use crate::synth::texture::{CLUTTER, Material, PAINT, Texture as T, hsv};
use crate::synth::world::{Builder, Group};

/// A small object standing at the origin, at most `size` wide, `height` tall.
pub(super) fn small_object(b: &mut Builder, r: &mut Rng, size: f32, height: f32) -> Group {
    let mut g = Group::default();
    let m = b.any(r, CLUTTER);
    let h = height * r.range(0.4, 1.0);
    let w = size * r.range(0.5, 1.0) * 0.5;
    match r.int(0, 11) {
        0 => g.frustum(V3::ZERO, h, w * r.range(0.6, 1.0), w * r.range(0.6, 1.0), m),
        1 => {
            // A mug with a handle.
            let rad = w * 0.8;
            let h = h.min(rad * 3.0);
            g.frustum(V3::ZERO, h, rad, rad * r.range(0.95, 1.2), m);
            let inner = b.any(r, PAINT);
            g.frustum(v3(0.0, h * 0.98, 0.0), h * 0.025, rad * 0.85, rad * 0.85, inner);
            g.block(v3(rad * 1.25, h * 0.75, 0.0), v3(rad * 0.3, h * 0.05, rad * 0.12), m);
            g.block(v3(rad * 1.25, h * 0.25, 0.0), v3(rad * 0.3, h * 0.05, rad * 0.12), m);
            g.block(v3(rad * 1.5, h * 0.5, 0.0), v3(rad * 0.1, h * 0.25, rad * 0.12), m);
        }
        2 => {
            // A bottle with a label.
            let rad = w * 0.6;
            let label = b.any(r, &[T::Text, T::Poster, T::Stripes]);
            g.frustum(V3::ZERO, h * 0.6, rad, rad, m);
            g.frustum(v3(0.0, h * 0.15, 0.0), h * 0.3, rad * 1.02, rad * 1.02, label);
            g.frustum(v3(0.0, h * 0.6, 0.0), h * 0.15, rad, rad * 0.35, m);
            g.frustum(v3(0.0, h * 0.75, 0.0), h * 0.25, rad * 0.35, rad * 0.33, m);
        }
        3 => g.ball(v3(0.0, w, 0.0), splat(w), m),
        4 => g.ball(v3(0.0, h * 0.5, 0.0), v3(w, h * 0.5, w * r.range(0.6, 1.0)), m),
        5 => {
            // A stack of books.
            let mut y = 0.0;
            for _ in 0..r.int(2, 6) {
                let t = r.range(0.01, 0.025) * (1.0 + size);
                let cover = b.any(r, &[T::Spine, T::Plain, T::Poster, T::Text]);
                let axes = Axes::yaw(r.range(-0.3, 0.3));
                g.turned_block(v3(0.0, y + t, 0.0), v3(w * r.range(0.7, 1.0), t, w * r.range(0.6, 0.8)), axes, cover);
                y += 2.0 * t;
            }
        }
        6 => {
            // A bowl of fruit.
            g.frustum(V3::ZERO, w * 0.6, w * 0.5, w, m);
            for _ in 0..r.int(2, 6) {
                let fruit = hsv(r.range(0.0, 0.3), r.range(0.6, 0.9), r.range(0.5, 0.9));
                let mat = Material::random(r, &[T::Mottled, T::Plain]).coloured(r, fruit, 0.2);
                let mat = b.material(mat);
                let q = w * 0.5;
                g.ball(v3(r.range(-q, q), w * 0.65, r.range(-q, q)), splat(w * 0.32), mat);
            }
        }
        7 => {
            // A picture frame or a notice that leans back.
            let picture = b.any(r, &[T::Photo, T::Poster, T::Text]);
            let axes = Axes::yaw(r.range(-0.5, 0.5));
            g.turned_block(v3(0.0, h * 0.5, 0.0), v3(w, h * 0.5, 0.008), axes, m);
            let front = axes.to_world(v3(0.0, 0.0, 0.006));
            g.turned_block(v3(0.0, h * 0.5, 0.0) + front, v3(w * 0.85, h * 0.42, 0.005), axes, picture);
        }
        8 => {
            // A small plant in a pot.
            let leaf = foliage(b, r);
            g.frustum(V3::ZERO, h * 0.35, w * 0.45, w * 0.6, m);
            for _ in 0..r.int(3, 8) {
                let c = v3(r.range(-w, w) * 0.6, h * r.range(0.45, 0.9), r.range(-w, w) * 0.6);
                let e = v3(w * r.range(0.2, 0.5), h * r.range(0.08, 0.2), w * r.range(0.1, 0.4));
                g.turned_ball(c, e, Axes::random(r), leaf);
            }
        }
        9 => {
            // A toy of two blocks and a ball.
            let other = b.any(r, CLUTTER);
            g.block(v3(0.0, h * 0.25, 0.0), v3(w, h * 0.25, w * 0.6), m);
            g.turned_block(v3(0.0, h * 0.6, 0.0), v3(w * 0.5, h * 0.12, w * 0.5), Axes::yaw(r.range(0.0, 1.5)), other);
            g.ball(v3(0.0, h * 0.82, 0.0), splat(w * 0.3), other);
        }
        _ => g.turned_block(
            v3(0.0, h * 0.5, 0.0),
            v3(w, h * 0.5, w * r.range(0.4, 1.0)),
            Axes::yaw(r.range(-0.6, 0.6)),
            m,
        ),
    }
    g
}

/// Objects on a surface of half size `w` by `d` at height `y`.
pub(in crate::synth) fn clutter(b: &mut Builder, r: &mut Rng, g: &mut Group, y: f32, w: f32, d: f32, count: usize) {
    let mut taken: Vec<(f32, f32, f32)> = Vec::new();
    for _ in 0..count {
        let size = r.range(0.06, 0.3).min(d).min(w);
        for _ in 0..5 {
            let (x, z) =
                (r.range(-1.0, 1.0) * (w - size * 0.6).max(0.0), r.range(-1.0, 1.0) * (d - size * 0.6).max(0.0));
            if taken.iter().any(|t| (t.0 - x).abs().max((t.1 - z).abs()) < 0.5 * (t.2 + size)) {
                continue;
            }
            taken.push((x, z, size));
            let o = small_object(b, r, size, r.clone().range(0.08, 0.4));
            g.add(&o, Axes::yaw(r.range(-3.1, 3.1)), v3(x, y, z));
            break;
        }
    }
}

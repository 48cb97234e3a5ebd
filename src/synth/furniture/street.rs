//! What stands along a street: cars, lamp posts, benches, signs and the like.

use super::plants::foliage;
use super::storage::boxes;
use crate::synth::math::{Axes, Rng, V3, splat, v3};
use crate::synth::texture::{Material, PAINT, Texture as T};
use crate::synth::world::{Builder, Group};

/// A car, front towards +z.
pub(in crate::synth) fn car(b: &mut Builder, r: &mut Rng) -> Group {
    let mut g = Group::default();
    let mut paint = Material::random(r, &[T::Plain]);
    paint.gloss = 0.5;
    let paint = b.material(paint);
    let mut glass = Material::plain(r, v3(0.03, 0.035, 0.045));
    glass.gloss = 0.6;
    let glass = b.material(glass);
    let tyre = Material::plain(r, splat(0.02));
    let tyre = b.material(tyre);
    let lamp = Material::plain(r, v3(0.8, 0.75, 0.6));
    let lamp = b.material(lamp);
    let (w, l) = (r.range(0.8, 0.92), r.range(1.8, 2.3));
    let van = r.chance(0.2);
    g.block(v3(0.0, 0.55, 0.0), v3(w, 0.25, l), paint);
    let (cabin, back) = if van { (0.55, -0.2) } else { (0.3, -0.15) };
    let (z, half) = (back * l, if van { 0.72 * l } else { 0.5 * l });
    g.block(v3(0.0, 0.8 + cabin, z), v3(w * 0.86, cabin, half), glass);
    g.block(v3(0.0, 0.8 + 2.0 * cabin, z), v3(w * 0.87, 0.03, half * 0.97), paint);
    for s in [-1.0, 1.0] {
        for p in [-0.98, 0.0, 0.98] {
            g.block(v3(s * w * 0.84, 0.8 + cabin, z + p * half), v3(0.05, cabin, 0.05), paint);
        }
        for q in [-0.62, 0.62] {
            g.rod(v3(s * (w - 0.2), 0.32, q * l), v3(s * (w + 0.01), 0.32, q * l), 0.32, 0.32, tyre);
        }
        g.block(v3(s * w * 0.7, 0.6, l), v3(0.14, 0.07, 0.02), lamp);
    }
    g
}

/// Street furniture: lamp post, bench, bin, sign, planter, kiosk.
pub(in crate::synth) fn for_street(b: &mut Builder, r: &mut Rng) -> Group {
    let mut g = Group::default();
    let m = b.any(r, PAINT);
    match r.int(0, 6) {
        0 => {
            let h = r.range(3.0, 5.0);
            g.frustum(V3::ZERO, h, 0.07, 0.04, m);
            g.rod(v3(0.0, h, 0.0), v3(0.0, h + 0.1, 0.9), 0.03, 0.03, m);
            g.ball(v3(0.0, h + 0.08, 0.9), v3(0.12, 0.06, 0.25), m);
        }
        1 => {
            let wood = b.any(r, &[T::Wood, T::Planks]);
            for k in 0..3 {
                g.block(v3(0.0, 0.45, -0.15 + 0.15 * k as f32), v3(0.8, 0.02, 0.06), wood);
                g.block(v3(0.0, 0.6 + 0.13 * k as f32, -0.24), v3(0.8, 0.05, 0.015), wood);
            }
            for s in [-0.65, 0.65] {
                g.block(v3(s, 0.22, 0.0), v3(0.03, 0.22, 0.2), m);
                g.block(v3(s, 0.65, -0.22), v3(0.03, 0.25, 0.02), m);
            }
        }
        2 => g.frustum(V3::ZERO, r.range(0.8, 1.1), 0.25, 0.3, m),
        3 => {
            let sign = b.any(r, &[T::Poster, T::Text, T::Plain]);
            let h = r.range(2.0, 2.6);
            g.frustum(V3::ZERO, h, 0.03, 0.03, m);
            g.block(v3(0.0, h, 0.04), v3(0.3, 0.3, 0.01), sign);
        }
        4 => {
            let box_mat = b.any(r, &[T::Wood, T::Mottled, T::Bricks]);
            let leaf = foliage(b, r);
            g.block(v3(0.0, 0.25, 0.0), v3(0.7, 0.25, 0.3), box_mat);
            for _ in 0..8 {
                let e = r.range(0.12, 0.3);
                g.ball(v3(r.range(-0.6, 0.6), 0.5 + 0.5 * e, r.range(-0.2, 0.2)), v3(e, e, e), leaf);
            }
        }
        5 => {
            let poster = b.any(r, &[T::Poster, T::Photo]);
            g.frustum(V3::ZERO, 2.4, 0.55, 0.55, poster);
            g.frustum(v3(0.0, 2.4, 0.0), 0.3, 0.65, 0.1, m);
        }
        _ => {
            let o = boxes(b, r);
            g.add(&o, Axes::IDENTITY, V3::ZERO);
        }
    }
    g
}

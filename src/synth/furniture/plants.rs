//! What grows: leaves, potted plants, trees.

use crate::synth::math::{Axes, Rng, V3, sin_cos, v3};
use crate::synth::texture::{CLUTTER, Material, Texture as T, hsv};
use crate::synth::world::{Builder, Group};

pub(super) fn foliage(b: &mut Builder, r: &mut Rng) -> u16 {
    let (h, s, v) = (r.range(0.19, 0.36), r.range(0.35, 0.8), r.range(0.25, 0.6));
    let mut m = Material::random(r, &[T::Leaves]);
    m.colours[0] = hsv(h, s, v);
    m.colours[1] = m.colours[0] * r.range(0.25, 0.6);
    b.material(m)
}

pub(super) fn plant(b: &mut Builder, r: &mut Rng) -> Group {
    let mut g = Group::default();
    let pot = b.any(r, CLUTTER);
    let stem = b.any(r, &[T::Wood]);
    let leaf = foliage(b, r);
    let (p, h) = (r.range(0.12, 0.22), r.range(0.4, 1.3));
    g.frustum(V3::ZERO, 2.0 * p, p * 0.8, p, pot);
    g.frustum(v3(0.0, 2.0 * p, 0.0), h * 0.7, 0.02, 0.015, stem);
    for _ in 0..r.int(6, 16) {
        let (s, c) = sin_cos(r.angle());
        let q = r.range(0.05, 0.3);
        let tip = v3(s * q, 2.0 * p + h * r.range(0.2, 1.0), c * q);
        let e = r.range(0.06, 0.17);
        g.turned_ball(tip, v3(e, e * r.range(0.15, 0.7), e * r.range(0.3, 1.0)), Axes::random(r), leaf);
    }
    g
}

/// A tree of a trunk and clumps of leaves, or a conifer.
pub(in crate::synth) fn tree(b: &mut Builder, r: &mut Rng) -> Group {
    let mut g = Group::default();
    let bark = hsv(r.range(0.05, 0.1), r.range(0.2, 0.5), r.range(0.25, 0.5));
    let bark = Material::random(r, &[T::Wood, T::Mottled]).coloured(r, bark, 0.5);
    let bark = b.material(bark);
    let leaf = foliage(b, r);
    let h = r.range(1.6, 3.2);
    if r.chance(0.25) {
        g.frustum(V3::ZERO, 0.7, 0.14, 0.12, bark);
        let n = r.int(3, 5);
        for i in 0..n {
            let f = i as f32 / n as f32;
            g.frustum(v3(0.0, 0.6 + h * f, 0.0), h * 0.55, (1.0 - 0.7 * f) * h * 0.4, 0.03, leaf);
        }
        return g;
    }
    g.frustum(V3::ZERO, h, r.range(0.1, 0.2), 0.08, bark);
    for _ in 0..r.int(6, 14) {
        let (s, c) = sin_cos(r.angle());
        let q = r.range(0.1, 1.0);
        let e = r.range(0.35, 0.9);
        let at = v3(s * q, h + r.range(-0.4, 1.3), c * q);
        g.turned_ball(at, v3(e, e * r.range(0.6, 1.0), e * r.range(0.7, 1.0)), Axes::random(r), leaf);
    }
    g
}

//! What one sits or lies on: chairs, sofas, beds.

use crate::synth::math::{Axes, Rng, sin_cos, splat, v3};
use crate::synth::texture::{CLOTH, FURNITURE, Texture as T};
use crate::synth::world::{Builder, Group};

pub(super) fn legs(g: &mut Group, w: f32, d: f32, h: f32, t: f32, round: bool, m: u16) {
    for sx in [-1.0, 1.0] {
        for sz in [-1.0, 1.0] {
            let (x, z) = (sx * (w - 1.5 * t), sz * (d - 1.5 * t));
            if round {
                g.frustum(v3(x, 0.0, z), h, t * 0.7, t, m);
            } else {
                g.block(v3(x, 0.5 * h, z), v3(t, 0.5 * h, t), m);
            }
        }
    }
}

pub(super) fn chair(b: &mut Builder, r: &mut Rng) -> Group {
    let mut g = Group::default();
    let m = b.any(r, &[T::Wood, T::Plain, T::Weave, T::Mottled]);
    let l = b.any(r, &[T::Plain, T::Wood]);
    let (w, h) = (r.range(0.19, 0.27), r.range(0.42, 0.5));
    g.block(v3(0.0, h, 0.0), v3(w, r.range(0.015, 0.05), w), m);
    if r.chance(0.25) {
        g.frustum(v3(0.0, 0.08, 0.0), h - 0.08, 0.03, 0.03, l);
        for k in 0..5 {
            let (s, c) = sin_cos(k as f32 * 1.2566);
            g.rod(v3(0.0, 0.1, 0.0), v3(s * w, 0.04, c * w), 0.025, 0.02, l);
            g.ball(v3(s * w, 0.03, c * w), splat(0.03), l);
        }
    } else {
        legs(&mut g, w, w, h, 0.018, r.chance(0.5), l);
    }
    let top = r.range(0.8, 1.1);
    if r.chance(0.5) {
        g.block(v3(0.0, 0.5 * (h + top) + 0.05, -w), v3(w, 0.5 * (top - h) - 0.05, 0.018), m);
    } else {
        for x in [-1.0, -0.5, 0.0, 0.5, 1.0] {
            g.block(v3(x * (w - 0.02), 0.5 * (h + top), -w), v3(0.014, 0.5 * (top - h), 0.014), l);
        }
        g.block(v3(0.0, top, -w), v3(w, 0.04, 0.018), m);
    }
    if r.chance(0.3) {
        for s in [-1.0, 1.0] {
            g.block(v3(s * w, h + 0.2, 0.0), v3(0.025, 0.015, w * 0.8), l);
            g.block(v3(s * w, h + 0.1, w * 0.7), v3(0.018, 0.1, 0.018), l);
        }
    }
    g
}

pub(super) fn sofa(b: &mut Builder, r: &mut Rng) -> Group {
    let mut g = Group::default();
    let m = b.any(r, CLOTH);
    let (w, d) = (r.range(0.4, 1.1), r.range(0.35, 0.45));
    let seat = r.range(0.38, 0.46);
    g.block(v3(0.0, 0.5 * seat, 0.05), v3(w, 0.5 * seat - 0.05, d), m);
    g.block(v3(0.0, r.range(0.36, 0.42), -d - 0.06), v3(w + 0.14, r.range(0.34, 0.46), 0.1), m);
    let arm = r.range(0.27, 0.33);
    for s in [-1.0, 1.0] {
        g.block(v3(s * (w + 0.08), arm, 0.0), v3(0.09, arm, d), m);
        if r.chance(0.5) {
            g.rod(v3(s * (w + 0.08), 2.0 * arm, -d), v3(s * (w + 0.08), 2.0 * arm, d), 0.1, 0.1, m);
        }
    }
    let n = (w / 0.32) as usize;
    for i in 0..n {
        let x = -w + (2.0 * i as f32 + 1.0) * w / n as f32;
        g.block(v3(x, seat + 0.02, 0.06), v3(w / n as f32 - 0.01, 0.05, d - 0.02), m);
    }
    for _ in 0..r.int(0, 3) {
        let pillow = b.any(r, CLOTH);
        let tilt = Axes::yaw_tilt(r.range(-0.3, 0.3), r.range(-0.3, 0.3));
        g.turned_ball(v3(r.range(-w, w) * 0.8, seat + 0.24, -d * 0.6), v3(0.24, 0.2, 0.09), tilt, pillow);
    }
    g
}

pub(super) fn bed(b: &mut Builder, r: &mut Rng) -> Group {
    let mut g = Group::default();
    let (frame, sheet, pillow) = (b.any(r, FURNITURE), b.any(r, CLOTH), b.any(r, CLOTH));
    let (w, d) = (r.range(0.45, 0.9), r.range(0.95, 1.05));
    g.block(v3(0.0, 0.16, 0.0), v3(w, 0.12, d), frame);
    g.block(v3(0.0, 0.38, 0.0), v3(w * 0.98, 0.1, d * 0.98), pillow);
    g.block(v3(0.0, 0.41, 0.25 * d), v3(w * 1.01, 0.1, d * 0.74), sheet);
    g.block(v3(0.0, r.range(0.4, 0.6), -d), v3(w, r.range(0.4, 0.6), 0.035), frame);
    for s in if w > 0.65 { &[-0.5f32, 0.5][..] } else { &[0.0][..] } {
        g.turned_ball(v3(s * w, 0.52, -d * 0.72), v3(0.34, 0.09, 0.22), Axes::yaw(r.range(-0.2, 0.2)), pillow);
    }
    g
}

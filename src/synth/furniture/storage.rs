//! What holds things: filled shelves, cabinets, stacked boxes.

use super::clutter::{clutter, small_object};
use crate::synth::math::{Axes, Rng, splat, v3};
use crate::synth::texture::{CLUTTER, FURNITURE, PAINT, Texture as T};
use crate::synth::world::{Builder, Group};

pub(super) fn shelf(b: &mut Builder, r: &mut Rng) -> Group {
    let mut g = Group::default();
    let m = b.any(r, FURNITURE);
    let back = b.any(r, &[T::Plain, T::Wood, T::Mottled]);
    let (w, d, h, n) = (r.range(0.3, 0.8), r.range(0.12, 0.22), r.range(0.8, 2.2), r.int(2, 6));
    let t = 0.012;
    for s in [-1.0, 1.0] {
        g.block(v3(s * w, 0.5 * h, 0.0), v3(t, 0.5 * h, d), m);
    }
    if r.chance(0.8) {
        g.block(v3(0.0, 0.5 * h, -d + 0.006), v3(w, 0.5 * h, 0.005), back);
    }
    for i in 0..=n {
        g.block(v3(0.0, (h * i as f32 / n as f32).max(0.03), 0.0), v3(w, t, d), m);
    }
    let palette: Vec<u16> = (0..9).map(|_| b.any(r, &[T::Spine, T::Spine, T::Plain, T::Mottled])).collect();
    for i in 0..n {
        let y = (h * i as f32 / n as f32).max(0.03) + t;
        let gap = h / n as f32 - 0.05;
        let mut x = -w + 0.03;
        while x < w - 0.08 {
            if r.chance(0.72) {
                for _ in 0..r.int(2, 9) {
                    let (bw, bh) = (r.range(0.009, 0.03), gap * 0.5 * r.range(0.55, 0.92));
                    if x + 2.0 * bw > w - 0.02 {
                        break;
                    }
                    g.block(v3(x + bw, y + bh, r.range(-0.2, 0.25) * d), v3(bw, bh, d * 0.65), r.pick(&palette));
                    x += 2.0 * bw + 0.002;
                }
                x += 0.01;
            } else {
                let size = r.range(0.08, 0.25).min(w).min(1.6 * d);
                if x + size < w && r.chance(0.7) {
                    let o = small_object(b, r, size, gap * 0.85);
                    g.add(&o, Axes::IDENTITY, v3(x + 0.5 * size, y, 0.0));
                }
                x += size + 0.02;
            }
        }
    }
    g
}

pub(super) fn cabinet(b: &mut Builder, r: &mut Rng) -> Group {
    let mut g = Group::default();
    let m = b.any(r, FURNITURE);
    let f = if r.chance(0.5) { m } else { b.any(r, FURNITURE) };
    let knob = b.any(r, PAINT);
    let (w, d, h) =
        (r.range(0.25, 0.9), r.range(0.18, 0.32), if r.chance(0.3) { r.range(1.6, 2.1) } else { r.range(0.45, 1.1) });
    g.block(v3(0.0, 0.5 * h, 0.0), v3(w, 0.5 * h, d), m);
    let (rows, columns) = (if h > 1.4 { r.int(1, 2) } else { r.int(1, 4) }, r.int(1, 3));
    for i in 0..rows {
        for j in 0..columns {
            let y = h * (i as f32 + 0.5) / rows as f32;
            let x = -w + 2.0 * w * (j as f32 + 0.5) / columns as f32;
            g.block(v3(x, y, d + 0.006), v3(w / columns as f32 * 0.93, 0.5 * h / rows as f32 * 0.9, 0.008), f);
            g.ball(v3(x + 0.6 * w / columns as f32, y, d + 0.025), splat(0.016), knob);
        }
    }
    if h < 1.3 {
        let n = r.int(0, 4);
        clutter(b, r, &mut g, h, w, d, n);
    }
    g
}

pub(super) fn boxes(b: &mut Builder, r: &mut Rng) -> Group {
    let mut g = Group::default();
    let mut y = 0.0;
    for _ in 0..r.int(1, 4) {
        let m = b.any(r, CLUTTER);
        let h = v3(r.range(0.1, 0.32), r.range(0.07, 0.25), r.range(0.1, 0.3));
        let shift = v3(r.range(-0.05, 0.05), y + h.y, r.range(-0.05, 0.05));
        g.turned_block(shift, h, Axes::yaw(r.range(-0.4, 0.4)), m);
        y += 2.0 * h.y;
    }
    g
}

//! Things that stand in rooms and streets, each built from a few solids in its own frame:
//! on the ground, back towards -z, front towards +z.

use super::math::{Axes, Rng, V3, sin_cos, splat, v3};
use super::texture::{CLOTH, CLUTTER, FURNITURE, Material, PAINT, Texture as T, hsv};
use super::world::{Builder, Group, Light};

/// Where furniture goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    Wall,
    Free,
}

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

fn foliage(b: &mut Builder, r: &mut Rng) -> u16 {
    let (h, s, v) = (r.range(0.19, 0.36), r.range(0.35, 0.8), r.range(0.25, 0.6));
    let mut m = Material::random(r, &[T::Leaves]);
    m.colours[0] = hsv(h, s, v);
    m.colours[1] = m.colours[0] * r.range(0.25, 0.6);
    b.material(m)
}

/// Objects on a surface of half size `w` by `d` at height `y`.
pub(super) fn clutter(b: &mut Builder, r: &mut Rng, g: &mut Group, y: f32, w: f32, d: f32, count: usize) {
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

fn legs(g: &mut Group, w: f32, d: f32, h: f32, t: f32, round: bool, m: u16) {
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

/// A table with things on it; half width, half depth, height.
pub(super) fn table(b: &mut Builder, r: &mut Rng, w: f32, d: f32, h: f32, things: usize) -> Group {
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

fn chair(b: &mut Builder, r: &mut Rng) -> Group {
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

fn shelf(b: &mut Builder, r: &mut Rng) -> Group {
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

fn sofa(b: &mut Builder, r: &mut Rng) -> Group {
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

fn cabinet(b: &mut Builder, r: &mut Rng) -> Group {
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

fn bed(b: &mut Builder, r: &mut Rng) -> Group {
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

fn lamp(b: &mut Builder, r: &mut Rng) -> Group {
    let mut g = Group::default();
    let pole = b.any(r, PAINT);
    let h = r.range(1.2, 1.75);
    let shade = Material::lamp(r, v3(0.9, 0.7, 0.45), 0.9);
    let shade = b.material(shade);
    g.frustum(V3::ZERO, 0.03, 0.16, 0.14, pole);
    g.frustum(V3::ZERO, h, 0.014, 0.012, pole);
    if r.chance(0.6) {
        g.frustum(v3(0.0, h - 0.1, 0.0), r.range(0.2, 0.35), r.range(0.15, 0.24), r.range(0.08, 0.17), shade);
    } else {
        g.ball(v3(0.0, h, 0.0), splat(r.range(0.1, 0.18)), shade);
    }
    g.unshadow_last();
    g
}

fn plant(b: &mut Builder, r: &mut Rng) -> Group {
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

fn boxes(b: &mut Builder, r: &mut Rng) -> Group {
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

fn desk(b: &mut Builder, r: &mut Rng) -> Group {
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

fn counter(b: &mut Builder, r: &mut Rng) -> Group {
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

fn fridge(b: &mut Builder, r: &mut Rng) -> Group {
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

fn television(b: &mut Builder, r: &mut Rng) -> Group {
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
pub(super) fn stairs(b: &mut Builder, r: &mut Rng) -> Group {
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

fn odd_shape(b: &mut Builder, r: &mut Rng) -> Group {
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

fn screen_wall(b: &mut Builder, r: &mut Rng) -> Group {
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

fn dining(b: &mut Builder, r: &mut Rng) -> Group {
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

/// A random piece for a room.
pub(super) fn for_room(b: &mut Builder, r: &mut Rng) -> (Group, Stand) {
    match r.int(0, 22) {
        0 | 1 => (dining(b, r), Stand::Free),
        2..=5 => (shelf(b, r), Stand::Wall),
        6 | 7 => (sofa(b, r), if r.chance(0.7) { Stand::Wall } else { Stand::Free }),
        8..=10 => (cabinet(b, r), Stand::Wall),
        11 => (bed(b, r), Stand::Wall),
        12 => (chair(b, r), Stand::Free),
        13 => (lamp(b, r), Stand::Free),
        14 => (plant(b, r), Stand::Free),
        15 => (boxes(b, r), Stand::Free),
        16 | 17 => (desk(b, r), Stand::Wall),
        18 => (counter(b, r), Stand::Wall),
        19 => (if r.chance(0.5) { fridge(b, r) } else { television(b, r) }, Stand::Wall),
        20 => (odd_shape(b, r), Stand::Free),
        21 => (screen_wall(b, r), Stand::Free),
        _ => {
            let (w, d, h, n) = (r.range(0.3, 0.6), r.range(0.25, 0.4), r.range(0.35, 0.5), r.int(0, 4));
            (table(b, r, w, d, h, n), Stand::Free)
        }
    }
}

/// A tree of a trunk and clumps of leaves, or a conifer.
pub(super) fn tree(b: &mut Builder, r: &mut Rng) -> Group {
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

/// A car, front towards +z.
pub(super) fn car(b: &mut Builder, r: &mut Rng) -> Group {
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
pub(super) fn for_street(b: &mut Builder, r: &mut Rng) -> Group {
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

/// Something that walks, rolls or drives; about person-sized indoors.
pub(super) fn moving(b: &mut Builder, r: &mut Rng, outdoor: bool) -> Group {
    if outdoor && r.chance(0.45) {
        return car(b, r);
    }
    let mut g = Group::default();
    match r.int(0, 4) {
        0..=2 => {
            let (shirt, trousers) = (b.any(r, CLOTH), b.any(r, &[T::Plain, T::Weave]));
            let skin = hsv(r.range(0.04, 0.08), r.range(0.3, 0.6), r.range(0.35, 0.9));
            let skin = Material::plain(r, skin);
            let skin = b.material(skin);
            let hair = b.any(r, PAINT);
            let k = r.range(0.6, 1.05);
            let stride = r.range(0.05, 0.22);
            for s in [-1.0, 1.0] {
                g.rod(v3(s * 0.09, 0.0, s * stride) * k, v3(s * 0.08, 0.85, 0.0) * k, 0.06 * k, 0.09 * k, trousers);
                g.ball(v3(s * 0.09, 0.04, s * stride + 0.06) * k, v3(0.05, 0.045, 0.13) * k, hair);
                g.rod(v3(s * 0.26, 0.85, -s * stride) * k, v3(s * 0.2, 1.38, 0.0) * k, 0.04 * k, 0.055 * k, shirt);
                g.ball(v3(s * 0.26, 0.8, -s * stride) * k, splat(0.055) * k, skin);
            }
            g.ball(v3(0.0, 1.12, 0.0) * k, v3(0.2, 0.36, 0.13) * k, shirt);
            g.frustum(v3(0.0, 1.42, 0.0) * k, 0.1 * k, 0.055 * k, 0.05 * k, skin);
            g.ball(v3(0.0, 1.6, 0.0) * k, v3(0.095, 0.125, 0.11) * k, skin);
            g.ball(v3(0.0, 1.65, -0.02) * k, v3(0.1, 0.1, 0.112) * k, hair);
        }
        3 => {
            let m = b.any(r, CLUTTER);
            let s = r.range(0.15, 0.4);
            g.ball(v3(0.0, s, 0.0), splat(s), m);
        }
        _ => {
            let m = b.any(r, CLUTTER);
            let dark = b.any(r, PAINT);
            let h = v3(r.range(0.2, 0.4), r.range(0.15, 0.4), r.range(0.25, 0.5));
            g.block(v3(0.0, 0.16 + h.y, 0.0), h, m);
            for s in [-1.0, 1.0] {
                for q in [-0.7, 0.7] {
                    g.rod(v3(s * h.x, 0.08, q * h.z), v3(s * (h.x - 0.05), 0.08, q * h.z), 0.08, 0.08, dark);
                }
            }
        }
    }
    g
}

/// A lamp hanging from or set into the ceiling at height `y`, and its light.
pub(super) fn ceiling_lamp(b: &mut Builder, r: &mut Rng, at: V3, power: f32) {
    let warm = v3(1.0, 0.78, 0.55).mix(v3(0.88, 0.95, 1.0), r.unit());
    let glow = Material::lamp(r, warm, r.clone().range(1.5, 3.0));
    let glow = b.material(glow);
    let mut g = Group::default();
    let colour = warm * power;
    let reach = 7.0 + 2.0 * power;
    match r.int(0, 3) {
        0 => {
            let (u, v) = (r.range(0.15, 0.6), r.range(0.1, 0.3));
            g.block(at - v3(0.0, 0.015, 0.0), v3(u, 0.015, v), glow);
            g.unshadow_last();
            let centre = at - v3(0.0, 0.05, 0.0);
            let panel = Light::Panel {
                centre,
                u: v3(u, 0.0, 0.0),
                v: v3(0.0, 0.0, v),
                normal: v3(0.0, -1.0, 0.0),
                colour: colour * 1.3,
                reach,
            };
            b.lights.push(panel);
        }
        1 => {
            let drop = r.range(0.3, 0.9).min(at.y - 1.9).max(0.1);
            let cord = b.any(r, PAINT);
            let rad = r.range(0.12, 0.25);
            g.frustum(at - v3(0.0, drop, 0.0), drop, 0.008, 0.008, cord);
            g.unshadow_last();
            g.frustum(at - v3(0.0, drop + 0.2, 0.0), 0.2, rad, rad * 0.4, glow);
            g.unshadow_last();
            let centre = at - v3(0.0, drop + 0.12, 0.0);
            b.lights.push(Light::Ball { centre, radius: rad * 0.6, colour, reach });
        }
        2 => {
            let rad = r.range(0.1, 0.22);
            g.ball(at - v3(0.0, rad * 0.5, 0.0), v3(rad, rad * 0.6, rad), glow);
            g.unshadow_last();
            b.lights.push(Light::Ball { centre: at - v3(0.0, rad, 0.0), radius: rad, colour, reach });
        }
        _ => {
            // A bare bulb: hard shadows.
            g.ball(at - v3(0.0, 0.12, 0.0), splat(0.045), glow);
            g.unshadow_last();
            b.lights.push(Light::Ball { centre: at - v3(0.0, 0.2, 0.0), radius: 0.01, colour, reach });
        }
    }
    b.place(&g, Axes::IDENTITY, V3::ZERO);
}

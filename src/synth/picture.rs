//! Textures that are pictures: posters, photographs, text, screens, house fronts.

use super::math::{V3, floor, fract, smooth, splat, v3};
use super::noise::{fbm, hash, noise, pulse};
use super::shape::Uv;
use super::texture::Material;

/// A bright colour out of a hash.
fn loud(i: i32, seed: u32) -> V3 {
    let c = v3(hash(i, 5, seed), hash(i, 6, seed), hash(i, 7, seed));
    c.times(c) * 0.9 + splat(0.02)
}

/// Overlapping rectangles, discs and bars, with a margin and a caption.
pub(super) fn poster(m: &Material, at: Uv) -> V3 {
    let (x, y, seed) = (at.face_u, at.face_v, m.seed);
    if !(0.05..=0.95).contains(&x) || !(0.04..=0.96).contains(&y) {
        return m.colours[2].mix(splat(0.8), m.shape);
    }
    let mut c = m.colours[0].mix(m.colours[1], smooth(0.1, 0.9, if seed & 1 == 0 { y } else { x }));
    for i in 0..6 {
        let (a, b) = (hash(i, 1, seed), hash(i, 2, seed));
        let (w, h) = (0.05 + 0.25 * hash(i, 3, seed), 0.05 + 0.25 * hash(i, 4, seed));
        let (dx, dy) = ((x - a) / w, (y - b) / h);
        let inside = match (seed >> i) & 3 {
            0 => dx * dx + dy * dy < 1.0,
            1 => dx.abs() < 1.0 && dy.abs() < 0.35,
            2 => dx.abs() + dy.abs() < 1.0,
            _ => dx.abs() < 1.0 && dy.abs() < 1.0,
        };
        if inside {
            c = loud(i, seed);
        }
    }
    if m.shape > 0.4 && (0.08..0.22).contains(&y) && (0.1..0.9).contains(&x) {
        let glyph = hash(floor(x * 24.0) as i32, floor(y * 14.0) as i32, seed ^ 8) > 0.45;
        if glyph {
            c = if c.luminance() > 0.2 { splat(0.03) } else { splat(0.85) };
        }
    }
    c
}

/// Something like a landscape photograph: sky, hills in layers, a sun.
pub(super) fn photo(m: &Material, at: Uv) -> V3 {
    let (x, y, seed) = (at.face_u, at.face_v, m.seed);
    if !(0.06..=0.94).contains(&x) || !(0.06..=0.94).contains(&y) {
        return splat(0.75);
    }
    let mut c = m.colours[0].mix(loud(9, seed), y);
    let (dx, dy) = (x - 0.2 - 0.6 * hash(1, 1, seed), y - 0.75);
    if dx * dx + dy * dy < 0.006 {
        c = v3(0.9, 0.8, 0.5);
    }
    for layer in 0..4 {
        let f = layer as f32;
        let ridge = 0.7 - 0.16 * f + 0.25 * (fbm(x * (2.0 + f), f * 9.0, seed, 0.05) - 0.5);
        if y < ridge {
            let shade = 0.6 + 0.8 * noise(x * 22.0, y * 22.0, seed ^ 31);
            c = m.colours[1].mix(m.colours[2], f / 3.0) * shade;
        }
    }
    c
}

/// Lines of marks like writing; grey when too far to tell letters apart.
pub(super) fn text(m: &Material, at: Uv, footprint: f32) -> V3 {
    let (ink, paper) =
        if m.shape < 0.8 { (splat(0.03), m.colours[0].mix(splat(0.8), 0.7)) } else { (splat(0.8), m.colours[1] * 0.4) };
    let (x, y) = (at.face_u, at.face_v);
    if !(0.08..0.92).contains(&x) || !(0.06..0.94).contains(&y) {
        return paper;
    }
    let lines = 8.0 + 16.0 * m.shape;
    let row = floor(y * lines) as i32;
    let headline = hash(row, 9, m.seed) > 0.85;
    let columns = if headline { 18.0 } else { 44.0 };
    let cell = floor(x * columns) as i32;
    let indent = hash(row, 10, m.seed);
    let blank = hash(row, 11, m.seed) < 0.15 || x > 0.55 + 0.45 * indent || hash(cell / 5, row, m.seed ^ 2) < 0.12;
    let f = fract(y * lines);
    if blank || !(0.25..0.8).contains(&f) || hash(cell, row, m.seed) < 0.2 {
        return paper;
    }
    let (gx, gy) = (floor(fract(x * columns) * 4.0) as i32, floor((f - 0.25) / 0.55 * 5.0) as i32);
    let stroke = if gx < 3 && hash(cell * 3 + gx, row * 5 + gy, m.seed ^ 1) > 0.42 { 1.0 } else { 0.0 };
    paper.mix(ink, stroke + (0.4 - stroke) * smooth(0.004, 0.015, footprint))
}

/// A computer screen: windows with bars and lines of text.
pub(super) fn screen(m: &Material, at: Uv, footprint: f32) -> V3 {
    let (x, y) = (at.face_u, at.face_v);
    if !(0.03..0.97).contains(&x) || !(0.05..0.96).contains(&y) {
        return splat(0.02);
    }
    let mut c = m.colours[0].mix(m.colours[1], y) * 0.8;
    for i in 0..3 {
        let (a, b) = (0.1 + 0.4 * hash(i, 1, m.seed), 0.1 + 0.4 * hash(i, 2, m.seed));
        let (w, h) = (0.3 + 0.3 * hash(i, 3, m.seed), 0.25 + 0.3 * hash(i, 4, m.seed));
        let (fx, fy) = ((x - a) / w, (y - b) / h);
        if (0.0..1.0).contains(&fx) && (0.0..1.0).contains(&fy) {
            c = if fy > 0.92 {
                loud(i, m.seed)
            } else {
                text(
                    &Material { seed: m.seed ^ i as u32, shape: 0.3 + 0.25 * i as f32, ..*m },
                    Uv { face_u: fx, face_v: fy, ..at },
                    footprint,
                )
            };
        }
    }
    c
}

/// House front: rows of windows with frames, some lit, some with curtains.
pub(super) fn facade(m: &Material, at: Uv, footprint: f32) -> V3 {
    let (x, y) = (at.u * m.scale, at.v * 0.33);
    let (i, j) = (floor(x) as i32, floor(y) as i32);
    let (fx, fy) = (fract(x), fract(y));
    let wall = m.colours[0] * (0.85 + 0.3 * fbm(at.u * 3.0, at.v * 3.0, m.seed, footprint * 3.0));
    let band = pulse(y, 0.05, footprint * 0.33);
    let (w, h) = (0.2 + 0.15 * m.shape, 0.28);
    let (dx, dy) = ((fx - 0.5).abs(), (fy - 0.52).abs());
    if dx > w || dy > h {
        return wall.mix(m.colours[2], band);
    }
    let bar = dx > w - 0.03 || dy > h - 0.03 || dx < 0.012 || (fy - 0.6).abs() < 0.012;
    if bar {
        return m.colours[1].mix(splat(0.7), 0.5);
    }
    let pane = hash(i, j, m.seed);
    let glass = splat(0.03 + 0.25 * pane * pane).mix(v3(0.2, 0.3, 0.4), 0.5 * fy);
    if pane > 0.6 && dx > w * 0.45 { loud(i * 7 + j, m.seed).mix(splat(0.5), 0.5) } else { glass }
}

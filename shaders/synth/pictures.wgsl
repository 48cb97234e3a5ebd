// Textures that are pictures: posters, photographs, text, screens, house fronts.
// bindings  those of scene.wgsl
// called by textures.wgsl     CPU twin: src/synth/picture.rs::poster, photo, text, screen, facade

// A bright colour out of a hash.
fn loud(i: i32, seed: u32) -> vec3<f32> {
    let c = vec3(hash(i, 5, seed), hash(i, 6, seed), hash(i, 7, seed));
    return c * c * 0.9 + 0.02;
}

fn is_within(p: vec2<f32>, lo: vec2<f32>, hi: vec2<f32>) -> bool {
    return all(p >= lo) && all(p <= hi);
}

// Overlapping rectangles, discs and bars, with a margin and a caption.
fn poster(m: Material, at: vec2<f32>) -> vec3<f32> {
    if (!is_within(at, vec2(0.05, 0.04), vec2(0.95, 0.96))) {
        return mix(m.colour_2, vec3(0.8), m.shape);
    }
    var c = mix(m.colour_0, m.colour_1, smooth_step(0.1, 0.9, select(at.x, at.y, (m.seed & 1u) == 0u)));
    for (var i = 0; i < 6; i++) {
        let middle = vec2(hash(i, 1, m.seed), hash(i, 2, m.seed));
        let d = (at - middle) / (0.05 + 0.25 * vec2(hash(i, 3, m.seed), hash(i, 4, m.seed)));
        let a = abs(d);
        var inside = a.x < 1.0 && a.y < 1.0;
        switch (m.seed >> u32(i)) & 3u {
            case 0u: { inside = dot(d, d) < 1.0; }
            case 1u: { inside = a.x < 1.0 && a.y < 0.35; }
            case 2u: { inside = a.x + a.y < 1.0; }
            default: {}
        }
        if (inside) {
            c = loud(i, m.seed);
        }
    }
    if (m.shape > 0.4 && at.y >= 0.08 && at.y < 0.22 && at.x >= 0.1 && at.x < 0.9) {
        if (hash(i32(floor(at.x * 24.0)), i32(floor(at.y * 14.0)), m.seed ^ 8u) > 0.45) {
            c = select(vec3(0.85), vec3(0.03), luminance(c) > 0.2);
        }
    }
    return c;
}

// Something like a landscape photograph: sky, hills in layers, a sun.
fn photo(m: Material, at: vec2<f32>) -> vec3<f32> {
    if (!is_within(at, vec2(0.06), vec2(0.94))) {
        return vec3(0.75);
    }
    var c = mix(m.colour_0, loud(9, m.seed), at.y);
    let d = vec2(at.x - 0.2 - 0.6 * hash(1, 1, m.seed), at.y - 0.75);
    if (dot(d, d) < 0.006) {
        c = vec3(0.9, 0.8, 0.5);
    }
    for (var layer = 0; layer < 4; layer++) {
        let f = f32(layer);
        let ridge = 0.7 - 0.16 * f + 0.25 * (fbm(at.x * (2.0 + f), f * 9.0, m.seed, 0.05) - 0.5);
        if (at.y < ridge) {
            let shade = 0.6 + 0.8 * noise(at.x * 22.0, at.y * 22.0, m.seed ^ 31u);
            c = mix(m.colour_1, m.colour_2, f / 3.0) * shade;
        }
    }
    return c;
}

// Lines of marks like writing; grey when too far to tell letters apart. Seed and shape stand in for the material's.
fn writing(m: Material, seed: u32, shape: f32, at: vec2<f32>, footprint: f32) -> vec3<f32> {
    var ink = vec3(0.03);
    var paper = mix(m.colour_0, vec3(0.8), 0.7);
    if (shape >= 0.8) {
        ink = vec3(0.8);
        paper = m.colour_1 * 0.4;
    }
    if (at.x < 0.08 || at.x >= 0.92 || at.y < 0.06 || at.y >= 0.94) {
        return paper;
    }
    let lines = 8.0 + 16.0 * shape;
    let row = i32(floor(at.y * lines));
    let columns = select(44.0, 18.0, hash(row, 9, seed) > 0.85);
    let cell = i32(floor(at.x * columns));
    let blank = hash(row, 11, seed) < 0.15 || at.x > 0.55 + 0.45 * hash(row, 10, seed)
        || hash(cell / 5, row, seed ^ 2u) < 0.12;
    let f = fraction(at.y * lines);
    if (blank || f < 0.25 || f >= 0.8 || hash(cell, row, seed) < 0.2) {
        return paper;
    }
    let x = i32(floor(fraction(at.x * columns) * 4.0));
    let y = i32(floor((f - 0.25) / 0.55 * 5.0));
    let stroke = select(0.0, 1.0, x < 3 && hash(cell * 3 + x, row * 5 + y, seed ^ 1u) > 0.42);
    return mix(paper, ink, stroke + (0.4 - stroke) * smooth_step(0.004, 0.015, footprint));
}

// Text, or a computer screen: windows with bars and lines of text.
fn text_or_screen(m: Material, at: vec2<f32>, footprint: f32, is_screen: bool) -> vec3<f32> {
    var seed = m.seed;
    var shape = m.shape;
    var p = at;
    if (is_screen) {
        if (at.x < 0.03 || at.x >= 0.97 || at.y < 0.05 || at.y >= 0.96) {
            return vec3(0.02);
        }
        // The last window that covers the point lies on top.
        var top = -1;
        for (var i = 0; i < 3; i++) {
            let corner = 0.1 + 0.4 * vec2(hash(i, 1, m.seed), hash(i, 2, m.seed));
            let f = (at - corner) / (vec2(0.3, 0.25) + 0.3 * vec2(hash(i, 3, m.seed), hash(i, 4, m.seed)));
            if (all(f >= vec2(0.0)) && all(f < vec2(1.0))) {
                top = i;
                p = f;
            }
        }
        if (top < 0) {
            return mix(m.colour_0, m.colour_1, at.y) * 0.8;
        }
        if (p.y > 0.92) {
            return loud(top, m.seed);
        }
        seed = m.seed ^ u32(top);
        shape = 0.3 + 0.25 * f32(top);
    }
    return writing(m, seed, shape, p, footprint);
}

// House front: rows of windows with frames, some lit, some with curtains.
fn facade(m: Material, at: vec2<f32>, footprint: f32) -> vec3<f32> {
    let p = at * vec2(m.scale, 0.33);
    let cell = vec2<i32>(floor(p));
    let f = p - floor(p);
    let size = vec2(0.2 + 0.15 * m.shape, 0.28);
    let d = abs(f - vec2(0.5, 0.52));
    if (d.x > size.x || d.y > size.y) {
        let wall = m.colour_0 * (0.85 + 0.3 * fbm(at.x * 3.0, at.y * 3.0, m.seed, footprint * 3.0));
        return mix(wall, m.colour_2, pulse(p.y, 0.05, footprint * 0.33));
    }
    if (d.x > size.x - 0.03 || d.y > size.y - 0.03 || d.x < 0.012 || abs(f.y - 0.6) < 0.012) {
        return mix(m.colour_1, vec3(0.7), 0.5);
    }
    let pane = hash(cell.x, cell.y, m.seed);
    if (pane > 0.6 && d.x > size.x * 0.45) {
        return mix(loud(cell.x * 7 + cell.y, m.seed), vec3(0.5), 0.5);
    }
    return mix(vec3(0.03 + 0.25 * pane * pane), vec3(0.2, 0.3, 0.4), 0.5 * f.y);
}

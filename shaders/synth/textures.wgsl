// Procedural surface textures, box-filtered to the pixel footprint where they have hard edges.
// bindings  those of scene.wgsl
// called by resolve.wgsl     CPU twin: src/synth/texture.rs::Material::reflectance (the cases in the same order)

fn pick(m: Material, i: u32) -> vec3<f32> {
    return select(select(m.colour_2, m.colour_1, i == 1u), m.colour_0, i == 0u);
}

fn cell_of(x: f32) -> i32 {
    return i32(floor(x));
}

fn stripes(m: Material, u: f32, v: f32, fp: f32) -> vec3<f32> {
    var x = u * m.scale;
    if (m.shape > 0.6) {
        x += 0.4 * noise(v * 3.0, u * 3.0, m.seed);
    }
    let c = mix(m.colour_1, m.colour_0, pulse(x, 0.25 + 0.5 * m.shape, fp));
    return mix(c, m.colour_2, 0.7 * pulse(x + 0.3, 0.08, fp));
}

fn checker(m: Material, u: f32, v: f32, fp: f32) -> vec3<f32> {
    let a = 1.0 - 2.0 * pulse(u * m.scale * 0.5, 0.5, fp * 0.5);
    let b = 1.0 - 2.0 * pulse(v * m.scale * 0.5, 0.5, fp * 0.5);
    return mix(m.colour_0, m.colour_1, 0.5 + 0.5 * a * b);
}

fn bricks(m: Material, u: f32, v: f32, fp: f32, footprint: f32) -> vec3<f32> {
    let y = v * m.scale * 2.4;
    let row = cell_of(y);
    let x = u * m.scale + 0.5 * f32(row & 1);
    let joint = 1.0 - (1.0 - pulse(x, 0.05, fp)) * (1.0 - pulse(y, 0.12, fp * 2.4));
    let tone = hash(cell_of(x), row, m.seed);
    let rough = 0.8 + 0.4 * fbm(u * 40.0, v * 40.0, m.seed, footprint * 40.0);
    return mix(mix(m.colour_0, m.colour_1, tone) * rough, m.colour_2, joint);
}

fn planks(m: Material, u: f32, v: f32, fp: f32) -> vec3<f32> {
    let y = v * m.scale;
    let row = cell_of(y);
    let x = u * m.scale * 0.15 + 7.0 * hash(row, 3, m.seed);
    let tone = hash(cell_of(x), row, m.seed ^ 5u);
    let grain = fbm(u * m.scale * 0.8 + tone * 37.0, v * m.scale * 8.0, m.seed, fp * 4.0);
    let c = mix(m.colour_0, m.colour_1, clamp(0.55 * tone + 0.8 * grain - 0.2, 0.0, 1.0));
    let gap = 1.0 - (1.0 - pulse(y, 0.04, fp)) * (1.0 - pulse(x, 0.008, fp * 0.15));
    return c * (1.0 - 0.6 * gap);
}

fn wood(m: Material, u: f32, v: f32, fp: f32) -> vec3<f32> {
    let s = m.scale;
    let bend = fbm(u * s * 0.7, v * s * 0.7, m.seed, fp);
    let rings = fraction(v * s * 3.0 + bend * (2.0 + 4.0 * m.shape));
    let ring = (rings * (1.0 - rings) * 4.0) * (1.0 - smooth_step(0.1, 0.5, fp * 3.0));
    let fibre = fbm(u * s * 2.0, v * s * 40.0, m.seed ^ 3u, fp * 20.0);
    return mix(m.colour_0, m.colour_1, clamp(0.35 + 0.4 * ring + 0.8 * (fibre - 0.5), 0.0, 1.0));
}

fn tiles(m: Material, u: f32, v: f32, fp: f32) -> vec3<f32> {
    let s = m.scale;
    let joint = 0.02 + 0.04 * m.shape;
    let grout = 1.0 - (1.0 - pulse(u * s, joint, fp)) * (1.0 - pulse(v * s, joint, fp));
    let tone = hash(cell_of(u * s), cell_of(v * s), m.seed);
    let cloud = fbm(u * s * 2.0, v * s * 2.0, m.seed, fp * 2.0);
    return mix(mix(m.colour_0, m.colour_1, clamp(0.35 * tone + 0.5 * cloud, 0.0, 1.0)), m.colour_2, grout);
}

fn speckle(m: Material, u: f32, v: f32, fp: f32, footprint: f32) -> vec3<f32> {
    let keep = 1.0 - smooth_step(0.3, 1.5, fp);
    let fine = (hash(cell_of(u * m.scale), cell_of(v * m.scale), m.seed) - 0.5) * keep;
    let coarse = fbm(u * 2.0, v * 2.0, m.seed, footprint * 2.0) - 0.5;
    return mix(m.colour_0, m.colour_1, clamp(0.5 + fine + coarse * m.shape, 0.0, 1.0));
}

fn swirl(m: Material, u: f32, v: f32, fp: f32) -> vec3<f32> {
    let s = m.scale;
    let a = noise(u * s * 0.7, v * s * 0.7, m.seed);
    let b = noise(v * s * 0.7 + 9.0, u * s * 0.7, m.seed ^ 9u);
    let xy = sin_cos(u * s * 0.6 + 5.0 * a).x * sin_cos(v * s * 0.6 + 5.0 * b).x;
    let keep = 1.0 - smooth_step(0.5, 2.0, fp);
    let c = mix(m.colour_0, m.colour_1, 0.5 + 0.5 * xy * keep);
    return mix(c, m.colour_2, select(0.0, smooth_step(0.6, 0.8, xy) * keep, m.shape > 0.5));
}

fn marble(m: Material, u: f32, v: f32, fp: f32) -> vec3<f32> {
    let s = m.scale;
    let warp = fbm(u * s * 2.0, v * s * 2.0, m.seed, fp * 2.0);
    let vein = fraction(u * s + v * s * 0.6 + 3.0 * warp);
    let line = 1.0 - smooth_step(0.0, 0.12 + fp, abs(vein - 0.5));
    return mix(mix(m.colour_0, m.colour_1, 0.4 * warp), m.colour_2, line * (0.3 + 0.5 * m.shape));
}

fn terrazzo(m: Material, u: f32, v: f32, fp: f32) -> vec3<f32> {
    let p = vec2(u, v) * m.scale;
    let i = cell_of(p.x);
    let j = cell_of(p.y);
    let middle = 0.25 + 0.5 * vec2(hash(i, j, m.seed), hash(i, j, m.seed ^ 21u));
    let size = 0.15 + 0.25 * hash(i, j, m.seed ^ 33u);
    let d = p - floor(p) - middle;
    let soft = 0.5 * max(fp, 0.1);
    let chip = (1.0 - smooth_step(size - soft, size + soft, sqrt(dot(d, d)))) * (1.0 - smooth_step(0.4, 1.5, fp));
    let tone = hash(i, j, m.seed ^ 55u);
    return mix(m.colour_0, select(m.colour_2, m.colour_1, tone > 0.5), chip);
}

fn weave(m: Material, u: f32, v: f32, fp: f32, footprint: f32) -> vec3<f32> {
    let x = u * m.scale;
    let y = v * m.scale;
    let keep = 1.0 - smooth_step(0.25, 0.8, fp);
    let thread = fraction(select(y, x, ((cell_of(x) + cell_of(y)) & 1) == 0));
    let relief = 0.75 + thread * (1.0 - thread);
    let cloud = fbm(u * 3.0, v * 3.0, m.seed, footprint * 3.0);
    return mix(m.colour_0, m.colour_1, cloud * 0.8) * (1.0 + (relief - 0.92) * keep);
}

fn motif(m: Material, u: f32, v: f32, fp: f32) -> vec3<f32> {
    let x = u * m.scale;
    let y = v * m.scale + 0.5 * f32(cell_of(x) & 1);
    let d = vec2(fraction(x), fraction(y)) - 0.5;
    var apart = sqrt(dot(d, d));
    switch m.seed % 3u {
        case 0u: {}
        case 1u: { apart = abs(d.x) + abs(d.y); }
        default: { apart *= 0.8 + 0.6 * abs(d.x * d.y * 8.0); }
    }
    let r = 0.15 + 0.25 * m.shape;
    let w = 0.02 + 0.5 * fp;
    let c = mix(m.colour_0, m.colour_1, 1.0 - smooth_step(r - w, r + w, apart));
    return mix(c, m.colour_2, 1.0 - smooth_step(0.4 * r - w, 0.4 * r + w, apart));
}

fn rug(m: Material, u: f32, v: f32, face: vec2<f32>) -> vec3<f32> {
    let d = abs(face - 0.5) * 2.0;
    let band = cell_of(max(d.x, d.y) * (3.0 + 5.0 * m.shape));
    let base = pick(m, u32(hash(band, 1, m.seed) * 2.999));
    let other = pick(m, (u32(hash(band, 2, m.seed) * 2.999) + 1u) % 3u);
    let diamonds = pulse((d.x + d.y) * 4.0, 0.5, 0.05) * pulse((d.x - d.y) * 4.0 + 8.0, 0.5, 0.05);
    let pile = 0.85 + 0.3 * noise(u * 45.0, v * 45.0, m.seed);
    return mix(base, other, 0.7 * diamonds) * pile;
}

fn spine(m: Material, face: vec2<f32>, footprint: f32) -> vec3<f32> {
    let bands = pulse(face.y * (2.0 + 3.0 * m.shape) + 0.1, 0.12, 0.02);
    var letters = 0.0;
    if (abs(face.x - 0.5) < 0.22 && abs(face.y - 0.55) < 0.28 && hash(cell_of(face.y * 26.0), 4, m.seed) > 0.35) {
        letters = 1.0 - smooth_step(0.004, 0.02, footprint);
    }
    return mix(mix(m.colour_0, m.colour_1, bands), m.colour_2, letters * 0.8);
}

fn leaves(m: Material, u: f32, v: f32, fp: f32, footprint: f32) -> vec3<f32> {
    let s = m.scale;
    let clumps = fbm(u * s * 0.4, v * s * 0.4, m.seed, fp * 0.4);
    let leaf = noise(u * s, v * s, m.seed ^ 17u);
    let keep = 1.0 - smooth_step(0.4, 1.5, fp);
    let close = 1.0 - smooth_step(0.01, 0.04, footprint);
    var blades = 0.0;
    if (close > 0.0) {
        blades = (noise(u * 47.0, v * 47.0, m.seed ^ 18u) - 0.5) * close;
    }
    return mix(m.colour_0, m.colour_1, clamp(clumps * 1.4 - 0.2 + (leaf - 0.5) * keep + 0.8 * blades, 0.0, 1.0));
}

// Reflectance at a texture position, averaged over a footprint in metres.
fn reflectance(m: Material, at: Uv, footprint: f32) -> vec3<f32> {
    let along = select(at.along, at.along.yx, (m.texture & SWAPPED) != 0u);
    let u = along.x;
    let v = along.y;
    let fp = footprint * m.scale;
    var c = m.colour_0;
    switch m.texture & 0xffu {
        case 1u: {
            let t = fbm(u * m.scale, v * m.scale, m.seed, fp);
            c = mix(m.colour_0, m.colour_1, clamp((t - 0.5) * (1.0 + 2.5 * m.shape) + 0.5, 0.0, 1.0));
        }
        case 2u: { c = stripes(m, u, v, fp); }
        case 3u: { c = checker(m, u, v, fp); }
        case 4u: { c = bricks(m, u, v, fp, footprint); }
        case 5u: { c = planks(m, u, v, fp); }
        case 6u: { c = wood(m, u, v, fp); }
        case 7u: { c = tiles(m, u, v, fp); }
        case 8u: { c = poster(m, at.face); }
        case 9u: { c = photo(m, at.face); }
        case 10u, 11u: { c = text_or_screen(m, at.face, footprint, (m.texture & 0xffu) == 11u); }
        case 12u: { c = speckle(m, u, v, fp, footprint); }
        case 13u: { c = swirl(m, u, v, fp); }
        case 14u: { c = marble(m, u, v, fp); }
        case 15u: { c = terrazzo(m, u, v, fp); }
        case 16u: { c = weave(m, u, v, fp, footprint); }
        case 17u: { c = motif(m, u, v, fp); }
        case 18u: { c = rug(m, u, v, at.face); }
        case 19u: { c = spine(m, at.face, footprint); }
        case 20u: { c = leaves(m, u, v, fp, footprint); }
        case 21u: { c = facade(m, at.along, footprint); }
        default: {}
    }
    let fine = 1.0 - smooth_step(0.015, 0.05, footprint);
    var dirt = 1.0 + m.grime * (noise(u * 2.3 + 3.0, v * 2.3, m.seed ^ 3u) - 0.5);
    if (fine > 0.0) {
        dirt += 0.6 * m.grime * fine * (noise(u * 17.0, v * 17.0, m.seed ^ 4u) - 0.5);
    }
    return c * dirt;
}

// Display values: exposure, vignetting, saturation, white balance, tone curve, noise by the CPU's random numbers.
// bindings  those of sensor.wgsl; reads source and exposures, writes target (display values and z)
// random    numbers of a frame: its rows' one after the other, each its own (if any), then four per pixel (if any); the
//           frame's first is View::band_step
// called by src/synth/gpu/develop.rs     CPU twin: src/synth/sensor.rs::Sensor::develop, src/synth/math.rs::Rng

@group(1) @binding(3) var<storage, read_write> display: array<vec4<f32>>;
@group(1) @binding(4) var<storage, read_write> exposures: array<f32>;

// 64-bit integers: low and high word.
fn add_wide(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let low = a.x + b.x;
    return vec2(low, a.y + b.y + u32(low < a.x));
}

fn multiply_wide(a: vec2<u32>, b: vec2<u32>) -> vec2<u32> {
    let a0 = a.x & 0xffffu;
    let a1 = a.x >> 16u;
    let b0 = b.x & 0xffffu;
    let b1 = b.x >> 16u;
    let middle = a1 * b0 + ((a0 * b0) >> 16u);
    let other = a0 * b1 + (middle & 0xffffu);
    let high = a1 * b1 + (middle >> 16u) + (other >> 16u);
    return vec2(a.x * b.x, high + a.x * b.y + a.y * b.x);
}

fn shift_xor(a: vec2<u32>, by: u32) -> vec2<u32> {
    return a ^ vec2((a.x >> by) | (a.y << (32u - by)), a.y >> by);
}

// Splitmix64: number `index` after `state`.
fn random(state: vec2<u32>, index: u32) -> vec2<u32> {
    var z = add_wide(state, multiply_wide(vec2(index + 1u, 0u), vec2(0x7f4a7c15u, 0x9e3779b9u)));
    z = multiply_wide(shift_xor(z, 30u), vec2(0x1ce4e5b9u, 0xbf58476du));
    z = multiply_wide(shift_xor(z, 27u), vec2(0x133111ebu, 0x94d049bbu));
    return shift_xor(z, 31u);
}

// Approximately normal with unit variance.
fn normal(state: vec2<u32>, index: u32) -> f32 {
    let v = random(state, index);
    let sum = (v.x & 0xffffu) + (v.x >> 16u) + (v.y & 0xffffu) + (v.y >> 16u);
    return (f32(sum) / 65535.0 - 2.0) * 1.7320508;
}

fn toned(x: f32) -> f32 {
    let t = sqrt(clamp(x, 0.0, TONE_TOP) * (1.0 / TONE_TOP)) * f32(TONE_STEPS);
    let i = min(u32(t), TONE_STEPS - 1u);
    let f = t - f32(i);
    return tables[i] * (1.0 - f) + tables[i + 1u] * f;
}

@compute @workgroup_size(8, 8)
fn tone(@builtin(global_invocation_id) at: vec3<u32>) {
    if (is_outside(at)) {
        return;
    }
    let exposure = exposures[at.z];
    let gain = sensor.noise * min(1.0 + 0.3 * exposure, 3.0);
    let state = vec2(views[at.z].seed_low, views[at.z].seed_high);
    let per_row = u32(sensor.row_noise > 0.0);
    let per_pixel = select(0u, 4u, sensor.noise > 0.0);
    let row_start = 1u + at.y * (per_row + sensor.width * per_pixel);
    var row = 0.0;
    if (sensor.row_noise > 0.0) {
        let band = views[at.z].band + views[at.z].band_step * f32(at.y + 1u);
        row = sensor.row_noise * (sin_cos(band).x + 0.7 * normal(state, row_start));
    }
    let d = (vec2<f32>(at.xy) + 0.5) * 2.0 / vec2(f32(sensor.width), f32(sensor.height)) - 1.0;
    let fall = 1.0 - sensor.vignette * 0.5 * dot(d, d);
    let here = source[index_of(at)];
    let exposed = here.xyz * (exposure * fall);
    let grey = luminance(exposed);
    let c = (grey + (exposed - grey) * sensor.saturation) * sensor.white;
    var out = vec3(toned(c.x), toned(c.y), toned(c.z));
    if (gain > 0.0) {
        let first = row_start + per_row + at.x * per_pixel;
        let strength = gain * (1.3 - clamp(luminance(out), 0.0, 1.0));
        let luma = 0.7 * normal(state, first);
        let chroma = vec3(normal(state, first + 1u), normal(state, first + 2u), normal(state, first + 3u));
        out += (luma + vec3(0.6, 0.5, 0.7) * chroma) * strength;
    }
    display[index_of(at)] = vec4(out + row, here.w);
}

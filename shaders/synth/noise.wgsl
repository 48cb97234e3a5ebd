// Elementary functions, lattice noise and filtered patterns, with the integers of the CPU.
// bindings  none
// precision angles by polynomials of the CPU's own: built-in sin and atan may be far coarser
// called by light.wgsl, textures.wgsl, pictures.wgsl, illuminate.wgsl     CPU twin: src/synth/math.rs, src/synth/noise.rs

const PI: f32 = 3.14159265;

// Smooth step from 0 at a to 1 at b.
fn smooth_step(a: f32, b: f32, x: f32) -> f32 {
    let t = clamp((x - a) / (b - a), 0.0, 1.0);
    return t * t * (3.0 - 2.0 * t);
}

fn fraction(x: f32) -> f32 {
    return x - floor(x);
}

// Sine and cosine: the angle is reduced to a quarter turn in three steps, then series.
fn sin_cos(x: f32) -> vec2<f32> {
    let n = round(x * 0.636619772);
    let r = ((x - n * 1.5703125) - n * 4.837513e-4) - n * 7.5497901e-8;
    let q = r * r;
    let s = r * (1.0 - q / 6.0 * (1.0 - q / 20.0 * (1.0 - q / 42.0 * (1.0 - q / 72.0))));
    let c = 1.0 - q / 2.0 * (1.0 - q / 12.0 * (1.0 - q / 30.0 * (1.0 - q / 56.0 * (1.0 - q / 90.0))));
    switch u32(i32(n) & 3) {
        case 0u: { return vec2(s, c); }
        case 1u: { return vec2(c, -s); }
        case 2u: { return vec2(-s, -c); }
        default: { return vec2(-c, s); }
    }
}

fn angle_of(y: f32, x: f32) -> f32 {
    let ax = abs(x);
    let ay = abs(y);
    let z = min(ax, ay) / max(max(ax, ay), 1e-20);
    let q = z * z;
    var a = z * (0.99997726 + q * (-0.33262347 + q * (0.19354346 + q * (-0.11643287
        + q * (0.05265332 - q * 0.0117212)))));
    a = select(a, 0.5 * PI - a, ay > ax);
    a = select(a, PI - a, x < 0.0);
    return select(a, -a, y < 0.0);
}

// Angle whose sine is x.
fn arc_sine(x: f32) -> f32 {
    let s = clamp(x, -1.0, 1.0);
    return angle_of(s, sqrt(max(1.0 - s * s, 0.0)));
}

// Hash of a lattice point to [0, 1).
fn hash(x: i32, y: i32, seed: u32) -> f32 {
    var h = (bitcast<u32>(x) * 0x8da6b343u) ^ (bitcast<u32>(y) * 0xd8163841u) ^ (seed * 0xcb1ab31fu);
    h ^= h >> 13u;
    h *= 0x5bd1e995u;
    h ^= h >> 15u;
    h *= 0x2c1b3c6du;
    h ^= h >> 12u;
    return f32(h >> 8u) / 16777216.0;
}

// Smooth value noise in [0, 1) with one cell per unit.
fn noise(x: f32, y: f32, seed: u32) -> f32 {
    let cell = floor(vec2(x, y));
    let i = vec2<i32>(cell);
    var f = vec2(x, y) - cell;
    f = f * f * (3.0 - 2.0 * f);
    let l0 = hash(i.x, i.y, seed) * (1.0 - f.x) + hash(i.x + 1, i.y, seed) * f.x;
    let l1 = hash(i.x, i.y + 1, seed) * (1.0 - f.x) + hash(i.x + 1, i.y + 1, seed) * f.x;
    return l0 * (1.0 - f.y) + l1 * f.y;
}

// Three octaves of noise; octaves finer than the footprint (in cells of the first octave) fade out.
fn fbm(x: f32, y: f32, seed: u32, footprint: f32) -> f32 {
    var sum = 0.5;
    for (var octave = 0u; octave < 3u; octave++) {
        var frequency = 1.0;
        var amplitude = 0.55;
        var shift = vec2(0.0);
        var own = seed;
        if (octave == 1u) {
            frequency = 2.13;
            amplitude = 0.3;
            shift = vec2(5.2, 1.7);
            own = seed ^ 77u;
        } else if (octave == 2u) {
            frequency = 4.7;
            amplitude = 0.15;
            shift = vec2(2.1, 9.2);
            own = seed ^ 991u;
        }
        let keep = 1.0 - smooth_step(0.4, 1.2, footprint * frequency);
        if (keep > 0.0) {
            sum += amplitude * keep * (noise(x * frequency + shift.x, y * frequency + shift.y, own) - 0.5);
        }
    }
    return sum;
}

fn pulse_integral(x: f32, duty: f32) -> f32 {
    let whole = floor(x);
    return whole * duty + min(x - whole, duty);
}

// Average over [f - w/2, f + w/2] of the periodic pulse that is 1 on [0, duty) of each unit.
fn pulse(f: f32, duty: f32, width: f32) -> f32 {
    let w = max(width, 1e-4);
    if (w >= 4.0) {
        return duty;
    }
    return clamp((pulse_integral(f + 0.5 * w, duty) - pulse_integral(f - 0.5 * w, duty)) / w, 0.0, 1.0);
}

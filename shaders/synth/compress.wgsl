// Bytes: colour with artefacts like those of JPEG (8x8 cosine transform, quantised; colour at half resolution) or
// without, depth in millimetres, motion.
// bindings  those of sensor.wgsl; reads source (display values and z), writes target: vec2<u32> [frames, height, width],
//           r | g << 8 | b << 16 | motion << 24, depth
// requires  one workgroup per 16x16 pixels: four blocks of luma, one of each colour difference
// called by src/synth/gpu/develop.rs     CPU twin: src/synth/sensor.rs::compress, src/synth/mod.rs::develop

@group(1) @binding(3) var<storage, read_write> bytes: array<vec2<u32>>;

const FARTHEST: f32 = 65.0;
const LUMA: u32 = 256u;

// Six blocks of 8x8: luma at 0 to 255, differences from LUMA on.
var<workgroup> blocks: array<f32, 384>;
var<workgroup> halfway: array<f32, 384>;

fn basis(frequency: u32, position: u32) -> f32 {
    return tables[TONE_STEPS + 1u + frequency * 8u + position];
}

// Index in `blocks` of a pixel of the workgroup.
fn luma_at(x: u32, y: u32) -> u32 {
    return ((y / 8u) * 2u + x / 8u) * 64u + (y % 8u) * 8u + x % 8u;
}

fn levels(c: vec3<f32>) -> vec3<f32> {
    return clamp(c, vec3(0.0), vec3(1.0)) * 255.0;
}

fn luma_of(c: vec3<f32>) -> f32 {
    return 0.299 * c.x + 0.587 * c.y + 0.114 * c.z;
}

// Along columns, by the basis or its transpose.
fn columns(e: u32, back: bool) -> f32 {
    let i = (e / 8u) % 8u;
    var sum = 0.0;
    for (var k = 0u; k < 8u; k++) {
        sum += select(basis(i, k), basis(k, i), back) * blocks[(e & ~63u) + k * 8u + e % 8u];
    }
    return sum;
}

fn rows(e: u32, back: bool) -> f32 {
    let j = e % 8u;
    var sum = 0.0;
    for (var k = 0u; k < 8u; k++) {
        sum += halfway[(e & ~7u) + k] * select(basis(j, k), basis(k, j), back);
    }
    return sum;
}

fn quantised(e: u32, value: f32) -> f32 {
    let step = select(sensor.step, 1.8 * sensor.step, e >= LUMA);
    let q = step * (1.0 + 0.7 * f32(e % 8u + (e / 8u) % 8u));
    return trunc(value / q + select(0.5, -0.5, value < 0.0)) * q;
}

fn write_pixel(at: vec3<u32>, c: vec3<f32>, z: f32) {
    let b = vec3<u32>(clamp(c, vec3(0.0), vec3(1.0)) * 255.0 + 0.5);
    let motion = select(0u, 255u, z < 0.0);
    let depth = select(0u, u32(min(abs(z), FARTHEST) * 1000.0 + 0.5), abs(z) < FARTHEST);
    bytes[index_of(at)] = vec2(b.x | (b.y << 8u) | (b.z << 16u) | (motion << 24u), depth);
}

@compute @workgroup_size(8, 8)
fn pack(@builtin(global_invocation_id) at: vec3<u32>) {
    if (is_outside(at)) {
        return;
    }
    let here = source[index_of(at)];
    write_pixel(at, here.xyz, here.w);
}

@compute @workgroup_size(16, 16)
fn compress(
    @builtin(global_invocation_id) at: vec3<u32>,
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) thread: u32,
) {
    let last = vec2(sensor.width, sensor.height) - 1u;
    let corner = group.xy * 16u;
    let here = source[index_of(vec3(min(at.xy, last), at.z))];
    blocks[luma_at(local.x, local.y)] = luma_of(levels(here.xyz));
    if (thread < 64u) {
        // The last column and row of the half-size planes are repeated beyond them.
        let cell = min(corner / 2u + vec2(thread % 8u, thread / 8u), last / 2u);
        var blue = 0.0;
        var red = 0.0;
        for (var k = 0u; k < 4u; k++) {
            let pixel = min(2u * cell + vec2(k % 2u, k / 2u), last);
            let c = levels(source[index_of(vec3(pixel, at.z))].xyz);
            blue += (c.z - luma_of(c)) * 0.25;
            red += (c.x - luma_of(c)) * 0.25;
        }
        blocks[LUMA + thread] = blue;
        blocks[LUMA + 64u + thread] = red;
    }
    let also = LUMA + thread;
    let differences = thread < 128u;
    workgroupBarrier();
    halfway[thread] = columns(thread, false);
    if (differences) {
        halfway[also] = columns(also, false);
    }
    workgroupBarrier();
    blocks[thread] = quantised(thread, rows(thread, false));
    if (differences) {
        blocks[also] = quantised(also, rows(also, false));
    }
    workgroupBarrier();
    halfway[thread] = columns(thread, true);
    if (differences) {
        halfway[also] = columns(also, true);
    }
    workgroupBarrier();
    blocks[thread] = rows(thread, true);
    if (differences) {
        blocks[also] = rows(also, true);
    }
    workgroupBarrier();
    if (is_outside(at)) {
        return;
    }
    let luma = blocks[luma_at(local.x, local.y)];
    let half_size = (local.y / 2u) * 8u + local.x / 2u;
    let blue = blocks[LUMA + half_size];
    let red = blocks[LUMA + 64u + half_size];
    let green = luma - (0.299 * red + 0.114 * blue) / 0.587;
    write_pixel(at, vec3(luma + red, green, luma + blue) / 255.0, here.w);
}

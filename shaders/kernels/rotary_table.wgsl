// Rotary tables of positions in space: the mean over the bases of cos and sin of coordinate * frequency.
// bindings  positions: f32 [P, row], x, y, z first   frequencies: f32 [BASES, d]   channels: u32 [d], axis in bits 0-1, bit 2: sine
//           negated   table: f32 [T, d] pairs (cos, signed sin)   shape
// requires  T = P + skip: the first `skip` tokens (the pose token) have no position and pass unchanged
// variant   portable. WGSL's own sine is exact only near zero, so angles are reduced first (to |r| <= pi / 4)
// called by src/ops/wgsl/rotary.rs     CPU twin: Rotary::space on the CPU (src/ops/rotary.rs)
@group(0) @binding(#) var<storage, read_write> positions: array<f32>;
@group(0) @binding(#) var<storage, read_write> frequencies: array<f32>;
@group(0) @binding(#) var<storage, read_write> channels: array<u32>;
@group(0) @binding(#) var<storage, read_write> table: array<vec2<f32>>;
struct Shape { tokens: u32, skip: u32, width: u32, bases: u32, row: u32 }
@group(0) @binding(#) var<uniform> shape: Shape;

// (cos a, sin a), exact to 2e-7 for |a| up to 1e5: pi / 2 in three parts of which the first two have few bits.
fn turn(a: f32) -> vec2<f32> {
    let n = round(a * 0.63661977);
    let r = ((a - n * 1.5703125) - n * 4.837512969970703125e-4) - n * 7.54978995489188216e-8;
    let z = r * r;
    let s = r + r * z * (-1.6666654611e-1 + z * (8.3321608736e-3 - z * 1.9515295891e-4));
    let c = 1.0 - 0.5 * z + z * z * (4.166664568298827e-2 + z * (-1.388731625493765e-3 + z * 2.443315711809948e-5));
    switch (u32(i32(n) & 3)) {
        case 0u: { return vec2(c, s); }
        case 1u: { return vec2(-s, c); }
        case 2u: { return vec2(-c, -s); }
        default: { return vec2(s, -c); }
    }
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= shape.tokens * shape.width) { return; }
    let token = id.x / shape.width;
    if (token < shape.skip) {
        table[id.x] = vec2(1.0, 0.0);
        return;
    }
    let j = id.x % shape.width;
    let channel = channels[j];
    let coordinate = positions[(token - shape.skip) * shape.row + (channel & 3u)];
    var mean = vec2<f32>(0.0);
    let share = 1.0 / f32(shape.bases);
    for (var b = 0u; b < shape.bases; b++) {
        mean += turn(coordinate * frequencies[b * shape.width + j]) * share;
    }
    table[id.x] = vec2(mean.x, select(mean.y, -mean.y, (channel & 4u) != 0u));
}

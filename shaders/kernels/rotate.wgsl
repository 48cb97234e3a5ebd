// Rotary embedding in place: t[j] = t[j] * cos[j] + t[partner[j]] * sin[j] for the first `heads` heads of every row.
// bindings  table: f32 [T, d] pairs (cos, signed sin)   partner: u32 [d]   x: f32 [T, row]   shape
// requires  one invocation per token and head: nothing else reads what it writes
// variant   portable, and good enough for real GPUs (memory bound); HALF rounds to half precision before and after
// called by src/ops/wgsl/rotary.rs     CPU twin: Rotary::apply on the CPU (src/ops/rotary.rs)
@group(0) @binding(#) var<storage, read_write> table: array<vec2<f32>>;
@group(0) @binding(#) var<storage, read_write> partner: array<u32>;
@group(0) @binding(#) var<storage, read_write> x: array<f32>;
struct Shape { tokens: u32, heads: u32, row: u32 }
@group(0) @binding(#) var<uniform> shape: Shape;

fn rounded(v: f32) -> f32 {
//#if HALF
    return unpack2x16float(pack2x16float(vec2(v, 0.0))).x;
//#else
    return v;
//#end
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    // Heads beside each other in memory turn beside each other.
    if (id.x >= shape.tokens * shape.heads) { return; }
    let token = id.x / shape.heads;
    let at = token * shape.row + (id.x % shape.heads) * $Du;
    var before: array<f32, $D>;
    for (var j = 0u; j < $Du; j++) { before[j] = rounded(x[at + j]); }
    for (var j = 0u; j < $Du; j++) {
        let turn = table[token * $Du + j];
        x[at + j] = rounded(before[j] * turn.x + before[partner[j]] * turn.y);
    }
}

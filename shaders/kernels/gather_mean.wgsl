// Rows of the pointer memory after a frame: y[r] is a row of `old`, or the mean of some rows of `fresh` in list order.
// bindings  old: f32 [M, C]   fresh: f32 [N, C]   plan: u32 [R, 2], then items   y: f32 [R, C]   shape
//           plan[r] = (row of old, 0) or (first item, count); items are rows of `fresh`, counted from the start of plan
// requires  C = 4 quads; every row listed exists (the plan is made by the program)
// variant   portable, and good enough for real GPUs (memory bound): four channels of a row per invocation
// called by src/ops/wgsl/gather.rs     CPU twin: Plan::features on the CPU (src/memory.rs)
@group(0) @binding(#) var<storage, read_write> old: array<vec4<f32>>;
@group(0) @binding(#) var<storage, read_write> fresh: array<vec4<f32>>;
@group(0) @binding(#) var<storage, read_write> plan: array<u32>;
@group(0) @binding(#) var<storage, read_write> y: array<vec4<f32>>;
struct Shape { rows: u32, quads: u32 }
@group(0) @binding(#) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = id.x + id.y * 2097152u;
    if (at >= shape.rows * shape.quads) { return; }
    let row = at / shape.quads;
    let quad = at % shape.quads;
    let first = plan[row * 2u];
    let count = plan[row * 2u + 1u];
    if (count == 0u) {
        y[at] = old[first * shape.quads + quad];
        return;
    }
    var sum = vec4<f32>(0.0);
    for (var i = 0u; i < count; i++) {
        sum += fresh[plan[first + i] * shape.quads + quad];
    }
    y[at] = sum / f32(count);
}

// Features of the pointers after a frame: y[r] is a row of `old`, or the mean of some rows of `fresh` in patch order.
// bindings  old: f32 [M, C]   fresh: f32 [N, C]   plan: u32 [M + N, 2], then [N] (pointer_plan.wgsl)
//           kept: u32 [R], the planned row that each row is, or ~0 (with EVICTED)   y: f32 [R, C]   shape
// requires  C = 4 quads; rows beyond the last pointer are left as they are
// variant   portable, and good enough for real GPUs (memory bound): four channels of a row per invocation
// called by src/ops/wgsl/pointers.rs     CPU twin: Plan::features (src/memory/host.rs)
@group(0) @binding(#) var<storage, read_write> old: array<vec4<f32>>;
@group(0) @binding(#) var<storage, read_write> fresh: array<vec4<f32>>;
@group(0) @binding(#) var<storage, read_write> plan: array<u32>;
//#if EVICTED
@group(0) @binding(#) var<storage, read_write> kept: array<u32>;
//#end
@group(0) @binding(#) var<storage, read_write> y: array<vec4<f32>>;
// `rows` to make, of `planned` ones.
struct Shape { rows: u32, quads: u32, planned: u32, across: u32 }
@group(0) @binding(#) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = id.x + id.y * shape.across;
    if (at >= shape.rows * shape.quads) { return; }
    let quad = at % shape.quads;
//#if EVICTED
    let row = kept[at / shape.quads];
    if (row >= shape.planned) { return; }
//#else
    let row = at / shape.quads;
//#end
    let first = plan[row * 2u];
    let count = plan[row * 2u + 1u];
    if (count == 0u) {
        if (first < shape.planned) { y[at] = old[first * shape.quads + quad]; }
        return;
    }
    var sum = vec4<f32>(0.0);
    var patch_row = first;
    for (var i = 0u; i < count; i++) {
        sum += fresh[patch_row * shape.quads + quad];
        patch_row = plan[shape.planned * 2u + patch_row];
    }
    y[at] = sum / f32(count);
}

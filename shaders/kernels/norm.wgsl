// Layer norm over channels, biased variance: y = (x - mean) / sqrt(var + eps) * weight + bias, then
// y * (1 + scale) + shift where a condition gives shift and scale.
// bindings  x: f32 [T, C]   weight, bias: f32 [C]   modulation: f32 [shift C | scale C]   y: f32 [T, C]   shape
// requires  C = 4 quads
// variant   portable: one invocation per token; tiled (TILED): 64 per token, sums through workgroup memory
// called by src/ops/wgsl/norm.rs     CPU twin: LayerNorm on the CPU (src/ops/mod.rs)
@group(0) @binding(#) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(#) var<storage, read_write> weight: array<vec4<f32>>;
@group(0) @binding(#) var<storage, read_write> bias: array<vec4<f32>>;
//#if MODULATED
@group(0) @binding(#) var<storage, read_write> modulation: array<vec4<f32>>;
//#end
@group(0) @binding(#) var<storage, read_write> y: array<vec4<f32>>;
struct Shape { tokens: u32, quads: u32, eps: f32 }
@group(0) @binding(#) var<uniform> shape: Shape;

//#if TILED
var<workgroup> partial: array<f32, 64>;

fn total(value: f32, index: u32) -> f32 {
    partial[index] = value;
    workgroupBarrier();
    for (var step = 32u; step > 0u; step /= 2u) {
        if (index < step) { partial[index] += partial[index + step]; }
        workgroupBarrier();
    }
    let sum = partial[0];
    workgroupBarrier();
    return sum;
}

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let token = group.x + group.y * 32768u;
    if (token >= shape.tokens) { return; }
    let first = index;
    let stride = 64u;
//#else
fn total(value: f32, index: u32) -> f32 { return value; }

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let token = id.x;
    if (token >= shape.tokens) { return; }
    let index = 0u;
    let first = 0u;
    let stride = 1u;
//#end
    let at = token * shape.quads;
    var sums = vec4<f32>(0.0);
    for (var i = first; i < shape.quads; i += stride) { sums += x[at + i]; }
    let count = f32(shape.quads * 4u);
    let mean = total((sums.x + sums.y) + (sums.z + sums.w), index) / count;
    var squares = vec4<f32>(0.0);
    for (var i = first; i < shape.quads; i += stride) {
        let v = x[at + i] - mean;
        squares += v * v;
    }
    let variance = total((squares.x + squares.y) + (squares.z + squares.w), index) / count;
    let share = 1.0 / sqrt(variance + shape.eps);
    for (var i = first; i < shape.quads; i += stride) {
        var v = (x[at + i] - mean) * share * weight[i] + bias[i];
//#if MODULATED
        v = v * (1.0 + modulation[shape.quads + i]) + modulation[i];
//#end
        y[at + i] = v;
    }
}

// Bilinear upsampling by two, corners aligned: output i lies at i (n - 1) / (2 n - 1) of the input.
// bindings  x: f32 [height, width, C]   y: f32 [rows, 2 width, C]   shape
// requires  C = 4 quads; `rows` rows from row `first` of the output are made
// variant   portable, and good enough for real GPUs (memory bound): four channels of a pixel per invocation
// called by src/ops/wgsl/map.rs     CPU twin: host::upsample2 (src/ops/host.rs)
@group(0) @binding(#) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(#) var<storage, read_write> y: array<vec4<f32>>;
struct Shape { height: u32, width: u32, quads: u32, first: u32, rows: u32, across: u32 }
@group(0) @binding(#) var<uniform> shape: Shape;

// Left neighbour and the share of the right one.
fn sample(i: u32, n: u32) -> vec2<f32> {
    let last = n - 1u;
    let span = 2u * n - 1u;
    let left = min(i * last / span, max(last, 1u) - 1u);
    return vec2(f32(left), f32(i * last - left * span) / f32(span));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = id.x + id.y * shape.across;
    let out_width = 2u * shape.width;
    if (at >= shape.rows * out_width * shape.quads) { return; }
    let quad = at % shape.quads;
    let pixel = at / shape.quads;
    let sy = sample(shape.first + pixel / out_width, shape.height);
    let sx = sample(pixel % out_width, shape.width);
    let top = u32(sy.x);
    let left = u32(sx.x);
    let below = min(top + 1u, shape.height - 1u);
    let right = min(left + 1u, shape.width - 1u);
    let a = x[(top * shape.width + left) * shape.quads + quad];
    let b = x[(top * shape.width + right) * shape.quads + quad];
    let c = x[(below * shape.width + left) * shape.quads + quad];
    let d = x[(below * shape.width + right) * shape.quads + quad];
    let l = a + (c - a) * sy.y;
    let r = b + (d - b) * sy.y;
    y[at] = l + (r - l) * sx.y;
}

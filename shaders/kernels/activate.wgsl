// Points and confidence of a raw map: xyz / d * expm1(d) with d = |xyz|, and 1 + exp(c).
// bindings  raw: f32 [P, 4] (x, y, z, c)   points: f32 [P, 3]   confidence: f32 [P]   shape
// requires  P arbitrary
// variant   portable, and good enough for real GPUs (memory bound)
// called by src/ops/wgsl/map.rs     CPU twin: activate_points (src/model/heads.rs)
@group(0) @binding(#) var<storage, read_write> raw: array<vec4<f32>>;
@group(0) @binding(#) var<storage, read_write> points: array<f32>;
@group(0) @binding(#) var<storage, read_write> confidence: array<f32>;
struct Shape { pixels: u32, across: u32 }
@group(0) @binding(#) var<uniform> shape: Shape;

// expm1(d) / d for d >= 0; the difference of exp and 1 loses near zero, where the series is short.
fn growth(d: f32) -> f32 {
    if (d > 0.5) { return (exp(d) - 1.0) / d; }
    var s = 1.0 + d / 8.0;
    s = 1.0 + d / 7.0 * s;
    s = 1.0 + d / 6.0 * s;
    s = 1.0 + d / 5.0 * s;
    s = 1.0 + d / 4.0 * s;
    s = 1.0 + d / 3.0 * s;
    return 1.0 + d / 2.0 * s;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let pixel = id.x + id.y * shape.across;
    if (pixel >= shape.pixels) { return; }
    let v = raw[pixel];
    let p = v.xyz * growth(sqrt(dot(v.xyz, v.xyz)));
    points[pixel * 3u] = p.x;
    points[pixel * 3u + 1u] = p.y;
    points[pixel * 3u + 2u] = p.z;
    confidence[pixel] = 1.0 + exp(v.w);
}

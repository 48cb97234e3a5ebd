// What both variants of the linear map begin with: bindings, the place of a convolution's input, GELU, unpacking.
// bindings  x: f32 [T, K]   w: f32 [N, K], int8 [N, K / 4 words] or int4 [N, K / 8 words]   scale: f32 [N, K / 32]
//           bias: f32 [N]   residual: f32 [T, N]   y: f32 [T, N]   shape
//           CONV: x is a map [height, width, K] and every tap of the kernel a linear map of shifted pixels,
//           w: f32 [N, kernel, kernel, K]   RELU: negative inputs count as zero
// requires  `Real`, in which sums are finished: f32 or vec4<f32>
// called by src/ops/wgsl/linear.rs, before linear.wgsl or linear_tiled.wgsl     CPU twin: Linear on the CPU (src/ops/mod.rs)
@group(0) @binding(#) var<storage, read_write> x: array<vec4<f32>>;
@group(0) @binding(#) var<storage, read_write> w: array<vec4<u32>>;
//#if PACKED
@group(0) @binding(#) var<storage, read_write> scale: array<f32>;
//#end
//#if BIAS
@group(0) @binding(#) var<storage, read_write> bias: array<f32>;
//#end
//#if RESIDUAL
@group(0) @binding(#) var<storage, read_write> residual: array<f32>;
//#end
@group(0) @binding(#) var<storage, read_write> y: array<f32>;
struct Shape {
    tokens: u32, inputs: u32, outputs: u32,
//#if CONV
    // Of the input map; then of the output; `top`: first input row that is there, `first`: first output row.
    height: u32, width: u32, out_width: u32, stride: u32, kernel: u32, top: u32, first: u32,
//#end
}
@group(0) @binding(#) var<uniform> shape: Shape;

//#if CONV
// Where the input of one tap of output pixel `t` lies, in quads; outside the map: no place, and zero for the value.
fn place(t: u32, tap: u32) -> vec2<u32> {
    let pad = i32(shape.kernel / 2u);
    let y = i32((shape.first + t / shape.out_width) * shape.stride + tap / shape.kernel) - pad;
    let x = i32((t % shape.out_width) * shape.stride + tap % shape.kernel) - pad;
    if (y < 0 || x < 0 || y >= i32(shape.height) || x >= i32(shape.width)) { return vec2(0u, 0u); }
    return vec2(((u32(y) - shape.top) * shape.width + u32(x)) * (shape.inputs / 4u), 1u);
}
//#end

//#if GELU
// Exact to 2e-7, as on the CPU.
fn gelu(v: Real) -> Real {
    let x = clamp(v * 0.70710678, Real(-4.0), Real(4.0));
    let z = x * x;
    var p = z * -2.7261423e-10 + 2.7706814e-8;
    p = p * z - 2.1010241e-6;
    p = p * z - 5.6925063e-5;
    p = p * z - 7.349906e-4;
    p = p * z - 2.9546e-3;
    p = p * z - 1.6096034e-2;
    var q = z * -1.4566072e-5 - 2.1337402e-4;
    q = q * z - 1.682827e-3;
    q = q * z - 7.373329e-3;
    q = q * z - 1.4264739e-2;
    return 0.5 * v * (1.0 + x * p / q);
}
//#end

//#if INT8
fn unpack(word: u32) -> vec4<f32> {
    return vec4<f32>(bitcast<vec4<i32>>(vec4(word) << vec4(24u, 16u, 8u, 0u)) >> vec4(24u));
}
//#end
//#if INT4
fn unpack(word: u32, low: u32) -> vec4<f32> {
    return vec4<f32>(bitcast<vec4<i32>>((vec4(word >> low) >> vec4(0u, 4u, 8u, 12u)) & vec4(15u))) - 8.0;
}
//#end

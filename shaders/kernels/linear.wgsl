// Linear map of tokens, weights dense or packed: y[t, n] = bias[n] + sum_k x[t, k] * w[n, k], then GELU or
// + residual[t, n] where asked.
// bindings  x: f32 [T, K]   w: f32 [N, K], int8 [N, K / 4 words] or int4 [N, K / 8 words]   scale: f32 [N, K / 32]
//           bias: f32 [N]   residual: f32 [T, N]   y: f32 [T, N]   shape
//           CONV: x is a map [height, width, K] and every tap of the kernel a linear map of shifted pixels,
//           w: f32 [N, kernel, kernel, K]   RELU: negative inputs count as zero
// requires  K % 4 == 0; packed: K % 32 == 0; T, N arbitrary (edges are computed twice and stored once)
// variant   portable: ROWS tokens x 4 outputs per invocation, no barriers; packed weights are unpacked in registers
// called by src/ops/wgsl/linear.rs     CPU twin: Linear on the CPU (src/ops/mod.rs)
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
fn gelu(v: vec4<f32>) -> vec4<f32> {
    let x = clamp(v * 0.70710678, vec4(-4.0), vec4(4.0));
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

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let column = id.x * 4u;
    if (column >= shape.outputs) { return; }
    let row = id.y * $ROWSu;
    let quads = shape.inputs / 4u;
    let last_row = shape.tokens - 1u;
    let last_column = shape.outputs - 1u;
//#for r in ROWS
    let x$r = min(row + $ru, last_row) * quads;
    var sum$r = vec4<f32>(0.0);
//#end
//#for c in 4
    let n$c = min(column + $cu, last_column);
//#end
//#if PACKED
    let blocks = shape.inputs / 32u;
    for (var b = 0u; b < blocks; b++) {
//#for r in ROWS
        var part$r = vec4<f32>(0.0);
//#end
//#if INT8
//#for h in 2
        {
//#for c in 4
            let q$c = w[(n$c * blocks + b) * 2u + $hu];
//#end
//#for j in 4
            {
                let k = b * 8u + $hu * 4u + $ju;
//#for c in 4
                let w$c = unpack(q$c[$j]);
//#end
//#for r in ROWS
                { let v = x[x$r + k]; part$r += vec4(dot(v, w0), dot(v, w1), dot(v, w2), dot(v, w3)); }
//#end
            }
//#end
        }
//#end
//#else
//#for c in 4
        let q$c = w[n$c * blocks + b];
//#end
//#for j in 4
//#for h in 2
        {
            let k = b * 8u + $ju * 2u + $hu;
//#for c in 4
            let w$c = unpack(q$c[$j], 16u * $hu);
//#end
//#for r in ROWS
            { let v = x[x$r + k]; part$r += vec4(dot(v, w0), dot(v, w1), dot(v, w2), dot(v, w3)); }
//#end
        }
//#end
//#end
//#end
        let s = vec4(scale[n0 * blocks + b], scale[n1 * blocks + b], scale[n2 * blocks + b], scale[n3 * blocks + b]);
//#for r in ROWS
        sum$r += part$r * s;
//#end
    }
//#else
//#if CONV
    let taps = shape.kernel * shape.kernel;
    for (var tap = 0u; tap < taps; tap++) {
//#for r in ROWS
        let place$r = place(min(row + $ru, last_row), tap);
        let here$r = f32(place$r.y);
//#end
        for (var k = 0u; k < quads; k++) {
//#for c in 4
            let w$c = bitcast<vec4<f32>>(w[(n$c * taps + tap) * quads + k]);
//#end
//#for r in ROWS
            {
//#if RELU
                let v = max(x[place$r.x + k], vec4(0.0)) * here$r;
//#else
                let v = x[place$r.x + k] * here$r;
//#end
                sum$r += vec4(dot(v, w0), dot(v, w1), dot(v, w2), dot(v, w3));
            }
//#end
        }
    }
//#else
    for (var k = 0u; k < quads; k++) {
//#for c in 4
        let w$c = bitcast<vec4<f32>>(w[n$c * quads + k]);
//#end
//#for r in ROWS
        {
//#if RELU
            let v = max(x[x$r + k], vec4(0.0));
//#else
            let v = x[x$r + k];
//#end
            sum$r += vec4(dot(v, w0), dot(v, w1), dot(v, w2), dot(v, w3));
        }
//#end
    }
//#end
//#end
//#if BIAS
    let b = vec4(bias[n0], bias[n1], bias[n2], bias[n3]);
//#end
//#for r in ROWS
    if (row + $ru < shape.tokens) {
        var v = sum$r;
//#if BIAS
        v += b;
//#end
//#if GELU
        v = gelu(v);
//#end
        let at = (row + $ru) * shape.outputs + column;
//#for c in 4
        if (column + $cu < shape.outputs) {
//#if RESIDUAL
            y[at + $cu] = v[$c] + residual[at + $cu];
//#else
            y[at + $cu] = v[$c];
//#end
        }
//#end
    }
//#end
}

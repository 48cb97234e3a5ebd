// Linear map of tokens, weights dense or packed: y[t, n] = bias[n] + sum_k x[t, k] * w[n, k], then GELU or
// + residual[t, n] where asked.
// bindings  those of linear_head.wgsl, which stands before this text
// requires  K % 4 == 0; packed: K % 32 == 0; T, N arbitrary (edges masked)
// variant   tiled: a workgroup of 8 x 8 makes 32 tokens x 64 outputs, 4 x 8 per invocation, in steps of 32 inputs
//           (one block of packed weights, unpacked on the way into workgroup memory; 13.8 KiB of it)
// called by src/ops/wgsl/linear.rs     CPU twin: Linear on the CPU (src/ops/mod.rs)
alias Real = f32;

// Rows of 8 quads and one of padding, so that neighbouring rows lie in different banks.
var<workgroup> tokens_tile: array<vec4<f32>, 288>;
var<workgroup> weights_tile: array<vec4<f32>, 576>;

@compute @workgroup_size(8, 8)
fn main(
    @builtin(workgroup_id) group: vec3<u32>,
    @builtin(local_invocation_id) local: vec3<u32>,
    @builtin(local_invocation_index) index: u32,
) {
    let row = group.y * 32u;
    let column = group.x * 64u;
    let quads = shape.inputs / 4u;
    let last_row = shape.tokens - 1u;
    let last_column = shape.outputs - 1u;
//#for r in 4
    var sum$r_0 = vec4<f32>(0.0);
    var sum$r_1 = vec4<f32>(0.0);
//#end
    let steps = (quads + 7u) / 8u;
//#if CONV
    let taps = shape.kernel * shape.kernel;
    for (var tap = 0u; tap < taps; tap++) {
//#else
    {
//#end
    for (var step = 0u; step < steps; step++) {
        // 256 quads of tokens: 4 per invocation.
//#for i in 4
        {
            let at = index + $iu * 64u;
            let k = step * 8u + at % 8u;
            let t = min(row + at / 8u, last_row);
            var v = vec4<f32>(0.0);
//#if CONV
            let at_tap = place(t, tap);
            if (k < quads && at_tap.y != 0u) { v = x[at_tap.x + k]; }
//#else
            if (k < quads) { v = x[t * quads + k]; }
//#end
//#if RELU
            v = max(v, vec4(0.0));
//#end
            tokens_tile[(at / 8u) * 9u + at % 8u] = v;
        }
//#end
//#if INT8
        // 64 rows of 2 x 16 values: 2 per invocation.
//#for i in 2
        {
            let at = index + $iu * 64u;
            let n = min(column + at / 2u, last_column);
            let q = w[(n * steps + step) * 2u + at % 2u];
            let s = scale[n * steps + step];
            let to = (at / 2u) * 9u + (at % 2u) * 4u;
//#for j in 4
            weights_tile[to + $ju] = unpack(q[$j]) * s;
//#end
        }
//#end
//#end
//#if INT4
        // 64 rows of 32 values: 1 per invocation.
        {
            let n = min(column + index, last_column);
            let q = w[n * steps + step];
            let s = scale[n * steps + step];
//#for j in 4
            weights_tile[index * 9u + $ju * 2u] = unpack(q[$j], 0u) * s;
            weights_tile[index * 9u + $ju * 2u + 1u] = unpack(q[$j], 16u) * s;
//#end
        }
//#end
//#if DENSE
//#for i in 8
        {
            let at = index + $iu * 64u;
            let k = step * 8u + at % 8u;
            let n = min(column + at / 8u, last_column);
            var v = vec4<f32>(0.0);
//#if CONV
            if (k < quads) { v = bitcast<vec4<f32>>(w[(n * taps + tap) * quads + k]); }
//#else
            if (k < quads) { v = bitcast<vec4<f32>>(w[n * quads + k]); }
//#end
            weights_tile[(at / 8u) * 9u + at % 8u] = v;
        }
//#end
//#end
        workgroupBarrier();
        for (var k = 0u; k < 8u; k++) {
//#for c in 8
            let w$c = weights_tile[(local.x + $cu * 8u) * 9u + k];
//#end
//#for r in 4
            {
                let v = tokens_tile[(local.y * 4u + $ru) * 9u + k];
                sum$r_0 += vec4(dot(v, w0), dot(v, w1), dot(v, w2), dot(v, w3));
                sum$r_1 += vec4(dot(v, w4), dot(v, w5), dot(v, w6), dot(v, w7));
            }
//#end
        }
        workgroupBarrier();
    }
    }
//#for r in 4
//#for h in 2
//#for c in 4
    {
        let t = row + local.y * 4u + $ru;
        let n = column + local.x + ($hu * 4u + $cu) * 8u;
        if (t < shape.tokens && n < shape.outputs) {
            var v = sum$r_$h[$c];
//#if BIAS
            v += bias[n];
//#end
//#if GELU
            v = gelu(v);
//#end
//#if RESIDUAL
            v += residual[t * shape.outputs + n];
//#end
            y[t * shape.outputs + n] = v;
        }
    }
//#end
//#end
//#end
}

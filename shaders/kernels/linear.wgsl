// Linear map of tokens, weights dense or packed: y[t, n] = bias[n] + sum_k x[t, k] * w[n, k], then GELU or
// + residual[t, n] where asked.
// bindings  those of linear_head.wgsl, which stands before this text
// requires  K % 4 == 0; packed: K % 32 == 0; T, N arbitrary (edges are computed twice and stored once)
// variant   portable: ROWS tokens x 4 outputs per invocation, no barriers; packed weights are unpacked in registers
// called by src/ops/wgsl/linear.rs     CPU twin: Linear on the CPU (src/ops/mod.rs)
alias Real = vec4<f32>;

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

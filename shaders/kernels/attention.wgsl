// Attention with online softmax: out[t, h] = softmax(q[t, h] . k[., h] * scale) v[., h]; no scores in memory.
// bindings  those of attention_head.wgsl, which stands before this text
// requires  d = 4 QUADS; T, S at least 1 (edges masked)
// variant   portable: 4 queries (2 of wide heads) of one head per invocation, 4 keys at a time, no barriers
// called by src/ops/wgsl/attention.rs     CPU twin: attend on the CPU (src/ops/attention.rs)
@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let head = id.y;
    let first = id.x * $ROWSu;
    if (first >= shape.queries) { return; }
//#for r in ROWS
    let of_query$r = min(first + $ru, shape.queries - 1u);
    let q$r = of_query$r * shape.q_row + head * $QUADSu;
    var top$r = -3.0e38;
    var sum$r = 0.0;
//#for i in QUADS
    var a$r_$i = vec4<f32>(0.0);
//#end
//#end
    for (var key = 0u; key < shape.keys; key += 4u) {
//#for c in 4
        let token$c = min(key + $cu, shape.keys - 1u);
        let row$c = token$c * shape.k_row + head * $QUADSu;
//#end
//#for r in ROWS
        var s$r = vec4<f32>(0.0);
//#end
        for (var i = 0u; i < $QUADSu; i++) {
//#for c in 4
            let k$c = key_quad(row$c + shape.k_at, i, token$c);
//#end
//#for r in ROWS
            { let x = query_quad(q$r, i, of_query$r); s$r += vec4(dot(x, k0), dot(x, k1), dot(x, k2), dot(x, k3)); }
//#end
        }
        let real = vec4(key, key + 1u, key + 2u, key + 3u) < vec4(shape.keys);
//#for r in ROWS
        s$r = select(vec4(-3.0e38), s$r * shape.scale, real);
        let next$r = max(top$r, max(max(s$r.x, s$r.y), max(s$r.z, s$r.w)));
        let keep$r = exp(top$r - next$r);
        let p$r = select(vec4(0.0), exp(s$r - next$r), real);
        top$r = next$r;
        sum$r = sum$r * keep$r + (p$r.x + p$r.y) + (p$r.z + p$r.w);
//#end
//#for i in QUADS
        {
//#for c in 4
            let v$c = load_v(row$c + shape.v_at + $iu);
//#end
//#for r in ROWS
            a$r_$i = a$r_$i * keep$r + v0 * p$r.x + v1 * p$r.y + v2 * p$r.z + v3 * p$r.w;
//#end
        }
//#end
    }
//#for r in ROWS
    if (first + $ru < shape.queries) {
        let to = ((first + $ru) * shape.heads + head) * $QUADSu;
        let share = 1.0 / sum$r;
//#for i in QUADS
        out[to + $iu] = a$r_$i * share;
//#end
    }
//#end
}

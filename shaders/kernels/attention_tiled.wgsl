// Attention with online softmax: out[t, h] = softmax(q[t, h] . k[., h] * scale) v[., h]; no scores in memory.
// bindings  those of attention_head.wgsl, which stands before this text
// requires  d = 4 QUADS; T, S at least 1 (edges masked)
// variant   tiled: 64 queries of one head per workgroup, KEYS keys and values at a time in workgroup memory (at most
//           16 KiB), every invocation keeps one query and its sum in registers
// called by src/ops/wgsl/attention.rs     CPU twin: attend on the CPU (src/ops/attention.rs)
var<workgroup> tile_k: array<vec4<f32>, $TILE>;
var<workgroup> tile_v: array<vec4<f32>, $TILE>;

@compute @workgroup_size(64)
fn main(@builtin(workgroup_id) group: vec3<u32>, @builtin(local_invocation_index) index: u32) {
    let head = group.y;
    let query = group.x * 64u + index;
    let of_query = min(query, shape.queries - 1u);
    let from_q = of_query * shape.q_row + head * $QUADSu;
//#for i in QUADS
    let q$i = query_quad(from_q, $iu, of_query) * shape.scale;
    var a$i = vec4<f32>(0.0);
//#end
    var top = -3.0e38;
    var sum = 0.0;
    for (var start = 0u; start < shape.keys; start += $KEYSu) {
        workgroupBarrier();
        for (var at = index; at < $TILEu; at += 64u) {
            let token = min(start + at / $QUADSu, shape.keys - 1u);
            let row = token * shape.k_row + head * $QUADSu;
            tile_k[at] = key_quad(row + shape.k_at, at % $QUADSu, token);
            tile_v[at] = load_v(row + shape.v_at + at % $QUADSu);
        }
        workgroupBarrier();
        let count = min($KEYSu, shape.keys - start);
        for (var key = 0u; key < count; key += 4u) {
            var s = vec4<f32>(0.0);
            let at = key * $QUADSu;
//#for i in QUADS
            s += vec4(
                dot(q$i, tile_k[at + $iu]),
                dot(q$i, tile_k[at + $QUADSu + $iu]),
                dot(q$i, tile_k[at + 2u * $QUADSu + $iu]),
                dot(q$i, tile_k[at + 3u * $QUADSu + $iu]),
            );
//#end
            let real = vec4(key, key + 1u, key + 2u, key + 3u) < vec4(count);
            s = select(vec4(-3.0e38), s, real);
            let next = max(top, max(max(s.x, s.y), max(s.z, s.w)));
            let keep = exp(top - next);
            let p = select(vec4(0.0), exp(s - next), real);
            top = next;
            sum = sum * keep + (p.x + p.y) + (p.z + p.w);
//#for i in QUADS
            a$i = a$i * keep + tile_v[at + $iu] * p.x + tile_v[at + $QUADSu + $iu] * p.y
                + tile_v[at + 2u * $QUADSu + $iu] * p.z + tile_v[at + 3u * $QUADSu + $iu] * p.w;
//#end
        }
    }
    if (query < shape.queries) {
        let to = (query * shape.heads + head) * $QUADSu;
        let share = 1.0 / sum;
//#for i in QUADS
        out[to + $iu] = a$i * share;
//#end
    }
}

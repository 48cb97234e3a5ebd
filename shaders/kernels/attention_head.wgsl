// What both variants of attention begin with: bindings, where queries, keys and values lie, and the rotary embedding.
// bindings  qkv: f32 [T, 3 heads d], or q: f32 [T, heads d], k, v: f32 [S, heads d]   out: f32 [T, heads d]   shape
//           TURN_Q, TURN_K: table(s): f32 [T or S, d] pairs (cos, signed sin); one for both where the stream is one;
//           TURNED: partner: u32 [d]   HALF: rounded to half precision before and after
// requires  d = 4 QUADS
// called by src/ops/wgsl/attention.rs, before attention.wgsl or attention_tiled.wgsl
// CPU twin: attend and Rotary::apply on the CPU (src/ops/attention.rs, src/ops/rotary.rs)
//#if SELF
@group(0) @binding(#) var<storage, read_write> qkv: array<vec4<f32>>;
fn load_q(i: u32) -> vec4<f32> { return qkv[i]; }
fn load_k(i: u32) -> vec4<f32> { return qkv[i]; }
fn load_v(i: u32) -> vec4<f32> { return qkv[i]; }
//#if TURNED
@group(0) @binding(#) var<storage, read_write> table: array<vec4<f32>>;
fn turn_q(i: u32) -> vec4<f32> { return table[i]; }
fn turn_k(i: u32) -> vec4<f32> { return table[i]; }
//#end
//#else
@group(0) @binding(#) var<storage, read_write> q: array<vec4<f32>>;
@group(0) @binding(#) var<storage, read_write> k: array<vec4<f32>>;
@group(0) @binding(#) var<storage, read_write> v: array<vec4<f32>>;
fn load_q(i: u32) -> vec4<f32> { return q[i]; }
fn load_k(i: u32) -> vec4<f32> { return k[i]; }
fn load_v(i: u32) -> vec4<f32> { return v[i]; }
//#if TURN_Q
@group(0) @binding(#) var<storage, read_write> table_q: array<vec4<f32>>;
fn turn_q(i: u32) -> vec4<f32> { return table_q[i]; }
//#end
//#if TURN_K
@group(0) @binding(#) var<storage, read_write> table_k: array<vec4<f32>>;
fn turn_k(i: u32) -> vec4<f32> { return table_k[i]; }
//#end
//#end
//#if TURNED
@group(0) @binding(#) var<storage, read_write> partner: array<u32>;

fn rounded(v: vec4<f32>) -> vec4<f32> {
//#if HALF
    return vec4(unpack2x16float(pack2x16float(v.xy)), unpack2x16float(pack2x16float(v.zw)));
//#else
    return v;
//#end
}

// `own` turned with its partners; `a` and `b` hold two pairs (cos, sin) each.
fn turned(own: vec4<f32>, other: vec4<f32>, a: vec4<f32>, b: vec4<f32>) -> vec4<f32> {
    let sum = rounded(own) * vec4(a.x, a.z, b.x, b.z) + rounded(other) * vec4(a.y, a.w, b.y, b.w);
    return rounded(sum);
}
//#end

// Quad `i` of the head of a query that begins at quad `head`, turned by the place of its token.
fn query_quad(head: u32, i: u32, token: u32) -> vec4<f32> {
//#if TURN_Q
    let at = (token * $QUADSu + i) * 2u;
    var other: vec4<f32>;
//#for c in 4
    { let j = partner[i * 4u + $cu]; other[$c] = load_q(head + j / 4u)[j % 4u]; }
//#end
    return turned(load_q(head + i), other, turn_q(at), turn_q(at + 1u));
//#else
    return load_q(head + i);
//#end
}

// The same of a key.
fn key_quad(head: u32, i: u32, token: u32) -> vec4<f32> {
//#if TURN_K
    let at = (token * $QUADSu + i) * 2u;
    var other: vec4<f32>;
//#for c in 4
    { let j = partner[i * 4u + $cu]; other[$c] = load_k(head + j / 4u)[j % 4u]; }
//#end
    return turned(load_k(head + i), other, turn_k(at), turn_k(at + 1u));
//#else
    return load_k(head + i);
//#end
}

@group(0) @binding(#) var<storage, read_write> out: array<vec4<f32>>;
// Rows and first columns in quads.
struct Shape {
    queries: u32, keys: u32, heads: u32, scale: f32,
    q_row: u32, k_row: u32, k_at: u32, v_at: u32,
}
@group(0) @binding(#) var<uniform> shape: Shape;

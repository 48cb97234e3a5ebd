// What both variants of attention begin with: bindings, and where queries, keys and values lie.
// bindings  qkv: f32 [T, 3 heads d], or q: f32 [T, heads d], k, v: f32 [S, heads d]   out: f32 [T, heads d]   shape
// called by src/ops/wgsl/attention.rs, before attention.wgsl or attention_tiled.wgsl
//#if SELF
@group(0) @binding(#) var<storage, read_write> qkv: array<vec4<f32>>;
fn load_q(i: u32) -> vec4<f32> { return qkv[i]; }
fn load_k(i: u32) -> vec4<f32> { return qkv[i]; }
fn load_v(i: u32) -> vec4<f32> { return qkv[i]; }
//#else
@group(0) @binding(#) var<storage, read_write> q: array<vec4<f32>>;
@group(0) @binding(#) var<storage, read_write> k: array<vec4<f32>>;
@group(0) @binding(#) var<storage, read_write> v: array<vec4<f32>>;
fn load_q(i: u32) -> vec4<f32> { return q[i]; }
fn load_k(i: u32) -> vec4<f32> { return k[i]; }
fn load_v(i: u32) -> vec4<f32> { return v[i]; }
//#end
@group(0) @binding(#) var<storage, read_write> out: array<vec4<f32>>;
// Rows and first columns in quads.
struct Shape {
    queries: u32, keys: u32, heads: u32, scale: f32,
    q_row: u32, k_row: u32, k_at: u32, v_at: u32,
}
@group(0) @binding(#) var<uniform> shape: Shape;

// The pointers that stay, moved together in their order, and the number of those that went.
// bindings  rows: u32 [R, 5]   stays: u32 [R]   status: u32 [16]   out: u32 [cap, 5]   kept: u32 [cap]   shape
//           kept[i] = the row that row i was, or ~0; status[9] = pointers evicted
// requires  at most `cap` rows stay
// variant   portable, and good enough for real GPUs: every row counts those that stay before it
// called by src/ops/wgsl/pointers.rs     CPU twin: survivors (src/memory/cap.rs)
@group(0) @binding(#) var<storage, read_write> rows: array<u32>;
@group(0) @binding(#) var<storage, read_write> stays: array<u32>;
@group(0) @binding(#) var<storage, read_write> status: array<u32>;
@group(0) @binding(#) var<storage, read_write> out: array<u32>;
@group(0) @binding(#) var<storage, read_write> kept: array<u32>;
struct Shape { most: u32, cap: u32 }
@group(0) @binding(#) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.x;
    if (row >= shape.most) { return; }
    let count = min(status[7], shape.most);
    var to = 0u;
    for (var r = 0u; r < row; r++) { to += stays[r]; }
    if (stays[row] != 0u && to < shape.cap) {
        for (var i = 0u; i < 5u; i++) { out[to * 5u + i] = rows[row * 5u + i]; }
        kept[to] = row;
    }
    // Places that nobody takes; the row with their number says so.
    let staying = min(count, shape.cap);
    if (row >= staying && row < shape.cap) { kept[row] = 0xffffffffu; }
    if (row == 0u) { status[9] = count - staying; }
}

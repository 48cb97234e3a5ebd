// Which pointers stay: all but the `count - cap` with the smallest keys; of equal keys the lower row goes.
// bindings  keys: u32 [R]   status: u32 [16], pointers in word 7   stays: u32 [R], 1 or 0   shape
// requires  R at least 1
// variant   portable, and good enough for real GPUs: every row counts the keys below its own
// called by src/ops/wgsl/pointers.rs     CPU twin: survivors (src/memory/cap.rs)
@group(0) @binding(#) var<storage, read_write> keys: array<u32>;
@group(0) @binding(#) var<storage, read_write> status: array<u32>;
@group(0) @binding(#) var<storage, read_write> stays: array<u32>;
struct Shape { most: u32, cap: u32 }
@group(0) @binding(#) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.x;
    if (row >= shape.most) { return; }
    let count = min(status[7], shape.most);
    if (row >= count) {
        stays[row] = 0u;
        return;
    }
    let excess = count - min(count, shape.cap);
    let key = keys[row];
    var before = 0u;
    for (var r = 0u; r < count; r++) {
        before += u32(keys[r] < key || (keys[r] == key && r < row));
    }
    stays[row] = u32(before >= excess);
}

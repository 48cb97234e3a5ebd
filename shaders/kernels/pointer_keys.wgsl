// What decides who goes when there are more pointers than the cap allows: smaller keys go first.
// bindings  rows: u32 [R, 5], (x, y, z, born, updated)   status: u32 [16], pointers in word 7   keys: u32 [R]   shape
// requires  R at least 1; rows beyond the number of pointers get no key
// variant   portable, and good enough for real GPUs: one row per invocation. OLDEST: the frame that last hit it;
//           else the squared distance to the nearest pointer of a higher row, whose bits order like the distance
// called by src/ops/wgsl/pointers.rs     CPU twin: survivors (src/memory/cap.rs)
@group(0) @binding(#) var<storage, read_write> rows: array<u32>;
@group(0) @binding(#) var<storage, read_write> status: array<u32>;
@group(0) @binding(#) var<storage, read_write> keys: array<u32>;
struct Shape { most: u32 }
@group(0) @binding(#) var<uniform> shape: Shape;

fn place(r: u32) -> vec3<f32> {
    return bitcast<vec3<f32>>(vec3(rows[r * 5u], rows[r * 5u + 1u], rows[r * 5u + 2u]));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let count = min(status[7], shape.most);
    let row = id.x;
    if (row >= count) { return; }
//#if OLDEST
    keys[row] = rows[row * 5u + 4u];
//#else
    let p = place(row);
    var least = 0x7f800000u;
    for (var r = row + 1u; r < count; r++) {
        let v = p - place(r);
        least = min(least, bitcast<u32>(v.x * v.x + v.y * v.y + v.z * v.z));
    }
    keys[row] = least;
//#end
}

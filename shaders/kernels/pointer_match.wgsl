// The nearest pointer of every patch, and whether it is near enough to take the patch in (spec 4.8).
// bindings  means: f32 [N, 3]   old: u32 [M, 5], rows (x, y, z, born, updated)   found: u32 [N + 1, 2]   shape
//           found[n] = (row of the nearest pointer, top bit: the patch becomes a pointer; bits of the squared distance)
//           found[N] = (bits of the squared diagonal of everything seen, 0)
// requires  N at least 1, M arbitrary (none: every patch becomes a pointer); ties go to the lower row
// variant   portable, and good enough for real GPUs: one patch per invocation. Each walks over all pointers anyway, so
//           each finds the bounding box by itself, exactly, and no barrier is needed
// called by src/ops/wgsl/pointers.rs     CPU twin: decide (src/memory/host.rs)
@group(0) @binding(#) var<storage, read_write> means: array<f32>;
@group(0) @binding(#) var<storage, read_write> old: array<u32>;
@group(0) @binding(#) var<storage, read_write> found: array<u32>;
// `squared_unit`: the diagonal is divided by the unit to make the threshold; 0 `merging`: every patch is appended.
struct Shape { patches: u32, pointers: u32, squared_unit: f32, merging: u32 }
@group(0) @binding(#) var<uniform> shape: Shape;

fn patch_mean(n: u32) -> vec3<f32> {
    return vec3(means[n * 3u], means[n * 3u + 1u], means[n * 3u + 2u]);
}

fn pointer(m: u32) -> vec3<f32> {
    return bitcast<vec3<f32>>(vec3(old[m * 5u], old[m * 5u + 1u], old[m * 5u + 2u]));
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let n = id.x;
    if (n >= shape.patches) { return; }
    let p = patch_mean(n);
    var low = p;
    var high = p;
    var best = 0u;
    var least = 3.0e38;
    for (var m = 0u; m < shape.pointers; m++) {
        let q = pointer(m);
        low = min(low, q);
        high = max(high, q);
        let v = p - q;
        let d = v.x * v.x + v.y * v.y + v.z * v.z;
        if (d < least) {
            least = d;
            best = m;
        }
    }
    for (var i = 0u; i < shape.patches; i++) {
        low = min(low, patch_mean(i));
        high = max(high, patch_mean(i));
    }
    let span = high - low;
    let diagonal = span.x * span.x + span.y * span.y + span.z * span.z;
    let near = shape.merging != 0u && shape.pointers > 0u && least * shape.squared_unit < diagonal;
    found[n * 2u] = best | select(0x80000000u, 0u, near);
    found[n * 2u + 1u] = bitcast<u32>(least);
    if (n == 0u) {
        found[shape.patches * 2u] = bitcast<u32>(diagonal);
        found[shape.patches * 2u + 1u] = 0u;
    }
}

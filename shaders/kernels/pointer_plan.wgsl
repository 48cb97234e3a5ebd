// Pointers after a frame: a pointer that patches were merged into takes their mean, in patch order; patches that became
// pointers follow in patch order. Also the frame's one readback: pose, counts, and whether all numbers are finite.
// bindings  found: u32 [N + 1, 2] (pointer_match.wgsl)   means: f32 [N, 3]   old: u32 [M, 5]   pose: f32 [7]
//           rows: u32 [M + N, 5], (x, y, z, born, updated)   plan: u32 [M + N, 2], then [N]   status: u32 [16]
//           plan[r] = (row of old, 0), (first patch, how many) or (~0, 0): no such row; then the next patch of the same
//           pointer, or ~0
//           status = pose, pointers, appended, evicted (0 here), 1 if all is finite, stamp of the frame
// requires  N at least 1, M arbitrary
// variant   portable, and good enough for real GPUs: one row per invocation, no atomics, so the order is always the same
// called by src/ops/wgsl/pointers.rs     CPU twin: Plan (src/memory/host.rs)
@group(0) @binding(#) var<storage, read_write> found: array<u32>;
@group(0) @binding(#) var<storage, read_write> means: array<f32>;
@group(0) @binding(#) var<storage, read_write> old: array<u32>;
@group(0) @binding(#) var<storage, read_write> pose: array<u32>;
@group(0) @binding(#) var<storage, read_write> rows: array<u32>;
@group(0) @binding(#) var<storage, read_write> plan: array<u32>;
@group(0) @binding(#) var<storage, read_write> status: array<u32>;
struct Shape { patches: u32, pointers: u32, frame: u32, stamp: u32 }
@group(0) @binding(#) var<uniform> shape: Shape;

const NONE = 0xffffffffu;

fn patch_mean(n: u32) -> vec3<f32> {
    return vec3(means[n * 3u], means[n * 3u + 1u], means[n * 3u + 2u]);
}

// Compilers may assume that numbers are finite; bits they cannot argue about.
fn is_finite(bits: u32) -> bool {
    return (bits & 0x7f800000u) != 0x7f800000u;
}

fn report(appended: u32) {
    var finite = true;
    for (var i = 0u; i < 7u; i++) {
        status[i] = pose[i];
        finite = finite && is_finite(pose[i]);
    }
    for (var i = 0u; i < shape.patches * 3u; i++) { finite = finite && is_finite(bitcast<u32>(means[i])); }
    status[7] = shape.pointers + appended;
    status[8] = appended;
    status[9] = 0u;
    status[10] = select(0u, 1u, finite);
    status[11] = shape.stamp;
}

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let row = id.x;
    if (row >= shape.pointers + shape.patches) { return; }
    let kept = row < shape.pointers;
    var first = NONE;
    var count = 0u;
    var appended = 0u;
    var sum = vec3<f32>(0.0);
    for (var n = 0u; n < shape.patches; n++) {
        let to = found[n * 2u];
        let own = to >= 0x80000000u;
        if (select(!own && to == row, own && appended == row - shape.pointers, !kept)) {
            if (count == 0u) { first = n; }
            count++;
            sum += patch_mean(n);
        }
        appended += u32(own);
    }
    plan[row * 2u] = select(first, row, kept && count == 0u);
    plan[row * 2u + 1u] = count;
    if (count > 0u) {
        let mean = bitcast<vec3<u32>>(sum / f32(count));
        rows[row * 5u] = mean.x;
        rows[row * 5u + 1u] = mean.y;
        rows[row * 5u + 2u] = mean.z;
        if (kept) { rows[row * 5u + 3u] = old[row * 5u + 3u]; } else { rows[row * 5u + 3u] = shape.frame; }
        rows[row * 5u + 4u] = shape.frame;
    } else if (kept) {
        for (var i = 0u; i < 5u; i++) { rows[row * 5u + i] = old[row * 5u + i]; }
    }
    if (row < shape.patches) {
        let to = found[row * 2u];
        var next = NONE;
        if (to < 0x80000000u) {
            for (var n = row + 1u; n < shape.patches; n++) {
                if (found[n * 2u] == to) {
                    next = n;
                    break;
                }
            }
        }
        plan[(shape.pointers + shape.patches) * 2u + row] = next;
    }
    if (row == 0u) { report(appended); }
}

// The mean point of every patch of a map, summed row by row.
// bindings  x: f32 [height, width, 3]   means: f32 [N, 3]   shape
// requires  height and width multiples of `side`
// variant   portable, and good enough for real GPUs: one coordinate of a patch per invocation
// called by src/ops/wgsl/patches.rs     CPU twin: patch_means (src/ops/patches.rs)
@group(0) @binding(#) var<storage, read_write> x: array<f32>;
@group(0) @binding(#) var<storage, read_write> means: array<f32>;
struct Shape { patches: u32, columns: u32, side: u32 }
@group(0) @binding(#) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    if (id.x >= shape.patches * 3u) { return; }
    let tile = id.x / 3u;
    let width = shape.columns * shape.side;
    let corner = tile / shape.columns * shape.side * width + tile % shape.columns * shape.side;
    var sum = 0.0;
    for (var i = 0u; i < shape.side; i++) {
        var of_row = 0.0;
        for (var j = 0u; j < shape.side; j++) {
            of_row += x[(corner + i * width + j) * 3u + id.x % 3u];
        }
        sum += of_row;
    }
    means[id.x] = sum / f32(shape.side * shape.side);
}

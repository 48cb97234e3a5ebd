// A map of pixels cut into flattened square patches, channel by channel: y[n, c, i, j] = x[row + i, column + j, c].
// bindings  x: f32 [height, width, 3], or with IMAGE 8-bit values, four to a word, made -1 to 1
//           y: f32 [N, 3, side, side]   shape
// requires  height and width multiples of `side`
// variant   portable, and good enough for real GPUs (memory bound): one value per invocation
// called by src/ops/wgsl/patches.rs     CPU twins: patches_of_map, image_patches (src/ops/patches.rs)
//#if IMAGE
@group(0) @binding(#) var<storage, read_write> x: array<u32>;
fn value(i: u32) -> f32 { return (f32((x[i / 4u] >> (8u * (i % 4u))) & 255u) / 255.0 - 0.5) / 0.5; }
//#else
@group(0) @binding(#) var<storage, read_write> x: array<f32>;
fn value(i: u32) -> f32 { return x[i]; }
//#end
@group(0) @binding(#) var<storage, read_write> y: array<f32>;
struct Shape { values: u32, columns: u32, side: u32, across: u32 }
@group(0) @binding(#) var<uniform> shape: Shape;

@compute @workgroup_size(64)
fn main(@builtin(global_invocation_id) id: vec3<u32>) {
    let at = id.x + id.y * shape.across;
    if (at >= shape.values) { return; }
    let area = shape.side * shape.side;
    let inside = at % area;
    let channel = at / area % 3u;
    let tile = at / (area * 3u);
    let row = tile / shape.columns * shape.side + inside / shape.side;
    let column = tile % shape.columns * shape.side + inside % shape.side;
    y[at] = value((row * shape.columns * shape.side + column) * 3u + channel);
}

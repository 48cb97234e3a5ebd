// Eye-dome lighting: darkens a pixel by how much nearer its neighbours are, so that shapes stand out without normals.
// shade     exp(-100 * view.edl * mean over 8 neighbours of max(0, log2(depth / neighbour's depth)))
// bindings  group 0: 0 view: uniform View         group 1: 0 colour: the points drawn   1 depth: theirs, reversed
// draws     3 vertices, one triangle over the whole target; both textures have the target's size
// called by render/eyedome.rs     CPU twin: tests/render.rs::eye_dome (from the depths of known points)

struct View {
    view_projection: mat4x4<f32>,
    viewport: vec2<f32>,      // device pixels
    point_size: f32,
    pivot_distance: f32,
    min_code: u32,
    linear_target: u32,
    near: f32,                // world units
    line_width: f32,          // device pixels
    range: vec2<f32>,
    colour_mode: u32,
    hidden_flags: u32,
    attenuation: u32,
    least_size: f32,
    vividness: f32,
    edl: f32,
    background: vec4<f32>,
}

@group(0) @binding(0) var<uniform> view: View;
@group(1) @binding(0) var colour: texture_2d<f32>;
@group(1) @binding(1) var depth: texture_depth_2d;

const STRENGTH: f32 = 100.0;

@vertex
fn vertex(@builtin(vertex_index) index: u32) -> @builtin(position) vec4<f32> {
    return vec4(f32(index & 1u) * 4.0 - 1.0, f32(index >> 1u) * 4.0 - 1.0, 0.0, 1.0);
}

@fragment
fn fragment(@builtin(position) position: vec4<f32>) -> @location(0) vec4<f32> {
    let at = vec2<i32>(position.xy);
    let last = vec2<i32>(view.viewport) - 1;
    let shown = textureLoad(colour, at, 0);
    let here = textureLoad(depth, at, 0);
    if here == 0.0 { return shown; }
    let reach = max(i32(round(view.line_width * 1.4)), 1);
    var nearer = 0.0;
    for (var y = -1; y <= 1; y++) {
        for (var x = -1; x <= 1; x++) {
            // Reversed depth is near / depth: the ratio of depths is that of the stored values, turned around.
            let there = textureLoad(depth, clamp(at + vec2(x, y) * reach, vec2(0), last), 0);
            if there > here { nearer += log2(there / here); }
        }
    }
    return vec4(shown.rgb * exp(-STRENGTH * view.edl * nearer / 8.0), 1.0);
}

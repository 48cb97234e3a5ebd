// The frames' pictures in their frusta: one quad each, cut from an atlas (6 vertices, no vertex buffer).
// bindings  group 0: 0 view: uniform View         group 1: 0 quads: read Quad [N]   1 atlas: sRGB bytes   2 nearby: sampler
// draws     6 * N vertices, triangle list, depth reversed (1 near, 0 infinity); seen from behind they are mirrored
// called by render/pictures.rs    CPU twin: render/pick.rs::frame_at (where a quad lies on the screen)

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

struct Quad {
    corner: vec3<f32>,        // top left, world
    left: f32,                // atlas coordinates of the picture, 0 to 1
    right: vec3<f32>,         // from there to the top right
    top: f32,
    down: vec3<f32>,          // from there to the bottom left
    width: f32,
    height: f32,
    unused_0: f32,
    unused_1: f32,
    unused_2: f32,
}

@group(0) @binding(0) var<uniform> view: View;
@group(1) @binding(0) var<storage, read> quads: array<Quad>;
@group(1) @binding(1) var atlas: texture_2d<f32>;
@group(1) @binding(2) var nearby: sampler;

struct Spot {
    @builtin(position) clip: vec4<f32>,
    @location(0) at: vec2<f32>,
}

fn to_linear(c: vec3<f32>) -> vec3<f32> {
    return select(pow((c + 0.055) / 1.055, vec3(2.4)), c / 12.92, c <= vec3(0.04045));
}

@vertex
fn vertex(@builtin(vertex_index) index: u32) -> Spot {
    let quad = quads[index / 6u];
    let corner = index % 6u;
    let x = select(0.0, 1.0, corner == 1u || corner == 3u || corner == 4u);
    let y = select(0.0, 1.0, corner == 2u || corner == 4u || corner == 5u);
    var spot: Spot;
    spot.clip = view.view_projection * vec4(quad.corner + x * quad.right + y * quad.down, 1.0);
    spot.at = vec2(quad.left + x * quad.width, quad.top + y * quad.height);
    return spot;
}

@fragment
fn fragment(spot: Spot) -> @location(0) vec4<f32> {
    var srgb = textureSample(atlas, nearby, spot.at).rgb;
    if view.linear_target == 1u { srgb = to_linear(srgb); }
    return vec4(srgb, 1.0);
}

// Pointers: a diamond of constant size on the screen each, with a dark rim (6 vertices, no vertex buffer).
// bindings  group 0: 0 view: uniform View         group 1: 0 glyphs: read Glyph [N]
// draws     6 * N vertices, triangle list, depth reversed (1 near, 0 infinity)
// depth     drawn as if 2 % nearer: a pointer lies among the points of its surface, which must not hide it
// called by render/glyphs.rs      CPU twin: render/camera.rs::project

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

struct Glyph {
    position: vec3<f32>,
    colour: u32,              // r | g << 8 | b << 16 | radius in half CSS pixels << 24
}

@group(0) @binding(0) var<uniform> view: View;
@group(1) @binding(0) var<storage, read> glyphs: array<Glyph>;

struct Diamond {
    @builtin(position) clip: vec4<f32>,
    @location(0) offset: vec2<f32>,           // in radii
    @location(1) @interpolate(flat) colour: vec3<f32>,
}

const NEARER: f32 = 1.02;
const RIM: f32 = 0.68;

fn to_linear(c: vec3<f32>) -> vec3<f32> {
    return select(pow((c + 0.055) / 1.055, vec3(2.4)), c / 12.92, c <= vec3(0.04045));
}

@vertex
fn vertex(@builtin(vertex_index) index: u32) -> Diamond {
    let glyph = glyphs[index / 6u];
    let corner = index % 6u;
    var diamond: Diamond;
    let clip = view.view_projection * vec4(glyph.position, 1.0);
    if clip.w <= view.near * NEARER {
        diamond.clip = vec4(2.0, 2.0, 2.0, 1.0);
        return diamond;
    }
    let right = corner == 1u || corner == 3u || corner == 4u;
    let up = corner == 2u || corner == 4u || corner == 5u;
    let offset = vec2(select(-1.0, 1.0, right), select(-1.0, 1.0, up));
    let radius = f32(glyph.colour >> 24u) * 0.5 * view.line_width;
    diamond.clip = vec4(clip.xy + offset * 2.0 * radius / view.viewport * clip.w, min(clip.z * NEARER, clip.w), clip.w);
    diamond.offset = offset;
    let c = glyph.colour;
    diamond.colour = vec3(f32(c & 255u), f32((c >> 8u) & 255u), f32((c >> 16u) & 255u)) / 255.0;
    return diamond;
}

@fragment
fn fragment(diamond: Diamond) -> @location(0) vec4<f32> {
    let edge = abs(diamond.offset.x) + abs(diamond.offset.y);
    if edge > 1.0 { discard; }
    var srgb = diamond.colour;
    if edge > RIM { srgb *= 0.25; }
    if view.linear_target == 1u { srgb = to_linear(srgb); }
    return vec4(srgb, 1.0);
}

// Camera path and frusta: line segments of constant width on the screen (6 vertices each, no vertex buffer).
// bindings  group 0: 0 view: uniform View         group 1: 0 segments: read Segment [N]
// draws     6 * N vertices, triangle list, depth reversed (1 near, 0 infinity)
// clipping  a segment crossing the near plane is cut there before it is widened
// called by render/lines.rs       CPU twin: render/camera.rs::project (end points)

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

struct Segment {
    start: vec3<f32>,
    colour: u32,              // r | g << 8 | b << 16
    end: vec3<f32>,
    width: f32,               // factor on view.line_width
}

@group(0) @binding(0) var<uniform> view: View;
@group(1) @binding(0) var<storage, read> segments: array<Segment>;

struct Stroke {
    @builtin(position) clip: vec4<f32>,
    @location(0) @interpolate(flat) colour: vec3<f32>,
}

fn to_linear(c: vec3<f32>) -> vec3<f32> {
    return select(pow((c + 0.055) / 1.055, vec3(2.4)), c / 12.92, c <= vec3(0.04045));
}

@vertex
fn vertex(@builtin(vertex_index) index: u32) -> Stroke {
    let segment = segments[index / 6u];
    var a = view.view_projection * vec4(segment.start, 1.0);
    var b = view.view_projection * vec4(segment.end, 1.0);
    var stroke: Stroke;
    if a.w <= view.near && b.w <= view.near {
        stroke.clip = vec4(2.0, 2.0, 2.0, 1.0);
        return stroke;
    }
    if a.w < view.near { a = mix(a, b, (view.near - a.w) / (b.w - a.w)); }
    if b.w < view.near { b = mix(b, a, (view.near - b.w) / (a.w - b.w)); }

    // Corners of the quad: 0 and 1 at `a`, 2 and 3 at `b`; triangles 0 1 2 and 2 1 3.
    let corner = index % 6u;
    let at_b = corner == 2u || corner == 3u || corner == 5u;
    let side = select(-1.0, 1.0, corner == 1u || corner == 4u || corner == 5u);
    let along = (b.xy / b.w - a.xy / a.w) * view.viewport;
    let normal = vec2(-along.y, along.x) / max(length(along), 1e-6);
    let clip = select(a, b, at_b);
    let shift = normal * side * view.line_width * segment.width / view.viewport * clip.w;
    stroke.clip = vec4(clip.xy + shift, clip.zw);
    let c = segment.colour;
    let srgb = vec3(f32(c & 255u), f32((c >> 8u) & 255u), f32((c >> 16u) & 255u)) / 255.0;
    stroke.colour = srgb;
    if view.linear_target == 1u { stroke.colour = to_linear(srgb); }
    return stroke;
}

@fragment
fn fragment(stroke: Stroke) -> @location(0) vec4<f32> {
    return vec4(stroke.colour, 1.0);
}

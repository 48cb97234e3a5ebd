// Point cloud: each point one screen-facing disc, drawn as the triangle around it (3 vertices, no vertex buffer).
// bindings  group 0: 0 view: uniform View         group 1: 0 points: read PackedPoint [N], one page of the cloud
// draws     3 * N vertices, triangle list, depth reversed (1 near, 0 infinity)
// point     x, y, z: f32 bits (world, OpenCV axes); rgba: r | g << 8 | b << 16 | confidence code << 24
// filter    a point is drawn when its confidence code >= view.min_code (codes grow with confidence: cloud.rs)
// colour    sRGB bytes are written as they are; only an sRGB target (view.linear_target = 1) needs them linear
// called by render/points.rs      CPU twin: render/camera.rs::project

struct View {
    view_projection: mat4x4<f32>,
    viewport: vec2<f32>,      // device pixels
    point_size: f32,          // diameter at the pivot, device pixels
    pivot_distance: f32,      // world units
    min_code: u32,
    linear_target: u32,
    near: f32,                // world units
    line_width: f32,          // device pixels
}

@group(0) @binding(0) var<uniform> view: View;
@group(1) @binding(0) var<storage, read> points: array<vec4<u32>>;

struct Disc {
    @builtin(position) clip: vec4<f32>,
    @location(0) offset: vec2<f32>,           // in radii
    @location(1) @interpolate(flat) colour: vec3<f32>,
}

// A disc of this diameter holds at least one pixel centre wherever it lies, so no point disappears.
const SMALLEST: f32 = 1.5;
const LARGEST: f32 = 96.0;

fn to_linear(c: vec3<f32>) -> vec3<f32> {
    return select(pow((c + 0.055) / 1.055, vec3(2.4)), c / 12.92, c <= vec3(0.04045));
}

@vertex
fn vertex(@builtin(vertex_index) index: u32) -> Disc {
    let point = points[index / 3u];
    // The equilateral triangle around the unit circle.
    let corner = index % 3u;
    var offset = vec2(0.0, 2.0);
    if corner == 1u { offset = vec2(-1.7320508, -1.0); }
    if corner == 2u { offset = vec2(1.7320508, -1.0); }

    var disc: Disc;
    var clip = view.view_projection * vec4(bitcast<vec3<f32>>(point.xyz), 1.0);
    let hidden = (point.w >> 24u) < view.min_code || clip.w <= view.near;
    if hidden {
        // Outside of every clip plane: the triangle vanishes.
        disc.clip = vec4(2.0, 2.0, 2.0, 1.0);
        return disc;
    }
    let diameter = clamp(view.point_size * view.pivot_distance / clip.w, SMALLEST, LARGEST);
    clip = vec4(clip.xy + offset * diameter / view.viewport * clip.w, clip.zw);
    let srgb = vec3(f32(point.w & 255u), f32((point.w >> 8u) & 255u), f32((point.w >> 16u) & 255u)) / 255.0;
    disc.clip = clip;
    disc.offset = offset;
    disc.colour = srgb;
    if view.linear_target == 1u { disc.colour = to_linear(srgb); }
    return disc;
}

@fragment
fn fragment(disc: Disc) -> @location(0) vec4<f32> {
    if dot(disc.offset, disc.offset) > 1.0 { discard; }
    return vec4(disc.colour, 1.0);
}

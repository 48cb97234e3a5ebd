// Point cloud: each point one screen-facing disc, drawn as the triangle around it (3 vertices, no vertex buffer).
// bindings  group 0: 0 view: uniform View         group 1: 0 points: read PackedPoint [N], one page of the cloud
//           group 2: 0 frames: read Frame [chunks], the camera that saw each chunk
// draws     3 * N vertices, triangle list, depth reversed (1 near, 0 infinity); instance_index is the chunk
// point     x, y, z: f32 bits (world, OpenCV axes), the lowest 2 bits of x hold the flags (render/points.rs puts them
//           there); rgba: r | g << 8 | b << 16 | confidence code << 24
// filter    drawn when its confidence code >= view.min_code (codes grow with confidence: cloud.rs) and no flag is hidden
// colour    sRGB bytes are written as they are; only an sRGB target (view.linear_target = 1) needs them linear
// called by render/points.rs      CPU twin: render/camera.rs::project, render/ramp.rs, render/pick.rs

struct View {
    view_projection: mat4x4<f32>,
    viewport: vec2<f32>,      // device pixels
    point_size: f32,          // diameter at the pivot, device pixels
    pivot_distance: f32,      // world units
    min_code: u32,
    linear_target: u32,
    near: f32,                // world units
    line_width: f32,          // device pixels
    range: vec2<f32>,         // values at the ends of the colour ramp
    colour_mode: u32,         // render/settings.rs::ColourMode
    hidden_flags: u32,
    attenuation: u32,         // 1: points shrink with distance
    least_size: f32,          // least diameter of a point at depth 1, device pixels: no gaps between voxels
    vividness: f32,
    edl: f32,
    background: vec4<f32>,
}

struct Frame {
    eye: vec3<f32>,
    unused_0: f32,
    forward: vec3<f32>,
    unused_1: f32,
}

@group(0) @binding(0) var<uniform> view: View;
@group(1) @binding(0) var<storage, read> points: array<vec4<u32>>;
@group(2) @binding(0) var<storage, read> frames: array<Frame>;

struct Disc {
    @builtin(position) clip: vec4<f32>,
    @location(0) offset: vec2<f32>,           // in radii
    @location(1) @interpolate(flat) colour: vec3<f32>,
}

// A disc of this diameter holds at least one pixel centre wherever it lies, so no point disappears.
const SMALLEST: f32 = 1.5;
const LARGEST: f32 = 96.0;

const DEPTH: u32 = 1u;
const CONFIDENCE: u32 = 2u;
const FRAME: u32 = 3u;
const HEIGHT: u32 = 4u;

fn to_linear(c: vec3<f32>) -> vec3<f32> {
    return select(pow((c + 0.055) / 1.055, vec3(2.4)), c / 12.92, c <= vec3(0.04045));
}

fn viridis(i: u32) -> vec3<f32> {
    var stops = array<vec3<f32>, 10>(
        vec3(68.0, 1.0, 84.0), vec3(72.0, 40.0, 120.0), vec3(62.0, 74.0, 137.0), vec3(49.0, 104.0, 142.0),
        vec3(38.0, 130.0, 142.0), vec3(31.0, 158.0, 137.0), vec3(53.0, 183.0, 121.0), vec3(109.0, 205.0, 89.0),
        vec3(180.0, 222.0, 44.0), vec3(253.0, 231.0, 37.0));
    return stops[i];
}

fn turbo(i: u32) -> vec3<f32> {
    var stops = array<vec3<f32>, 10>(
        vec3(48.0, 18.0, 59.0), vec3(70.0, 98.0, 215.0), vec3(53.0, 170.0, 249.0), vec3(26.0, 228.0, 182.0),
        vec3(113.0, 254.0, 95.0), vec3(199.0, 239.0, 52.0), vec3(250.0, 186.0, 57.0), vec3(245.0, 105.0, 24.0),
        vec3(201.0, 42.0, 4.0), vec3(122.0, 4.0, 3.0));
    return stops[i];
}

fn ramp(value: f32) -> vec3<f32> {
    let t = clamp((value - view.range.x) / (view.range.y - view.range.x), 0.0, 1.0) * 9.0;
    let at = min(u32(t), 8u);
    if view.colour_mode == DEPTH || view.colour_mode == HEIGHT {
        return mix(turbo(at), turbo(at + 1u), t - f32(at)) / 255.0;
    }
    return mix(viridis(at), viridis(at + 1u), t - f32(at)) / 255.0;
}

fn colour_of(point: vec4<u32>, position: vec3<f32>, chunk: u32) -> vec3<f32> {
    switch view.colour_mode {
        case DEPTH: {
            let frame = frames[min(chunk, arrayLength(&frames) - 1u)];
            return ramp(dot(position - frame.eye, frame.forward));
        }
        case CONFIDENCE: { return ramp(f32(point.w >> 24u)); }
        case FRAME: { return ramp(f32(chunk)); }
        case HEIGHT: { return ramp(-position.y); }
        default: {
            return vec3(f32(point.w & 255u), f32((point.w >> 8u) & 255u), f32((point.w >> 16u) & 255u)) / 255.0;
        }
    }
}

@vertex
fn vertex(@builtin(vertex_index) index: u32, @builtin(instance_index) chunk: u32) -> Disc {
    let point = points[index / 3u];
    // The equilateral triangle around the unit circle.
    let corner = index % 3u;
    var offset = vec2(0.0, 2.0);
    if corner == 1u { offset = vec2(-1.7320508, -1.0); }
    if corner == 2u { offset = vec2(1.7320508, -1.0); }

    var disc: Disc;
    let position = bitcast<vec3<f32>>(point.xyz);
    var clip = view.view_projection * vec4(position, 1.0);
    let filtered = (point.w >> 24u) < view.min_code || (point.x & 3u & view.hidden_flags) != 0u;
    if filtered || clip.w <= view.near {
        // Outside of every clip plane: the triangle vanishes.
        disc.clip = vec4(2.0, 2.0, 2.0, 1.0);
        return disc;
    }
    var diameter = view.point_size;
    if view.attenuation == 1u { diameter *= view.pivot_distance / clip.w; }
    diameter = clamp(max(diameter, view.least_size / clip.w), SMALLEST, LARGEST);
    clip = vec4(clip.xy + offset * diameter / view.viewport * clip.w, clip.zw);
    let srgb = mix(view.background.rgb, colour_of(point, position, chunk), view.vividness);
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

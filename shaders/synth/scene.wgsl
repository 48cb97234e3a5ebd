// A synthetic world and the frames that film it, flat; head of every pass of the ray-caster.
// bindings  group 0: 0 params: uniform Params     1 prims: read Prim, the world's, then those of the moving thing at each
//           frame     2 nodes: read Node, likewise; node 0 is the world's root     3 materials: read Material
//           4 lights: read Light     5 frames: read Frame, those of one submission
//           group 1: 0 surfaces: Surface [frames, height, width]; 1 and 2 are each pass's own
// identity  of a solid: its index in prims
// called by src/synth/gpu/flat.rs (the same structs)     CPU twin: src/synth/world.rs, shape.rs, bvh.rs, texture.rs

const NONE: u32 = 0xffffffffu;
const FAR: f32 = 1e30;
// Depth beyond which nothing is written, metres.
const FARTHEST: f32 = 65.0;

struct Params {
    width: u32,
    height: u32,
    frames: u32,
    solids: u32,              // prims of the world itself
    lights: u32,
    texture_samples: u32,
    edge_samples: u32,
    light_passes: u32,
    shadow_rays: u32,
    sky_seed: u32,
    clouds: f32,
    focal: f32,
    centre: vec2<f32>,        // principal point
    occlusion_reach: f32,
    unused: u32,
    ambient_up: vec4<f32>,
    ambient_down: vec4<f32>,
    horizon: vec4<f32>,
    zenith: vec4<f32>,
}

const BLOCK: u32 = 0u;
const ELLIPSOID: u32 = 1u;
const FRUSTUM: u32 = 2u;
const ALIGNED: u32 = 4u;
const WORLD_UV: u32 = 8u;
const CASTS_SHADOW: u32 = 16u;

struct Prim {
    centre: vec3<f32>,
    bits: u32,                // shape | ALIGNED | WORLD_UV | CASTS_SHADOW | material << 16
    half: vec3<f32>,
    unused_0: u32,
    x: vec3<f32>,             // local axes as world directions
    unused_1: u32,
    y: vec3<f32>,
    unused_2: u32,
    z: vec3<f32>,
    unused_3: u32,
}

struct Node {
    lo: vec3<f32>,
    first: u32,               // leaf: first solid; inner: first of two adjacent children
    hi: vec3<f32>,
    bits: u32,                // solids of a leaf, 0 for an inner node | axis << 16
}

struct Material {
    colour_0: vec3<f32>,
    texture: u32,             // order of src/synth/texture.rs::Texture | SWAPPED
    colour_1: vec3<f32>,
    seed: u32,
    colour_2: vec3<f32>,
    scale: f32,
    shape: f32,
    gloss: f32,
    emission: f32,
    grime: f32,
}

const SWAPPED: u32 = 256u;

const BALL: u32 = 0u;
const PANEL: u32 = 1u;
const SUN: u32 = 2u;
const HARD: u32 = 4u;

struct Light {
    centre: vec3<f32>,        // direction of the sun
    bits: u32,                // kind | HARD
    colour: vec3<f32>,
    reach: f32,
    u: vec3<f32>,             // half sides of a panel; across the sun's direction
    size: f32,                // radius of a ball, spread of the sun
    v: vec3<f32>,
    unused_0: u32,
    normal: vec3<f32>,        // of a panel
    unused_1: u32,
}

struct Frame {
    position: vec3<f32>,
    moving_root: u32,         // node of the moving thing, or NONE
    right: vec3<f32>,
    unused_0: u32,
    down: vec3<f32>,
    unused_1: u32,
    forward: vec3<f32>,
    unused_2: u32,
    shifts: array<vec4<f32>, 4>,   // of the light samples, per pass
}

struct Surface {
    position: vec3<f32>,
    z: f32,
    normal: vec3<f32>,
    id: u32,                  // NONE: sky
}

struct Shade {
    soft: vec3<f32>,
    hard: vec3<f32>,
    sheen: vec3<f32>,
}

@group(0) @binding(0) var<uniform> params: Params;
@group(0) @binding(1) var<storage, read> prims: array<Prim>;
@group(0) @binding(2) var<storage, read> nodes: array<Node>;
@group(0) @binding(3) var<storage, read> materials: array<Material>;
@group(0) @binding(4) var<storage, read> lights: array<Light>;
@group(0) @binding(5) var<storage, read> frames: array<Frame>;
@group(1) @binding(0) var<storage, read_write> surfaces: array<Surface>;

fn is_outside(at: vec3<u32>) -> bool {
    return at.x >= params.width || at.y >= params.height || at.z >= params.frames;
}

fn index_of(at: vec3<u32>) -> u32 {
    return (at.z * params.height + at.y) * params.width + at.x;
}

// Ray through an image position, with unit z in the camera frame.
fn camera_ray(frame: u32, at: vec2<f32>) -> vec3<f32> {
    let p = (at - params.centre) / params.focal;
    return frames[frame].forward + frames[frame].right * p.x + frames[frame].down * p.y;
}

fn material_of(id: u32) -> u32 {
    return prims[id].bits >> 16u;
}

// Unit vector; the zero vector stays (almost) zero.
fn unit(v: vec3<f32>) -> vec3<f32> {
    return v * (1.0 / max(sqrt(dot(v, v)), 1e-9));
}

fn luminance(c: vec3<f32>) -> f32 {
    return 0.25 * c.x + 0.65 * c.y + 0.1 * c.z;
}

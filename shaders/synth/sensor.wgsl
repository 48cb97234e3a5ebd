// What a phone camera makes of light; head of the passes that develop frames.
// bindings  group 0: 0 sensor: uniform Sensor     1 tables: read f32, the tone curve (TONE_STEPS + 1), then the cosine
//           basis (8 frequencies x 8 positions)     2 views: read View, those of one submission
//           group 1: 0 source: read vec4 [frames, height, width], colour and z, FAR where there is only sky, negative on
//           the moving thing     1 soft, 2 softer: likewise, blurred     3 target: of each pass
//           4 exposures: f32 [frames]
// called by src/synth/gpu/develop.rs (the same structs)     CPU twin: src/synth/sensor.rs

const TONE_STEPS: u32 = 1024u;
// Largest exposed value of the tone table.
const TONE_TOP: f32 = 3.0;

struct Sensor {
    width: u32,
    height: u32,
    frames: u32,
    focal: f32,
    centre: vec2<f32>,        // principal point
    wanted: f32,              // mean brightness
    adaptation: f32,
    white: vec3<f32>,
    exposure: f32,            // of the frame before the first one, 0 if there is none
    saturation: f32,
    vignette: f32,
    blur: f32,
    focus_distance: f32,      // 0: everything is in focus
    focus_strength: f32,
    shutter: f32,             // share of the frame interval
    noise: f32,
    row_noise: f32,
    step: f32,                // of the compression, in 1/255
    unused_0: f32,
    unused_1: f32,
    unused_2: f32,
}

struct View {
    position: vec3<f32>,
    seed_low: u32,            // state of the frame's random numbers
    right: vec3<f32>,
    seed_high: u32,
    down: vec3<f32>,
    band: f32,                // of the row noise
    forward: vec3<f32>,
    band_step: f32,
    before_position: vec3<f32>,
    unused_0: u32,
    before_right: vec3<f32>,
    unused_1: u32,
    before_down: vec3<f32>,
    unused_2: u32,
    before_forward: vec3<f32>,
    unused_3: u32,
}

@group(0) @binding(0) var<uniform> sensor: Sensor;
@group(0) @binding(1) var<storage, read> tables: array<f32>;
@group(0) @binding(2) var<storage, read> views: array<View>;
@group(1) @binding(0) var<storage, read_write> source: array<vec4<f32>>;

fn is_outside(at: vec3<u32>) -> bool {
    return at.x >= sensor.width || at.y >= sensor.height || at.z >= sensor.frames;
}

fn index_of(at: vec3<u32>) -> u32 {
    return (at.z * sensor.height + at.y) * sensor.width + at.x;
}

fn luminance(c: vec3<f32>) -> f32 {
    return 0.25 * c.x + 0.65 * c.y + 0.1 * c.z;
}

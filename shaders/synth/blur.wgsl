// Blur: by motion while the shutter is open, and by the lens. Every image keeps its z.
// bindings  those of sensor.wgsl; reads source (blend: and soft, softer), writes target
// called by src/synth/gpu/develop.rs     CPU twin: src/synth/sensor.rs::motion_blur, gaussian, Sensor::lens_blur

@group(1) @binding(1) var<storage, read_write> soft: array<vec4<f32>>;
@group(1) @binding(2) var<storage, read_write> softer: array<vec4<f32>>;
@group(1) @binding(3) var<storage, read_write> blurred: array<vec4<f32>>;

// Blur along the image motion of each pixel.
@compute @workgroup_size(8, 8)
fn motion_blur(@builtin(global_invocation_id) at: vec3<u32>) {
    if (is_outside(at)) {
        return;
    }
    let here = source[index_of(at)];
    blurred[index_of(at)] = here;
    let view = views[at.z];
    let pixel = vec2<f32>(at.xy);
    let q = (pixel - sensor.centre) / sensor.focal;
    let ray = view.forward + view.right * q.x + view.down * q.y;
    let d = view.position + ray * min(abs(here.w), 1e4) - view.before_position;
    let depth = dot(d, view.before_forward);
    if (depth < 0.05) {
        return;
    }
    let was = vec2(dot(d, view.before_right), dot(d, view.before_down)) * (sensor.focal / depth) + sensor.centre;
    let reach = vec2(0.06 * f32(sensor.width));
    let way = clamp((pixel - was) * sensor.shutter, -reach, reach);
    if (dot(way, way) < 0.16) {
        return;
    }
    let last = vec2(f32(sensor.width), f32(sensor.height)) - 1.0;
    var sum = here.xyz;
    for (var k = 0u; k < 4u; k++) {
        // -0.5, -0.25, 0.25, 0.5 of the way.
        let share = 0.25 * f32(k) - select(0.5, 0.25, k > 1u);
        let tap = vec2<u32>(clamp(pixel + share * way + 0.5, vec2(0.0), last));
        sum += source[index_of(vec3(tap, at.z))].xyz;
    }
    blurred[index_of(at)] = vec4(sum * 0.2, here.w);
}

// 1-2-1 blur along both axes.
@compute @workgroup_size(8, 8)
fn soften(@builtin(global_invocation_id) at: vec3<u32>) {
    if (is_outside(at)) {
        return;
    }
    var sum = vec3(0.0);
    for (var dy = 0u; dy < 3u; dy++) {
        let y = min(max(at.y + dy, 1u) - 1u, sensor.height - 1u);
        for (var dx = 0u; dx < 3u; dx++) {
            let x = min(max(at.x + dx, 1u) - 1u, sensor.width - 1u);
            let weight = select(0.25, 0.5, dx == 1u) * select(0.25, 0.5, dy == 1u);
            sum += source[index_of(vec3(x, y, at.z))].xyz * weight;
        }
    }
    blurred[index_of(at)] = vec4(sum, 0.0);
}

// Between sharp, soft and softer: by the lens everywhere, and by the distance from the focus.
@compute @workgroup_size(8, 8)
fn blend(@builtin(global_invocation_id) at: vec3<u32>) {
    if (is_outside(at)) {
        return;
    }
    let i = index_of(at);
    let here = source[i];
    let one = soft[i].xyz;
    var c = mix(here.xyz, one, sensor.blur);
    if (sensor.focus_distance > 0.0) {
        let scale = f32(sensor.width) / 128.0;
        let circle = sensor.focus_strength * scale * abs(1.0 - sensor.focus_distance / min(abs(here.w), 60.0));
        if (circle < 1.0) {
            c = mix(c, one, circle);
        } else {
            c = mix(one, softer[i].xyz, min(circle - 1.0, 1.0));
        }
    }
    blurred[i] = vec4(c, here.w);
}

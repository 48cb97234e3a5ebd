// Averages soft light over the 4x4 pixels that share the interleaved samples, within a surface; shadows with sharp edges
// are only smoothed against jagged steps.
// bindings  those of scene.wgsl; reads surfaces; group 1: 1 shades: read Shade     2 light: write Shade, where a surface is
// called by src/synth/gpu/passes.rs     CPU twin: src/synth/render.rs::Renderer::smooth_light

@group(1) @binding(1) var<storage, read_write> shades: array<Shade>;
@group(1) @binding(2) var<storage, read_write> light: array<Shade>;

@compute @workgroup_size(8, 8)
fn smooth_light(@builtin(global_invocation_id) at: vec3<u32>) {
    if (is_outside(at)) {
        return;
    }
    let s = surfaces[index_of(at)];
    if (s.id == NONE) {
        return;
    }
    let here = vec2<i32>(at.xy);
    let size = vec2(i32(params.width), i32(params.height));
    var sum = Shade(vec3(0.0), vec3(0.0), vec3(0.0));
    var weight = 0.0;
    var hard_weight = 0.0;
    for (var y = max(here.y - 2, 0); y < min(here.y + 2, size.y); y++) {
        for (var x = max(here.x - 2, 0); x < min(here.x + 2, size.x); x++) {
            let j = index_of(vec3(u32(x), u32(y), at.z));
            let o = surfaces[j];
            if (o.id == NONE || dot(s.normal, o.normal) <= 0.9
                || abs(dot(o.position - s.position, s.normal)) >= 0.01 + 0.006 * s.z) {
                continue;
            }
            sum.soft += shades[j].soft;
            sum.sheen += shades[j].sheen;
            weight += 1.0;
            let apart = abs(vec2(x, y) - here);
            if (apart.x < 2 && apart.y < 2) {
                let k = f32((2 - apart.x) * (2 - apart.y));
                sum.hard += shades[j].hard * k;
                hard_weight += k;
            }
        }
    }
    let k = 1.0 / max(weight, 1.0);
    light[index_of(at)] = Shade(sum.soft * k, sum.hard / max(hard_weight, 1.0), sum.sheen * k);
}

// Light of every pixel: the strongest lights with shadows, and what the surroundings return, by 4x4 interleaved samples.
// bindings  those of scene.wgsl; reads surfaces; group 1: 2 shades: write Shade [frames, height, width], where a surface is
// requires  at most 3 shadow rays
// called by src/synth/gpu/passes.rs     CPU twin: src/synth/render.rs::Renderer::illuminate, light_batch

@group(1) @binding(2) var<storage, read_write> shades: array<Shade>;

// Order in which the 4x4 pixels of a tile take their light samples.
const INTERLEAVE = array<u32, 16>(0u, 11u, 6u, 13u, 9u, 2u, 15u, 4u, 7u, 12u, 1u, 10u, 14u, 5u, 8u, 3u);

struct Ranked {
    rank: f32,
    light: u32,
}

// The strongest lights at a point, the sun before all.
fn strongest(s: Surface, at: vec2<f32>) -> array<Ranked, 3> {
    var best = array<Ranked, 3>(Ranked(0.0, 0u), Ranked(0.0, 0u), Ranked(0.0, 0u));
    for (var i = 0u; i < params.lights; i++) {
        let bright = luminance(sample_light(i, s.position, s.normal, at).colour);
        if (bright <= 1e-4) {
            continue;
        }
        let rank = bright + select(0.0, 100.0, (lights[i].bits & 3u) == SUN);
        if (rank > best[0].rank) {
            best[2] = best[1];
            best[1] = best[0];
            best[0] = Ranked(rank, i);
        } else if (rank > best[1].rank) {
            best[2] = best[1];
            best[1] = Ranked(rank, i);
        } else if (rank > best[2].rank) {
            best[2] = Ranked(rank, i);
        }
    }
    return best;
}

fn add_light(shade: ptr<function, Shade>, frame: u32, s: Surface, origin: vec3<f32>, index: u32, at: vec2<f32>) {
    let arriving = sample_light(index, s.position, s.normal, at);
    let ray = ray_from(origin, arriving.to);
    if (traverse(frame, ray, 0.999, forward_bits(arriving.to), true).id != NONE) {
        return;
    }
    if ((lights[index].bits & HARD) != 0u) {
        (*shade).hard += arriving.colour;
    } else {
        (*shade).soft += arriving.colour;
    }
    let gloss = materials[material_of(s.id)].gloss;
    if (gloss > 0.0) {
        let view = unit(frames[frame].position - s.position);
        var c = max(dot(unit(unit(arriving.to) + view), s.normal), 0.0);
        c = c * c * c * c;
        c = c * c * c * c;
        (*shade).sheen += arriving.colour * (gloss * c * c * c);
    }
}

fn surroundings(frame: u32, s: Surface, origin: vec3<f32>, at: vec2<f32>) -> vec3<f32> {
    let turn = sin_cos(2.0 * PI * at.x);
    let radius = sqrt(at.y);
    let n = s.normal;
    let helper = select(vec3(1.0, 0.0, 0.0), vec3(0.0, 1.0, 0.0), abs(n.y) < 0.9);
    let tangent = unit(cross(helper, n));
    let d = tangent * (radius * turn.y) + cross(n, tangent) * (radius * turn.x) + n * sqrt(max(1.0 - at.y, 0.0));
    let hit = traverse(frame, ray_from(origin, d), params.occlusion_reach, forward_bits(d), false);
    let ambient = mix(params.ambient_down.xyz, params.ambient_up.xyz, d.y * 0.5 + 0.5);
    if (hit.id == NONE) {
        return ambient;
    }
    // What is hit nearby is itself lit by some of the ambient light and passes on its colour.
    let share = hit.t / params.occlusion_reach;
    let m = materials[material_of(hit.id)];
    let back = (m.colour_0 * 2.0 + m.colour_1) / 3.0 * (0.45 + m.emission);
    return ambient * (mix(back, vec3(1.0), share * share) * (0.25 + 0.75 * share));
}

@compute @workgroup_size(8, 8)
fn illuminate(@builtin(global_invocation_id) at: vec3<u32>) {
    if (is_outside(at)) {
        return;
    }
    let s = surfaces[index_of(at)];
    if (s.id == NONE) {
        return;
    }
    let origin = s.position + s.normal * (0.002 + 0.0005 * s.z);
    let weight = 1.0 / f32(params.light_passes);
    var order = INTERLEAVE;
    let k = order[(at.y % 4u) * 4u + at.x % 4u];
    let across = (f32(k % 4u) + 0.5) * 0.25;
    let along = (f32(k / 4u) + 0.5) * 0.25;
    var sum = Shade(vec3(0.0), vec3(0.0), vec3(0.0));
    for (var pass_index = 0u; pass_index < min(params.light_passes, 4u); pass_index++) {
        let shift = frames[at.z].shifts[pass_index];
        let at_light = vec2(fraction(across + shift.x), fraction(along + shift.y));
        let at_sky = vec2(fraction(along + shift.z), fraction(across + shift.w));
        var shade = Shade(vec3(0.0), vec3(0.0), vec3(0.0));
        var best = strongest(s, at_light);
        for (var slot = 0u; slot < min(params.shadow_rays, 3u); slot++) {
            if (best[slot].rank > 0.0) {
                add_light(&shade, at.z, s, origin, best[slot].light, at_light);
            }
        }
        shade.soft += surroundings(at.z, s, origin, at_sky);
        sum.soft += shade.soft * weight;
        sum.hard += shade.hard * weight;
        sum.sheen += shade.sheen * weight;
    }
    shades[index_of(at)] = sum;
}

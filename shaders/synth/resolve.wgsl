// Linear colour, depth and motion of every pixel: texture samples within a surface, further rays on edges.
// bindings  those of scene.wgsl; reads surfaces; group 1: 1 light: read Shade     2 image: write vec4 [frames, height, width],
//           colour and z, FAR where there is only sky, negative on the moving thing
// called by src/synth/gpu/passes.rs     CPU twin: src/synth/render.rs::Renderer::resolve, extra_rays

@group(1) @binding(1) var<storage, read_write> light: array<Shade>;
@group(1) @binding(2) var<storage, read_write> image: array<vec4<f32>>;

// Offsets of texture samples within a pixel.
const TEXTURE_OFFSETS = array<vec2<f32>, 4>(vec2(-0.25, -0.2), vec2(0.25, 0.2), vec2(0.22, -0.27), vec2(-0.22, 0.27));
// Offsets of the further rays of an edge pixel.
const EDGE_OFFSETS = array<vec2<f32>, 7>(vec2(-0.31, -0.12), vec2(0.12, -0.34), vec2(0.27, 0.29), vec2(-0.14, 0.36),
    vec2(0.38, -0.05), vec2(-0.38, 0.2), vec2(-0.05, -0.42));

fn shaded(s: Surface, at: vec3<f32>, lit: Shade, ray: vec3<f32>) -> vec3<f32> {
    let slant = clamp(-dot(ray, s.normal) / sqrt(dot(ray, ray)), 0.3, 1.0);
    let footprint = 0.75 * s.z / params.focal / slant;
    let m = materials[material_of(s.id)];
    let c = reflectance(m, uv_at(s.id, at, s.normal), footprint);
    return min(c * (lit.soft + lit.hard) + lit.sheen + c * m.emission, vec3(4.0));
}

fn differs(a: Surface, at: vec3<u32>) -> bool {
    let b = surfaces[index_of(at)];
    return a.id != b.id || (a.id != NONE && dot(a.normal, b.normal) < 0.85);
}

fn is_edge(s: Surface, at: vec3<u32>) -> bool {
    return (at.x > 0u && differs(s, at - vec3(1u, 0u, 0u)))
        || (at.x + 1u < params.width && differs(s, at + vec3(1u, 0u, 0u)))
        || (at.y > 0u && differs(s, at - vec3(0u, 1u, 0u)))
        || (at.y + 1u < params.height && differs(s, at + vec3(0u, 1u, 0u)));
}

// Light of the pixel around `at` whose surface is most like `s`.
fn borrowed_light(at: vec3<u32>, s: Surface) -> Shade {
    var best = NONE;
    var score = -FAR;
    for (var y = max(at.y, 1u) - 1u; y < min(at.y + 2u, params.height); y++) {
        for (var x = max(at.x, 1u) - 1u; x < min(at.x + 2u, params.width); x++) {
            let j = index_of(vec3(x, y, at.z));
            let o = surfaces[j];
            if (o.id == NONE) {
                continue;
            }
            let apart = abs(dot(o.position - s.position, s.normal)) / max(s.z, 0.1);
            let like = dot(o.normal, s.normal) - 10.0 * apart + select(0.0, 0.5, o.id == s.id);
            if (like > score) {
                score = like;
                best = j;
            }
        }
    }
    if (best == NONE) {
        return Shade(params.ambient_up.xyz, vec3(0.0), vec3(0.0));
    }
    return light[best];
}

@compute @workgroup_size(8, 8)
fn resolve(@builtin(global_invocation_id) at: vec3<u32>) {
    if (is_outside(at)) {
        return;
    }
    let here = surfaces[index_of(at)];
    let origin = frames[at.z].position;
    let edge = is_edge(here, at);
    var texture_offsets = TEXTURE_OFFSETS;
    var edge_offsets = EDGE_OFFSETS;
    var count = clamp(params.texture_samples, 1u, 4u);
    if (edge) {
        count = 1u + min(params.edge_samples, 7u);
    } else if (here.id == NONE) {
        count = 1u;
    }
    var sum = vec3(0.0);
    for (var k = 0u; k < count; k++) {
        var offset = vec2(0.0);
        if (edge && k > 0u) {
            offset = edge_offsets[k - 1u];
        } else if (!edge && here.id != NONE) {
            offset = texture_offsets[k];
        }
        let ray = camera_ray(at.z, vec2<f32>(at.xy) + offset);
        var s = here;
        if (edge && k > 0u) {
            let hit = traverse(at.z, ray_from(origin, ray), FAR, forward_bits(ray), false);
            s = Surface(origin + ray * hit.t, hit.t, vec3(0.0), hit.id);
        }
        if (s.id == NONE) {
            sum += sky(ray);
            continue;
        }
        var position = s.position;
        var lit: Shade;
        if (edge && k > 0u) {
            s.normal = normal_at(s.id, s.position);
            lit = borrowed_light(at, s);
        } else {
            lit = light[index_of(at)];
            if (!edge) {
                let slope = dot(ray, s.normal);
                var t = s.z;
                if (slope < -0.05) {
                    t = dot(s.position - origin, s.normal) / slope;
                }
                position = origin + ray * t;
            }
        }
        sum += shaded(s, position, lit, ray);
    }
    let moving = here.id != NONE && here.id >= params.solids && here.z < FARTHEST;
    image[index_of(at)] = vec4(sum / f32(count), select(here.z, -here.z, moving));
}

// What every pixel's centre sees.
// bindings  those of scene.wgsl; writes surfaces
// called by src/synth/gpu/passes.rs     CPU twin: src/synth/render.rs::Renderer::primary

@compute @workgroup_size(8, 8)
fn primary(@builtin(global_invocation_id) at: vec3<u32>) {
    if (is_outside(at)) {
        return;
    }
    let origin = frames[at.z].position;
    let ray = camera_ray(at.z, vec2<f32>(at.xy));
    // The order of the CPU's packets, 4x2 pixels: where two solids share a face, the first one stays.
    let first = camera_ray(at.z, vec2<f32>(at.xy & vec2(~3u, ~1u)));
    let hit = traverse(at.z, ray_from(origin, ray), FAR, forward_bits(first), false);
    var s = Surface(vec3(0.0), FAR, vec3(0.0), NONE);
    if (hit.id != NONE) {
        let position = origin + ray * hit.t;
        s = Surface(position, hit.t, normal_at(hit.id, position), hit.id);
    }
    surfaces[index_of(at)] = s;
}

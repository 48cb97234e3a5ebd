// Lights and the sky.
// bindings  those of scene.wgsl
// called by illuminate.wgsl, resolve.wgsl     CPU twin: src/synth/world.rs::Light, Sky

struct Arriving {
    to: vec3<f32>,            // towards a point of the light
    colour: vec3<f32>,        // what arrives from there without obstacles
}

fn sample_light(index: u32, p: vec3<f32>, n: vec3<f32>, at: vec2<f32>) -> Arriving {
    let light = lights[index];
    let kind = light.bits & 3u;
    let across = 2.0 * at - 1.0;
    if (kind == SUN) {
        let to = light.centre + (light.u * across.x + light.v * across.y) * light.size;
        return Arriving(to * 80.0, light.colour * max(dot(n, light.centre), 0.0));
    }
    let to = light.centre - p;
    let d2 = dot(to, to);
    if (d2 > light.reach * light.reach) {
        return Arriving(to, vec3(0.0));
    }
    let d = max(sqrt(d2), 1e-4);
    let fade = 1.0 - d2 / (light.reach * light.reach);
    if (kind == BALL) {
        let strength = max(dot(n, to) / d, 0.0) * fade * fade / (d2 + 0.3);
        return Arriving(to + vec3(across.x, at.x + at.y - 1.0, across.y) * light.size, light.colour * strength);
    }
    // Softened cosines: a panel is large and still shines on surfaces at its side.
    let leave = max(-dot(light.normal, to) / d * 0.9 + 0.1, 0.0);
    let arrive = max(dot(n, to) / d * 0.85 + 0.15, 0.0);
    let colour = light.colour * (leave * arrive * fade * fade / (d2 + 0.6));
    return Arriving(to + light.u * across.x + light.v * across.y, colour);
}

fn sky(direction: vec3<f32>) -> vec3<f32> {
    let d = unit(direction);
    let up = max(d.y, 0.0);
    let c = mix(params.horizon.xyz, params.zenith.xyz, smooth_step(0.0, 0.7, up));
    if (up < 0.02 || params.clouds < 0.05) {
        return c;
    }
    let p = d.xz / (up + 0.1) * 1.3;
    let thin = 0.75 - 0.5 * params.clouds;
    let cover = smooth_step(thin, 1.0 - 0.4 * params.clouds, fbm(p.x, p.y, params.sky_seed, 0.02));
    return mix(c, params.horizon.xyz * 1.05, cover * smooth_step(0.02, 0.2, up));
}

// Bounding volume hierarchy, one ray per invocation: nearest hit, or whether anything throws a shadow.
// bindings  those of scene.wgsl
// requires  hierarchies no deeper than STACK; the world's root is node 0
// called by primary.wgsl, illuminate.wgsl, resolve.wgsl     CPU twin: src/synth/bvh.rs (packets of eight rays)

const STACK: u32 = 64u;

struct Hit {
    t: f32,
    id: u32,
}

fn reaches(node: Node, ray: Ray, t: f32) -> bool {
    let a = (node.lo - ray.origin) * ray.inverse;
    let b = (node.hi - ray.origin) * ray.inverse;
    let lo = min(a, b);
    let hi = max(a, b);
    return max(max(lo.x, lo.y), max(lo.z, 0.0)) <= min(min(hi.x, hi.y), min(hi.z, t));
}

// Bit k: the ray runs along axis k, so its near child is the first one.
fn forward_bits(d: vec3<f32>) -> u32 {
    return u32(d.x > 0.0) | (u32(d.y > 0.0) << 1u) | (u32(d.z > 0.0) << 2u);
}

// With `shadow`: any hit by a solid that throws one.
fn traverse(frame: u32, ray: Ray, reach: f32, forward: u32, shadow: bool) -> Hit {
    var hit = Hit(reach, NONE);
    var stack: array<u32, STACK>;
    var depth = 0u;
    let moving = frames[frame].moving_root;
    if (moving != NONE) {
        stack[0] = moving;
        depth = 1u;
    }
    stack[depth] = 0u;
    depth++;
    while (depth > 0u) {
        depth--;
        let node = nodes[stack[depth]];
        if (!reaches(node, ray, hit.t)) {
            continue;
        }
        let count = node.bits & 0xffffu;
        if (count == 0u) {
            let far_second = (forward >> (node.bits >> 16u)) & 1u;
            if (depth + 2u <= STACK) {
                stack[depth] = node.first + far_second;
                stack[depth + 1u] = node.first + (1u - far_second);
                depth += 2u;
            }
            continue;
        }
        for (var id = node.first; id < node.first + count; id++) {
            if (shadow && (prims[id].bits & CASTS_SHADOW) == 0u) {
                continue;
            }
            let t = intersect(id, ray);
            if (t > NEAR && t < hit.t) {
                hit = Hit(t, id);
            }
        }
        if (shadow && hit.id != NONE) {
            return hit;
        }
    }
    return hit;
}

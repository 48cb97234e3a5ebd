// Solids: where a ray enters one, its outward normal and texture coordinates. Rays see a solid from outside only.
// bindings  those of scene.wgsl
// called by trace.wgsl, primary.wgsl, resolve.wgsl     CPU twin: src/synth/shape.rs

// Hits nearer than this are the surface the ray starts on.
const NEAR: f32 = 1e-3;

// The direction need not be unit: distances are in units of it, which makes them the z-depth of camera rays.
struct Ray {
    origin: vec3<f32>,
    direction: vec3<f32>,
    inverse: vec3<f32>,
}

fn safe_inverse(d: f32) -> f32 {
    return 1.0 / select(d, 1e-9, abs(d) < 1e-9);
}

fn ray_from(origin: vec3<f32>, d: vec3<f32>) -> Ray {
    return Ray(origin, d, vec3(safe_inverse(d.x), safe_inverse(d.y), safe_inverse(d.z)));
}

fn sign_of(x: f32) -> f32 {
    return select(1.0, -1.0, x < 0.0);
}

fn to_local(p: Prim, d: vec3<f32>) -> vec3<f32> {
    return vec3(dot(p.x, d), dot(p.y, d), dot(p.z, d));
}

fn block(h: vec3<f32>, o: vec3<f32>, inverse: vec3<f32>) -> f32 {
    let a = (-h - o) * inverse;
    let b = (h - o) * inverse;
    let lo = min(a, b);
    let hi = max(a, b);
    let near = max(max(lo.x, lo.y), lo.z);
    let far = min(min(hi.x, hi.y), hi.z);
    return select(FAR, near, near <= far);
}

fn ellipsoid(h: vec3<f32>, o: vec3<f32>, d: vec3<f32>) -> f32 {
    let p = o / h;
    let q = d / h;
    let a = dot(q, q);
    let b = dot(p, q);
    let c = dot(p, p) - 1.0;
    let disc = b * b - a * c;
    let t = (-b - sqrt(max(disc, 0.0))) / a;
    return select(FAR, t, disc > 0.0);
}

fn frustum_cap(y: f32, r: f32, o: vec3<f32>, d: vec3<f32>) -> f32 {
    let t = (y - o.y) * safe_inverse(d.y);
    let x = o.x + t * d.x;
    let z = o.z + t * d.z;
    return select(FAR, t, x * x + z * z <= r * r && t > NEAR);
}

// Around the local y axis; h: bottom radius, half height, top radius.
fn frustum(h: vec3<f32>, o: vec3<f32>, d: vec3<f32>) -> f32 {
    let slope = (h.z - h.x) / (2.0 * h.y);
    let radius = 0.5 * (h.x + h.z) + slope * o.y;
    let a = d.x * d.x + d.z * d.z - slope * slope * d.y * d.y;
    let b = o.x * d.x + o.z * d.z - slope * d.y * radius;
    let c = o.x * o.x + o.z * o.z - radius * radius;
    let disc = b * b - a * c;
    let root = sqrt(max(disc, 0.0));
    let ia = safe_inverse(a);
    let t0 = (-b - root) * ia;
    let t1 = (-b + root) * ia;
    let s0 = select(FAR, t0, disc > 0.0 && abs(o.y + t0 * d.y) <= h.y && t0 > NEAR);
    let s1 = select(FAR, t1, disc > 0.0 && abs(o.y + t1 * d.y) <= h.y && t1 > NEAR);
    return min(min(s0, s1), min(frustum_cap(-h.y, h.x, o, d), frustum_cap(h.y, h.z, o, d)));
}

// Where the ray enters the solid, FAR if nowhere; may be behind the ray's origin.
fn intersect(id: u32, ray: Ray) -> f32 {
    let p = prims[id];
    let shape = p.bits & 3u;
    let from_centre = ray.origin - p.centre;
    if (shape == BLOCK && (p.bits & ALIGNED) != 0u) {
        return block(p.half, from_centre, ray.inverse);
    }
    let o = to_local(p, from_centre);
    let d = to_local(p, ray.direction);
    if (shape == BLOCK) {
        return block(p.half, o, vec3(safe_inverse(d.x), safe_inverse(d.y), safe_inverse(d.z)));
    }
    if (shape == ELLIPSOID) {
        return ellipsoid(p.half, o, d);
    }
    return frustum(p.half, o, d);
}

fn block_face(l: vec3<f32>, h: vec3<f32>) -> vec3<f32> {
    let d = abs(abs(l) - h);
    if (d.x <= d.y && d.x <= d.z) {
        return vec3(sign_of(l.x), 0.0, 0.0);
    }
    if (d.y <= d.z) {
        return vec3(0.0, sign_of(l.y), 0.0);
    }
    return vec3(0.0, 0.0, sign_of(l.z));
}

// Outward normal at a point of the surface.
fn normal_at(id: u32, at: vec3<f32>) -> vec3<f32> {
    let p = prims[id];
    let l = to_local(p, at - p.centre);
    var n: vec3<f32>;
    switch p.bits & 3u {
        case BLOCK: {
            n = block_face(l, p.half);
        }
        case ELLIPSOID: {
            n = unit(l / (p.half * p.half));
        }
        default: {
            let slope = (p.half.z - p.half.x) / (2.0 * p.half.y);
            let radius = 0.5 * (p.half.x + p.half.z) + slope * l.y;
            let side = abs(radius - sqrt(l.x * l.x + l.z * l.z));
            if (p.half.y - abs(l.y) < side) {
                n = vec3(0.0, sign_of(l.y), 0.0);
            } else {
                n = unit(vec3(l.x, -slope * radius, l.z));
            }
        }
    }
    return p.x * n.x + p.y * n.y + p.z * n.z;
}

// Where a texture is looked up: metres along the surface, and position within the face (0 to 1).
struct Uv {
    along: vec2<f32>,
    face: vec2<f32>,
}

fn within_face(a: f32, extent: f32) -> f32 {
    return clamp(a / extent * 0.5 + 0.5, 0.0, 1.0);
}

fn uv_at(id: u32, at: vec3<f32>, n: vec3<f32>) -> Uv {
    let p = prims[id];
    let l = to_local(p, at - p.centre);
    let h = p.half;
    let f = abs(to_local(p, n));
    switch p.bits & 3u {
        case BLOCK: {
            let c = select(l, at, (p.bits & WORLD_UV) != 0u);
            if (f.x > 0.5 && f.x >= f.y) {
                return Uv(vec2(c.z + 7.0, c.y), vec2(within_face(l.z, h.z), within_face(l.y, h.y)));
            }
            if (f.y > 0.5) {
                return Uv(vec2(c.x, c.z + 3.0), vec2(within_face(l.x, h.x), within_face(l.z, h.z)));
            }
            return Uv(vec2(c.x + 11.0, c.y), vec2(within_face(l.x, h.x), within_face(l.y, h.y)));
        }
        case ELLIPSOID: {
            let a = angle_of(l.z / h.z, l.x / h.x);
            let e = arc_sine(l.y / h.y);
            return Uv(vec2(a * 0.5 * (h.x + h.z), e * h.y), vec2(a * (0.5 / PI) + 0.5, e / PI + 0.5));
        }
        default: {
            let r = max(h.x, h.z);
            if (f.y > 0.98) {
                return Uv(l.xz, vec2(within_face(l.x, r), within_face(l.z, r)));
            }
            let a = angle_of(l.z, l.x);
            return Uv(vec2(a * r, l.y), vec2(a * (0.5 / PI) + 0.5, within_face(l.y, h.y)));
        }
    }
}

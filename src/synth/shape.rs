//! Solid primitives and their intersection with packets of eight rays.
//!
//! Lane loops are branch-free so that the compiler turns them into SIMD; no fused multiply-add is used, so
//! every instruction set gives the same bits. Rays see a solid from outside only (they leave it unseen).

use std::f32::consts::FRAC_1_PI;

use super::math::{Axes, V3, asin, atan2, splat, v3};

/// Rays per packet.
pub(super) const LANES: usize = 8;
/// Distance of a ray that hits nothing.
pub(super) const FAR: f32 = 1e30;
/// Primitive index of a ray that hits nothing.
pub(super) const NONE: u32 = u32::MAX;
/// Hits nearer than this are the surface the ray starts on.
const NEAR: f32 = 1e-3;

/// Eight rays with their nearest hit so far. Directions need not be unit: `t` is in units of the direction,
/// which makes it the z-depth for camera rays.
#[repr(C, align(64))]
#[derive(Debug, Clone)]
pub(super) struct Packet {
    pub(super) o: [[f32; LANES]; 3],
    pub(super) d: [[f32; LANES]; 3],
    pub(super) inv: [[f32; LANES]; 3],
    /// In: how far to look (negative: lane unused). Out: nearest hit, or unchanged.
    pub(super) t: [f32; LANES],
    pub(super) id: [u32; LANES],
}

impl Packet {
    pub(super) fn new() -> Self {
        Self { o: [[0.0; LANES]; 3], d: [[1.0; LANES]; 3], inv: [[1.0; LANES]; 3], t: [-1.0; LANES], id: [NONE; LANES] }
    }
    #[inline(always)]
    pub(super) fn set(&mut self, lane: usize, o: V3, d: V3, reach: f32) {
        for k in 0..3 {
            self.o[k][lane] = o.axis(k);
            self.d[k][lane] = d.axis(k);
            self.inv[k][lane] = safe_inverse(d.axis(k));
        }
        self.t[lane] = reach;
        self.id[lane] = NONE;
    }
}

#[inline(always)]
fn safe_inverse(d: f32) -> f32 {
    let d = if d.abs() < 1e-9 { 1e-9 } else { d };
    1.0 / d
}

/// Kinds of solid; sizes are in `Prim::half`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// Half extents.
    Block,
    /// Semi-axes.
    Ellipsoid,
    /// Around the local y axis: bottom radius, half height, top radius.
    Frustum,
}

/// One solid.
#[derive(Debug, Clone, Copy)]
pub(super) struct Prim {
    pub(super) shape: Shape,
    pub(super) centre: V3,
    pub(super) half: V3,
    pub(super) axes: Axes,
    pub(super) aligned: bool,
    /// Texture follows world coordinates, so that neighbouring pieces of a wall match.
    pub(super) world_uv: bool,
    /// Lamp fittings let their own light pass.
    pub(super) casts_shadow: bool,
    pub(super) material: u16,
}

/// Where a texture is looked up: metres along the surface, and position within the face (0 to 1).
#[derive(Debug, Clone, Copy)]
pub(super) struct Uv {
    pub(super) u: f32,
    pub(super) v: f32,
    pub(super) face_u: f32,
    pub(super) face_v: f32,
}

impl Prim {
    /// Bounding half extents in the local frame.
    fn local_extent(&self) -> V3 {
        match self.shape {
            Shape::Block | Shape::Ellipsoid => self.half,
            Shape::Frustum => {
                let r = self.half.x.max(self.half.z);
                v3(r, self.half.y, r)
            }
        }
    }

    /// World bounding box.
    pub(super) fn bounds(&self) -> (V3, V3) {
        let e = self.local_extent();
        let [a, b, c] = self.axes.0;
        let reach = |k: usize| {
            if self.shape == Shape::Ellipsoid {
                let (p, q, s) = (a.axis(k) * e.x, b.axis(k) * e.y, c.axis(k) * e.z);
                (p * p + q * q + s * s).sqrt()
            } else {
                a.axis(k).abs() * e.x + b.axis(k).abs() * e.y + c.axis(k).abs() * e.z
            }
        };
        let r = v3(reach(0), reach(1), reach(2)) + splat(1e-5);
        (self.centre - r, self.centre + r)
    }

    /// Distance from a point to the (boxed) solid; 0 inside.
    pub(super) fn distance(&self, p: V3) -> f32 {
        let l = self.axes.to_local(p - self.centre);
        let e = self.local_extent();
        v3((l.x.abs() - e.x).max(0.0), (l.y.abs() - e.y).max(0.0), (l.z.abs() - e.z).max(0.0)).length()
    }

    /// True if the point is inside the solid itself.
    #[cfg(test)]
    pub(super) fn contains(&self, p: V3) -> bool {
        let l = self.axes.to_local(p - self.centre);
        match self.shape {
            Shape::Block => l.x.abs() < self.half.x && l.y.abs() < self.half.y && l.z.abs() < self.half.z,
            Shape::Ellipsoid => {
                let q = v3(l.x / self.half.x, l.y / self.half.y, l.z / self.half.z);
                q.dot(q) < 1.0
            }
            Shape::Frustum => {
                let r = 0.5 * (self.half.x + self.half.z) + (self.half.z - self.half.x) / (2.0 * self.half.y) * l.y;
                l.y.abs() < self.half.y && l.x * l.x + l.z * l.z < r * r
            }
        }
    }

    /// The same solid after a rigid motion.
    pub(super) fn moved(&self, axes: Axes, origin: V3) -> Self {
        let mut turned = axes.then(self.axes);
        let mut half = self.half;
        if self.shape == Shape::Block && turned.0[1] == v3(0.0, 1.0, 0.0) {
            // A block turned by quarters is an aligned block, which is cheaper to hit.
            let x = turned.0[0];
            if x.z.abs() == 1.0 {
                half = v3(half.z, half.y, half.x);
            }
            if x.z.abs() == 1.0 || x.x.abs() == 1.0 {
                turned = Axes::IDENTITY;
            }
        }
        let aligned = turned == Axes::IDENTITY;
        Self { centre: origin + axes.to_world(self.centre), half, axes: turned, aligned, ..*self }
    }

    /// Outward normal at a point of the surface.
    #[inline]
    pub(super) fn normal(&self, x: V3) -> V3 {
        let l = self.axes.to_local(x - self.centre);
        let n = match self.shape {
            Shape::Block => block_face(l, self.half),
            Shape::Ellipsoid => v3(
                l.x / (self.half.x * self.half.x),
                l.y / (self.half.y * self.half.y),
                l.z / (self.half.z * self.half.z),
            )
            .unit(),
            Shape::Frustum => {
                let h = self.half.y;
                let slope = (self.half.z - self.half.x) / (2.0 * h);
                let radius = 0.5 * (self.half.x + self.half.z) + slope * l.y;
                let side = (radius - (l.x * l.x + l.z * l.z).sqrt()).abs();
                if h - l.y.abs() < side { v3(0.0, l.y.signum(), 0.0) } else { v3(l.x, -slope * radius, l.z).unit() }
            }
        };
        self.axes.to_world(n)
    }

    /// Texture coordinates at a point of the surface with normal `n`.
    #[inline]
    pub(super) fn uv(&self, x: V3, n: V3) -> Uv {
        let l = self.axes.to_local(x - self.centre);
        let h = self.half;
        let face = |a: f32, e: f32| (a / e * 0.5 + 0.5).clamp(0.0, 1.0);
        match self.shape {
            Shape::Block => {
                let f = self.axes.to_local(n);
                let c = if self.world_uv { x } else { l };
                let (a, b) = (f.x.abs(), f.y.abs());
                if a > 0.5 && a >= b {
                    Uv { u: c.z + 7.0, v: c.y, face_u: face(l.z, h.z), face_v: face(l.y, h.y) }
                } else if b > 0.5 {
                    Uv { u: c.x, v: c.z + 3.0, face_u: face(l.x, h.x), face_v: face(l.z, h.z) }
                } else {
                    Uv { u: c.x + 11.0, v: c.y, face_u: face(l.x, h.x), face_v: face(l.y, h.y) }
                }
            }
            Shape::Ellipsoid => {
                let a = atan2(l.z / h.z, l.x / h.x);
                let e = asin(l.y / h.y);
                let r = 0.5 * (h.x + h.z);
                Uv { u: a * r, v: e * h.y, face_u: a * (0.5 * FRAC_1_PI) + 0.5, face_v: e * FRAC_1_PI + 0.5 }
            }
            Shape::Frustum => {
                let a = atan2(l.z, l.x);
                if self.axes.to_local(n).y.abs() > 0.98 {
                    Uv { u: l.x, v: l.z, face_u: face(l.x, h.x.max(h.z)), face_v: face(l.z, h.x.max(h.z)) }
                } else {
                    let r = h.x.max(h.z);
                    Uv { u: a * r, v: l.y, face_u: a * (0.5 * FRAC_1_PI) + 0.5, face_v: face(l.y, h.y) }
                }
            }
        }
    }

    /// Shortens the rays of the packet that hit this solid.
    #[inline(always)]
    pub(super) fn intersect(&self, id: u32, rays: &mut Packet) {
        match (self.shape, self.aligned) {
            (Shape::Block, true) => self.aligned_block(id, rays),
            (Shape::Block, false) => self.with_local_rays(id, rays, |h, o, d| {
                let i = [safe_inverse(d[0]), safe_inverse(d[1]), safe_inverse(d[2])];
                block(h, o, i)
            }),
            (Shape::Ellipsoid, _) => self.with_local_rays(id, rays, ellipsoid),
            (Shape::Frustum, _) => self.with_local_rays(id, rays, frustum),
        }
    }

    #[inline(always)]
    fn aligned_block(&self, id: u32, rays: &mut Packet) {
        let (c, h) = (self.centre, [self.half.x, self.half.y, self.half.z]);
        let mut t = rays.t;
        let mut ids = rays.id;
        for i in 0..LANES {
            let o = [rays.o[0][i] - c.x, rays.o[1][i] - c.y, rays.o[2][i] - c.z];
            let hit = block(h, o, [rays.inv[0][i], rays.inv[1][i], rays.inv[2][i]]);
            let closer = (hit > NEAR) & (hit < t[i]);
            t[i] = if closer { hit } else { t[i] };
            ids[i] = if closer { id } else { ids[i] };
        }
        rays.t = t;
        rays.id = ids;
    }

    #[inline(always)]
    fn with_local_rays(&self, id: u32, rays: &mut Packet, hit: impl Fn([f32; 3], [f32; 3], [f32; 3]) -> f32) {
        let c = self.centre;
        let [a, b, e] = self.axes.0;
        let h = [self.half.x, self.half.y, self.half.z];
        let mut t = rays.t;
        let mut ids = rays.id;
        for i in 0..LANES {
            let (x, y, z) = (rays.o[0][i] - c.x, rays.o[1][i] - c.y, rays.o[2][i] - c.z);
            let (u, v, w) = (rays.d[0][i], rays.d[1][i], rays.d[2][i]);
            let o = [a.x * x + a.y * y + a.z * z, b.x * x + b.y * y + b.z * z, e.x * x + e.y * y + e.z * z];
            let d = [a.x * u + a.y * v + a.z * w, b.x * u + b.y * v + b.z * w, e.x * u + e.y * v + e.z * w];
            let q = hit(h, o, d);
            let closer = (q > NEAR) & (q < t[i]);
            t[i] = if closer { q } else { t[i] };
            ids[i] = if closer { id } else { ids[i] };
        }
        rays.t = t;
        rays.id = ids;
    }
}

#[inline(always)]
fn lesser(a: f32, b: f32) -> f32 {
    if a < b { a } else { b }
}
#[inline(always)]
fn greater(a: f32, b: f32) -> f32 {
    if a > b { a } else { b }
}

#[inline(always)]
fn block_face(l: V3, h: V3) -> V3 {
    let (dx, dy, dz) = ((l.x.abs() - h.x).abs(), (l.y.abs() - h.y).abs(), (l.z.abs() - h.z).abs());
    if dx <= dy && dx <= dz {
        v3(l.x.signum(), 0.0, 0.0)
    } else if dy <= dz {
        v3(0.0, l.y.signum(), 0.0)
    } else {
        v3(0.0, 0.0, l.z.signum())
    }
}

#[inline(always)]
fn block(h: [f32; 3], o: [f32; 3], inv: [f32; 3]) -> f32 {
    let mut near = -FAR;
    let mut far = FAR;
    for k in 0..3 {
        let a = (-h[k] - o[k]) * inv[k];
        let b = (h[k] - o[k]) * inv[k];
        near = greater(near, lesser(a, b));
        far = lesser(far, greater(a, b));
    }
    if near <= far { near } else { FAR }
}

#[inline(always)]
fn ellipsoid(h: [f32; 3], o: [f32; 3], d: [f32; 3]) -> f32 {
    let (o0, o1, o2) = (o[0] / h[0], o[1] / h[1], o[2] / h[2]);
    let (d0, d1, d2) = (d[0] / h[0], d[1] / h[1], d[2] / h[2]);
    let a = d0 * d0 + d1 * d1 + d2 * d2;
    let b = o0 * d0 + o1 * d1 + o2 * d2;
    let c = o0 * o0 + o1 * o1 + o2 * o2 - 1.0;
    let disc = b * b - a * c;
    let t = (-b - greater(disc, 0.0).sqrt()) / a;
    if disc > 0.0 { t } else { FAR }
}

#[inline(always)]
fn frustum(h: [f32; 3], o: [f32; 3], d: [f32; 3]) -> f32 {
    let slope = (h[2] - h[0]) / (2.0 * h[1]);
    let radius = 0.5 * (h[0] + h[2]) + slope * o[1];
    let a = d[0] * d[0] + d[2] * d[2] - slope * slope * d[1] * d[1];
    let b = o[0] * d[0] + o[2] * d[2] - slope * d[1] * radius;
    let c = o[0] * o[0] + o[2] * o[2] - radius * radius;
    let disc = b * b - a * c;
    let root = greater(disc, 0.0).sqrt();
    let ia = safe_inverse(a);
    let side = |t: f32| {
        let y = o[1] + t * d[1];
        if (disc > 0.0) & (y.abs() <= h[1]) & (t > NEAR) { t } else { FAR }
    };
    let cap = |y: f32, r: f32| {
        let t = (y - o[1]) * safe_inverse(d[1]);
        let (x, z) = (o[0] + t * d[0], o[2] + t * d[2]);
        if (x * x + z * z <= r * r) & (t > NEAR) { t } else { FAR }
    };
    let sides = lesser(side((-b - root) * ia), side((-b + root) * ia));
    let caps = lesser(cap(-h[1], h[0]), cap(h[1], h[2]));
    lesser(sides, caps)
}

#[cfg(test)]
mod tests {
    use super::super::math::Rng;
    use super::*;

    fn solid(shape: Shape, r: &mut Rng) -> Prim {
        let half = v3(r.range(0.1, 0.6), r.range(0.1, 0.6), r.range(0.1, 0.6));
        let axes = if r.chance(0.3) { Axes::IDENTITY } else { Axes::random(r) };
        Prim {
            shape,
            centre: v3(r.range(-1.0, 1.0), r.range(-1.0, 1.0), r.range(-1.0, 1.0)),
            half,
            axes,
            aligned: axes == Axes::IDENTITY,
            world_uv: false,
            casts_shadow: true,
            material: 0,
        }
    }

    #[test]
    fn nearest_hit_is_where_a_marching_ray_first_enters_the_solid() {
        let mut r = Rng::new(7);
        let mut hits = 0;
        for case in 0..600 {
            let shape = [Shape::Block, Shape::Ellipsoid, Shape::Frustum][case % 3];
            let p = solid(shape, &mut r);
            let o = Axes::random(&mut r).0[0] * 4.0;
            let d = (p.centre - o) * 0.25 + v3(r.normal(), r.normal(), r.normal()) * 0.08;
            let mut rays = Packet::new();
            rays.set(0, o, d, FAR);
            p.intersect(3, &mut rays);
            let step = 0.002;
            let marched = (0..4000).map(|k| k as f32 * step).find(|&t| p.contains(o + d * t));
            match marched {
                Some(t) => {
                    assert_eq!(rays.id[0], 3, "case {case}: {p:?}");
                    assert!((rays.t[0] - t).abs() <= 1.5 * step, "case {case}: {} against {t}", rays.t[0]);
                    let n = p.normal(o + d * rays.t[0]);
                    assert!(n.dot(d) < 1e-3 && (n.length() - 1.0).abs() < 1e-4, "case {case}: normal {n:?}");
                    hits += 1;
                }
                None => assert!(
                    rays.id[0] == NONE || p.distance(o + d * rays.t[0]) < 1e-3,
                    "case {case}: a hit off the solid"
                ),
            }
        }
        assert!(hits > 300);
    }
}

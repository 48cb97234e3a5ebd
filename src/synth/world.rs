//! A synthetic world: solids, materials, lights, and where a camera may be.

use super::bvh::Bvh;
use super::math::{Axes, Rng, V3, sin_cos, smooth, splat, v3};
use super::noise::fbm;
use super::shape::{FAR, LANES, NONE, Packet, Prim, Shape};
use super::texture::{Material, Texture};

/// A light that shines on surfaces.
#[derive(Debug, Clone, Copy)]
pub(super) enum Light {
    /// A glowing ball; light reaches `reach` metres.
    Ball { centre: V3, radius: f32, colour: V3, reach: f32 },
    /// A glowing rectangle (a window, a ceiling panel) that shines along `normal`.
    Panel { centre: V3, u: V3, v: V3, normal: V3, colour: V3, reach: f32 },
    /// The sun; `spread` is the tangent of its half angle.
    Sun { direction: V3, colour: V3, spread: f32 },
}

impl Light {
    /// True if its shadows have sharp edges.
    pub(super) fn is_hard(&self) -> bool {
        match self {
            Self::Ball { radius, .. } => *radius < 0.03,
            Self::Panel { .. } => false,
            Self::Sun { spread, .. } => *spread < 0.02,
        }
    }

    /// Two directions across that of the sun.
    #[inline]
    pub(super) fn across_sun(direction: V3) -> (V3, V3) {
        let side = direction.cross(v3(0.31, 0.2, 0.93)).unit();
        (side, direction.cross(side))
    }

    /// Vector to a point of the light, and the colour arriving from there without obstacles.
    #[inline]
    pub(super) fn sample(&self, p: V3, n: V3, u: f32, v: f32) -> (V3, V3) {
        match *self {
            Self::Ball { centre, radius, colour, reach } => {
                let to = centre - p;
                let d2 = to.dot(to);
                if d2 > reach * reach {
                    return (to, V3::ZERO);
                }
                let cos = n.dot(to) / d2.sqrt().max(1e-4);
                let fade = 1.0 - d2 / (reach * reach);
                let strength = cos.max(0.0) * fade * fade / (d2 + 0.3);
                let jitter = v3(2.0 * u - 1.0, (u + v) - 1.0, 2.0 * v - 1.0) * radius;
                (to + jitter, colour * strength)
            }
            Self::Panel { centre, u: a, v: b, normal, colour, reach } => {
                let to = centre - p;
                let d2 = to.dot(to);
                if d2 > reach * reach {
                    return (to, V3::ZERO);
                }
                let d = d2.sqrt().max(1e-4);
                // Softened cosines: a panel is large and still shines on surfaces at its side.
                let leave = ((-normal.dot(to) / d) * 0.9 + 0.1).max(0.0);
                let arrive = ((n.dot(to) / d) * 0.85 + 0.15).max(0.0);
                let fade = 1.0 - d2 / (reach * reach);
                let to = to + a * (2.0 * u - 1.0) + b * (2.0 * v - 1.0);
                (to, colour * (leave * arrive * fade * fade / (d2 + 0.6)))
            }
            Self::Sun { direction, colour, spread } => {
                let cos = n.dot(direction).max(0.0);
                let (side, other) = Self::across_sun(direction);
                let to = direction + (side * (2.0 * u - 1.0) + other * (2.0 * v - 1.0)) * spread;
                (to * 80.0, colour * cos)
            }
        }
    }
}

/// Sky colour in a direction.
#[derive(Debug, Clone, Copy)]
pub(super) struct Sky {
    pub(super) horizon: V3,
    pub(super) zenith: V3,
    /// Share of the sky under clouds.
    pub(super) clouds: f32,
    pub(super) seed: u32,
}

impl Sky {
    pub(super) fn random(r: &mut Rng) -> Self {
        let grey = r.unit();
        Self {
            horizon: v3(0.85, 0.9, 1.0).mix(v3(1.0, 0.85, 0.7), r.unit() * r.unit()) * r.range(0.8, 1.5),
            zenith: v3(0.16, 0.36, 0.85).mix(splat(0.7), grey) * r.range(0.7, 1.2),
            clouds: r.range(0.0, 0.8),
            seed: r.next() as u32,
        }
    }
    pub(super) fn colour(&self, d: V3) -> V3 {
        let d = d.unit();
        let up = d.y.max(0.0);
        let c = self.horizon.mix(self.zenith, smooth(0.0, 0.7, up));
        if up < 0.02 || self.clouds < 0.05 {
            return c;
        }
        let (x, z) = (d.x / (up + 0.1) * 1.3, d.z / (up + 0.1) * 1.3);
        let cover = smooth(0.75 - 0.5 * self.clouds, 1.0 - 0.4 * self.clouds, fbm(x, z, self.seed, 0.02));
        c.mix(self.horizon * 1.05, cover * smooth(0.02, 0.2, up))
    }
}

/// An axis-aligned part of the ground plan where a camera may walk.
#[derive(Debug, Clone, Copy)]
pub(super) struct Area {
    pub(super) x: [f32; 2],
    pub(super) z: [f32; 2],
}

impl Area {
    pub(super) fn contains(&self, x: f32, z: f32, margin: f32) -> bool {
        x >= self.x[0] + margin && x <= self.x[1] - margin && z >= self.z[0] + margin && z <= self.z[1] - margin
    }
    pub(super) fn size(&self) -> f32 {
        (self.x[1] - self.x[0]) * (self.z[1] - self.z[0])
    }
}

/// A rigid thing that slides to and fro between two ground points.
#[derive(Debug, Clone)]
pub(super) struct Mover {
    /// Solids around the origin, standing on the ground.
    pub(super) prims: Vec<Prim>,
    pub(super) from: V3,
    pub(super) to: V3,
    /// Share of the way per frame.
    pub(super) speed: f32,
    pub(super) phase: f32,
    pub(super) turn: f32,
    pub(super) bounce: f32,
}

impl Mover {
    /// Orientation and origin at a frame.
    pub(super) fn placement(&self, frame: usize) -> (Axes, V3) {
        let cycle = self.phase + self.speed * frame as f32;
        let saw = cycle - 2.0 * (cycle * 0.5).floor();
        let share = if saw < 1.0 { saw } else { 2.0 - saw };
        let (hop, _) = sin_cos(frame as f32 * 0.9);
        let origin = self.from.mix(self.to, share) + v3(0.0, self.bounce * hop.abs(), 0.0);
        let way = self.to - self.from;
        let heading = super::math::atan2(way.x, way.z) + self.turn * frame as f32;
        (Axes::yaw(heading), origin)
    }
}

/// Everything of a world that the camera and the renderer need.
#[derive(Debug, Clone)]
pub(super) struct World {
    pub(super) solids: Bvh,
    pub(super) materials: Vec<Material>,
    pub(super) lights: Vec<Light>,
    pub(super) ambient_up: V3,
    pub(super) ambient_down: V3,
    /// How far surroundings darken a surface, metres.
    pub(super) occlusion_reach: f32,
    pub(super) sky: Sky,
    pub(super) areas: Vec<Area>,
    /// Camera heights above the ground.
    pub(super) heights: [f32; 2],
    /// What cameras should look at, if the world is about one thing.
    pub(super) focus: Option<V3>,
    /// Camera distance from the focus.
    pub(super) focus_distance: [f32; 2],
    /// Share of the camera's motions that circle the focus.
    pub(super) circling: f32,
    pub(super) mover: Option<Mover>,
    /// Depths of interest reach this far, metres; what lies beyond is backdrop.
    pub(super) range: f32,
    /// Least share of a view that lies within `range`.
    pub(super) least_within: f32,
    /// Under the open sky: there are no surroundings.
    pub(super) open: bool,
    /// Scale of camera motion.
    pub(super) pace: f32,
}

impl World {
    /// Nearest hit of a single ray.
    pub(super) fn look(&self, o: V3, d: V3) -> (f32, u32) {
        let mut rays = Packet::new();
        rays.set(0, o, d, FAR);
        self.solids.trace(&mut rays);
        (rays.t[0], rays.id[0])
    }
    /// True if a point belongs to the world itself rather than to its surroundings.
    pub(super) fn is_inside(&self, p: V3) -> bool {
        self.open || self.areas.iter().any(|a| a.contains(p.x, p.z, -0.2))
    }
    /// True if the camera may be at this point.
    pub(super) fn is_free(&self, p: V3, margin: f32) -> bool {
        self.areas.iter().any(|a| a.contains(p.x, p.z, 0.0)) && self.solids.clear(p, margin)
    }
    /// Visibility of points from an eye; the list is at most one packet long.
    pub(super) fn visible(&self, eye: V3, points: &[V3]) -> [bool; LANES] {
        let mut rays = Packet::new();
        for (lane, p) in points.iter().enumerate().take(LANES) {
            rays.set(lane, eye, *p - eye, 0.995);
        }
        self.solids.trace(&mut rays);
        rays.id.map(|id| id == NONE)
    }
}

/// Collects solids and materials. Solids are placed relative to the current frame.
#[derive(Debug, Default)]
pub(super) struct Builder {
    pub(super) prims: Vec<Prim>,
    pub(super) materials: Vec<Material>,
    pub(super) lights: Vec<Light>,
}

/// Index of a material.
pub(super) type Mat = u16;

impl Builder {
    pub(super) fn material(&mut self, m: Material) -> Mat {
        self.materials.push(m);
        (self.materials.len() - 1) as Mat
    }
    pub(super) fn any(&mut self, r: &mut Rng, textures: &[Texture]) -> Mat {
        let m = Material::random(r, textures);
        self.material(m)
    }
    /// Part of the building: axis-aligned, textured in world coordinates.
    pub(super) fn slab(&mut self, lo: V3, hi: V3, material: Mat) {
        if hi.x - lo.x < 1e-3 || hi.y - lo.y < 1e-3 || hi.z - lo.z < 1e-3 {
            return;
        }
        let mut p = solid(Shape::Block, (lo + hi) * 0.5, (hi - lo) * 0.5, material);
        p.world_uv = true;
        self.prims.push(p);
    }
    pub(super) fn place(&mut self, group: &Group, axes: Axes, origin: V3) {
        self.prims.extend(group.prims.iter().map(|p| p.moved(axes, origin)));
    }
}

fn solid(shape: Shape, centre: V3, half: V3, material: Mat) -> Prim {
    Prim { shape, centre, half, axes: Axes::IDENTITY, aligned: true, world_uv: false, casts_shadow: true, material }
}

/// Solids of one object in its own frame: on the ground, front towards +z.
#[derive(Debug, Clone, Default)]
pub(super) struct Group {
    pub(super) prims: Vec<Prim>,
}

impl Group {
    pub(super) fn block(&mut self, centre: V3, half: V3, material: Mat) {
        self.prims.push(solid(Shape::Block, centre, half, material));
    }
    pub(super) fn turned_block(&mut self, centre: V3, half: V3, axes: Axes, material: Mat) {
        self.prims.push(solid(Shape::Block, V3::ZERO, half, material).moved(axes, centre));
    }
    pub(super) fn ball(&mut self, centre: V3, half: V3, material: Mat) {
        self.prims.push(solid(Shape::Ellipsoid, centre, half, material));
    }
    pub(super) fn turned_ball(&mut self, centre: V3, half: V3, axes: Axes, material: Mat) {
        self.prims.push(solid(Shape::Ellipsoid, V3::ZERO, half, material).moved(axes, centre));
    }
    /// Upright from `base`, with bottom and top radius.
    pub(super) fn frustum(&mut self, base: V3, height: f32, bottom: f32, top: f32, material: Mat) {
        let half = v3(bottom, 0.5 * height, top);
        self.prims.push(solid(Shape::Frustum, base + v3(0.0, 0.5 * height, 0.0), half, material));
    }
    /// A rod between two points.
    pub(super) fn rod(&mut self, a: V3, b: V3, bottom: f32, top: f32, material: Mat) {
        let y = (b - a).unit();
        let helper = if y.y.abs() < 0.9 { v3(0.0, 1.0, 0.0) } else { v3(1.0, 0.0, 0.0) };
        let x = y.cross(helper).unit();
        let axes = Axes([x, y, x.cross(y)]);
        let half = v3(bottom, 0.5 * (b - a).length(), top);
        self.prims.push(solid(Shape::Frustum, V3::ZERO, half, material).moved(axes, (a + b) * 0.5));
    }
    /// The last solid no longer throws a shadow (a lamp around its light).
    pub(super) fn unshadow_last(&mut self) {
        if let Some(p) = self.prims.last_mut() {
            p.casts_shadow = false;
        }
    }
    pub(super) fn add(&mut self, other: &Self, axes: Axes, origin: V3) {
        self.prims.extend(other.prims.iter().map(|p| p.moved(axes, origin)));
    }
    /// Bounding box in its own frame.
    pub(super) fn bounds(&self) -> (V3, V3) {
        self.prims.iter().map(Prim::bounds).fold((splat(FAR), splat(-FAR)), |s, b| (s.0.min(b.0), s.1.max(b.1)))
    }
}

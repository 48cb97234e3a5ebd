//! Ray casting of one frame: primary rays, light with shadows and one approximate bounce, supersampling.
//!
//! Light is computed once per pixel with interleaved 4x4 samples and smoothed over 4x4 pixels of the same
//! surface; textures are sampled more often; only pixels on edges get more primary rays.

use super::bvh::Bvh;
use super::camera::{Camera, FARTHEST, Lens};
use super::math::{Rng, V3, sin_cos, v3};
use super::shape::{FAR, LANES, NONE, Packet, Prim};
use super::texture::Material;
use super::world::{Light, World};

/// Samples per pixel of each kind.
#[derive(Debug, Clone, Copy)]
pub(super) struct Samples {
    /// Texture look-ups inside a surface: 2 or 4.
    pub(super) texture: usize,
    /// Further primary rays of an edge pixel.
    pub(super) edge: usize,
    /// Light passes.
    pub(super) light: usize,
    /// Shadow rays per light pass: the sun (if any) and the strongest others.
    pub(super) shadows: usize,
}

#[derive(Debug, Clone, Copy)]
struct Surface {
    position: V3,
    normal: V3,
    id: u32,
    z: f32,
}

#[derive(Debug, Clone, Copy, Default)]
struct Shade {
    soft: V3,
    hard: V3,
    sheen: V3,
}

/// One rendered frame before the camera's own defects.
#[derive(Debug, Default)]
pub(super) struct Image {
    pub(super) linear: Vec<V3>,
    /// Depth along the optical axis; `FAR` where there is only sky.
    pub(super) z: Vec<f32>,
    pub(super) moving: Vec<bool>,
}

/// Offsets of texture samples within a pixel.
const TEXTURE_OFFSETS: [(f32, f32); 4] = [(-0.25, -0.2), (0.25, 0.2), (0.22, -0.27), (-0.22, 0.27)];
/// Offsets of the further rays of an edge pixel.
const EDGE_OFFSETS: [(f32, f32); 7] =
    [(-0.31, -0.12), (0.12, -0.34), (0.27, 0.29), (-0.14, 0.36), (0.38, -0.05), (-0.38, 0.2), (-0.05, -0.42)];
/// Order in which the 4x4 pixels of a tile take their light samples.
const INTERLEAVE: [u8; 16] = [0, 11, 6, 13, 9, 2, 15, 4, 7, 12, 1, 10, 14, 5, 8, 3];

/// Renders frames of one world; buffers are kept between frames.
pub(super) struct Renderer<'a> {
    world: &'a World,
    lens: Lens,
    samples: Samples,
    moving: Bvh,
    surfaces: Vec<Option<Surface>>,
    shades: Vec<Shade>,
    light: Vec<Shade>,
}

impl<'a> Renderer<'a> {
    pub(super) fn new(world: &'a World, lens: Lens, samples: Samples) -> Self {
        let n = lens.width * lens.height;
        Self {
            world,
            lens,
            samples,
            moving: Bvh::new(Vec::new(), 0),
            surfaces: vec![None; n],
            shades: vec![Shade::default(); n],
            light: vec![Shade::default(); n],
        }
    }

    /// Renders the world at a frame as a camera sees it.
    pub(super) fn render(&mut self, camera: &Camera, frame: usize, seed: u64, image: &mut Image) {
        let offset = self.world.solids.prims.len() as u32;
        if let Some(m) = &self.world.mover {
            let (axes, origin) = m.placement(frame);
            self.moving = Bvh::new(m.prims.iter().map(|p| p.moved(axes, origin)).collect(), offset);
        }
        self.primary(camera);
        self.shades.fill(Shade::default());
        let mut r = Rng::new(seed);
        for _ in 0..self.samples.light {
            let shift = [r.unit(), r.unit(), r.unit(), r.unit()];
            self.illuminate(camera, shift);
        }
        self.smooth_light();
        self.resolve(camera, image);
        image.z.clear();
        image.z.extend(self.surfaces.iter().map(|s| s.map_or(FAR, |s| s.z)));
        image.moving.clear();
        image.moving.extend(self.surfaces.iter().map(|s| s.is_some_and(|s| s.id >= offset && s.z < FARTHEST)));
    }

    #[inline]
    fn prim(&self, id: u32) -> &Prim {
        let n = self.world.solids.prims.len();
        let i = id as usize;
        if i < n { &self.world.solids.prims[i] } else { &self.moving.prims[i - n] }
    }

    #[inline]
    fn material(&self, id: u32) -> &Material {
        &self.world.materials[usize::from(self.prim(id).material)]
    }

    fn trace(&self, rays: &mut Packet) {
        self.world.solids.trace(rays);
        self.moving.trace(rays);
    }

    fn surface(&self, camera: &Camera, ray: V3, t: f32, id: u32) -> Surface {
        let position = camera.position + ray * t;
        Surface { position, normal: self.prim(id).normal(position), id, z: t }
    }

    fn primary(&mut self, camera: &Camera) {
        let (w, h) = (self.lens.width, self.lens.height);
        for y0 in (0..h).step_by(2) {
            for x0 in (0..w).step_by(4) {
                let mut rays = Packet::new();
                let pixel = |lane: usize| (x0 + lane % 4, y0 + lane / 4);
                for lane in 0..LANES {
                    let (x, y) = pixel(lane);
                    if x < w && y < h {
                        rays.set(lane, camera.position, camera.ray(&self.lens, x as f32, y as f32), FAR);
                    }
                }
                self.trace(&mut rays);
                for lane in 0..LANES {
                    let (x, y) = pixel(lane);
                    if x < w && y < h {
                        let ray = v3(rays.d[0][lane], rays.d[1][lane], rays.d[2][lane]);
                        self.surfaces[y * w + x] =
                            (rays.id[lane] != NONE).then(|| self.surface(camera, ray, rays.t[lane], rays.id[lane]));
                    }
                }
            }
        }
    }

    /// One pass of light over the image. Packets gather pixels with the same sample, so their rays are alike.
    fn illuminate(&mut self, camera: &Camera, shift: [f32; 4]) {
        let (w, h) = (self.lens.width, self.lens.height);
        let mut batch: Vec<usize> = Vec::with_capacity(LANES);
        for y in 0..h {
            for phase in 0..4 {
                let k = usize::from(INTERLEAVE[(y % 4) * 4 + phase]);
                let fract = |x: f32| x - x.floor();
                let at = |s: f32, i: usize| fract((i as f32 + 0.5) * 0.25 + s);
                let (u, v) = (at(shift[0], k % 4), at(shift[1], k / 4));
                let (a, b) = (at(shift[2], k / 4), at(shift[3], k % 4));
                for x in (phase..w).step_by(4) {
                    if self.surfaces[y * w + x].is_some() {
                        batch.push(y * w + x);
                    }
                    if batch.len() == LANES || (x + 4 >= w && !batch.is_empty()) {
                        self.light_batch(camera, &batch, [u, v], [a, b]);
                        batch.clear();
                    }
                }
            }
        }
    }

    fn light_batch(&mut self, camera: &Camera, batch: &[usize], at_light: [f32; 2], at_sky: [f32; 2]) {
        let weight = 1.0 / self.samples.light as f32;
        let slots = self.samples.shadows.min(3);
        let mut shadow = [Packet::new(), Packet::new(), Packet::new()];
        let mut arriving = [[(V3::ZERO, false); LANES]; 3];
        let mut bounce = Packet::new();
        let (sin, cos) = sin_cos(std::f32::consts::TAU * at_sky[0]);
        let radius = at_sky[1].sqrt();
        let local = [radius * cos, radius * sin, (1.0 - at_sky[1]).max(0.0).sqrt()];
        for (lane, &i) in batch.iter().enumerate() {
            let Some(s) = self.surfaces[i] else { continue };
            let origin = s.position + s.normal * (0.002 + 0.0005 * s.z);
            let mut ranked = [(0.0f32, V3::ZERO, V3::ZERO, false); 3];
            for light in &self.world.lights {
                let (to, colour) = light.sample(s.position, s.normal, at_light[0], at_light[1]);
                let rank = colour.luminance() + if matches!(light, Light::Sun { .. }) { 100.0 } else { 0.0 };
                if colour.luminance() <= 1e-4 {
                    continue;
                }
                let mut entry = (rank, to, colour, light.is_hard());
                for slot in ranked.iter_mut().take(slots) {
                    if entry.0 > slot.0 {
                        std::mem::swap(&mut entry, slot);
                    }
                }
            }
            for (k, (rank, to, colour, hard)) in ranked.into_iter().enumerate() {
                if rank > 0.0 {
                    shadow[k].set(lane, origin, to, 0.999);
                    arriving[k][lane] = (colour, hard);
                }
            }
            let n = s.normal;
            let helper = if n.y.abs() < 0.9 { v3(0.0, 1.0, 0.0) } else { v3(1.0, 0.0, 0.0) };
            let tangent = helper.cross(n).unit();
            let d = tangent * local[0] + n.cross(tangent) * local[1] + n * local[2];
            bounce.set(lane, origin, d, self.world.occlusion_reach);
        }
        for packet in shadow.iter_mut().take(slots) {
            self.world.solids.occlude(packet);
            self.moving.occlude(packet);
        }
        self.trace(&mut bounce);
        for (lane, &i) in batch.iter().enumerate() {
            let Some(s) = self.surfaces[i] else { continue };
            let gloss = self.material(s.id).gloss;
            let view = (camera.position - s.position).unit();
            let mut shade = Shade::default();
            for k in 0..slots {
                let (colour, hard) = arriving[k][lane];
                if shadow[k].t[lane] <= 0.0 {
                    continue;
                }
                if hard {
                    shade.hard += colour;
                } else {
                    shade.soft += colour;
                }
                if gloss > 0.0 {
                    let to = v3(shadow[k].d[0][lane], shadow[k].d[1][lane], shadow[k].d[2][lane]).unit();
                    let c = (to + view).unit().dot(s.normal).max(0.0);
                    let c = c * c * c * c;
                    let c = c * c * c * c;
                    shade.sheen += colour * (gloss * c * c * c);
                }
            }
            let up = bounce.d[1][lane] * 0.5 + 0.5;
            let ambient = self.world.ambient_down.mix(self.world.ambient_up, up);
            shade.soft += if bounce.id[lane] == NONE {
                ambient
            } else {
                // What is hit nearby is itself lit by some of the ambient light and passes on its colour.
                let share = bounce.t[lane] / self.world.occlusion_reach;
                let m = self.material(bounce.id[lane]);
                let back = m.mean() * (0.45 + m.emission);
                ambient.times(back.mix(v3(1.0, 1.0, 1.0), share * share) * (0.25 + 0.75 * share))
            };
            let sum = &mut self.shades[i];
            sum.soft += shade.soft * weight;
            sum.hard += shade.hard * weight;
            sum.sheen += shade.sheen * weight;
        }
    }

    /// Averages soft light over the 4x4 pixels that share the interleaved samples, within a surface; shadows with
    /// sharp edges are only smoothed against jagged steps.
    fn smooth_light(&mut self) {
        let (w, h) = (self.lens.width as isize, self.lens.height as isize);
        for y in 0..h {
            for x in 0..w {
                let i = (y * w + x) as usize;
                let Some(s) = self.surfaces[i] else { continue };
                let (mut soft, mut sheen, mut weight) = (V3::ZERO, V3::ZERO, 0.0);
                let (mut hard, mut hard_weight) = (V3::ZERO, 0.0);
                for yy in (y - 2).max(0)..(y + 2).min(h) {
                    for xx in (x - 2).max(0)..(x + 2).min(w) {
                        let j = (yy * w + xx) as usize;
                        let Some(o) = self.surfaces[j] else { continue };
                        let near = (o.position - s.position).dot(s.normal).abs() < 0.01 + 0.006 * s.z;
                        if s.normal.dot(o.normal) > 0.9 && near {
                            soft += self.shades[j].soft;
                            sheen += self.shades[j].sheen;
                            weight += 1.0;
                            let (dx, dy) = ((xx - x).abs(), (yy - y).abs());
                            if dx < 2 && dy < 2 {
                                let k = ((2 - dx) * (2 - dy)) as f32;
                                hard += self.shades[j].hard * k;
                                hard_weight += k;
                            }
                        }
                    }
                }
                let k = 1.0 / f32::max(weight, 1.0);
                self.light[i] = Shade { soft: soft * k, hard: hard / f32::max(hard_weight, 1.0), sheen: sheen * k };
            }
        }
    }

    fn shaded(&self, s: &Surface, at: V3, light: &Shade, ray: V3) -> V3 {
        let prim = self.prim(s.id);
        let m = self.material(s.id);
        let slant = (-ray.dot(s.normal) / ray.length()).clamp(0.3, 1.0);
        let footprint = 0.75 * s.z / self.lens.focal / slant;
        let c = m.reflectance(prim.uv(at, s.normal), footprint);
        c.times(light.soft + light.hard) + light.sheen + c * m.emission
    }

    fn is_edge(&self, x: usize, y: usize) -> bool {
        let (w, h) = (self.lens.width, self.lens.height);
        let here = &self.surfaces[y * w + x];
        let differs = |j: usize| match (here, &self.surfaces[j]) {
            (None, None) => false,
            (Some(a), Some(b)) => a.id != b.id || a.normal.dot(b.normal) < 0.85,
            _ => true,
        };
        (x > 0 && differs(y * w + x - 1))
            || (x + 1 < w && differs(y * w + x + 1))
            || (y > 0 && differs((y - 1) * w + x))
            || (y + 1 < h && differs((y + 1) * w + x))
    }

    /// Light of the pixel around `(x, y)` whose surface is most like `s`.
    fn borrowed_light(&self, x: usize, y: usize, s: &Surface) -> Option<Shade> {
        let (w, h) = (self.lens.width, self.lens.height);
        let mut best = None;
        let mut score = f32::NEG_INFINITY;
        for yy in y.saturating_sub(1)..(y + 2).min(h) {
            for xx in x.saturating_sub(1)..(x + 2).min(w) {
                let j = yy * w + xx;
                if let Some(o) = self.surfaces[j] {
                    let apart = (o.position - s.position).dot(s.normal).abs() / s.z.max(0.1);
                    let like = o.normal.dot(s.normal) - 10.0 * apart + if o.id == s.id { 0.5 } else { 0.0 };
                    if like > score {
                        score = like;
                        best = Some(self.light[j]);
                    }
                }
            }
        }
        best
    }

    fn resolve(&mut self, camera: &Camera, image: &mut Image) {
        let (w, h) = (self.lens.width, self.lens.height);
        image.linear.clear();
        image.linear.resize(w * h, V3::ZERO);
        let bound = |c: V3| c.min(v3(4.0, 4.0, 4.0));
        let mut jobs: Vec<(usize, usize, V3)> = Vec::with_capacity(LANES);
        let extra = self.samples.edge.min(EDGE_OFFSETS.len());
        for y in 0..h {
            for x in 0..w {
                let i = y * w + x;
                let ray = camera.ray(&self.lens, x as f32, y as f32);
                let edge = self.is_edge(x, y);
                image.linear[i] = match &self.surfaces[i] {
                    None => self.world.sky.colour(ray),
                    Some(s) if edge => bound(self.shaded(s, s.position, &self.light[i], ray)),
                    Some(s) => {
                        let mut sum = V3::ZERO;
                        let n = self.samples.texture.clamp(1, 4);
                        for &(dx, dy) in &TEXTURE_OFFSETS[..n] {
                            let ray = camera.ray(&self.lens, x as f32 + dx, y as f32 + dy);
                            let slope = ray.dot(s.normal);
                            let t =
                                if slope < -0.05 { (s.position - camera.position).dot(s.normal) / slope } else { s.z };
                            sum += bound(self.shaded(s, camera.position + ray * t, &self.light[i], ray));
                        }
                        sum / n as f32
                    }
                };
                if edge {
                    image.linear[i] = image.linear[i] / (extra + 1) as f32;
                    for &(dx, dy) in &EDGE_OFFSETS[..extra] {
                        jobs.push((x, y, camera.ray(&self.lens, x as f32 + dx, y as f32 + dy)));
                        if jobs.len() == LANES {
                            self.extra_rays(camera, &jobs, image, extra);
                            jobs.clear();
                        }
                    }
                }
            }
        }
        self.extra_rays(camera, &jobs, image, extra);
    }

    fn extra_rays(&self, camera: &Camera, jobs: &[(usize, usize, V3)], image: &mut Image, extra: usize) {
        if jobs.is_empty() {
            return;
        }
        let mut rays = Packet::new();
        for (lane, (_, _, ray)) in jobs.iter().enumerate() {
            rays.set(lane, camera.position, *ray, FAR);
        }
        self.trace(&mut rays);
        for (lane, &(x, y, ray)) in jobs.iter().enumerate() {
            let colour = if rays.id[lane] == NONE {
                self.world.sky.colour(ray)
            } else {
                let s = self.surface(camera, ray, rays.t[lane], rays.id[lane]);
                let light =
                    self.borrowed_light(x, y, &s).unwrap_or(Shade { soft: self.world.ambient_up, ..Shade::default() });
                self.shaded(&s, s.position, &light, ray).min(v3(4.0, 4.0, 4.0))
            };
            let pixel = &mut image.linear[y * self.lens.width + x];
            *pixel += colour / (extra + 1) as f32;
        }
    }
}

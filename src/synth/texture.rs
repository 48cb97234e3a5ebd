//! Procedural surface textures, box-filtered to the pixel footprint where they have hard edges.

use super::math::{Rng, V3, floor, fract, pow, sin_cos, smooth, splat, v3};
use super::noise::{fbm, hash, noise, pulse};
use super::picture::{facade, photo, poster, screen, text};
use super::shape::Uv;

/// What a surface is covered with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Texture {
    Plain,
    Mottled,
    Stripes,
    Checker,
    Bricks,
    Planks,
    Wood,
    Tiles,
    Poster,
    Photo,
    Text,
    Screen,
    Speckle,
    Swirl,
    Marble,
    Terrazzo,
    Weave,
    Motif,
    Rug,
    Spine,
    Leaves,
    Facade,
}
use Texture as T;

#[cfg(test)]
impl Texture {
    /// Every texture, in order.
    pub(super) const ALL: [Self; 22] = [
        T::Plain,
        T::Mottled,
        T::Stripes,
        T::Checker,
        T::Bricks,
        T::Planks,
        T::Wood,
        T::Tiles,
        T::Poster,
        T::Photo,
        T::Text,
        T::Screen,
        T::Speckle,
        T::Swirl,
        T::Marble,
        T::Terrazzo,
        T::Weave,
        T::Motif,
        T::Rug,
        T::Spine,
        T::Leaves,
        T::Facade,
    ];
}

/// Walls of rooms.
pub(super) const WALLS: &[Texture] = &[
    T::Plain,
    T::Plain,
    T::Plain,
    T::Mottled,
    T::Mottled,
    T::Mottled,
    T::Stripes,
    T::Bricks,
    T::Tiles,
    T::Motif,
    T::Motif,
    T::Swirl,
    T::Planks,
];
/// Floors of rooms.
pub(super) const FLOORS: &[Texture] = &[
    T::Planks,
    T::Planks,
    T::Planks,
    T::Tiles,
    T::Tiles,
    T::Checker,
    T::Speckle,
    T::Mottled,
    T::Terrazzo,
    T::Marble,
    T::Weave,
];
/// Tables, cupboards, shelves.
pub(super) const FURNITURE: &[Texture] =
    &[T::Wood, T::Wood, T::Wood, T::Plain, T::Plain, T::Mottled, T::Planks, T::Marble];
/// Sofas, beds, curtains.
pub(super) const CLOTH: &[Texture] =
    &[T::Weave, T::Weave, T::Plain, T::Mottled, T::Stripes, T::Motif, T::Checker, T::Swirl];
/// Plain painted or metal parts.
pub(super) const PAINT: &[Texture] = &[T::Plain, T::Plain, T::Mottled];
/// Small objects: anything goes.
pub(super) const CLUTTER: &[Texture] = &[
    T::Plain,
    T::Plain,
    T::Mottled,
    T::Stripes,
    T::Checker,
    T::Wood,
    T::Poster,
    T::Text,
    T::Speckle,
    T::Swirl,
    T::Motif,
    T::Spine,
    T::Photo,
    T::Weave,
];

/// A surface material. Colours are linear reflectances.
#[derive(Debug, Clone, Copy)]
pub(super) struct Material {
    pub(super) texture: Texture,
    pub(super) colours: [V3; 3],
    /// Repeats per metre of the main feature.
    pub(super) scale: f32,
    /// A free shape parameter, 0 to 1.
    pub(super) shape: f32,
    pub(super) gloss: f32,
    /// Emitted light relative to the colour.
    pub(super) emission: f32,
    pub(super) grime: f32,
    pub(super) seed: u32,
    pub(super) swapped: bool,
}

/// Linear reflectance from an sRGB-like hue, saturation and value.
pub(super) fn hsv(h: f32, s: f32, v: f32) -> V3 {
    let f = |n: f32| {
        let k = (n + h * 6.0) % 6.0;
        v - v * s * k.min(4.0 - k).clamp(0.0, 1.0)
    };
    linear(v3(f(5.0), f(3.0), f(1.0)))
}

/// Linear from display values.
pub(super) fn linear(c: V3) -> V3 {
    v3(pow(c.x, 2.2), pow(c.y, 2.2), pow(c.z, 2.2))
}

fn any_colour(r: &mut Rng) -> V3 {
    let t = r.unit();
    if t < 0.3 {
        let (v, s) = (r.range(0.25, 0.92), r.range(0.0, 0.14));
        hsv(r.unit(), s, v)
    } else if t < 0.55 {
        let h = r.range(0.04, 0.13);
        hsv(h, r.range(0.15, 0.7), r.range(0.3, 0.88))
    } else if t < 0.64 {
        hsv(r.unit(), 0.1, r.range(0.12, 0.28))
    } else if t < 0.76 {
        hsv(0.11, r.range(0.0, 0.12), r.range(0.85, 0.96))
    } else {
        hsv(r.unit(), r.range(0.25, 0.75), r.range(0.3, 0.9))
    }
}

/// A colour near `c`.
pub(super) fn vary(r: &mut Rng, c: V3, amount: f32) -> V3 {
    let g = 1.0 + r.range(-amount, amount);
    let mut tint = || r.range(-amount, amount) * 0.12;
    let shifted = v3(c.x * g + tint(), c.y * g + tint(), c.z * g + tint());
    shifted.max(splat(0.01)).min(splat(0.9))
}

impl Material {
    /// A random material of one of the given textures.
    pub(super) fn random(r: &mut Rng, textures: &[Texture]) -> Self {
        let texture = r.pick(textures);
        let c1 = any_colour(r);
        let c2 = if r.chance(0.7) { vary(r, c1, 0.5) } else { any_colour(r) };
        let c3 = if r.chance(0.6) { vary(r, c1, 0.7) } else { any_colour(r) };
        let (lo, hi) = match texture {
            T::Mottled => (0.8, 9.0),
            T::Stripes => (2.0, 14.0),
            T::Checker => (1.5, 7.0),
            T::Bricks => (2.5, 5.5),
            T::Planks => (3.0, 10.0),
            T::Wood => (1.0, 4.0),
            T::Tiles => (1.2, 6.0),
            T::Poster | T::Photo | T::Screen | T::Text | T::Rug => (1.0, 4.0),
            T::Speckle => (20.0, 60.0),
            T::Swirl => (3.0, 14.0),
            T::Marble => (0.6, 3.0),
            T::Terrazzo => (8.0, 25.0),
            T::Weave => (25.0, 70.0),
            T::Motif => (3.0, 9.0),
            T::Spine => (1.0, 3.0),
            T::Leaves => (6.0, 18.0),
            T::Facade => (0.3, 0.55),
            T::Plain => (1.0, 2.0),
        };
        let mut m = Self {
            texture,
            colours: [c1, c2, c3],
            scale: r.range(lo, hi),
            shape: r.unit(),
            gloss: if r.chance(0.35) { r.range(0.05, 0.5) } else { 0.0 },
            emission: 0.0,
            grime: r.range(0.03, 0.25),
            seed: r.next() as u32,
            swapped: r.chance(0.4),
        };
        if matches!(texture, T::Wood | T::Planks) && r.chance(0.75) {
            let h = r.range(0.05, 0.11);
            let (s, v) = (r.range(0.25, 0.65), r.range(0.35, 0.85));
            m.colours[0] = hsv(h, s, v);
            m.colours[1] = m.colours[0] * r.range(0.45, 0.75);
        }
        if texture == T::Bricks && r.chance(0.7) {
            let h = r.range(0.0, 0.08);
            m.colours[0] = hsv(h, r.range(0.2, 0.6), r.range(0.35, 0.75));
            m.colours[1] = vary(r, m.colours[0], 0.4);
            m.colours[2] = hsv(0.1, 0.08, r.range(0.55, 0.8));
        }
        if matches!(texture, T::Bricks | T::Facade | T::Text | T::Screen | T::Poster | T::Photo) {
            m.swapped = false;
        }
        m
    }

    /// The material with other colours around `c`.
    pub(super) fn coloured(mut self, r: &mut Rng, c: V3, spread: f32) -> Self {
        self.colours = [c, vary(r, c, spread), vary(r, c, spread)];
        self
    }

    /// A uniform material.
    pub(super) fn plain(r: &mut Rng, c: V3) -> Self {
        let mut m = Self::random(r, &[T::Plain]);
        m.colours = [c; 3];
        m
    }

    /// A lamp.
    pub(super) fn lamp(r: &mut Rng, c: V3, emission: f32) -> Self {
        Self { emission, gloss: 0.0, ..Self::plain(r, c) }
    }

    /// Mean reflectance, roughly (for bounced light).
    pub(super) fn mean(&self) -> V3 {
        (self.colours[0] * 2.0 + self.colours[1]) / 3.0
    }

    /// Reflectance at a texture position, averaged over a footprint in metres.
    #[inline]
    pub(super) fn reflectance(&self, at: Uv, footprint: f32) -> V3 {
        let (u, v) = if self.swapped { (at.v, at.u) } else { (at.u, at.v) };
        let s = self.scale;
        let seed = self.seed;
        let q = self.shape;
        let fp = footprint * s;
        let [c1, c2, c3] = self.colours;
        let c = match self.texture {
            T::Plain => c1,
            T::Mottled => {
                let t = fbm(u * s, v * s, seed, fp);
                c1.mix(c2, ((t - 0.5) * (1.0 + 2.5 * q) + 0.5).clamp(0.0, 1.0))
            }
            T::Stripes => {
                let wobble = if q > 0.6 { 0.4 * noise(v * 3.0, u * 3.0, seed) } else { 0.0 };
                let wide = pulse(u * s + wobble, 0.25 + 0.5 * q, fp);
                let thin = pulse(u * s + wobble + 0.3, 0.08, fp);
                c2.mix(c1, wide).mix(c3, 0.7 * thin)
            }
            T::Checker => {
                let a = 1.0 - 2.0 * pulse(u * s * 0.5, 0.5, fp * 0.5);
                let b = 1.0 - 2.0 * pulse(v * s * 0.5, 0.5, fp * 0.5);
                c1.mix(c2, 0.5 + 0.5 * a * b)
            }
            T::Bricks => {
                let y = v * s * 2.4;
                let row = floor(y);
                let x = u * s + 0.5 * ((row as i32) & 1) as f32;
                let joint = 1.0 - (1.0 - pulse(x, 0.05, fp)) * (1.0 - pulse(y, 0.12, fp * 2.4));
                let tone = hash(floor(x) as i32, row as i32, seed);
                let rough = 0.8 + 0.4 * fbm(u * 40.0, v * 40.0, seed, footprint * 40.0);
                (c1.mix(c2, tone) * rough).mix(c3, joint)
            }
            T::Planks => {
                let y = v * s;
                let row = floor(y);
                let x = u * s * 0.15 + 7.0 * hash(row as i32, 3, seed);
                let tone = hash(floor(x) as i32, row as i32, seed ^ 5);
                let grain = fbm(u * s * 0.8 + tone * 37.0, v * s * 8.0, seed, fp * 4.0);
                let c = c1.mix(c2, (0.55 * tone + 0.8 * grain - 0.2).clamp(0.0, 1.0));
                let gap = 1.0 - (1.0 - pulse(y, 0.04, fp)) * (1.0 - pulse(x, 0.008, fp * 0.15));
                c * (1.0 - 0.6 * gap)
            }
            T::Wood => {
                let bend = fbm(u * s * 0.7, v * s * 0.7, seed, fp);
                let rings = fract(v * s * 3.0 + bend * (2.0 + 4.0 * q));
                let ring = (rings * (1.0 - rings) * 4.0) * (1.0 - smooth(0.1, 0.5, fp * 3.0));
                let fibre = fbm(u * s * 2.0, v * s * 40.0, seed ^ 3, fp * 20.0);
                c1.mix(c2, (0.35 + 0.4 * ring + 0.8 * (fibre - 0.5)).clamp(0.0, 1.0))
            }
            T::Tiles => {
                let joint = 0.02 + 0.04 * q;
                let grout = 1.0 - (1.0 - pulse(u * s, joint, fp)) * (1.0 - pulse(v * s, joint, fp));
                let tone = hash(floor(u * s) as i32, floor(v * s) as i32, seed);
                let cloud = fbm(u * s * 2.0, v * s * 2.0, seed, fp * 2.0);
                c1.mix(c2, (0.35 * tone + 0.5 * cloud).clamp(0.0, 1.0)).mix(c3, grout)
            }
            T::Poster => poster(self, at),
            T::Photo => photo(self, at),
            T::Text => text(self, at, footprint),
            T::Screen => screen(self, at, footprint),
            T::Speckle => {
                let keep = 1.0 - smooth(0.3, 1.5, fp);
                let fine = (hash(floor(u * s) as i32, floor(v * s) as i32, seed) - 0.5) * keep;
                let coarse = fbm(u * 2.0, v * 2.0, seed, footprint * 2.0) - 0.5;
                c1.mix(c2, (0.5 + fine + coarse * q).clamp(0.0, 1.0))
            }
            T::Swirl => {
                let a = noise(u * s * 0.7, v * s * 0.7, seed);
                let b = noise(v * s * 0.7 + 9.0, u * s * 0.7, seed ^ 9);
                let (x, _) = sin_cos(u * s * 0.6 + 5.0 * a);
                let (y, _) = sin_cos(v * s * 0.6 + 5.0 * b);
                let keep = 1.0 - smooth(0.5, 2.0, fp);
                c1.mix(c2, 0.5 + 0.5 * x * y * keep).mix(c3, if q > 0.5 { smooth(0.6, 0.8, x * y) * keep } else { 0.0 })
            }
            T::Marble => {
                let warp = fbm(u * s * 2.0, v * s * 2.0, seed, fp * 2.0);
                let vein = fract(u * s + v * s * 0.6 + 3.0 * warp);
                let line = 1.0 - smooth(0.0, 0.12 + fp, (vein - 0.5).abs());
                c1.mix(c2, 0.4 * warp).mix(c3, line * (0.3 + 0.5 * q))
            }
            T::Terrazzo => {
                let (x, y) = (u * s, v * s);
                let (i, j) = (floor(x) as i32, floor(y) as i32);
                let (px, py) = (0.25 + 0.5 * hash(i, j, seed), 0.25 + 0.5 * hash(i, j, seed ^ 21));
                let size = 0.15 + 0.25 * hash(i, j, seed ^ 33);
                let (dx, dy) = (fract(x) - px, fract(y) - py);
                let chip = (1.0
                    - smooth(size - 0.5 * fp.max(0.1), size + 0.5 * fp.max(0.1), (dx * dx + dy * dy).sqrt()))
                    * (1.0 - smooth(0.4, 1.5, fp));
                let tone = hash(i, j, seed ^ 55);
                c1.mix(if tone > 0.5 { c2 } else { c3 }, chip)
            }
            T::Weave => {
                let (x, y) = (u * s, v * s);
                let keep = 1.0 - smooth(0.25, 0.8, fp);
                let over = (floor(x) as i32 + floor(y) as i32) & 1;
                let thread = if over == 0 { fract(x) } else { fract(y) };
                let relief = 0.75 + thread * (1.0 - thread);
                let cloud = fbm(u * 3.0, v * 3.0, seed, footprint * 3.0);
                c1.mix(c2, cloud * 0.8) * (1.0 + (relief - 0.92) * keep)
            }
            T::Motif => {
                let (x, y) = (u * s, v * s + 0.5 * ((floor(u * s) as i32) & 1) as f32);
                let (dx, dy) = (fract(x) - 0.5, fract(y) - 0.5);
                let d = match seed % 3 {
                    0 => (dx * dx + dy * dy).sqrt(),
                    1 => dx.abs() + dy.abs(),
                    _ => (dx * dx + dy * dy).sqrt() * (0.8 + 0.6 * (dx * dy * 8.0).abs()),
                };
                let r = 0.15 + 0.25 * q;
                let w = 0.02 + 0.5 * fp;
                c1.mix(c2, 1.0 - smooth(r - w, r + w, d)).mix(c3, 1.0 - smooth(0.4 * r - w, 0.4 * r + w, d))
            }
            T::Rug => {
                let (x, y) = ((at.face_u - 0.5).abs() * 2.0, (at.face_v - 0.5).abs() * 2.0);
                let edge = x.max(y);
                let band = floor(edge * (3.0 + 5.0 * q)) as i32;
                let base = [c1, c2, c3][(hash(band, 1, seed) * 2.999) as usize];
                let diamonds = pulse((x + y) * 4.0, 0.5, 0.05) * pulse((x - y) * 4.0 + 8.0, 0.5, 0.05);
                let pile = 0.85 + 0.3 * noise(u * 45.0, v * 45.0, seed);
                base.mix([c2, c3, c1][(hash(band, 2, seed) * 2.999) as usize], 0.7 * diamonds) * pile
            }
            T::Spine => {
                let bands = pulse(at.face_v * (2.0 + 3.0 * q) + 0.1, 0.12, 0.02);
                let letters = if (at.face_u - 0.5).abs() < 0.22 && (at.face_v - 0.55).abs() < 0.28 {
                    (hash(floor(at.face_v * 26.0) as i32, 4, seed) > 0.35) as i32 as f32
                        * (1.0 - smooth(0.004, 0.02, footprint))
                } else {
                    0.0
                };
                c1.mix(c2, bands).mix(c3, letters * 0.8)
            }
            T::Leaves => {
                let clumps = fbm(u * s * 0.4, v * s * 0.4, seed, fp * 0.4);
                let leaf = noise(u * s, v * s, seed ^ 17);
                let keep = 1.0 - smooth(0.4, 1.5, fp);
                let close = 1.0 - smooth(0.01, 0.04, footprint);
                let blades = if close > 0.0 { (noise(u * 47.0, v * 47.0, seed ^ 18) - 0.5) * close } else { 0.0 };
                c1.mix(c2, (clumps * 1.4 - 0.2 + (leaf - 0.5) * keep + 0.8 * blades).clamp(0.0, 1.0))
            }
            T::Facade => facade(self, at, footprint),
        };
        let fine = 1.0 - smooth(0.015, 0.05, footprint);
        let mut dirt = 1.0 + self.grime * (noise(u * 2.3 + 3.0, v * 2.3, seed ^ 3) - 0.5);
        if fine > 0.0 {
            dirt += 0.6 * self.grime * fine * (noise(u * 17.0, v * 17.0, seed ^ 4) - 0.5);
        }
        c * dirt
    }
}

//! Vectors, random numbers and elementary functions of the synthetic worlds.
//!
//! Only IEEE basic operations (`+ - * /`, `sqrt`, rounding) are used: the system's `sin`, `exp` and friends
//! differ between machines, and the same seed must give the same bytes everywhere.

use std::ops::{Add, AddAssign, Div, Mul, Neg, Sub};

/// A point, direction or linear colour.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(super) struct V3 {
    pub(super) x: f32,
    pub(super) y: f32,
    pub(super) z: f32,
}

/// Shorthand constructor.
#[inline(always)]
pub(super) const fn v3(x: f32, y: f32, z: f32) -> V3 {
    V3 { x, y, z }
}

/// A vector with three equal components.
#[inline(always)]
pub(super) const fn splat(s: f32) -> V3 {
    V3 { x: s, y: s, z: s }
}

impl V3 {
    pub(super) const ZERO: Self = splat(0.0);

    #[inline(always)]
    pub(super) fn dot(self, o: Self) -> f32 {
        self.x * o.x + self.y * o.y + self.z * o.z
    }
    #[inline(always)]
    pub(super) fn cross(self, o: Self) -> Self {
        v3(self.y * o.z - self.z * o.y, self.z * o.x - self.x * o.z, self.x * o.y - self.y * o.x)
    }
    #[inline(always)]
    pub(super) fn length(self) -> f32 {
        self.dot(self).sqrt()
    }
    /// Unit vector; the zero vector stays (almost) zero.
    #[inline(always)]
    pub(super) fn unit(self) -> Self {
        self * (1.0 / self.length().max(1e-9))
    }
    /// Component-wise product.
    #[inline(always)]
    pub(super) fn times(self, o: Self) -> Self {
        v3(self.x * o.x, self.y * o.y, self.z * o.z)
    }
    #[inline(always)]
    pub(super) fn mix(self, o: Self, t: f32) -> Self {
        self + (o - self) * t
    }
    #[inline(always)]
    pub(super) fn min(self, o: Self) -> Self {
        v3(self.x.min(o.x), self.y.min(o.y), self.z.min(o.z))
    }
    #[inline(always)]
    pub(super) fn max(self, o: Self) -> Self {
        v3(self.x.max(o.x), self.y.max(o.y), self.z.max(o.z))
    }
    /// Component by index, 0 to 2.
    #[inline(always)]
    pub(super) fn axis(self, i: usize) -> f32 {
        [self.x, self.y, self.z][i]
    }
    /// Perceived brightness of a linear colour.
    #[inline(always)]
    pub(super) fn luminance(self) -> f32 {
        0.25 * self.x + 0.65 * self.y + 0.1 * self.z
    }
}

impl Add for V3 {
    type Output = Self;
    #[inline(always)]
    fn add(self, o: Self) -> Self {
        v3(self.x + o.x, self.y + o.y, self.z + o.z)
    }
}
impl AddAssign for V3 {
    #[inline(always)]
    fn add_assign(&mut self, o: Self) {
        *self = *self + o;
    }
}
impl Sub for V3 {
    type Output = Self;
    #[inline(always)]
    fn sub(self, o: Self) -> Self {
        v3(self.x - o.x, self.y - o.y, self.z - o.z)
    }
}
impl Mul<f32> for V3 {
    type Output = Self;
    #[inline(always)]
    fn mul(self, s: f32) -> Self {
        v3(self.x * s, self.y * s, self.z * s)
    }
}
impl Div<f32> for V3 {
    type Output = Self;
    #[inline(always)]
    fn div(self, s: f32) -> Self {
        v3(self.x / s, self.y / s, self.z / s)
    }
}
impl Neg for V3 {
    type Output = Self;
    #[inline(always)]
    fn neg(self) -> Self {
        v3(-self.x, -self.y, -self.z)
    }
}

/// Local axes of an oriented object, as world directions (rows of the world-to-local rotation).
#[derive(Debug, Clone, Copy, PartialEq)]
pub(super) struct Axes(pub(super) [V3; 3]);

impl Axes {
    pub(super) const IDENTITY: Self = Self([v3(1.0, 0.0, 0.0), v3(0.0, 1.0, 0.0), v3(0.0, 0.0, 1.0)]);

    /// Rotation about the vertical axis.
    pub(super) fn yaw(angle: f32) -> Self {
        let (s, c) = sin_cos(angle);
        Self([v3(c, 0.0, -s), v3(0.0, 1.0, 0.0), v3(s, 0.0, c)])
    }
    /// Rotation about the vertical axis by quarter turns, exact.
    pub(super) fn quarters(n: i32) -> Self {
        let (s, c) = [(0.0, 1.0), (1.0, 0.0), (0.0, -1.0), (-1.0, 0.0)][n.rem_euclid(4) as usize];
        Self([v3(c, 0.0, -s), v3(0.0, 1.0, 0.0), v3(s, 0.0, c)])
    }
    /// Rotation about `z`, then about the vertical axis.
    pub(super) fn yaw_tilt(angle: f32, tilt: f32) -> Self {
        let (s, c) = sin_cos(tilt);
        Self::yaw(angle).then(Self([v3(c, s, 0.0), v3(-s, c, 0.0), v3(0.0, 0.0, 1.0)]))
    }
    /// An arbitrary orientation.
    pub(super) fn random(r: &mut Rng) -> Self {
        let a = v3(r.range(-1.0, 1.0), r.range(-1.0, 1.0), r.range(-1.0, 1.0)).unit();
        let helper = if a.y.abs() < 0.8 { v3(0.0, 1.0, 0.0) } else { v3(1.0, 0.0, 0.0) };
        let b = a.cross(helper).unit();
        Self([a, b, a.cross(b)])
    }
    #[inline(always)]
    pub(super) fn to_local(self, d: V3) -> V3 {
        v3(self.0[0].dot(d), self.0[1].dot(d), self.0[2].dot(d))
    }
    #[inline(always)]
    pub(super) fn to_world(self, l: V3) -> V3 {
        self.0[0] * l.x + self.0[1] * l.y + self.0[2] * l.z
    }
    /// `inner`, seen as an orientation within this frame.
    pub(super) fn then(self, inner: Self) -> Self {
        Self(inner.0.map(|row| self.to_world(row)))
    }
}

/// Splitmix64: small, fast, the same everywhere.
#[derive(Debug, Clone)]
pub(super) struct Rng(u64);

impl Rng {
    pub(super) fn new(seed: u64) -> Self {
        let mut r = Self(seed.wrapping_mul(0x9E37_79B9_7F4A_7C15) ^ 0xD1B5_4A32_D192_ED03);
        r.next();
        r.next();
        r
    }
    #[inline(always)]
    pub(super) fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        z ^ (z >> 31)
    }
    /// What the next numbers follow from.
    pub(super) fn state(&self) -> u64 {
        self.0
    }
    /// As after `draws` calls of `next`.
    pub(super) fn skip(&mut self, draws: u64) {
        self.0 = self.0.wrapping_add(draws.wrapping_mul(0x9E37_79B9_7F4A_7C15));
    }
    /// Uniform in `[0, 1)`.
    #[inline(always)]
    pub(super) fn unit(&mut self) -> f32 {
        (self.next() >> 40) as f32 / 16_777_216.0
    }
    /// Uniform in `[a, b)`.
    #[inline(always)]
    pub(super) fn range(&mut self, a: f32, b: f32) -> f32 {
        a + (b - a) * self.unit()
    }
    /// Uniform integer in `a..=b`.
    pub(super) fn int(&mut self, a: usize, b: usize) -> usize {
        a + (self.next() % ((b - a + 1) as u64)) as usize
    }
    pub(super) fn chance(&mut self, p: f32) -> bool {
        self.unit() < p
    }
    /// One of `items`, which must not be empty.
    pub(super) fn pick<T: Copy>(&mut self, items: &[T]) -> T {
        items[self.int(0, items.len() - 1)]
    }
    /// Uniform over the circle.
    pub(super) fn angle(&mut self) -> f32 {
        self.range(0.0, std::f32::consts::TAU)
    }
    pub(super) fn sign(&mut self) -> f32 {
        if self.chance(0.5) { 1.0 } else { -1.0 }
    }
    /// Approximately normal with unit variance (sum of four uniforms, one draw).
    #[inline(always)]
    pub(super) fn normal(&mut self) -> f32 {
        let v = self.next();
        let sum = (v & 0xffff) + ((v >> 16) & 0xffff) + ((v >> 32) & 0xffff) + (v >> 48);
        (sum as f32 / 65535.0 - 2.0) * 1.732_050_8
    }
}

/// Largest integer not above `x`, for |x| < 2^31 (a call-free `floor` on the x86-64 baseline).
#[inline(always)]
pub(super) fn floor(x: f32) -> f32 {
    let t = x as i32 as f32;
    if t > x { t - 1.0 } else { t }
}

/// Fractional part in `[0, 1)`.
#[inline(always)]
pub(super) fn fract(x: f32) -> f32 {
    x - floor(x)
}

/// Smooth step from 0 at `a` to 1 at `b`.
#[inline(always)]
pub(super) fn smooth(a: f32, b: f32, x: f32) -> f32 {
    let t = ((x - a) / (b - a)).clamp(0.0, 1.0);
    t * t * (3.0 - 2.0 * t)
}

/// Sine and cosine, accurate to about 1e-7.
pub(super) fn sin_cos(x: f32) -> (f32, f32) {
    let x = f64::from(x);
    let n = (x * std::f64::consts::FRAC_2_PI).round();
    let r = x - n * std::f64::consts::FRAC_PI_2;
    let q = r * r;
    let s = r * (1.0 - q / 6.0 * (1.0 - q / 20.0 * (1.0 - q / 42.0 * (1.0 - q / 72.0 * (1.0 - q / 110.0)))));
    let c = 1.0 - q / 2.0 * (1.0 - q / 12.0 * (1.0 - q / 30.0 * (1.0 - q / 56.0 * (1.0 - q / 90.0))));
    let (s, c) = match (n as i64).rem_euclid(4) {
        0 => (s, c),
        1 => (c, -s),
        2 => (-s, -c),
        _ => (-c, s),
    };
    (s as f32, c as f32)
}

/// Angle of the point `(x, y)`, accurate to about 1e-5.
pub(super) fn atan2(y: f32, x: f32) -> f32 {
    let (ax, ay) = (x.abs(), y.abs());
    let (lo, hi) = if ax < ay { (ax, ay) } else { (ay, ax) };
    let z = lo / hi.max(1e-20);
    let q = z * z;
    let a = z
        * (0.999_977_26
            + q * (-0.332_623_47 + q * (0.193_543_46 + q * (-0.116_432_87 + q * (0.052_653_32 - q * 0.011_721_2)))));
    let a = if ay > ax { std::f32::consts::FRAC_PI_2 - a } else { a };
    let a = if x < 0.0 { std::f32::consts::PI - a } else { a };
    if y < 0.0 { -a } else { a }
}

/// Angle whose sine is `x`.
pub(super) fn asin(x: f32) -> f32 {
    let x = x.clamp(-1.0, 1.0);
    atan2(x, (1.0 - x * x).max(0.0).sqrt())
}

/// Natural logarithm of a positive number.
pub(super) fn ln(x: f32) -> f32 {
    let bits = f64::from(x.max(1e-30)).to_bits();
    let exponent = ((bits >> 52) & 0x7ff) as i64 - 1023;
    let m = f64::from_bits((bits & 0x000f_ffff_ffff_ffff) | 0x3ff0_0000_0000_0000);
    let s = (m - 1.0) / (m + 1.0);
    let q = s * s;
    let series =
        1.0 + q * (1.0 / 3.0 + q * (1.0 / 5.0 + q * (1.0 / 7.0 + q * (1.0 / 9.0 + q * (1.0 / 11.0 + q / 13.0)))));
    (exponent as f64 * std::f64::consts::LN_2 + 2.0 * s * series) as f32
}

/// Exponential function for moderate arguments.
pub(super) fn exp(x: f32) -> f32 {
    let x = f64::from(x.clamp(-80.0, 80.0));
    let n = (x * std::f64::consts::LOG2_E).round();
    let r = x - n * std::f64::consts::LN_2;
    let mut term = 1.0;
    let mut sum = 1.0;
    for k in 1..12 {
        term *= r / f64::from(k);
        sum += term;
    }
    (sum * f64::from_bits(((n as i64 + 1023) as u64) << 52)) as f32
}

/// `x` to the power `p` for `x >= 0`.
pub(super) fn pow(x: f32, p: f32) -> f32 {
    if x <= 0.0 { 0.0 } else { exp(p * ln(x)) }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn elementary_functions_agree_with_the_system_library() {
        let mut r = Rng::new(1);
        for _ in 0..10_000 {
            let x = r.range(-30.0, 30.0);
            let (s, c) = sin_cos(x);
            assert!((s - x.sin()).abs() < 2e-6 && (c - x.cos()).abs() < 2e-6, "sin_cos({x})");
            let y = r.range(-30.0, 30.0);
            assert!((atan2(y, x) - y.atan2(x)).abs() < 3e-5, "atan2({y}, {x})");
            let p = x.abs() + 1e-3;
            assert!((ln(p) - p.ln()).abs() < 1e-6 * p.ln().abs().max(1.0), "ln({p})");
            assert!((exp(x * 0.3) / (x * 0.3).exp() - 1.0).abs() < 1e-6, "exp({x} * 0.3)");
            assert!((floor(x) - x.floor()).abs() < 1e-9, "floor({x})");
        }
    }

    #[test]
    fn yaw_rotates_z_towards_x_and_is_its_own_inverse_transposed() {
        let a = Axes::yaw(0.7);
        let d = v3(0.3, -0.2, 0.9);
        assert!((a.to_local(a.to_world(d)) - d).length() < 1e-6);
        assert!(a.to_world(v3(0.0, 0.0, 1.0)).x > 0.6);
    }

    #[test]
    fn skipping_is_drawing() {
        let (mut a, mut b) = (Rng::new(9), Rng::new(9));
        for _ in 0..7 {
            a.next();
        }
        b.skip(7);
        assert_eq!(a.next(), b.next());
    }
}

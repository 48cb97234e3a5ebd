//! Hashes of a lattice, smooth noise and filtered patterns: what textures are made of.

use super::math::{floor, smooth};

/// Hash of a lattice point to `[0, 1)`.
#[inline(always)]
pub(super) fn hash(x: i32, y: i32, seed: u32) -> f32 {
    let mut h =
        (x as u32).wrapping_mul(0x8da6_b343) ^ (y as u32).wrapping_mul(0xd816_3841) ^ seed.wrapping_mul(0xcb1a_b31f);
    h ^= h >> 13;
    h = h.wrapping_mul(0x5bd1_e995);
    h ^= h >> 15;
    h = h.wrapping_mul(0x2c1b_3c6d);
    h ^= h >> 12;
    (h >> 8) as f32 / 16_777_216.0
}

/// Smooth value noise in `[0, 1)` with one cell per unit.
#[inline(always)]
pub(super) fn noise(x: f32, y: f32, seed: u32) -> f32 {
    let (xf, yf) = (floor(x), floor(y));
    let (xi, yi) = (xf as i32, yf as i32);
    let (a, b) = (x - xf, y - yf);
    let (a, b) = (a * a * (3.0 - 2.0 * a), b * b * (3.0 - 2.0 * b));
    let l0 = hash(xi, yi, seed) * (1.0 - a) + hash(xi + 1, yi, seed) * a;
    let l1 = hash(xi, yi + 1, seed) * (1.0 - a) + hash(xi + 1, yi + 1, seed) * a;
    l0 * (1.0 - b) + l1 * b
}

/// Three octaves of noise; octaves finer than the footprint (in cells of the first octave) fade out.
#[inline(always)]
pub(super) fn fbm(x: f32, y: f32, seed: u32, footprint: f32) -> f32 {
    let mut sum = 0.5;
    let mut add = |amplitude: f32, f: f32, dx: f32, dy: f32, s: u32| {
        let keep = 1.0 - smooth(0.4, 1.2, footprint * f);
        if keep > 0.0 {
            sum += amplitude * keep * (noise(x * f + dx, y * f + dy, s) - 0.5);
        }
    };
    add(0.55, 1.0, 0.0, 0.0, seed);
    add(0.3, 2.13, 5.2, 1.7, seed ^ 77);
    add(0.15, 4.7, 2.1, 9.2, seed ^ 991);
    sum
}

/// Average over `[f - w/2, f + w/2]` of the periodic pulse that is 1 on `[0, duty)` of each unit.
#[inline(always)]
pub(super) fn pulse(f: f32, duty: f32, w: f32) -> f32 {
    let w = w.max(1e-4);
    if w >= 4.0 {
        return duty;
    }
    let integral = |x: f32| {
        let whole = floor(x);
        whole * duty + (x - whole).min(duty)
    };
    ((integral(f + 0.5 * w) - integral(f - 0.5 * w)) / w).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn pulse_averages_to_its_duty() {
        assert!((pulse(0.37, 0.2, 3.0) - 0.2).abs() < 0.03);
        assert!((pulse(0.1, 0.2, 0.01) - 1.0).abs() < 1e-3);
        assert!(pulse(0.6, 0.2, 0.01) < 1e-3);
    }
}

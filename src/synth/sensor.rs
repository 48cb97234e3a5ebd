//! What a phone camera makes of light: exposure, white balance, tone, lens and motion blur, noise, compression.
//! Every defect is optional and drawn per scene.

use std::borrow::Cow;

use super::camera::{Camera, Lens};
use super::math::{Rng, V3, pow, sin_cos, splat, v3};
use super::render::Image;
use super::shape::FAR;

const TONE_STEPS: usize = 1024;
/// Largest exposed value of the tone table.
const TONE_TOP: f32 = 3.0;

/// Camera settings of one scene.
#[derive(Debug, Clone)]
pub(super) struct Sensor {
    pub(super) tone: Vec<f32>,
    pub(super) white: V3,
    pub(super) saturation: f32,
    pub(super) target: f32,
    pub(super) adaptation: f32,
    exposure: Option<f32>,
    pub(super) vignette: f32,
    pub(super) blur: f32,
    /// Focus distance and strength of defocus.
    pub(super) focus: Option<(f32, f32)>,
    /// Share of the frame interval that the shutter is open.
    pub(super) shutter: f32,
    pub(super) noise: f32,
    pub(super) row_noise: f32,
    /// Quantisation step of the compression, in 1/255.
    pub(super) compression: Option<f32>,
}

impl Sensor {
    pub(super) fn random(r: &mut Rng) -> Self {
        let gamma = r.range(1.9, 2.6);
        let contrast = r.range(0.9, 1.25);
        let lift = r.range(-0.02, 0.03);
        let shoulder = r.range(0.1, 0.6);
        let tone = (0..=TONE_STEPS)
            .map(|i| {
                let root = i as f32 / TONE_STEPS as f32;
                let x = root * root * TONE_TOP;
                let x = x * (1.0 + shoulder * x * 0.2) / (1.0 + shoulder * x);
                (pow(x, 1.0 / gamma) - 0.5) * contrast + 0.5 + lift
            })
            .collect();
        let warm = r.normal() * 0.08;
        Self {
            tone,
            white: v3(1.0 + warm, 1.0 + 0.03 * r.normal(), 1.0 - warm),
            saturation: r.range(0.6, 1.1),
            target: r.range(0.16, 0.36),
            adaptation: r.range(0.05, 0.4),
            exposure: None,
            vignette: if r.chance(0.6) { r.range(0.0, 0.35) } else { 0.0 },
            blur: if r.chance(0.4) { r.range(0.1, 0.7) } else { 0.0 },
            focus: if r.chance(0.15) { Some((r.range(0.8, 4.0), r.range(0.3, 1.5))) } else { None },
            shutter: if r.chance(0.4) { r.range(0.1, 0.5) } else { 0.0 },
            noise: if r.chance(0.7) { 0.03 * r.unit() * r.unit() } else { 0.0 },
            row_noise: if r.chance(0.1) { r.range(0.003, 0.015) } else { 0.0 },
            compression: if r.chance(0.5) { Some(r.range(2.0, 16.0)) } else { None },
        }
    }

    /// Random numbers that `develop` draws for a frame.
    pub(super) fn draws(&self, lens: &Lens) -> u64 {
        let (w, h) = (lens.width as u64, lens.height as u64);
        let per_row = u64::from(self.row_noise > 0.0);
        let per_pixel = if self.noise > 0.0 { 4 } else { 0 };
        1 + h * per_row + w * h * per_pixel
    }

    /// Angle of the row noise above the first row, and from row to row: a frame's first random number.
    pub(super) fn band(frame: usize, r: &mut Rng) -> (f32, f32) {
        (frame as f32 * 1.7, r.range(0.02, 0.2))
    }

    /// 8-bit colours of a frame. `before` is the camera of the previous frame.
    pub(super) fn develop(
        &mut self,
        image: &Image,
        lens: &Lens,
        camera: &Camera,
        before: &Camera,
        frame: usize,
        r: &mut Rng,
    ) -> Vec<u8> {
        let (w, h) = (lens.width, lens.height);
        let exposure = self.expose(&image.linear);
        let mut source = Cow::Borrowed(image.linear.as_slice());
        if self.shutter > 0.0 {
            source = Cow::Owned(motion_blur(&source, &image.z, lens, camera, before, self.shutter));
        }
        if self.blur > 0.0 || self.focus.is_some() {
            source = Cow::Owned(self.lens_blur(&source, &image.z, lens));
        }
        let mut display = vec![V3::ZERO; w * h];
        let (ix, iy) = (2.0 / w as f32, 2.0 / h as f32);
        let gain = self.noise * (1.0 + 0.3 * exposure).min(3.0);
        let (mut band, step) = Self::band(frame, r);
        for y in 0..h {
            let dy = (y as f32 + 0.5) * iy - 1.0;
            band += step;
            let row = if self.row_noise > 0.0 { self.row_noise * (sin_cos(band).0 + 0.7 * r.normal()) } else { 0.0 };
            for x in 0..w {
                let dx = (x as f32 + 0.5) * ix - 1.0;
                let fall = 1.0 - self.vignette * 0.5 * (dx * dx + dy * dy);
                let c = source[y * w + x] * (exposure * fall);
                let grey = c.luminance();
                let c = (splat(grey) + (c - splat(grey)) * self.saturation).times(self.white);
                let mut out = v3(self.toned(c.x), self.toned(c.y), self.toned(c.z));
                if gain > 0.0 {
                    let s = gain * (1.3 - out.luminance().clamp(0.0, 1.0));
                    let luma = 0.7 * r.normal();
                    out += v3(luma + 0.6 * r.normal(), luma + 0.5 * r.normal(), luma + 0.7 * r.normal()) * s;
                }
                display[y * w + x] = out + splat(row);
            }
        }
        if let Some(step) = self.compression {
            compress(&mut display, w, h, step);
        }
        let byte = |x: f32| (x.clamp(0.0, 1.0) * 255.0 + 0.5) as u8;
        display.iter().flat_map(|c| [byte(c.x), byte(c.y), byte(c.z)]).collect()
    }

    fn toned(&self, x: f32) -> f32 {
        let t = (x.clamp(0.0, TONE_TOP) * (1.0 / TONE_TOP)).sqrt() * TONE_STEPS as f32;
        let i = (t as usize).min(TONE_STEPS - 1);
        let f = t - i as f32;
        self.tone[i] * (1.0 - f) + self.tone[i + 1] * f
    }

    /// Automatic exposure that follows the scene with a lag.
    fn expose(&mut self, linear: &[V3]) -> f32 {
        let sum: f32 = linear.iter().map(|c| c.luminance().min(1.5)).sum();
        let mean = sum / linear.len().max(1) as f32;
        let wanted = (self.target / mean.max(0.01)).clamp(0.15, 8.0);
        let exposure = self.exposure.map_or(wanted, |e| e + (wanted - e) * self.adaptation);
        self.exposure = Some(exposure);
        exposure
    }

    fn lens_blur(&self, source: &[V3], z: &[f32], lens: &Lens) -> Vec<V3> {
        let (w, h) = (lens.width, lens.height);
        let soft = gaussian(source, w, h);
        let softer = if self.focus.is_some() { gaussian(&soft, w, h) } else { Vec::new() };
        let scale = w as f32 / 128.0;
        (0..w * h)
            .map(|i| {
                let c = source[i].mix(soft[i], self.blur);
                match self.focus {
                    Some((distance, strength)) => {
                        let circle = strength * scale * (1.0 - distance / z[i].min(60.0)).abs();
                        if circle < 1.0 {
                            c.mix(soft[i], circle)
                        } else {
                            soft[i].mix(softer[i], (circle - 1.0).min(1.0))
                        }
                    }
                    None => c,
                }
            })
            .collect()
    }
}

/// Separable 1-2-1 blur.
fn gaussian(source: &[V3], w: usize, h: usize) -> Vec<V3> {
    let mut rows = vec![V3::ZERO; w * h];
    for y in 0..h {
        for x in 0..w {
            let at = |x: usize| source[y * w + x];
            rows[y * w + x] = at(x) * 0.5 + (at(x.saturating_sub(1)) + at((x + 1).min(w - 1))) * 0.25;
        }
    }
    let mut out = vec![V3::ZERO; w * h];
    for y in 0..h {
        let (up, down) = (y.saturating_sub(1) * w, (y + 1).min(h - 1) * w);
        for x in 0..w {
            out[y * w + x] = rows[y * w + x] * 0.5 + (rows[up + x] + rows[down + x]) * 0.25;
        }
    }
    out
}

/// Blur along the image motion of each pixel while the shutter is open.
fn motion_blur(source: &[V3], z: &[f32], lens: &Lens, camera: &Camera, before: &Camera, shutter: f32) -> Vec<V3> {
    const TAPS: [f32; 4] = [-0.5, -0.25, 0.25, 0.5];
    let (w, h) = (lens.width, lens.height);
    let mut out = source.to_vec();
    for y in 0..h {
        for x in 0..w {
            let i = y * w + x;
            let depth = z[i].min(FAR.min(1e4));
            let p = camera.position + camera.ray(lens, x as f32, y as f32) * depth;
            let (u, v, behind) = before.project(lens, p);
            if behind < 0.05 {
                continue;
            }
            let (dx, dy) = ((x as f32 - u) * shutter, (y as f32 - v) * shutter);
            let reach = 0.06 * w as f32;
            let (dx, dy) = (dx.clamp(-reach, reach), dy.clamp(-reach, reach));
            if dx * dx + dy * dy < 0.16 {
                continue;
            }
            let mut sum = source[i];
            for t in TAPS {
                let sx = (x as f32 + t * dx + 0.5).clamp(0.0, w as f32 - 1.0) as usize;
                let sy = (y as f32 + t * dy + 0.5).clamp(0.0, h as f32 - 1.0) as usize;
                sum += source[sy * w + sx];
            }
            out[i] = sum * 0.2;
        }
    }
    out
}

/// Artefacts like those of JPEG: 8x8 cosine transform, quantised; colour at half resolution.
fn compress(display: &mut [V3], w: usize, h: usize, step: f32) {
    let clamp = |x: f32| x.clamp(0.0, 1.0) * 255.0;
    let mut luma: Vec<f32> =
        display.iter().map(|c| 0.299 * clamp(c.x) + 0.587 * clamp(c.y) + 0.114 * clamp(c.z)).collect();
    let (cw, ch) = (w.div_ceil(2), h.div_ceil(2));
    let mut colour = [vec![0.0f32; cw * ch], vec![0.0f32; cw * ch]];
    for y in 0..ch {
        for x in 0..cw {
            let (mut b, mut r) = (0.0, 0.0);
            for (dx, dy) in [(0, 0), (1, 0), (0, 1), (1, 1)] {
                let i = (2 * y + dy).min(h - 1) * w + (2 * x + dx).min(w - 1);
                b += (clamp(display[i].z) - luma[i]) * 0.25;
                r += (clamp(display[i].x) - luma[i]) * 0.25;
            }
            colour[0][y * cw + x] = b;
            colour[1][y * cw + x] = r;
        }
    }
    let basis = cosine_basis();
    quantise(&mut luma, w, h, step, &basis);
    for plane in &mut colour {
        quantise(plane, cw, ch, 1.8 * step, &basis);
    }
    for y in 0..h {
        for x in 0..w {
            let i = y * w + x;
            let j = (y / 2) * cw + x / 2;
            let (b, r) = (colour[0][j], colour[1][j]);
            let g = luma[i] - (0.299 * r + 0.114 * b) / 0.587;
            display[i] = v3(luma[i] + r, g, luma[i] + b) / 255.0;
        }
    }
}

/// Rows: frequency; columns: position; orthonormal.
pub(super) fn cosine_basis() -> [[f32; 8]; 8] {
    let mut basis = [[0.0; 8]; 8];
    for (k, row) in basis.iter_mut().enumerate() {
        let scale = if k == 0 { 0.353_553_4 } else { 0.5 };
        for (n, value) in row.iter_mut().enumerate() {
            *value = scale * sin_cos((n as f32 + 0.5) * k as f32 * std::f32::consts::PI / 8.0).1;
        }
    }
    basis
}

fn quantise(plane: &mut [f32], w: usize, h: usize, step: f32, basis: &[[f32; 8]; 8]) {
    let multiply = |a: &[[f32; 8]; 8], b: &[[f32; 8]; 8]| {
        let mut c = [[0.0f32; 8]; 8];
        for i in 0..8 {
            for k in 0..8 {
                let s = a[i][k];
                for j in 0..8 {
                    c[i][j] += s * b[k][j];
                }
            }
        }
        c
    };
    let mut transposed = [[0.0; 8]; 8];
    for i in 0..8 {
        for j in 0..8 {
            transposed[j][i] = basis[i][j];
        }
    }
    for y0 in (0..h).step_by(8) {
        for x0 in (0..w).step_by(8) {
            let mut block = [[0.0f32; 8]; 8];
            for (i, row) in block.iter_mut().enumerate() {
                for (j, value) in row.iter_mut().enumerate() {
                    *value = plane[(y0 + i).min(h - 1) * w + (x0 + j).min(w - 1)];
                }
            }
            let mut f = multiply(&multiply(basis, &block), &transposed);
            for (i, row) in f.iter_mut().enumerate() {
                for (j, value) in row.iter_mut().enumerate() {
                    let q = step * (1.0 + 0.7 * (i + j) as f32);
                    let t = *value / q;
                    *value = (t + if t < 0.0 { -0.5 } else { 0.5 }) as i32 as f32 * q;
                }
            }
            let block = multiply(&multiply(&transposed, &f), basis);
            for i in 0..8.min(h - y0) {
                for j in 0..8.min(w - x0) {
                    plane[(y0 + i) * w + x0 + j] = block[i][j];
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn compression_with_a_tiny_step_changes_luma_by_less_than_a_level() {
        let (w, h) = (21, 13);
        let mut r = Rng::new(3);
        let before: Vec<V3> = (0..w * h).map(|_| splat(r.unit())).collect();
        let mut after = before.clone();
        compress(&mut after, w, h, 0.05);
        for (a, b) in before.iter().zip(&after) {
            assert!((a.luminance() - b.luminance()).abs() < 1.0 / 255.0);
        }
    }
}

//! The keyframe gate of a live camera: which frames are worth the network's time.
//!
//! A frame is left out when it is blurred (the variance of its Laplacian is well below that of the frames around it)
//! or shows nothing new (a small grey picture of it is nearly that of the last frame taken). After
//! [`GateOptions::longest`] seconds without a frame the next one is taken whatever it is like, so a scan cannot starve.

use std::collections::VecDeque;

/// Long side of the picture whose sharpness is measured, pixels: about what the network can see.
const SHARPNESS_SIDE: usize = 160;
/// Cells across and down of the picture that tells whether the camera has moved.
const CELLS: (usize, usize) = (32, 24);
/// Frames whose median sharpness a frame is compared with. Few: a white wall after a bookshelf is not a blur.
const RECENT: usize = 12;

/// When a frame is left out.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct GateOptions {
    /// Blurred below this share of the recent frames' median sharpness. (Handheld video: 5 % of frames are below 0.74.)
    pub blur: f32,
    /// Still below this difference from the last frame taken, in units of the picture's contrast. (Sensor noise of 10
    /// grey levels gives 0.04, a slow walk 0.08 from one video frame to the next.)
    pub motion: f32,
    /// A frame is taken after this many seconds in any case.
    pub longest: f64,
}

impl Default for GateOptions {
    fn default() -> Self {
        Self { blur: 0.6, motion: 0.08, longest: 2.0 }
    }
}

/// What the gate says of a frame.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Verdict {
    /// Reconstruct it.
    Take,
    /// Leave it out: the camera moves too fast, or is out of focus.
    Blurred,
    /// Leave it out: it shows what the last one showed.
    Still,
}

/// Decides over the frames of one scan, in order.
#[derive(Debug, Clone, Default)]
pub struct Gate {
    options: GateOptions,
    recent: VecDeque<f32>,
    taken: Option<Taken>,
}

/// The last frame that was taken.
#[derive(Debug, Clone)]
struct Taken {
    time: f64,
    cells: Vec<f32>,
}

impl Gate {
    /// A gate before the first frame.
    #[must_use]
    pub fn new(options: GateOptions) -> Self {
        Self { options, ..Self::default() }
    }

    /// Judges a frame of `width` x `height` pixels of `channels` interleaved bytes, of which the first three are red,
    /// green and blue. `time` in seconds, rising. A picture whose bytes do not fit its size is taken: whoever
    /// reconstructs it tells what is wrong with it.
    pub fn judge(&mut self, bytes: &[u8], width: usize, height: usize, channels: usize, time: f64) -> Verdict {
        let Some(grey) = Grey::new(bytes, width, height, channels) else { return Verdict::Take };
        let sharpness = grey.laplacian_variance();
        let cells = grey.cells();
        let verdict = self.verdict(sharpness, &cells, time);
        if self.recent.len() == RECENT {
            self.recent.pop_front();
        }
        self.recent.push_back(sharpness);
        if verdict == Verdict::Take {
            self.taken = Some(Taken { time, cells });
        }
        verdict
    }

    fn verdict(&self, sharpness: f32, cells: &[f32], time: f64) -> Verdict {
        let Some(taken) = &self.taken else { return Verdict::Take };
        let waited = time - taken.time;
        // Also when time runs backwards: the source has started anew.
        if !(0.0..self.options.longest).contains(&waited) {
            return Verdict::Take;
        }
        if difference(&taken.cells, cells) < self.options.motion {
            return Verdict::Still;
        }
        if sharpness < self.options.blur * self.median() { Verdict::Blurred } else { Verdict::Take }
    }

    fn median(&self) -> f32 {
        let mut sorted: Vec<f32> = self.recent.iter().copied().collect();
        sorted.sort_by(f32::total_cmp);
        sorted.get(sorted.len() / 2).copied().unwrap_or(0.0)
    }
}

/// A grey picture, 0 to 255.
struct Grey {
    width: usize,
    height: usize,
    values: Vec<f32>,
}

impl Grey {
    /// Averages whole blocks of pixels, so that the long side is about [`SHARPNESS_SIDE`].
    #[expect(clippy::cast_precision_loss, reason = "block sizes are small")]
    fn new(bytes: &[u8], width: usize, height: usize, channels: usize) -> Option<Self> {
        let expected = width.checked_mul(height)?.checked_mul(channels)?;
        if bytes.len() != expected || expected == 0 || channels < 3 {
            return None;
        }
        let block = (width.max(height) / SHARPNESS_SIDE).max(1);
        let (w, h) = (width / block, height / block);
        if w == 0 || h == 0 {
            return None;
        }
        let mut values = vec![0.0f32; w * h];
        // Every second row and column of a block is enough, and a quarter of the work.
        let step = if block >= 4 { 2 } else { 1 };
        let count = (block.div_ceil(step) * block.div_ceil(step)) as f32;
        for (y, row) in bytes.chunks_exact(width * channels).take(h * block).enumerate() {
            if !(y % block).is_multiple_of(step) {
                continue;
            }
            let line = values.get_mut(y / block * w..).unwrap_or_default();
            for (value, cell) in line.iter_mut().zip(row.chunks_exact(block * channels)) {
                for pixel in cell.chunks_exact(channels).step_by(step) {
                    if let [r, g, b, ..] = pixel {
                        *value += 0.299 * f32::from(*r) + 0.587 * f32::from(*g) + 0.114 * f32::from(*b);
                    }
                }
            }
        }
        values.iter_mut().for_each(|v| *v /= count);
        Some(Self { width: w, height: h, values })
    }

    /// Variance of the four-neighbour Laplacian: high where edges are sharp.
    #[expect(clippy::cast_precision_loss, reason = "the picture is small")]
    fn laplacian_variance(&self) -> f32 {
        let row = |y: usize| self.values.get(y * self.width..(y + 1) * self.width).unwrap_or_default();
        let (mut sum, mut squares, mut count) = (0.0f64, 0.0f64, 0usize);
        for y in 1..self.height.saturating_sub(1) {
            for ((middle, above), below) in row(y).windows(3).zip(row(y - 1).windows(3)).zip(row(y + 1).windows(3)) {
                if let ([left, centre, right], [_, up, _], [_, down, _]) = (middle, above, below) {
                    let value = f64::from(4.0 * centre - left - right - up - down);
                    sum += value;
                    squares += value * value;
                    count += 1;
                }
            }
        }
        if count == 0 {
            return 0.0;
        }
        let mean = sum / count as f64;
        #[expect(clippy::cast_possible_truncation, reason = "a variance of 8-bit values")]
        return (squares / count as f64 - mean * mean).max(0.0) as f32;
    }

    /// Mean grey of each of [`CELLS`], less the picture's mean (exposure adapts all the time), over its contrast.
    #[expect(clippy::cast_precision_loss, reason = "the picture is small")]
    fn cells(&self) -> Vec<f32> {
        let (across, down) = (CELLS.0.min(self.width), CELLS.1.min(self.height));
        let mut cells = vec![(0.0f32, 0.0f32); across * down];
        for (y, row) in self.values.chunks_exact(self.width).enumerate() {
            for (x, value) in row.iter().enumerate() {
                if let Some(cell) = cells.get_mut(y * down / self.height * across + x * across / self.width) {
                    cell.0 += value;
                    cell.1 += 1.0;
                }
            }
        }
        let mut means: Vec<f32> = cells.into_iter().map(|(sum, count)| sum / count).collect();
        let count = means.len() as f32;
        let mean = means.iter().sum::<f32>() / count;
        let deviation = (means.iter().map(|v| (v - mean).powi(2)).sum::<f32>() / count).sqrt();
        // Four grey levels: the noise of an empty wall is not contrast.
        means.iter_mut().for_each(|v| *v = (*v - mean) / (deviation + 4.0));
        means
    }
}

/// Mean absolute difference; pictures of different shape differ entirely.
#[expect(clippy::cast_precision_loss, reason = "the pictures are small")]
fn difference(a: &[f32], b: &[f32]) -> f32 {
    if a.len() != b.len() || a.is_empty() {
        return f32::INFINITY;
    }
    a.iter().zip(b).map(|(a, b)| (a - b).abs()).sum::<f32>() / a.len() as f32
}

#[cfg(test)]
mod tests {
    use super::*;

    const SIZE: (usize, usize) = (320, 240);

    /// A wall of random tiles seen from `x` pixels further right, softened `blur` times, with noise of `noise` levels.
    fn picture(x: usize, blur: usize, noise: u32, light: f32) -> Vec<u8> {
        let (width, height) = SIZE;
        let hash = |a: u32, b: u32| {
            let mut h = a.wrapping_mul(0x9E37_79B9) ^ b.wrapping_mul(0x85EB_CA6B);
            h ^= h >> 15;
            h = h.wrapping_mul(0x2C1B_3C6D);
            h ^ h >> 12
        };
        let mut grey: Vec<f32> = (0..width * height)
            .map(|i| {
                let (u, v) = ((i % width + x) / 12, i / width / 12);
                20.0 + (hash(u as u32, v as u32) % 180) as f32
            })
            .collect();
        for _ in 0..blur {
            let source = grey.clone();
            for y in 0..height {
                for x in 4..width - 4 {
                    grey[y * width + x] = source[y * width + x - 4..=y * width + x + 4].iter().sum::<f32>() / 9.0;
                }
            }
        }
        let noisy = |(i, g): (usize, f32)| {
            let n = if noise == 0 { 0.0 } else { (hash(i as u32, x as u32 + 7) % (2 * noise)) as f32 - noise as f32 };
            let value = (g * light + n).clamp(0.0, 255.0) as u8;
            [value, value, value, 255]
        };
        grey.into_iter().enumerate().flat_map(noisy).collect()
    }

    fn judge(gate: &mut Gate, picture: &[u8], time: f64) -> Verdict {
        gate.judge(picture, SIZE.0, SIZE.1, 4, time)
    }

    #[test]
    fn a_camera_that_does_not_move_gives_one_frame_until_the_time_is_over() {
        let mut gate = Gate::default();
        assert_eq!(judge(&mut gate, &picture(0, 0, 10, 1.0), 0.0), Verdict::Take);
        for step in 1..20 {
            let time = f64::from(step) * 0.1;
            let noisy = picture(0, 0, 8 + step as u32 % 4, 1.0);
            assert_eq!(judge(&mut gate, &noisy, time), Verdict::Still, "{time}");
        }
        assert_eq!(judge(&mut gate, &picture(0, 0, 10, 1.0), 2.0), Verdict::Take);
        assert_eq!(judge(&mut gate, &picture(0, 0, 10, 1.0), 2.1), Verdict::Still);
    }

    #[test]
    fn a_lamp_that_is_switched_on_is_not_motion() {
        let mut gate = Gate::default();
        judge(&mut gate, &picture(0, 0, 0, 0.6), 0.0);
        assert_eq!(judge(&mut gate, &picture(0, 0, 0, 0.75), 0.1), Verdict::Still);
    }

    #[test]
    fn a_moving_camera_is_followed() {
        let mut gate = Gate::default();
        for step in 0..10 {
            let verdict = judge(&mut gate, &picture(step * 12, 0, 4, 1.0), step as f64 * 0.1);
            assert_eq!(verdict, Verdict::Take, "{step}");
        }
    }

    #[test]
    fn a_swing_that_blurs_is_left_out_and_the_next_sharp_frame_is_taken() {
        let mut gate = Gate::default();
        for step in 0..6 {
            judge(&mut gate, &picture(step * 12, 0, 4, 1.0), step as f64 * 0.1);
        }
        assert_eq!(judge(&mut gate, &picture(90, 3, 4, 1.0), 0.6), Verdict::Blurred);
        assert_eq!(judge(&mut gate, &picture(120, 3, 4, 1.0), 0.7), Verdict::Blurred);
        assert_eq!(judge(&mut gate, &picture(140, 0, 4, 1.0), 0.8), Verdict::Take);
    }

    #[test]
    fn a_scan_that_is_blurred_throughout_still_goes_on() {
        let mut gate = Gate::default();
        judge(&mut gate, &picture(0, 0, 4, 1.0), 0.0);
        let taken = (1..60).filter(|&i| judge(&mut gate, &picture(i * 12, 3, 4, 1.0), i as f64 * 0.1) == Verdict::Take);
        // What is blurred alike all the time is the new normal.
        assert!(taken.count() > 20);
    }

    #[test]
    fn odd_pictures_and_times_do_no_harm() {
        let mut gate = Gate::default();
        assert_eq!(gate.judge(&[], 0, 0, 4, 0.0), Verdict::Take);
        assert_eq!(gate.judge(&[1, 2, 3], 5, 5, 4, 0.0), Verdict::Take);
        assert_eq!(gate.judge(&[9; 3], usize::MAX, 3, 3, 0.0), Verdict::Take);
        assert_eq!(gate.judge(&[9; 4], 1, 1, 4, 0.0), Verdict::Take);
        assert_eq!(gate.judge(&[9; 4 * 5000], 5000, 1, 4, f64::NAN), Verdict::Take);
        judge(&mut gate, &picture(0, 0, 0, 1.0), 5.0);
        assert_eq!(judge(&mut gate, &picture(0, 0, 0, 1.0), 1.0), Verdict::Take, "the clock went back");
    }
}

//! What is doubtful about a pixel's point, found per frame from its own depth and picture.
//!
//! * **Edge**: at the border of an object the network blends near and far into points that float between them.
//!   Such a pixel lies inside a step of depth: much steeper there than before and after it. A plane seen at a flat
//!   angle is as steep on either side (inverse depth is linear on planes), so it is kept.
//! * **Sky**: bright, bluish or grey and smooth, connected with the top of the picture, and far beyond the near
//!   quarter of the frame. A far white wall can look the same: the view lets people switch it off.

/// Between a near and a far surface.
pub const FLAG_EDGE: u8 = 1;
/// Sky.
pub const FLAG_SKY: u8 = 2;

/// Width of a step, pixels: the network smears an edge over three or four.
const WIDTH: usize = 4;
/// Steps of less than this ratio of depths are no edges (as ln).
const STEP: f32 = 0.08;
/// How much steeper a step is than what lies before and after it.
const STEEPER: f32 = 2.5;
/// A pixel within this share of the near or the far side belongs to that side.
const SIDE: f32 = 0.15;
/// Sky is at least so many times farther than the near quarter of the frame.
const SKY_DEPTH: f32 = 3.0;
/// Most that neighbouring pixels of the sky differ, per channel.
const SKY_SMOOTH: u8 = 24;

/// Flags per pixel. `rgb` are interleaved sRGB bytes, `depth` is one value per pixel; both in row order.
/// Sizes that disagree give no flags.
#[must_use]
pub fn flags_of(width: usize, height: usize, rgb: &[u8], depth: &[f32]) -> Vec<u8> {
    let pixels = width.saturating_mul(height);
    if depth.len() != pixels || rgb.len() != pixels.saturating_mul(3) || pixels == 0 {
        return vec![0; pixels.min(depth.len())];
    }
    let mut flags = vec![0; pixels];
    edges(width, height, depth, &mut flags);
    sky(width, rgb, depth, &mut flags);
    flags
}

fn edges(width: usize, height: usize, depth: &[f32], flags: &mut [u8]) {
    for y in 0..height {
        for x in 0..width {
            let at = y * width + x;
            // Along the row and along the column.
            let floats = (0..WIDTH - 1).any(|shift| {
                let row = Line { depth, at, stride: 1, before: x, after: width - 1 - x };
                let column = Line { depth, at, stride: width, before: y, after: height - 1 - y };
                row.steps(shift) || column.steps(shift)
            });
            if floats && let Some(flag) = flags.get_mut(at) {
                *flag |= FLAG_EDGE;
            }
        }
    }
}

/// The pixels of a row or column around one of them.
struct Line<'a> {
    depth: &'a [f32],
    at: usize,
    stride: usize,
    /// How many there are on either side.
    before: usize,
    after: usize,
}

impl Line<'_> {
    fn depth(&self, offset: isize) -> Option<f32> {
        let room = if offset < 0 { self.before } else { self.after };
        let there = (offset.unsigned_abs() <= room).then(|| offset.unsigned_abs() * self.stride)?;
        let index = if offset < 0 { self.at.checked_sub(there)? } else { self.at + there };
        self.depth.get(index).copied().filter(|d| *d > 0.0 && d.is_finite())
    }

    /// Whether the pixel lies within a step that begins `shift + 1` pixels before it. Where the picture ends there
    /// is no telling.
    fn steps(&self, shift: usize) -> bool {
        let (start, width) = (-1 - shift as isize, WIDTH as isize);
        let [Some(left), Some(here), Some(right), Some(far_left), Some(far_right)] =
            [start, 0, start + width, start - 2, start + width + 2].map(|offset| self.depth(offset))
        else {
            return false;
        };
        let step = (right / left).ln().abs();
        let (low, high) = (left.min(right), left.max(right));
        let between = here > low * (SIDE * step).exp() && here < high * (-SIDE * step).exp();
        // Slopes of inverse depth: equal along a plane.
        let inside = (1.0 / right - 1.0 / left).abs() / width as f32;
        let outside = (1.0 / left - 1.0 / far_left).abs().max((1.0 / far_right - 1.0 / right).abs()) / 2.0;
        step > STEP && between && inside > STEEPER * outside
    }
}

/// Grows the sky from the top row.
fn sky(width: usize, rgb: &[u8], depth: &[f32], flags: &mut [u8]) {
    let mut sorted: Vec<f32> = depth.iter().copied().filter(|d| *d > 0.0 && d.is_finite()).collect();
    let quarter = sorted.len() / 4;
    if sorted.is_empty() {
        return;
    }
    let near = *sorted.select_nth_unstable_by(quarter, f32::total_cmp).1;
    let colour = |at: usize| rgb.get(3 * at..3 * at + 3).unwrap_or(&[0, 0, 0]);
    let looks_like_sky = |at: usize| match (colour(at), depth.get(at)) {
        ([r, g, b], Some(d)) => {
            let bright = u32::from(*r) + u32::from(*g) + u32::from(*b) > 300;
            bright && u32::from(*b) + 12 >= u32::from(*r) && *d >= SKY_DEPTH * near
        }
        _ => false,
    };
    let alike = |a: usize, b: usize| colour(a).iter().zip(colour(b)).all(|(p, q)| p.abs_diff(*q) <= SKY_SMOOTH);
    let mut open: Vec<usize> = (0..width).filter(|&x| looks_like_sky(x)).collect();
    while let Some(at) = open.pop() {
        match flags.get_mut(at) {
            Some(flag) if *flag & FLAG_SKY == 0 => *flag |= FLAG_SKY,
            _ => continue,
        }
        let x = at % width;
        let neighbours = [
            (x > 0).then(|| at - 1),
            (x + 1 < width).then_some(at + 1),
            at.checked_sub(width),
            Some(at + width).filter(|n| *n < depth.len()),
        ];
        open.extend(neighbours.into_iter().flatten().filter(|&n| looks_like_sky(n) && alike(at, n)));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const W: usize = 40;
    const H: usize = 24;

    fn picture(colour: impl Fn(usize, usize) -> [u8; 3]) -> Vec<u8> {
        (0..W * H).flat_map(|i| colour(i % W, i / W)).collect()
    }

    fn map(depth: impl Fn(usize, usize) -> f32) -> Vec<f32> {
        (0..W * H).map(|i| depth(i % W, i / W)).collect()
    }

    fn grey() -> Vec<u8> {
        picture(|_, _| [40, 40, 40])
    }

    /// Near (1 m) on the left, far (3 m) on the right, blended over the columns 19 to 21.
    fn smeared(x: usize) -> f32 {
        match x {
            0..=18 => 1.0,
            19 => 1.5,
            20 => 2.0,
            21 => 2.5,
            _ => 3.0,
        }
    }

    #[test]
    fn points_between_two_surfaces_are_edges_and_the_surfaces_are_not() {
        let flags = flags_of(W, H, &grey(), &map(|x, _| smeared(x)));
        for (i, flag) in flags.iter().enumerate() {
            let floating = (19..=21).contains(&(i % W));
            assert_eq!(*flag, if floating { FLAG_EDGE } else { 0 }, "column {}", i % W);
        }
        let turned: Vec<f32> =
            (0..W * H).map(|i| if i / W > 10 { 3.0 } else { [1.0, 1.7][usize::from(i / W == 10)] }).collect();
        let flags = flags_of(W, H, &grey(), &turned);
        assert!(flags.iter().enumerate().all(|(i, f)| (*f == FLAG_EDGE) == (i / W == 10)), "a step between rows");
    }

    #[test]
    fn a_floor_seen_at_a_flat_angle_has_no_edges() {
        // Eye 1.5 m above the floor, focal length 20 pixels, horizon just above the picture: 30 m to 1.2 m.
        let flags = flags_of(W, H, &grey(), &map(|_, y| 1.5 * 20.0 / (y as f32 + 1.0)));
        assert!(flags.iter().all(|f| *f == 0));
    }

    #[test]
    fn sharp_steps_have_no_edge_points() {
        let flags = flags_of(W, H, &grey(), &map(|x, _| if x < 20 { 1.0 } else { 3.0 }));
        assert!(flags.iter().all(|f| *f == 0));
    }

    #[test]
    fn sky_is_what_is_bright_far_and_joined_to_the_top() {
        let blue = |y: usize| [120, 160, 220].map(|v: u8| v - y as u8);
        // Sky above row 10; a bright window below it that is far but not joined; near ground.
        let rgb = picture(|x, y| if y < 10 || (y > 11 && y < 14 && x > 5 && x < 9) { blue(y) } else { [60, 50, 40] });
        let depth = map(|_, y| if y < 15 { 40.0 } else { 2.0 });
        let flags = flags_of(W, H, &rgb, &depth);
        assert!(flags.iter().enumerate().all(|(i, f)| (f & FLAG_SKY != 0) == (i / W < 10)));
        // A white ceiling at the depth of everything else stays.
        let flags = flags_of(W, H, &picture(|_, _| [230, 230, 230]), &map(|_, _| 2.5));
        assert!(flags.iter().all(|f| *f == 0));
    }

    #[test]
    fn hostile_maps_give_flags_of_the_right_length() {
        let depth = map(|x, _| [f32::NAN, f32::INFINITY, -1.0, 0.0, 2.0][x % 5]);
        assert_eq!(flags_of(W, H, &grey(), &depth).len(), W * H);
        assert!(flags_of(0, 0, &[], &[]).is_empty());
        assert_eq!(flags_of(2, 2, &[], &[1.0; 4]), [0; 4]);
    }
}

//! The ground plan: rectangles in decimetres, each part of a room.

use crate::synth::math::Rng;
use crate::synth::world::Area;

/// Half the thickness of a wall; each side is its own slab with its own material.
pub(super) const HALF_WALL: f32 = 0.06;
/// Room number of everything outside.
pub(super) const OUTSIDE: u8 = 0;

/// A rectangle of the plan in decimetres, part of room `room`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Rect {
    pub(super) x: [i32; 2],
    pub(super) z: [i32; 2],
    pub(super) room: u8,
}

impl Rect {
    pub(super) fn new(x0: i32, x1: i32, z0: i32, z1: i32, room: u8) -> Self {
        Self { x: [x0, x1], z: [z0, z1], room }
    }
    pub(super) fn area(&self) -> Area {
        let m = |v: [i32; 2]| [v[0] as f32 * 0.1, v[1] as f32 * 0.1];
        Area { x: m(self.x), z: m(self.z) }
    }
}

pub(super) fn plan(r: &mut Rng) -> Vec<Rect> {
    let big = r.chance(0.2);
    let side = |r: &mut Rng| if big { r.int(45, 90) as i32 } else { r.int(25, 52) as i32 };
    let (w, d) = (side(r), side(r));
    let mut rects = vec![Rect::new(0, w, 0, d, 1)];
    let t = r.unit();
    if t < 0.28 {
        // One rectangle.
    } else if t < 0.5 {
        // L: a second rectangle flush with a corner.
        let (e, f) = (r.int(15, 35) as i32, r.int(16, (d - 6).max(17) as usize) as i32);
        rects.push(Rect::new(w, w + e, 0, f.min(d), 1));
    } else if t < 0.62 {
        // T or U: two alcoves.
        let e = r.int(12, 28) as i32;
        let f = r.int(10, (d / 2).max(11) as usize) as i32;
        rects.push(Rect::new(w, w + e, 0, f, 1));
        if r.chance(0.5) {
            rects.push(Rect::new(w, w + e, d - f, d, 1));
        } else {
            rects.push(Rect::new(-e, 0, d / 4, d / 4 + f, 1));
        }
    } else {
        // A corridor with rooms on its sides.
        let (long, wide) = (r.int(55, 130) as i32, r.int(12, 22) as i32);
        rects = vec![Rect::new(0, long, 0, wide, 1)];
        let mut room = 2;
        for up in [true, false] {
            let mut x = 0;
            while x < long - 20 && room < 8 {
                let w = (r.int(25, 50) as i32).min(long - x);
                let d = r.int(25, 48) as i32;
                if w >= 22 && r.chance(0.8) {
                    let z = if up { [wide, wide + d] } else { [-d, 0] };
                    rects.push(Rect::new(x, x + w, z[0], z[1], room));
                    room += 1;
                }
                x += w;
            }
        }
    }
    rects
}

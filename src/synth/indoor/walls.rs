//! Walls: the straight runs along the edges of a plan, their materials, and the slabs they are built of.

use super::openings::{Opening, doorway, window};
use super::plan::{HALF_WALL, OUTSIDE, Rect};
use crate::synth::math::{Axes, Rng, V3, v3};
use crate::synth::texture::{Material, Texture as T, WALLS, hsv};
use crate::synth::world::{Builder, Group, Light, Mat, Sky};

/// A straight wall between two rooms (or a room and outside).
#[derive(Debug, Clone)]
pub(super) struct Run {
    /// True if it extends along x (and separates smaller from larger z).
    along_x: bool,
    at: f32,
    pub(super) from: f32,
    pub(super) to: f32,
    /// Rooms on the side of smaller and larger coordinates.
    pub(super) rooms: [u8; 2],
    pub(super) openings: Vec<Opening>,
}

impl Run {
    /// Frame of a point on the wall's surface: +z points into the room of `side`.
    pub(super) fn frame(&self, side: usize, s: f32) -> (Axes, V3) {
        let out = if side == 0 { -HALF_WALL } else { HALF_WALL };
        if self.along_x {
            (Axes::quarters(if side == 0 { 2 } else { 0 }), v3(s, 0.0, self.at + out))
        } else {
            (Axes::quarters(if side == 0 { 3 } else { 1 }), v3(self.at + out, 0.0, s))
        }
    }
    pub(super) fn is_free(&self, from: f32, to: f32, bottom: f32, top: f32) -> bool {
        from >= self.from
            && to <= self.to
            && !self.openings.iter().any(|o| from < o.to && to > o.from && bottom < o.top && top > o.bottom)
    }
    fn slab(&self, b: &mut Builder, side: usize, s: [f32; 2], y: [f32; 2], m: Mat) {
        let p = if side == 0 { [self.at - HALF_WALL, self.at] } else { [self.at, self.at + HALF_WALL] };
        if self.along_x {
            b.slab(v3(s[0], y[0], p[0]), v3(s[1], y[1], p[1]), m);
        } else {
            b.slab(v3(p[0], y[0], s[0]), v3(p[1], y[1], s[1]), m);
        }
    }
}

/// Walls along the edges of the plan.
pub(super) fn walls(rects: &[Rect]) -> Vec<Run> {
    let cuts = |f: fn(&Rect) -> [i32; 2]| {
        let mut v: Vec<i32> = rects.iter().flat_map(f).collect();
        v.sort_unstable();
        v.dedup();
        v
    };
    let (xs, zs) = (cuts(|r| r.x), cuts(|r| r.z));
    let room = |x2: i32, z2: i32| {
        // Twice the coordinates, so that cell centres are whole numbers.
        let inside = |r: &&Rect| 2 * r.x[0] < x2 && x2 < 2 * r.x[1] && 2 * r.z[0] < z2 && z2 < 2 * r.z[1];
        rects.iter().find(inside).map_or(OUTSIDE, |r| r.room)
    };
    let mut runs: Vec<Run> = Vec::new();
    for along_x in [true, false] {
        let (lines, steps) = if along_x { (&zs, &xs) } else { (&xs, &zs) };
        for &at in lines {
            let mut last: Option<Run> = None;
            for pair in steps.windows(2) {
                let mid = pair[0] + pair[1];
                let rooms = if along_x {
                    [room(mid, 2 * at - 1), room(mid, 2 * at + 1)]
                } else {
                    [room(2 * at - 1, mid), room(2 * at + 1, mid)]
                };
                let to = pair[1] as f32 * 0.1;
                if let Some(run) = &mut last {
                    if run.rooms == rooms {
                        run.to = to;
                        continue;
                    }
                    runs.extend(last.take());
                }
                if rooms[0] != rooms[1] {
                    let (at, from) = (at as f32 * 0.1, pair[0] as f32 * 0.1);
                    last = Some(Run { along_x, at, from, to, rooms, openings: Vec::new() });
                }
            }
            runs.extend(last);
        }
    }
    runs
}

/// Materials of a building.
pub(super) struct Finish {
    pub(super) outside: Mat,
    pub(super) walls: Vec<Mat>,
    pub(super) trim: Mat,
    pub(super) door: Mat,
    pub(super) frame: Mat,
    pub(super) curtain: Mat,
}

pub(super) fn wall_material(r: &mut Rng) -> Material {
    let mut m = Material::random(r, WALLS);
    if r.chance(0.65) {
        let v = r.range(0.6, 0.95);
        let base = hsv(r.range(0.05, 0.18), r.range(0.0, 0.15), v);
        let spread = if m.texture == T::Bricks { 0.3 } else { 0.13 };
        m = m.coloured(r, base, spread);
    }
    m.gloss = 0.0;
    m
}

pub(super) fn emit_wall(b: &mut Builder, r: &mut Rng, run: &Run, height: f32, finish: &Finish, sky: &Sky) {
    let mut order = run.openings.clone();
    order.sort_by(|a, c| a.from.total_cmp(&c.from));
    for side in 0..2 {
        let room = run.rooms[side];
        let m = if room == OUTSIDE { finish.outside } else { finish.walls[usize::from(room)] };
        let mut s = run.from - HALF_WALL;
        for o in &order {
            run.slab(b, side, [s, o.from], [0.0, height], m);
            run.slab(b, side, [o.from, o.to], [o.top, height], m);
            run.slab(b, side, [o.from, o.to], [0.0, o.bottom], m);
            s = o.to;
        }
        run.slab(b, side, [s, run.to + HALF_WALL], [0.0, height], m);
    }
    for o in &order {
        let inner = usize::from(run.rooms[0] == OUTSIDE);
        let (axes, at) = run.frame(inner, 0.5 * (o.from + o.to));
        let (w, mut g) = (0.5 * (o.to - o.from), Group::default());
        if o.bottom > 0.0 {
            window(r, &mut g, o, w, finish);
            let colour = sky.horizon.mix(sky.zenith, 0.4) * (r.range(1.0, 2.2) * w);
            b.lights.push(Light::Panel {
                centre: at + v3(0.0, 0.5 * (o.bottom + o.top), 0.0) + axes.to_world(v3(0.0, 0.0, 0.06)),
                u: axes.to_world(v3(0.8 * w, 0.0, 0.0)),
                v: v3(0.0, 0.4 * (o.top - o.bottom), 0.0),
                normal: axes.to_world(v3(0.0, 0.0, 1.0)),
                colour,
                reach: 8.0,
            });
        } else {
            doorway(b, r, &mut g, o, w, finish);
        }
        b.place(&g, axes, at);
    }
}

//! Rooms: a ground plan of rectangles, walls with doors and windows along its edges, furniture, lamps.

use super::bvh::Bvh;
use super::furniture::{self, Stand};
use super::math::{Axes, Rng, V3, sin_cos, splat, v3};
use super::texture::{CLOTH, FLOORS, FURNITURE, Material, PAINT, Texture as T, WALLS, hsv};
use super::world::{Area, Builder, Group, Light, Mat, Sky, World};

/// Half the thickness of a wall; each side is its own slab with its own material.
const HALF_WALL: f32 = 0.06;
/// Room number of everything outside.
const OUTSIDE: u8 = 0;

/// A rectangle of the plan in decimetres, part of room `room`.
#[derive(Debug, Clone, Copy)]
struct Rect {
    x: [i32; 2],
    z: [i32; 2],
    room: u8,
}

impl Rect {
    fn new(x0: i32, x1: i32, z0: i32, z1: i32, room: u8) -> Self {
        Self { x: [x0, x1], z: [z0, z1], room }
    }
    fn area(&self) -> Area {
        let m = |v: [i32; 2]| [v[0] as f32 * 0.1, v[1] as f32 * 0.1];
        Area { x: m(self.x), z: m(self.z) }
    }
}

/// A straight wall between two rooms (or a room and outside).
#[derive(Debug, Clone)]
struct Run {
    /// True if it extends along x (and separates smaller from larger z).
    along_x: bool,
    at: f32,
    from: f32,
    to: f32,
    /// Rooms on the side of smaller and larger coordinates.
    rooms: [u8; 2],
    openings: Vec<Opening>,
}

#[derive(Debug, Clone, Copy)]
struct Opening {
    from: f32,
    to: f32,
    bottom: f32,
    top: f32,
}

impl Run {
    /// Frame of a point on the wall's surface: +z points into the room of `side`.
    fn frame(&self, side: usize, s: f32) -> (Axes, V3) {
        let out = if side == 0 { -HALF_WALL } else { HALF_WALL };
        if self.along_x {
            (Axes::quarters(if side == 0 { 2 } else { 0 }), v3(s, 0.0, self.at + out))
        } else {
            (Axes::quarters(if side == 0 { 3 } else { 1 }), v3(self.at + out, 0.0, s))
        }
    }
    fn is_free(&self, from: f32, to: f32, bottom: f32, top: f32) -> bool {
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

fn plan(r: &mut Rng) -> Vec<Rect> {
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

/// Walls along the edges of the plan.
fn walls(rects: &[Rect]) -> Vec<Run> {
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

fn open_walls(r: &mut Rng, runs: &mut [Run], height: f32) {
    let window_share = r.range(0.1, 0.7);
    let (sill, head) = (r.range(0.3, 1.05), r.range(1.9, 2.25).min(height - 0.12));
    for run in runs {
        let length = run.to - run.from;
        if run.rooms[0] != OUTSIDE && run.rooms[1] != OUTSIDE {
            let w = if r.chance(0.2) { r.range(1.2, 2.0) } else { r.range(0.75, 0.95) };
            if length > w + 0.5 {
                let c = r.range(run.from + 0.5 * w + 0.2, run.to - 0.5 * w - 0.2);
                let top = r.range(2.0, 2.15).min(height - 0.05);
                run.openings.push(Opening { from: c - 0.5 * w, to: c + 0.5 * w, bottom: 0.0, top });
            }
            continue;
        }
        let mut s = run.from + 0.3;
        while s + 0.9 < run.to - 0.3 {
            if r.chance(window_share) {
                let w = r.range(0.6, 1.9).min(run.to - 0.3 - s);
                run.openings.push(Opening { from: s, to: s + w, bottom: sill, top: head });
                s += w;
            }
            s += r.range(0.4, 1.6);
        }
    }
}

/// Materials of a building.
struct Finish {
    outside: Mat,
    walls: Vec<Mat>,
    trim: Mat,
    door: Mat,
    frame: Mat,
    curtain: Mat,
}

fn wall_material(r: &mut Rng) -> Material {
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

fn emit_wall(b: &mut Builder, r: &mut Rng, run: &Run, height: f32, finish: &Finish, sky: &Sky) {
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

fn window(r: &mut Rng, g: &mut Group, o: &Opening, w: f32, finish: &Finish) {
    let (y, h) = (0.5 * (o.bottom + o.top), 0.5 * (o.top - o.bottom));
    let depth = -HALF_WALL;
    let f = 0.03;
    for s in [-1.0, 1.0] {
        g.block(v3(s * (w - f), y, depth), v3(f, h, 0.04), finish.frame);
        g.block(v3(0.0, y + s * (h - f), depth), v3(w, f, 0.04), finish.frame);
    }
    let n = r.int(1, 3);
    for i in 1..n {
        let x = -w + 2.0 * w * i as f32 / n as f32;
        g.block(v3(x, y, depth), v3(0.022, h, 0.03), finish.frame);
    }
    if r.chance(0.35) {
        g.block(v3(0.0, y + 0.35 * h, depth), v3(w, 0.018, 0.028), finish.frame);
    }
    g.block(v3(0.0, o.bottom - 0.015, 0.06), v3(w + 0.06, 0.018, 0.12), finish.trim);
    match r.int(0, 5) {
        0 | 1 => {
            for s in [-1.0, 1.0] {
                for k in 0..4 {
                    let x = s * (w + 0.12 - 0.1 * k as f32 + 0.05);
                    let z = 0.07 + 0.02 * (k % 2) as f32;
                    g.block(
                        v3(x, 0.5 * (o.top + 0.15), z),
                        v3(0.055, 0.5 * (o.top + 0.12) - 0.03, 0.015),
                        finish.curtain,
                    );
                }
            }
            g.rod(v3(-w - 0.3, o.top + 0.12, 0.08), v3(w + 0.3, o.top + 0.12, 0.08), 0.012, 0.012, finish.frame);
        }
        2 => {
            // A blind, half drawn.
            let drawn = h * r.range(0.2, 0.8);
            g.block(v3(0.0, o.top - drawn, depth + 0.05), v3(w - 0.02, drawn, 0.006), finish.curtain);
        }
        _ => {}
    }
}

fn doorway(b: &mut Builder, r: &mut Rng, g: &mut Group, o: &Opening, w: f32, finish: &Finish) {
    let z = -HALF_WALL;
    for s in [-1.0, 1.0] {
        g.block(v3(s * (w + 0.02), 0.5 * o.top, z), v3(0.04, 0.5 * o.top, HALF_WALL + 0.015), finish.trim);
    }
    g.block(v3(0.0, o.top + 0.02, z), v3(w + 0.06, 0.04, HALF_WALL + 0.015), finish.trim);
    if w > 0.55 || r.chance(0.35) {
        return;
    }
    // A leaf, ajar or closed, with a handle.
    let knob = b.any(r, PAINT);
    let mut leaf = Group::default();
    leaf.block(v3(w, 0.5 * o.top, 0.0), v3(w, 0.5 * o.top - 0.01, 0.02), finish.door);
    leaf.block(v3(w, 0.72 * o.top, 0.0), v3(w * 0.7, 0.2 * o.top, 0.026), finish.door);
    leaf.block(v3(w, 0.25 * o.top, 0.0), v3(w * 0.7, 0.18 * o.top, 0.026), finish.door);
    for s in [-1.0, 1.0] {
        leaf.rod(v3(1.85 * w, 1.0, 0.05 * s), v3(1.65 * w, 1.0, 0.05 * s), 0.012, 0.012, knob);
    }
    let angle = if r.chance(0.15) { 0.0 } else { -r.range(0.6, 1.9) };
    g.add(&leaf, Axes::yaw(angle), v3(-w, 0.0, z + 0.08));
}

fn hang_on_walls(b: &mut Builder, r: &mut Rng, runs: &[Run], height: f32, finish: &Finish) {
    let skirting = r.chance(0.75).then(|| r.range(0.04, 0.12));
    let density = r.range(0.0, 0.55);
    for run in runs {
        for side in (0..2).filter(|&s| run.rooms[s] != OUTSIDE) {
            if let Some(h) = skirting {
                let mut s = run.from;
                let mut doors: Vec<_> = run.openings.iter().filter(|o| o.bottom == 0.0).collect();
                doors.sort_by(|a, c| a.from.total_cmp(&c.from));
                let piece = |b: &mut Builder, from: f32, to: f32| {
                    if to - from > 0.05 {
                        let (axes, at) = run.frame(side, 0.5 * (from + to));
                        let mut g = Group::default();
                        g.block(v3(0.0, 0.5 * h, 0.006), v3(0.5 * (to - from), 0.5 * h, 0.009), finish.trim);
                        b.place(&g, axes, at);
                    }
                };
                for o in doors {
                    piece(b, s, o.from - 0.06);
                    s = o.to + 0.06;
                }
                piece(b, s, run.to);
            }
            let tries = ((run.to - run.from) * density * 2.0 + r.unit()) as usize;
            for _ in 0..tries {
                let (w, h) = (r.range(0.1, 0.55), r.range(0.1, 0.45));
                let s = r.range(run.from, run.to);
                let y = r.range(1.1 + h, (height - h - 0.1).max(1.2 + h));
                if !run.is_free(s - w - 0.1, s + w + 0.1, y - h, y + h) || y + h > height - 0.05 {
                    continue;
                }
                let (axes, at) = run.frame(side, s);
                let mut g = Group::default();
                match r.int(0, 6) {
                    0..=3 => {
                        let picture = b.any(r, &[T::Photo, T::Poster, T::Poster, T::Text, T::Swirl, T::Mottled]);
                        let rim = b.any(r, &[T::Wood, T::Plain]);
                        g.block(v3(0.0, y, 0.012), v3(w, h, 0.014), rim);
                        g.block(v3(0.0, y, 0.02), v3(w * 0.88, h * 0.86, 0.009), picture);
                    }
                    4 => {
                        let shelf = b.any(r, FURNITURE);
                        g.block(v3(0.0, y, 0.1), v3(w, 0.014, 0.1), shelf);
                        let mut things = Group::default();
                        let n = r.int(1, 5);
                        furniture::clutter(b, r, &mut things, 0.0, w, 0.09, n);
                        g.add(&things, Axes::IDENTITY, v3(0.0, y + 0.014, 0.1));
                    }
                    5 => {
                        let face = b.any(r, &[T::Plain, T::Motif]);
                        let rim = b.any(r, PAINT);
                        let lie = Axes([v3(1.0, 0.0, 0.0), v3(0.0, 0.0, 1.0), v3(0.0, -1.0, 0.0)]);
                        let mut clock = Group::default();
                        clock.frustum(V3::ZERO, 0.03, 0.15, 0.15, rim);
                        clock.frustum(v3(0.0, 0.028, 0.0), 0.006, 0.13, 0.13, face);
                        g.add(&clock, lie, v3(0.0, y, 0.0));
                    }
                    _ => {
                        let board = Material::plain(r, splat(0.8));
                        let board = b.material(board);
                        g.block(v3(0.0, y, 0.012), v3(w * 1.6, h, 0.012), finish.trim);
                        g.block(v3(0.0, y, 0.02), v3(w * 1.55, h * 0.94, 0.008), board);
                    }
                }
                b.place(&g, axes, at);
            }
        }
    }
}

fn furnish(b: &mut Builder, r: &mut Rng, rects: &[Rect], runs: &[Run], keep_clear: Option<[f32; 3]>) {
    let mut taken: Vec<[f32; 4]> = keep_clear.map(|[x, z, m]| [x - m, x + m, z - m, z + m]).into_iter().collect();
    let fits = |lo: V3, hi: V3, taken: &[[f32; 4]]| {
        let corners =
            [(lo.x, lo.z), (lo.x, hi.z), (hi.x, lo.z), (hi.x, hi.z), (0.5 * (lo.x + hi.x), 0.5 * (lo.z + hi.z))];
        corners.iter().all(|c| rects.iter().any(|q| q.area().contains(c.0, c.1, HALF_WALL * 0.5)))
            && !taken
                .iter()
                .any(|t| lo.x < t[1] + 0.05 && hi.x > t[0] - 0.05 && lo.z < t[3] + 0.05 && hi.z > t[2] - 0.05)
    };
    let fullness = r.range(0.35, 1.0);
    for rect in rects {
        let area = rect.area();
        let corridor = (area.x[1] - area.x[0]).min(area.z[1] - area.z[0]) < 2.3;
        let wanted = if corridor { area.size() * 0.1 } else { area.size() * fullness * 0.75 };
        for _ in 0..(wanted as usize).clamp(1, 14) {
            let (group, stand) = furniture::for_room(b, r);
            let (lo, hi) = group.bounds();
            for _ in 0..8 {
                let (axes, at) = if stand == Stand::Wall && !runs.is_empty() {
                    let run = &runs[r.int(0, runs.len() - 1)];
                    let side = usize::from(run.rooms[0] != rect.room);
                    let (from, to) = (run.from + HALF_WALL - lo.x, run.to - HALF_WALL - hi.x);
                    if run.rooms[side] != rect.room || from >= to {
                        continue;
                    }
                    let s = r.range(from, to);
                    if !run.is_free(s + lo.x, s + hi.x, 0.0, hi.y) {
                        continue;
                    }
                    let (axes, at) = run.frame(side, s);
                    (axes, at + axes.to_world(v3(0.0, 0.0, 0.02 - lo.z)))
                } else {
                    let at = v3(r.range(area.x[0], area.x[1]), 0.0, r.range(area.z[0], area.z[1]));
                    (if r.chance(0.5) { Axes::quarters(r.int(0, 3) as i32) } else { Axes::yaw(r.range(-3.1, 3.1)) }, at)
                };
                let mut placed = Group::default();
                placed.add(&group, axes, at);
                let (lo, hi) = placed.bounds();
                if fits(lo, hi, &taken) {
                    taken.push([lo.x, hi.x, lo.z, hi.z]);
                    b.place(&placed, Axes::IDENTITY, V3::ZERO);
                    break;
                }
            }
        }
    }
}

/// What is seen through the windows.
fn surroundings(b: &mut Builder, r: &mut Rng, rects: &[Rect], storey: f32) {
    let ground = hsv(r.range(0.08, 0.33), r.range(0.1, 0.5), r.range(0.3, 0.6));
    let ground = Material::random(r, &[T::Leaves, T::Mottled, T::Speckle]).coloured(r, ground, 0.4);
    let ground = b.material(Material { scale: r.range(0.8, 4.0), ..ground });
    b.slab(v3(-90.0, -storey - 1.0, -90.0), v3(90.0, -storey - 0.1, 90.0), ground);
    for _ in 0..r.int(4, 14) {
        let (s, c) = sin_cos(r.angle());
        let far = r.range(12.0, 40.0);
        let at = v3(s * far, -storey, c * far);
        if rects.iter().any(|q| q.area().contains(at.x, at.z, -3.0)) {
            continue;
        }
        let mut g = Group::default();
        if r.chance(0.5) {
            g = furniture::tree(b, r);
        } else {
            let front = b.any(r, &[T::Facade, T::Facade, T::Bricks, T::Mottled]);
            let half = v3(r.range(3.0, 8.0), r.range(2.0, 9.0), r.range(3.0, 8.0));
            g.block(v3(0.0, half.y, 0.0), half, front);
        }
        let (lo, hi) = g.bounds();
        let reach = hi.x.max(hi.z).max(-lo.x).max(-lo.z) * 1.42;
        if !rects.iter().any(|q| q.area().contains(at.x, at.z, -reach - 0.5)) {
            b.place(&g, Axes::yaw(r.range(0.0, 3.0)), at);
        }
    }
}

fn structure(b: &mut Builder, r: &mut Rng, rects: &[Rect], height: f32, wall: Mat) {
    let main = rects[0].area();
    let (cx, cz) = (0.5 * (main.x[0] + main.x[1]), 0.5 * (main.z[0] + main.z[1]));
    let mut g = Group::default();
    if r.chance(0.15) {
        let beam = b.any(r, &[T::Wood, T::Plain]);
        let n = r.int(2, 5);
        for i in 0..n {
            let x = main.x[0] + (main.x[1] - main.x[0]) * (i as f32 + 0.5) / n as f32;
            g.block(v3(x, height - 0.1, cz), v3(0.07, 0.1, 0.5 * (main.z[1] - main.z[0])), beam);
        }
    }
    if r.chance(0.12) {
        // A diagonal wall across a corner.
        let (sx, sz) = (usize::from(r.chance(0.5)), usize::from(r.chance(0.5)));
        let angle = std::f32::consts::FRAC_PI_4 * if sx == sz { 1.0 } else { -1.0 };
        g.turned_block(v3(main.x[sx], 0.5 * height, main.z[sz]), v3(0.7, 0.5 * height, 0.7), Axes::yaw(angle), wall);
    }
    if r.chance(0.12) {
        // A sloped ceiling along one side.
        let m = b.any(r, &[T::Plain, T::Planks]);
        let side = usize::from(r.chance(0.5));
        let tilt = if side == 0 { 0.75 } else { -0.75 };
        g.turned_block(
            v3(main.x[side], height, cz),
            v3(1.1, 0.06, 0.5 * (main.z[1] - main.z[0])),
            Axes::yaw_tilt(0.0, tilt),
            m,
        );
    }
    if r.chance(0.15) {
        let rad = r.range(0.1, 0.25);
        let (x, z) =
            (cx + r.range(-0.3, 0.3) * (main.x[1] - main.x[0]), cz + r.range(-0.3, 0.3) * (main.z[1] - main.z[0]));
        if r.chance(0.5) {
            g.frustum(v3(x, 0.0, z), height, rad, rad, wall);
        } else {
            g.block(v3(x, 0.5 * height, z), v3(rad, 0.5 * height, rad), wall);
        }
    }
    if r.chance(0.45) {
        let rug = b.any(r, &[T::Rug, T::Rug, T::Weave, T::Stripes, T::Motif]);
        let (w, d) = (r.range(0.4, 1.4), r.range(0.4, 1.2));
        let (w, d) = (w.min(0.45 * (main.x[1] - main.x[0])), d.min(0.45 * (main.z[1] - main.z[0])));
        g.turned_block(v3(cx, 0.004, cz), v3(w, 0.006, d), Axes::yaw(r.range(-0.3, 0.3)), rug);
    }
    b.place(&g, Axes::IDENTITY, V3::ZERO);
    if r.chance(0.16) && main.x[1] - main.x[0] > 3.5 {
        let s = furniture::stairs(b, r);
        let (lo, hi) = s.bounds();
        let axes = Axes::quarters(if r.chance(0.5) { 1 } else { 3 });
        let fits = 2.0 * hi.z < main.x[1] - main.x[0] - 0.2;
        if fits {
            b.place(&s, axes, v3(cx, 0.0, main.z[0] + HALF_WALL + 0.02 - lo.x));
        }
    }
}

/// An indoor world; `table` puts a richly laid table at the centre of a single room and looks at it.
pub(super) fn build(r: &mut Rng, about_table: bool) -> World {
    let mut b = Builder::default();
    let rects = if about_table {
        let (w, d) = (r.int(28, 50) as i32, r.int(28, 50) as i32);
        vec![Rect::new(-w / 2, w / 2, -d / 2, d / 2, 1)]
    } else {
        plan(r)
    };
    let large = rects[0].area().size() > 30.0;
    let height = if large { r.range(2.6, 4.2) } else { r.range(2.3, 3.0) };
    let mut runs = walls(&rects);
    open_walls(r, &mut runs, height);
    let sky = Sky::random(r);
    let rooms = rects.iter().map(|q| q.room).max().unwrap_or(1);
    let base = wall_material(r);
    let base = b.material(base);
    let mut wall_of = vec![base];
    for _ in 0..rooms {
        let own = r.chance(0.55);
        let m = wall_material(r);
        wall_of.push(if own { b.material(m) } else { base });
    }
    let white = hsv(0.1, r.range(0.0, 0.1), r.range(0.8, 0.96));
    let trim = if r.chance(0.6) { Material::plain(r, white) } else { Material::random(r, &[T::Wood, T::Plain]) };
    let finish = Finish {
        outside: b.any(r, &[T::Bricks, T::Mottled]),
        walls: wall_of,
        trim: b.material(trim),
        door: b.any(r, &[T::Wood, T::Plain, T::Planks]),
        frame: b.any(r, &[T::Plain, T::Wood]),
        curtain: b.any(r, CLOTH),
    };
    for run in &runs {
        emit_wall(&mut b, r, run, height, &finish, &sky);
    }
    let mut floors = vec![b.any(r, FLOORS)];
    let ceiling_colour = hsv(0.1, r.range(0.0, 0.08), r.range(0.8, 0.97));
    let ceiling =
        Material::random(r, &[T::Plain, T::Plain, T::Mottled, T::Tiles, T::Planks]).coloured(r, ceiling_colour, 0.1);
    let ceiling = b.material(ceiling);
    for _ in 0..rooms {
        let same = r.chance(0.5);
        let m = if same { floors[0] } else { b.any(r, FLOORS) };
        floors.push(m);
    }
    let lit = r.chance(0.85);
    let power = r.range(0.7, 1.6);
    for q in &rects {
        let a = q.area();
        b.slab(v3(a.x[0], -0.1, a.z[0]), v3(a.x[1], 0.0, a.z[1]), floors[usize::from(q.room)]);
        b.slab(
            v3(a.x[0] - HALF_WALL, height, a.z[0] - HALF_WALL),
            v3(a.x[1] + HALF_WALL, height + 0.1, a.z[1] + HALF_WALL),
            ceiling,
        );
        if lit {
            let n = (a.size() / 14.0).ceil().clamp(1.0, 3.0) as usize;
            for i in 0..n {
                let f = (i as f32 + 0.5) / n as f32;
                let long_x = a.x[1] - a.x[0] > a.z[1] - a.z[0];
                let (fx, fz) = if long_x { (f, r.range(0.35, 0.65)) } else { (r.range(0.35, 0.65), f) };
                let at = v3(a.x[0] + fx * (a.x[1] - a.x[0]), height, a.z[0] + fz * (a.z[1] - a.z[0]));
                furniture::ceiling_lamp(&mut b, r, at, power * (0.5 + 0.07 * a.size()).min(2.0));
            }
        }
    }
    let main_wall = finish.walls[1];
    if !about_table {
        structure(&mut b, r, &rects, height, main_wall);
    }
    hang_on_walls(&mut b, r, &runs, height, &finish);
    let mut focus = None;
    let mut focus_distance = [0.0; 2];
    if about_table {
        let (w, d, h) = (r.range(0.35, 0.8), r.range(0.3, 0.5), r.range(0.4, 0.85));
        let things = r.int(4, 16);
        let t = furniture::table(&mut b, r, w, d, h, things);
        b.place(&t, Axes::yaw(r.range(-0.6, 0.6)), V3::ZERO);
        focus = Some(v3(0.0, h + 0.08, 0.0));
        focus_distance = [0.45 + 0.7 * w, 1.1 + w];
        furnish(&mut b, r, &rects, &runs, Some([0.0, 0.0, 1.25]));
    } else {
        furnish(&mut b, r, &rects, &runs, None);
    }
    let storey = if r.chance(0.5) { 0.05 } else { r.range(2.5, 9.0) };
    surroundings(&mut b, r, &rects, storey);
    let windows = runs.iter().flat_map(|q| &q.openings).any(|o| o.bottom > 0.0);
    if windows && r.chance(0.35) {
        let (s, c) = sin_cos(r.angle());
        let direction = v3(s, r.range(0.3, 1.2), c).unit();
        let colour = v3(1.0, 0.9, 0.75) * r.range(2.0, 5.0);
        b.lights.push(Light::Sun { direction, colour, spread: r.range(0.005, 0.03) });
    }
    let tint = v3(1.0, 0.92, 0.82).mix(v3(0.9, 0.97, 1.06), r.unit());
    let ambient = r.range(0.16, 0.5);
    let heights = if about_table { [0.7, 2.0] } else { [0.5, 1.85f32.min(height - 0.3)] };
    World {
        solids: Bvh::new(b.prims, 0),
        materials: b.materials,
        lights: b.lights,
        ambient_up: tint * ambient,
        ambient_down: tint.times(v3(1.0, 0.93, 0.85)) * (ambient * r.range(0.5, 0.9)),
        occlusion_reach: r.range(0.6, 1.6),
        sky,
        areas: rects.iter().map(Rect::area).collect(),
        heights,
        focus,
        focus_distance,
        mover: None,
        range: if about_table { 4.0 } else { 10.0 },
        least_within: 0.75,
        open: false,
        pace: if about_table { 0.45 } else { 1.0 },
    }
}

//! What is inside a room: things on its walls, furniture on its floor, beams, pillars and stairs.

use super::plan::{HALF_WALL, OUTSIDE, Rect};
use super::walls::{Finish, Run};
use crate::synth::furniture::{self, Stand};
use crate::synth::math::{Axes, Rng, V3, splat, v3};
use crate::synth::texture::{FURNITURE, Material, PAINT, Texture as T};
use crate::synth::world::{Builder, Group, Mat};

pub(super) fn hang_on_walls(b: &mut Builder, r: &mut Rng, runs: &[Run], height: f32, finish: &Finish) {
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

/// Furniture for all rooms, beside the ground that is `taken` already (`[x0, x1, z0, z1]`).
pub(super) fn furnish(b: &mut Builder, r: &mut Rng, rects: &[Rect], runs: &[Run], mut taken: Vec<[f32; 4]>) {
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

pub(super) fn structure(b: &mut Builder, r: &mut Rng, rects: &[Rect], height: f32, wall: Mat) {
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

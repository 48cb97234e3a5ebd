//! Rooms: a ground plan of rectangles, walls with doors and windows along its edges, furniture, lamps.
//! This file puts a world together; its parts are made in the files beside it.

mod dining;
mod openings;
mod outside;
mod plan;
mod rooms;
mod walls;

use super::bvh::Bvh;
use super::furniture;
use super::math::{Axes, Rng, V3, sin_cos, v3};
use super::texture::{CLOTH, FLOORS, Material, Texture as T, hsv};
use super::world::{Builder, Light, Sky, World};
use openings::open_walls;
use outside::surroundings;
use plan::{HALF_WALL, Rect, plan};
use rooms::{furnish, hang_on_walls, structure};
use walls::{Finish, emit_wall, wall_material, walls};

/// What an indoor world is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum About {
    /// Its rooms.
    Plan,
    /// A richly laid table at the centre of a single room.
    Table,
    /// A single room with a dining table and kitchen units along its walls.
    Dining,
}

/// An indoor world.
pub(super) fn build(r: &mut Rng, about: About) -> World {
    let mut b = Builder::default();
    // One room, and one thing in it that the camera looks at.
    let close = about != About::Plan;
    let rects = if close {
        let (least, most) = if about == About::Dining { (22, 42) } else { (28, 50) };
        let (w, d) = (r.int(least, most) as i32, r.int(least, most) as i32);
        vec![Rect::new(-w / 2, w / 2, -d / 2, d / 2, 1)]
    } else {
        plan(r)
    };
    let large = rects[0].area().size() > 30.0;
    let height = if large { r.range(2.6, 4.2) } else { r.range(2.3, 3.0) };
    let mut runs = walls(&rects);
    open_walls(r, &mut runs, height);
    if about == About::Dining {
        // Few windows: the view through one is far away, and fitted walls have none.
        for run in &mut runs {
            if r.chance(0.75) {
                run.openings.clear();
            }
        }
    }
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
    if !close {
        structure(&mut b, r, &rects, height, main_wall);
    }
    hang_on_walls(&mut b, r, &runs, height, &finish);
    let mut focus = None;
    let mut focus_distance = [0.0; 2];
    let mut taken = Vec::new();
    match about {
        About::Plan => {}
        About::Table => {
            let (w, d, h) = (r.range(0.35, 0.8), r.range(0.3, 0.5), r.range(0.4, 0.85));
            let things = r.int(4, 16);
            let t = furniture::table(&mut b, r, w, d, h, things);
            b.place(&t, Axes::yaw(r.range(-0.6, 0.6)), V3::ZERO);
            focus = Some(v3(0.0, h + 0.08, 0.0));
            focus_distance = [0.45 + 0.7 * w, 1.1 + w];
            taken.push([-1.25, 1.25, -1.25, 1.25]);
        }
        About::Dining => {
            let laid = dining::lay(&mut b, r, &rects[0], &runs);
            (focus, focus_distance, taken) = (Some(laid.focus), laid.distance, laid.taken);
        }
    }
    furnish(&mut b, r, &rects, &runs, taken);
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
    let heights = match about {
        About::Plan => [0.5, 1.85f32.min(height - 0.3)],
        About::Table => [0.7, 2.0],
        About::Dining => [1.0, 1.85],
    };
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
        circling: if about == About::Dining { 0.25 } else { 0.75 },
        mover: None,
        range: if close { 4.0 } else { 10.0 },
        least_within: 0.75,
        open: false,
        pace: match about {
            About::Plan => 1.0,
            About::Table => 0.45,
            About::Dining => 0.9,
        },
    }
}

//! Streets and parks under an open sky.

use super::bvh::Bvh;
use super::furniture;
use super::math::{Axes, Rng, V3, sin_cos, splat, v3};
use super::texture::{Material, PAINT, Texture as T, hsv};
use super::world::{Area, Builder, Group, Light, Mat, Sky, World};

fn grey(b: &mut Builder, r: &mut Rng, textures: &[T], lo: f32, hi: f32) -> Mat {
    let c = hsv(r.range(0.05, 0.15), r.range(0.0, 0.15), r.range(lo, hi));
    let m = Material::random(r, textures).coloured(r, c, 0.25);
    b.material(m)
}

fn grass(b: &mut Builder, r: &mut Rng) -> Mat {
    let c = hsv(r.range(0.14, 0.32), r.range(0.3, 0.65), r.range(0.35, 0.6));
    let mut m = Material::random(r, &[T::Leaves, T::Mottled]).coloured(r, c, 0.5);
    m.gloss = 0.0;
    m.scale = r.range(1.0, 6.0);
    b.material(m)
}

/// A house of half extents `half` with its front at local +z: door, sills, awning, roof.
fn house(b: &mut Builder, r: &mut Rng, half: V3) -> Group {
    let mut g = Group::default();
    let mut front = Material::random(r, &[T::Facade, T::Facade, T::Facade, T::Bricks, T::Mottled]);
    front.gloss = 0.0;
    let facade = front.texture == T::Facade;
    let front = b.material(front);
    let (door, trim, roof) = (b.any(r, &[T::Wood, T::Plain]), b.any(r, PAINT), b.any(r, &[T::Tiles, T::Mottled]));
    g.block(v3(0.0, half.y, 0.0), half, front);
    let n = (half.x / 1.6) as usize + 1;
    let at = r.int(0, n - 1);
    for i in 0..n {
        let x = -half.x + (2.0 * i as f32 + 1.0) * half.x / n as f32;
        if i == at {
            g.block(v3(x, 1.05, half.z), v3(0.5, 1.05, 0.06), trim);
            g.block(v3(x, 1.0, half.z + 0.03), v3(0.42, 1.0, 0.05), door);
            g.block(v3(x, 0.08, half.z + 0.3), v3(0.7, 0.08, 0.3), trim);
            if r.chance(0.5) {
                let tilt = Axes([v3(1.0, 0.0, 0.0), v3(0.0, 0.95, 0.312), v3(0.0, -0.312, 0.95)]);
                g.turned_block(v3(x, 2.5, half.z + 0.5), v3(0.9, 0.03, 0.6), tilt, door);
            }
        } else if !facade {
            let glass = Material::plain(r, splat(0.05));
            let glass = b.material(glass);
            let mut y = 1.6;
            while y < 2.0 * half.y - 0.9 {
                g.block(v3(x, y, half.z), v3(0.5, 0.65, 0.04), trim);
                g.block(v3(x, y, half.z + 0.02), v3(0.43, 0.58, 0.03), glass);
                g.block(v3(x, y - 0.68, half.z + 0.08), v3(0.55, 0.03, 0.1), trim);
                y += 2.6;
            }
        }
        if facade && half.y > 3.0 && r.chance(0.25) {
            g.block(v3(x, 3.0, half.z + 0.45), v3(0.8, 0.06, 0.45), trim);
            g.block(v3(x, 3.5, half.z + 0.88), v3(0.8, 0.45, 0.02), trim);
        }
    }
    g.block(v3(0.0, 2.0 * half.y, 0.0), v3(half.x + 0.15, 0.12, half.z + 0.15), trim);
    if r.chance(0.5) {
        let s = half.z * 1.05;
        for side in [-1.0, 1.0] {
            let (sn, cs) = sin_cos(side * 0.6);
            let tilt = Axes([v3(1.0, 0.0, 0.0), v3(0.0, cs, sn), v3(0.0, -sn, cs)]);
            let rise = 2.0 * half.y + 0.34 * s;
            g.turned_block(v3(0.0, rise, side * 0.5 * s), v3(half.x + 0.2, 0.08, 0.62 * s), tilt, roof);
        }
    }
    g
}

fn street(b: &mut Builder, r: &mut Rng) -> Vec<Area> {
    let road_half = r.range(2.5, 4.5);
    let walk = r.range(1.5, 3.0);
    let length = 45.0;
    let road = grey(b, r, &[T::Speckle, T::Speckle, T::Mottled, T::Tiles, T::Bricks], 0.25, 0.55);
    let pavement = grey(b, r, &[T::Tiles, T::Tiles, T::Bricks, T::Speckle], 0.4, 0.75);
    let kerb = grey(b, r, &[T::Mottled], 0.5, 0.75);
    let paint = Material::plain(r, splat(0.75));
    let paint = b.material(paint);
    b.slab(v3(-90.0, -1.0, -90.0), v3(90.0, -0.12, 90.0), pavement);
    b.slab(v3(-road_half, -0.5, -90.0), v3(road_half, -0.1, 90.0), road);
    if r.chance(0.7) {
        let mut z = -length;
        while z < length {
            b.slab(v3(-0.06, -0.11, z), v3(0.06, -0.097, z + 1.5), paint);
            z += 4.0;
        }
        if r.chance(0.5) {
            let at = r.range(-6.0, 6.0);
            let mut x = -road_half + 0.3;
            while x < road_half - 0.4 {
                b.slab(v3(x, -0.11, at), v3(x + 0.45, -0.096, at + 2.4), paint);
                x += 0.95;
            }
        }
    }
    let edge = road_half + walk;
    for side in [-1.0f32, 1.0] {
        let x = [side * road_half, side * (road_half + 0.15), side * (edge + 8.0)];
        b.slab(v3(x[0].min(x[1]), -0.5, -90.0), v3(x[0].max(x[1]), 0.01, 90.0), kerb);
        b.slab(v3(x[1].min(x[2]), -0.5, -90.0), v3(x[1].max(x[2]), 0.0, 90.0), pavement);
        let axes = Axes::quarters(if side > 0.0 { 3 } else { 1 });
        let mut z = -length;
        while z < length {
            let l = r.range(2.5, 6.5);
            let half = v3(l, r.range(1.8, 7.0), r.range(2.5, 4.0));
            if r.chance(0.85) {
                let set_back = r.range(0.0, 0.8);
                let g = house(b, r, half);
                b.place(&g, axes, v3(side * (edge + set_back + half.z), 0.0, z + l));
            } else if r.chance(0.5) {
                let wall = b.any(r, &[T::Bricks, T::Planks, T::Mottled]);
                let x = side * (edge + 0.2);
                b.slab(v3(x - 0.1, 0.0, z), v3(x + 0.1, r.range(0.8, 2.0), z + 2.0 * l), wall);
            }
            z += 2.0 * l + if r.chance(0.3) { r.range(0.3, 2.5) } else { 0.0 };
        }
        let mut z = -length + r.range(0.0, 3.0);
        while z < length {
            let x = side * (road_half + r.range(0.45, 0.8));
            let (g, x, y, axes) = match r.int(0, 5) {
                0 | 1 => (furniture::tree(b, r), x, 0.0, Axes::yaw(r.angle())),
                2 | 3 => {
                    let flip = if r.chance(0.5) { 0 } else { 2 };
                    (furniture::car(b, r), side * (road_half - 1.0), -0.1, Axes::quarters(flip))
                }
                _ => (furniture::for_street(b, r), x, 0.0, Axes::quarters(if side > 0.0 { 3 } else { 1 })),
            };
            b.place(&g, axes, v3(x, y, z));
            z += r.range(3.0, 8.0);
        }
    }
    vec![Area { x: [-edge + 0.3, edge - 0.3], z: [-18.0, 18.0] }]
}

fn park(b: &mut Builder, r: &mut Rng) -> Vec<Area> {
    let ground = grass(b, r);
    let path = grey(b, r, &[T::Speckle, T::Tiles, T::Bricks, T::Mottled], 0.5, 0.8);
    b.slab(v3(-90.0, -1.0, -90.0), v3(90.0, 0.0, 90.0), ground);
    let half = r.range(0.8, 2.0);
    b.slab(v3(-half, -0.2, -60.0), v3(half, 0.012, 60.0), path);
    if r.chance(0.5) {
        let z = r.range(-8.0, 8.0);
        b.slab(v3(-60.0, -0.2, z - half), v3(60.0, 0.011, z + half), path);
    }
    let hill = grass(b, r);
    for _ in 0..r.int(4, 9) {
        let (s, c) = sin_cos(r.angle());
        let far = r.range(35.0, 70.0);
        let mut g = Group::default();
        g.ball(V3::ZERO, v3(r.range(8.0, 20.0), r.range(1.5, 6.0), r.range(8.0, 20.0)), hill);
        b.place(&g, Axes::yaw(r.range(0.0, 3.0)), v3(s * far, -0.5, c * far));
    }
    let kinds: Vec<Group> = (0..6).map(|_| furniture::tree(b, r)).collect();
    for _ in 0..r.int(40, 90) {
        let at = v3(r.range(-20.0, 20.0), 0.0, r.range(-22.0, 22.0));
        if at.x.abs() < half + 0.8 {
            continue;
        }
        let axes = Axes::yaw(r.angle());
        match r.int(0, 9) {
            0..=4 => b.place(&kinds[r.int(0, 5)], axes, at),
            5 | 6 => {
                let o = furniture::for_street(b, r);
                b.place(&o, axes, at);
            }
            7 => {
                let stone = grey(b, r, &[T::Mottled, T::Speckle, T::Marble], 0.35, 0.7);
                let mut g = Group::default();
                for _ in 0..r.int(1, 4) {
                    let e = v3(r.range(0.2, 0.9), r.range(0.15, 0.6), r.range(0.2, 0.8));
                    g.turned_ball(
                        v3(r.range(-0.6, 0.6), 0.3 * e.y, r.range(-0.6, 0.6)),
                        e,
                        Axes::yaw(r.range(0.0, 3.0)),
                        stone,
                    );
                }
                b.place(&g, axes, at);
            }
            8 => {
                let wood = b.any(r, &[T::Wood, T::Planks, T::Plain]);
                let mut g = Group::default();
                for k in 0..9 {
                    g.block(v3(k as f32 - 4.0, 0.5, 0.0), v3(0.05, 0.5, 0.05), wood);
                }
                for y in [0.4, 0.85] {
                    g.block(v3(0.0, y, 0.0), v3(4.0, 0.05, 0.02), wood);
                }
                b.place(&g, axes, at);
            }
            _ => {
                let half = v3(r.range(2.0, 5.0), r.range(1.5, 3.5), r.range(2.0, 3.5));
                let g = house(b, r, half);
                b.place(&g, axes, v3(at.x.signum() * (14.0 + at.x.abs()), 0.0, at.z));
            }
        }
    }
    vec![Area { x: [-11.0, 11.0], z: [-14.0, 14.0] }]
}

/// An outdoor world.
pub(super) fn build(r: &mut Rng) -> World {
    let mut b = Builder::default();
    let areas = if r.chance(0.65) { street(&mut b, r) } else { park(&mut b, r) };
    let sky = Sky::random(r);
    let overcast = r.chance(0.35);
    let (s, c) = sin_cos(r.angle());
    let direction = v3(s, r.range(0.35, 1.6), c).unit();
    let strength = if overcast { r.range(0.1, 0.4) } else { r.range(1.2, 2.8) };
    let colour = v3(1.0, 0.94, 0.82) * strength;
    b.lights.push(Light::Sun { direction, colour, spread: if overcast { 0.25 } else { r.range(0.004, 0.018) } });
    World {
        solids: Bvh::new(b.prims, 0),
        materials: b.materials,
        lights: b.lights,
        ambient_up: sky.zenith.mix(sky.horizon, 0.5) * r.range(0.45, 0.8),
        ambient_down: v3(0.9, 0.87, 0.8) * r.range(0.12, 0.3),
        occlusion_reach: r.range(1.0, 3.0),
        sky,
        areas,
        heights: [0.9, 2.1],
        focus: None,
        focus_distance: [0.0; 2],
        circling: 0.75,
        mover: None,
        range: 40.0,
        least_within: 0.4,
        open: true,
        pace: 1.8,
    }
}

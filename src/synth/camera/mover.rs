//! A thing that moves by itself, placed where the first camera sees it and nothing is in its way.

use super::{Lens, Stance};
use crate::synth::furniture;
use crate::synth::math::{Axes, Rng, atan2, sin_cos, v3};
use crate::synth::shape::{Prim, Shape};
use crate::synth::world::{Builder, Group, Mover, World};

/// Puts a moving thing in front of the first camera, if there is room for one of a few. Returns the block it sweeps.
pub(super) fn add_mover(world: &mut World, lens: &Lens, first: &Stance, r: &mut Rng) -> Option<Prim> {
    (0..6).find_map(|_| {
        let mut b = Builder { materials: std::mem::take(&mut world.materials), ..Builder::default() };
        let group = furniture::moving(&mut b, r, world.open);
        world.materials = b.materials;
        place_mover(world, lens, first, group, r)
    })
}

fn place_mover(world: &mut World, lens: &Lens, first: &Stance, group: Group, r: &mut Rng) -> Option<Prim> {
    let outdoor = world.open;
    let (lo, hi) = group.bounds();
    let radius = hi.x.max(hi.z).max(-lo.x).max(-lo.z);
    let ball = radius.min(0.45 * hi.y);
    let ring = ((radius - ball) / ball * 8.0).ceil() as usize;
    let camera = first.camera();
    let half = 0.4 * lens.width as f32 / lens.focal;
    let bounce = if radius < 0.45 && hi.y < 0.9 && r.chance(0.5) { r.range(0.1, 0.4) } else { 0.0 };
    for _ in 0..100 {
        let d = if outdoor { r.range(3.5, 14.0) } else { r.range(1.4, 5.0) };
        let yaw = first.yaw - atan2(r.range(-half, half), 1.0);
        let (s, c) = sin_cos(yaw);
        let from = v3(first.p.x + s * d, 0.0, first.p.z + c * d);
        let (s, c) = sin_cos(r.range(-3.1, 3.1));
        let way = if outdoor { r.range(1.5, 7.0) } else { r.range(0.4, 2.5) };
        let to = from + v3(s * way, 0.0, c * way);
        let steps = (way / (0.5 * ball)).ceil() as usize + 1;
        let mut free = true;
        for k in 0..=steps {
            let p = from.mix(to, k as f32 / steps as f32);
            free &= world.areas.iter().any(|a| a.contains(p.x, p.z, 0.0));
            // The swept cylinder, filled with balls.
            let mut y = ball + 0.03;
            while free && y < hi.y + bounce {
                free &= world.solids.clear(p + v3(0.0, y, 0.0), ball);
                for k in 0..ring {
                    let (s, c) = sin_cos(k as f32 * std::f32::consts::TAU / ring.max(1) as f32);
                    free &= world.solids.clear(p + v3(s, 0.0, c) * (radius - ball) + v3(0.0, y, 0.0), ball);
                }
                y += ball;
            }
            let apart = p - first.p;
            free &= apart.x * apart.x + apart.z * apart.z > (radius + 0.7) * (radius + 0.7);
        }
        let target = from.mix(to, 0.3) + v3(0.0, 0.6 * hi.y, 0.0);
        let (x, y, z) = camera.project(lens, target);
        let framed = z > 0.5 && x > 0.0 && y > 0.0 && x < lens.width as f32 && y < lens.height as f32;
        if !free || !framed || !world.visible(camera.position, &[target])[0] {
            continue;
        }
        let speed = world.pace.max(0.7) * r.range(0.02, 0.14) / way;
        let turn = if hi.y < 1.0 && r.chance(0.4) { r.range(-0.2, 0.2) } else { 0.0 };
        world.mover = Some(Mover { prims: group.prims, from, to, speed, phase: 0.3, turn, bounce });
        let reach = v3(radius, 0.5 * hi.y + bounce, radius);
        let middle = from.mix(to, 0.5) + v3(0.0, 0.5 * hi.y, 0.0);
        let extent = v3(0.5 * (to.x - from.x).abs(), 0.0, 0.5 * (to.z - from.z).abs()) + reach;
        return Some(Prim {
            shape: Shape::Block,
            centre: middle,
            half: extent,
            axes: Axes::IDENTITY,
            aligned: true,
            world_uv: false,
            casts_shadow: false,
            material: 0,
        });
    }
    None
}

//! Paths that keep clear of geometry and keep overlap between neighbouring frames.

use super::drive::{Drive, next_drive, steer, tremor};
use super::mover::add_mover;
use super::view::{seen_by, start, view};
use super::{CLEARANCE, Camera, LEAST_OVERLAP, Lens, Stance};
use crate::synth::math::{Rng, V3, v3};
use crate::synth::world::World;

/// A path of `frames` cameras through the world, which gets a moving thing if there is room. None if there is no
/// place to stand, or none for the moving thing one insists on.
pub(in crate::synth) fn path(
    world: &mut World,
    lens: &Lens,
    frames: usize,
    moving: bool,
    insist: bool,
    r: &mut Rng,
) -> Option<Vec<Camera>> {
    let mut home = start(world, lens, r)?;
    let obstacle = if moving { add_mover(world, lens, &home, r) } else { None };
    if insist && obstacle.is_none() {
        return None;
    }
    home.roll = if r.chance(0.1) { r.range(-0.25, 0.25) } else { r.normal() * 0.03 };
    let speed = world.pace * if r.chance(0.8) { r.range(0.03, 0.18) } else { r.range(0.15, 0.3) };
    let style = r.int(0, 11);
    let shake = r.range(0.0, 1.0) * r.unit();
    let (shake_p, shake_a, seed) = (0.02 * shake, 0.025 * shake, r.next() as u32);
    let jumps = if r.chance(0.2) { 0.03 } else { 0.004 };
    let returns = frames >= 12 && r.chance(0.3);

    let sound = |c: &Camera, world: &World, from: V3| -> bool {
        (1..=4).all(|k| {
            let p = from.mix(c.position, k as f32 * 0.25);
            world.is_free(p, CLEARANCE) && obstacle.is_none_or(|o| o.distance(p) > 0.35)
        }) && c.position.y > world.heights[0] - 0.1
            && c.position.y < world.heights[1] + 0.1
    };
    let mut now = home;
    let (mut velocity, mut yaw_rate, mut pitch_rate);
    let mut drive = next_drive(world, &now, style, speed, r);
    let mut left = r.int(6, 40);
    let mut drift = 0.05 * r.normal() * r.unit();
    (velocity, yaw_rate, pitch_rate) = {
        // The hand is already moving when the recording begins.
        let (v, yaw, pitch) = steer(&drive, &now, &home, speed);
        (v, yaw + drift, pitch)
    };
    let mut cameras: Vec<Camera> = Vec::with_capacity(frames);
    let mut last_view = view(world, lens, &now.camera());
    for frame in 0..frames {
        let mut next = now;
        if frame > 0 {
            if left == 0 {
                drive = next_drive(world, &now, style, speed, r);
                drift = 0.05 * r.normal() * r.unit();
                left = if matches!(drive, Drive::Still) { r.int(3, 12) } else { r.int(8, 45) };
            }
            left -= 1;
            if returns && frame * 2 == frames {
                drive = Drive::Return;
                left = frames;
            }
            let (v, yaw, pitch) = steer(&drive, &now, &home, speed);
            velocity = velocity * 0.7 + (v + v3(r.normal(), 0.3 * r.normal(), r.normal()) * (0.08 * speed)) * 0.3;
            velocity.y += 0.02 * (home.p.y - now.p.y).clamp(-0.2, 0.2);
            yaw_rate = 0.65 * yaw_rate + 0.35 * (yaw + drift + 0.01 * r.normal());
            pitch_rate = 0.65 * pitch_rate + 0.35 * (pitch + 0.3 * drift + 0.006 * r.normal());
            let hurry = if r.chance(jumps) { r.range(2.0, 5.0) } else { 1.0 };
            next.p += velocity * hurry;
            next.yaw += yaw_rate * hurry;
            next.pitch = (next.pitch + pitch_rate * hurry).clamp(-1.2, 0.8);
            next.roll += 0.1 * (home.roll - next.roll) + 0.004 * r.normal();
        }
        let t = frame as f32;
        let shaken = |s: &Stance| {
            let f = |axis| tremor(t, axis, seed);
            Stance {
                p: s.p + v3(f(0), f(1), f(2)) * shake_p,
                yaw: s.yaw + f(3) * shake_a,
                pitch: s.pitch + f(4) * shake_a,
                roll: s.roll + f(5) * shake_a,
            }
            .camera()
        };
        let Some(&last) = cameras.last() else {
            cameras.push(now.camera());
            continue;
        };
        let mut accepted = None;
        for share in [1.0, 0.55, 0.3, 0.15] {
            let s = now.towards(&next, share);
            let c = shaken(&s);
            if !sound(&c, world, last.position) {
                continue;
            }
            let v = view(world, lens, &c);
            let enough = LEAST_OVERLAP;
            let varied = v.is_varied() || v.interest > last_view.interest - 0.02;
            if v.is_sound(world)
                && varied
                && seen_by(world, lens, &v.points, &last) >= enough
                && seen_by(world, lens, &last_view.points, &c) >= enough
            {
                accepted = Some((s, c, v, share));
                break;
            }
        }
        if let Some((s, c, v, share)) = accepted {
            now = s;
            last_view = v;
            cameras.push(c);
            if share < 1.0 {
                velocity = velocity * 0.5;
                yaw_rate *= 0.7;
                left = left.min(3);
            }
        } else {
            // Blocked: stay, back off, and turn away from what is in front.
            cameras.push(last);
            velocity = -velocity * 0.6;
            drive = Drive::Pan { rate: r.range(0.03, 0.08) * yaw_rate.signum(), tilt: home.pitch };
            yaw_rate = 0.0;
            left = r.int(4, 12);
        }
    }
    Some(cameras)
}

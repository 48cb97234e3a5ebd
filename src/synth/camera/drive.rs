//! What the hand does: walk, turn, circle something, come back, tremble.

use super::{CLEARANCE, Stance};
use crate::synth::math::{Rng, V3, atan2, sin_cos, v3};
use crate::synth::noise::noise;
use crate::synth::world::World;

/// What the hand does for some frames.
#[derive(Debug, Clone, Copy)]
pub(super) enum Drive {
    /// Walk to a point; look where it goes, or keep looking at a point.
    Walk {
        goal: V3,
        look: Option<V3>,
    },
    Pan {
        rate: f32,
        tilt: f32,
    },
    Orbit {
        target: V3,
        speed: f32,
        lift: f32,
    },
    Push {
        speed: f32,
    },
    Strafe {
        speed: f32,
    },
    Still,
    /// Back to where the sequence began.
    Return,
}

pub(super) fn next_drive(world: &World, now: &Stance, style: usize, speed: f32, r: &mut Rng) -> Drive {
    let camera = now.camera();
    let ahead = world.look(now.p, camera.forward).0.min(8.0);
    let target = world.focus.unwrap_or(now.p + camera.forward * (ahead * r.range(0.5, 1.0)).max(0.6));
    if world.focus.is_some() && r.chance(world.circling) {
        return Drive::Orbit { target, speed: speed * r.sign(), lift: speed * r.range(-0.4, 0.4) };
    }
    let pick = if r.chance(0.5) { style } else { r.int(0, 11) };
    match pick {
        0..=3 => {
            let mut goal = None;
            for _ in 0..32 {
                let (s, c) = sin_cos(now.yaw + r.range(-1.8, 1.8));
                let way = r.range(0.4, 4.0) * world.pace.max(0.6);
                let p = now.p + v3(s * way, 0.0, c * way);
                if (1..=12).all(|k| world.is_free(now.p.mix(p, k as f32 / 12.0), CLEARANCE + 0.04)) {
                    goal = Some(p);
                    break;
                }
            }
            let Some(goal) = goal else {
                return Drive::Orbit { target, speed: speed * r.sign(), lift: speed * r.range(-0.15, 0.15) };
            };
            Drive::Walk { goal, look: r.chance(0.35).then_some(target) }
        }
        4 | 5 => Drive::Pan { rate: r.range(0.02, 0.14) * r.sign(), tilt: r.range(-0.6, 0.2) },
        6 | 7 => Drive::Orbit { target, speed: speed * r.sign(), lift: speed * r.range(-0.15, 0.15) },
        8 | 9 => Drive::Push { speed: speed * if r.chance(0.7) { 1.0 } else { -1.0 } },
        10 => Drive::Strafe { speed: speed * r.sign() },
        _ => Drive::Still,
    }
}

fn wrapped(angle: f32) -> f32 {
    let turns = (angle / std::f32::consts::TAU).round();
    angle - turns * std::f32::consts::TAU
}

/// Desired velocity and angular rates of a drive.
pub(super) fn steer(drive: &Drive, now: &Stance, home: &Stance, speed: f32) -> (V3, f32, f32) {
    let camera = now.camera();
    let flat = |d: V3| v3(d.x, 0.0, d.z).unit();
    let face = |d: V3| {
        let yaw = wrapped(atan2(d.x, d.z) - now.yaw);
        let level = (d.x * d.x + d.z * d.z).sqrt();
        ((0.25 * yaw).clamp(-0.16, 0.16), (0.25 * (atan2(d.y, level) - now.pitch)).clamp(-0.06, 0.06))
    };
    let settle = 0.06 * (home.pitch - now.pitch);
    match *drive {
        Drive::Walk { goal, look } => {
            let way = goal - now.p;
            let left = way.length();
            let velocity = way.unit() * speed.min(0.3 * left);
            let (yaw, pitch) = match look {
                Some(p) => face(p - now.p),
                None if left > 0.3 => (face(way).0 * 0.6, settle),
                None => (0.0, settle),
            };
            (velocity, yaw, pitch)
        }
        Drive::Pan { rate, tilt } => (V3::ZERO, rate, 0.05 * (tilt - now.pitch)),
        Drive::Orbit { target, speed, lift } => {
            let (yaw, pitch) = face(target - now.p);
            (flat(camera.right) * speed + v3(0.0, lift, 0.0), 2.0 * yaw, 2.0 * pitch)
        }
        Drive::Push { speed } => (flat(camera.forward) * speed, 0.0, settle),
        Drive::Strafe { speed } => (flat(camera.right) * speed, 0.0, settle),
        Drive::Still => (V3::ZERO, 0.0, 0.0),
        Drive::Return => {
            let way = home.p - now.p;
            let turn = (0.12 * wrapped(home.yaw - now.yaw)).clamp(-0.1, 0.1);
            (way.unit() * (1.2 * speed).min(0.3 * way.length()), turn, settle)
        }
    }
}

/// Smooth tremor of a hand: slow and quick parts.
pub(super) fn tremor(t: f32, axis: i32, seed: u32) -> f32 {
    (noise(t * 0.23, axis as f32 * 7.3, seed) - 0.5) * 1.4 + (noise(t * 0.9, axis as f32 * 5.1, seed ^ 5) - 0.5) * 0.7
}

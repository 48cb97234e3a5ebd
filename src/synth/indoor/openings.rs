//! Openings in walls: where doors and windows go, and what fills them.

use super::plan::{HALF_WALL, OUTSIDE};
use super::walls::{Finish, Run};
use crate::synth::math::{Axes, Rng, v3};
use crate::synth::texture::PAINT;
use crate::synth::world::{Builder, Group};

#[derive(Debug, Clone, Copy)]
pub(super) struct Opening {
    pub(super) from: f32,
    pub(super) to: f32,
    pub(super) bottom: f32,
    pub(super) top: f32,
}

pub(super) fn open_walls(r: &mut Rng, runs: &mut [Run], height: f32) {
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

pub(super) fn window(r: &mut Rng, g: &mut Group, o: &Opening, w: f32, finish: &Finish) {
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

pub(super) fn doorway(b: &mut Builder, r: &mut Rng, g: &mut Group, o: &Opening, w: f32, finish: &Finish) {
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

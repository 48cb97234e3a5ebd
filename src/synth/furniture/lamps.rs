//! Lamps that stand on the floor or hang from the ceiling, and the light they give.

use crate::synth::math::{Axes, Rng, V3, splat, v3};
use crate::synth::texture::{Material, PAINT};
use crate::synth::world::{Builder, Group, Light};

pub(super) fn lamp(b: &mut Builder, r: &mut Rng) -> Group {
    let mut g = Group::default();
    let pole = b.any(r, PAINT);
    let h = r.range(1.2, 1.75);
    let shade = Material::lamp(r, v3(0.9, 0.7, 0.45), 0.9);
    let shade = b.material(shade);
    g.frustum(V3::ZERO, 0.03, 0.16, 0.14, pole);
    g.frustum(V3::ZERO, h, 0.014, 0.012, pole);
    if r.chance(0.6) {
        g.frustum(v3(0.0, h - 0.1, 0.0), r.range(0.2, 0.35), r.range(0.15, 0.24), r.range(0.08, 0.17), shade);
    } else {
        g.ball(v3(0.0, h, 0.0), splat(r.range(0.1, 0.18)), shade);
    }
    g.unshadow_last();
    g
}

/// A lamp hanging from or set into the ceiling at height `y`, and its light.
pub(in crate::synth) fn ceiling_lamp(b: &mut Builder, r: &mut Rng, at: V3, power: f32) {
    let warm = v3(1.0, 0.78, 0.55).mix(v3(0.88, 0.95, 1.0), r.unit());
    let glow = Material::lamp(r, warm, r.clone().range(1.5, 3.0));
    let glow = b.material(glow);
    let mut g = Group::default();
    let colour = warm * power;
    let reach = 7.0 + 2.0 * power;
    match r.int(0, 3) {
        0 => {
            let (u, v) = (r.range(0.15, 0.6), r.range(0.1, 0.3));
            g.block(at - v3(0.0, 0.015, 0.0), v3(u, 0.015, v), glow);
            g.unshadow_last();
            let centre = at - v3(0.0, 0.05, 0.0);
            let panel = Light::Panel {
                centre,
                u: v3(u, 0.0, 0.0),
                v: v3(0.0, 0.0, v),
                normal: v3(0.0, -1.0, 0.0),
                colour: colour * 1.3,
                reach,
            };
            b.lights.push(panel);
        }
        1 => {
            let drop = r.range(0.3, 0.9).min(at.y - 1.9).max(0.1);
            let cord = b.any(r, PAINT);
            let rad = r.range(0.12, 0.25);
            g.frustum(at - v3(0.0, drop, 0.0), drop, 0.008, 0.008, cord);
            g.unshadow_last();
            g.frustum(at - v3(0.0, drop + 0.2, 0.0), 0.2, rad, rad * 0.4, glow);
            g.unshadow_last();
            let centre = at - v3(0.0, drop + 0.12, 0.0);
            b.lights.push(Light::Ball { centre, radius: rad * 0.6, colour, reach });
        }
        2 => {
            let rad = r.range(0.1, 0.22);
            g.ball(at - v3(0.0, rad * 0.5, 0.0), v3(rad, rad * 0.6, rad), glow);
            g.unshadow_last();
            b.lights.push(Light::Ball { centre: at - v3(0.0, rad, 0.0), radius: rad, colour, reach });
        }
        _ => {
            // A bare bulb: hard shadows.
            g.ball(at - v3(0.0, 0.12, 0.0), splat(0.045), glow);
            g.unshadow_last();
            b.lights.push(Light::Ball { centre: at - v3(0.0, 0.2, 0.0), radius: 0.01, colour, reach });
        }
    }
    b.place(&g, Axes::IDENTITY, V3::ZERO);
}

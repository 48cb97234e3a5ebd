//! What moves through a scene while it is filmed: people, balls, carts, cars.

use super::street::car;
use crate::synth::math::{Rng, splat, v3};
use crate::synth::texture::{CLOTH, CLUTTER, Material, PAINT, Texture as T, hsv};
use crate::synth::world::{Builder, Group};

/// Something that walks, rolls or drives; about person-sized indoors.
pub(in crate::synth) fn moving(b: &mut Builder, r: &mut Rng, outdoor: bool) -> Group {
    if outdoor && r.chance(0.45) {
        return car(b, r);
    }
    let mut g = Group::default();
    match r.int(0, 4) {
        0..=2 => {
            let (shirt, trousers) = (b.any(r, CLOTH), b.any(r, &[T::Plain, T::Weave]));
            let skin = hsv(r.range(0.04, 0.08), r.range(0.3, 0.6), r.range(0.35, 0.9));
            let skin = Material::plain(r, skin);
            let skin = b.material(skin);
            let hair = b.any(r, PAINT);
            let k = r.range(0.6, 1.05);
            let stride = r.range(0.05, 0.22);
            for s in [-1.0, 1.0] {
                g.rod(v3(s * 0.09, 0.0, s * stride) * k, v3(s * 0.08, 0.85, 0.0) * k, 0.06 * k, 0.09 * k, trousers);
                g.ball(v3(s * 0.09, 0.04, s * stride + 0.06) * k, v3(0.05, 0.045, 0.13) * k, hair);
                g.rod(v3(s * 0.26, 0.85, -s * stride) * k, v3(s * 0.2, 1.38, 0.0) * k, 0.04 * k, 0.055 * k, shirt);
                g.ball(v3(s * 0.26, 0.8, -s * stride) * k, splat(0.055) * k, skin);
            }
            g.ball(v3(0.0, 1.12, 0.0) * k, v3(0.2, 0.36, 0.13) * k, shirt);
            g.frustum(v3(0.0, 1.42, 0.0) * k, 0.1 * k, 0.055 * k, 0.05 * k, skin);
            g.ball(v3(0.0, 1.6, 0.0) * k, v3(0.095, 0.125, 0.11) * k, skin);
            g.ball(v3(0.0, 1.65, -0.02) * k, v3(0.1, 0.1, 0.112) * k, hair);
        }
        3 => {
            let m = b.any(r, CLUTTER);
            let s = r.range(0.15, 0.4);
            g.ball(v3(0.0, s, 0.0), splat(s), m);
        }
        _ => {
            let m = b.any(r, CLUTTER);
            let dark = b.any(r, PAINT);
            let h = v3(r.range(0.2, 0.4), r.range(0.15, 0.4), r.range(0.25, 0.5));
            g.block(v3(0.0, 0.16 + h.y, 0.0), h, m);
            for s in [-1.0, 1.0] {
                for q in [-0.7, 0.7] {
                    g.rod(v3(s * h.x, 0.08, q * h.z), v3(s * (h.x - 0.05), 0.08, q * h.z), 0.08, 0.08, dark);
                }
            }
        }
    }
    g
}

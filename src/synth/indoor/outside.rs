//! Ground, trees and houses around a building.

use super::plan::Rect;
use crate::synth::furniture;
use crate::synth::math::{Axes, Rng, sin_cos, v3};
use crate::synth::texture::{Material, Texture as T, hsv};
use crate::synth::world::{Builder, Group};

/// What is seen through the windows.
pub(super) fn surroundings(b: &mut Builder, r: &mut Rng, rects: &[Rect], storey: f32) {
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

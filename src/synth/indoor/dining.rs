//! A room about a dining table: chairs around it, rows of kitchen units along the walls, all of it close by.

use super::plan::{HALF_WALL, OUTSIDE, Rect};
use super::walls::Run;
use crate::synth::furniture::{self, Units};
use crate::synth::math::{Axes, Rng, V3, v3};
use crate::synth::world::Builder;

/// What a dining room is about, and the ground that is taken.
pub(super) struct Dining {
    /// What the camera looks at.
    pub(super) focus: V3,
    /// Camera distance from it, metres.
    pub(super) distance: [f32; 2],
    /// Ground taken, `[x0, x1, z0, z1]`.
    pub(super) taken: Vec<[f32; 4]>,
}

/// Share of the walls that have a row of units.
const ROWS: f32 = 0.7;
/// Depth of a row, metres.
const DEPTH: f32 = 0.62;

/// Puts the table and the rows into the room `rect`.
pub(super) fn lay(b: &mut Builder, r: &mut Rng, rect: &Rect, runs: &[Run]) -> Dining {
    let area = rect.area();
    let style = Units::random(b, r);
    let mut taken = Vec::new();
    let mut sights = Vec::new();
    for run in runs {
        let side = usize::from(run.rooms[0] == OUTSIDE);
        // Rows end before the corner now and then, so that some meet and some do not.
        let gap = |r: &mut Rng| HALF_WALL + if r.chance(0.5) { 0.01 } else { r.range(0.5, 1.4) };
        let (from, to) = (run.from + gap(r), run.to - gap(r));
        if !r.chance(ROWS) || to - from < 0.8 || !run.is_free(from, to, 0.0, 1.0) {
            continue;
        }
        let row = style.row(b, r, 0.5 * (to - from));
        let (axes, at) = run.frame(side, 0.5 * (from + to));
        let at = at + axes.to_world(v3(0.0, 0.0, 0.5 * DEPTH));
        let corner = axes.to_world(v3(0.5 * (to - from), 0.0, 0.5 * DEPTH));
        let (x, z) = (corner.x.abs(), corner.z.abs());
        taken.push([at.x - x, at.x + x, at.z - z, at.z + z]);
        sights.push(at + axes.to_world(v3(r.range(-0.4, 0.4) * (to - from), r.range(0.4, 1.2), 0.2)));
        b.place(&row, axes, at);
    }
    let (table, [w, h]) = furniture::laid_table(b, r);
    let middle = |a: [f32; 2], r: &mut Rng| 0.5 * (a[0] + a[1]) + r.range(-0.12, 0.12) * (a[1] - a[0]);
    let at = v3(middle(area.x, r), 0.0, middle(area.z, r));
    b.place(&table, Axes::yaw(r.range(-0.5, 0.5)), at);
    let reach = w + 0.5;
    taken.push([at.x - reach, at.x + reach, at.z - reach, at.z + reach]);
    let on_table = at + v3(r.range(-0.5, 0.5) * w, h, r.range(-0.4, 0.4));
    let focus = if sights.is_empty() || r.chance(0.3) { on_table } else { sights[r.int(0, sights.len() - 1)] };
    Dining { focus, distance: [1.0, r.range(1.6, 2.8)], taken }
}

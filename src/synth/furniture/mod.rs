//! Things that stand in rooms and streets, each built from a few solids in its own frame:
//! on the ground, back towards -z, front towards +z. This file draws a piece for a room; the pieces are built in
//! the files beside it.

mod clutter;
mod kitchen;
mod lamps;
mod moving;
mod odds;
mod plants;
mod seats;
mod storage;
mod street;
mod tables;

use super::math::Rng;
use super::world::{Builder, Group};
use kitchen::{counter, fridge};
use lamps::lamp;
use odds::{odd_shape, screen_wall, television};
use plants::plant;
use seats::{bed, chair, sofa};
use storage::{boxes, cabinet, shelf};
use tables::{desk, dining};

pub(super) use clutter::clutter;
pub(super) use kitchen::Units;
pub(super) use lamps::ceiling_lamp;
pub(super) use moving::moving;
pub(super) use odds::stairs;
pub(super) use plants::tree;
pub(super) use street::{car, for_street};
pub(super) use tables::{laid_table, table};

/// Where furniture goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stand {
    Wall,
    Free,
}

/// A random piece for a room.
pub(super) fn for_room(b: &mut Builder, r: &mut Rng) -> (Group, Stand) {
    match r.int(0, 22) {
        0 | 1 => (dining(b, r), Stand::Free),
        2..=5 => (shelf(b, r), Stand::Wall),
        6 | 7 => (sofa(b, r), if r.chance(0.7) { Stand::Wall } else { Stand::Free }),
        8..=10 => (cabinet(b, r), Stand::Wall),
        11 => (bed(b, r), Stand::Wall),
        12 => (chair(b, r), Stand::Free),
        13 => (lamp(b, r), Stand::Free),
        14 => (plant(b, r), Stand::Free),
        15 => (boxes(b, r), Stand::Free),
        16 | 17 => (desk(b, r), Stand::Wall),
        18 => (counter(b, r), Stand::Wall),
        19 => (if r.chance(0.5) { fridge(b, r) } else { television(b, r) }, Stand::Wall),
        20 => (odd_shape(b, r), Stand::Free),
        21 => (screen_wall(b, r), Stand::Free),
        _ => {
            let (w, d, h, n) = (r.range(0.3, 0.6), r.range(0.25, 0.4), r.range(0.35, 0.5), r.int(0, 4));
            (table(b, r, w, d, h, n), Stand::Free)
        }
    }
}

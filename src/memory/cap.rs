//! A limit on the number of pointers, so that an endless scan keeps a flat cost per frame.
//!
//! The reference never deletes a pointer. With a cap, the memory is brought down to it after each frame's pointers
//! were fused: who goes is a function of positions and ages alone, so every device decides alike, and the order of
//! those who stay does not change.

use serde::{Deserialize, Serialize};

use super::PointerAge;

/// Most pointers, and who goes when there are more.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct PointerCap {
    /// Pointers kept after each frame; 0: all of them, as in the reference.
    pub pointers: usize,
    /// Who goes.
    pub eviction: Eviction,
}

impl Default for PointerCap {
    /// 4,096 pointers.
    fn default() -> Self {
        Self { pointers: 4096, eviction: Eviction::default() }
    }
}

impl PointerCap {
    /// No limit: the reference's behaviour.
    pub const OFF: Self = Self { pointers: 0, eviction: Eviction::Oldest };
}

/// Which pointers go first. Ties: the lower row, which is the older pointer.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[cfg_attr(feature = "cli", derive(clap::ValueEnum))]
pub enum Eviction {
    /// Those that no frame has hit for the longest time: what the camera left behind.
    Oldest,
    /// Those closest to a pointer that came after them: the map thins out where it is densest. The default: the camera
    /// path came out better (measured, `docs/architecture.md`).
    #[default]
    Redundant,
}

/// The rows that stay, in order, when at most `cap.pointers` may; `None` when all do.
pub(super) fn survivors(cap: PointerCap, positions: &[[f32; 3]], ages: &[PointerAge]) -> Option<Vec<usize>> {
    let excess = positions.len().checked_sub(cap.pointers).filter(|n| *n > 0 && cap.pointers > 0)?;
    // Smaller goes first; f32 bits of a distance order like the distance.
    let mut keys: Vec<(u32, usize)> = match cap.eviction {
        Eviction::Oldest => ages.iter().enumerate().map(|(row, age)| (age.updated, row)).collect(),
        Eviction::Redundant => (0..positions.len()).map(|row| (to_newer(positions, row).to_bits(), row)).collect(),
    };
    keys.sort_unstable();
    let mut stays = vec![true; positions.len()];
    for (_, row) in keys.iter().take(excess) {
        if let Some(stays) = stays.get_mut(*row) {
            *stays = false;
        }
    }
    Some(stays.iter().enumerate().filter_map(|(row, stays)| stays.then_some(row)).collect())
}

/// Squared distance to the nearest pointer of a higher row; the last one has none.
fn to_newer(positions: &[[f32; 3]], row: usize) -> f32 {
    let Some(([x, y, z], newer)) = positions.get(row..).and_then(<[_]>::split_first) else { return f32::INFINITY };
    newer.iter().map(|[a, b, c]| (x - a).powi(2) + (y - b).powi(2) + (z - c).powi(2)).fold(f32::INFINITY, f32::min)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(x: &[f32]) -> Vec<[f32; 3]> {
        x.iter().map(|x| [*x, 0.0, 0.0]).collect()
    }

    fn hit(updated: &[u32]) -> Vec<PointerAge> {
        updated.iter().map(|updated| PointerAge { born: 0, updated: *updated }).collect()
    }

    #[test]
    fn oldest_evicts_those_that_were_not_hit_for_longest_and_keeps_the_order() {
        let cap = PointerCap { pointers: 3, eviction: Eviction::Oldest };
        let positions = at(&[0.0, 1.0, 2.0, 3.0, 4.0]);
        assert_eq!(survivors(cap, &positions, &hit(&[5, 1, 4, 1, 3])), Some(vec![0, 2, 4]));
        // Ties: the lower row goes.
        assert_eq!(survivors(cap, &positions, &hit(&[2, 2, 2, 2, 2])), Some(vec![2, 3, 4]));
    }

    #[test]
    fn redundant_evicts_the_older_of_the_closest_pairs() {
        let cap = PointerCap { pointers: 3, eviction: Eviction::Redundant };
        let positions = at(&[0.0, 10.0, 0.5, 10.1, 5.0]);
        assert_eq!(survivors(cap, &positions, &hit(&[0; 5])), Some(vec![2, 3, 4]));
    }

    #[test]
    fn nothing_goes_below_the_cap_or_without_one() {
        let positions = at(&[0.0, 1.0, 2.0]);
        for pointers in [0, 3, 4] {
            let cap = PointerCap { pointers, ..PointerCap::default() };
            assert_eq!(survivors(cap, &positions, &hit(&[0; 3])), None);
        }
    }

    #[test]
    fn a_position_that_is_not_a_number_does_not_stop_eviction() {
        let cap = PointerCap { pointers: 1, eviction: Eviction::Redundant };
        let kept = survivors(cap, &at(&[f32::NAN, 1.0, f32::NAN]), &hit(&[0; 3]));
        assert_eq!(kept.map(|rows| rows.len()), Some(1));
    }
}

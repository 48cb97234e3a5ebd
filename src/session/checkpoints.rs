//! The memory at earlier moments of a reconstruction, so that undoing frames need not begin at the first one.
//!
//! Every moment of the last [`RECENT`] frames is kept, and one for each doubling of the distance before them: n frames
//! cost `RECENT + log2 n` moments. Going back `d` frames from there replays fewer than `3 d`.

use crate::model::State;

/// Frames by which the memory is rewound without replaying any.
pub const RECENT: usize = 4;

/// Kept moments, oldest first.
#[derive(Debug, Clone, Default)]
pub(super) struct Checkpoints {
    kept: Vec<(usize, State)>,
}

impl Checkpoints {
    /// Keeps the memory as it was after `frames` frames, now that one more has been reconstructed.
    pub(super) fn keep(&mut self, frames: usize, state: State) {
        self.kept.push((frames, state));
        let now = frames + 1;
        self.kept.retain(|(at, _)| is_kept(*at, now));
    }

    /// The last kept moment at or before `frames` frames; `None` is the beginning.
    pub(super) fn before(&self, frames: usize) -> Option<(usize, &State)> {
        self.kept.iter().rev().find(|(at, _)| *at <= frames).map(|(at, state)| (*at, state))
    }

    /// Forgets the moments from `frames` frames on.
    pub(super) fn truncate(&mut self, frames: usize) {
        self.kept.retain(|(at, _)| *at < frames);
    }

    pub(super) fn clear(&mut self) {
        self.kept.clear();
    }
}

/// Whether the moment after `at` frames is kept once there are `now`. What is dropped never becomes wanted again:
/// the power of two that `at` must be a multiple of only grows.
fn is_kept(at: usize, now: usize) -> bool {
    let distance = now.saturating_sub(at);
    distance <= RECENT || at.is_multiple_of(distance.next_power_of_two() / 2)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn few_moments_are_kept_and_none_is_far_from_any_frame() {
        let mut kept: Vec<usize> = Vec::new();
        for now in 1..3000 {
            kept.push(now - 1);
            kept.retain(|&at| is_kept(at, now));
            let log = now.next_power_of_two().ilog2() as usize;
            assert!(kept.len() <= RECENT + log + 1, "{} moments after {now} frames", kept.len());
            for target in 0..now {
                let from = kept.iter().rev().find(|&&at| at <= target).copied().unwrap_or(0);
                let (undone, replayed) = (now - target, target - from);
                assert!(replayed == 0 || replayed < 3 * undone, "{now}: {undone} undone, {replayed} replayed");
                assert!(undone > RECENT || replayed == 0);
            }
        }
    }
}

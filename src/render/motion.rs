//! How the view gets from one camera to another: it eases, so that one sees where one goes.

use super::camera::OrbitCamera;

/// How long a move takes, milliseconds.
pub const MOVE_MS: f64 = 450.0;

/// A move under way.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Motion {
    /// Where it began.
    pub from: OrbitCamera,
    /// Where it ends.
    pub to: OrbitCamera,
    /// When it began, milliseconds.
    pub start: f64,
}

impl Motion {
    /// The camera at a moment, and whether the move is over. The eye travels on a straight line.
    #[must_use]
    #[expect(clippy::cast_possible_truncation, reason = "between 0 and 1")]
    pub fn at(&self, now: f64) -> (OrbitCamera, bool) {
        let share = ((now - self.start) / MOVE_MS) as f32;
        if share.is_nan() || share >= 1.0 {
            return (self.to, true);
        }
        let share = share.max(0.0);
        let eased = share * share * (3.0 - 2.0 * share);
        let (from, to) = (&self.from, &self.to);
        let between = |a: f32, b: f32| a + (b - a) * eased;
        let turn = |a: f32, b: f32| a + eased * shortest(b - a);
        let mut camera = OrbitCamera {
            pivot: to.pivot,
            distance: between(from.distance.ln(), to.distance.ln()).exp(),
            yaw: turn(from.yaw, to.yaw).rem_euclid(std::f32::consts::TAU),
            pitch: between(from.pitch, to.pitch),
            roll: turn(from.roll, to.roll),
            field_of_view: between(from.field_of_view, to.field_of_view),
        };
        let (start, end) = (from.eye(), to.eye());
        camera.stand_at(std::array::from_fn(|i| between(start[i], end[i])));
        (camera, false)
    }
}

/// The same turn, by at most half a circle.
fn shortest(angle: f32) -> f32 {
    use std::f32::consts::{PI, TAU};
    (angle + PI).rem_euclid(TAU) - PI
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_move_begins_and_ends_where_it_says_and_turns_the_short_way() {
        let from = OrbitCamera { yaw: 6.2, ..OrbitCamera::default() };
        let to = OrbitCamera { yaw: 0.1, pivot: [3.0, 0.0, 1.0], distance: 9.0, ..OrbitCamera::default() };
        let motion = Motion { from, to, start: 100.0 };
        let (first, done) = motion.at(100.0);
        assert!(!done && (0..3).all(|i| (first.eye()[i] - from.eye()[i]).abs() < 1e-4));
        let (middle, _) = motion.at(100.0 + MOVE_MS / 2.0);
        assert!((0..3).all(|i| (middle.eye()[i] - 0.5 * (from.eye()[i] + to.eye()[i])).abs() < 1e-4));
        assert!(middle.yaw > 6.2 || middle.yaw < 0.1, "{}", middle.yaw);
        assert_eq!(motion.at(100.0 + MOVE_MS), (to, true));
        assert_eq!(motion.at(f64::NAN), (to, true));
    }
}

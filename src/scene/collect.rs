//! Gathers the points of a file into one chunk per frame.

use std::collections::BTreeMap;

use super::{Limits, SceneError};
use crate::cloud::{Chunk, Cloud, PackedPoint};

/// Points by frame. What is not a finite position is left out and counted.
#[derive(Debug, Default)]
pub(super) struct Collector {
    frames: BTreeMap<u32, Vec<PackedPoint>>,
    /// The frame of the last point, whose chunk is kept at hand: files are in order of frames.
    current: (u32, Vec<PackedPoint>),
    points: usize,
    dropped: usize,
}

impl Collector {
    /// Adds a point.
    pub(super) fn push(&mut self, frame: u32, point: PackedPoint, limits: &Limits) -> Result<(), SceneError> {
        // Also what is left out counts: reading it takes time.
        Limits::check("points", self.points + self.dropped + 1, limits.points)?;
        if !point.position.iter().all(|v| v.is_finite()) {
            self.dropped += 1;
            return Ok(());
        }
        if frame != self.current.0 {
            self.put_back();
            // An unusual file hops between many frames: its later points share one chunk.
            let known = self.frames.contains_key(&frame) || self.frames.len() < limits.cameras;
            let frame = if known { frame } else { u32::MAX };
            self.current = (frame, self.frames.remove(&frame).unwrap_or_default());
        }
        self.points += 1;
        self.current.1.push(point);
        Ok(())
    }

    fn put_back(&mut self) {
        let (frame, points) = std::mem::take(&mut self.current);
        if !points.is_empty() {
            self.frames.insert(frame, points);
        }
    }

    /// The cloud.
    pub(super) fn finish(mut self) -> Result<Cloud, SceneError> {
        self.put_back();
        if self.points == 0 {
            let none_left = || SceneError::damaged(format!("none of its {} positions is a number", self.dropped));
            return Err(if self.dropped > 0 { none_left() } else { SceneError::Empty });
        }
        let mut cloud = Cloud::default();
        for (frame, points) in self.frames {
            cloud.push(Chunk::new(frame, points));
        }
        Ok(cloud)
    }
}

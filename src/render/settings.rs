//! What the user can set about the picture.

use serde::{Deserialize, Serialize};

/// Behind the points.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Background {
    /// Near black.
    #[default]
    Dark,
    /// Near white.
    Light,
}

impl Background {
    pub(super) fn srgb(self) -> [f64; 3] {
        match self {
            Self::Dark => [0.055, 0.063, 0.078],
            Self::Light => [0.965, 0.969, 0.976],
        }
    }
}

/// What a point's colour says. The numbers are those of `shaders/points.wgsl`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum ColourMode {
    /// The picture's colour.
    #[default]
    Rgb = 0,
    /// Distance from the camera that saw it, along its axis.
    Depth = 1,
    /// Confidence, logarithmic.
    Confidence = 2,
    /// When it was seen.
    Frame = 3,
    /// Height above the lowest points: -y of the world.
    Height = 4,
}

/// Which frames are shown.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Timeline {
    /// Every frame.
    #[default]
    All,
    /// The frames up to this one.
    UpTo(usize),
    /// This frame alone.
    Only(usize),
}

impl Timeline {
    /// The frames shown of `count`.
    #[must_use]
    pub fn range(self, count: usize) -> std::ops::Range<usize> {
        match self {
            Self::All => 0..count,
            Self::UpTo(frame) => 0..frame.saturating_add(1).min(count),
            Self::Only(frame) => frame.min(count)..frame.saturating_add(1).min(count),
        }
    }

    /// The frame looked at, if one is.
    #[must_use]
    pub fn frame(self) -> Option<usize> {
        match self {
            Self::All => None,
            Self::UpTo(frame) | Self::Only(frame) => Some(frame),
        }
    }
}

/// What the user can set. Sizes in CSS pixels.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct ViewSettings {
    /// Draw the points.
    pub points: bool,
    /// Diameter of a point: at the pivot, or everywhere without attenuation.
    pub point_size: f32,
    /// Least diameter of a point, world units: that of a voxel, where points were merged.
    pub least_size: f32,
    /// Points shrink with distance.
    pub attenuation: bool,
    /// Strength of eye-dome lighting, which shades depth steps; 0 draws plain points.
    pub edl: f32,
    /// What colours say.
    pub colour: ColourMode,
    /// Values of the mode's quantity at the ends of its colour ramp.
    pub range: [f32; 2],
    /// Points whose confidence code is lower are not drawn.
    pub min_code: u8,
    /// Points with any of these flags are not drawn (see [`crate::cloud::FLAG_EDGE`]).
    pub hidden_flags: u8,
    /// How much of the points' colour is left: less than 1 lets glyphs stand out.
    pub vividness: f32,
    /// Behind the points.
    pub background: Background,
    /// Draw the camera path and frusta.
    pub cameras: bool,
    /// Draw the frames' pictures in their frusta.
    pub thumbnails: bool,
    /// Draw the pointers.
    pub pointers: bool,
    /// Which frames are shown.
    pub timeline: Timeline,
}

impl Default for ViewSettings {
    fn default() -> Self {
        Self {
            points: true,
            point_size: 2.5,
            least_size: 0.0,
            attenuation: true,
            edl: 0.0,
            colour: ColourMode::Rgb,
            range: [0.0, 1.0],
            min_code: 0,
            hidden_flags: 0,
            vividness: 1.0,
            background: Background::Dark,
            cameras: true,
            thumbnails: false,
            pointers: false,
            timeline: Timeline::All,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_timeline_shows_what_exists() {
        assert_eq!(Timeline::All.range(5), 0..5);
        assert_eq!(Timeline::UpTo(2).range(5), 0..3);
        assert_eq!(Timeline::UpTo(usize::MAX).range(5), 0..5);
        assert_eq!(Timeline::Only(4).range(5), 4..5);
        assert!(Timeline::Only(9).range(5).is_empty());
    }
}

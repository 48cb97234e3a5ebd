//! What worlds are asked for, and the limits of that.

use super::render::Samples;

/// Families of worlds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// Rooms, corridors, stairs.
    Indoor,
    /// Streets and parks.
    Outdoor,
    /// A laid table, seen from close by.
    Table,
    /// A room about a dining table with kitchen units along its walls, seen from within reach.
    Dining,
    /// 70 % indoor, 15 % outdoor, 15 % table.
    Mix,
}

/// How many samples a pixel gets.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Quality {
    /// For training by the million.
    Fast,
    /// For evaluation sets and demonstrations.
    Full,
}

impl Quality {
    pub(super) fn samples(self) -> Samples {
        match self {
            Self::Fast => Samples { texture: 2, edge: 2, light: 1, shadows: 2 },
            Self::Full => Samples { texture: 4, edge: 7, light: 4, shadows: 3 },
        }
    }
}

/// What to generate.
#[derive(Debug, Clone, PartialEq)]
pub struct Settings {
    /// Width of landscape frames in pixels.
    pub width: usize,
    /// Height of landscape frames in pixels.
    pub height: usize,
    /// Frames per scene.
    pub frames: usize,
    /// Family of worlds.
    pub kind: Kind,
    /// Samples per pixel.
    pub quality: Quality,
    /// Share of scenes filmed upright (width and height swapped).
    pub portrait: f32,
    /// Share of scenes in which something moves.
    pub moving: f32,
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            width: 224,
            height: 224,
            frames: 16,
            kind: Kind::Mix,
            quality: Quality::Fast,
            portrait: 0.0,
            moving: 0.15,
        }
    }
}

/// Settings that cannot be met.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
pub enum SettingsError {
    /// Sides outside `SMALLEST_SIDE..=LARGEST_SIDE`.
    #[error("a size of {width}x{height} is not possible: each side must be {SMALLEST_SIDE} to {LARGEST_SIDE} pixels")]
    Size {
        /// Asked width.
        width: usize,
        /// Asked height.
        height: usize,
    },
    /// Too long or too wide an image for a lens of 45 degrees and more to make sense.
    #[error("a size of {width}x{height} is more than {LARGEST_ASPECT} times as long as it is wide")]
    Aspect {
        /// Asked width.
        width: usize,
        /// Asked height.
        height: usize,
    },
    /// No frames, or more than `MOST_FRAMES`.
    #[error("{frames} frames per scene are not possible: ask for 1 to {MOST_FRAMES}")]
    Frames {
        /// Asked frames.
        frames: usize,
    },
    /// A share outside `0..=1`.
    #[error("the share of {what} scenes is {value}: it must lie between 0 and 1")]
    Share {
        /// Which share.
        what: &'static str,
        /// Asked value.
        value: f32,
    },
}

/// Smallest side of a frame.
pub const SMALLEST_SIDE: usize = 16;
/// Largest side of a frame.
pub const LARGEST_SIDE: usize = 4096;
/// Largest ratio of the sides.
pub const LARGEST_ASPECT: usize = 3;
/// Most frames in one scene.
pub const MOST_FRAMES: usize = 10_000;

impl Settings {
    /// Checks sizes, counts and shares.
    ///
    /// # Errors
    /// Names the first setting that cannot be met.
    pub fn validate(&self) -> Result<(), SettingsError> {
        let (width, height) = (self.width, self.height);
        let range = SMALLEST_SIDE..=LARGEST_SIDE;
        if !range.contains(&width) || !range.contains(&height) {
            return Err(SettingsError::Size { width, height });
        }
        if width.max(height) > LARGEST_ASPECT * width.min(height) {
            return Err(SettingsError::Aspect { width, height });
        }
        if self.frames == 0 || self.frames > MOST_FRAMES {
            return Err(SettingsError::Frames { frames: self.frames });
        }
        for (what, value) in [("portrait", self.portrait), ("moving", self.moving)] {
            if !(0.0..=1.0).contains(&value) {
                return Err(SettingsError::Share { what, value });
            }
        }
        Ok(())
    }
}

//! Thins a cloud to one point per voxel, leaving out strays.

use std::collections::HashMap;

use super::{
    breath::Breath,
    octree::{MAX_DEPTH, Voxel, morton},
};
use crate::{
    cloud::{Cloud, encode_confidence},
    geometry::median,
    scene::SceneError,
};

/// Points looked at: of a larger cloud every n-th.
const MOST_POINTS: usize = 4 << 20;
/// Points used to find where the cloud is.
const SAMPLE: usize = 50_000;
/// Points may be so many times as far from the nearest camera as half of them are.
const FAR: f32 = 6.0;
/// Cameras looked at for that.
const EYES: usize = 16;
/// Parts of the Morton order that are sorted one after another; a power of two.
const SLICES: usize = 64;
/// Part of the points on either side of an axis that may be strays.
const STRAY: f64 = 0.005;

/// Points that are kept, as (position, colour, weight), and the cube that holds them.
#[derive(Debug, Clone)]
pub(super) struct Kept {
    pub(super) points: Vec<([f32; 3], [u8; 3], f32)>,
    /// Its corner with the smallest coordinates.
    pub(super) origin: [f32; 3],
    /// Its side, > 0.
    pub(super) edge: f32,
}

impl Kept {
    /// Points of at least `confidence` that are near the rest and the cameras (at `eyes`), and not doubtful (edges, sky), unless all are.
    ///
    /// # Errors
    /// [`SceneError::Empty`] where there is no point; [`SceneError::Cancelled`].
    pub(super) async fn of(
        cloud: &Cloud,
        confidence: f32,
        eyes: &[[f32; 3]],
        breath: &Breath<'_>,
    ) -> Result<Self, SceneError> {
        match Self::filtered(cloud, confidence, eyes, false, breath).await {
            Err(SceneError::Empty) => Self::filtered(cloud, confidence, eyes, true, breath).await,
            other => other,
        }
    }

    async fn filtered(
        cloud: &Cloud,
        confidence: f32,
        eyes: &[[f32; 3]],
        doubtful: bool,
        breath: &Breath<'_>,
    ) -> Result<Self, SceneError> {
        let usable = |p: &[f32; 3]| p.iter().all(|v| v.is_finite() && v.abs() < 1e9);
        let least = if confidence > 1.0 { encode_confidence(confidence) } else { 0 };
        let all = cloud.chunks().iter().flat_map(|chunk| chunk.flagged());
        let all = all.filter(move |(p, flags)| (doubtful || *flags == 0) && p.confidence_code() >= least);
        let all = all.map(|(p, _)| p).filter(|p| usable(&p.position));
        let mut count = 0;
        for _ in all.clone() {
            breath.at(count).await?;
            count += 1;
        }
        let step = (count / SAMPLE).max(1);
        let mut sample: Vec<[f32; 3]> = Vec::new();
        for (index, point) in all.clone().enumerate() {
            breath.at(index).await?;
            if index % step == 0 {
                sample.push(point.position);
            }
        }
        let ranges: Option<Vec<(f32, f32)>> = (0..3).map(|axis| range(&sample, axis)).collect();
        let ranges = ranges.ok_or(SceneError::Empty)?;
        let near = |p: &[f32; 3]| p.iter().zip(&ranges).all(|(v, (low, high))| (low..=high).contains(&v));
        let reach = Reach::of(eyes, &sample);
        let mut points: Vec<([f32; 3], [u8; 3], f32)> = Vec::new();
        for (index, p) in all.step_by((count / MOST_POINTS).max(1)).enumerate() {
            breath.at(index).await?;
            if near(&p.position) && reach.holds(&p.position) {
                points.push((p.position, p.color(), p.confidence()));
            }
        }
        let corner = |pick: fn(f32, f32) -> f32, start: f32| {
            points.iter().fold([start; 3], |corner, (p, ..)| std::array::from_fn(|i| pick(corner[i], p[i])))
        };
        let (low, high) = (corner(f32::min, f32::INFINITY), corner(f32::max, f32::NEG_INFINITY));
        let edge = (0..3).map(|i| high[i] - low[i]).fold(1e-4_f32, f32::max);
        if points.is_empty() { Err(SceneError::Empty) } else { Ok(Self { points, origin: low, edge }) }
    }

    /// One point per voxel of side `voxel`, in Morton order, with the weighted mean of their colours.
    pub(super) async fn voxels(&self, voxel: f32, breath: &Breath<'_>) -> Result<Vec<(Voxel, [u8; 3])>, SceneError> {
        let last = f32::from(u16::MAX);
        let mut cells: HashMap<Voxel, [f32; 4]> = HashMap::new();
        for (index, (position, color, weight)) in self.points.iter().enumerate() {
            breath.at(index).await?;
            let cell =
                std::array::from_fn(|i| ((position[i] - self.origin[i]) / voxel).floor().clamp(0.0, last) as u16);
            let sum = cells.entry(cell).or_default();
            for (sum, v) in sum.iter_mut().zip(color.iter().map(|&c| f32::from(c)).chain([1.0])) {
                *sum += v * weight;
            }
        }
        let mean = |[r, g, b, weight]: [f32; 4]| [r, g, b].map(|v| (v / weight).round().clamp(0.0, 255.0) as u8);
        // In slices of that order, so that no single sort is long.
        let mut slices: Vec<Vec<(u64, Voxel, [u8; 3])>> = vec![Vec::new(); SLICES];
        let top = cells.keys().map(|cell| morton(*cell)).max().unwrap_or(0);
        let shift = (u64::BITS - top.leading_zeros()).saturating_sub(SLICES.trailing_zeros());
        for (index, (cell, sum)) in cells.into_iter().enumerate() {
            breath.at(index).await?;
            let code = morton(cell);
            if let Some(slice) = slices.get_mut((code >> shift) as usize) {
                slice.push((code, cell, mean(sum)));
            }
        }
        let mut voxels = Vec::new();
        for mut slice in slices {
            breath.now().await?;
            slice.sort_unstable_by_key(|(code, ..)| *code);
            voxels.extend(slice.into_iter().map(|(_, cell, color)| (cell, color)));
        }
        Ok(voxels)
    }

    /// The finest voxels that 16 bits per axis can count.
    pub(super) fn finest(&self) -> f32 {
        self.edge / ((1 << MAX_DEPTH) - 2) as f32
    }
}

/// How far from the cameras points may be: what is seen through a window would cost the room its resolution.
struct Reach {
    eyes: Vec<[f32; 3]>,
    squared: f32,
}

impl Reach {
    /// A multiple of the distance within which half of the sample lies; without limit where there are no cameras.
    fn of(eyes: &[[f32; 3]], sample: &[[f32; 3]]) -> Self {
        let finite = eyes.iter().filter(|eye| eye.iter().all(|v| v.is_finite()));
        let eyes: Vec<_> = finite.step_by(eyes.len().div_ceil(EYES).max(1)).copied().collect();
        let mut reach = Self { eyes, squared: f32::INFINITY };
        let near = sample.iter().step_by((sample.len() / 5000).max(1)).map(|p| f64::from(reach.distance(p)));
        if let Some(half) = median(near).filter(|_| !reach.eyes.is_empty()) {
            reach.squared = half as f32 * FAR * FAR;
        }
        reach
    }

    /// Squared distance to the nearest camera.
    fn distance(&self, p: &[f32; 3]) -> f32 {
        let squared = |eye: &[f32; 3]| (0..3).map(|i| (eye[i] - p[i]) * (eye[i] - p[i])).sum::<f32>();
        self.eyes.iter().map(squared).fold(f32::INFINITY, f32::min)
    }

    fn holds(&self, p: &[f32; 3]) -> bool {
        self.squared.is_infinite() || self.distance(p) <= self.squared
    }
}

/// Where the points are along an axis, strays left out: the middle 99 % and half as much again on either side.
fn range(points: &[[f32; 3]], axis: usize) -> Option<(f32, f32)> {
    let mut values: Vec<f32> = points.iter().map(|p| p[axis]).collect();
    values.sort_unstable_by(f32::total_cmp);
    let at = |share: f64| values.get(((values.len().checked_sub(1)?) as f64 * share) as usize).copied();
    let (low, high) = (at(STRAY)?, at(1.0 - STRAY)?);
    let margin = 0.5 * (high - low) + 1e-3;
    Some((low - margin, high + margin))
}

//! One depth map as the fusion sees it: which pixels count, and what a point of the world projects to.

use crate::{
    cloud::{decode_confidence, encode_confidence},
    geometry::{Intrinsics, Pose},
    keyframes::KeyframeMaps,
};

/// A pixel is at an edge when its inverse depth is off the line through its neighbours by this share. Planes, however
/// slanted, lie on that line.
const EDGE: f32 = 0.06;
/// A surface seen at a flatter angle (sine) than this is measured as if it were seen at this one.
const LEAST_FACING: f32 = 0.1;
/// One very sure frame does not outvote all others.
const MOST_WEIGHT: f32 = 50.0;

/// The depth and colour of a frame, with the pixels that do not count taken out.
pub(super) struct DepthView<'a> {
    pub(super) pose: Pose,
    to_camera: [[f32; 4]; 3],
    camera: [f32; 4],
    width: usize,
    height: usize,
    /// 0: does not count.
    depth: Vec<f32>,
    /// Sine of the angle between ray and surface, scaled so that it turns a distance in depth into one to the surface.
    facing: Vec<f32>,
    maps: &'a KeyframeMaps,
}

/// What a frame knows about a point.
pub(super) struct Seen {
    /// How far the point lies before the surface (< 0: behind), along the viewing axis.
    pub(super) deeper: f32,
    /// The same, at right angles to the surface.
    pub(super) before: f32,
    pub(super) weight: f32,
    pub(super) color: [u8; 3],
}

/// The median of all depths that count; a sample is enough.
pub(super) fn median(frames: &[(Pose, &KeyframeMaps)], confidence: f32) -> Option<f32> {
    let least = least_code(confidence);
    let step = (frames.len() * frames.first()?.1.depth.len() / 200_000).max(1);
    let depths = frames.iter().flat_map(|(_, maps)| maps.depth().zip(&maps.confidence));
    let counting = depths.step_by(step).filter(|&(d, &code)| d.is_finite() && d > 0.0 && code >= least);
    let mut depths: Vec<f32> = counting.map(|(d, _)| d).collect();
    if depths.is_empty() {
        return None;
    }
    let middle = depths.len() / 2;
    Some(*depths.select_nth_unstable_by(middle, f32::total_cmp).1)
}

fn least_code(confidence: f32) -> u8 {
    if confidence > 1.0 { encode_confidence(confidence) } else { 0 }
}

impl<'a> DepthView<'a> {
    /// Depths beyond `far`, less sure than `confidence` or at an edge do not count.
    pub(super) fn new(pose: Pose, maps: &'a KeyframeMaps, camera: &Intrinsics, confidence: f32, far: f32) -> Self {
        let (width, height) = (maps.width, maps.height);
        let least = least_code(confidence);
        let given: Vec<f32> = maps.depth().collect();
        let counts = |i: usize| {
            let depth = given.get(i).copied().unwrap_or(0.0);
            let sure = maps.confidence.get(i).is_some_and(|&code| code >= least);
            if sure && depth > 0.0 && depth <= far { depth } else { 0.0 }
        };
        let bent = |i: usize, before: Option<usize>, after: Option<usize>, depth: f32| {
            let (Some(before), Some(after)) = (before, after) else { return false };
            let [a, b] = [before, after].map(|j| given.get(j).copied().unwrap_or(0.0));
            debug_assert!(i < given.len());
            // A neighbour without depth says nothing.
            a > 0.0 && b > 0.0 && (depth / a + depth / b - 2.0).abs() > EDGE
        };
        let mut depth = Vec::with_capacity(width * height);
        for y in 0..height {
            for x in 0..width {
                let i = y * width + x;
                let own = counts(i);
                let edge = own > 0.0
                    && (bent(i, (x > 0).then(|| i - 1), (x + 1 < width).then_some(i + 1), own)
                        || bent(i, (y > 0).then(|| i - width), (y + 1 < height).then_some(i + width), own));
                depth.push(if edge { 0.0 } else { own });
            }
        }
        let facing = facing(&depth, width, height, camera);
        let inverse = pose.inverse();
        let (r, t) = (inverse.rotation_matrix(), inverse.translation);
        let to_camera = std::array::from_fn(|i| [r[i][0], r[i][1], r[i][2], t[i]]);
        #[expect(clippy::cast_possible_truncation, reason = "pixels")]
        let camera = [camera.fx, camera.fy, camera.cx, camera.cy].map(|v| v as f32);
        Self { pose, to_camera, camera, width, height, depth, facing, maps }
    }

    /// World points seen in every `stride`-th pixel, with the unit of depth along their ray: `point + k * ray` lies `k`
    /// deeper.
    pub(super) fn rays(&self, stride: usize) -> impl Iterator<Item = ([f32; 3], [f32; 3])> {
        let [fx, fy, cx, cy] = self.camera;
        let rotation = self.pose.rotation_matrix();
        let pixels =
            (0..self.height).step_by(stride).flat_map(move |y| (0..self.width).step_by(stride).map(move |x| (x, y)));
        pixels.filter_map(move |(x, y)| {
            let depth = *self.depth.get(y * self.width + x).filter(|d| **d > 0.0)?;
            #[expect(clippy::cast_precision_loss, reason = "pixels")]
            let direction = [(x as f32 - cx) / fx, (y as f32 - cy) / fy, 1.0];
            let ray = rotation.map(|[a, b, c]| a * direction[0] + b * direction[1] + c * direction[2]);
            let origin = self.pose.translation;
            Some((std::array::from_fn(|i| origin[i] + depth * ray[i]), ray))
        })
    }

    /// What this frame knows about a world point; `None` where it does not see it, or has no depth there.
    pub(super) fn seen(&self, point: [f32; 3]) -> Option<Seen> {
        let [x, y, z] = self.to_camera.map(|[a, b, c, t]| a * point[0] + b * point[1] + c * point[2] + t);
        if z <= 0.0 {
            return None;
        }
        let [fx, fy, cx, cy] = self.camera;
        let (u, v) = (fx * x / z + cx, fy * y / z + cy);
        let (right, bottom) = ((self.width - 1) as f32, (self.height - 1) as f32);
        if !(u >= 0.0 && v >= 0.0 && u <= right && v <= bottom) {
            return None;
        }
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "inside the picture")]
        let (nearest, corner) =
            ((v.round() as usize) * self.width + u.round() as usize, (v as usize) * self.width + u as usize);
        let own = *self.depth.get(nearest).filter(|d| **d > 0.0)?;
        let depth = self.between(corner, u.fract(), v.fract()).unwrap_or(own);
        let weight = decode_confidence(*self.maps.confidence.get(nearest)?).min(MOST_WEIGHT);
        let color = self.maps.rgb.get(3 * nearest..3 * nearest + 3)?.try_into().ok()?;
        let facing = *self.facing.get(nearest)?;
        let deeper = depth - z;
        // A flat view says little about where a surface is.
        Some(Seen { deeper, before: deeper * facing, weight: weight * facing, color })
    }

    /// Depth between four pixels that all count and belong together.
    fn between(&self, corner: usize, fu: f32, fv: f32) -> Option<f32> {
        let at = |i: usize| self.depth.get(i).copied().filter(|d| *d > 0.0);
        // At the right and bottom border the second neighbour has no share and may be any pixel.
        let right = if fu > 0.0 { 1 } else { 0 };
        let down = if fv > 0.0 { self.width } else { 0 };
        let [a, b, c, d] = [at(corner)?, at(corner + right)?, at(corner + down)?, at(corner + right + down)?];
        let (least, most) = (a.min(b).min(c).min(d), a.max(b).max(c).max(d));
        // Planes are linear in inverse depth.
        let inverse = (1.0 - fv) * ((1.0 - fu) / a + fu / b) + fv * ((1.0 - fu) / c + fu / d);
        (most - least < 0.25 * least).then(|| 1.0 / inverse)
    }
}

/// Per pixel: how much of a difference in depth is distance to the surface, which is taken for flat around the pixel.
///
/// A plane `n . p = d` has the inverse depth `n . ray / d`, linear in the pixel: its gradient gives the plane.
#[expect(clippy::cast_precision_loss, clippy::cast_possible_truncation, reason = "pixels")]
fn facing(depth: &[f32], width: usize, height: usize, k: &Intrinsics) -> Vec<f32> {
    let [fx, fy, cx, cy] = [k.fx, k.fy, k.cx, k.cy].map(|v| v as f32);
    let inverse = |i: usize| depth.get(i).copied().filter(|d| *d > 0.0).map(|d| 1.0 / d);
    let slope = |own: f32, before: Option<f32>, after: Option<f32>| match (before, after) {
        (Some(a), Some(b)) => 0.5 * (b - a),
        (Some(a), None) => own - a,
        (None, Some(b)) => b - own,
        (None, None) => 0.0,
    };
    let pixel = |i: usize| {
        let Some(own) = inverse(i) else { return 1.0 };
        let (x, y) = (i % width, i / width);
        let beside = |is: bool, j: usize| if is { inverse(j) } else { None };
        let across = slope(own, beside(x > 0, i.wrapping_sub(1)), beside(x + 1 < width, i + 1)) * fx;
        let down = slope(own, beside(y > 0, i.wrapping_sub(width)), beside(y + 1 < height, i + width)) * fy;
        let ahead = own - across * (x as f32 - cx) / fx - down * (y as f32 - cy) / fy;
        let norm = (across * across + down * down + ahead * ahead).sqrt();
        (own / norm).max(LEAST_FACING)
    };
    (0..depth.len()).map(pixel).collect()
}

#[cfg(test)]
mod tests {
    use super::facing;
    use crate::geometry::Intrinsics;

    #[test]
    fn distances_in_depth_become_distances_to_the_plane() {
        let k = Intrinsics { width: 40, height: 30, fx: 50.0, fy: 60.0, cx: 19.0, cy: 15.5 };
        let normal: [f32; 3] = [0.48, -0.6, 0.64];
        let ray = |i: usize| [((i % 40) as f32 - 19.0) / 50.0, ((i / 40) as f32 - 15.5) / 60.0, 1.0];
        let along = |i: usize| ray(i).iter().zip(normal).map(|(a, b)| a * b).sum::<f32>();
        let depth: Vec<f32> = (0..40 * 30).map(|i| 2.0 / along(i)).collect();
        for (i, found) in facing(&depth, 40, 30, &k).into_iter().enumerate() {
            // A point `e` less deep lies `e * n . ray` before the plane.
            assert!((found - along(i)).abs() < 1e-3, "{i}: {found} {}", along(i));
        }
    }
}

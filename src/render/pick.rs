//! What lies under a pixel: the CPU twin of what `shaders/points.wgsl` and `shaders/pictures.wgsl` draw there.

use super::{
    camera::{OrbitCamera, Projected},
    frusta::{FrameView, drawn},
    settings::ViewSettings,
};
use crate::cloud::Cloud;

/// The limits of a disc's diameter in `shaders/points.wgsl`.
const SMALLEST: f32 = 1.5;
const LARGEST: f32 = 96.0;

/// The screen that is pointed at.
#[derive(Debug, Clone, Copy)]
pub struct Screen {
    /// Device pixels across.
    pub width: f32,
    /// Device pixels down.
    pub height: f32,
    /// Device pixels per CSS pixel.
    pub pixel_ratio: f32,
}

/// A point that was pointed at.
#[derive(Debug, Clone, Copy, PartialEq, serde::Serialize)]
pub struct Picked {
    /// Where it is in the world.
    pub position: [f32; 3],
    /// The chunk it belongs to.
    pub chunk: usize,
    /// Its place in the chunk.
    pub index: usize,
}

/// The point drawn at (`x`, `y`), device pixels from the top left; or, where there is none, the one whose disc is
/// nearest on the screen within `tolerance` pixels.
#[must_use]
pub fn point_at(
    cloud: &Cloud,
    camera: &OrbitCamera,
    settings: &ViewSettings,
    screen: Screen,
    [x, y]: [f32; 2],
    tolerance: f32,
) -> Option<Picked> {
    let shown = settings.timeline.range(cloud.chunks().len());
    // Distance of the pixel from the disc (0 within), then depth: the smallest of both is what is seen.
    let mut best: Option<((f32, f32), Picked)> = None;
    let projection = camera.projection(screen.width, screen.height);
    for chunk in shown.filter(|_| settings.points) {
        let Some(points) = cloud.chunks().get(chunk) else { continue };
        for (index, (point, flags)) in points.flagged().enumerate() {
            if point.confidence_code() < settings.min_code || flags & settings.hidden_flags != 0 {
                continue;
            }
            let Some(p) = projection.project(point.position) else { continue };
            let diameter = diameter(settings, camera, screen, &p);
            let outside = ((p.x - x).hypot(p.y - y) - 0.5 * diameter).max(0.0);
            let rank = (outside, p.depth);
            if outside <= tolerance && best.as_ref().is_none_or(|(least, _)| rank < *least) {
                best = Some((rank, Picked { position: point.position, chunk, index }));
            }
        }
    }
    best.map(|(_, picked)| picked)
}

fn diameter(settings: &ViewSettings, camera: &OrbitCamera, screen: Screen, p: &Projected) -> f32 {
    let nearness = if settings.attenuation { camera.distance / p.depth } else { 1.0 };
    let least = settings.least_size * camera.pixels_per_unit(screen.height) / p.depth;
    (settings.point_size * screen.pixel_ratio * nearness).max(least).clamp(SMALLEST, LARGEST)
}

/// The frame whose frustum's far side, of depth `size`, covers (`x`, `y`): the nearest, if there are several.
#[must_use]
pub fn frame_at(
    frames: &[FrameView],
    camera: &OrbitCamera,
    settings: &ViewSettings,
    screen: Screen,
    [x, y]: [f32; 2],
    size: f32,
) -> Option<usize> {
    if !settings.cameras {
        return None;
    }
    let projection = camera.projection(screen.width, screen.height);
    let shown = settings.timeline.range(frames.len());
    let hit = |index: usize| {
        let corners = frames.get(index)?.corners(size).map(|corner| projection.project(corner));
        let [a, b, c, d] = corners;
        let quad = [a?, b?, c?, d?];
        let depth = quad.iter().map(|p| p.depth).sum::<f32>();
        inside(&quad, x, y).then_some((depth, index))
    };
    drawn(shown).filter_map(hit).min_by(|a, b| a.0.total_cmp(&b.0)).map(|(_, index)| index)
}

/// Whether a convex quadrilateral, either way round, holds the pixel.
fn inside(quad: &[Projected; 4], x: f32, y: f32) -> bool {
    let side = |k: usize| {
        let (a, b) = (&quad[k], &quad[(k + 1) % 4]);
        (b.x - a.x) * (y - a.y) - (b.y - a.y) * (x - a.x)
    };
    let sides = [side(0), side(1), side(2), side(3)];
    sides.iter().all(|s| *s >= 0.0) || sides.iter().all(|s| *s <= 0.0)
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;
    use crate::{
        cloud::{Chunk, FLAG_EDGE, PackedPoint},
        geometry::Pose,
        render::settings::Timeline,
    };

    const SCREEN: Screen = Screen { width: 800.0, height: 600.0, pixel_ratio: 1.0 };

    fn cloud() -> Cloud {
        let at = |x: f32, z: f32| PackedPoint::new([x, 0.0, z], [1; 3], 2.0);
        let mut cloud = Cloud::default();
        cloud.push(Chunk::new(0, vec![at(0.0, 3.0), at(0.5, 2.0)]));
        cloud.push(Chunk { frame: 1, points: vec![at(0.0, 1.5), at(-0.5, 2.0)], flags: vec![0, FLAG_EDGE] });
        cloud
    }

    fn pick(settings: &ViewSettings, at: [f32; 2], tolerance: f32) -> Option<(usize, usize)> {
        let camera = OrbitCamera::default();
        point_at(&cloud(), &camera, settings, SCREEN, at, tolerance).map(|p| (p.chunk, p.index))
    }

    #[test]
    fn the_nearest_point_that_is_shown_is_picked() {
        let mut settings = ViewSettings::default();
        assert_eq!(pick(&settings, [400.0, 300.0], 0.0), Some((1, 0)));
        settings.timeline = Timeline::UpTo(0);
        assert_eq!(pick(&settings, [400.0, 300.0], 0.0), Some((0, 0)));
        settings.points = false;
        assert_eq!(pick(&settings, [400.0, 300.0], 0.0), None);
    }

    #[test]
    fn hidden_points_are_not_picked_and_near_misses_are() {
        let mut settings = ViewSettings::default();
        let spot = OrbitCamera::default().project([-0.5, 0.0, 2.0], 800.0, 600.0).unwrap();
        assert_eq!(pick(&settings, [spot.x + 6.0, spot.y], 8.0), Some((1, 1)));
        assert_eq!(pick(&settings, [spot.x + 6.0, spot.y], 2.0), None);
        settings.hidden_flags = FLAG_EDGE;
        assert_eq!(pick(&settings, [spot.x, spot.y], 8.0), None);
        settings.hidden_flags = 0;
        settings.min_code = 255;
        assert_eq!(pick(&settings, [spot.x, spot.y], 8.0), None);
    }

    #[test]
    fn a_frustum_is_hit_within_its_far_side_from_before_and_behind() {
        let frames =
            [FrameView::new(Pose::IDENTITY), FrameView::new(Pose { translation: [0.0, 0.0, 1.0], ..Pose::IDENTITY })];
        let mut camera = OrbitCamera::default();
        let settings = ViewSettings::default();
        let at = |camera: &OrbitCamera, p| frame_at(&frames, camera, &settings, SCREEN, p, 0.5);
        assert_eq!(at(&camera, [400.0, 300.0]), Some(0));
        assert_eq!(at(&camera, [10.0, 10.0]), None);
        camera.yaw = std::f32::consts::PI;
        assert_eq!(at(&camera, [400.0, 300.0]), Some(1));
        let hidden = ViewSettings { cameras: false, ..settings };
        assert_eq!(frame_at(&frames, &camera, &hidden, SCREEN, [400.0, 300.0], 0.5), None);
    }
}

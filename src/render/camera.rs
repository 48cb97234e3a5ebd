//! The orbit camera of the view, and the CPU twin of the shaders' projection.
//!
//! The world is the scan's: OpenCV axes (x right, y down, z forward), so "up" on the screen is -y.
//! The camera circles a pivot: yaw about the vertical axis, pitch about its own horizontal axis. Depth is
//! reversed and infinite (near plane -> 1, infinity -> 0), which keeps precision over any scene size.

/// Vertical field of view of the view, radians.
const FIELD_OF_VIEW: f32 = 0.9;
const ORBIT_RADIANS_PER_PIXEL: f32 = 0.006;
const MAX_PITCH: f32 = 1.55;
/// The near plane as a fraction of the distance to the pivot.
const NEAR: f32 = 0.005;

/// Where the viewer stands.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct OrbitCamera {
    /// The point circled.
    pub pivot: [f32; 3],
    /// From the pivot, world units.
    pub distance: f32,
    /// Turn about the vertical axis, radians; 0 looks along +z.
    pub yaw: f32,
    /// Tilt, radians; positive looks down.
    pub pitch: f32,
}

impl Default for OrbitCamera {
    /// Behind the first camera of a scan, looking the way it looks.
    fn default() -> Self {
        Self { pivot: [0.0, 0.0, 2.0], distance: 3.0, yaw: 0.0, pitch: 0.0 }
    }
}

/// A point of the world on the screen.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct Projected {
    /// Pixels from the left edge.
    pub x: f32,
    /// Pixels from the top edge.
    pub y: f32,
    /// Distance along the viewing direction, world units.
    pub depth: f32,
}

impl OrbitCamera {
    /// Right, down and forward unit vectors of the view in the world.
    #[must_use]
    pub fn axes(&self) -> [[f32; 3]; 3] {
        let (sy, cy) = self.yaw.sin_cos();
        let (sp, cp) = self.pitch.sin_cos();
        let forward = [sy * cp, sp, cy * cp];
        let right = [cy, 0.0, -sy];
        [right, cross(forward, right), forward]
    }

    /// Where the eye is.
    #[must_use]
    pub fn eye(&self) -> [f32; 3] {
        let [_, _, forward] = self.axes();
        std::array::from_fn(|i| self.pivot[i] - forward[i] * self.distance)
    }

    /// Turns by a drag of (`dx`, `dy`) CSS pixels: the scene follows the pointer.
    pub fn orbit(&mut self, dx: f32, dy: f32) {
        self.yaw = (self.yaw + dx * ORBIT_RADIANS_PER_PIXEL).rem_euclid(std::f32::consts::TAU);
        self.pitch = (self.pitch + dy * ORBIT_RADIANS_PER_PIXEL).clamp(-MAX_PITCH, MAX_PITCH);
    }

    /// Moves the pivot so that the scene at its depth follows a drag of (`dx`, `dy`) CSS pixels.
    pub fn pan(&mut self, dx: f32, dy: f32, height: f32) {
        let [right, down, _] = self.axes();
        let unit = 2.0 * self.distance * (FIELD_OF_VIEW * 0.5).tan() / height.max(1.0);
        for i in 0..3 {
            self.pivot[i] -= (right[i] * dx + down[i] * dy) * unit;
        }
    }

    /// Comes closer by `factor` (> 1) or backs away (< 1).
    pub fn zoom(&mut self, factor: f32) {
        if factor.is_finite() && factor > 0.0 {
            self.distance = (self.distance / factor).clamp(1e-4, 1e6);
        }
    }

    /// Shows all of `points` but their outermost 1 % to either side per axis, and all of `cameras`, without turning.
    pub fn fit(&mut self, points: &[[f32; 3]], cameras: &[[f32; 3]], aspect: f32) {
        let Some((mut low, mut high)) = robust_bounds(points) else { return };
        for camera in cameras.iter().filter(|c| c.iter().all(|v| v.is_finite())) {
            low = std::array::from_fn(|i| low[i].min(camera[i]));
            high = std::array::from_fn(|i| high[i].max(camera[i]));
        }
        self.pivot = std::array::from_fn(|i| 0.5 * (low[i] + high[i]));
        let radius = 0.5 * (0..3).map(|i| (high[i] - low[i]).powi(2)).sum::<f32>().sqrt();
        let half = (FIELD_OF_VIEW * 0.5).tan() * aspect.clamp(0.1, 1.0);
        self.distance = (radius.max(1e-3) / half.atan().sin()).clamp(1e-4, 1e6);
    }

    /// The view of a scan's first frame: from behind its camera, circling the middle of what it saw.
    pub fn start(&mut self, points: &[[f32; 3]]) {
        let mut depth: Vec<f32> = points.iter().map(|p| p[2]).filter(|z| z.is_finite() && *z > 0.0).collect();
        if depth.is_empty() {
            return;
        }
        let middle = depth.len() / 2;
        let median = *depth.select_nth_unstable_by(middle, f32::total_cmp).1;
        *self = Self { pivot: [0.0, 0.0, median], distance: median * 1.5, yaw: 0.0, pitch: 0.0 };
    }

    /// The near plane's distance from the eye, world units.
    #[must_use]
    pub fn near(&self) -> f32 {
        NEAR * self.distance
    }

    /// World to clip space, column major as WGSL wants it.
    #[must_use]
    pub fn view_projection(&self, width: f32, height: f32) -> [[f32; 4]; 4] {
        let [right, down, forward] = self.axes();
        let eye = self.eye();
        let focal = 1.0 / (FIELD_OF_VIEW * 0.5).tan();
        let scale_x = focal * height.max(1.0) / width.max(1.0);
        let near = self.near();
        let (tx, ty, tz) = (-dot(right, eye), -dot(down, eye), -dot(forward, eye));
        // Rows: x = fx * right, y = -fy * down (clip y is up), z = near, w = depth.
        let column = |i: usize| [scale_x * right[i], -focal * down[i], 0.0, forward[i]];
        [column(0), column(1), column(2), [scale_x * tx, -focal * ty, near, tz]]
    }

    /// Where a world point lands on a `width` x `height` screen: the CPU twin of the vertex shaders.
    #[must_use]
    pub fn project(&self, point: [f32; 3], width: f32, height: f32) -> Option<Projected> {
        let m = self.view_projection(width, height);
        let clip: [f32; 4] =
            std::array::from_fn(|r| m[0][r] * point[0] + m[1][r] * point[1] + m[2][r] * point[2] + m[3][r]);
        let depth = clip[3];
        (depth > self.near()).then(|| Projected {
            x: (clip[0] / depth * 0.5 + 0.5) * width,
            y: (0.5 - clip[1] / depth * 0.5) * height,
            depth,
        })
    }
}

/// Per axis the 1st and 99th percentile of the finite points.
fn robust_bounds(points: &[[f32; 3]]) -> Option<([f32; 3], [f32; 3])> {
    let mut low = [0.0; 3];
    let mut high = [0.0; 3];
    for axis in 0..3 {
        let mut values: Vec<f32> = points.iter().map(|p| p[axis]).filter(|v| v.is_finite()).collect();
        if values.is_empty() {
            return None;
        }
        values.sort_unstable_by(f32::total_cmp);
        let cut = values.len() / 100;
        low[axis] = values[cut];
        high[axis] = values[values.len() - 1 - cut];
    }
    Some((low, high))
}

fn dot(a: [f32; 3], b: [f32; 3]) -> f32 {
    a[0] * b[0] + a[1] * b[1] + a[2] * b[2]
}

fn cross(a: [f32; 3], b: [f32; 3]) -> [f32; 3] {
    [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]]
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    const SIZE: (f32, f32) = (800.0, 600.0);

    fn project(camera: &OrbitCamera, point: [f32; 3]) -> Projected {
        camera.project(point, SIZE.0, SIZE.1).unwrap()
    }

    #[test]
    fn the_pivot_is_in_the_middle_of_the_screen_from_everywhere() {
        let mut camera = OrbitCamera { pivot: [0.3, -0.2, 1.5], ..Default::default() };
        for _ in 0..20 {
            camera.orbit(137.0, 21.0);
            let p = project(&camera, camera.pivot);
            assert!((p.x - 400.0).abs() < 0.05 && (p.y - 300.0).abs() < 0.05, "{p:?}");
            assert!((p.depth - camera.distance).abs() < 1e-4);
        }
    }

    #[test]
    fn x_is_right_and_y_is_down_on_the_screen_at_the_start() {
        let camera = OrbitCamera::default();
        let middle = project(&camera, [0.0, 0.0, 2.0]);
        assert!(project(&camera, [0.5, 0.0, 2.0]).x > middle.x);
        assert!(project(&camera, [0.0, 0.5, 2.0]).y > middle.y);
        assert!(project(&camera, [0.0, 0.0, 4.0]).depth > middle.depth);
        assert!(camera.project([0.0, 0.0, -5.0], SIZE.0, SIZE.1).is_none());
    }

    #[test]
    fn near_side_of_the_scene_follows_the_pointer() {
        let near = [0.0, 0.0, 1.0]; // between eye (z = -1) and pivot (z = 2)
        let mut camera = OrbitCamera::default();
        camera.orbit(20.0, 0.0);
        assert!(project(&camera, near).x > 400.0);
        let mut camera = OrbitCamera::default();
        camera.orbit(0.0, 20.0);
        assert!(project(&camera, near).y > 300.0);
        let mut camera = OrbitCamera::default();
        camera.pan(30.0, -10.0, SIZE.1);
        let p = project(&camera, [0.0, 0.0, 2.0]);
        assert!((p.x - 430.0).abs() < 0.1 && (p.y - 290.0).abs() < 0.1, "{p:?}");
    }

    #[test]
    fn fit_puts_every_corner_on_the_screen() {
        let corners: Vec<[f32; 3]> =
            (0..8).map(|i| [(i & 1) as f32 * 4.0, (i >> 1 & 1) as f32 * 2.0 - 7.0, (i >> 2) as f32 * 9.0]).collect();
        let mut camera = OrbitCamera { yaw: 0.7, pitch: 0.3, ..Default::default() };
        let outside = [9.0, 1.0, 1.0];
        camera.fit(&corners, &[outside, [f32::NAN; 3]], SIZE.0 / SIZE.1);
        for corner in corners.into_iter().chain([outside]) {
            let p = project(&camera, corner);
            assert!((0.0..SIZE.0).contains(&p.x) && (0.0..SIZE.1).contains(&p.y), "{corner:?} -> {p:?}");
        }
    }
}

//! The orbit camera of the view, and the CPU twin of the shaders' projection.
//!
//! The world is the scan's: OpenCV axes (x right, y down, z forward), so "up" on the screen is -y.
//! The camera circles a pivot: yaw about the vertical axis, pitch about its own horizontal axis, and roll about the
//! viewing direction, which only looking through a frame's camera needs. Depth is reversed and infinite (near plane
//! -> 1, infinity -> 0), which keeps precision over any scene size.

use crate::geometry::Pose;

/// Vertical field of view unless something asks for another, radians.
pub const FIELD_OF_VIEW: f32 = 0.9;
const ORBIT_RADIANS_PER_PIXEL: f32 = 0.006;
const MAX_PITCH: f32 = 1.55;
/// What a drag leaves of the roll: turning brings the horizon back.
const LEVELLING: f32 = 0.8;
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
    /// Turn about the viewing direction, radians; positive lowers the right side of the camera.
    pub roll: f32,
    /// Vertical field of view, radians.
    pub field_of_view: f32,
}

impl Default for OrbitCamera {
    /// Behind the first camera of a scan, looking the way it looks.
    fn default() -> Self {
        let pivot = [0.0, 0.0, 2.0];
        Self { pivot, distance: 3.0, yaw: 0.0, pitch: 0.0, roll: 0.0, field_of_view: FIELD_OF_VIEW }
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
        let level = [cy, 0.0, -sy];
        let down = cross(forward, level);
        let (sr, cr) = self.roll.sin_cos();
        let right = std::array::from_fn(|i| cr * level[i] + sr * down[i]);
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
        self.roll *= LEVELLING;
    }

    /// Turns the head by a drag of (`dx`, `dy`) CSS pixels: the eye stays, the scene follows the pointer.
    pub fn look(&mut self, dx: f32, dy: f32) {
        let eye = self.eye();
        self.orbit(-dx, -dy);
        self.stand_at(eye);
    }

    /// Walks: world units to the right, down and forward.
    pub fn fly(&mut self, [x, y, z]: [f32; 3]) {
        let [right, down, forward] = self.axes();
        for i in 0..3 {
            self.pivot[i] += right[i] * x + down[i] * y + forward[i] * z;
        }
    }

    /// Puts the eye there, looking the same way.
    pub fn stand_at(&mut self, eye: [f32; 3]) {
        let [_, _, forward] = self.axes();
        self.pivot = std::array::from_fn(|i| eye[i] + forward[i] * self.distance);
    }

    /// Sees what a frame's camera saw. The pivot comes to lie `distance` in front of it.
    pub fn look_through(&mut self, pose: &Pose, field_of_view: f32, distance: f32) {
        if !pose.is_finite() {
            return;
        }
        let r = pose.rotation_matrix();
        let [right, forward] = [0, 2].map(|column| [r[0][column], r[1][column], r[2][column]]);
        self.pitch = forward[1].clamp(-1.0, 1.0).asin().clamp(-MAX_PITCH, MAX_PITCH);
        self.yaw = forward[0].atan2(forward[2]).rem_euclid(std::f32::consts::TAU);
        self.roll = 0.0;
        let [level, down, _] = self.axes();
        self.roll = dot(right, down).atan2(dot(right, level));
        self.distance = distance.clamp(1e-4, 1e6);
        self.field_of_view = field_of_view.clamp(0.1, 2.6);
        self.stand_at(pose.translation);
    }

    /// Moves the pivot so that the scene at its depth follows a drag of (`dx`, `dy`) CSS pixels.
    pub fn pan(&mut self, dx: f32, dy: f32, height: f32) {
        let [right, down, _] = self.axes();
        let unit = 2.0 * self.distance * (self.field_of_view * 0.5).tan() / height.max(1.0);
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
        (self.roll, self.field_of_view) = (0.0, FIELD_OF_VIEW);
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
        *self = Self { pivot: [0.0, 0.0, median], distance: median * 1.5, ..Self::default() };
    }

    /// Pixels that a world unit at depth 1 takes on a screen of `height` pixels.
    #[must_use]
    pub fn pixels_per_unit(&self, height: f32) -> f32 {
        0.5 * height / (self.field_of_view * 0.5).tan()
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
        let focal = 1.0 / (self.field_of_view * 0.5).tan();
        let scale_x = focal * height.max(1.0) / width.max(1.0);
        let near = self.near();
        let (tx, ty, tz) = (-dot(right, eye), -dot(down, eye), -dot(forward, eye));
        // Rows: x = fx * right, y = -fy * down (clip y is up), z = near, w = depth.
        let column = |i: usize| [scale_x * right[i], -focal * down[i], 0.0, forward[i]];
        [column(0), column(1), column(2), [scale_x * tx, -focal * ty, near, tz]]
    }

    /// Where world points land on a `width` x `height` screen: the CPU twin of the vertex shaders.
    #[must_use]
    pub fn projection(&self, width: f32, height: f32) -> Projection {
        Projection { matrix: self.view_projection(width, height), near: self.near(), width, height }
    }

    /// Where one world point lands.
    #[must_use]
    pub fn project(&self, point: [f32; 3], width: f32, height: f32) -> Option<Projected> {
        self.projection(width, height).project(point)
    }
}

/// A camera before a screen.
#[derive(Debug, Clone, Copy)]
pub struct Projection {
    matrix: [[f32; 4]; 4],
    near: f32,
    width: f32,
    height: f32,
}

impl Projection {
    /// Where a world point lands, if it lies in front of the near plane.
    #[must_use]
    pub fn project(&self, point: [f32; 3]) -> Option<Projected> {
        let m = &self.matrix;
        let row = |r: usize| m[0][r] * point[0] + m[1][r] * point[1] + m[2][r] * point[2] + m[3][r];
        let depth = row(3);
        (depth > self.near).then(|| Projected {
            x: (row(0) / depth * 0.5 + 0.5) * self.width,
            y: (0.5 - row(1) / depth * 0.5) * self.height,
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
    fn looking_through_a_frame_puts_its_axes_on_the_screen() {
        // Turned about all axes (w, x, y, z), and elsewhere.
        let pose = Pose { translation: [0.4, -1.0, 2.0], rotation: [0.8, 0.2, -0.4, 0.4] };
        let mut camera = OrbitCamera::default();
        camera.look_through(&pose, 1.0, 3.0);
        let eye = camera.eye();
        assert!((0..3).all(|i| (eye[i] - pose.translation[i]).abs() < 1e-5), "{eye:?}");
        let middle = project(&camera, pose.transform_point([0.0, 0.0, 5.0]));
        assert!((middle.x - 400.0).abs() < 0.1 && (middle.y - 300.0).abs() < 0.1, "{middle:?}");
        // The half height of the view at depth 5 is 5 tan(1/2).
        let low = project(&camera, pose.transform_point([0.0, 5.0 * 0.5f32.tan(), 5.0]));
        assert!((low.x - 400.0).abs() < 0.1 && (low.y - 600.0).abs() < 0.1, "{low:?}");
        camera.look_through(&Pose { translation: [f32::NAN; 3], ..pose }, 1.0, 3.0);
        assert_eq!(camera.eye(), eye);
        (0..40).for_each(|_| camera.orbit(1.0, 0.0));
        assert!(camera.roll.abs() < 1e-3, "turning levels the horizon");
    }

    #[test]
    fn flying_moves_the_eye_and_looking_keeps_it() {
        let mut camera = OrbitCamera { yaw: 0.5, pitch: 0.2, ..Default::default() };
        let (eye, [right, down, forward]) = (camera.eye(), camera.axes());
        camera.fly([0.1, 0.2, 0.3]);
        let moved = camera.eye();
        assert!((0..3).all(|i| (moved[i] - eye[i] - 0.1 * right[i] - 0.2 * down[i] - 0.3 * forward[i]).abs() < 1e-5));
        camera.look(50.0, -20.0);
        assert!((0..3).all(|i| (camera.eye()[i] - moved[i]).abs() < 1e-5));
        assert!(camera.yaw < 0.5 && camera.pitch > 0.2, "the scene follows the pointer");
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

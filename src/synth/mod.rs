//! Synthetic posed RGB-D worlds for training and evaluation (`docs/synth.md`).
//!
//! A scene is a function of its seed: ground plan, furniture, textures, lights, camera path and the camera's
//! own defects are drawn from it, then every frame is ray-cast on the CPU. The same seed and settings give the
//! same bytes on every machine.
//!
//! ```text
//! seed -> world (indoor | outdoor | table) -> camera path -> per frame: rays, light -> sensor -> Frame
//! ```
//!
//! Poses are camera-to-world with OpenCV axes in metres; the world of a scene has y up. Depth is along the
//! optical axis. Pixel centres are whole numbers, the principal point is `((w - 1) / 2, (h - 1) / 2)`.

mod bvh;
mod camera;
#[cfg(feature = "cli")]
pub mod folder;
mod furniture;
pub mod gpu;
mod indoor;
mod math;
mod noise;
mod order;
mod outdoor;
mod picture;
pub mod record;
mod render;
pub mod scene;
mod sensor;
mod settings;
mod shape;
mod texture;
mod world;

use camera::{Camera, FARTHEST, Lens};
use indoor::About;
use math::Rng;
pub use order::in_order;
use render::{Image, Renderer};
use sensor::Sensor;
pub use settings::{Kind, LARGEST_ASPECT, LARGEST_SIDE, MOST_FRAMES, Quality, SMALLEST_SIDE, Settings, SettingsError};
use world::World;

/// One frame.
#[derive(Debug, Clone, PartialEq)]
pub struct Frame {
    /// sRGB, `[height, width, 3]`.
    pub rgb: Vec<u8>,
    /// Millimetres along the optical axis, `[height, width]`; 0 where there is nothing within 65 m.
    pub depth: Vec<u16>,
    /// Camera-to-world, row-major 4x4, OpenCV axes, metres.
    pub pose: [f32; 16],
    /// 255 on the pixels of the thing that moves by itself, `[height, width]`.
    pub motion: Vec<u8>,
}

/// One scene.
#[derive(Debug, Clone, PartialEq)]
pub struct Sequence {
    /// The scene's own seed.
    pub seed: u64,
    /// Pixels.
    pub width: usize,
    /// Pixels.
    pub height: usize,
    /// Pinhole matrix, row-major 3x3, in pixels; pixel centres are whole numbers.
    pub intrinsics: [f32; 9],
    /// Frames in order.
    pub frames: Vec<Frame>,
}

/// Seed of scene `index` of a run with seed `seed`.
#[must_use]
pub fn scene_seed(seed: u64, index: u64) -> u64 {
    Rng::new(seed.rotate_left(32) ^ index.wrapping_mul(0xA24B_AED4_963E_E407)).next()
}

/// A scene before it is rendered.
struct Plan {
    world: World,
    lens: Lens,
    cameras: Vec<Camera>,
    sensor: Sensor,
}

/// Draws a world and a camera path; crowded worlds without a place to stand are drawn again.
fn plan(settings: &Settings, seed: u64) -> Plan {
    let mut r = Rng::new(seed);
    let kind = match settings.kind {
        Kind::Mix => match r.unit() {
            t if t < 0.7 => Kind::Indoor,
            t if t < 0.85 => Kind::Outdoor,
            _ => Kind::Table,
        },
        kind => kind,
    };
    let upright = r.chance(settings.portrait);
    let (width, height) = if upright { (settings.height, settings.width) } else { (settings.width, settings.height) };
    let lens = Lens::random(&mut r, width, height);
    let moving = r.chance(settings.moving);
    let sensor = Sensor::random(&mut r);
    let mut attempt = 0;
    loop {
        let mut world = match kind {
            Kind::Outdoor => outdoor::build(&mut r),
            Kind::Table => indoor::build(&mut r, About::Table),
            Kind::Dining => indoor::build(&mut r, About::Dining),
            Kind::Indoor | Kind::Mix => indoor::build(&mut r, About::Plan),
        };
        let insist = moving && attempt < 10;
        attempt += 1;
        if let Some(cameras) = camera::path(&mut world, &lens, settings.frames, moving, insist, &mut r) {
            return Plan { world, lens, cameras, sensor };
        }
    }
}

/// Distinguishes the random numbers of frames from those of their world.
const FRAME_SEED: u64 = 0x5EED_0FF1_A3E5;

/// Renders the scene of a seed. Settings must have passed `validate`.
#[must_use]
pub fn render(settings: &Settings, seed: u64) -> Sequence {
    let Plan { world, lens, cameras, sensor } = plan(settings, seed);
    let mut renderer = Renderer::new(&world, lens, settings.quality.samples());
    develop(seed, lens, &cameras, sensor, |i, light, image| renderer.render(&cameras[i], i, light, image))
}

/// The frames of a scene. `cast` renders one before the camera's defects: its number, the seed of its light, the image.
fn develop(
    seed: u64,
    lens: Lens,
    cameras: &[Camera],
    mut sensor: Sensor,
    mut cast: impl FnMut(usize, u64, &mut Image),
) -> Sequence {
    let mut image = Image::default();
    let mut r = Rng::new(seed ^ FRAME_SEED);
    let mut frames = Vec::with_capacity(cameras.len());
    for (i, camera) in cameras.iter().enumerate() {
        cast(i, r.next(), &mut image);
        let before = if i > 0 { &cameras[i - 1] } else { camera };
        let rgb = sensor.develop(&image, &lens, camera, before, i, &mut r);
        let millimetres = |z: &f32| if *z < FARTHEST { (z * 1000.0 + 0.5) as u16 } else { 0 };
        frames.push(Frame {
            rgb,
            depth: image.z.iter().map(millimetres).collect(),
            pose: camera.matrix(),
            motion: image.moving.iter().map(|m| if *m { 255 } else { 0 }).collect(),
        });
    }
    let (cx, cy) = lens.centre();
    let intrinsics = [lens.focal, 0.0, cx, 0.0, lens.focal, cy, 0.0, 0.0, 1.0];
    Sequence { seed, width: lens.width, height: lens.height, intrinsics, frames }
}

/// Renders scenes `first..first + count` on the CPU, on `threads` threads: see [`in_order`]. `finish` runs on the
/// rendering thread (encode, write a folder).
///
/// # Errors
/// The first error of `take`.
pub fn generate<T: Send, E>(
    settings: &Settings,
    seed: u64,
    first: u64,
    count: u64,
    threads: usize,
    finish: impl Fn(u64, Sequence) -> T + Sync,
    take: impl FnMut(u64, T) -> Result<(), E>,
) -> Result<(), E> {
    in_order(first, count, threads, |index| finish(index, render(settings, scene_seed(seed, index))), take)
}

#[cfg(test)]
mod tests {
    use super::math::v3;
    use super::shape::FAR;
    use super::*;

    fn plans(kind: Kind, moving: f32, count: u64) -> impl Iterator<Item = (u64, Plan)> {
        let settings = Settings { width: 64, height: 48, frames: 24, kind, moving, ..Settings::default() };
        (0..count).map(move |i| (i, plan(&settings, scene_seed(77, i))))
    }

    #[test]
    fn camera_is_never_inside_or_too_near_a_solid_and_rooms_have_floor_and_ceiling() {
        for kind in [Kind::Indoor, Kind::Outdoor, Kind::Table, Kind::Dining] {
            for (index, Plan { world, cameras, .. }) in plans(kind, 0.5, 30) {
                for (frame, camera) in cameras.iter().enumerate() {
                    let p = camera.position;
                    let at = format!("{kind:?} {index}, frame {frame} at {p:?}");
                    assert!(world.solids.clear(p, camera::CLEARANCE - 1e-4), "{at}: too near");
                    assert!(!world.solids.prims.iter().any(|s| s.contains(p)), "{at}: inside a solid");
                    if let Some(m) = &world.mover {
                        let (axes, origin) = m.placement(frame);
                        let nearest = m.prims.iter().map(|s| s.moved(axes, origin).distance(p)).fold(FAR, f32::min);
                        assert!(nearest > 0.2, "{at}: {nearest} m from the moving thing");
                    }
                    assert!(world.look(p, v3(0.0, -1.0, 0.0)).0 < 3.0, "{at}: no floor");
                    if kind != Kind::Outdoor {
                        assert!(world.look(p, v3(0.0, 1.0, 0.0)).0 < 5.0, "{at}: no ceiling");
                    }
                }
            }
        }
    }

    #[test]
    fn cameras_move_and_moving_things_do_not_pass_through_solids() {
        let (mut moved, mut turned, mut things, mut stuck) = (0, 0, 0, 0);
        for (index, Plan { world, cameras, .. }) in plans(Kind::Mix, 1.0, 40) {
            let (a, b) = (&cameras[0], &cameras[cameras.len() - 1]);
            moved += usize::from(cameras.iter().any(|c| (a.position - c.position).length() > 0.1));
            turned += usize::from(a.forward.dot(b.forward) < 0.97);
            stuck += cameras.windows(2).filter(|c| c[0].matrix() == c[1].matrix()).count();
            let Some(m) = &world.mover else { continue };
            things += 1;
            for frame in 0..cameras.len() {
                let (axes, origin) = m.placement(frame);
                let middle = m.prims.iter().map(|p| p.moved(axes, origin).centre);
                let inside = middle.filter(|c| world.solids.prims.iter().any(|s| s.contains(*c))).count();
                assert_eq!(inside, 0, "scene {index}, frame {frame}");
            }
        }
        println!("of 40 cameras {moved} move and {turned} turn; {things} moving things; {stuck} of 920 steps blocked");
        assert!(moved >= 28 && turned >= 15 && things >= 36);
    }

    /// Ground truth, exactly: the point that a pixel sees lies on what another camera sees in its direction, or is
    /// hidden behind it.
    #[test]
    fn points_of_one_frame_are_where_another_camera_sees_them() {
        for kind in [Kind::Indoor, Kind::Outdoor, Kind::Table, Kind::Dining] {
            let (mut visible, mut hidden, mut wrong) = (0, 0, 0);
            for (_, Plan { world, lens, cameras, .. }) in plans(kind, 0.0, 8) {
                let mut renderer = Renderer::new(&world, lens, Quality::Fast.samples());
                let mut image = Image::default();
                for (i, j) in [(0, 1), (5, 0), (7, 12), (20, 16)] {
                    renderer.render(&cameras[i], i, 1, &mut image);
                    for (k, &z) in image.z.iter().enumerate().filter(|(_, z)| **z < FARTHEST) {
                        let (x, y) = ((k % lens.width) as f32, (k / lens.width) as f32);
                        let p = cameras[i].position + cameras[i].ray(&lens, x, y) * z;
                        let (u, v, d) = cameras[j].project(&lens, p);
                        if d < 0.05 || u < 0.0 || v < 0.0 || u > lens.width as f32 || v > lens.height as f32 {
                            continue;
                        }
                        let (seen, _) = world.look(cameras[j].position, cameras[j].ray(&lens, u, v));
                        match seen / d {
                            q if q < 0.995 => hidden += 1,
                            q if q > 1.005 => wrong += 1,
                            _ => visible += 1,
                        }
                    }
                }
            }
            println!("{kind:?}: {visible} visible, {hidden} hidden, {wrong} wrong");
            // Rounding lets a ray slip past the very edge of a solid now and then.
            assert!(visible > 20_000 && visible > 2 * hidden && wrong * 5_000 < visible, "{kind:?}");
        }
    }

    #[test]
    fn settings_that_cannot_be_met_are_refused() {
        let good = Settings::default();
        assert!(good.validate().is_ok());
        let bad = [
            Settings { width: 0, ..good.clone() },
            Settings { height: usize::MAX, ..good.clone() },
            Settings { width: 1000, height: 100, ..good.clone() },
            Settings { frames: 0, ..good.clone() },
            Settings { moving: f32::NAN, ..good.clone() },
        ];
        assert!(bad.iter().all(|s| s.validate().is_err()));
    }

    #[test]
    fn an_error_of_the_consumer_stops_all_threads() {
        let settings = Settings { width: 16, height: 16, frames: 1, ..Settings::default() };
        let take = |i, _| if i == 2 { Err("enough") } else { Ok(()) };
        assert_eq!(generate(&settings, 1, 0, u64::MAX, 3, |_, s| s.seed, take), Err("enough"));
    }
}

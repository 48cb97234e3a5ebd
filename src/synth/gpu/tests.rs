//! The passes against their CPU twin, on any adapter (a software one will do).
#![allow(clippy::unwrap_used, clippy::panic)]

use super::super::math::{V3, v3};
use super::super::render::{Image, Renderer};
use super::super::{Kind, Quality, scene_seed};
use super::*;

/// An adapter, or none: then the reason was printed.
fn caster() -> Option<RayCaster> {
    RayCaster::open().inspect_err(|error| println!("skipped: {error}")).ok()
}

/// How many pixels of two images differ.
#[derive(Debug, Default)]
struct Differences {
    pixels: usize,
    sky: usize,
    moving: usize,
    /// Depth by more than 1e-4 of it.
    depth: usize,
    /// Moving in one, not in the other.
    motion: usize,
    /// Linear colour by more than 0.001, and by more than 0.02.
    colour: usize,
    colour_much: usize,
}

impl Differences {
    fn add(&mut self, a: &Image, b: &Image) {
        assert_eq!(a.z.len(), b.z.len());
        self.pixels += a.z.len();
        for k in 0..a.z.len() {
            self.sky += usize::from(a.z[k] >= 1e30);
            self.moving += usize::from(a.moving[k]);
            self.depth += usize::from((a.z[k] - b.z[k]).abs() > 1e-4 * a.z[k]);
            self.motion += usize::from(a.moving[k] != b.moving[k]);
            let V3 { x, y, z } = a.linear[k] - b.linear[k];
            let apart = x.abs().max(y.abs()).max(z.abs());
            assert!(apart.is_finite());
            self.colour += usize::from(apart > 1e-3);
            self.colour_much += usize::from(apart > 0.02);
        }
    }
}

/// Frames before the camera's own defects, from colour and z, which is negative on the moving thing.
fn images_of(read: &[u8], pixels: usize) -> Vec<Image> {
    let read: Vec<[f32; 4]> = bytemuck::pod_collect_to_vec(read);
    let image = |pixels: &[[f32; 4]]| Image {
        linear: pixels.iter().map(|p| v3(p[0], p[1], p[2])).collect(),
        z: pixels.iter().map(|p| p[3].abs()).collect(),
        moving: pixels.iter().map(|p| p[3] < 0.0).collect(),
    };
    read.chunks_exact(pixels).map(image).collect()
}

fn differences(caster: &RayCaster, settings: &Settings, seed: u64, scenes: u64) -> Differences {
    let mut found = Differences::default();
    for index in 0..scenes {
        let Plan { world, lens, cameras, .. } = plan(settings, scene_seed(seed, index));
        let seeds: Vec<u64> = (0..cameras.len() as u64).map(|i| seed + 31 * i).collect();
        let samples = settings.quality.samples();
        let flat = Flat::new(&world, &lens, samples, 0, &cameras, &seeds);
        let images = caster.submit(&flat, None, |read| images_of(read, lens.width * lens.height)).unwrap();
        assert_eq!(images.len(), cameras.len());
        let mut renderer = Renderer::new(&world, lens, samples);
        for (i, (camera, got)) in cameras.iter().zip(&images).enumerate() {
            let mut wanted = Image::default();
            renderer.render(camera, i, seeds[i], &mut wanted);
            found.add(&wanted, got);
        }
    }
    found
}

#[test]
fn depth_motion_and_light_are_those_of_the_processor_in_worlds_of_every_kind() {
    let Some(caster) = caster() else { return };
    println!("adapter: {}", caster.name());
    let mut moving = 0;
    for kind in [Kind::Indoor, Kind::Outdoor, Kind::Table, Kind::Dining] {
        for (quality, scenes) in [(Quality::Fast, 4), (Quality::Full, 1)] {
            let settings = Settings { width: 66, height: 49, frames: 4, kind, quality, moving: 1.0, portrait: 0.3 };
            let d = differences(&caster, &settings, 5, scenes);
            println!("{kind:?} {quality:?}: {d:?}");
            moving += d.moving;
            // Rounding decides which solid a ray meets at the very edge of one, and whether a light is behind it. Software
            // adapters round as the processor does; others may fuse multiplications with additions.
            let strict = if caster.is_software() { 10 } else { 1 };
            let within = |count: usize, of: usize| count * of * strict <= d.pixels;
            assert!(within(d.depth, 2_000) && within(d.motion, 2_000), "{kind:?} {quality:?}: {d:?}");
            assert!(within(d.colour, 20) && within(d.colour_much, 200), "{kind:?} {quality:?}: {d:?}");
        }
    }
    assert!(moving > 1_000, "only {moving} pixels of moving things were compared");
}

#[test]
fn frames_that_do_not_fit_are_rendered_in_parts_and_frames_too_large_are_refused() {
    let Some(mut caster) = caster() else { return };
    let settings =
        Settings { width: 40, height: 30, frames: 5, kind: Kind::Indoor, moving: 1.0, ..Settings::default() };
    let whole = caster.render(&settings, 3).unwrap();
    let frame = slot::largest_buffer(40 * 30);
    caster.largest_buffer = 2 * frame + 7;
    assert_eq!(caster.render(&settings, 3).unwrap(), whole, "two frames at once");
    caster.largest_buffer = frame - 1;
    let refused = caster.render(&settings, 3).unwrap_err().to_string();
    assert!(refused.contains("40x30"), "{refused}");
}

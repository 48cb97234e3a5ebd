//! The passes against their CPU twin, on any adapter (a software one will do).
#![allow(clippy::unwrap_used, clippy::panic)]

use std::ops::AddAssign;

use super::*;
use crate::synth::math::{V3, v3};
use crate::synth::render::{Image, Renderer, Samples};
use crate::synth::texture::Texture;
use crate::synth::{Kind, Quality, scene_seed};

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

impl AddAssign for Differences {
    fn add_assign(&mut self, o: Self) {
        self.pixels += o.pixels;
        self.sky += o.sky;
        self.moving += o.moving;
        self.depth += o.depth;
        self.motion += o.motion;
        self.colour += o.colour;
        self.colour_much += o.colour_much;
    }
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

/// The frames of a plan on both; their light is seeded by `seed`.
fn differences(caster: &RayCaster, plan: &Plan, samples: Samples, seed: u64) -> Differences {
    let Plan { world, lens, cameras, .. } = plan;
    let seeds: Vec<u64> = (0..cameras.len() as u64).map(|i| seed + 31 * i).collect();
    let flat = Flat::new(world, lens, samples, 0, cameras, &seeds);
    let images = caster.submit(&flat, None, |read| images_of(read, lens.width * lens.height)).unwrap();
    assert_eq!(images.len(), cameras.len());
    let mut renderer = Renderer::new(world, *lens, samples);
    let mut found = Differences::default();
    for (i, (camera, got)) in cameras.iter().zip(&images).enumerate() {
        let mut wanted = Image::default();
        renderer.render(camera, i, seeds[i], &mut wanted);
        found.add(&wanted, got);
    }
    found
}

/// Rounding decides which solid a ray meets at the very edge of one, and whether a light is behind it. Software adapters
/// round as the processor does; others may fuse multiplications with additions.
fn assert_alike(caster: &RayCaster, d: &Differences, what: &str) {
    println!("{what}: {d:?}");
    let strict = if caster.is_software() { 10 } else { 1 };
    let within = |count: usize, of: usize| count * of * strict <= d.pixels;
    assert!(within(d.depth, 2_000) && within(d.motion, 2_000), "{what}: {d:?}");
    assert!(within(d.colour, 20) && within(d.colour_much, 200), "{what}: {d:?}");
}

#[test]
fn depth_motion_and_light_are_those_of_the_processor_in_worlds_of_every_kind() {
    let Some(caster) = caster() else { return };
    println!("adapter: {}", caster.name());
    let mut moving = 0;
    for kind in [Kind::Indoor, Kind::Outdoor, Kind::Table, Kind::Dining] {
        for (quality, scenes) in [(Quality::Fast, 4), (Quality::Full, 1)] {
            let settings = Settings { width: 66, height: 49, frames: 4, kind, quality, moving: 1.0, portrait: 0.3 };
            let mut all = Differences::default();
            for index in 0..scenes {
                all += differences(&caster, &plan(&settings, scene_seed(5, index)), quality.samples(), 5);
            }
            assert_alike(&caster, &all, &format!("{kind:?} {quality:?}"));
            moving += all.moving;
        }
    }
    assert!(moving > 1_000, "only {moving} pixels of moving things were compared");
}

/// Some are rare in worlds: here everything is covered with one.
#[test]
fn every_texture_is_that_of_the_processor() {
    let Some(caster) = caster() else { return };
    let settings = Settings { width: 64, height: 48, frames: 1, kind: Kind::Table, moving: 0.0, ..Settings::default() };
    for (i, texture) in Texture::ALL.into_iter().enumerate() {
        let mut plan = plan(&settings, scene_seed(6, i as u64 / 4));
        for m in &mut plan.world.materials {
            m.texture = texture;
        }
        let d = differences(&caster, &plan, Quality::Fast.samples(), 6);
        assert_alike(&caster, &d, &format!("{texture:?}"));
    }
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

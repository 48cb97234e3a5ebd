//! What one frame of the released widths at 512x384 with 5,000 pointers binds and allocates. Kernels are compiled and
//! their launches recorded, but not run: on a software adapter they would take minutes.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use burn::tensor::{Device, Tensor};
use burn_cubecl::cubecl::dry_run::DryRun;
use point3r::kernels::{Recording, Usage, Variant};
use point3r::memory::PointerMemory;
use point3r::model::{Config, ModelError, Point3r};
use point3r::pace::Pace;
use point3r::preprocess::RgbImage;
use point3r::weights::Parameters;

const POINTERS: usize = 5000;

/// The released widths, with few blocks: every further block repeats the same sizes.
fn shallow() -> Config {
    let mut config = Config::released_formula();
    (config.enc_depth, config.dec_depth, config.dpt.hooks) = (1, 3, [0, 1, 2, 3]);
    (config.value_encoder.depth, config.pose_memory.depth, config.final_transform.depth) = (1, 1, 1);
    config
}

fn zeros(config: &Config, device: &Device) -> Parameters {
    let mut parameters = Parameters::new(device);
    for spec in config.parameters().into_iter().filter(|spec| spec.used) {
        parameters.insert(&spec.name, &spec.shape, vec![0.0; spec.shape.iter().product()]);
    }
    parameters
}

fn frame(variant: Variant, device: &Device) -> Usage {
    variant.choose();
    let config = shallow();
    let model = Point3r::new(config.clone(), zeros(&config, device)).unwrap();
    let positions: Vec<[f32; 3]> = (0..POINTERS).map(|i| [i as f32 * 0.1, (i % 7) as f32, 1.0]).collect();
    let features = Tensor::zeros([POINTERS, config.dec_embed_dim], device);
    let memory = PointerMemory::new(&positions, features);
    let (height, width) = (384, 512);
    let mut state = model.resume(memory, positions[..height * width / 256].to_vec());
    let image = RgbImage { width, height, rgb: vec![100; 3 * width * height] };
    let recording = Recording::start().unwrap();
    match pollster::block_on(model.step(&mut state, &image, &Pace::none())) {
        // Nothing was computed, so what is read back means nothing.
        Ok(_) | Err(ModelError::NotFinite) => {}
        Err(error) => panic!("{error}"),
    }
    recording.finish()
}

#[test]
fn a_frame_at_full_size_binds_at_most_128_mib_and_holds_no_scores() {
    let Ok(device) = Device::wgpu_options().init() else {
        println!("skipped: no GPU adapter; install a Vulkan driver (software: mesa-vulkan-drivers)");
        return;
    };
    let _dry = DryRun::new();
    for variant in [Variant::Portable, Variant::Tiled] {
        let usage = frame(variant, &device);
        println!("{variant:?}: {usage:#?}");
        assert!(usage.largest_binding <= 128 << 20 && usage.largest_allocation <= 128 << 20);
        // Scores of one head of the memory over itself would be this large.
        assert!(usage.largest_allocation < (POINTERS * POINTERS * 4) as u64);
        assert!(usage.dispatches.keys().any(|name| name.starts_with("attention")), "nothing was recorded");
    }
}

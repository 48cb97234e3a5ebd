//! After warming up, no frame compiles anything: every kernel that frames launch, burn's included, was there before.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use burn::tensor::Device;
use burn_cubecl::cubecl::launched::LaunchedKernels;
use point3r::kernels::Variant;
use point3r::memory::PointerCap;
use point3r::model::{Config, Point3r};
use point3r::pace::Pace;
use point3r::preprocess::RgbImage;
use point3r::weights::Parameters;

#[test]
fn frames_launch_only_kernels_that_warming_up_compiled() {
    let Ok(device) = Device::wgpu_options().init() else {
        println!("skipped: no GPU adapter; install a Vulkan driver (software: mesa-vulkan-drivers)");
        return;
    };
    // Warming up is done with one size of picture; frames may have another.
    for (variant, [height, width], cap) in [
        (Variant::Portable, [48, 64], PointerCap::OFF),
        (Variant::Tiled, [48, 64], PointerCap { pointers: 14, ..PointerCap::default() }),
        (Variant::Portable, [64, 48], PointerCap { pointers: 14, ..PointerCap::default() }),
        (Variant::Portable, [64, 64], PointerCap::OFF),
        (Variant::Tiled, [32, 80], PointerCap::OFF),
    ] {
        variant.choose();
        let config = Config::tiny();
        let model = Point3r::new(config.clone(), Parameters::from_formula(&config, &device)).unwrap();
        let warming = LaunchedKernels::new();
        pollster::block_on(model.warm_up(model.usual_size(), &Pace::none())).unwrap();
        let compiled = warming.finish();
        assert!(compiled.len() > 20, "{} kernels: nothing was recorded", compiled.len());

        let mut state = model.start().with_cap(cap);
        for index in 0..4 {
            let frame = LaunchedKernels::new();
            pollster::block_on(model.step(&mut state, &RgbImage::noise(width, height, index), &Pace::none())).unwrap();
            let new = frame.finish().into_iter().filter(|kernel| !compiled.contains(kernel)).count();
            println!(
                "{variant:?} {width}x{height} frame {index}: {new} kernels beside the {} compiled",
                compiled.len()
            );
            assert_eq!(new, 0, "frame {index} compiled");
        }
    }
}

//! What the program says it holds on the GPU is what the driver was asked for.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use point3r::device::{Compute, DeviceChoice};
use point3r::model::{Config, Point3r};
use point3r::pace::Pace;
use point3r::preprocess::RgbImage;
use point3r::weights::Parameters;

/// wgpu pads every buffer.
const PADDING: u64 = 64;

#[test]
fn reported_gpu_bytes_are_the_sum_of_all_buffers() {
    let Ok(compute) = Compute::open(DeviceChoice::Gpu) else {
        println!("skipped: no GPU adapter; install a Vulkan driver (software: mesa-vulkan-drivers)");
        return;
    };
    let config = Config::tiny();
    let model = Point3r::new(config.clone(), Parameters::from_formula(&config, &compute.device)).unwrap();
    let mut state = model.start();
    for index in 0..3 {
        pollster::block_on(model.step(&mut state, &RgbImage::noise(64, 48, index), &Pace::none())).unwrap();
        let device = &compute.gpu.as_ref().unwrap().device;
        device.poll(wgpu::PollType::wait_indefinitely()).unwrap();
        let Some(report) = device.generate_allocator_report() else {
            println!("skipped: this driver does not report what it allocated");
            return;
        };
        // wgpu keeps a few small ones for itself.
        let ours = report.allocations.iter().filter(|a| !a.name.starts_with("(wgpu internal)"));
        let (count, sum) = ours.fold((0, 0), |(count, sum), a| (count + 1, sum + a.size));
        let reported = compute.gpu_bytes();
        println!("frame {index}: {count} buffers of {sum} bytes, reported {reported}");
        assert!(count > 10 && reported <= sum && sum <= reported + count * PADDING);
    }
}

//! The pointer memory on the GPU, through the session: what is read back, and that undo and looking change nothing.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use burn::tensor::Device;
use point3r::{
    frames::Frame,
    kernels::Recording,
    memory::{Eviction, PointerCap, PointerRecord},
    model::{Config, Point3r},
    pace::Pace,
    preprocess::RgbImage,
    session::{Session, SessionOptions, Undo},
    weights::Parameters,
};

fn running(device: &Device, pointers: PointerCap) -> Session {
    let config = Config::tiny();
    let mut session = Session::new();
    session.load(Point3r::new(config.clone(), Parameters::from_formula(&config, device)).unwrap());
    session.start(SessionOptions { size: Some(64), pointers, ..SessionOptions::default() }).unwrap();
    session
}

fn push(session: &mut Session, index: usize) {
    let image = RgbImage::noise(64, 48, index);
    pollster::block_on(session.push(&Frame { index, time: index as f64, image }, &Pace::none())).unwrap();
}

fn pointers(session: &Session) -> Vec<PointerRecord> {
    pollster::block_on(session.pointer_list().read()).unwrap().to_vec()
}

/// Ages exactly, places up to the rounding of two devices.
fn assert_alike(a: &[PointerRecord], b: &[PointerRecord]) {
    assert_eq!(a.len(), b.len());
    for (a, b) in a.iter().zip(b) {
        assert_eq!((a.born, a.updated), (b.born, b.updated));
        assert!(a.position.iter().zip(b.position).all(|(a, b)| (a - b).abs() < 1e-4), "{a:?} {b:?}");
    }
}

fn gpu() -> Option<Device> {
    let device = Device::wgpu_options().init().ok();
    if device.is_none() {
        println!("skipped: no GPU adapter; install a Vulkan driver (software: mesa-vulkan-drivers)");
    }
    device
}

#[test]
fn a_scan_on_the_gpu_keeps_the_pointers_of_the_cpu_reads_one_status_per_frame_and_undoes_exactly() {
    let Some(device) = gpu() else { return };
    for (pointers_cap, eviction) in [(0, Eviction::Oldest), (30, Eviction::Oldest), (20, Eviction::Redundant)] {
        let cap = PointerCap { pointers: pointers_cap, eviction };
        let (mut on_gpu, mut on_cpu) = (running(&device, cap), running(&Device::flex(), cap));
        let mut after = Vec::new();
        for index in 0..6 {
            let recording = Recording::start().unwrap();
            push(&mut on_gpu, index);
            let usage = recording.finish();
            assert_eq!(usage.reads, 1, "one readback per frame beside the maps");
            assert!(usage.read_bytes <= 256, "{} bytes", usage.read_bytes);
            push(&mut on_cpu, index);
            assert!(on_gpu.pointer_records().is_empty(), "read although nobody looks");
            assert_eq!(on_gpu.pointers(), on_cpu.pointers());
            assert_alike(&pointers(&on_gpu), on_cpu.pointer_records());
            after.push(pointers(&on_gpu));
        }

        on_gpu.watch_pointers(true);
        pollster::block_on(on_gpu.undo(Undo::Frames(2), &Pace::none(), &mut |_, _| {})).unwrap();
        assert_eq!(**on_gpu.pointer_records(), after[3], "an earlier moment is what it was");
        push(&mut on_gpu, 4);
        assert_eq!(**on_gpu.pointer_records(), after[4], "the same frame does the same again");
        on_gpu.stop();
        assert_eq!(pointers(&on_gpu), after[4], "they stay after the end");
        on_gpu.reset();
        assert!(pointers(&on_gpu).is_empty());
    }
}

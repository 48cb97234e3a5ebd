//! `point3r synth --device gpu`: the same scenes as on the processor, and a reason where there is no adapter.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::{Command, Output};

use point3r::synth::{self, Kind, Quality, Sequence, Settings, gpu::RayCaster, record, scene_seed};

/// An adapter, or none: then the reason was printed.
fn caster() -> Option<RayCaster> {
    RayCaster::open().inspect_err(|error| println!("skipped: {error}")).ok()
}

/// Shares of bytes that differ by more than 2 of 255, and of depths by more than 1 mm and 1e-4.
fn differing(a: &Sequence, b: &Sequence) -> (f64, f64) {
    assert_eq!((a.seed, a.width, a.height, a.intrinsics), (b.seed, b.width, b.height, b.intrinsics));
    let (mut colours, mut colours_off, mut depths, mut depths_off) = (0, 0, 0, 0);
    for (a, b) in a.frames.iter().zip(&b.frames) {
        assert_eq!(a.pose, b.pose, "paths are the processor's");
        assert_eq!((a.rgb.len(), a.depth.len(), a.motion.len()), (b.rgb.len(), b.depth.len(), b.motion.len()));
        colours += a.rgb.len();
        colours_off += a.rgb.iter().zip(&b.rgb).filter(|(a, b)| a.abs_diff(**b) > 2).count();
        depths += a.depth.len();
        let off = |(a, b): &(&u16, &u16)| f32::from(a.abs_diff(**b)) > 1.0 + 1e-4 * f32::from(**a);
        depths_off += a.depth.iter().zip(&b.depth).filter(off).count();
        depths_off += a.motion.iter().zip(&b.motion).filter(|(a, b)| a != b).count();
    }
    assert_eq!(a.frames.len(), b.frames.len());
    (colours_off as f64 / colours as f64, depths_off as f64 / depths as f64)
}

/// With the camera's defects: noise is drawn from the same random numbers, and compression may move a pixel by a level.
#[test]
fn finished_frames_are_those_of_the_processor() {
    let Some(caster) = caster() else { return };
    for kind in [Kind::Indoor, Kind::Outdoor, Kind::Table, Kind::Dining] {
        for index in 0..6 {
            let settings =
                Settings { width: 56, height: 42, frames: 3, kind, quality: Quality::Fast, portrait: 0.3, moving: 0.5 };
            let seed = scene_seed(17, index);
            let (colour, depth) = differing(&synth::render(&settings, seed), &caster.render(&settings, seed).unwrap());
            println!("{kind:?} {index}: colour {colour:.5}, depth and motion {depth:.5}");
            assert!(colour <= 0.02 && depth <= 0.001, "{kind:?} {index}: {colour} and {depth}");
        }
    }
}

fn point3r(arguments: &[&str], no_adapter: bool) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_point3r"));
    command.arg("synth").args(arguments);
    if no_adapter {
        // A driver list without drivers.
        for name in ["VK_ICD_FILENAMES", "VK_DRIVER_FILES"] {
            command.env(name, "/nowhere.json");
        }
    }
    command.output().unwrap()
}

#[test]
fn streams_hold_the_scenes_in_order_whatever_the_threads() {
    if caster().is_none() {
        return;
    }
    let common = ["-o", "-", "--device", "gpu", "--size", "32x24", "--frames", "2", "--seed", "4", "--moving", "1"];
    let run = |more: &[&str]| {
        let got = point3r(&[&common[..], more].concat(), false);
        assert!(got.status.success(), "{}", String::from_utf8_lossy(&got.stderr));
        got.stdout
    };
    let all = run(&["--scenes", "5", "--threads", "4"]);
    let later = run(&["--scenes", "3", "--first", "2", "--threads", "1"]);
    assert_eq!(all[all.len() - later.len()..], later, "a run that stopped goes on");
    let mut input = all.as_slice();
    for index in 0..5 {
        let s = record::read(&mut input).unwrap().unwrap();
        assert_eq!(s.seed, scene_seed(4, index));
    }
    assert!(input.is_empty());
}

#[test]
#[cfg(target_os = "linux")]
fn without_an_adapter_the_command_says_so() {
    let dir = tempfile::tempdir().unwrap();
    let out = dir.path().join("out");
    let got = point3r(&["-o", out.to_str().unwrap(), "--device", "gpu"], true);
    let message = String::from_utf8_lossy(&got.stderr);
    assert_eq!(got.status.code(), Some(2), "{message}");
    assert!(message.contains("no graphics adapter") && message.contains("--device cpu"), "{message}");
    assert!(!out.exists(), "nothing was written");
}

//! Synthetic worlds: what is written is true (reprojection), reproducible, and refused when it cannot be made.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::process::{Command, Output};

use point3r::synth::{self, Frame, Kind, Quality, Sequence, Settings, record, scene_seed};

const SIZE: (usize, usize) = (96, 72);

fn settings(kind: Kind, moving: f32) -> Settings {
    Settings { width: SIZE.0, height: SIZE.1, frames: 12, kind, quality: Quality::Fast, portrait: 0.0, moving }
}

fn packed(s: &Sequence) -> Vec<u8> {
    let mut bytes = Vec::new();
    record::write(&mut bytes, s).unwrap();
    bytes
}

/// World point of a pixel at a depth.
fn unproject(s: &Sequence, f: &Frame, x: f32, y: f32, z: f32) -> [f32; 3] {
    let k = &s.intrinsics;
    let c = [(x - k[2]) / k[0] * z, (y - k[5]) / k[4] * z, z];
    std::array::from_fn(|i| (0..3).map(|j| f.pose[4 * i + j] * c[j]).sum::<f32>() + f.pose[4 * i + 3])
}

/// Pixel and depth of a world point.
fn project(s: &Sequence, f: &Frame, p: [f32; 3]) -> [f32; 3] {
    let d: [f32; 3] = std::array::from_fn(|i| p[i] - f.pose[4 * i + 3]);
    let c: [f32; 3] = std::array::from_fn(|j| (0..3).map(|i| f.pose[4 * i + j] * d[i]).sum());
    let k = &s.intrinsics;
    [k[0] * c[0] / c[2] + k[2], k[4] * c[1] / c[2] + k[5], c[2]]
}

/// What reprojection of one frame into another finds.
#[derive(Default)]
struct Agreement {
    /// Pixels with depth.
    valid: usize,
    /// Of those, inside the other image and in front of it.
    inside: usize,
    /// Of those, not hidden by something nearer.
    visible: usize,
    /// Compared on a smooth patch of the other depth map: relative depth differences, positive if the other
    /// frame sees through the point. (Something a little nearer may hide it: then it is not visible.)
    errors: Vec<f32>,
}

/// True if the surface around a pixel is flat: inverse depth is linear on a plane.
fn is_flat(s: &Sequence, f: &Frame, x: usize, y: usize) -> bool {
    if x == 0 || y == 0 || x + 1 >= s.width || y + 1 >= s.height {
        return false;
    }
    let inv = |x: usize, y: usize| 1000.0 / f32::from(f.depth[y * s.width + x]).max(1e-3);
    let (c, bend) = (inv(x, y), |a: f32, b: f32| (a + b - 2.0 * inv(x, y)).abs());
    bend(inv(x - 1, y), inv(x + 1, y)).max(bend(inv(x, y - 1), inv(x, y + 1))) < 2e-3 * c
}

fn compare(s: &Sequence, a: &Frame, b: &Frame) -> Agreement {
    let (w, h) = (s.width, s.height);
    let mut out = Agreement::default();
    for y in 0..h {
        for x in 0..w {
            let z = f32::from(a.depth[y * w + x]) / 1000.0;
            if z == 0.0 {
                continue;
            }
            out.valid += 1;
            let [u, v, d] = project(s, b, unproject(s, a, x as f32, y as f32, z));
            if d < 0.05 || u < 0.0 || v < 0.0 || u >= (w - 1) as f32 || v >= (h - 1) as f32 {
                continue;
            }
            out.inside += 1;
            let (i, j) = (u as usize, v as usize);
            let corners = [j * w + i, j * w + i + 1, (j + 1) * w + i, (j + 1) * w + i + 1];
            let c = corners.map(|k| f32::from(b.depth[k]) / 1000.0);
            let nearest = c.iter().copied().fold(f32::INFINITY, f32::min);
            let farthest = c.iter().copied().fold(0.0, f32::max);
            if nearest > 0.0 && farthest < 0.97 * d {
                continue;
            }
            out.visible += 1;
            // Compare where both surfaces are flat: elsewhere the pixels of the two frames need not meet.
            if !is_flat(s, a, x, y) {
                continue;
            }
            let inv = c.map(|z| 1.0 / z);
            let bent = (inv[0] + inv[3] - inv[1] - inv[2]).abs();
            if nearest <= 0.0 || farthest > 1.1 * nearest || bent > 2e-3 * inv[0] || (d - nearest).abs() > 0.1 * d {
                continue;
            }
            let (fu, fv) = (u - i as f32, v - j as f32);
            let top = inv[0] * (1.0 - fu) + inv[1] * fu;
            let bottom = inv[2] * (1.0 - fu) + inv[3] * fu;
            let seen = 1.0 / (top * (1.0 - fv) + bottom * fv);
            out.errors.push((seen - d) / d);
        }
    }
    out
}

#[test]
fn same_seed_gives_the_same_bytes_on_any_number_of_threads_and_other_seeds_differ() {
    let settings = settings(Kind::Mix, 0.5);
    let run = |threads, seed| {
        let mut bytes = Vec::new();
        let take = |_, b: Vec<u8>| -> Result<(), std::convert::Infallible> {
            bytes.extend(b);
            Ok(())
        };
        synth::generate(&settings, seed, 3, 4, threads, |_, s| packed(&s), take).unwrap();
        bytes
    };
    let one = run(1, 5);
    assert_eq!(one, run(3, 5), "threads change nothing");
    assert_ne!(one, run(1, 6), "another seed is another world");
    assert_eq!(packed(&synth::render(&settings, scene_seed(5, 3))), one[..packed_length(&settings)]);
}

fn packed_length(s: &Settings) -> usize {
    record::HEADER_BYTES + s.frames * record::frame_bytes(s.width, s.height)
}

#[test]
fn depth_reprojected_into_the_next_frames_agrees_where_visible() {
    for kind in [Kind::Indoor, Kind::Outdoor, Kind::Table, Kind::Dining] {
        for index in 0..6 {
            let s = synth::render(&settings(kind, 0.0), scene_seed(21, index));
            let mut errors: Vec<f32> = Vec::new();
            for gap in [1, 3] {
                for i in 0..s.frames.len() - gap {
                    for (a, b) in [(i, i + gap), (i + gap, i)] {
                        errors.extend(compare(&s, &s.frames[a], &s.frames[b]).errors);
                    }
                }
            }
            let n = errors.len();
            assert!(n > 5_000, "{kind:?} {index}: only {n} pixels compared");
            let through = errors.iter().filter(|e| **e > 0.005).count() as f32 / n as f32;
            let mut sizes: Vec<f32> = errors.iter().map(|e| e.abs()).collect();
            sizes.sort_by(f32::total_cmp);
            let (median, p95) = (sizes[n / 2], sizes[n * 95 / 100]);
            println!(
                "{kind:?} {index}: {n} compared, median {median:.6}, 95 % below {p95:.5}, seen through {through:.5}"
            );
            // Interpolation across seams in relief (drawers, skirting) costs some pixels; the exact test with rays
            // instead of depth maps is in the library.
            assert!(
                median < 5e-4 && p95 < 0.005 && through < 0.005,
                "{kind:?} {index}: median {median}, 95 % {p95}, {through}"
            );
        }
    }
}

#[test]
fn neighbouring_frames_share_a_third_of_what_they_see() {
    for index in 0..24 {
        let s = synth::render(&settings(Kind::Mix, 0.0), scene_seed(33, index));
        for (i, pair) in s.frames.windows(2).enumerate() {
            for (a, b) in [(&pair[0], &pair[1]), (&pair[1], &pair[0])] {
                let found = compare(&s, a, b);
                let share = found.visible as f32 / found.valid.max(1) as f32;
                assert!(share > 0.33, "scene {index}, frames {i} and {}: {:.0} %", i + 1, 100.0 * share);
            }
        }
    }
}

#[test]
fn depths_are_sensible_and_lenses_have_45_to_80_degrees() {
    for (kind, most) in [(Kind::Indoor, 20.0), (Kind::Table, 12.0), (Kind::Dining, 6.0), (Kind::Outdoor, 65.0)] {
        for index in 0..8 {
            let s = synth::render(&Settings { portrait: 0.5, ..settings(kind, 0.3) }, scene_seed(40, index));
            let fov = 2.0 * (0.5 * s.width as f32 / s.intrinsics[0]).atan().to_degrees();
            assert!((45.0..=80.01).contains(&fov), "{kind:?} {index}: {fov} degrees");
            for f in &s.frames {
                let mut depths: Vec<f32> = f.depth.iter().filter(|d| **d > 0).map(|d| f32::from(*d) / 1000.0).collect();
                depths.sort_by(f32::total_cmp);
                assert!(depths.len() * 3 > f.depth.len(), "{kind:?} {index}: mostly sky");
                let median = depths[depths.len() / 2];
                assert!(depths[0] > 0.05 && median > 0.2 && median < most, "{kind:?} {index}: median {median} m");
                let rotation_is_proper = {
                    let p = &f.pose;
                    let c = |j: usize| [p[j], p[4 + j], p[8 + j]];
                    let (a, b, d) = (c(0), c(1), c(2));
                    let x = [a[1] * b[2] - a[2] * b[1], a[2] * b[0] - a[0] * b[2], a[0] * b[1] - a[1] * b[0]];
                    (0..3).all(|k| (x[k] - d[k]).abs() < 1e-5)
                };
                assert!(rotation_is_proper, "{kind:?} {index}");
            }
        }
    }
}

#[test]
fn scenes_are_bright_enough_to_see_and_not_flat() {
    let mut flat = 0;
    let count = 40;
    for index in 0..count {
        let s = synth::render(&Settings { frames: 1, ..settings(Kind::Mix, 0.0) }, scene_seed(51, index));
        let grey: Vec<f32> =
            s.frames[0].rgb.chunks(3).map(|c| c.iter().map(|v| f32::from(*v)).sum::<f32>() / 3.0).collect();
        let mean = grey.iter().sum::<f32>() / grey.len() as f32;
        let spread = (grey.iter().map(|g| (g - mean) * (g - mean)).sum::<f32>() / grey.len() as f32).sqrt();
        assert!((25.0..230.0).contains(&mean), "scene {index}: mean grey {mean}");
        flat += usize::from(spread < 12.0);
    }
    assert!(flat * 20 <= count as usize, "{flat} of {count} scenes are flat");
}

#[test]
fn motion_mask_marks_the_moving_thing_and_static_scenes_have_none() {
    let mut marked = 0;
    let mut moved = 0;
    for index in 0..12 {
        let s = synth::render(&settings(Kind::Indoor, 1.0), scene_seed(60, index));
        let still = synth::render(&settings(Kind::Indoor, 0.0), scene_seed(60, index));
        assert!(still.frames.iter().all(|f| f.motion.iter().all(|m| *m == 0)));
        let pixels: usize = s.frames.iter().map(|f| f.motion.iter().filter(|m| **m == 255).count()).sum();
        assert!(s.frames.iter().all(|f| f.motion.iter().all(|m| *m == 0 || *m == 255)));
        marked += usize::from(pixels > 100);
        let (mut compared, mut bad) = (0, 0);
        for pair in s.frames.windows(2) {
            // Unmarked pixels obey the static scene; marked ones need not.
            let masked = |f: &Frame, keep: u8| {
                let mut f = f.clone();
                for (d, m) in f.depth.iter_mut().zip(&f.motion) {
                    *d = if *m == keep { *d } else { 0 };
                }
                f
            };
            let fixed = compare(&s, &masked(&pair[0], 0), &masked(&pair[1], 0));
            compared += fixed.errors.len();
            bad += fixed.errors.iter().filter(|e| **e > 0.005).count();
            let movers = compare(&s, &masked(&pair[0], 255), &pair[1]);
            moved += movers.errors.iter().filter(|e| e.abs() > 0.005).count();
        }
        assert!(bad * 100 <= compared, "scene {index}: {bad} of {compared} unmarked pixels moved");
    }
    assert!(marked >= 6, "only {marked} of 12 scenes show their moving thing");
    assert!(moved > 100, "what is marked does move ({moved} pixels)");
}

#[test]
fn records_are_read_back_as_written_and_damaged_ones_are_refused() {
    let s = synth::render(&Settings { frames: 2, ..settings(Kind::Table, 1.0) }, 9);
    let bytes = packed(&s);
    assert_eq!(bytes.len(), record::HEADER_BYTES + 2 * record::frame_bytes(s.width, s.height));
    let twice = [bytes.clone(), bytes.clone()].concat();
    let mut input = twice.as_slice();
    for _ in 0..2 {
        assert_eq!(record::read(&mut input).unwrap().as_ref(), Some(&s));
    }
    assert!(record::read(&mut input).unwrap().is_none());
    for cut in [3, 27, 28, bytes.len() - 1] {
        assert!(record::read(&mut &bytes[..cut]).is_err(), "cut at {cut}");
    }
    for (at, value) in [(0, 0), (4, 9), (12, 0), (15, 255)] {
        let mut bad = bytes.clone();
        bad[at] = value;
        if at == 12 {
            bad[13] = 0;
        }
        assert!(record::read(&mut bad.as_slice()).is_err(), "byte {at} set to {value}");
    }
}

fn point3r(arguments: &[&str]) -> Output {
    Command::new(env!("CARGO_BIN_EXE_point3r")).arg("synth").args(arguments).output().unwrap()
}

#[test]
fn wrong_arguments_are_refused_with_a_reason_and_exit_code_2() {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("a-file");
    std::fs::write(&file, "x").unwrap();
    let (out, below_file) = (dir.path().join("out"), file.join("out"));
    let (out, below_file) = (out.to_str().unwrap(), below_file.to_str().unwrap());
    for (arguments, says) in [
        (vec!["-o", out, "--size", "0x96"], "each side must be"),
        (vec!["-o", out, "--size", "100000x100000"], "each side must be"),
        (vec!["-o", out, "--size", "1024x64"], "times as long"),
        (vec!["-o", out, "--size", "wide"], "is not a size like"),
        (vec!["-o", out, "--size", "99999999999999999999x9"], "is not a size like"),
        (vec!["-o", out, "--frames", "0"], "0 frames"),
        (vec!["-o", out, "--frames", "1000000"], "1000000 frames"),
        (vec!["-o", out, "--scenes", "0"], "0 scenes"),
        (vec!["-o", out, "--threads", "0"], "0 threads"),
        (vec!["-o", out, "--portrait", "1.5"], "between 0 and 1"),
        (vec!["-o", out, "--moving", "NaN"], "between 0 and 1"),
        (vec!["-o", below_file, "--size", "32x32"], "cannot write to"),
        (vec!["--scenes", "1"], "--output"),
    ] {
        let got = point3r(&arguments);
        let message = String::from_utf8_lossy(&got.stderr);
        assert_eq!(got.status.code(), Some(2), "{arguments:?}: {message}");
        assert!(message.contains(says), "{arguments:?} says: {message}");
    }
    assert!(!dir.path().join("out").exists(), "nothing was written");
}

#[test]
fn folders_and_streams_hold_the_same_scene() {
    let dir = tempfile::tempdir().unwrap();
    let common = ["--size", "64x48", "--frames", "3", "--seed", "8", "--scenes", "2", "--moving", "1"];
    let out = dir.path().to_str().unwrap();
    let got = point3r(&[&["-o", out], &common[..]].concat());
    assert!(got.status.success(), "{}", String::from_utf8_lossy(&got.stderr));
    let stream = point3r(&[&["-o", "-"], &common[..]].concat()).stdout;
    let mut input = stream.as_slice();
    for index in 0..2 {
        let s = record::read(&mut input).unwrap().unwrap();
        let scene = dir.path().join(format!("scene-{index:06}"));
        for (i, f) in s.frames.iter().enumerate() {
            let open = |part: &str| image::open(scene.join(part).join(format!("{i:06}.png"))).unwrap();
            assert_eq!(open("color").into_rgb8().into_raw(), f.rgb);
            assert_eq!(open("depth").into_luma16().into_raw(), f.depth);
            assert_eq!(open("motion").into_luma8().into_raw(), f.motion);
            assert_eq!(numbers(&scene.join("pose").join(format!("{i:06}.txt"))).len(), 16);
            for (a, b) in numbers(&scene.join("pose").join(format!("{i:06}.txt"))).iter().zip(f.pose) {
                assert!((a - b).abs() < 1e-6);
            }
        }
        let k = numbers(&scene.join("intrinsics.txt"));
        assert!(k.len() == 9 && k.iter().zip(s.intrinsics).all(|(a, b)| (a - b).abs() < 1e-4));
    }
    assert!(input.is_empty());
}

fn numbers(path: &std::path::Path) -> Vec<f32> {
    std::fs::read_to_string(path).unwrap().split_whitespace().map(|v| v.parse().unwrap()).collect()
}

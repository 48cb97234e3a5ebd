//! `point3r run` as a user meets it: files in, files or one clear sentence out.
#![cfg(feature = "cli")]
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{
    fs,
    path::{Path, PathBuf},
    process::{Command, Output},
};

use image::{DynamicImage, ImageFormat, Rgb, RgbImage};
use point3r::frames::{Pick, Source, read_image};

fn run(arguments: &[&str]) -> Output {
    let directory = std::env::temp_dir(); // no default model there
    Command::new(env!("CARGO_BIN_EXE_point3r")).arg("run").args(arguments).current_dir(directory).output().unwrap()
}

/// The error sentence of a run that must end with code 2.
fn refused(arguments: &[&str]) -> String {
    let output = run(arguments);
    let text = String::from_utf8_lossy(&output.stderr).into_owned();
    assert_eq!(output.status.code(), Some(2), "{text}");
    let line = text.lines().last().unwrap_or_default().to_owned();
    assert!(line.starts_with("error: ") && !text.contains("panicked"), "{text}");
    line
}

fn text(path: &Path) -> &str {
    path.to_str().unwrap()
}

fn picture(width: u32, height: u32, seed: u32) -> RgbImage {
    RgbImage::from_fn(width, height, |x, y| Rgb([(x * 5 + seed * 40) as u8, (y * 3) as u8, (x ^ y) as u8]))
}

fn has_ffmpeg() -> bool {
    let found = Command::new("ffmpeg").arg("-version").output().is_ok();
    if !found {
        eprintln!("skipped: no ffmpeg");
    }
    found
}

/// A video of `frames` frames at 10 per second, made here.
fn video(folder: &Path, frames: usize) -> PathBuf {
    for i in 0..frames {
        picture(96, 64, i as u32).save(folder.join(format!("v{i:03}.png"))).unwrap();
    }
    let path = folder.join("made.mp4");
    let pattern = folder.join("v%03d.png");
    let status = Command::new("ffmpeg")
        .args(["-v", "error", "-framerate", "10", "-i", text(&pattern), "-c:v", "mpeg4", "-q:v", "2"])
        .args(["-movflags", "faststart", text(&path)])
        .status()
        .unwrap();
    assert!(status.success());
    path
}

#[test]
fn a_folder_of_images_becomes_every_promised_file() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    for i in [9, 10, 11] {
        picture(96, 64, i).save(folder.join(format!("f{i}.png"))).unwrap();
    }
    fs::write(folder.join("notes.txt"), "not a frame").unwrap();
    let out = folder.join("out");
    let output = run(&[text(folder), "-o", text(&out), "--size", "64", "--json"]);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    assert!(String::from_utf8_lossy(&output.stderr).contains("UNTRAINED"));

    let lines: Vec<serde_json::Value> =
        String::from_utf8(output.stdout).unwrap().lines().map(|l| serde_json::from_str(l).unwrap()).collect();
    assert_eq!(lines.len(), 4);
    assert_eq!(lines[0]["index"], 0);
    assert_eq!(lines[3]["model"]["trained"], false);

    let report: serde_json::Value = serde_json::from_slice(&fs::read(out.join("report.json")).unwrap()).unwrap();
    assert_eq!((&report["frames"], &report["points"]), (&3.into(), &(3 * 64 * 32).into()));
    assert_eq!(report["inputSize"], serde_json::json!([64, 32]));
    assert_eq!(report["perFrame"].as_array().unwrap().len(), 3);
    let cloud = fs::read(out.join("cloud.ply")).unwrap();
    let head = String::from_utf8_lossy(&cloud[..300]).into_owned();
    assert!(head.contains("comment model: untrained-small\ncomment untrained weights: shapes only"), "{head}");
    let trajectory = fs::read_to_string(out.join("trajectory.tum")).unwrap();
    assert_eq!(trajectory.lines().filter(|l| !l.starts_with('#')).count(), 3);
    for name in ["depth/000000.png", "depth/000002.png", "confidence/000001.png"] {
        let picture = image::open(out.join(name)).unwrap();
        assert_eq!((picture.width(), picture.height()), (64, 32), "{name}");
        assert_eq!(matches!(picture, DynamicImage::ImageLuma16(_)), name.starts_with("depth"));
    }
    serde_json::from_slice::<serde_json::Value>(&fs::read(out.join("intrinsics.json")).unwrap()).unwrap();
}

#[test]
fn exports_are_written_to_scale_and_replaced_by_the_next_run() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    for i in 0..3 {
        picture(96, 64, i).save(folder.join(format!("f{i}.png"))).unwrap();
    }
    let out = folder.join("out");
    let go = |more: &[&str]| {
        let output = run(&[&[text(folder), "-o", text(&out), "--size", "64", "--json"], more].concat());
        let said = String::from_utf8_lossy(&output.stderr).into_owned();
        assert!(output.status.success(), "{said}");
        let report = fs::read(out.join("report.json")).unwrap();
        (said, serde_json::from_slice::<serde_json::Value>(&report).unwrap())
    };
    let (said, report) = go(&["--export", "colmap,maps", "--export", "nerfstudio,mesh", "--scale", "2"]);
    assert_eq!(report["scale"], 2.0);
    let maps = ["maps/depth/000002.png", "maps/trajectory.tum", "scene.glb", "cloud.ply"];
    // Untrained weights give points behind the camera, where there is no camera to speak of and no surface.
    let camera = ["colmap/sparse/0/images.bin", "colmap/images/000001.png", "nerfstudio/transforms.json", "mesh.ply"];
    for name in maps {
        assert!(out.join(name).is_file(), "{name}");
    }
    for name in camera {
        let told = said.contains(&format!("no {}", name.split('/').next().unwrap()));
        assert!(out.join(name).is_file() != told, "{name}: {said}");
    }
    let same = |a: &str, b: &str| assert_eq!(fs::read(out.join(a)).unwrap(), fs::read(out.join(b)).unwrap(), "{a} {b}");
    same("maps/trajectory.tum", "trajectory.tum");
    let (large, kept) = (fs::read_to_string(out.join("trajectory.tum")).unwrap(), out.join("maps/mine.txt"));
    fs::write(&kept, "not of a run").unwrap();
    let refusal = refused(&[text(folder), "-o", text(&out)]);
    assert!(refusal.contains("mine.txt") && kept.is_file(), "{refusal}");
    fs::remove_file(&kept).unwrap();

    let points = || {
        let cloud = fs::read(out.join("cloud.ply")).unwrap();
        let text = String::from_utf8_lossy(&cloud[..400]).into_owned();
        text.lines().find_map(|line| line.strip_prefix("element vertex ")).unwrap().parse::<usize>().unwrap()
    };
    let all = points();
    go(&["--clean", "edges,sky"]);
    assert!(points() < all, "{} of {all}: formula weights give depth full of steps", points());
    go(&[]);
    assert_eq!(points(), all);
    assert!(!out.join("maps").exists() && !out.join("colmap").exists() && !out.join("mesh.glb").exists());
    let numbers = |text: &str| -> Vec<f64> {
        let last = text.lines().last().unwrap();
        last.split(' ').skip(1).take(3).map(|word| word.parse().unwrap()).collect()
    };
    let small = fs::read_to_string(out.join("trajectory.tum")).unwrap();
    for (a, b) in numbers(&large).into_iter().zip(numbers(&small)) {
        assert!((a - 2.0 * b).abs() <= 1e-6 * a.abs(), "{a} {b}");
    }
    for bad in [["--export", "pdf"], ["--clean", "walls"], ["--scale", "0"], ["--scale", "nan"], ["--voxel", "-1"]] {
        assert_eq!(run(&[&[text(folder), "-o", text(&out)], &bad[..]].concat()).status.code(), Some(2), "{bad:?}");
    }
}

#[test]
fn wrong_input_is_one_sentence_and_code_2() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    let out = folder.join("out");
    let end = ["-o", text(&out)];
    let refused = |input: &Path| refused(&[&[text(input)][..], &end].concat());

    assert!(refused(&folder.join("missing.mp4")).contains("check the path"));
    let empty = folder.join("empty");
    fs::create_dir(&empty).unwrap();
    assert!(refused(&empty).contains("holds no images"));
    let tiny = folder.join("tiny.png");
    picture(3, 3, 0).save(&tiny).unwrap();
    assert!(refused(&tiny).contains("3x3 pixels"));
    let damaged = folder.join("damaged.png");
    let mut bytes = fs::read(&tiny).unwrap();
    bytes.truncate(40);
    fs::write(&damaged, bytes).unwrap();
    assert!(refused(&damaged).contains("damaged"));
    if has_ffmpeg() {
        for name in ["renamed.mp4", "plain.txt"] {
            let path = folder.join(name);
            fs::write(&path, "this is no video\n".repeat(100)).unwrap();
            assert!(refused(&path).contains("is not a video or image"), "{name}");
        }
    }
}

#[test]
fn images_of_different_size_end_the_run_and_keep_what_was_there() {
    let temporary = tempfile::tempdir().unwrap();
    let folder = temporary.path();
    picture(96, 64, 0).save(folder.join("1.png")).unwrap();
    picture(64, 96, 1).save(folder.join("2.png")).unwrap();
    let out = folder.join("out");
    let line = refused(&[text(folder), "-o", text(&out), "--size", "64"]);
    assert!(line.contains("give all frames of a sequence one size"), "{line}");
    assert!(out.join("cloud.ply").is_file() && out.join("report.json").is_file());
}

#[test]
fn videos_are_picked_by_count_and_by_rate() {
    if !has_ffmpeg() {
        return;
    }
    let temporary = tempfile::tempdir().unwrap();
    let path = video(temporary.path(), 20);
    let times = |pick, max| -> Vec<(usize, f64)> {
        let source = Source::open(std::slice::from_ref(&path), pick, max).unwrap();
        let expected = source.expected();
        let frames: Vec<_> = source.map(|frame| frame.unwrap()).collect();
        assert_eq!(expected, Some(frames.len()));
        assert!(frames.iter().all(|f| (f.image.width, f.image.height) == (96, 64)));
        frames.into_iter().map(|f| (f.index, (f.time * 1e6).round() / 1e6)).collect()
    };
    assert_eq!(times(Pick::Every(8), None), [(0, 0.0), (8, 0.8), (16, 1.6)]);
    assert_eq!(times(Pick::Every(1), Some(2)), [(0, 0.0), (1, 0.1)]);
    assert_eq!(times(Pick::Rate(2.0), None), [(0, 0.0), (5, 0.5), (10, 1.0), (15, 1.5)]);
}

#[test]
fn a_truncated_video_is_named_and_its_frames_are_kept() {
    if !has_ffmpeg() {
        return;
    }
    let temporary = tempfile::tempdir().unwrap();
    let path = video(temporary.path(), 40);
    let bytes = fs::read(&path).unwrap();
    fs::write(&path, &bytes[..bytes.len() / 2]).unwrap();
    let out = temporary.path().join("out");
    let line = refused(&[text(&path), "-o", text(&out), "--size", "64"]);
    assert!(line.contains("is damaged or incomplete after"), "{line}");
    assert!(out.join("cloud.ply").is_file());

    fs::write(&path, &bytes[..200]).unwrap(); // not even the table of contents
    assert!(refused(&[text(&path), "-o", text(&out)]).contains("damaged or incomplete after 0 frames"));
}

/// A JPEG with an orientation tag: a TIFF directory with one entry in an APP1 segment.
fn jpeg_with_orientation(picture: &RgbImage, orientation: u8) -> Vec<u8> {
    let mut jpeg = std::io::Cursor::new(Vec::new());
    picture.write_to(&mut jpeg, ImageFormat::Jpeg).unwrap();
    let jpeg = jpeg.into_inner();
    let mut exif = b"Exif\0\0MM\0\x2A\0\0\0\x08\0\x01\x01\x12\0\x03\0\0\0\x01\0".to_vec();
    exif.extend([orientation, 0, 0, 0, 0, 0, 0]);
    let mut out = jpeg[..2].to_vec();
    out.extend([0xFF, 0xE1, 0, (exif.len() + 2) as u8]);
    out.extend(&exif);
    out.extend(&jpeg[2..]);
    out
}

#[test]
fn exif_orientation_turns_photographs_upright() {
    let temporary = tempfile::tempdir().unwrap();
    // Red on the left, blue on the right.
    let picture = RgbImage::from_fn(64, 32, |x, _| if x < 32 { Rgb([255, 0, 0]) } else { Rgb([0, 0, 255]) });
    let red = |image: &point3r::preprocess::RgbImage, x: usize, y: usize| image.rgb[(y * image.width + x) * 3] > 128;
    for (orientation, size, red_at, blue_at) in [
        (1, (64, 32), (5, 5), (60, 5)),
        (3, (64, 32), (60, 5), (5, 5)),
        (6, (32, 64), (5, 5), (5, 60)), // quarter turn clockwise: left becomes top
        (8, (32, 64), (5, 60), (5, 5)),
    ] {
        let path = temporary.path().join("photo.jpg");
        fs::write(&path, jpeg_with_orientation(&picture, orientation)).unwrap();
        let image = read_image(&path).unwrap();
        assert_eq!((image.width, image.height), size, "orientation {orientation}");
        assert!(red(&image, red_at.0, red_at.1) && !red(&image, blue_at.0, blue_at.1), "orientation {orientation}");
    }
}

#[test]
fn grey_deep_and_transparent_pictures_become_rgb() {
    let temporary = tempfile::tempdir().unwrap();
    let path = temporary.path().join("p.png");
    let shapes = [
        DynamicImage::ImageLuma8(image::ImageBuffer::from_pixel(20, 20, image::Luma([200]))),
        DynamicImage::ImageLuma16(image::ImageBuffer::from_pixel(20, 20, image::Luma([200 * 257]))),
        DynamicImage::ImageRgb16(image::ImageBuffer::from_pixel(20, 20, Rgb([200 * 257; 3]))),
        DynamicImage::ImageRgba8(image::ImageBuffer::from_pixel(20, 20, image::Rgba([200, 200, 200, 3]))),
    ];
    for shape in shapes {
        shape.save(&path).unwrap();
        let image = read_image(&path).unwrap();
        assert_eq!(image.rgb, vec![200; 20 * 20 * 3], "{:?}", shape.color());
    }
}

#[test]
fn a_second_run_leaves_no_picture_of_the_first_and_foreign_pictures_are_not_touched() {
    let dir = tempfile::tempdir().unwrap();
    for i in 0..3 {
        picture(96, 64, i).save(dir.path().join(format!("{i}.png"))).unwrap();
    }
    let (out, foreign) = (dir.path().join("out"), dir.path().join("foreign"));
    let names = |folder: &Path| fs::read_dir(folder.join("depth")).unwrap().count();
    assert!(run(&[text(dir.path()), "--device", "cpu", "--size", "96", "-o", text(&out)]).status.success());
    assert_eq!(names(&out), 3);
    let first = dir.path().join("0.png");
    assert!(run(&[text(&first), "--device", "cpu", "--size", "96", "-o", text(&out)]).status.success());
    assert_eq!(names(&out), 1);

    fs::create_dir_all(foreign.join("depth")).unwrap();
    fs::write(foreign.join("depth/000000.png"), b"mine").unwrap();
    let sentence = refused(&[text(&first), "--device", "cpu", "-o", text(&foreign)]);
    assert!(sentence.contains("choose another output folder"), "{sentence}");
    assert_eq!(fs::read(foreign.join("depth/000000.png")).unwrap(), b"mine");
}

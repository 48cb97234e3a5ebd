//! Depth and confidence maps read back, and the zip that the page makes of them.

use point3r::{
    cloud::decode_confidence,
    export::{ExportError, ExportOptions, Format, MapFormat, Sink, zip::Zip},
};

use crate::known::{self, HEIGHT, WIDTH, file, files};

/// A reader of NumPy's format for `<f4` maps.
fn read_npy(bytes: &[u8]) -> (usize, usize, Vec<f32>) {
    assert_eq!(bytes[..8], *b"\x93NUMPY\x01\x00");
    let length = usize::from(u16::from_le_bytes([bytes[8], bytes[9]]));
    let header = std::str::from_utf8(&bytes[10..10 + length]).unwrap();
    assert!(header.contains("'descr': '<f4'") && header.contains("'fortran_order': False"), "{header}");
    let shape = header.split(['(', ')']).nth(1).unwrap();
    let sides: Vec<usize> = shape.split(", ").map(|s| s.parse().unwrap()).collect();
    let values = bytes[10 + length..].as_chunks::<4>().0.iter().map(|b| f32::from_le_bytes(*b)).collect();
    (sides[0], sides[1], values)
}

#[test]
fn png_and_npy_say_the_same_depth_and_confidence() {
    let scene = known::scene();
    let options = ExportOptions { maps: MapFormat::Both, scale: 0.5, ..Default::default() };
    let files = files(&scene, Format::Maps, &options).unwrap();
    for (i, frame) in scene.keyframes.frames().iter().enumerate().step_by(7) {
        let maps = frame.maps.as_ref().unwrap();
        let name = format!("{:06}", known::index(i));
        let (height, width, depth) = read_npy(&file(&files, &format!("depth/{name}.npy")));
        assert_eq!((height, width), (HEIGHT, WIDTH));
        assert_eq!(depth, maps.depth().map(|d| d * 0.5).collect::<Vec<_>>());
        let picture = image::load_from_memory(&file(&files, &format!("depth/{name}.png"))).unwrap().into_luma16();
        assert!(picture.as_raw().iter().zip(&depth).all(|(mm, d)| (f32::from(*mm) - d * 1e3).abs() <= 0.5001));
        let picture = image::load_from_memory(&file(&files, &format!("confidence/{name}.png"))).unwrap().into_luma8();
        let (_, _, confidence) = read_npy(&file(&files, &format!("confidence/{name}.npy")));
        assert!(picture.as_raw().iter().zip(confidence).all(|(code, c)| decode_confidence(*code) == c));
        let picture = image::load_from_memory(&file(&files, &format!("color/{name}.png"))).unwrap().into_rgb8();
        assert_eq!(*picture.as_raw(), maps.rgb);
    }
    let poses = String::from_utf8(file(&files, "trajectory.tum")).unwrap();
    assert_eq!(poses.lines().filter(|l| !l.starts_with('#')).count(), known::poses().len());
    let camera: serde_json::Value = serde_json::from_slice(&file(&files, "intrinsics.json")).unwrap();
    assert_eq!(camera["input"]["cx"], known::camera().cx);
}

#[test]
fn only_the_encoding_asked_for_is_written() {
    let scene = known::scene();
    let count = |maps, end: &str| {
        let files = files(&scene, Format::Maps, &ExportOptions { maps, ..Default::default() }).unwrap();
        files.iter().filter(|(name, _)| name.ends_with(end)).count()
    };
    let frames = known::poses().len();
    assert_eq!((count(MapFormat::Png, ".png"), count(MapFormat::Png, ".npy")), (3 * frames, 0));
    assert_eq!((count(MapFormat::Npy, ".png"), count(MapFormat::Npy, ".npy")), (frames, 2 * frames));
}

#[test]
fn a_zip_gives_every_file_back() {
    let given = [
        ("images/000000.png", (0..=255).cycle().take(5000).collect::<Vec<u8>>()),
        ("sparse/0/points3D.txt", b"1 2 3\n".repeat(1000)),
        ("empty.txt", Vec::new()),
        ("random.npy", (0..4000_u32).map(|i| (i.wrapping_mul(2_654_435_761) >> 13) as u8).collect()),
    ];
    let mut bytes = Vec::new();
    let mut emit = |part: &[u8]| {
        bytes.extend(part);
        Ok(())
    };
    let mut zip = Zip::new(&mut emit);
    for (name, content) in &given {
        zip.file(name, content).unwrap();
    }
    zip.finish().unwrap();
    assert!(bytes.len() < 5000 + 4000 + 1000, "text is compressed");
    // The directory is read by another program where there is one; the stored and deflated bodies here.
    let mut at = 0;
    for (name, content) in &given {
        let half = |at: usize| usize::from(u16::from_le_bytes([bytes[at], bytes[at + 1]]));
        let word = |at: usize| u32::from_le_bytes(bytes[at..at + 4].try_into().unwrap()) as usize;
        assert_eq!(bytes[at..at + 4], *b"PK\x03\x04");
        let (method, packed, size, length) = (half(at + 8), word(at + 18), word(at + 22), half(at + 26));
        assert_eq!((&bytes[at + 30..at + 30 + length], size), (name.as_bytes(), content.len()));
        let body = &bytes[at + 30 + length..][..packed];
        let mut found = Vec::new();
        match method {
            0 => found.extend(body),
            _ => found = miniz_oxide::inflate::decompress_to_vec(body).unwrap(),
        }
        assert_eq!(found, *content, "{name}");
        assert!(if name.ends_with("txt") {
            method == 8 || content.is_empty()
        } else {
            name.ends_with("npy") || method == 0
        });
        at += 30 + length + packed;
    }
    assert_eq!(bytes[at..at + 4], *b"PK\x01\x02");
}

#[test]
fn a_zip_that_cannot_be_taken_is_an_error() {
    let mut emit = |_: &[u8]| Err(ExportError::Cancelled);
    assert!(Zip::new(&mut emit).file("a.txt", b"b").is_err());
}

#[test]
fn estimated_sizes_are_right_within_a_factor_of_three() {
    let scene = known::scene();
    let options = ExportOptions { maps: MapFormat::Both, ..Default::default() };
    for format in Format::ALL {
        let Some(estimate) = point3r::export::estimate::estimate(&scene, format, &options) else { continue };
        let size: usize = files(&scene, format, &options).unwrap().iter().map(|(_, bytes)| bytes.len()).sum();
        // Drawn pictures compress better than photographs.
        let ratio = estimate / size as f64;
        assert!((0.33..4.0).contains(&ratio), "{format:?}: {estimate} for {size}");
    }
}

//! Exported files read back.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use point3r::{
    cloud::{Chunk, Cloud, PackedPoint},
    export::{ExportError, ExportOptions, ply, tum},
    geometry::Pose,
};

/// Position, colour, confidence, frame.
type Record = ([f32; 3], [u8; 3], f32, i32);

fn saying(comment: &str) -> ExportOptions {
    ExportOptions { comments: vec![comment.to_owned()], ..Default::default() }
}

/// A reader of exactly the PLY we promise: header lines, then fixed records.
fn read_ply(bytes: &[u8]) -> (Vec<String>, Vec<Record>) {
    let end = bytes.windows(11).position(|w| w == b"end_header\n").expect("header ends") + 11;
    let header: Vec<String> = std::str::from_utf8(&bytes[..end]).unwrap().lines().map(str::to_owned).collect();
    let f = |b: &[u8]| f32::from_le_bytes(b.try_into().unwrap());
    let records = bytes[end..].chunks(23).map(|r| {
        assert_eq!(r.len(), 23);
        let position = [f(&r[0..4]), f(&r[4..8]), f(&r[8..12])];
        (position, [r[12], r[13], r[14]], f(&r[15..19]), i32::from_le_bytes(r[19..23].try_into().unwrap()))
    });
    (header, records.collect())
}

#[test]
fn ply_keeps_positions_colours_and_frames_to_the_bit() {
    let mut cloud = Cloud::default();
    let positions = [[1.5, -2.25, 3.0], [f32::MIN_POSITIVE, -0.0, 1e-42], [f32::MAX, f32::MIN, 0.1]];
    let points = positions.iter().map(|&p| PackedPoint::new(p, [255, 0, 17], 30.0)).collect();
    cloud.push(Chunk::new(7, points));
    cloud.push(Chunk::new(u32::MAX, vec![PackedPoint::new([0.0; 3], [1, 2, 3], 1.0)]));
    let mut bytes = Vec::new();
    ply::write(&cloud, &saying("two\nlines\rend_header\n"), &mut bytes).unwrap();
    let (header, records) = read_ply(&bytes);
    assert_eq!(header[0], "ply");
    assert!(header.contains(&"element vertex 4".to_owned()), "{header:?}");
    assert!(header.contains(&"comment two lines end_header ".to_owned()), "{header:?}");
    for (record, position) in records.iter().zip(positions) {
        assert_eq!(record.0.map(f32::to_bits), position.map(f32::to_bits));
        assert_eq!((record.1, record.3), ([255, 0, 17], 7));
        assert!((record.2 / 30.0 - 1.0).abs() < 0.0165); // half a confidence step
    }
    assert_eq!(records[3].3, i32::MAX);

    let mut confident = Vec::new();
    let sure = ExportOptions { confidence: 10.0, ..Default::default() };
    ply::write(&cloud, &sure, &mut confident).unwrap();
    assert_eq!(read_ply(&confident).1.len(), 3);
}

#[test]
fn an_empty_cloud_is_a_named_error() {
    let mut bytes = Vec::new();
    let error = ply::write(&Cloud::default(), &ExportOptions::default(), &mut bytes).unwrap_err();
    assert_eq!(error.code(), "empty-cloud");
    assert!(bytes.is_empty());
    assert!(matches!(tum::write(&[], &ExportOptions::default(), &mut bytes), Err(ExportError::Empty)));
}

#[test]
fn tum_reads_back_to_the_same_bits() {
    let pose = |t: [f32; 3], q: [f32; 4]| Pose { translation: t, rotation: q };
    let trajectory = [
        (0.0, Pose::IDENTITY),
        (1.0 / 30.0, pose([1e-30, -1e30, 0.1], [0.5, -0.5, 0.5, -0.5])),
        (1e9 + 0.1, pose([f32::MIN_POSITIVE, -0.0, 16_777_216.0], [0.1, 0.2, 0.3, 0.926_762])),
    ];
    let mut bytes = Vec::new();
    tum::write(&trajectory, &saying("from\nnowhere"), &mut bytes).unwrap();
    let text = String::from_utf8(bytes).unwrap();
    let lines: Vec<&str> = text.lines().filter(|l| !l.starts_with('#')).collect();
    assert_eq!(lines.len(), trajectory.len());
    for (line, (time, pose)) in lines.iter().zip(trajectory) {
        let words: Vec<&str> = line.split(' ').collect();
        assert_eq!(words.len(), 8);
        assert_eq!(words[0].parse::<f64>().unwrap().to_bits(), time.to_bits());
        let v: Vec<f32> = words[1..].iter().map(|w| w.parse().unwrap()).collect();
        assert_eq!([v[0], v[1], v[2]].map(f32::to_bits), pose.translation.map(f32::to_bits));
        assert_eq!([v[6], v[3], v[4], v[5]].map(f32::to_bits), pose.rotation.map(f32::to_bits));
    }
}

#[test]
fn poses_that_are_not_numbers_are_refused() {
    let broken = Pose { translation: [0.0, f32::NAN, 0.0], ..Pose::IDENTITY };
    let error =
        tum::write(&[(0.0, Pose::IDENTITY), (1.0, broken)], &ExportOptions::default(), &mut Vec::new()).unwrap_err();
    assert!(matches!(error, ExportError::NotFinite(1)), "{error}");
    assert!(tum::write(&[(f64::INFINITY, Pose::IDENTITY)], &ExportOptions::default(), &mut Vec::new()).is_err());
}

#[test]
fn depth_pictures_hold_millimetres_and_zero_for_nothing() {
    use point3r::export::picture::{write_confidence, write_depth};
    let depth = [1.234, 0.0, -2.0, f32::NAN, f32::INFINITY, 65.535];
    let mut bytes = Vec::new();
    write_depth(depth.into_iter(), 3, 2, &mut bytes).unwrap();
    let picture = image::load_from_memory(&bytes).unwrap();
    assert_eq!(picture.into_luma16().into_raw(), [1234, 0, 0, 0, 0, 65_535]);
    assert!(write_depth(depth.into_iter(), 4, 2, &mut Vec::new()).is_err());
    let mut bytes = Vec::new();
    write_confidence(&[1.0, 64.0, 1e9], 3, 1, &mut bytes).unwrap();
    assert_eq!(image::load_from_memory(&bytes).unwrap().into_luma8().into_raw(), [0, 128, 255]);
}

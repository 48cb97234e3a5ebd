#![allow(clippy::unwrap_used, clippy::panic)]
use proptest::prelude::*;

use super::*;

fn frame(index: u32, with_maps: bool) -> SavedFrame {
    let (width, height) = (3, 2);
    let pixels = width * height;
    let maps = KeyframeMaps {
        width,
        height,
        rgb: (0..18).collect(),
        depth: (0..pixels).map(|i| f16::from_f32(i as f32 / 3.0)).collect(),
        confidence: vec![7; pixels],
    };
    let keyframe = Keyframe {
        index,
        time: 0.1 + f64::from(index) / 3.0,
        pose: Pose { translation: [0.1, -2.0, 3.0e-7], rotation: [0.5, 0.5, -0.5, 0.5] },
        focal: (index != 1).then_some(123.456_789),
        pointers: [40, 4, 2],
        maps: with_maps.then(|| Arc::new(maps)),
    };
    let point = |i: usize| PackedPoint::new([i as f32, 0.1, -4.0], [1, 2, 3], 5.0);
    SavedFrame {
        keyframe: Arc::new(keyframe),
        chunk: Arc::new(Chunk {
            frame: index,
            points: (0..5).map(point).collect(),
            flags: if with_maps { vec![0, 1, 2, 3, 0] } else { Vec::new() },
        }),
        placement: Placement { input: (3, 2), photograph: (640, 480), scale: [0.25, 0.3], offset: [0.0, 3.0] },
    }
}

fn begin() -> Begin {
    let options = SessionOptions { size: Some(64), budget: Some(100), ..SessionOptions::default() };
    let made_with = Some(ModelNote { name: "small".into(), trained: Some(false) });
    let (model, name) = ("small 0123".into(), "Scan".into());
    Begin { version: VERSION, model, options, name, began: 1.8e9, scale: Some(1.25), made_with }
}

fn log() -> Vec<u8> {
    let frames = [frame_record(&frame(0, true)), frame_record(&frame(1, false))].concat();
    [begin_record(&begin()), frames, keep_record(1), scale_record(0.5)].concat()
}

fn read_all(mut bytes: &[u8]) -> (Vec<Record>, Option<SceneLogError>) {
    let mut records = Vec::new();
    while !bytes.is_empty() {
        match read_record(bytes) {
            Ok((record, length)) => {
                records.push(record);
                bytes = &bytes[length..];
            }
            Err(error) => return (records, Some(error)),
        }
    }
    (records, None)
}

#[test]
fn what_is_written_is_read_bit_by_bit() {
    let (records, error) = read_all(&log());
    assert_eq!(error, None);
    let frames = [Record::Frame(frame(0, true)), Record::Frame(frame(1, false))];
    let expected = [&[Record::Begin(begin())][..], &frames, &[Record::Keep(1), Record::Scale(0.5)]].concat();
    assert_eq!(records, expected);
}

#[test]
fn frames_are_counted_from_the_heads_alone() {
    let mut bytes = &log()[..];
    let mut counts = vec![0];
    while !bytes.is_empty() {
        let before = *counts.last().unwrap();
        counts.push(frames_after(&bytes[..bytes.len().min(RECORD_HEAD + 4)], before));
        bytes = &bytes[record_bytes(bytes).unwrap()..];
    }
    assert_eq!(counts, [0, 0, 1, 2, 1, 1]);
    assert_eq!(frames_after(b"nonsense", 7), 7);
}

#[test]
fn a_file_of_version_1_still_opens_and_names_its_model() {
    let old = br#"{"version":1,"model":"my model 0a1b2c3d4e5f","options":{},"name":"Scan","began":1.5}"#;
    let Ok((Record::Begin(begin), _)) = read_record(&record(1, old)) else { panic!("it is refused") };
    assert_eq!(begin.note(), Some(ModelNote { name: "my model".into(), trained: None }));
    assert_eq!(begin.scale, None);
}

#[test]
fn scales_that_are_none_are_refused() {
    for scale in [0.0, -1.0, f32::NAN, f32::INFINITY] {
        assert!(matches!(read_record(&scale_record(scale)), Err(SceneLogError::Damaged(_))), "{scale}");
    }
    assert!(read_record(&record(4, &[1, 2])).is_err());
}

#[test]
fn a_file_cut_anywhere_gives_every_whole_record_before_the_cut() {
    let whole = log();
    let ends: Vec<usize> = (0..5)
        .scan(0, |at, _| {
            *at += record_bytes(&whole[*at..]).unwrap();
            Some(*at)
        })
        .collect();
    assert_eq!(ends.last(), Some(&whole.len()));
    for cut in 0..whole.len() {
        let (records, error) = read_all(&whole[..cut]);
        assert_eq!(records.len(), ends.iter().filter(|&&end| end <= cut).count(), "cut at {cut}");
        assert_eq!(error.is_some(), cut != 0 && !ends.contains(&cut));
    }
}

#[test]
fn a_flipped_bit_is_noticed_wherever_it_is() {
    let whole = frame_record(&frame(0, true));
    for at in 0..whole.len() {
        let mut bytes = whole.clone();
        bytes[at] ^= 4;
        // The kind is not under the checksum: a frame read as something else is still no frame.
        assert!(read_record(&bytes).is_err(), "byte {at}");
    }
}

#[test]
fn other_versions_and_absurd_lengths_are_named() {
    let newer = Begin { version: 9, ..begin() };
    assert_eq!(read_record(&begin_record(&newer)), Err(SceneLogError::Version(9)));
    assert!(matches!(read_record(&record(1, b"{}")), Err(SceneLogError::Version(0))));
    assert!(matches!(read_record(&record(1, b"x")), Err(SceneLogError::Damaged(_))));
    let mut long = keep_record(1);
    long[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
    assert!(matches!(record_bytes(&long), Err(SceneLogError::Damaged(_))));
}

/// A frame whose head was changed by someone who also made the checksum right.
fn forged(change: impl Fn(&mut Head)) -> Result<(Record, usize), SceneLogError> {
    let whole = frame_record(&frame(0, true));
    let mut payload = whole[RECORD_HEAD..].to_vec();
    let mut head: Head = bytemuck::pod_read_unaligned(&payload[..size_of::<Head>()]);
    change(&mut head);
    payload[..size_of::<Head>()].copy_from_slice(bytemuck::bytes_of(&head));
    read_record(&record(2, &payload))
}

#[test]
fn forged_frames_are_refused() {
    assert!(forged(|_| {}).is_ok());
    assert!(forged(|head| head.points = u32::MAX).is_err());
    assert!(forged(|head| head.points = 4).is_err());
    assert!(forged(|head| head.flags = 4).is_err());
    assert!(forged(|head| (head.points, head.flags) = (4, 21)).is_err());
    assert!(forged(|head| head.input = [u32::MAX, u32::MAX]).is_err());
    assert!(forged(|head| head.input = [0, 2]).is_err());
    assert!(forged(|head| head.input = [2048, 2048]).is_err());
    assert!(forged(|head| head.pose[3] = f32::NAN).is_err());
    assert!(forged(|head| head.time = f64::INFINITY).is_err());
    assert!(forged(|head| head.has_maps = 0).is_err());
}

proptest! {
    #[test]
    fn any_bytes_end_in_records_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..400), kind in 0u32..6) {
        let _ = read_record(&bytes);
        let _ = read_record(&record(kind, &bytes));
    }
}

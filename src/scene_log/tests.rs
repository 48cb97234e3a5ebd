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
    Begin { version: VERSION, model: "small".into(), options, name: "Scan".into(), began: 1.8e9, scale: Some(1.25) }
}

fn log() -> Vec<u8> {
    [begin_record(&begin()), frame_record(&frame(0, true)), frame_record(&frame(1, false)), keep_record(1)].concat()
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
    let expected =
        [Record::Begin(begin()), Record::Frame(frame(0, true)), Record::Frame(frame(1, false)), Record::Keep(1)];
    assert_eq!(records, expected);
}

#[test]
fn a_file_cut_anywhere_gives_every_whole_record_before_the_cut() {
    let whole = log();
    let ends: Vec<usize> = (0..4)
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
    fn any_bytes_end_in_records_or_an_error(bytes in proptest::collection::vec(any::<u8>(), 0..400), kind in 0u32..5) {
        let _ = read_record(&bytes);
        let _ = read_record(&record(kind, &bytes));
    }
}

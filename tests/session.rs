//! The session's state machine with a small network of formula weights.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use burn::tensor::Device;
use point3r::{
    frames::Frame,
    memory::PointerCap,
    model::{Config, Point3r},
    pace::Pace,
    preprocess::RgbImage,
    session::{ModelNote, RECENT, Session, SessionError, SessionOptions, SessionState, Undo},
    weights::Parameters,
};

fn model() -> Point3r {
    let config = Config::tiny();
    Point3r::new(config.clone(), Parameters::from_formula(&config, &Device::flex())).unwrap()
}

fn frame(index: usize, width: usize, height: usize) -> Frame {
    let rgb = (0..width * height * 3).map(|i| ((i * (index + 3)) % 251) as u8).collect();
    Frame { index, time: index as f64 / 10.0, image: RgbImage { width, height, rgb } }
}

fn push(session: &mut Session, frame: &Frame) -> Result<point3r::session::FrameResult, SessionError> {
    pollster::block_on(session.push(frame, &Pace::none()))
}

fn undo(session: &mut Session, what: Undo) -> Result<usize, SessionError> {
    pollster::block_on(session.undo(what, &Pace::none(), &mut |_, _| {}))
}

fn running() -> Session {
    let mut session = Session::new();
    session.load(model());
    session.start(SessionOptions { size: Some(64), ..SessionOptions::default() }).unwrap();
    session
}

#[test]
fn requests_in_the_wrong_state_are_refused_and_change_nothing() {
    let mut session = Session::new();
    assert_eq!(session.state(), SessionState::Empty);
    assert!(session.start(SessionOptions::default()).is_err());
    assert!(push(&mut session, &frame(0, 64, 48)).is_err());
    assert!(session.pause().is_err() && session.resume().is_err() && undo(&mut session, Undo::Frames(1)).is_err());
    assert_eq!(session.state(), SessionState::Empty);

    session.load(model());
    assert_eq!(session.state(), SessionState::Ready);
    assert!(push(&mut session, &frame(0, 64, 48)).is_err());
    let absurd = session.start(SessionOptions { size: Some(7), ..SessionOptions::default() }).unwrap_err();
    assert_eq!((absurd.code(), session.state()), ("bad-request", SessionState::Ready));
}

#[test]
fn frames_grow_the_cloud_and_pausing_refuses_them() {
    let mut session = running();
    let result = push(&mut session, &frame(0, 64, 48)).unwrap();
    assert_eq!(result.report.points, 64 * 48);
    assert_eq!((result.maps.width, result.maps.height), (64, 48));
    assert_eq!(result.maps.depth().count(), 64 * 48);
    let kept = session.keyframes().frames()[0].maps.clone().unwrap();
    assert_eq!((kept.width, kept.height, &kept.rgb), (64, 48, &result.prepared.image.rgb));
    assert!(kept.depth().zip(result.maps.depth()).all(|(a, b)| (a - b).abs() <= 1e-3 * b.abs() + 1e-6));
    session.pause().unwrap();
    assert_eq!(session.state(), SessionState::Paused);
    assert_eq!(push(&mut session, &frame(1, 64, 48)).unwrap_err().code(), "bad-request");
    session.resume().unwrap();
    push(&mut session, &frame(1, 64, 48)).unwrap();
    assert_eq!((session.frames(), session.cloud().chunks().len()), (2, 2));
    assert_eq!(session.cloud().point_count(), 2 * 64 * 48);
    session.stop();
    assert_eq!((session.state(), session.frames()), (SessionState::Ready, 2));
    session.start(SessionOptions::default()).unwrap();
    assert!(session.cloud().is_empty());
}

#[test]
fn a_frame_of_another_size_is_refused_and_the_session_goes_on() {
    let mut session = running();
    push(&mut session, &frame(0, 64, 48)).unwrap();
    let error = push(&mut session, &frame(1, 48, 64)).unwrap_err();
    assert!(matches!(error, SessionError::FrameSize { frame: 1, expected: (64, 48), found: (48, 64) }), "{error}");
    let error =
        push(&mut session, &Frame { image: RgbImage { width: 64, height: 48, rgb: vec![1] }, ..frame(1, 8, 8) });
    assert_eq!(error.unwrap_err().code(), "image-damaged");
    assert_eq!(push(&mut session, &frame(1, 2, 2000)).unwrap_err().code(), "image-damaged");
    push(&mut session, &frame(2, 128, 96)).unwrap(); // same size after preparation
    assert_eq!(session.frames(), 2);
}

#[test]
fn undo_rewinds_points_poses_and_memory() {
    let mut session = running();
    for index in 0..3 {
        push(&mut session, &frame(index, 64, 48)).unwrap();
    }
    let (pose, pointers) = (session.trajectory()[2].1, session.pointers());
    undo(&mut session, Undo::Frames(1)).unwrap();
    assert_eq!((session.frames(), session.cloud().chunks().len(), session.focals().len()), (2, 2, 2));
    push(&mut session, &frame(2, 64, 48)).unwrap();
    assert_eq!((session.trajectory()[2].1, session.pointers()), (pose, pointers));
    undo(&mut session, Undo::Frames(99)).unwrap();
    assert!(session.cloud().is_empty() && session.pointers() == 0);
    assert_eq!(session.state(), SessionState::Running);
    push(&mut session, &frame(0, 48, 64)).unwrap(); // nothing left: the size is free again
}

/// Everything that tells two reconstructions apart: poses, points, pointers, and what the memory makes of a new frame.
fn trace(session: &mut Session) -> (Vec<[f32; 7]>, Vec<u8>, usize, [f32; 7]) {
    let poses = session.trajectory().iter().map(|(_, pose)| pose.to_array()).collect();
    let points = session.cloud().chunks().iter().flat_map(|chunk| bytemuck::cast_slice(&chunk.points).to_vec());
    let (points, pointers) = (points.collect(), session.pointers());
    let next = push(session, &frame(77, 64, 48)).unwrap().report.pose;
    (poses, points, pointers, next)
}

fn run_of(indices: impl IntoIterator<Item = usize>) -> Session {
    let mut session = running();
    for index in indices {
        push(&mut session, &frame(index, 64, 48)).unwrap();
    }
    session
}

#[test]
fn undo_of_any_depth_equals_a_run_of_the_frames_that_are_left() {
    let frames = 3 * RECENT;
    for left in [1, 2, 5, frames - RECENT - 1, frames - RECENT, frames - 1] {
        let mut session = run_of(0..frames);
        let mut told = Vec::new();
        let mut tell = |done, total| told.push((done, total));
        pollster::block_on(session.undo(Undo::To(left - 1), &Pace::none(), &mut tell)).unwrap();
        assert!(told.is_sorted() && told.last().is_some_and(|(done, total)| done == total), "{told:?}");
        assert_eq!(trace(&mut session), trace(&mut run_of(0..left)), "{left} frames left");
    }
}

#[test]
fn undo_again_and_again_equals_a_run_of_the_frames_that_are_left() {
    let mut session = run_of(0..9);
    undo(&mut session, Undo::Frames(6)).unwrap();
    for index in 20..24 {
        push(&mut session, &frame(index, 64, 48)).unwrap();
    }
    undo(&mut session, Undo::Frames(2)).unwrap();
    assert_eq!(trace(&mut session), trace(&mut run_of([0, 1, 2, 20, 21])));
}

#[test]
fn undo_keeps_to_the_limit_on_pointers() {
    let limited = |frames: usize| {
        let mut session = Session::new();
        session.load(model());
        let pointers = PointerCap { pointers: 16, ..PointerCap::default() };
        session.start(SessionOptions { size: Some(64), pointers, ..SessionOptions::default() }).unwrap();
        for index in 0..frames {
            push(&mut session, &frame(index, 64, 48)).unwrap();
        }
        session
    };
    let mut session = limited(9);
    undo(&mut session, Undo::To(2)).unwrap();
    assert!(session.pointers() <= 16);
    assert_eq!(trace(&mut session), trace(&mut limited(3)));
}

#[test]
fn undo_of_seconds_takes_the_frames_of_that_time_and_at_least_one() {
    let mut session = run_of(0..8); // 10 frames per second
    assert_eq!(session.frames_after(Undo::Seconds(0.25)), 5);
    assert_eq!(session.frames_after(Undo::Seconds(0.0)), 7);
    assert_eq!(session.frames_after(Undo::Seconds(f64::NAN)), 7);
    assert_eq!(session.frames_after(Undo::Seconds(1e9)), 0);
    assert_eq!((session.frames_after(Undo::To(3)), session.frames_after(Undo::To(usize::MAX))), (4, 8));
    assert_eq!(undo(&mut session, Undo::Seconds(0.25)).unwrap(), 5);
    assert_eq!(session.frames(), 5);
}

#[test]
fn undo_says_how_far_it_can_go_when_pictures_were_let_go_of() {
    let mut session = Session::new();
    session.load(model());
    let two_pictures = 2 * 64 * 48 * 6;
    let options = SessionOptions { size: Some(64), keyframe_budget: two_pictures, ..SessionOptions::default() };
    session.start(options).unwrap();
    for index in 0..12 {
        push(&mut session, &frame(index, 64, 48)).unwrap();
    }
    let error = undo(&mut session, Undo::To(5)).unwrap_err();
    let SessionError::UndoTooFar { asked: 6, available } = error else { panic!("{error}") };
    assert!(available >= RECENT, "{available}");
    assert_eq!(session.frames(), 12);
    assert_eq!(undo(&mut session, Undo::Frames(available)).unwrap(), 12 - available);
    session.stop();
    let refused = pollster::block_on(session.continue_scan(&Pace::none(), &mut |_, _| {})).unwrap_err();
    assert!(matches!(refused, SessionError::PictureGone { frame: 0 }), "{refused}");
    assert_eq!(undo(&mut session, Undo::To(1)).unwrap(), 2); // at rest only what is kept is shortened
}

#[test]
fn a_saved_reconstruction_is_restored_and_continued_as_if_never_left() {
    use point3r::scene_log::{Record, frame_record, read_record};
    let mut session = run_of(0..7);
    let bytes: Vec<u8> = (0..7).flat_map(|i| frame_record(&session.saved_frame(i).unwrap())).collect();
    assert!(session.begin_restore(SessionOptions::default(), None, None).is_err(), "one is going on");

    let mut restored = Session::new();
    let note = ModelNote { name: "first".to_owned(), trained: Some(true) };
    restored.begin_restore(session.options().clone(), None, Some(note.clone())).unwrap();
    let mut rest = bytes.as_slice();
    while !rest.is_empty() {
        let (Record::Frame(frame), length) = read_record(rest).unwrap() else { panic!("a frame was written") };
        pollster::block_on(restored.add_saved(frame, &Pace::none())).unwrap();
        rest = &rest[length..];
    }
    assert_eq!((restored.state(), restored.intrinsics()), (SessionState::Empty, session.intrinsics()));
    let continued = |session: &mut Session| pollster::block_on(session.continue_scan(&Pace::none(), &mut |_, _| {}));
    assert!(continued(&mut restored).is_err(), "there is no model yet");
    restored.load(model());
    restored.set_model_note(ModelNote { name: "second".to_owned(), trained: Some(false) });
    assert_eq!((restored.state(), restored.frames()), (SessionState::Ready, 7));
    assert_eq!(restored.made_with(), Some(&note), "another model makes no other past");
    continued(&mut restored).unwrap();
    assert_eq!(restored.state(), SessionState::Running);
    assert!(push(&mut restored, &frame(0, 48, 64)).is_err(), "the size is that of the saved frames");
    undo(&mut restored, Undo::Frames(3)).unwrap();
    undo(&mut session, Undo::Frames(3)).unwrap();
    assert_eq!(trace(&mut restored), trace(&mut session));
    session.stop();
    continued(&mut session).unwrap();
    assert_eq!(trace(&mut restored), trace(&mut session));
}

#[test]
fn weights_that_are_not_numbers_give_a_named_error_and_keep_the_cloud() {
    let config = Config::tiny();
    let mut parameters = Parameters::from_formula(&config, &Device::flex());
    parameters.insert("pose_token", &[1, 1, config.dec_embed_dim], vec![f32::NAN; config.dec_embed_dim]);
    let mut session = Session::new();
    session.load(Point3r::new(config, parameters).unwrap());
    session.start(SessionOptions { size: Some(64), ..SessionOptions::default() }).unwrap();
    let error = push(&mut session, &frame(0, 64, 48)).unwrap_err();
    assert_eq!(error.code(), "not-finite", "{error}");
    assert!(error.is_recoverable());
    assert_eq!((session.state(), session.frames()), (SessionState::Running, 0));
}

#[test]
fn a_lost_device_keeps_the_cloud_until_a_model_is_loaded_and_started() {
    let mut session = running();
    push(&mut session, &frame(0, 64, 48)).unwrap();
    session.lose();
    assert_eq!((session.state(), session.frames()), (SessionState::Lost, 1));
    assert!(session.start(SessionOptions::default()).is_err());
    assert!(push(&mut session, &frame(1, 64, 48)).is_err());
    session.load(model());
    assert_eq!((session.state(), session.frames()), (SessionState::Ready, 1));
    session.start(SessionOptions::default()).unwrap();
    session.fail();
    assert_eq!(session.state(), SessionState::Failed);
    session.reset();
    assert_eq!(session.state(), SessionState::Ready);
}

#[test]
fn pointers_are_kept_with_their_ages_through_undo_and_stop() {
    let mut session = running();
    for i in 0..3 {
        push(&mut session, &frame(i, 64, 48)).unwrap();
    }
    let all = session.pointer_records().clone();
    assert_eq!(all.len(), session.pointers());
    assert!(all.iter().all(|p| p.born <= p.updated && p.updated <= 2));
    assert!(all.iter().any(|p| p.born == 0) && all.iter().any(|p| p.updated == 2));
    undo(&mut session, Undo::Frames(1)).unwrap();
    assert!(session.pointer_records().iter().all(|p| p.updated <= 1));
    assert_eq!(session.pointer_records().len(), session.pointers());
    session.stop();
    assert_eq!(session.pointer_records().len(), session.pointers());
    session.reset();
    assert!(session.pointer_records().is_empty());
}

#[test]
fn the_scale_is_a_positive_number_and_goes_with_the_scene() {
    let mut session = running();
    push(&mut session, &frame(0, 64, 48)).unwrap();
    for absurd in [f32::NAN, 0.0, -1.0, f32::INFINITY] {
        session.set_scale(absurd);
    }
    assert_eq!(session.scale(), 1.0);
    session.set_scale(2.5);
    assert_eq!(session.scale(), 2.5);
    session.reset();
    assert_eq!(session.scale(), 1.0);
}

#[test]
fn a_scan_beyond_its_budget_is_merged_and_goes_on_and_can_be_undone() {
    let mut session = Session::new();
    session.load(model());
    let budget = 64 * 48 * 16 * 2;
    session.start(SessionOptions { size: Some(64), budget: Some(budget), ..SessionOptions::default() }).unwrap();
    let mut reports = Vec::new();
    for i in 0..5 {
        reports.push(push(&mut session, &frame(i, 64, 48)).unwrap().report);
    }
    assert_eq!(reports[0].voxel, None);
    let voxel = reports[4].voxel.expect("merged");
    assert!(voxel > 0.0);
    assert!(reports.iter().all(|r| r.bytes <= budget && r.frame_points == 64 * 48));
    assert_eq!(session.cloud().chunks().len(), 5);
    undo(&mut session, Undo::Frames(2)).unwrap();
    assert_eq!((session.cloud().chunks().len(), session.frames()), (3, 3));
    push(&mut session, &frame(5, 64, 48)).unwrap();
    assert_eq!(session.cloud().chunks().len(), 4);
}

#[test]
fn the_least_confidence_limits_the_cloud_and_a_budget_of_nothing_keeps_no_points() {
    let mut session = Session::new();
    session.load(model());
    let options = SessionOptions { size: Some(64), confidence: 1e30, ..SessionOptions::default() };
    session.start(options).unwrap();
    assert_eq!(push(&mut session, &frame(0, 64, 48)).unwrap().report.points, 0);
    session.reset();
    session.start(SessionOptions { size: Some(64), budget: Some(0), ..SessionOptions::default() }).unwrap();
    assert_eq!(push(&mut session, &frame(0, 64, 48)).unwrap().report.points, 0);
    assert_eq!(session.cloud().chunks().len(), 1);
}

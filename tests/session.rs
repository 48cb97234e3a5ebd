//! The session's state machine with a small network of formula weights.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use burn::tensor::Device;
use point3r::{
    frames::Frame,
    model::{Config, Point3r},
    pace::Pace,
    preprocess::RgbImage,
    session::{Session, SessionError, SessionOptions, SessionState, UNDO_DEPTH},
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
    assert!(session.pause().is_err() && session.resume().is_err() && session.undo(1).is_err());
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
    session.undo(1).unwrap();
    assert_eq!((session.frames(), session.cloud().chunks().len(), session.focals().len()), (2, 2, 2));
    push(&mut session, &frame(2, 64, 48)).unwrap();
    assert_eq!((session.trajectory()[2].1, session.pointers()), (pose, pointers));

    for index in 3..UNDO_DEPTH + 3 {
        push(&mut session, &frame(index, 64, 48)).unwrap();
    }
    let error = session.undo(UNDO_DEPTH + 1).unwrap_err();
    assert!(matches!(error, SessionError::UndoTooFar { available: UNDO_DEPTH, .. }));
    session.undo(UNDO_DEPTH).unwrap();
    assert_eq!((session.trajectory()[2].1, session.pointers(), session.frames()), (pose, pointers, 3));
    session.undo(99).unwrap();
    assert!(session.cloud().is_empty() && session.pointers() == 0);
    assert_eq!(session.state(), SessionState::Running);
    push(&mut session, &frame(0, 48, 64)).unwrap(); // nothing left: the size is free again
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
fn the_least_confidence_and_the_budget_limit_the_cloud() {
    let mut session = Session::new();
    session.load(model());
    let options = SessionOptions { size: Some(64), confidence: 1e30, ..SessionOptions::default() };
    session.start(options).unwrap();
    assert_eq!(push(&mut session, &frame(0, 64, 48)).unwrap().report.points, 0);
    session.reset();
    session.start(SessionOptions { size: Some(64), budget: Some(16 * 100), ..SessionOptions::default() }).unwrap();
    let report = push(&mut session, &frame(0, 64, 48)).unwrap().report;
    assert_eq!((report.points, report.frame_points, report.refused), (100, 100, 64 * 48 - 100));
}

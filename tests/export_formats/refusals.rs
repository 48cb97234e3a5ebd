//! What cannot be exported is refused by name, and a cancelled export stops.

use std::cell::Cell;

use point3r::{
    export::{ExportError, ExportOptions, Format, Reconstruction, Watch, export},
    keyframes::{Keyframe, Keyframes},
    pace::Pace,
};

use crate::known::{self, files};

#[test]
fn every_format_refuses_an_empty_reconstruction_by_name() {
    for format in Format::ALL {
        let error = files(&Reconstruction::default(), format, &ExportOptions::default()).unwrap_err();
        assert_eq!(error.code(), "empty-cloud", "{format:?}: {error}");
    }
}

#[test]
fn formats_that_need_a_camera_or_pictures_say_which() {
    let blind = Reconstruction { camera: None, ..known::scene() };
    let mut without = Keyframes::new(0);
    for frame in known::scene().keyframes.frames() {
        without.push(Keyframe::clone(frame));
    }
    let forgetful = Reconstruction { keyframes: without, ..known::scene() };
    for format in Format::ALL {
        let code = |scene: &Reconstruction| {
            files(scene, format, &ExportOptions::default()).map_or_else(|error| error.code(), |_| "written")
        };
        let pictures =
            matches!(format, Format::Colmap | Format::Nerfstudio | Format::Maps | Format::MeshPly | Format::MeshGlb);
        let needs_camera = pictures && format != Format::Maps;
        assert_eq!(code(&blind), if needs_camera { "no-camera" } else { "written" }, "{format:?}");
        assert_eq!(code(&forgetful), if pictures { "no-maps" } else { "written" }, "{format:?}");
    }
}

#[test]
fn options_out_of_range_are_named() {
    let scene = known::scene();
    let usual = ExportOptions::default();
    for (options, name) in [
        (ExportOptions { scale: f32::NAN, ..usual.clone() }, "scale"),
        (ExportOptions { scale: 0.0, ..usual.clone() }, "scale"),
        (ExportOptions { scale: -1.0, ..usual.clone() }, "scale"),
        (ExportOptions { confidence: f32::INFINITY, ..usual.clone() }, "confidence"),
        (ExportOptions { voxel: Some(0.0), ..usual.clone() }, "voxel"),
        (ExportOptions { voxel: Some(f32::NAN), ..usual.clone() }, "voxel"),
    ] {
        let error = files(&scene, Format::Ply, &options).unwrap_err();
        assert!(matches!(error, ExportError::Option { .. }) && error.to_string().starts_with(name), "{error}");
    }
    assert!("pdf".parse::<Format>().is_err());
    assert!(Format::ALL.into_iter().all(|format| format.name().parse::<Format>().is_ok_and(|f| f == format)));
}

#[test]
fn a_cancelled_export_stops_at_its_next_pause() {
    let scene = known::scene();
    for format in Format::ALL {
        let asked = Cell::new(0);
        let cancelled = || {
            asked.set(asked.get() + 1);
            asked.get() > 3
        };
        let (pace, mut progress, mut written) = (Pace::none(), |_: f32| {}, Vec::new());
        let mut watch = Watch::new(&pace, &mut progress, &cancelled);
        let result = pollster::block_on(export(&scene, format, &ExportOptions::default(), &mut written, &mut watch));
        if asked.get() > 3 {
            assert!(matches!(result, Err(ExportError::Cancelled)), "{format:?}");
            assert_eq!(asked.get(), 4, "{format:?} went on");
        }
    }
}

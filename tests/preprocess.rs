//! Preprocessing against the reference images.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::path::PathBuf;

use point3r::preprocess::verify_preprocess;

/// The folder of reference material, where this checkout has one.
fn shared() -> Option<PathBuf> {
    let folder = std::env::var_os("POINT3R_SHARED")
        .map_or_else(|| PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../shared"), PathBuf::from);
    folder.is_dir().then_some(folder)
}

#[test]
fn every_reference_image_is_reproduced_exactly() {
    let Some(shared) = shared() else {
        eprintln!("skipped: no folder of reference material (set POINT3R_SHARED)");
        return;
    };
    let bytes = std::fs::read(shared.join("golden/preprocess/preprocess.safetensors")).unwrap();
    let report = verify_preprocess(&bytes).unwrap();
    assert_eq!(report.cases.len(), 7);
    for case in &report.cases {
        println!("{case:?}");
        assert_eq!((case.max_difference, case.differing), (0, 0.0), "{}", case.name);
    }
    assert!(report.pass);
}

#[test]
fn damaged_reference_files_are_named_errors() {
    assert!(verify_preprocess(b"not a file").is_err());
    assert!(verify_preprocess(&[0xFF; 64]).is_err());
    assert!(verify_preprocess(b"\x02\0\0\0\0\0\0\0{}").unwrap_err().to_string().contains("no preprocessing case"));
}

//! Every WGSL file of the folder `shaders` parses, validates with default capabilities and states its contract.
//! Those of `shaders/kernels` are templates and those of `shaders/synth` parts: what is made of them is validated beside
//! the code that makes it.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

use std::{fs, path::PathBuf};

use naga::valid::{Capabilities, ValidationFlags, Validator};

fn shaders(folder: &str) -> Vec<(String, String)> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join(folder);
    let mut files: Vec<_> = fs::read_dir(folder)
        .expect("the folder exists")
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|e| e == "wgsl"))
        .map(|path| (path.file_name().unwrap().to_string_lossy().into_owned(), fs::read_to_string(&path).unwrap()))
        .collect();
    files.sort();
    assert!(!files.is_empty(), "no shader found: this test would pass on nothing");
    files
}

#[test]
fn every_shader_validates() {
    for (name, source) in shaders("shaders") {
        let module = naga::front::wgsl::parse_str(&source)
            .unwrap_or_else(|e| panic!("{name} does not parse:\n{}", e.emit_to_string(&source)));
        Validator::new(ValidationFlags::all(), Capabilities::default())
            .validate(&module)
            .unwrap_or_else(|e| panic!("{name} is invalid:\n{}", e.emit_to_string(&source)));
        assert!(!module.entry_points.is_empty(), "{name} has no entry point");
    }
}

#[test]
fn every_shader_names_its_bindings_caller_and_twin() {
    let folders = ["shaders", "shaders/kernels", "shaders/synth"];
    for (name, source) in folders.into_iter().flat_map(shaders) {
        let header: String = source.lines().take_while(|line| line.starts_with("//")).collect();
        for word in ["bindings", "called by", "CPU twin"] {
            assert!(header.contains(word), "{name}: the header does not say \"{word}\"");
        }
    }
}

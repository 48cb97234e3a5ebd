//! Exports of a scene whose every number is known, read back by readers written from each format's documentation.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod colmap;
mod known;
mod maps;
mod mesh;
mod nerfstudio;
mod refusals;
mod selection;
mod third_party;

//! Model folders and checkpoints: round trips, the reference files, and files that are damaged or hostile.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod checkpoint;
mod commands;
mod fit;
mod hostile_manifest;
mod loader;
mod packed;
mod reference;
mod support;

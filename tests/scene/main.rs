//! Scenes written and read: GLB, PLY, the compact form of links, and what hostile bytes do to their readers.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

mod glb;
mod hostile;
mod ply;
mod share;
mod support;

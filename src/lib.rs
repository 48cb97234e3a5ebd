//! Point3R for the browser and the command line: streaming 3D reconstruction with an explicit
//! spatial pointer memory, on `burn` and `wgpu`.
//!
//! ```text
//! frames -> preprocess -> encoder -> decoder <-> pointer memory -> heads
//!                                                   |               |
//!                                     cloud (per-frame chunks) <----+
//!                                        |         \
//!                                     render      export
//! ```
//!
//! Every stage is a module of that name. The same code runs natively (`src/bin/point3r.rs`) and in a
//! web worker (`web.rs`); the compute device, CPU or GPU, is a runtime value.
//!
//! Conventions, used everywhere unless a type says otherwise: OpenCV camera axes (x right, y down,
//! z forward), the world is the camera of the first frame, poses are camera-to-world.

#[cfg(feature = "cli")]
pub mod cli;
pub mod cloud;
pub mod device;
#[cfg(feature = "cli")]
pub mod eval;
pub mod export;
pub mod frames;
pub mod geometry;
/// The GPU kernels: which form of them runs, a recording of what they bind, and their time.
pub mod kernels {
    pub use crate::ops::wgsl::{Recording, StageUsage, Timer, Usage, Variant};
}
pub mod keyframes;
pub mod memory;
pub mod mesh;
pub mod model;
mod ops;
pub mod pace;
pub mod preprocess;
pub mod quant;
pub mod render;
pub mod scene;
pub mod scene_log;
pub mod session;
#[cfg(not(target_arch = "wasm32"))]
pub mod synth;
pub mod verify;
#[cfg(target_arch = "wasm32")]
mod web;
pub mod weights;

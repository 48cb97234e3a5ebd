//! `report.json`: what was run, on what, how fast, and what came out.

use serde::Serialize;

use crate::{cloud::Bounds, device::DeviceReport, session::FrameReport};

/// The model that was used.
#[derive(Debug, Clone, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct ModelReport {
    /// Its name.
    pub name: String,
    /// False for formula weights: shapes and speed are real, the points are not a reconstruction.
    pub trained: bool,
    /// Its licence.
    pub licence: String,
    /// Number of parameters.
    pub parameters: usize,
}

/// The whole report.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub struct Report {
    /// Program and version.
    pub generator: String,
    /// The model.
    pub model: ModelReport,
    /// Where it ran.
    pub device: DeviceReport,
    /// What was given.
    pub input: Vec<String>,
    /// Network input, (across, down).
    pub input_size: Option<(usize, usize)>,
    /// Frames reconstructed.
    pub frames: usize,
    /// Points in the cloud.
    pub points: usize,
    /// Pointers in memory at the end.
    pub pointers: usize,
    /// Box around the points, before scaling.
    pub bounds: Option<Bounds>,
    /// Factor for all lengths in the other files.
    pub scale: f32,
    /// Focal length of the sequence, pixels of the network input.
    pub focal: Option<f64>,
    /// Median time per frame.
    pub ms_per_frame: Option<f64>,
    /// From the first frame asked for to the last file written.
    pub seconds: f64,
    /// Loading the model.
    pub load_ms: f64,
    /// Largest resident size of the process, where the system tells.
    pub peak_memory_mib: Option<u64>,
    /// How confidence pictures are to be read.
    pub confidence_code: &'static str,
    /// What went wrong without ending the run.
    pub warnings: Vec<String>,
    /// What ended the run early.
    pub error: Option<String>,
    /// One entry per frame.
    pub per_frame: Vec<FrameReport>,
}

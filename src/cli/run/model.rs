//! The model and the device a run uses.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use burn::tensor::Device;

use crate::{
    export::report::ModelReport,
    model::{Config, Point3r},
    weights::Parameters,
};

/// Where to compute.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Choice {
    /// The GPU where there is a real one, else the CPU.
    Auto,
    /// SIMD CPU backend.
    Cpu,
    /// The system's GPU through wgpu, software or not.
    Gpu,
}

impl Choice {
    fn open(self) -> Result<(Device, String), Box<dyn std::error::Error>> {
        match self {
            // Until adapters are looked at, automatic means the device that works everywhere.
            Self::Auto | Self::Cpu => Ok((Device::flex(), "cpu".to_owned())),
            Self::Gpu => Ok((super::super::DeviceArg::Gpu.open()?, "gpu".to_owned())),
        }
    }
}

/// A model ready to run, and what to say about it.
pub(super) struct LoadedModel {
    pub(super) model: Point3r,
    pub(super) about: ModelReport,
    pub(super) device: String,
    pub(super) load_ms: f64,
    pub(super) warning: Option<String>,
}

/// The default model that a source checkout carries, relative to where the program is called.
const DEFAULT_MODEL: &str = "weights/default";

/// Loads the model of `folder`; without one, the default model, else formula weights with a warning.
pub(super) fn load(folder: Option<&Path>, device: Choice) -> Result<LoadedModel, Box<dyn std::error::Error>> {
    let start = Instant::now();
    let (device, device_name) = device.open()?;
    let default = PathBuf::from(DEFAULT_MODEL);
    let folder = folder.or_else(|| default.join("manifest.json").is_file().then_some(default.as_path()));
    let (config, parameters, about) = match folder {
        Some(folder) => read_folder(folder, &device)?,
        None => formula(&device),
    };
    let warning = (!about.trained).then(|| {
        "UNTRAINED WEIGHTS: shapes and speed are real, the points are not a reconstruction. \
         Give a trained model with --model DIR"
            .to_owned()
    });
    let model = Point3r::new(config, parameters)?;
    Ok(LoadedModel { model, about, device: device_name, load_ms: start.elapsed().as_secs_f64() * 1e3, warning })
}

fn formula(device: &Device) -> (Config, Parameters, ModelReport) {
    let config = Config::small();
    let parameters = Parameters::from_formula(&config, device);
    let count = config.parameters().iter().map(crate::model::ParameterSpec::len).sum();
    let name = "untrained-small".to_owned();
    let about = ModelReport { name, trained: false, licence: "none (formula weights)".to_owned(), parameters: count };
    (config, parameters, about)
}

/// MERGE: the one place where a model folder is read. With `weights::load_folder`:
/// `let (manifest, parameters) = load_folder(folder, device, &mut |_, _| {})?;` and the manifest's fields below.
fn read_folder(
    folder: &Path,
    _device: &Device,
) -> Result<(Config, Parameters, ModelReport), Box<dyn std::error::Error>> {
    Err(format!("{}: model folders cannot be read by this version; leave --model out", folder.display()).into())
}

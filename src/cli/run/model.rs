//! The model and the device a run uses.

use std::{
    path::{Path, PathBuf},
    time::Instant,
};

use burn::tensor::Device;
use indicatif::{ProgressBar, ProgressStyle};

use crate::{
    device::{Compute, DeviceChoice, DeviceReport},
    export::report::ModelReport,
    model::{Config, Point3r},
    pace::Pace,
    weights::{Parameters, load_folder},
};

/// A model ready to run, and what to say about it.
pub(in crate::cli) struct LoadedModel {
    pub(in crate::cli) model: Point3r,
    pub(in crate::cli) about: ModelReport,
    pub(in crate::cli) device: DeviceReport,
    pub(in crate::cli) load_ms: f64,
    pub(in crate::cli) warning: Option<String>,
}

/// The default model that a source checkout carries, relative to where the program is called.
const DEFAULT_MODEL: &str = "weights/default";

/// Loads the model of `folder`; without one, the default model, else formula weights with a warning.
pub(in crate::cli) fn load(
    folder: Option<&Path>,
    choice: DeviceChoice,
) -> Result<LoadedModel, Box<dyn std::error::Error>> {
    let start = Instant::now();
    let Compute { device, report, .. } = Compute::open(choice)?;
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
    pollster::block_on(model.warm_up(model.usual_size(), &Pace::none()))?;
    Ok(LoadedModel { model, about, device: report, load_ms: start.elapsed().as_secs_f64() * 1e3, warning })
}

fn formula(device: &Device) -> (Config, Parameters, ModelReport) {
    let config = Config::small();
    let parameters = Parameters::from_formula(&config, device);
    let count = config.parameter_count();
    let name = "untrained-small".to_owned();
    let about = ModelReport { name, trained: false, licence: "none (formula weights)".to_owned(), parameters: count };
    (config, parameters, about)
}

fn read_folder(
    folder: &Path,
    device: &Device,
) -> Result<(Config, Parameters, ModelReport), Box<dyn std::error::Error>> {
    let bar = ProgressBar::new(0).with_style(ProgressStyle::with_template("loading {bar:30} {bytes}/{total_bytes}")?);
    let (manifest, parameters) = load_folder(folder, device, &mut |done, total| {
        bar.set_length(total);
        bar.set_position(done);
    })?;
    bar.finish_and_clear();
    let about = ModelReport {
        name: manifest.name,
        trained: manifest.trained,
        licence: manifest.licence,
        parameters: manifest.config.parameter_count(),
    };
    Ok((manifest.config, parameters, about))
}

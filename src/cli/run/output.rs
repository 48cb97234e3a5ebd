//! The files of a run.

use std::{
    fs::File,
    io::{BufWriter, Write},
    path::{Path, PathBuf},
};

use super::Run;
use crate::{
    device::DeviceReport,
    export::{
        ExportError, ExportOptions, Reconstruction, generator, glb, intrinsics,
        picture::{write_confidence, write_depth},
        ply,
        report::{ModelReport, Report},
        tum,
    },
    geometry::median,
    session::{FrameResult, Session},
};

/// The output folder.
pub(super) struct Output {
    folder: PathBuf,
    /// Factor for all lengths.
    scale: f32,
}

const PICTURES: [&str; 2] = ["depth", "confidence"];
const CLOUD: &str = "cloud.ply";
const TRAJECTORY: &str = "trajectory.tum";
const INTRINSICS: &str = "intrinsics.json";
const SCENE: &str = "scene.glb";
const REPORT: &str = "report.json";

/// Named as a run names its pictures.
fn is_numbered_picture(path: &Path) -> bool {
    let digits = path.file_stem().and_then(|stem| stem.to_str()).unwrap_or_default();
    path.extension().is_some_and(|e| e == "png") && digits.len() >= 6 && digits.bytes().all(|b| b.is_ascii_digit())
}

/// Writes one file through a buffer, whole or not at all as far as the caller can tell.
fn file(
    path: &Path,
    write: impl FnOnce(&mut BufWriter<File>) -> Result<(), ExportError>,
) -> Result<(), Box<dyn std::error::Error>> {
    let named = |e: ExportError| format!("{}: {e}", path.display());
    let mut out = File::create(path).map(BufWriter::new).map_err(|e| named(e.into()))?;
    write(&mut out).and_then(|()| Ok(out.flush()?)).map_err(named)?;
    Ok(())
}

impl Output {
    /// Makes the folder, before time is spent on frames. The files of an earlier run are removed, so that two
    /// runs never mix; pictures that no run wrote are not touched: such a folder is refused.
    pub(super) fn create(folder: &Path, scale: f32) -> Result<Self, Box<dyn std::error::Error>> {
        let named = |e: std::io::Error| format!("{}: {e}; choose another output folder", folder.display());
        let earlier = folder.join(REPORT).is_file();
        for part in PICTURES {
            let part = folder.join(part);
            std::fs::create_dir_all(&part).map_err(named)?;
            for entry in std::fs::read_dir(&part).map_err(named)? {
                let path = entry.map_err(named)?.path();
                if !earlier {
                    return Err(format!(
                        "{} holds files that no run wrote: choose another output folder",
                        part.display()
                    )
                    .into());
                }
                if is_numbered_picture(&path) {
                    std::fs::remove_file(&path).map_err(named)?;
                }
            }
        }
        super::exports::remove_earlier(folder, earlier)?;
        // The report last: as long as it stands, the folder is known as a run's.
        for file in [CLOUD, SCENE, TRAJECTORY, INTRINSICS, REPORT].map(|file| folder.join(file)) {
            if earlier && file.is_file() {
                std::fs::remove_file(&file).map_err(named)?;
            }
        }
        Ok(Self { folder: folder.to_owned(), scale })
    }

    /// Writes the pictures of one frame.
    pub(super) fn frame(&mut self, result: &FrameResult) -> Result<(), Box<dyn std::error::Error>> {
        let name = format!("{:06}.png", result.report.index);
        let maps = &result.maps;
        let depth = maps.depth().map(|d| d * self.scale);
        file(&self.folder.join("depth").join(&name), |out| write_depth(depth, maps.width, maps.height, out))?;
        file(&self.folder.join("confidence").join(&name), |out| {
            write_confidence(maps.confidence_camera(), maps.width, maps.height, out)
        })
    }

    /// Writes cloud, scene, trajectory and camera; returns what could not be written for lack of content.
    pub(super) fn finish(
        &mut self,
        scene: &Reconstruction,
        options: &ExportOptions,
    ) -> Result<Vec<String>, Box<dyn std::error::Error>> {
        let options = &scene.complete(options);
        let mut missing = Vec::new();
        if scene.cloud.selected(options.selection()).next().is_none() {
            missing.push(format!("no cloud.ply and no scene.glb: {}", ExportError::Empty));
        } else {
            file(&self.folder.join(CLOUD), |out| ply::write(&scene.cloud, options, out))?;
            file(&self.folder.join(SCENE), |out| glb::write(&scene.scene(options), options.selection(), out))?;
        }
        file(&self.folder.join(TRAJECTORY), |out| tum::write(&scene.trajectory(), options, out))?;
        file(&self.folder.join(INTRINSICS), |out| intrinsics::write(scene, out))?;
        if scene.camera.is_none() {
            missing.push("no frame gave a focal length: the camera in intrinsics.json is null".to_owned());
        }
        Ok(missing)
    }

    /// Writes and returns the report.
    pub(super) fn report(
        &self,
        session: &Session,
        model: ModelReport,
        device: DeviceReport,
        input: Vec<String>,
        seconds: f64,
        load_ms: f64,
        run: &Run,
    ) -> Result<Report, Box<dyn std::error::Error>> {
        let report = Report {
            generator: generator(),
            model,
            device,
            input,
            input_size: session.input_size(),
            frames: session.frames(),
            points: session.cloud().point_count(),
            pointers: session.pointers(),
            bounds: session.cloud().bounds(),
            scale: self.scale,
            focal: session.intrinsics().map(|camera| camera.fx),
            ms_per_frame: median(run.per_frame.iter().map(|frame| frame.ms_per_frame)),
            seconds,
            load_ms,
            peak_memory_mib: crate::cli::peak_memory_mib(),
            confidence_code: "8-bit pictures: confidence = 2^(12 * value / 255)",
            warnings: run.warnings.clone(),
            error: run.error.as_ref().map(ToString::to_string),
            per_frame: run.per_frame.clone(),
        };
        file(&self.folder.join(REPORT), |out| {
            serde_json::to_writer_pretty(&mut *out, &report).map_err(std::io::Error::from)?;
            Ok(writeln!(out)?)
        })?;
        Ok(report)
    }
}

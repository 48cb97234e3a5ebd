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
        ExportError,
        depth::{write_confidence, write_depth},
        generator, intrinsics, ply,
        report::{ModelReport, Report},
        tum,
    },
    geometry::median,
    session::{FrameResult, Session},
};

/// The output folder.
pub(super) struct Output {
    folder: PathBuf,
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
    /// Makes the folder, before time is spent on frames.
    pub(super) fn create(folder: &Path) -> Result<Self, Box<dyn std::error::Error>> {
        for part in ["depth", "confidence"] {
            std::fs::create_dir_all(folder.join(part))
                .map_err(|e| format!("{}: {e}; choose another output folder", folder.display()))?;
        }
        Ok(Self { folder: folder.to_owned() })
    }

    /// Writes the pictures of one frame.
    pub(super) fn frame(&mut self, result: &FrameResult) -> Result<(), Box<dyn std::error::Error>> {
        let name = format!("{:06}.png", result.report.index);
        let maps = &result.maps;
        file(&self.folder.join("depth").join(&name), |out| write_depth(maps.depth(), maps.width, maps.height, out))?;
        file(&self.folder.join("confidence").join(&name), |out| {
            write_confidence(maps.confidence_camera(), maps.width, maps.height, out)
        })
    }

    /// Writes cloud, trajectory and camera; returns what could not be written for lack of content.
    pub(super) fn finish(
        &mut self,
        session: &Session,
        comment: Option<&str>,
    ) -> Result<Vec<String>, Box<dyn std::error::Error>> {
        let comments = comment.as_slice();
        let mut missing = Vec::new();
        if session.cloud().is_empty() {
            missing.push(format!("no cloud.ply: {}", ExportError::Empty));
        } else {
            file(&self.folder.join("cloud.ply"), |out| ply::write(session.cloud(), 0.0, comments, out))?;
        }
        file(&self.folder.join("trajectory.tum"), |out| tum::write(session.trajectory(), comments, out))?;
        file(&self.folder.join("intrinsics.json"), |out| intrinsics::write(session, out))?;
        if session.intrinsics().is_none() {
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
        file(&self.folder.join("report.json"), |out| {
            serde_json::to_writer_pretty(&mut *out, &report).map_err(std::io::Error::from)?;
            Ok(writeln!(out)?)
        })?;
        Ok(report)
    }
}

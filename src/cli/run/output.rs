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

const PICTURES: [&str; 2] = ["depth", "confidence"];
const CLOUD: &str = "cloud.ply";
const TRAJECTORY: &str = "trajectory.tum";
const INTRINSICS: &str = "intrinsics.json";
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
    pub(super) fn create(folder: &Path) -> Result<Self, Box<dyn std::error::Error>> {
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
        // The report last: as long as it stands, the folder is known as a run's.
        for file in [CLOUD, TRAJECTORY, INTRINSICS, REPORT].map(|file| folder.join(file)) {
            if earlier && file.is_file() {
                std::fs::remove_file(&file).map_err(named)?;
            }
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
            file(&self.folder.join(CLOUD), |out| ply::write(session.cloud(), 0.0, comments, out))?;
        }
        file(&self.folder.join(TRAJECTORY), |out| tum::write(session.trajectory(), comments, out))?;
        file(&self.folder.join(INTRINSICS), |out| intrinsics::write(session, out))?;
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
        file(&self.folder.join(REPORT), |out| {
            serde_json::to_writer_pretty(&mut *out, &report).map_err(std::io::Error::from)?;
            Ok(writeln!(out)?)
        })?;
        Ok(report)
    }
}

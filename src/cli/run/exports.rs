//! The formats a run writes on request, below its output folder, by the code that the page uses.

use std::path::Path;

use indicatif::{ProgressBar, ProgressDrawTarget, ProgressStyle};

use crate::{
    export::{ExportError, ExportOptions, Folder, Format, Reconstruction, Watch, export},
    pace::Pace,
};

/// What one word of `--export` stands for.
#[derive(Debug, Clone)]
pub(super) struct Formats(Vec<Format>);

/// What is not written anyway.
const EXTRA: [Format; 5] = [Format::Colmap, Format::Nerfstudio, Format::Maps, Format::MeshPly, Format::MeshGlb];

/// Reads a word of `--export`.
pub(super) fn formats(word: &str) -> Result<Formats, String> {
    match word {
        "mesh" => Ok(Formats(vec![Format::MeshPly, Format::MeshGlb])),
        "all" => Ok(Formats(EXTRA.to_vec())),
        _ => word.parse().map(|format| Formats(vec![format])).map_err(|_| {
            "expected colmap, nerfstudio, maps, mesh-ply, mesh-glb, mesh or all (ply, glb, tum and intrinsics are always written)"
                .to_owned()
        }),
    }
}

/// Reads a scale or a length.
pub(super) fn length(text: &str) -> Result<f32, String> {
    match text.parse::<f32>() {
        Ok(value) if (1e-4..=1e4).contains(&value) => Ok(value),
        _ => Err("expected a number of 0.0001 to 10000".to_owned()),
    }
}

/// Whether a run writes files of this name inside an export's folder.
fn is_ours(path: &Path) -> bool {
    let name = path.file_name().and_then(|name| name.to_str()).unwrap_or_default();
    let known = [
        "cameras.bin",
        "images.bin",
        "points3D.bin",
        "cameras.txt",
        "images.txt",
        "points3D.txt",
        "transforms.json",
        "sparse_pc.ply",
        "trajectory.tum",
        "intrinsics.json",
        "README.txt",
    ];
    let (stem, end) = name.split_once('.').unwrap_or_default();
    let numbered = stem.len() >= 6 && stem.bytes().all(|b| b.is_ascii_digit()) && (end == "png" || end == "npy");
    numbered || known.contains(&name)
}

/// Removes what an earlier run exported into `folder`, so that two runs never mix. Anything else stays, and is refused.
pub(super) fn remove_earlier(folder: &Path, earlier: bool) -> Result<(), Box<dyn std::error::Error>> {
    for format in EXTRA {
        let path = folder.join(format.path());
        if !path.exists() {
            continue;
        }
        let refused = || format!("{} was not written by a run: choose another output folder", path.display());
        let named = |e: std::io::Error| format!("{}: {e}; choose another output folder", path.display());
        if !earlier {
            return Err(refused().into());
        }
        if !format.is_folder() {
            std::fs::remove_file(&path).map_err(named)?;
            continue;
        }
        let mut folders = vec![path.clone()];
        while let Some(inside) = folders.pop() {
            for entry in std::fs::read_dir(&inside).map_err(named)? {
                let entry = entry.map_err(named)?;
                match entry.file_type().map_err(named)? {
                    kind if kind.is_dir() => folders.push(entry.path()),
                    kind if kind.is_file() && is_ours(&entry.path()) => {}
                    _ => return Err(format!("{}: {}", entry.path().display(), refused()).into()),
                }
            }
        }
        std::fs::remove_dir_all(&path).map_err(named)?;
    }
    Ok(())
}

/// Writes what was asked for; returns what could not be written for lack of content.
pub(super) fn write(
    folder: &Path,
    asked: &[Formats],
    scene: &Reconstruction,
    options: &ExportOptions,
    quiet: bool,
) -> Result<Vec<String>, Box<dyn std::error::Error>> {
    let mut missing = Vec::new();
    for format in EXTRA.into_iter().filter(|format| asked.iter().any(|Formats(word)| word.contains(format))) {
        let bar =
            ProgressBar::new(1000).with_style(ProgressStyle::with_template("writing {msg} {bar:30} {percent} %")?);
        if quiet {
            bar.set_draw_target(ProgressDrawTarget::hidden());
        }
        bar.set_message(format.name());
        let mut sink = Folder::new(if format.is_folder() { folder.join(format.path()) } else { folder.to_owned() });
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 1000")]
        let mut progress = |share: f32| bar.set_position((share * 1e3) as u64);
        let pace = Pace::none();
        let mut watch = Watch::new(&pace, &mut progress, &|| false);
        match pollster::block_on(export(scene, format, options, &mut sink, &mut watch)) {
            Ok(()) => {}
            Err(
                error @ (ExportError::Empty | ExportError::NoCamera | ExportError::NoMaps | ExportError::NoSurface),
            ) => {
                missing.push(format!("no {}: {error}", format.path()));
            }
            Err(error) => return Err(format!("{}: {error}", format.name()).into()),
        }
        bar.finish_and_clear();
    }
    Ok(missing)
}

//! `point3r demo`: the page's demonstrations, made from synthetic worlds: a scene to look at (true depth and poses, as
//! GLB) and the same walk as pictures, to be reconstructed by the network.

use std::fs::{self, File};
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use image::ExtendedColorType;
use image::ImageEncoder;
use image::codecs::jpeg::JpegEncoder;
use serde::Serialize;

use super::Outcome;
use crate::export::glb;
use crate::synth::scene::{scene_of, viewpoint_of};
use crate::synth::{Frame, Kind, Quality, Sequence, Settings, render, scene_seed};

/// Arguments of `point3r demo`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Folder to write to.
    #[arg(short, long)]
    output: PathBuf,
}

/// One demonstration: its name (the page has its title) and its world.
struct Demo {
    id: &'static str,
    title: &'static str,
    kind: Kind,
    scene: u64,
    /// Metres from the camera: what lies beyond the windows, or at the horizon, is left out.
    reach: f32,
}

/// Of the first 24 scenes of each family, those on which the default network does well (`point3r eval depth` and `pose`:
/// AbsRel 0.16 to 0.18, rotation since the first frame 0.30 to 0.46 of no motion) and that are worth a look.
const DEMOS: [Demo; 3] = [
    Demo { id: "room", title: "A furnished room", kind: Kind::Indoor, scene: 7, reach: 7.0 },
    Demo { id: "table", title: "A round table", kind: Kind::Table, scene: 16, reach: 4.0 },
    Demo { id: "street", title: "A street", kind: Kind::Outdoor, scene: 0, reach: 30.0 },
];
/// Points of a scene at most: dense on a screen, and a small download.
const POINTS: usize = 60_000;
/// Metres. The smallest voxel, made larger in steps until the points are few enough.
const VOXEL: f32 = 0.008;
const VOXEL_STEP: f32 = 1.15;
const SEED: u64 = 2025;
const WIDTH: usize = 256;
const HEIGHT: usize = 192;
const FRAMES: usize = 24;
const JPEG_QUALITY: u8 = 85;

/// What the page is told of a demonstration (`demos/index.json`).
#[derive(Debug, Serialize)]
struct Entry {
    id: &'static str,
    scene: String,
    bytes: u64,
    points: usize,
    frames: Vec<String>,
    thumbnail: String,
}

#[derive(Debug, thiserror::Error)]
#[error("cannot write {}: {source}", path.display())]
struct WriteError {
    path: PathBuf,
    source: io::Error,
}

/// Writes all demonstrations and their index.
pub(super) fn execute(args: Args) -> Outcome {
    let Args { output } = args;
    let entries: Vec<Entry> =
        std::thread::scope(|scope| -> Result<Vec<Entry>, Box<dyn std::error::Error + Send + Sync>> {
            let works: Vec<_> = DEMOS.iter().map(|demo| scope.spawn(|| make(demo, &output))).collect();
            works.into_iter().map(|work| work.join().unwrap_or_else(|_| Err("a renderer stopped".into()))).collect()
        })
        .map_err(|error| error.to_string())?;
    let index = output.join("index.json");
    let text = serde_json::to_string(&serde_json::json!({ "demos": entries }))?;
    fs::write(&index, text).map_err(|source| WriteError { path: index, source })?;
    for entry in &entries {
        eprintln!(
            "{}: {} points, {} KiB, {} pictures",
            entry.scene,
            entry.points,
            entry.bytes >> 10,
            entry.frames.len()
        );
    }
    Ok(true)
}

fn make(demo: &Demo, output: &Path) -> Result<Entry, Box<dyn std::error::Error + Send + Sync>> {
    let settings = Settings {
        width: WIDTH,
        height: HEIGHT,
        frames: FRAMES,
        kind: demo.kind,
        quality: Quality::Full,
        portrait: 0.0,
        moving: 0.0,
    };
    let sequence = render(&settings, scene_seed(SEED, demo.scene));
    let folder = output.join(demo.id);
    fs::create_dir_all(&folder).map_err(|source| WriteError { path: folder.clone(), source })?;
    let mut voxel = VOXEL;
    let mut scene = loop {
        let scene = scene_of(&sequence, demo.title, voxel, demo.reach);
        if scene.cloud.point_count() <= POINTS {
            break scene;
        }
        voxel *= VOXEL_STEP;
    };
    scene.viewpoint = viewpoint_of(&scene);
    let file = output.join(format!("{}.glb", demo.id));
    let failed = |source| WriteError { path: file.clone(), source };
    let mut out = BufWriter::new(File::create(&file).map_err(failed)?);
    glb::write(&scene, 1.0, &mut out)?;
    out.flush().map_err(failed)?;
    let bytes = fs::metadata(&file).map_err(failed)?.len();
    let mut frames = Vec::with_capacity(sequence.frames.len());
    for (index, frame) in sequence.frames.iter().enumerate() {
        let name = format!("{}/{index:02}.jpg", demo.id);
        let path = output.join(&name);
        picture(&path, &sequence, frame).map_err(|source| WriteError { path, source })?;
        frames.push(name);
    }
    let thumbnail = frames.get(FRAMES / 2).cloned().unwrap_or_default();
    let scene_file = format!("{}.glb", demo.id);
    Ok(Entry { id: demo.id, scene: scene_file, bytes, points: scene.cloud.point_count(), frames, thumbnail })
}

fn picture(path: &Path, sequence: &Sequence, frame: &Frame) -> io::Result<()> {
    let (width, height) = (u32::try_from(sequence.width), u32::try_from(sequence.height));
    let (width, height) = (width.map_err(io::Error::other)?, height.map_err(io::Error::other)?);
    let mut out = BufWriter::new(File::create(path)?);
    JpegEncoder::new_with_quality(&mut out, JPEG_QUALITY)
        .write_image(&frame.rgb, width, height, ExtendedColorType::Rgb8)
        .map_err(io::Error::other)?;
    out.flush()
}

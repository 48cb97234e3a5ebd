//! What is inside a scene (GLB, PLY, a link's compact form) or a saved scan.
//!
//! Both are read as untrusted: within the limits of [`Limits`], a saved scan record by record.

use std::{
    fs::File,
    io::{BufReader, Read},
    path::Path,
};

use serde_json::{Value, json};

use super::{Lines, emit, emit_json, mib};
use crate::{
    cli::Outcome,
    cloud::{Bounds, Cloud},
    scene::{self, Limits, Scene, SceneError},
    scene_log::{self, Begin, RECORD_HEAD, Record, SceneLogError},
};

/// Comments of a PLY that are shown.
const COMMENTS: usize = 20;

/// What a file is, by how it begins.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// A scene, in the named format.
    Scene(&'static str),
    /// A saved scan.
    Scan,
}

/// Whether the file is a scene or a saved scan; not, where it cannot be opened.
pub(super) fn kind_of(path: &Path) -> Option<Kind> {
    let mut start = [0; 4];
    File::open(path).and_then(|mut file| file.read_exact(&mut start)).ok()?;
    match start {
        [b'g', b'l', b'T', b'F'] => Some(Kind::Scene("GLB")),
        [b'p', b'l', b'y', b'\n' | b'\r'] => Some(Kind::Scene("PLY")),
        [b'P', b'3', b'S', _] => Some(Kind::Scene("compact form")),
        [b'P', b'3', b'R', b'L'] => Some(Kind::Scan),
        _ => None,
    }
}

/// Describes a scene or a saved scan.
pub(super) fn describe(path: &Path, kind: Kind, as_json: bool) -> Outcome {
    match kind {
        Kind::Scene(format) => scene(path, format, as_json),
        Kind::Scan => scan(path, as_json),
    }
}

fn scene(path: &Path, format: &str, as_json: bool) -> Outcome {
    let limits = Limits::default();
    let named = |error: &dyn std::fmt::Display| format!("{}: {error}", path.display());
    let mut bytes = Vec::new();
    // One byte more than is taken tells that there are more.
    File::open(path)?.take(limits.bytes as u64 + 1).read_to_end(&mut bytes).map_err(|error| named(&error))?;
    let refused = |error: SceneError| format!("{} [{}]", named(&error), error.code());
    let Scene { title, cloud, cameras, intrinsics, viewpoint, spacing } =
        scene::read(&bytes, &limits).map_err(refused)?;
    let frames = cloud.chunks().iter().filter(|chunk| !chunk.points.is_empty()).count();
    let time = cameras.first().zip(cameras.last()).map(|(first, last)| [first.time, last.time]);
    let said = comments(&bytes);
    if as_json {
        emit_json(&json!({
            "kind": "scene", "format": format, "bytes": bytes.len(), "title": title, "points": cloud.point_count(),
            "frames": frames, "cameras": cameras.len(), "time": time, "bounds": cloud.bounds(),
            "intrinsics": intrinsics.map(|k| json!({
                "width": k.width, "height": k.height, "fx": k.fx, "fy": k.fy, "cx": k.cx, "cy": k.cy,
            })),
            "viewpoint": viewpoint, "spacing": spacing, "comments": said,
        }))?;
        return Ok(true);
    }
    let mut text = String::new();
    text.line(format_args!("scene     {format}, {}", mib(bytes.len() as u64)));
    if !title.is_empty() {
        text.line(format_args!("title     {title}"));
    }
    for comment in said {
        text.line(format_args!("says      {comment}"));
    }
    text.push_str(&cloud_text(&cloud, frames));
    match time {
        Some([first, last]) => text.line(format_args!("cameras   {}, {first:.2} to {last:.2} s", cameras.len())),
        None => text.line(format_args!("cameras   none")),
    }
    if let Some(k) = intrinsics {
        text.line(format_args!("camera    {} x {}, focal length {:.1} px", k.width, k.height, k.fx));
    }
    if let Some(spacing) = spacing {
        text.line(format_args!("spacing   {spacing:.4}: points lie on a grid"));
    }
    text.line(format_args!("view      {}", if viewpoint.is_some() { "stored" } else { "none stored" }));
    emit(&text)?;
    Ok(true)
}

/// What a PLY's header says besides its structure.
fn comments(bytes: &[u8]) -> Vec<String> {
    let start = bytes.get(..bytes.len().min(1 << 16)).unwrap_or_default();
    if !start.starts_with(b"ply") {
        return Vec::new();
    }
    let text = String::from_utf8_lossy(start);
    let header = text.lines().take_while(|line| line.trim() != "end_header");
    header.filter_map(|line| line.strip_prefix("comment ")).map(scene::title).take(COMMENTS).collect()
}

fn cloud_text(cloud: &Cloud, frames: usize) -> String {
    let mut text = String::new();
    text.line(format_args!("points    {} of {frames} frames", cloud.point_count()));
    if let Some(Bounds { min, max }) = cloud.bounds() {
        // Plus zero: there is no minus zero to be read.
        let [x, y, z]: [String; 3] = std::array::from_fn(|i| format!("{:.3} to {:.3}", min[i] + 0.0, max[i] + 0.0));
        text.line(format_args!("bounds    x {x}, y {y}, z {z}"));
    }
    text
}

/// A saved scan, as far as it is sound.
struct Scan {
    begin: Begin,
    cloud: Cloud,
    times: Vec<f64>,
    pointers: usize,
    scale: f32,
    bytes: u64,
    damage: Option<SceneLogError>,
}

fn scan(path: &Path, as_json: bool) -> Outcome {
    let refused = |error: SceneLogError| format!("{}: {error} [{}]", path.display(), error.code());
    let Scan { begin, cloud, times, pointers, scale, bytes, damage } =
        read_scan(&mut BufReader::new(File::open(path)?)).map_err(refused)?;
    let note = begin.note();
    let trained = note.as_ref().and_then(|note| note.trained);
    let model = scene::title(note.as_ref().map_or(&begin.model, |note| &note.name));
    let duration = times.first().zip(times.last()).map_or(0.0, |(first, last)| last - first);
    if as_json {
        emit_json(&json!({
            "kind": "scan", "version": begin.version, "name": begin.name, "began": begin.began, "bytes": bytes,
            "model": { "name": model, "trained": trained, "identity": begin.model }, "scale": scale,
            "frames": times.len(), "seconds": duration, "points": cloud.point_count(), "pointers": pointers,
            "bounds": cloud.bounds(), "options": begin.options,
            "problem": damage.map_or(Value::Null, |e| json!({ "code": e.code(), "message": e.to_string() })),
        }))?;
        return Ok(damage.is_none());
    }
    let mut text = String::new();
    text.line(format_args!("scan      {} (format {}), {}", scene::title(&begin.name), begin.version, mib(bytes)));
    let trained = trained.map_or("not known whether trained", |t| if t { "trained" } else { "untrained" });
    text.line(format_args!("model     {model} ({trained})"));
    text.line(format_args!("frames    {}, over {duration:.2} s; {pointers} pointers after the last", times.len()));
    text.push_str(&cloud_text(&cloud, times.len()));
    text.line(format_args!("scale     {scale}"));
    match damage {
        Some(error) => text.line(format_args!("damaged   {error}")),
        None => text.line(format_args!("every record is whole")),
    }
    emit(&text)?;
    Ok(damage.is_none())
}

/// Reads record by record; what is damaged ends it.
fn read_scan(file: &mut impl Read) -> Result<Scan, SceneLogError> {
    let mut bytes = 0;
    let first = next_record(file, &mut bytes)?.ok_or(SceneLogError::Truncated)?;
    let Record::Begin(begin) = first else {
        return Err(SceneLogError::Damaged("it does not begin with a beginning"));
    };
    let scale = begin.scale.unwrap_or(1.0);
    let mut scan = Scan { begin, cloud: Cloud::default(), times: Vec::new(), pointers: 0, scale, bytes, damage: None };
    let mut pointers = Vec::new();
    loop {
        match next_record(file, &mut scan.bytes) {
            Ok(None) => break,
            Ok(Some(Record::Begin(_))) => scan.damage = Some(SceneLogError::Damaged("it begins twice")),
            Ok(Some(Record::Frame(frame))) => {
                scan.times.push(frame.keyframe.time);
                pointers.push(frame.keyframe.pointers[0]);
                // Its picture and maps are let go of.
                scan.cloud.push(frame.chunk.as_ref().clone());
            }
            Ok(Some(Record::Keep(frames))) => {
                scan.cloud.undo(scan.times.len().saturating_sub(frames));
                scan.times.truncate(frames);
                pointers.truncate(frames);
            }
            Ok(Some(Record::Scale(scale))) => scan.scale = scale,
            Err(error) => scan.damage = Some(error),
        }
        if scan.damage.is_some() {
            break;
        }
    }
    scan.pointers = pointers.last().copied().unwrap_or(0);
    Ok(scan)
}

/// The next record, none at the end of the file. Nothing is allocated before the bytes are there.
fn next_record(file: &mut impl Read, bytes: &mut u64) -> Result<Option<Record>, SceneLogError> {
    let mut record = Vec::new();
    let unreadable = |_| SceneLogError::Damaged("it cannot be read");
    file.take(RECORD_HEAD as u64).read_to_end(&mut record).map_err(unreadable)?;
    if record.is_empty() {
        return Ok(None);
    }
    let length = scene_log::record_bytes(&record)?;
    file.take((length - RECORD_HEAD) as u64).read_to_end(&mut record).map_err(unreadable)?;
    let (found, _) = scene_log::read_record(&record)?;
    *bytes += record.len() as u64;
    Ok(Some(found))
}

//! A reconstruction as an append-only file, so that a crash costs at most the frame in work.
//!
//! ```text
//! record: "P3RL" | kind u32 | payload bytes u64 | first 8 bytes of the payload's SHA-256 | payload     (little endian)
//! kinds:  1 begin  JSON: version, model, options, name, seconds since 1970, scale, made with
//!         2 frame  head (see `Head`) | rgb | depth f16 | confidence code | points of 16 bytes | a byte of flags each
//!         3 keep   u32: number of frames left by an undo
//!         4 scale  f32: what the user said a unit is
//! ```
//!
//! A record that is cut off or damaged ends the file: everything before it is sound. The file is made by this program,
//! but lies where others may write, so it is read as untrusted: sizes are bounded before anything is allocated.

use std::sync::Arc;

use bytemuck::{Pod, Zeroable};
use half::f16;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use crate::{
    cloud::{Chunk, PackedPoint},
    geometry::Pose,
    keyframes::{Keyframe, KeyframeMaps},
    preprocess::MAX_INPUT,
    session::{ModelNote, Placement, SavedFrame, SessionOptions},
};

/// The version of the format that is written.
pub const VERSION: u32 = 2;
/// The oldest one that is read: it knows no [`Begin::made_with`] and no scale records.
pub const OLDEST: u32 = 1;
const MAGIC: [u8; 4] = *b"P3RL";
/// Bytes before a payload.
pub const RECORD_HEAD: usize = 24;
/// Longest payload: a frame of the largest input with all its points.
pub const MAX_PAYLOAD: usize = MAX_INPUT * MAX_INPUT * 23 + 4096;

/// What a log cannot be read for. The records before are sound.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum SceneLogError {
    /// The file ends within a record: the program was ended while writing.
    #[error("the saved scan ends in the middle of a frame; the frames before it are whole")]
    Truncated,
    /// Bytes that are not what was written.
    #[error("the saved scan is damaged ({0}); the frames before that are whole")]
    Damaged(&'static str),
    /// Written by another version of the program.
    #[error(
        "the saved scan is of format {0}, this program reads {OLDEST} to {VERSION}: export it with the version that \
         made it"
    )]
    Version(u32),
}

impl SceneLogError {
    /// The error's name in the closed set shared with the page.
    #[must_use]
    pub fn code(&self) -> &'static str {
        "damaged-file"
    }
}

/// The first record: what the reconstruction was made with.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub struct Begin {
    /// Version of the format.
    pub version: u32,
    /// Identity of the model: only the same one can continue.
    pub model: String,
    /// Options of the session.
    pub options: SessionOptions,
    /// What was reconstructed, for people.
    pub name: String,
    /// When it began, seconds since 1970.
    pub began: f64,
    /// The scale that the user had given it.
    #[serde(default)]
    pub scale: Option<f32>,
    /// The model by name; absent in files of version 1.
    #[serde(default)]
    pub made_with: Option<ModelNote>,
}

impl Begin {
    /// The model by name. A file of version 1 has it before the digest in the model's identity.
    #[must_use]
    pub fn note(&self) -> Option<ModelNote> {
        let by_identity =
            || self.model.rsplit_once(' ').map(|(name, _)| ModelNote { name: name.to_owned(), trained: None });
        self.made_with.clone().or_else(by_identity)
    }
}

/// A record that was read.
#[derive(Debug, Clone, PartialEq)]
pub enum Record {
    /// A reconstruction begins.
    Begin(Begin),
    /// A frame was added.
    Frame(SavedFrame),
    /// An undo left so many frames.
    Keep(usize),
    /// The user set the scale.
    Scale(f32),
}

/// The numbers of a frame. Field order leaves no gaps.
#[repr(C)]
#[derive(Debug, Clone, Copy, Pod, Zeroable)]
struct Head {
    time: f64,
    /// Not a number: none.
    focal: f64,
    scale: [f64; 2],
    offset: [f64; 2],
    pose: [f32; 7],
    index: u32,
    /// Of the network's input.
    input: [u32; 2],
    photograph: [u32; 2],
    pointers: [u32; 3],
    points: u32,
    /// 1 if picture, depth and confidence follow.
    has_maps: u32,
    chunk_frame: u32,
    /// As many as points, or none.
    flags: u32,
    reserved: u32,
}

/// The bytes of the first record.
#[must_use]
pub fn begin_record(begin: &Begin) -> Vec<u8> {
    // Strings and numbers always serialise.
    record(1, &serde_json::to_vec(begin).unwrap_or_default())
}

/// The bytes of a frame's record.
#[must_use]
pub fn frame_record(frame: &SavedFrame) -> Vec<u8> {
    let SavedFrame { keyframe, chunk, placement } = frame;
    let small = |n: usize| u32::try_from(n).unwrap_or(u32::MAX);
    let pair = |(a, b): (usize, usize)| [small(a), small(b)];
    let head = Head {
        time: keyframe.time,
        focal: keyframe.focal.unwrap_or(f64::NAN),
        scale: placement.scale,
        offset: placement.offset,
        pose: keyframe.pose.to_array(),
        index: keyframe.index,
        input: pair(placement.input),
        photograph: pair(placement.photograph),
        pointers: keyframe.pointers.map(small),
        points: small(chunk.points.len()),
        has_maps: u32::from(keyframe.maps.is_some()),
        chunk_frame: chunk.frame,
        flags: small(chunk.flags.len()),
        reserved: 0,
    };
    let mut payload = bytemuck::bytes_of(&head).to_vec();
    if let Some(maps) = &keyframe.maps {
        payload.extend_from_slice(&maps.rgb);
        payload.extend_from_slice(bytemuck::cast_slice(&maps.depth));
        payload.extend_from_slice(&maps.confidence);
    }
    payload.extend_from_slice(bytemuck::cast_slice(&chunk.points));
    payload.extend_from_slice(&chunk.flags);
    record(2, &payload)
}

/// The bytes that say how many frames an undo left.
#[must_use]
pub fn keep_record(frames: usize) -> Vec<u8> {
    record(3, &u32::try_from(frames).unwrap_or(u32::MAX).to_le_bytes())
}

/// The bytes that say what a unit of the scene is.
#[must_use]
pub fn scale_record(scale: f32) -> Vec<u8> {
    record(4, &scale.to_le_bytes())
}

/// Frames that are there after a record, from how it begins ([`RECORD_HEAD`] bytes and, of an undo, 4 more) and how many
/// there were before: to count without reading everything.
#[must_use]
pub fn frames_after(start: &[u8], before: usize) -> usize {
    let number = start.get(RECORD_HEAD..).and_then(<[u8]>::first_chunk::<4>).map(|n| u32::from_le_bytes(*n) as usize);
    match (split_head(start), number) {
        (Ok((2, ..)), _) => before + 1,
        (Ok((3, ..)), Some(left)) => before.min(left),
        _ => before,
    }
}

fn record(kind: u32, payload: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(RECORD_HEAD + payload.len());
    bytes.extend_from_slice(&MAGIC);
    bytes.extend_from_slice(&kind.to_le_bytes());
    bytes.extend_from_slice(&(payload.len() as u64).to_le_bytes());
    bytes.extend_from_slice(&digest(payload));
    bytes.extend_from_slice(payload);
    bytes
}

fn digest(payload: &[u8]) -> [u8; 8] {
    Sha256::digest(payload).first_chunk().copied().unwrap_or_default()
}

/// Bytes of the whole record that begins with `head` ([`RECORD_HEAD`] bytes), so that a reader knows how much to fetch.
///
/// # Errors
/// When no record begins here.
pub fn record_bytes(head: &[u8]) -> Result<usize, SceneLogError> {
    let (_, _, length) = split_head(head)?;
    Ok(RECORD_HEAD + length)
}

/// Kind, digest and payload length.
fn split_head(bytes: &[u8]) -> Result<(u32, [u8; 8], usize), SceneLogError> {
    let head = bytes.first_chunk::<RECORD_HEAD>().ok_or(SceneLogError::Truncated)?;
    let [m0, m1, m2, m3, k0, k1, k2, k3, l0, l1, l2, l3, l4, l5, l6, l7, digest @ ..] = *head;
    if [m0, m1, m2, m3] != MAGIC {
        return Err(SceneLogError::Damaged("no record begins here"));
    }
    let length = u64::from_le_bytes([l0, l1, l2, l3, l4, l5, l6, l7]);
    match usize::try_from(length) {
        Ok(length) if length <= MAX_PAYLOAD => Ok((u32::from_le_bytes([k0, k1, k2, k3]), digest, length)),
        _ => Err(SceneLogError::Damaged("a record of impossible length")),
    }
}

/// Reads the record at the start of `bytes`, and how many bytes it takes.
///
/// # Errors
/// When it is cut off, damaged, or of another version.
pub fn read_record(bytes: &[u8]) -> Result<(Record, usize), SceneLogError> {
    let (kind, expected, length) = split_head(bytes)?;
    let payload = bytes.get(RECORD_HEAD..RECORD_HEAD + length).ok_or(SceneLogError::Truncated)?;
    if digest(payload) != expected {
        return Err(SceneLogError::Damaged("a checksum differs"));
    }
    let record = match kind {
        1 => Record::Begin(read_begin(payload)?),
        2 => Record::Frame(read_frame(payload)?),
        3 => {
            let frames = payload.try_into().map_err(|_| SceneLogError::Damaged("an undo of odd length"))?;
            Record::Keep(u32::from_le_bytes(frames) as usize)
        }
        4 => {
            let scale = payload.try_into().map(f32::from_le_bytes).ok().filter(|s| s.is_finite() && *s > 0.0);
            Record::Scale(scale.ok_or(SceneLogError::Damaged("a scale that is none"))?)
        }
        _ => return Err(SceneLogError::Damaged("a record of unknown kind")),
    };
    Ok((record, RECORD_HEAD + length))
}

fn read_begin(payload: &[u8]) -> Result<Begin, SceneLogError> {
    let json: serde_json::Value =
        serde_json::from_slice(payload).map_err(|_| SceneLogError::Damaged("its beginning is no JSON"))?;
    match json.get("version").and_then(serde_json::Value::as_u64) {
        Some(version) if (u64::from(OLDEST)..=u64::from(VERSION)).contains(&version) => {}
        version => return Err(SceneLogError::Version(version.and_then(|v| u32::try_from(v).ok()).unwrap_or(0))),
    }
    serde_json::from_value(json).map_err(|_| SceneLogError::Damaged("its beginning lacks a field"))
}

fn read_frame(payload: &[u8]) -> Result<SavedFrame, SceneLogError> {
    let cut = || SceneLogError::Damaged("a frame is shorter than it says");
    let (head, rest) = payload.split_at_checked(size_of::<Head>()).ok_or_else(cut)?;
    let head: Head = bytemuck::pod_read_unaligned(head);
    let [width, height] = head.input.map(|side| side as usize);
    if width == 0 || height == 0 || width > MAX_INPUT || height > MAX_INPUT {
        return Err(SceneLogError::Damaged("a frame of impossible size"));
    }
    let pose = Pose {
        translation: [head.pose[0], head.pose[1], head.pose[2]],
        rotation: [head.pose[3], head.pose[4], head.pose[5], head.pose[6]],
    };
    let finite = |numbers: &[f64]| numbers.iter().all(|n| n.is_finite());
    if !pose.is_finite() || !finite(&[head.time]) || !finite(&head.scale) || !finite(&head.offset) {
        return Err(SceneLogError::Damaged("a frame with numbers that are not finite"));
    }
    let pixels = width * height;
    let (maps, rest) = if head.has_maps == 1 {
        let (rgb, rest) = rest.split_at_checked(3 * pixels).ok_or_else(cut)?;
        let (depth, rest) = rest.split_at_checked(2 * pixels).ok_or_else(cut)?;
        let (confidence, rest) = rest.split_at_checked(pixels).ok_or_else(cut)?;
        let depth = depth.as_chunks::<2>().0.iter().map(|&bytes| f16::from_le_bytes(bytes)).collect();
        (Some(KeyframeMaps { width, height, rgb: rgb.to_vec(), depth, confidence: confidence.to_vec() }), rest)
    } else {
        (None, rest)
    };
    let (count, flags) = (head.points as usize, head.flags as usize);
    let expected = count.checked_mul(size_of::<PackedPoint>()).and_then(|bytes| bytes.checked_add(flags));
    if expected != Some(rest.len()) || (flags != 0 && flags != count) {
        return Err(SceneLogError::Damaged("a frame with more or fewer points than it says"));
    }
    let (points, flags) = rest.split_at_checked(rest.len() - flags).ok_or_else(cut)?;
    let points: Vec<PackedPoint> =
        points.as_chunks::<16>().0.iter().map(|bytes| bytemuck::pod_read_unaligned(bytes.as_slice())).collect();
    if points.iter().any(|p| p.position.iter().any(|v| !v.is_finite())) {
        return Err(SceneLogError::Damaged("a point that is not finite"));
    }
    let keyframe = Keyframe {
        index: head.index,
        time: head.time,
        pose,
        focal: Some(head.focal).filter(|f| f.is_finite()),
        pointers: head.pointers.map(|n| n as usize),
        maps: maps.map(Arc::new),
    };
    let [across, down] = head.photograph.map(|side| side as usize);
    let placement =
        Placement { input: (width, height), photograph: (across, down), scale: head.scale, offset: head.offset };
    let chunk = Arc::new(Chunk { frame: head.chunk_frame, points, flags: flags.to_vec() });
    Ok(SavedFrame { keyframe: Arc::new(keyframe), chunk, placement })
}

#[cfg(test)]
#[path = "scene_log/tests.rs"]
mod tests;

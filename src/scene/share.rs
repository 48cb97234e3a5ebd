//! The compact form of a scene that fits into a link or a page of its own: one point per voxel, as an octree, with
//! quantised colours, the camera path, a title and where to look from. See docs/formats.md for its layout.
//!
//! Everything read is untrusted: a checksum tells a link that was cut from one that was not, and announced counts are
//! held against the limits and against the bytes that are there.

mod breath;
mod coder;
mod color;
mod octree;
mod thin;

use std::{
    future::Future,
    task::{Context, Poll, Waker},
};

use self::{
    breath::Breath,
    coder::{Decoder, Encoder, Number},
    color::{Colors, Depths},
    octree::{MAX_DEPTH, Voxel},
    thin::Kept,
};
use super::{Limits, Scene, SceneCamera, SceneError, Viewpoint};
use crate::{
    cloud::{Chunk, Cloud, PackedPoint},
    geometry::Pose,
    pace::Pace,
};

/// How the bytes begin; the last byte is the version.
const MAGIC: [u8; 4] = *b"P3S1";
/// Points at most, whatever the limits of the caller.
pub const MAX_POINTS: usize = 4 << 20;
/// Points per byte: real scenes have about one, so that more is no scene.
const MAX_DENSITY: usize = 24;
/// Bytes before the title.
const HEADER: usize = 32;
const VIEWPOINT: u8 = 1;
/// Steps of a quaternion's parts.
const TURN: f32 = 8192.0;
/// Steps of the cube's side that camera positions are counted in.
const CAMERA_STEPS: f32 = 16_384.0;

/// How a scene is to be packed.
#[derive(Debug, Clone, Copy, serde::Deserialize)]
#[serde(default, rename_all = "camelCase")]
pub struct ShareOptions {
    /// Bytes at most.
    pub budget: usize,
    /// Smallest confidence of a point that is taken.
    pub confidence: f32,
    /// Whether the camera path goes with it.
    pub cameras: bool,
}

impl Default for ShareOptions {
    /// What a link of 16 KB holds.
    fn default() -> Self {
        Self { budget: 12_000, confidence: 0.0, cameras: true }
    }
}

/// A packed scene and what became of it.
#[derive(Debug, Clone, PartialEq)]
pub struct Shared {
    /// The compact form.
    pub bytes: Vec<u8>,
    /// Points in it.
    pub points: usize,
    /// Side of a voxel, world units: a point is at most half of that from its place, per axis.
    pub voxel: f32,
    /// Cameras in it.
    pub cameras: usize,
}

/// Packs a scene as finely as the budget allows, without a pause.
///
/// # Errors
/// When there is no point, or nothing fits.
pub fn pack(scene: &Scene, options: ShareOptions) -> Result<Shared, SceneError> {
    let pace = Pace::none();
    let mut packing = std::pin::pin!(pack_paced(scene, options, &pace, &|| false));
    match packing.as_mut().poll(&mut Context::from_waker(Waker::noop())) {
        Poll::Ready(outcome) => outcome,
        // Nothing in it waits for anything but the pace.
        Poll::Pending => Err(SceneError::Cancelled),
    }
}

/// Packs a scene as finely as the budget allows, giving way at `pace`; `cancelled` is asked at every pause.
///
/// # Errors
/// When there is no point, nothing fits, or it was cancelled.
pub async fn pack_paced(
    scene: &Scene,
    options: ShareOptions,
    pace: &Pace,
    cancelled: &dyn Fn() -> bool,
) -> Result<Shared, SceneError> {
    let breath = &Breath { pace, cancelled };
    let eyes: Vec<[f32; 3]> = scene.cameras.iter().map(|camera| camera.pose.translation).collect();
    let kept = Kept::of(&scene.cloud, options.confidence, &eyes, breath).await?;
    let viewpoint = scene.viewpoint.filter(Viewpoint::is_usable).or_else(|| scene.first_view());
    let most = if options.cameras { scene.cameras.len().min(options.budget / 200).min(1000) } else { 0 };
    let step = scene.cameras.len().div_ceil(most.max(1)).max(1);
    let finite = |c: &&SceneCamera| c.time.is_finite() && c.pose.is_finite();
    let cameras: Vec<SceneCamera> = scene.cameras.iter().filter(finite).step_by(step).take(most).copied().collect();
    let depths = match options.budget {
        0..40_000 => Depths { luma: 6, chroma: 6 },
        40_000..400_000 => Depths { luma: 7, chroma: 7 },
        _ => Depths { luma: 8, chroma: 8 },
    };
    let pack = async |voxel: f32| {
        let voxels = kept.voxels(voxel, breath).await?;
        let reach = voxels.iter().flat_map(|(v, _)| v).max().copied().unwrap_or(0);
        let depth = (16 - reach.leading_zeros()).max(1);
        let cells: Vec<Voxel> = voxels.iter().map(|(v, _)| *v).collect();
        let readable = voxels.len() <= MAX_POINTS && octree::nodes(&cells, depth) <= octree::most_nodes(voxels.len());
        // A rough count first: what is far too much is not encoded at all.
        if !readable || voxels.len() / 4 > options.budget {
            return Ok((Vec::new(), voxels.len()));
        }
        let bytes = encode(&scene.title, viewpoint, &kept, voxel, depth, depths, &voxels, &cameras, breath).await?;
        Ok::<_, SceneError>((bytes, voxels.len()))
    };
    // Bytes grow with the inverse square of the voxel's side: a few steps find the finest one that fits.
    let mut best: Option<Shared> = None;
    let (mut fits, mut misses) = (kept.edge, kept.finest());
    let mut voxel = (kept.edge / (options.budget as f32 / 4.0).sqrt().max(2.0)).max(kept.finest());
    for _ in 0..7 {
        let (bytes, points) = pack(voxel).await?;
        let size = if bytes.is_empty() { options.budget * 4 } else { bytes.len() };
        if !bytes.is_empty() && size <= options.budget {
            fits = voxel;
            let better = best.as_ref().is_none_or(|b| points >= b.points);
            if better {
                best = Some(Shared { bytes, points, voxel, cameras: cameras.len() });
            }
            if size * 20 > options.budget * 19 || points * 50 > kept.points.len() * 49 || voxel <= kept.finest() {
                break;
            }
        } else {
            misses = voxel;
        }
        let guess = voxel * (size as f32 / (0.98 * options.budget as f32)).sqrt().clamp(0.1, 10.0);
        // Between the coarsest that did not fit and the finest that did.
        voxel = if guess > misses && guess < fits { guess } else { (misses * fits).sqrt() };
    }
    best.ok_or(SceneError::Budget(options.budget))
}

async fn encode(
    title: &str,
    viewpoint: Option<Viewpoint>,
    kept: &Kept,
    voxel: f32,
    depth: u32,
    depths: Depths,
    voxels: &[(Voxel, [u8; 3])],
    cameras: &[SceneCamera],
    breath: &Breath<'_>,
) -> Result<Vec<u8>, SceneError> {
    let mut title = super::title(title);
    while title.len() > usize::from(u8::MAX) {
        title.pop();
    }
    let mut out = MAGIC.to_vec();
    out.push(if viewpoint.is_some() { VIEWPOINT } else { 0 });
    out.extend([depth as u8, (depths.luma << 4 | depths.chroma) as u8, title.len() as u8]);
    out.extend((voxels.len() as u32).to_le_bytes());
    out.extend((cameras.len() as u32).to_le_bytes());
    let place = kept.origin.iter().chain([&voxel]);
    place.chain(viewpoint.iter().flat_map(|v| v.eye.iter().chain(&v.target))).for_each(|v| out.extend(v.to_le_bytes()));
    out.extend(title.as_bytes());

    let mut encoder = Encoder::new(out);
    let cells: Vec<Voxel> = voxels.iter().map(|(v, _)| *v).collect();
    octree::encode(&mut encoder, &cells, depth, breath).await?;
    let mut colors = Colors::new(depths);
    for (index, (_, color)) in voxels.iter().enumerate() {
        breath.at(index).await?;
        colors.encode(&mut encoder, *color);
    }
    let mut path = Path::new(kept.origin, voxel * (1_u32 << depth) as f32);
    cameras.iter().for_each(|camera| path.encode(&mut encoder, camera));
    let mut bytes = encoder.finish();
    bytes.extend(checksum(&bytes).to_le_bytes());
    Ok(bytes)
}

/// FNV-1a, 32 bits.
fn checksum(bytes: &[u8]) -> u32 {
    bytes.iter().fold(0x811c_9dc5, |hash, &b| (hash ^ u32::from(b)).wrapping_mul(0x0100_0193))
}

/// Camera path: each number as its difference to the camera before.
struct Path {
    origin: [f32; 3],
    unit: f32,
    contexts: [Number; 8],
    before: [i32; 8],
}

impl Path {
    fn new(origin: [f32; 3], edge: f32) -> Self {
        Self { origin, unit: edge / CAMERA_STEPS, contexts: Default::default(), before: [0; 8] }
    }

    /// Frame, milliseconds, position, quaternion without its w (which is not negative).
    fn encode(&mut self, encoder: &mut Encoder, camera: &SceneCamera) {
        // `as` saturates; half the range keeps differences within 32 bits.
        let whole = |v: f64| (v.round() as i32).clamp(-(1 << 29), 1 << 29);
        let [w, x, y, z] = camera.pose.rotation;
        let sign = if w < 0.0 { -TURN } else { TURN };
        let position = |i: usize| whole(f64::from((camera.pose.translation[i] - self.origin[i]) / self.unit));
        let turn = [x, y, z].map(|v| whole(f64::from((v * sign).clamp(-TURN, TURN))));
        let values = [
            whole(f64::from(camera.frame)),
            whole(camera.time * 1e3),
            position(0),
            position(1),
            position(2),
            turn[0],
            turn[1],
            turn[2],
        ];
        for ((contexts, before), value) in self.contexts.iter_mut().zip(&mut self.before).zip(values) {
            encoder.number(contexts, value - *before);
            *before = value;
        }
    }

    fn decode(&mut self, decoder: &mut Decoder<'_>) -> Result<SceneCamera, SceneError> {
        for (contexts, before) in self.contexts.iter_mut().zip(&mut self.before) {
            let far = || SceneError::damaged("a camera of the link is out of range");
            *before = before.checked_add(decoder.number(contexts)?).filter(|v| v.abs() <= 1 << 29).ok_or_else(far)?;
        }
        let [frame, time, px, py, pz, x, y, z] = self.before;
        let [x, y, z] = [x, y, z].map(|v| v as f32 / TURN);
        let w = (1.0 - x * x - y * y - z * z).max(0.0).sqrt();
        let norm = (w * w + x * x + y * y + z * z).sqrt();
        let translation = std::array::from_fn(|i| self.origin[i] + [px, py, pz][i] as f32 * self.unit);
        let pose = Pose { translation, rotation: [w, x, y, z].map(|v| v / norm) };
        Ok(SceneCamera { frame: u32::try_from(frame).unwrap_or(0), time: f64::from(time) / 1e3, pose })
    }
}

/// Reads the compact form. All points have full confidence and belong to frame 0.
///
/// # Errors
/// When the bytes were cut or changed, or ask for too much.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Scene, SceneError> {
    Limits::check("bytes", bytes.len(), limits.bytes)?;
    let cut = || SceneError::damaged("the link was cut or changed on its way");
    let (content, sum) = bytes.split_last_chunk::<4>().ok_or_else(cut)?;
    let header = content.first_chunk::<HEADER>().ok_or_else(cut)?;
    if header.first_chunk() != Some(&MAGIC) {
        return Err(SceneError::Unsupported("a link of another version of this page".to_owned()));
    }
    if checksum(content) != u32::from_le_bytes(*sum) {
        return Err(cut());
    }
    let [_, _, _, _, flags, depth, depths, title_length, ..] = *header;
    let (depth, depths) = (u32::from(depth), Depths { luma: u32::from(depths >> 4), chroma: u32::from(depths & 15) });
    let word = |at: usize| content.get(at..).and_then(|b| b.first_chunk::<4>()).copied().ok_or_else(cut);
    let count = |at: usize| word(at).map(|b| u32::from_le_bytes(b) as usize);
    let number =
        |at: usize| word(at).map(f32::from_le_bytes).and_then(|v| if v.is_finite() { Ok(v) } else { Err(cut()) });
    let vector = |at: usize| Ok([number(at)?, number(at + 4)?, number(at + 8)?]);
    let (points, cameras, origin, voxel) = (count(8)?, count(12)?, vector(16)?, number(28)?);
    Limits::check("points", points, limits.points.min(MAX_POINTS).min(content.len().saturating_mul(MAX_DENSITY)))?;
    Limits::check("cameras", cameras, limits.cameras.min(content.len()))?;
    let placed = origin.iter().all(|v| v.abs() < 1e9) && voxel > 0.0 && voxel < 1e6;
    if flags & !VIEWPOINT != 0 || !(1..=MAX_DEPTH).contains(&depth) || !depths.usable() || !placed || points == 0 {
        return Err(SceneError::damaged("the link's description contradicts itself"));
    }
    let mut at = HEADER;
    let mut viewpoint = None;
    if flags & VIEWPOINT != 0 {
        viewpoint = Some(Viewpoint { eye: vector(at)?, target: vector(at + 12)? }).filter(Viewpoint::is_usable);
        at += 24;
    }
    let text = content.get(at..at + usize::from(title_length)).ok_or_else(cut)?;
    let stream = content.get(at + text.len()..).unwrap_or_default();

    let mut decoder = Decoder::new(stream);
    let voxels = octree::decode(&mut decoder, points, depth)?;
    let mut colors = Colors::new(depths);
    let place = |v: Voxel| std::array::from_fn(|i| origin[i] + (f32::from(v[i]) + 0.5) * voxel);
    let points =
        voxels.into_iter().map(|v| PackedPoint::new(place(v), colors.decode(&mut decoder), f32::INFINITY)).collect();
    let mut path = Path::new(origin, voxel * (1_u32 << depth) as f32);
    let cameras = (0..cameras).map(|_| path.decode(&mut decoder)).collect::<Result<Vec<_>, _>>()?;
    let mut cloud = Cloud::default();
    cloud.push(Chunk::new(0, points));
    Ok(Scene {
        title: super::title(&String::from_utf8_lossy(text)),
        cloud,
        cameras,
        intrinsics: None,
        viewpoint,
        spacing: Some(voxel),
    })
}

//! A surface from posed depth maps: truncated signed distances fused in sparse blocks, then surface nets.
//!
//! Depth is z in the frame's own camera, all frames share one pinhole camera. Each depth counts by its confidence;
//! pixels at the edge of an object (where depth jumps) do not count. What later frames see through is carved away.
//! Memory is bounded: when the surface does not fit, the voxels get larger, and the mesh says how large.

mod depth;
mod surface;
mod volume;

use crate::{
    export::{ExportError, Watch},
    geometry::{Intrinsics, Pose},
    keyframes::KeyframeMaps,
};

use self::{
    depth::DepthView,
    volume::{BLOCK_BYTES, Volume},
};

/// Triangles with one normal and colour per vertex, in the world of the poses.
#[derive(Debug, Clone, PartialEq, Default)]
pub struct Mesh {
    /// Vertex positions, metres where the model is metric.
    pub positions: Vec<[f32; 3]>,
    /// Unit vectors that point to where the cameras were.
    pub normals: Vec<[f32; 3]>,
    /// sRGB.
    pub colors: Vec<[u8; 3]>,
    /// Vertex numbers, counter-clockwise seen from where the cameras were.
    pub triangles: Vec<[u32; 3]>,
    /// Edge length of a voxel, the finest detail there is.
    pub voxel: f32,
}

/// How a mesh is made.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct MeshOptions {
    /// Edge length of a voxel; `None`: from the distance of what is seen and the resolution of the maps.
    pub voxel: Option<f32>,
    /// Least confidence of a depth.
    pub confidence: f32,
    /// Most bytes of voxels.
    pub memory: usize,
}

impl Default for MeshOptions {
    fn default() -> Self {
        // A page may take some hundred megabytes, a program more.
        let memory = if cfg!(target_arch = "wasm32") { 160 << 20 } else { 1 << 30 };
        Self { voxel: None, confidence: 1.0, memory }
    }
}

/// Half the width of the band around the surface in which distances are kept, voxels.
const TRUNCATION: f32 = 4.0;
/// Depths beyond so many medians are left out: sky, and what is too coarse for these voxels.
const FAR: f32 = 4.0;
/// A voxel spans so many pixels of something at the median distance.
const VOXEL_PIXELS: f64 = 1.5;
/// And at least this part of the median distance: networks are not more exact than that.
const VOXEL_SHARE: f64 = 0.005;
/// Shares of the work that planning, fusing and extracting take; the rest is writing.
const PLANNED: f32 = 0.15;
const FUSED: f32 = 0.85;

/// Fuses frames and extracts the surface.
///
/// # Errors
/// [`ExportError::NoSurface`] when nothing is confident enough, or [`ExportError::Cancelled`].
pub async fn reconstruct(
    frames: &[(Pose, &KeyframeMaps)],
    camera: &Intrinsics,
    options: &MeshOptions,
    watch: &mut Watch<'_>,
) -> Result<Mesh, ExportError> {
    let median = depth::median(frames, options.confidence).ok_or(ExportError::NoSurface)?;
    let finest = f64::from(median) * (VOXEL_PIXELS / camera.fx).max(VOXEL_SHARE);
    #[expect(clippy::cast_possible_truncation, reason = "a length")]
    let mut voxel = options.voxel.unwrap_or(finest as f32);
    let far = FAR * median;
    let most = (options.memory / BLOCK_BYTES).max(64);

    watch.part(0.0, PLANNED);
    loop {
        let needed = planned_blocks(frames, camera, options.confidence, voxel, far, most, watch).await?;
        if needed <= most {
            break;
        }
        // A surface takes blocks by its area.
        #[expect(clippy::cast_precision_loss, reason = "a ratio")]
        let ratio = needed as f32 / most as f32;
        voxel *= (1.05 * ratio.sqrt()).max(1.1);
    }

    watch.part(PLANNED, FUSED);
    let mut volume = Volume::new(voxel, TRUNCATION * voxel, most);
    for (i, (pose, maps)) in frames.iter().enumerate() {
        let view = DepthView::new(*pose, maps, camera, options.confidence, far);
        volume.fuse(&view);
        watch.item(i + 1, frames.len()).await?;
    }
    watch.part(FUSED, 0.97);
    surface::extract(&volume, watch).await
}

/// Blocks that fusing would take, looking at every third pixel; counting ends when there are far too many.
async fn planned_blocks(
    frames: &[(Pose, &KeyframeMaps)],
    camera: &Intrinsics,
    confidence: f32,
    voxel: f32,
    far: f32,
    most: usize,
    watch: &mut Watch<'_>,
) -> Result<usize, ExportError> {
    let enough = most.saturating_mul(4);
    let mut plan = Volume::new(voxel, TRUNCATION * voxel, enough);
    for (i, (pose, maps)) in frames.iter().enumerate() {
        let view = DepthView::new(*pose, maps, camera, confidence, far);
        plan.reserve(&view, 3);
        if plan.blocks() >= enough {
            break;
        }
        watch.item(i + 1, frames.len()).await?;
    }
    Ok(plan.blocks())
}

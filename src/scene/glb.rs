//! Reads GLB: the vertices of all meshes as points, our cameras, path and extras.
//!
//! Draco, meshopt, sparse accessors and data in other files are refused by name. Lines (such as our own path) are
//! not points. A mesh that many nodes use counts as often as it is used.

mod accessor;
mod json;
mod transform;

use self::{accessor::Column, json::Gltf, transform::Transform};
use super::{Limits, Scene, SceneCamera, SceneError, Viewpoint, collect::Collector};
use crate::{
    cloud::PackedPoint,
    export::glb::{srgb8, turn_point, turn_pose},
    geometry::Intrinsics,
};

/// Bytes the JSON chunk may take: 20,000 camera nodes need 5 MB.
const MAX_JSON: usize = 16 << 20;
/// Nodes inside nodes.
const MAX_DEPTH: usize = 64;
const LINES: [u32; 3] = [1, 2, 3];
/// Required extensions that change nothing of what is read, or are known.
const KNOWN: [&str; 4] =
    ["KHR_mesh_quantization", "KHR_materials_unlit", "KHR_texture_transform", "KHR_materials_specular"];

/// Reads a file that begins with `glTF`.
///
/// # Errors
/// When the file is damaged, too large, in need of what is not supported, or without points.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Scene, SceneError> {
    Limits::check("bytes", bytes.len(), limits.bytes)?;
    let (text, body) = chunks(bytes)?;
    Limits::check("bytes of description", text.len(), MAX_JSON)?;
    let gltf: Gltf = serde_json::from_slice(text).map_err(|e| SceneError::damaged(format!("glTF description: {e}")))?;
    if let Some(unknown) = gltf.extensions_required.0.iter().find(|name| !KNOWN.contains(&name.as_str())) {
        return Err(SceneError::Unsupported(format!(
            "a GLB that needs {}",
            unknown.chars().take(60).collect::<String>()
        )));
    }
    let mut reading = Reading {
        gltf: &gltf,
        body,
        limits,
        collector: Collector::default(),
        cameras: Vec::new(),
        intrinsics: None,
        visited: 0,
        counting: true,
        points: 0,
    };
    let every: Vec<usize> = (0..gltf.nodes.0.len()).collect();
    // A file without scenes is a library of parts: all of them are shown.
    let roots = gltf.scenes.0.get(gltf.scene).map_or(&every, |scene| &scene.nodes.0);
    // Counted first: a mesh may be used many times, and what is too much is to be known before it is made.
    for counting in [true, false] {
        (reading.counting, reading.visited) = (counting, 0);
        roots.iter().try_for_each(|&node| reading.node(node, &Transform::IDENTITY, 0))?;
    }
    let (cameras, intrinsics) = (reading.cameras, reading.intrinsics);
    let cloud = reading.collector.finish()?;
    let extras = gltf.scenes.0.get(gltf.scene).and_then(|scene| scene.extras.0.as_ref());
    let viewpoint = extras.and_then(|e| Some(Viewpoint { eye: turn_point(e.eye?), target: turn_point(e.target?) }));
    Ok(Scene {
        title: extras.map(|e| super::title(&e.title)).unwrap_or_default(),
        cloud,
        cameras,
        intrinsics,
        viewpoint: viewpoint.filter(Viewpoint::is_usable),
        spacing: None,
    })
}

/// The JSON and the binary chunk.
fn chunks(bytes: &[u8]) -> Result<(&[u8], &[u8]), SceneError> {
    let word = |at: usize| bytes.get(at..).and_then(|b| b.first_chunk::<4>()).map(|b| u32::from_le_bytes(*b) as usize);
    let cut = || SceneError::damaged("the GLB is cut short");
    if word(4).ok_or_else(cut)? != 2 {
        return Err(SceneError::Unsupported("a GLB of another version than 2".to_owned()));
    }
    let total = word(8).ok_or_else(cut)?;
    let bytes = bytes.get(..total).ok_or_else(cut)?;
    let length = word(12).ok_or_else(cut)?;
    let end = length.checked_add(20).ok_or_else(cut)?;
    let text = bytes.get(20..end).ok_or_else(cut)?;
    if bytes.get(16..20) != Some(b"JSON") {
        return Err(SceneError::damaged("the GLB does not begin with its description"));
    }
    let rest = bytes.get(end..).unwrap_or_default();
    let body = match rest.first_chunk::<8>() {
        Some([a, b, c, d, b'B', b'I', b'N', 0]) => {
            let length = u32::from_le_bytes([*a, *b, *c, *d]) as usize;
            rest.get(8..).and_then(|r| r.get(..length)).ok_or_else(cut)?
        }
        _ => &[],
    };
    Ok((text, body))
}

struct Reading<'a> {
    gltf: &'a Gltf,
    body: &'a [u8],
    limits: &'a Limits,
    collector: Collector,
    cameras: Vec<SceneCamera>,
    intrinsics: Option<Intrinsics>,
    visited: usize,
    /// The first pass: points are counted, nothing is read.
    counting: bool,
    points: usize,
}

impl Reading<'_> {
    fn node(&mut self, index: usize, parent: &Transform, depth: usize) -> Result<(), SceneError> {
        let gltf = self.gltf;
        let node = gltf.nodes.0.get(index).ok_or_else(|| SceneError::damaged(format!("node {index} is missing")))?;
        self.visited += 1;
        // A node inside itself, or inside many others, would never end.
        if depth > MAX_DEPTH || self.visited > json::MAX_NODES {
            return Err(SceneError::damaged("its nodes lie inside each other too often"));
        }
        let own = Transform::of(node);
        let world = if *parent == Transform::IDENTITY { own } else { parent.after(&own) };
        let ours = node.extras.0;
        if !self.counting && (node.camera.is_some() || ours.is_some()) {
            self.camera(node.camera, ours, &world)?;
        }
        if let Some(mesh) = node.mesh {
            self.mesh(mesh, &world)?;
        }
        node.children.0.iter().try_for_each(|&child| self.node(child, &world, depth + 1))
    }

    fn camera(
        &mut self,
        index: Option<usize>,
        ours: Option<json::NodeExtras>,
        world: &Transform,
    ) -> Result<(), SceneError> {
        Limits::check("cameras", self.cameras.len() + 1, self.limits.cameras)?;
        let known = index.and_then(|index| self.gltf.cameras.0.get(index));
        if self.intrinsics.is_none() {
            self.intrinsics = known.and_then(intrinsics);
        }
        let next = u32::try_from(self.cameras.len()).unwrap_or(u32::MAX);
        let json::NodeExtras { frame, time } = ours.unwrap_or(json::NodeExtras { frame: next, time: f64::from(next) });
        // A camera without a place is not shown; the points still are.
        if let Some(pose) = world.pose().filter(|_| time.is_finite()) {
            self.cameras.push(SceneCamera { frame, time, pose: turn_pose(&pose) });
        }
        Ok(())
    }

    fn mesh(&mut self, index: usize, world: &Transform) -> Result<(), SceneError> {
        let gltf = self.gltf;
        let mesh = gltf.meshes.0.get(index).ok_or_else(|| SceneError::damaged(format!("mesh {index} is missing")))?;
        for primitive in mesh.primitives.0.iter().filter(|p| !LINES.contains(&p.mode)) {
            let Some(position) = primitive.attributes.position else { continue };
            let position = Column::new(gltf, self.body, position)?;
            if self.counting {
                self.points = self.points.saturating_add(position.count);
                Limits::check("points", self.points, self.limits.points)?;
                continue;
            }
            let optional = |index: Option<usize>| index.map(|index| Column::new(gltf, self.body, index)).transpose();
            let (color, confidence, frame) = (
                optional(primitive.attributes.color)?.filter(|c| c.width >= 3),
                optional(primitive.attributes.confidence)?,
                optional(primitive.attributes.frame)?,
            );
            if position.width != 3 {
                return Err(SceneError::damaged("positions are not vectors of three"));
            }
            let others = [&color, &confidence, &frame];
            if others.into_iter().flatten().any(|column| column.count < position.count) {
                return Err(SceneError::damaged("not every position has its attributes"));
            }
            for row in 0..position.count {
                let place = turn_point(world.point(position.vector(row)));
                let rgb = color.as_ref().map_or(super::PLAIN, |c| c.vector(row).map(srgb8));
                let confidence = confidence.as_ref().map_or(f32::INFINITY, |c| c.get(row, 0));
                // `as` saturates and takes what is not a number as 0.
                let frame = frame.as_ref().map_or(0, |f| f.get(row, 0) as u32);
                self.collector.push(frame, PackedPoint::new(place, rgb, confidence), self.limits)?;
            }
        }
        Ok(())
    }
}

/// The pinhole camera: ours, or one of 384 pixels height with the same view.
fn intrinsics(camera: &json::Camera) -> Option<Intrinsics> {
    let usable = |k: &Intrinsics| {
        let sides = (1..=65_536).contains(&k.width) && (1..=65_536).contains(&k.height);
        sides && [k.fx, k.fy].iter().all(|f| f.is_finite() && *f > 0.0) && k.cx.is_finite() && k.cy.is_finite()
    };
    if let Some(ours) = camera.extras.0.filter(usable) {
        return Some(ours);
    }
    let perspective = camera.perspective?;
    let height = 384.0;
    let focal = height / 2.0 / (perspective.yfov / 2.0).tan();
    let width = (height * perspective.aspect_ratio.unwrap_or(4.0 / 3.0)).round();
    Some(Intrinsics::centred(focal, width as usize, height as usize)).filter(usable)
}

//! GLB (binary glTF 2.0): the points with confidence and frame, a node with a camera per frame, the path as a line.
//!
//! glTF has y up and cameras look along -z, so a world point (x, y, z) becomes (x, -y, -z), which is exact. Vertex
//! colours of glTF are linear: sRGB bytes become 16-bit linear values, from which they are restored exactly.
//! What glTF has no place for lies in `extras.point3r` of the scene and of the camera nodes.

pub mod document;

use std::io::Write;

use serde_json::{Value, json};

use self::document::{Accessor, Document, component, target};
use super::ExportError;
use crate::{
    cloud::{PackedPoint, Selection},
    geometry::{Intrinsics, Pose},
    scene::{Scene, SceneCamera},
};

/// Version of our extras.
pub const EXTRAS_VERSION: u32 = 1;
/// Bytes of a point: position, linear RGBA, confidence, frame.
const STRIDE: usize = 28;
const POINTS: u32 = 0;
const LINE_STRIP: u32 = 3;

/// OpenCV axes to glTF's, and back.
#[must_use]
pub fn turn_point([x, y, z]: [f32; 3]) -> [f32; 3] {
    [x, -y, -z]
}

/// A camera's pose in OpenCV axes to that of a glTF node with a camera, and back.
#[must_use]
pub fn turn_pose(pose: &Pose) -> Pose {
    let [w, x, y, z] = pose.rotation;
    Pose { translation: turn_point(pose.translation), rotation: [w, x, -y, -z] }
}

/// 8-bit sRGB to 16-bit linear.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "0 to 65535")]
pub fn linear16(srgb: u8) -> u16 {
    let v = f64::from(srgb) / 255.0;
    let linear = if v <= 0.040_45 { v / 12.92 } else { ((v + 0.055) / 1.055).powf(2.4) };
    (linear * 65_535.0).round() as u16
}

/// A linear value (0 to 1) to 8-bit sRGB.
#[must_use]
#[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "clamped to 8 bits")]
pub fn srgb8(linear: f32) -> u8 {
    let v = linear.clamp(0.0, 1.0);
    let srgb = if v <= 0.003_130_8 { v * 12.92 } else { 1.055 * v.powf(1.0 / 2.4) - 0.055 };
    (srgb * 255.0).round() as u8
}

/// Writes the wanted points (a least confidence, or a [`Selection`]), all cameras and the path.
///
/// # Errors
/// When no point is left, a pose is not finite, or `out` fails.
pub fn write(scene: &Scene, wanted: impl Into<Selection>, out: &mut impl Write) -> Result<(), ExportError> {
    let finite = |(_, p): &(u32, &PackedPoint)| p.position.iter().all(|v| v.is_finite());
    let points = scene.cloud.selected(wanted.into()).filter(finite);
    let start = (0, [[f32::INFINITY; 3], [f32::NEG_INFINITY; 3]]);
    let (count, range) =
        points.clone().fold(start, |(n, range), (_, p)| (n + 1, including(range, turn_point(p.position))));
    if count == 0 {
        return Err(ExportError::Empty);
    }
    if let Some(index) = scene.cameras.iter().position(|c| !c.time.is_finite() || !c.pose.is_finite()) {
        return Err(ExportError::NotFinite(index));
    }
    let path: Vec<[f32; 3]> = scene.cameras.iter().map(|c| turn_point(c.pose.translation)).collect();
    let document = describe(scene, count, range, &path);
    let linear: Vec<u16> = (0..=255).map(linear16).collect();
    document.write(out, |out| {
        for (frame, point) in points {
            let mut bytes = [0; STRIDE];
            let color = point.color().map(|c| linear.get(usize::from(c)).copied().unwrap_or(0));
            let position = turn_point(point.position).map(f32::to_le_bytes);
            let parts = position.as_flattened().iter().copied();
            let parts = parts.chain(color.into_iter().chain([u16::MAX]).flat_map(u16::to_le_bytes));
            let parts = parts.chain(point.confidence().to_le_bytes()).chain(number(frame).to_le_bytes());
            bytes.iter_mut().zip(parts).for_each(|(to, from)| *to = from);
            out.write_all(&bytes)?;
        }
        if path.len() > 1 {
            path.iter().flatten().try_for_each(|v| out.write_all(&v.to_le_bytes()))?;
        }
        Ok(())
    })
}

/// Frames are numbers that readers can take: glTF has no 32-bit integers for vertices.
#[expect(clippy::cast_precision_loss, reason = "exact to 16 million frames")]
fn number(frame: u32) -> f32 {
    frame as f32
}

fn including([min, max]: [[f32; 3]; 2], point: [f32; 3]) -> [[f32; 3]; 2] {
    let pick = |with: [f32; 3], better: fn(f32, f32) -> f32| std::array::from_fn(|i| better(with[i], point[i]));
    [pick(min, f32::min), pick(max, f32::max)]
}

fn describe(scene: &Scene, count: usize, range: [[f32; 3]; 2], path: &[[f32; 3]]) -> Document {
    let mut document = Document::default();
    let view = document.view(count * STRIDE, Some(STRIDE), target::VERTICES);
    let base =
        Accessor { view, offset: 0, component: component::F32, kind: "VEC3", count, normalized: false, range: None };
    let position = document.accessor(Accessor { range: Some(range), ..base });
    let color =
        document.accessor(Accessor { offset: 12, component: component::U16, kind: "VEC4", normalized: true, ..base });
    let confidence = document.accessor(Accessor { offset: 20, kind: "SCALAR", ..base });
    let frame = document.accessor(Accessor { offset: 24, kind: "SCALAR", ..base });
    let attributes = json!({ "POSITION": position, "COLOR_0": color, "_CONFIDENCE": confidence, "_FRAME": frame });
    let mut meshes = vec![json!({ "name": "points", "primitives": [
        { "attributes": attributes, "mode": POINTS, "material": 0 },
    ] })];
    let mut nodes = vec![json!({ "name": "points", "mesh": 0 })];
    if path.len() > 1 {
        let range = path.iter().fold([[f32::INFINITY; 3], [f32::NEG_INFINITY; 3]], |r, &p| including(r, p));
        let view = document.view(path.len() * 12, None, target::VERTICES);
        let line = document.accessor(Accessor { view, count: path.len(), range: Some(range), ..base });
        meshes.push(json!({ "name": "path", "primitives": [
            { "attributes": { "POSITION": line }, "mode": LINE_STRIP, "material": 0 },
        ] }));
        nodes.push(json!({ "name": "path", "mesh": 1 }));
    }
    let has_camera = scene.intrinsics.is_some_and(|k| k.fy > 0.0 && k.width > 0 && k.height > 0);
    if let Some(k) = scene.intrinsics.filter(|_| has_camera) {
        document.content.insert("cameras".to_owned(), json!([camera(&k)]));
    }
    nodes.extend(scene.cameras.iter().map(|c| node(c, has_camera)));
    let all: Vec<usize> = (0..nodes.len()).collect();
    let mut extras = json!({
        "version": EXTRAS_VERSION,
        "title": crate::scene::title(&scene.title),
        "axes": "glTF; the scan's own axes are (x, -y, -z)",
        "confidence": "of the network, 1 and up, in steps of 3.3 %",
    });
    if let (Some(viewpoint), Some(extras)) = (scene.viewpoint.filter(|v| v.is_usable()), extras.as_object_mut()) {
        extras.insert("eye".to_owned(), json!(turn_point(viewpoint.eye)));
        extras.insert("target".to_owned(), json!(turn_point(viewpoint.target)));
    }
    let parts = [
        ("extensionsUsed", json!(["KHR_materials_unlit"])),
        ("scene", json!(0)),
        ("scenes", json!([{ "name": "scan", "nodes": all, "extras": { "point3r": extras } }])),
        ("nodes", nodes.into()),
        ("meshes", meshes.into()),
        (
            "materials",
            json!([{ "name": "vertex colours", "extensions": { "KHR_materials_unlit": {} },
            "pbrMetallicRoughness": { "metallicFactor": 0, "roughnessFactor": 1 } }]),
        ),
    ];
    document.content.extend(parts.map(|(name, value)| (name.to_owned(), value)));
    document
}

#[expect(clippy::cast_precision_loss, reason = "image sides")]
fn camera(k: &Intrinsics) -> Value {
    let (width, height) = (k.width as f64, k.height as f64);
    json!({ "name": "camera", "type": "perspective",
        "perspective": { "yfov": 2.0 * (height / 2.0 / k.fy).atan(), "aspectRatio": width / height, "znear": 0.01 },
        "extras": { "point3r": k } })
}

fn node(camera: &SceneCamera, has_camera: bool) -> Value {
    let pose = turn_pose(&camera.pose);
    // Unit length to the last bit that f32 has: validators measure it.
    let q = pose.rotation.map(f64::from);
    let norm = q.iter().map(|v| v * v).sum::<f64>().sqrt();
    let [w, x, y, z] = if norm > 1e-9 { q.map(|v| v / norm) } else { [1.0, 0.0, 0.0, 0.0] };
    let mut node = json!({
        "name": format!("camera {:06}", camera.frame),
        "translation": pose.translation.map(f64::from),
        "rotation": [x, y, z, w],
        "extras": { "point3r": { "frame": camera.frame, "time": camera.time } },
    });
    if let (true, Some(node)) = (has_camera, node.as_object_mut()) {
        node.insert("camera".to_owned(), 0.into());
    }
    node
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn colours_survive_linear_16_bit_values_exactly() {
        for srgb in 0..=255 {
            assert_eq!(srgb8(f32::from(linear16(srgb)) / 65_535.0), srgb);
        }
    }

    #[test]
    fn turning_axes_twice_changes_nothing() {
        let pose = Pose { translation: [1.0, -2.0, 3.5], rotation: [0.5, -0.5, 0.5, 0.5] };
        assert_eq!(turn_pose(&turn_pose(&pose)), pose);
        // A point straight ahead of the camera lies on the node's -z axis.
        let ahead = turn_point(pose.transform_point([0.0, 0.0, 1.0]));
        assert_eq!(turn_pose(&pose).transform_point([0.0, 0.0, -1.0]), ahead);
    }
}

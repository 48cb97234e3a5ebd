//! Numbers of a GLB: every address is checked against the file once, when the column is made.

use super::json::{Accessor, Gltf};
use crate::scene::SceneError;

/// One attribute of vertices.
pub(super) struct Column<'a> {
    bytes: &'a [u8],
    stride: usize,
    component: u32,
    normalized: bool,
    /// Numbers per vertex.
    pub(super) width: usize,
    /// Vertices.
    pub(super) count: usize,
}

impl<'a> Column<'a> {
    /// The column that accessor `index` describes.
    pub(super) fn new(gltf: &Gltf, body: &'a [u8], index: usize) -> Result<Self, SceneError> {
        let bad = |what: &str| SceneError::damaged(format!("accessor {index}: {what}"));
        let accessor: &Accessor = gltf.accessors.0.get(index).ok_or_else(|| bad("missing"))?;
        if accessor.sparse.is_some() {
            return Err(SceneError::Unsupported("a GLB with sparse accessors".to_owned()));
        }
        let width = match accessor.kind.as_str() {
            "SCALAR" => 1,
            "VEC2" => 2,
            "VEC3" => 3,
            "VEC4" => 4,
            _ => return Err(bad("neither scalar nor vector")),
        };
        let size = match accessor.component_type {
            5120 | 5121 => 1,
            5122 | 5123 => 2,
            5125 | 5126 => 4,
            _ => return Err(bad("unknown component type")),
        } * width;
        let view =
            accessor.buffer_view.and_then(|v| gltf.buffer_views.0.get(v)).ok_or_else(|| bad("has no buffer view"))?;
        if view.buffer != 0 || gltf.buffers.0.first().is_none_or(|b| b.uri.is_some()) {
            return Err(SceneError::Unsupported("a GLB whose data lies in other files".to_owned()));
        }
        let stride = view.byte_stride.unwrap_or(size);
        let end = view.byte_offset.checked_add(view.byte_length);
        let slice = end.and_then(|end| body.get(view.byte_offset..end)).and_then(|v| v.get(accessor.byte_offset..));
        let bytes = slice.ok_or_else(|| bad("lies outside the file"))?;
        let needed = accessor.count.checked_sub(1).map_or(Some(0), |last| last.checked_mul(stride)?.checked_add(size));
        if !(size..=252).contains(&stride) || needed.is_none_or(|needed| needed > bytes.len()) {
            return Err(bad("lies outside the file"));
        }
        Ok(Self {
            bytes,
            stride,
            component: accessor.component_type,
            normalized: accessor.normalized,
            width,
            count: accessor.count,
        })
    }

    /// Number `part` of vertex `row`; integers that are normalised come as 0 to 1 (or -1 to 1).
    pub(super) fn get(&self, row: usize, part: usize) -> f32 {
        fn at<const N: usize>(bytes: &[u8], offset: usize) -> [u8; N] {
            bytes.get(offset..).and_then(|b| b.first_chunk::<N>()).copied().unwrap_or([0; N])
        }
        let start = row * self.stride;
        let (value, full) = match self.component {
            5120 => (f32::from(i8::from_le_bytes(at(self.bytes, start + part))), 127.0),
            5121 => (f32::from(u8::from_le_bytes(at(self.bytes, start + part))), 255.0),
            5122 => (f32::from(i16::from_le_bytes(at(self.bytes, start + 2 * part))), 32_767.0),
            5123 => (f32::from(u16::from_le_bytes(at(self.bytes, start + 2 * part))), 65_535.0),
            5125 => (u32::from_le_bytes(at(self.bytes, start + 4 * part)) as f32, 1.0),
            _ => return f32::from_le_bytes(at(self.bytes, start + 4 * part)),
        };
        if self.normalized { (value / full).max(-1.0) } else { value }
    }

    /// The first `N` numbers of vertex `row`.
    pub(super) fn vector<const N: usize>(&self, row: usize) -> [f32; N] {
        std::array::from_fn(|part| self.get(row, part))
    }
}

//! The GLB container: a JSON chunk that describes bytes, and one chunk with those bytes.
//!
//! A [`Document`] only counts bytes; they are written afterwards in one go, so a large cloud is never held twice.

use std::io::Write;

use serde_json::{Map, Value, json};

use crate::export::{ExportError, generator};

/// Component types of glTF.
pub mod component {
    /// 8 bits, unsigned.
    pub const U8: u32 = 5121;
    /// 16 bits, unsigned.
    pub const U16: u32 = 5123;
    /// 32 bits, unsigned.
    pub const U32: u32 = 5125;
    /// 32 bits, floating point.
    pub const F32: u32 = 5126;
}

/// Targets of buffer views.
pub mod target {
    /// Vertex attributes.
    pub const VERTICES: u32 = 34_962;
    /// Vertex indices.
    pub const INDICES: u32 = 34_963;
}

/// What an accessor says of its numbers.
#[derive(Debug, Clone, Copy)]
pub struct Accessor<'a> {
    /// Index of the buffer view.
    pub view: usize,
    /// Bytes from its start.
    pub offset: usize,
    /// One of [`component`].
    pub component: u32,
    /// `SCALAR`, `VEC3`, ...
    pub kind: &'a str,
    /// Number of elements.
    pub count: usize,
    /// Whether integers stand for 0 to 1.
    pub normalized: bool,
    /// Smallest and largest value, which positions must state.
    pub range: Option<[[f32; 3]; 2]>,
}

/// A glTF document under construction.
#[derive(Debug, Default)]
pub struct Document {
    /// Everything but `asset`, `buffers`, `bufferViews` and `accessors`: `scenes`, `nodes`, `meshes`, ...
    pub content: Map<String, Value>,
    views: Vec<Value>,
    accessors: Vec<Value>,
    bytes: usize,
}

impl Document {
    /// Reserves the next `length` bytes (rounded up to 4); answers the view's index. `stride` for interleaved vertices.
    pub fn view(&mut self, length: usize, stride: Option<usize>, target: u32) -> usize {
        let mut view = json!({ "buffer": 0, "byteOffset": self.bytes, "byteLength": length, "target": target });
        if let (Some(stride), Some(view)) = (stride, view.as_object_mut()) {
            view.insert("byteStride".to_owned(), stride.into());
        }
        self.views.push(view);
        self.bytes += length.next_multiple_of(4);
        self.views.len() - 1
    }

    /// Describes numbers inside a view; answers the accessor's index.
    pub fn accessor(&mut self, a: Accessor<'_>) -> usize {
        let mut value = json!({
            "bufferView": a.view, "byteOffset": a.offset, "componentType": a.component, "type": a.kind, "count": a.count,
        });
        if let Some(object) = value.as_object_mut() {
            if a.normalized {
                object.insert("normalized".to_owned(), true.into());
            }
            if let Some([min, max]) = a.range {
                object.insert("min".to_owned(), min.map(f64::from).to_vec().into());
                object.insert("max".to_owned(), max.map(f64::from).to_vec().into());
            }
        }
        self.accessors.push(value);
        self.accessors.len() - 1
    }

    /// Writes the file. `body` must write exactly the reserved bytes, in order.
    ///
    /// # Errors
    /// When the file would exceed 4 GiB, `body` writes another number of bytes, or `out` fails.
    pub fn write<W: Write>(
        mut self,
        out: &mut W,
        body: impl FnOnce(&mut Counting<'_, W>) -> std::io::Result<()>,
    ) -> Result<(), ExportError> {
        self.content.insert("asset".to_owned(), json!({ "version": "2.0", "generator": generator() }));
        if self.bytes > 0 {
            self.content.insert("buffers".to_owned(), json!([{ "byteLength": self.bytes }]));
            self.content.insert("bufferViews".to_owned(), self.views.into());
            self.content.insert("accessors".to_owned(), self.accessors.into());
        }
        let mut text = serde_json::to_vec(&self.content).map_err(std::io::Error::from)?;
        text.resize(text.len().next_multiple_of(4), b' ');
        let total = 12 + 8 + text.len() + if self.bytes > 0 { 8 + self.bytes } else { 0 };
        let too_large = || std::io::Error::other("a GLB holds 4 GiB at most: ask for more confidence");
        let length = |n: usize| u32::try_from(n).map_err(|_| ExportError::Io(too_large()));
        out.write_all(b"glTF")?;
        for word in [2, length(total)?, length(text.len())?] {
            out.write_all(&word.to_le_bytes())?;
        }
        out.write_all(b"JSON")?;
        out.write_all(&text)?;
        if self.bytes > 0 {
            out.write_all(&length(self.bytes)?.to_le_bytes())?;
            out.write_all(b"BIN\0")?;
            let mut counting = Counting { out, written: 0 };
            body(&mut counting)?;
            if counting.written != self.bytes {
                return Err(ExportError::Io(std::io::Error::other("the GLB's parts have other sizes than announced")));
            }
        }
        Ok(())
    }
}

/// Counts what is written through it.
#[derive(Debug)]
pub struct Counting<'a, W> {
    out: &'a mut W,
    written: usize,
}

impl<W: Write> Write for Counting<'_, W> {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        let count = self.out.write(bytes)?;
        self.written += count;
        Ok(count)
    }

    fn flush(&mut self) -> std::io::Result<()> {
        self.out.flush()
    }
}

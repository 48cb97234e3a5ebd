//! Reads the clouds of `point3r run`: binary little-endian PLY whose vertices have x y z and a frame number.

use std::{collections::BTreeMap, path::Path};

use crate::eval::EvalError;

/// Larger clouds are not read.
const LARGEST: u64 = 8 << 30;

fn content(path: &Path, problem: impl Into<String>) -> EvalError {
    let hint = "write it with `point3r run`";
    EvalError::Content { path: path.to_owned(), problem: problem.into(), hint }
}

/// Points by frame, in the order of the file.
pub(super) fn points_by_frame(path: &Path) -> Result<BTreeMap<usize, Vec<[f32; 3]>>, EvalError> {
    let missing = |e: std::io::Error| EvalError::Missing {
        path: path.to_owned(),
        reason: e.to_string(),
        hint: "reconstruction evaluation needs the cloud of `point3r run`",
    };
    let size = std::fs::metadata(path).map_err(missing)?.len();
    if size > LARGEST {
        return Err(content(path, format!("{size} bytes are too many")));
    }
    let bytes = std::fs::read(path).map_err(missing)?;
    parse(&bytes).map_err(|problem| content(path, problem))
}

fn parse(bytes: &[u8]) -> Result<BTreeMap<usize, Vec<[f32; 3]>>, &'static str> {
    const END: &[u8] = b"end_header\n";
    let head = bytes.get(..bytes.len().min(1 << 16)).unwrap_or_default();
    let end = head.windows(END.len()).position(|w| w == END).ok_or("no PLY header")?;
    let header = std::str::from_utf8(bytes.get(..end).unwrap_or_default()).map_err(|_| "no PLY header")?;
    let body = bytes.get(end + END.len()..).unwrap_or_default();
    let mut lines = header.lines();
    if lines.next() != Some("ply") || lines.next() != Some("format binary_little_endian 1.0") {
        return Err("not a binary little-endian PLY file");
    }
    let (mut count, mut stride) = (None, 0);
    let mut places: BTreeMap<String, (usize, bool)> = BTreeMap::new();
    for line in lines {
        match line.split_whitespace().collect::<Vec<_>>().as_slice() {
            ["element", "vertex", number] if count.is_none() => count = number.parse::<usize>().ok(),
            ["element", ..] => return Err("elements other than one list of vertices"),
            ["property", kind, name] => {
                places.insert((*name).to_owned(), (stride, *kind == "float"));
                stride += match *kind {
                    "char" | "uchar" => 1,
                    "short" | "ushort" => 2,
                    "int" | "uint" | "float" => 4,
                    "double" => 8,
                    _ => return Err("a property of unknown type"),
                };
            }
            _ => {}
        }
    }
    let float = |name: &str| places.get(name).filter(|(_, float)| *float).map(|(at, _)| *at).ok_or("no float x y z");
    let (x, y, z) = (float("x")?, float("y")?, float("z")?);
    let frame =
        places.get("frame").filter(|(_, float)| !float).map(|(at, _)| *at).ok_or("no frame number per point")?;
    let count = count.ok_or("no vertices")?;
    if count.checked_mul(stride) != Some(body.len()) {
        return Err("its length does not fit its header");
    }
    let mut points: BTreeMap<usize, Vec<[f32; 3]>> = BTreeMap::new();
    for vertex in body.chunks_exact(stride.max(1)) {
        let word = |at: usize| vertex.get(at..at + 4).and_then(|w| <[u8; 4]>::try_from(w).ok()).unwrap_or_default();
        let index = usize::try_from(i32::from_le_bytes(word(frame))).map_err(|_| "a negative frame number")?;
        points.entry(index).or_default().push([x, y, z].map(|at| f32::from_le_bytes(word(at))));
    }
    Ok(points)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::cloud::{Chunk, Cloud, PackedPoint};

    #[test]
    fn what_is_written_is_read_back_by_frame_and_damage_is_named() {
        let mut cloud = Cloud::default();
        for frame in [0, 4] {
            let point = |i: u16| PackedPoint::new([f32::from(i), 0.5, -1.0], [1, 2, 3], 2.0);
            cloud.push(Chunk::new(frame, (0..5).map(point).collect()));
        }
        let mut bytes = Vec::new();
        let options = crate::export::ExportOptions { comments: vec!["a comment".to_owned()], ..Default::default() };
        crate::export::ply::write(&cloud, &options, &mut bytes).unwrap();
        let points = parse(&bytes).unwrap();
        assert_eq!(points.keys().copied().collect::<Vec<_>>(), [0, 4]);
        assert_eq!(points[&4][3], [3.0, 0.5, -1.0]);
        assert!(parse(&bytes[..bytes.len() - 1]).unwrap_err().contains("length"));
        assert!(parse(&bytes[..40]).is_err());
        assert!(parse(b"ply\nformat ascii 1.0\nend_header\n").is_err());
        assert!(parse(b"").is_err());
    }
}

//! Reads PLY point clouds: ASCII and binary of either byte order, any property types, colours in the usual spellings.
//!
//! Positions are taken as they are: PLY does not say which way is up. Faces are not looked at.

use super::{Limits, Scene, SceneError, collect::Collector};
use crate::cloud::PackedPoint;

/// Bytes a header may take.
const MAX_HEADER: usize = 64 << 10;
/// Spherical harmonics of order 0 to a colour, in files of splats.
const SH_C0: f32 = 0.282_094_8;

#[derive(Debug, Clone, Copy, PartialEq)]
enum Encoding {
    Ascii,
    Little,
    Big,
}

#[derive(Debug, Clone, Copy, PartialEq)]
enum Kind {
    I8,
    U8,
    I16,
    U16,
    I32,
    U32,
    F32,
    F64,
}

impl Kind {
    fn named(name: &str) -> Option<Self> {
        Some(match name {
            "char" | "int8" => Self::I8,
            "uchar" | "uint8" => Self::U8,
            "short" | "int16" => Self::I16,
            "ushort" | "uint16" => Self::U16,
            "int" | "int32" => Self::I32,
            "uint" | "uint32" => Self::U32,
            "float" | "float32" => Self::F32,
            "double" | "float64" => Self::F64,
            _ => return None,
        })
    }

    fn size(self) -> usize {
        match self {
            Self::I8 | Self::U8 => 1,
            Self::I16 | Self::U16 => 2,
            Self::I32 | Self::U32 | Self::F32 => 4,
            Self::F64 => 8,
        }
    }

    /// The largest value, which stands for full brightness; floats use 1.
    fn full(self) -> f32 {
        match self {
            Self::I8 => 127.0,
            Self::U8 => 255.0,
            Self::I16 => 32_767.0,
            Self::U16 => 65_535.0,
            Self::I32 | Self::U32 => 255.0,
            Self::F32 | Self::F64 => 1.0,
        }
    }
}

#[derive(Debug)]
enum Shape {
    Scalar(Kind),
    List(Kind, Kind),
}

#[derive(Debug)]
struct Element {
    name: String,
    count: usize,
    properties: Vec<(String, Shape)>,
}

/// What a vertex property means to us.
#[derive(Debug, Clone, Copy)]
enum Role {
    Position(usize),
    Color(usize, f32),
    Harmonic(usize),
    Confidence,
    Frame,
}

impl Role {
    fn of(name: &str, kind: Kind) -> Option<Self> {
        Some(match name {
            "x" | "y" | "z" => Self::Position(usize::from(name.as_bytes().first()? - b'x')),
            "red" | "r" | "diffuse_red" => Self::Color(0, kind.full()),
            "green" | "g" | "diffuse_green" => Self::Color(1, kind.full()),
            "blue" | "b" | "diffuse_blue" => Self::Color(2, kind.full()),
            "f_dc_0" => Self::Harmonic(0),
            "f_dc_1" => Self::Harmonic(1),
            "f_dc_2" => Self::Harmonic(2),
            "confidence" => Self::Confidence,
            "frame" => Self::Frame,
            _ => return None,
        })
    }
}

/// Reads a file that begins with `ply`.
///
/// # Errors
/// When the file is damaged, too large or without points.
pub fn read(bytes: &[u8], limits: &Limits) -> Result<Scene, SceneError> {
    Limits::check("bytes", bytes.len(), limits.bytes)?;
    let (encoding, elements, body) = header(bytes)?;
    let mut values = Values { encoding, bytes: body };
    for element in elements {
        if element.name != "vertex" {
            skip(&mut values, &element)?;
            continue;
        }
        let cloud = vertices(&mut values, &element, limits)?.finish()?;
        return Ok(Scene { cloud, ..Scene::default() });
    }
    Err(SceneError::Empty)
}

fn header(bytes: &[u8]) -> Result<(Encoding, Vec<Element>, &[u8]), SceneError> {
    let bad =
        |line: &str| SceneError::damaged(format!("PLY header line \"{}\"", line.chars().take(80).collect::<String>()));
    let mut encoding = None;
    let mut elements: Vec<Element> = Vec::new();
    let mut rest = bytes;
    let mut first = true;
    loop {
        let window = rest.get(..rest.len().min(MAX_HEADER)).unwrap_or(rest);
        let end = window
            .iter()
            .position(|&b| b == b'\n')
            .ok_or_else(|| SceneError::damaged("the PLY header does not end"))?;
        let (line, after) = rest.split_at(end);
        rest = after.get(1..).unwrap_or_default();
        if bytes.len() - rest.len() > MAX_HEADER || elements.len() > 64 {
            return Err(SceneError::damaged("the PLY header does not end"));
        }
        let line = String::from_utf8_lossy(line);
        let line = line.trim_end_matches('\r');
        let words: Vec<&str> = line.split_ascii_whitespace().collect();
        match words.as_slice() {
            ["ply"] if first => {}
            _ if first => return Err(SceneError::Unsupported("not a PLY file".to_owned())),
            ["format", "ascii", _] => encoding = Some(Encoding::Ascii),
            ["format", "binary_little_endian", _] => encoding = Some(Encoding::Little),
            ["format", "binary_big_endian", _] => encoding = Some(Encoding::Big),
            ["comment" | "obj_info", ..] | [] => {}
            ["element", name, count] => {
                let count = count.parse().map_err(|_| bad(line))?;
                elements.push(Element { name: (*name).to_owned(), count, properties: Vec::new() });
            }
            ["property", "list", length, item, name] => {
                let (Some(length), Some(item)) = (Kind::named(length), Kind::named(item)) else {
                    return Err(bad(line));
                };
                let element = elements.last_mut().ok_or_else(|| bad(line))?;
                element.properties.push(((*name).to_owned(), Shape::List(length, item)));
            }
            ["property", kind, name] => {
                let kind = Kind::named(kind).ok_or_else(|| bad(line))?;
                let element = elements.last_mut().ok_or_else(|| bad(line))?;
                element.properties.push(((*name).to_owned(), Shape::Scalar(kind)));
            }
            ["end_header"] => break,
            _ => return Err(bad(line)),
        }
        first = false;
    }
    let encoding = encoding.ok_or_else(|| SceneError::damaged("the PLY header names no format"))?;
    Ok((encoding, elements, rest))
}

/// The numbers after the header.
struct Values<'a> {
    encoding: Encoding,
    bytes: &'a [u8],
}

impl Values<'_> {
    fn take<const N: usize>(&mut self) -> Result<[u8; N], SceneError> {
        let (head, rest) = self.bytes.split_first_chunk::<N>().ok_or_else(ends)?;
        self.bytes = rest;
        let mut head = *head;
        if self.encoding == Encoding::Big {
            head.reverse();
        }
        Ok(head)
    }

    fn next(&mut self, kind: Kind) -> Result<f64, SceneError> {
        if self.encoding == Encoding::Ascii {
            return self.word();
        }
        Ok(match kind {
            Kind::I8 => f64::from(i8::from_le_bytes(self.take()?)),
            Kind::U8 => f64::from(u8::from_le_bytes(self.take()?)),
            Kind::I16 => f64::from(i16::from_le_bytes(self.take()?)),
            Kind::U16 => f64::from(u16::from_le_bytes(self.take()?)),
            Kind::I32 => f64::from(i32::from_le_bytes(self.take()?)),
            Kind::U32 => f64::from(u32::from_le_bytes(self.take()?)),
            Kind::F32 => f64::from(f32::from_le_bytes(self.take()?)),
            Kind::F64 => f64::from_le_bytes(self.take()?),
        })
    }

    fn word(&mut self) -> Result<f64, SceneError> {
        let start = self.bytes.iter().position(|b| !b.is_ascii_whitespace()).ok_or_else(ends)?;
        let rest = self.bytes.get(start..).unwrap_or_default();
        let end = rest.iter().take(64).position(u8::is_ascii_whitespace).unwrap_or(rest.len());
        let (word, rest) = rest.split_at(end);
        self.bytes = rest;
        let text = std::str::from_utf8(word.get(..word.len().min(64)).unwrap_or_default()).unwrap_or_default();
        text.parse().map_err(|_| SceneError::damaged("a PLY value is not a number"))
    }
}

fn ends() -> SceneError {
    SceneError::damaged("the PLY ends before its last value")
}

/// The least bytes that `element` can take: a count that the file cannot hold is refused before anything is read.
fn check_count(values: &Values<'_>, element: &Element) -> Result<(), SceneError> {
    let least = |(_, shape): &(String, Shape)| match (values.encoding, shape) {
        (Encoding::Ascii, _) => 1,
        (_, Shape::Scalar(kind)) => kind.size(),
        (_, Shape::List(length, _)) => length.size(),
    };
    let stride: usize = element.properties.iter().map(least).sum();
    if element.count > 0 && element.count > values.bytes.len() / stride.max(1) {
        return Err(SceneError::damaged(format!(
            "the PLY announces {} {}s but is too short",
            element.count, element.name
        )));
    }
    Ok(())
}

fn skip(values: &mut Values<'_>, element: &Element) -> Result<(), SceneError> {
    check_count(values, element)?;
    if element.properties.is_empty() {
        return Ok(());
    }
    for _ in 0..element.count {
        for (_, shape) in &element.properties {
            value(values, shape)?;
        }
    }
    Ok(())
}

/// A scalar's value; a list is passed over.
fn value(values: &mut Values<'_>, shape: &Shape) -> Result<f64, SceneError> {
    match *shape {
        Shape::Scalar(kind) => values.next(kind),
        Shape::List(length, item) => {
            let length = values.next(length)?;
            if !(length >= 0.0 && length <= values.bytes.len() as f64) {
                return Err(ends());
            }
            for _ in 0..length as usize {
                values.next(item)?;
            }
            Ok(0.0)
        }
    }
}

fn vertices(values: &mut Values<'_>, element: &Element, limits: &Limits) -> Result<Collector, SceneError> {
    Limits::check("points", element.count, limits.points)?;
    check_count(values, element)?;
    let role = |(name, shape): &(String, Shape)| match shape {
        Shape::Scalar(kind) => Role::of(name, *kind),
        Shape::List(..) => None,
    };
    let roles: Vec<Option<Role>> = element.properties.iter().map(role).collect();
    let has = |wanted: usize| roles.iter().flatten().any(|r| matches!(r, Role::Position(axis) if *axis == wanted));
    if !(0..3).all(has) {
        return Err(SceneError::damaged("the PLY's vertices have no x, y and z"));
    }
    let mut collector = Collector::default();
    for _ in 0..element.count {
        let (mut position, mut color, mut confidence, mut frame) =
            ([0.0; 3], super::PLAIN.map(|v| f32::from(v) / 255.0), f32::INFINITY, 0.0);
        for ((_, shape), role) in element.properties.iter().zip(&roles) {
            let v = value(values, shape)?;
            match *role {
                Some(Role::Position(axis)) => position[axis] = v as f32,
                Some(Role::Color(channel, full)) => color[channel] = v as f32 / full,
                Some(Role::Harmonic(channel)) => color[channel] = 0.5 + SH_C0 * v as f32,
                Some(Role::Confidence) => confidence = v as f32,
                Some(Role::Frame) => frame = v,
                None => {}
            }
        }
        // `as` saturates and takes what is not a number as 0.
        let color = color.map(|v| (v * 255.0).round() as u8);
        collector.push(frame as u32, PackedPoint::new(position, color, confidence), limits)?;
    }
    Ok(collector)
}

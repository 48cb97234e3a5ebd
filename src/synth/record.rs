//! Packed records: one scene per record, written one after the other (see `docs/synth.md`).

use std::io::{self, Read, Write};

use super::{Frame, Sequence};

/// First four bytes of a record.
pub const MAGIC: [u8; 4] = *b"P3RW";
/// Format version.
pub const VERSION: u32 = 1;
/// Length of the header in bytes.
pub const HEADER_BYTES: usize = 28;
/// Largest side and frame count that a reader accepts.
const LARGEST: u32 = 1 << 14;

/// Bytes of one frame.
#[must_use]
pub fn frame_bytes(width: usize, height: usize) -> usize {
    width * height * 6 + 25 * 4
}

/// Writes a scene.
///
/// # Errors
/// If the writer fails.
pub fn write(out: &mut impl Write, s: &Sequence) -> io::Result<()> {
    out.write_all(&MAGIC)?;
    for v in [VERSION, s.frames.len() as u32, s.width as u32, s.height as u32] {
        out.write_all(&v.to_le_bytes())?;
    }
    out.write_all(&s.seed.to_le_bytes())?;
    let mut bytes = Vec::with_capacity(frame_bytes(s.width, s.height));
    for f in &s.frames {
        bytes.clear();
        bytes.extend_from_slice(&f.rgb);
        bytes.extend(f.depth.iter().flat_map(|d| d.to_le_bytes()));
        bytes.extend(f.pose.iter().chain(&s.intrinsics).flat_map(|v| v.to_le_bytes()));
        bytes.extend_from_slice(&f.motion);
        out.write_all(&bytes)?;
    }
    Ok(())
}

/// Reads the next scene; `None` at the end of the stream.
///
/// # Errors
/// If the stream ends early, is not of this format, or states absurd sizes.
pub fn read(input: &mut impl Read) -> io::Result<Option<Sequence>> {
    let wrong = |what: &str| io::Error::new(io::ErrorKind::InvalidData, format!("not a world record: {what}"));
    let mut header = [0u8; HEADER_BYTES];
    let mut filled = 0;
    while filled < HEADER_BYTES {
        match input.read(&mut header[filled..])? {
            0 if filled == 0 => return Ok(None),
            0 => return Err(wrong("the header is cut off")),
            n => filled += n,
        }
    }
    let word = |i: usize| u32::from_le_bytes([header[i], header[i + 1], header[i + 2], header[i + 3]]);
    if header[..4] != MAGIC {
        return Err(wrong("it does not begin with P3RW"));
    }
    if word(4) != VERSION {
        return Err(wrong(&format!("version {} (this program reads {VERSION})", word(4))));
    }
    let (frames, width, height) = (word(8), word(12), word(16));
    if width == 0 || height == 0 || width > LARGEST || height > LARGEST {
        return Err(wrong(&format!("frames of {width}x{height}")));
    }
    let seed = u64::from(word(20)) | u64::from(word(24)) << 32;
    let (width, height) = (width as usize, height as usize);
    let n = width * height;
    let mut s = Sequence { seed, width, height, intrinsics: [0.0; 9], frames: Vec::new() };
    let mut bytes = vec![0u8; frame_bytes(width, height)];
    for _ in 0..frames {
        input.read_exact(&mut bytes)?;
        let (rgb, rest) = bytes.split_at(3 * n);
        let (depth, rest) = rest.split_at(2 * n);
        let (numbers, motion) = rest.split_at(25 * 4);
        let number =
            |i: usize| f32::from_le_bytes([numbers[4 * i], numbers[4 * i + 1], numbers[4 * i + 2], numbers[4 * i + 3]]);
        s.intrinsics = std::array::from_fn(|i| number(16 + i));
        s.frames.push(Frame {
            rgb: rgb.to_vec(),
            depth: depth.chunks_exact(2).map(|b| u16::from_le_bytes([b[0], b[1]])).collect(),
            pose: std::array::from_fn(number),
            motion: motion.to_vec(),
        });
    }
    Ok(Some(s))
}

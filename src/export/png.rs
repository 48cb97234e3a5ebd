//! PNG, written: 8-bit RGB and gray, 16-bit gray, each row by the filter that leaves the smallest differences.

use std::io::Write;

use miniz_oxide::deflate::compress_to_vec_zlib;

use super::ExportError;

/// Fast, and on filtered rows nearly as small as the best.
const LEVEL: u8 = 4;

/// What the pixels are; 16 bits are given most significant byte first.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Rgb8,
    Gray8,
    Gray16,
}

/// Writes a picture, rows top to bottom.
///
/// # Errors
/// When the bytes do not belong to this size, or `out` fails.
pub(super) fn write(
    pixels: &[u8],
    kind: Kind,
    width: usize,
    height: usize,
    out: &mut impl Write,
) -> Result<(), ExportError> {
    let (bits, color, step) = match kind {
        Kind::Rgb8 => (8, 2, 3),
        Kind::Gray8 => (8, 0, 1),
        Kind::Gray16 => (16, 0, 2),
    };
    let row = width * step;
    if pixels.is_empty() || pixels.len() != row * height {
        return Err(ExportError::Encode(format!("{} bytes for {width} x {height} pixels", pixels.len())));
    }
    let side = |s: usize| u32::try_from(s).map_err(|e| ExportError::Encode(e.to_string()));
    let mut header = Vec::new();
    header.extend(side(width)?.to_be_bytes());
    header.extend(side(height)?.to_be_bytes());
    header.extend([bits, color, 0, 0, 0]);
    out.write_all(b"\x89PNG\r\n\x1a\n")?;
    chunk(*b"IHDR", &header, out)?;
    chunk(*b"IDAT", &compress_to_vec_zlib(&filtered(pixels, row, step), LEVEL), out)?;
    chunk(*b"IEND", &[], out)
}

fn chunk(name: [u8; 4], body: &[u8], out: &mut impl Write) -> Result<(), ExportError> {
    let length = u32::try_from(body.len()).map_err(|_| ExportError::TooLarge("a picture"))?;
    let mut crc = crc32fast::Hasher::new();
    crc.update(&name);
    crc.update(body);
    for part in [&length.to_be_bytes(), &name[..], body, &crc.finalize().to_be_bytes()] {
        out.write_all(part)?;
    }
    Ok(())
}

/// Rows with their filter's number before each.
fn filtered(pixels: &[u8], row: usize, step: usize) -> Vec<u8> {
    let none = vec![0; row];
    let mut above: &[u8] = &none;
    let mut all = Vec::with_capacity(pixels.len() + pixels.len() / row.max(1));
    for line in pixels.chunks_exact(row) {
        // Sub, up and Paeth; average hardly ever wins.
        let tried = [1_u8, 2, 4].map(|filter| differences(filter, line, above, step));
        let size = |d: &[u8]| d.iter().map(|&v| u64::from(v.min(v.wrapping_neg()))).sum::<u64>();
        let best = [1_u8, 2, 4].into_iter().zip(tried).min_by_key(|(_, differences)| size(differences));
        if let Some((filter, differences)) = best {
            all.push(filter);
            all.extend(differences);
        }
        above = line;
    }
    all
}

/// A row less what the filter predicts from the pixel to the left, above, and left above.
fn differences(filter: u8, line: &[u8], above: &[u8], step: usize) -> Vec<u8> {
    let before = |row: &[u8], i: usize| i.checked_sub(step).and_then(|j| row.get(j)).copied().unwrap_or(0);
    let pairs = line.iter().zip(above).enumerate();
    let predicted = |i: usize, up: u8| match filter {
        1 => before(line, i),
        2 => up,
        _ => paeth(before(line, i), up, before(above, i)),
    };
    pairs.map(|(i, (&own, &up))| own.wrapping_sub(predicted(i, up))).collect()
}

/// Of left, up and corner the one nearest to left + up - corner.
fn paeth(left: u8, up: u8, corner: u8) -> u8 {
    let [a, b, c] = [left, up, corner].map(i16::from);
    let (to_left, to_up, to_corner) = ((b - c).abs(), (a - c).abs(), (a + b - 2 * c).abs());
    if to_left <= to_up && to_left <= to_corner {
        left
    } else if to_up <= to_corner {
        up
    } else {
        corner
    }
}

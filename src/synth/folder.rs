//! `posed-rgbd` folders: `color/`, `depth/`, `pose/`, `motion/` and `intrinsics.txt`.

use std::fs;
use std::io::{self, BufWriter, Write};
use std::path::Path;

use image::codecs::jpeg::JpegEncoder;
use image::codecs::png::PngEncoder;
use image::{ExtendedColorType, ImageEncoder};

use super::Sequence;

/// How colour images are stored.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ColorFile {
    /// Lossless.
    Png,
    /// Quality 92.
    Jpeg,
}

fn encoded(result: image::ImageResult<()>) -> io::Result<()> {
    result.map_err(io::Error::other)
}

fn rows<const N: usize>(values: &[f32]) -> String {
    values.chunks(N).map(|row| row.iter().map(|v| format!("{v:.9}")).collect::<Vec<_>>().join(" ") + "\n").collect()
}

/// Writes a scene into `dir`, which is created.
///
/// # Errors
/// If a file cannot be written.
pub fn write(dir: &Path, s: &Sequence, color: ColorFile) -> io::Result<()> {
    for part in ["color", "depth", "pose", "motion"] {
        fs::create_dir_all(dir.join(part))?;
    }
    fs::write(dir.join("intrinsics.txt"), rows::<3>(&s.intrinsics))?;
    let (w, h) = (s.width as u32, s.height as u32);
    for (i, f) in s.frames.iter().enumerate() {
        let open = |part: &str, ending: &str| {
            fs::File::create(dir.join(part).join(format!("{i:06}.{ending}"))).map(BufWriter::new)
        };
        let mut out = open("color", if color == ColorFile::Png { "png" } else { "jpg" })?;
        match color {
            ColorFile::Png => encoded(PngEncoder::new(&mut out).write_image(&f.rgb, w, h, ExtendedColorType::Rgb8))?,
            ColorFile::Jpeg => {
                encoded(JpegEncoder::new_with_quality(&mut out, 92).write_image(
                    &f.rgb,
                    w,
                    h,
                    ExtendedColorType::Rgb8,
                ))?;
            }
        }
        out.flush()?;
        let mut out = open("depth", "png")?;
        let depth: Vec<u8> = f.depth.iter().flat_map(|d| d.to_ne_bytes()).collect();
        encoded(PngEncoder::new(&mut out).write_image(&depth, w, h, ExtendedColorType::L16))?;
        out.flush()?;
        let mut out = open("motion", "png")?;
        encoded(PngEncoder::new(&mut out).write_image(&f.motion, w, h, ExtendedColorType::L8))?;
        out.flush()?;
        fs::write(dir.join("pose").join(format!("{i:06}.txt")), rows::<4>(&f.pose))?;
    }
    Ok(())
}

//! Image files: decoding, orientation, and the order of a folder.

use std::{
    cmp::Ordering,
    path::{Path, PathBuf},
};

use image::{DynamicImage, ImageDecoder, ImageError, ImageReader, Limits, metadata::Orientation};

use super::FrameError;
use crate::preprocess::{MAX_SIDE, RgbImage};

const EXTENSIONS: [&str; 5] = ["jpg", "jpeg", "png", "webp", "bmp"];

/// Whether a file's name says that it is an image.
pub(crate) fn is_image_name(path: &Path) -> bool {
    let extension = path.extension().and_then(|e| e.to_str()).unwrap_or_default().to_ascii_lowercase();
    let hidden = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with('.'));
    !hidden && EXTENSIONS.contains(&extension.as_str())
}

/// The images of a folder in natural order (`frame9` before `frame10`).
pub(super) fn images_in(folder: &Path) -> Result<Vec<PathBuf>, FrameError> {
    let unreadable = |e: std::io::Error| FrameError::Unreadable { path: folder.to_owned(), reason: e.to_string() };
    let mut paths = Vec::new();
    for entry in std::fs::read_dir(folder).map_err(unreadable)? {
        let path = entry.map_err(unreadable)?.path();
        if is_image_name(&path) && path.is_file() {
            paths.push(path);
        }
    }
    paths.sort_by(|a, b| natural_order(&a.to_string_lossy(), &b.to_string_lossy()));
    if paths.is_empty() { Err(FrameError::NoFrames(folder.to_owned())) } else { Ok(paths) }
}

/// Compares names with their numbers by value; equal numbers by their zeros, so that the order is total.
pub(crate) fn natural_order(a: &str, b: &str) -> Ordering {
    let (mut x, mut y) = (a, b);
    loop {
        let digits = |s: &str| s.len() - s.trim_start_matches(|c: char| c.is_ascii_digit()).len();
        let (nx, ny) = (digits(x), digits(y));
        if nx > 0 && ny > 0 {
            let (ax, rest_x) = x.split_at(nx);
            let (ay, rest_y) = y.split_at(ny);
            let (vx, vy) = (ax.trim_start_matches('0'), ay.trim_start_matches('0'));
            let order = vx.len().cmp(&vy.len()).then_with(|| vx.cmp(vy));
            if order != Ordering::Equal {
                return order;
            }
            (x, y) = (rest_x, rest_y);
            continue;
        }
        let (mut cx, mut cy) = (x.chars(), y.chars());
        match (cx.next(), cy.next()) {
            (Some(p), Some(q)) if p == q => (x, y) = (cx.as_str(), cy.as_str()),
            (None, None) => return a.cmp(b),
            (p, q) => return p.cmp(&q),
        }
    }
}

/// Reads an image file: upright (EXIF orientation applied), RGB, 8 bits; transparency is dropped, grey and
/// 16-bit pictures are converted.
///
/// # Errors
/// When the file cannot be read or is no complete image.
pub fn read_image(path: &Path) -> Result<RgbImage, FrameError> {
    let unreadable = |e: std::io::Error| FrameError::Unreadable { path: path.to_owned(), reason: e.to_string() };
    let wrong = |e: ImageError| match e {
        ImageError::Unsupported(_) => FrameError::Unsupported { path: path.to_owned(), reason: e.to_string() },
        e => FrameError::Image { path: path.to_owned(), reason: e.to_string() },
    };
    let mut reader = ImageReader::open(path).map_err(unreadable)?.with_guessed_format().map_err(unreadable)?;
    let mut limits = Limits::default();
    limits.max_image_width = u32::try_from(MAX_SIDE).ok();
    limits.max_image_height = limits.max_image_width;
    limits.max_alloc = Some(2 << 30);
    reader.limits(limits);
    let mut decoder = reader.into_decoder().map_err(wrong)?;
    let orientation = decoder.orientation().unwrap_or(Orientation::NoTransforms);
    let mut image = DynamicImage::from_decoder(decoder).map_err(wrong)?;
    image.apply_orientation(orientation);
    let image = image.into_rgb8();
    Ok(RgbImage { width: image.width() as usize, height: image.height() as usize, rgb: image.into_raw() })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_sort_by_value() {
        let mut names =
            vec!["f10.png", "f9.png", "f1.png", "f01.png", "a2b3", "a2b20", "f", "f99999999999999999999999"];
        names.sort_by(|a, b| natural_order(a, b));
        let sorted = ["a2b3", "a2b20", "f", "f01.png", "f1.png", "f9.png", "f10.png", "f99999999999999999999999"];
        assert_eq!(names, sorted);
    }

    #[test]
    fn hidden_and_other_files_are_no_images() {
        for (name, expected) in
            [("a.JPG", true), ("b.webp", true), ("._a.jpg", false), ("a.txt", false), ("jpg", false)]
        {
            assert_eq!(is_image_name(Path::new(name)), expected, "{name}");
        }
    }
}

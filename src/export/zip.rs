//! A zip written front to back in pieces, so that it never lies in memory as a whole.
//!
//! Entries are deflated where that pays (text, arrays) and stored otherwise (pictures). No zip64: at most 65,535
//! entries and 4 GiB, which is more than a page can hold. All entries carry the same fixed date: the same
//! reconstruction gives the same bytes.

use miniz_oxide::deflate::compress_to_vec;

use super::{ExportError, Sink};

/// Fast: what is deflated here is text and floats.
const LEVEL: u8 = 3;
const STORED: u16 = 0;
const DEFLATED: u16 = 8;
/// Names are UTF-8.
const FLAGS: u16 = 1 << 11;
/// 1 January 1980, the format's first day.
const DATE: u16 = 0x21;
const VERSION: u16 = 20;

/// A zip on its way out. `finish` must be called.
pub struct Zip<'a> {
    emit: &'a mut dyn FnMut(&[u8]) -> Result<(), ExportError>,
    directory: Vec<u8>,
    entries: u16,
    position: u32,
}

/// What local header and directory say alike.
struct Entry<'a> {
    name: &'a str,
    method: u16,
    crc: u32,
    packed: u32,
    size: u32,
}

impl Entry<'_> {
    fn describe(&self, out: &mut Vec<u8>) {
        for half in [VERSION, FLAGS, self.method, 0, DATE] {
            out.extend(half.to_le_bytes());
        }
        for word in [self.crc, self.packed, self.size] {
            out.extend(word.to_le_bytes());
        }
        // Names come from this crate and are short.
        out.extend((self.name.len() as u16).to_le_bytes());
        out.extend([0; 2]);
    }
}

/// Pictures and videos are compressed already.
fn is_packed(name: &str) -> bool {
    [".png", ".jpg", ".glb"].iter().any(|end| name.ends_with(end))
}

impl<'a> Zip<'a> {
    /// An empty zip whose bytes go to `emit`, in order.
    pub fn new(emit: &'a mut dyn FnMut(&[u8]) -> Result<(), ExportError>) -> Self {
        Self { emit, directory: Vec::new(), entries: 0, position: 0 }
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), ExportError> {
        let length = u32::try_from(bytes.len()).map_err(|_| ExportError::TooLarge("a zip"))?;
        self.position = self.position.checked_add(length).ok_or(ExportError::TooLarge("a zip"))?;
        (self.emit)(bytes)
    }

    /// Writes the directory, without which nothing can read the zip.
    ///
    /// # Errors
    /// When it grew too large, or `emit` fails.
    pub fn finish(mut self) -> Result<(), ExportError> {
        let start = self.position;
        let directory = std::mem::take(&mut self.directory);
        self.put(&directory)?;
        let mut end = b"PK\x05\x06\0\0\0\0".to_vec();
        end.extend(self.entries.to_le_bytes());
        end.extend(self.entries.to_le_bytes());
        end.extend((self.position - start).to_le_bytes());
        end.extend(start.to_le_bytes());
        end.extend([0; 2]);
        self.put(&end)
    }
}

impl Sink for Zip<'_> {
    fn file(&mut self, path: &str, bytes: &[u8]) -> Result<(), ExportError> {
        let size = u32::try_from(bytes.len()).map_err(|_| ExportError::TooLarge("a zip"))?;
        let deflated = (!is_packed(path)).then(|| compress_to_vec(bytes, LEVEL));
        let deflated = deflated.filter(|deflated| deflated.len() < bytes.len());
        let (method, body) = deflated.as_deref().map_or((STORED, bytes), |deflated| (DEFLATED, deflated));
        let packed = u32::try_from(body.len()).map_err(|_| ExportError::TooLarge("a zip"))?;
        let entry = Entry { name: path, method, crc: crc32fast::hash(bytes), packed, size };

        self.entries = self.entries.checked_add(1).ok_or(ExportError::TooLarge("a zip"))?;
        self.directory.extend(b"PK\x01\x02");
        self.directory.extend(VERSION.to_le_bytes());
        entry.describe(&mut self.directory);
        self.directory.extend([0; 10]); // comment length, disk, attributes
        self.directory.extend(self.position.to_le_bytes());
        self.directory.extend(path.as_bytes());

        let mut header = b"PK\x03\x04".to_vec();
        entry.describe(&mut header);
        header.extend(path.as_bytes());
        self.put(&header)?;
        self.put(body)
    }
}

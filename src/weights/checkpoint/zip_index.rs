//! The table of contents of a zip file as PyTorch writes it: entries that are stored, not compressed, so that a tensor
//! is a range of the file. Zip64 is understood.

use std::collections::BTreeMap;

use super::super::source::{Source, contains};

/// Most bytes of the table of contents.
const MAX_DIRECTORY: u64 = super::natively(64 << 20, 8 << 20);
/// Most entries.
const MAX_ENTRIES: u64 = 200_000;
/// The end record is at most this far from the end: 22 bytes and a comment.
const MAX_END: u64 = 22 + (1 << 16);
/// Bytes of a local header before name and extra field.
const LOCAL_HEADER: u64 = 30;

/// One stored file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Entry {
    /// Where its local header is.
    header: u64,
    /// Its size.
    pub(super) size: u64,
    /// Checksum of its bytes.
    pub(super) crc32: u32,
}

/// Entries by name.
#[derive(Debug, Default)]
pub(super) struct ZipIndex(pub(super) BTreeMap<String, Entry>);

fn number(bytes: &[u8], at: usize, width: usize) -> Option<u64> {
    let bytes = bytes.get(at..at.checked_add(width)?)?;
    Some(bytes.iter().rev().fold(0, |n, byte| n << 8 | u64::from(*byte)))
}

impl ZipIndex {
    /// Reads the table of contents.
    ///
    /// # Errors
    /// Says what is wrong with the file.
    pub(super) fn read(source: &dyn Source) -> Result<Self, String> {
        let damaged = || "its table of contents is damaged or the file is cut short".to_owned();
        let tail = source.len().min(MAX_END + 76);
        let start = source.len() - tail;
        let end = read(source, start, tail)?;
        let at = end.windows(4).rposition(|w| w == b"PK\x05\x06").ok_or_else(damaged)?;
        let field = |at: usize, width: usize| number(&end, at, width).ok_or_else(damaged);
        let (mut count, mut size, mut offset) = (field(at + 10, 2)?, field(at + 12, 4)?, field(at + 16, 4)?);
        if (count == 0xffff || size == 0xffff_ffff || offset == 0xffff_ffff)
            && let Some(locator) = at.checked_sub(20)
            && end.get(locator..locator + 4) == Some(b"PK\x06\x07")
        {
            let record = read(source, field(locator + 8, 8)?, 56)?;
            if !record.starts_with(b"PK\x06\x06") {
                return Err(damaged());
            }
            let field = |at: usize| number(&record, at, 8).ok_or_else(damaged);
            (count, size, offset) = (field(32)?, field(40)?, field(48)?);
        }
        if size > MAX_DIRECTORY || count > MAX_ENTRIES {
            return Err("its table of contents is larger than any checkpoint's".into());
        }
        let directory = read(source, offset, size)?;
        let mut entries = BTreeMap::new();
        let mut rest = directory.as_slice();
        for _ in 0..count {
            let (name, entry, after) = entry(rest)?.ok_or_else(damaged)?;
            entries.insert(name, entry);
            rest = after;
        }
        Ok(Self(entries))
    }

    /// Where the bytes of an entry begin.
    ///
    /// # Errors
    /// When its local header is not where the table of contents says.
    pub(super) fn start(source: &dyn Source, entry: &Entry) -> Result<u64, String> {
        let header = read(source, entry.header, LOCAL_HEADER)?;
        let lengths = (number(&header, 26, 2), number(&header, 28, 2));
        match lengths {
            (Some(name), Some(extra)) if header.starts_with(b"PK\x03\x04") => {
                let start = entry.header + LOCAL_HEADER + name + extra;
                if contains(source, start, entry.size) { Ok(start) } else { Err("it is cut short".into()) }
            }
            _ => Err("an entry is not where its table of contents says".into()),
        }
    }
}

fn read(source: &dyn Source, offset: u64, length: u64) -> Result<Vec<u8>, String> {
    if !contains(source, offset, length) {
        return Err("it is cut short, or its table of contents points outside the file".into());
    }
    let length = usize::try_from(length).map_err(|_| "a part of it does not fit memory".to_owned())?;
    source.read_at(offset, length).map_err(|e| e.to_string())
}

/// The first entry of a table of contents and what follows it; `None` where it is cut short.
#[expect(clippy::type_complexity, reason = "one private step")]
fn entry(bytes: &[u8]) -> Result<Option<(String, Entry, &[u8])>, String> {
    let field = |at: usize, width: usize| number(bytes, at, width);
    let Some(((method, crc32), (mut size, name))) = field(10, 2).zip(field(16, 4)).zip(field(24, 4).zip(field(28, 2)))
    else {
        return Ok(None);
    };
    let (Some(extra), Some(comment), Some(mut header)) = (field(30, 2), field(32, 2), field(42, 4)) else {
        return Ok(None);
    };
    let [name, extra, comment] = [name, extra, comment].map(|n| usize::try_from(n).unwrap_or(usize::MAX >> 2));
    let (Some(text), Some(fields), Some(rest)) =
        (bytes.get(46..46 + name), bytes.get(46 + name..46 + name + extra), bytes.get(46 + name + extra + comment..))
    else {
        return Ok(None);
    };
    if !bytes.starts_with(b"PK\x01\x02") {
        return Ok(None);
    }
    let text = String::from_utf8_lossy(text).into_owned();
    // Zip64: numbers that do not fit stand in an extra field, in this order.
    let mut fields = fields;
    while let (Some(id), Some(length)) = (number(fields, 0, 2), number(fields, 2, 2)) {
        let length = usize::try_from(length).unwrap_or(usize::MAX >> 2);
        let Some(body) = fields.get(4..4 + length) else { return Ok(None) };
        if id == 1 {
            let mut at = 0;
            let mut next = |is_full: bool, value: u64| {
                if !is_full {
                    return Some(value);
                }
                at += 8;
                number(body, at - 8, 8)
            };
            let Some(found) = next(size == 0xffff_ffff, size) else { return Ok(None) };
            size = found;
            let packed = field(20, 4) == Some(0xffff_ffff);
            if packed && next(true, 0).is_none() {
                return Ok(None);
            }
            let Some(found) = next(header == 0xffff_ffff, header) else { return Ok(None) };
            header = found;
        }
        fields = fields.get(4 + length..).unwrap_or_default();
    }
    if method != 0 && (text.ends_with(".pkl") || text.contains("/data/")) {
        return Err("its entries are compressed, which PyTorch does not do".into());
    }
    let crc32 = u32::try_from(crc32).unwrap_or_default();
    Ok(Some((text, Entry { header, size, crc32 }, rest)))
}

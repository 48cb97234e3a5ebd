//! Where the bytes of checkpoints and shards come from: a file on disk, one that was dropped into the page, or memory.

use std::io;

/// Bytes at any place, without holding the whole.
pub trait Source {
    /// Length in bytes.
    fn len(&self) -> u64;

    /// Whether there are no bytes at all.
    fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// Exactly `length` bytes from `offset` on.
    ///
    /// # Errors
    /// When they are not all there, or cannot be read.
    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>>;
}

/// Whether a range lies inside the source; checked before anything is allocated for it.
pub(crate) fn contains(source: &dyn Source, offset: u64, length: u64) -> bool {
    offset.checked_add(length).is_some_and(|end| end <= source.len())
}

/// Bytes in memory.
impl Source for &[u8] {
    fn len(&self) -> u64 {
        <[u8]>::len(self) as u64
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let part = usize::try_from(offset).ok().and_then(|start| self.get(start..start.checked_add(length)?));
        part.map(<[u8]>::to_vec).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }
}

/// A file on disk.
#[cfg(not(target_arch = "wasm32"))]
#[derive(Debug)]
pub(super) struct FileSource {
    path: std::path::PathBuf,
    length: u64,
}

#[cfg(not(target_arch = "wasm32"))]
impl FileSource {
    pub(super) fn open(path: &std::path::Path) -> io::Result<Self> {
        Ok(Self { path: path.to_owned(), length: std::fs::File::open(path)?.metadata()?.len() })
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Source for FileSource {
    fn len(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        use std::io::{Read, Seek, SeekFrom};
        let mut file = std::fs::File::open(&self.path)?;
        file.seek(SeekFrom::Start(offset))?;
        let mut bytes = Vec::new();
        file.take(length as u64).read_to_end(&mut bytes)?;
        if bytes.len() == length { Ok(bytes) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

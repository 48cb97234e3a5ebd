//! Where the files of an export go.

use super::ExportError;

/// Takes files one by one.
pub trait Sink {
    /// Takes one file; `path` is relative, with `/` between its parts.
    ///
    /// # Errors
    /// When it cannot be kept.
    fn file(&mut self, path: &str, bytes: &[u8]) -> Result<(), ExportError>;
}

/// Files below a folder. Paths come from this crate only.
#[derive(Debug)]
pub struct Folder(std::path::PathBuf);

impl Folder {
    /// Files below `folder`, which is made when the first is written.
    #[must_use]
    pub fn new(folder: impl Into<std::path::PathBuf>) -> Self {
        Self(folder.into())
    }
}

impl Sink for Folder {
    fn file(&mut self, path: &str, bytes: &[u8]) -> Result<(), ExportError> {
        let path = path.split('/').fold(self.0.clone(), |path, part| path.join(part));
        if let Some(parent) = path.parent() {
            std::fs::create_dir_all(parent)?;
        }
        Ok(std::fs::write(path, bytes)?)
    }
}

/// Files in memory, in the order they came.
impl Sink for Vec<(String, Vec<u8>)> {
    fn file(&mut self, path: &str, bytes: &[u8]) -> Result<(), ExportError> {
        self.push((path.to_owned(), bytes.to_vec()));
        Ok(())
    }
}

//! The hash of a file of gigabytes, a window at a time.

use sha2::{Digest, Sha256};

use super::super::WeightsError;
use super::super::loader::hex;
use super::Checkpoint;

/// The SHA-256 of a checkpoint under way, a window at a time: the page has other things to do meanwhile.
#[derive(Default)]
pub struct Hashing {
    hash: Sha256,
    done: u64,
}

impl Hashing {
    /// Hashes the next window; false when none is left.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn step(&mut self, checkpoint: &Checkpoint) -> Result<bool, WeightsError> {
        const WINDOW: u64 = 8 << 20;
        let length = WINDOW.min(checkpoint.source.len().saturating_sub(self.done));
        if length > 0 {
            self.hash.update(checkpoint.part(self.done, length)?);
            self.done += length;
        }
        Ok(length > 0)
    }

    /// Bytes hashed.
    #[must_use]
    pub fn done(&self) -> u64 {
        self.done
    }

    /// Lower-case hexadecimal.
    #[must_use]
    pub fn finish(self) -> String {
        hex(&self.hash.finalize())
    }
}

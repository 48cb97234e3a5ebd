//! Bytes that JavaScript holds: a file that was dropped, one of the private file system, or memory.

use std::io;

use wasm_bindgen::prelude::*;

use crate::weights::Source;

#[wasm_bindgen]
extern "C" {
    /// An object `{ size: number, read(offset: number, length: number): Uint8Array }`; `read` is synchronous and throws.
    pub type ByteSource;
    #[wasm_bindgen(method, getter)]
    fn size(this: &ByteSource) -> f64;
    #[wasm_bindgen(method, catch)]
    fn read(this: &ByteSource, offset: f64, length: f64) -> Result<js_sys::Uint8Array, JsValue>;
}

impl Source for ByteSource {
    fn len(&self) -> u64 {
        // `as` saturates, and takes what is not a number as 0.
        self.size() as u64
    }

    fn read_at(&self, offset: u64, length: usize) -> io::Result<Vec<u8>> {
        let part = self.read(offset as f64, length as f64).map_err(|thrown| {
            let text = thrown.dyn_ref::<js_sys::Error>().map(|error| String::from(error.message()));
            io::Error::other(text.unwrap_or_else(|| "it could not be read".to_owned()))
        })?;
        if part.length() as usize == length { Ok(part.to_vec()) } else { Err(io::ErrorKind::UnexpectedEof.into()) }
    }
}

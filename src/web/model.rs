//! Loading a model into the engine: manifest, then shard by shard.

use wasm_bindgen::prelude::*;

use super::error::EngineError;
use super::messages::{Answer, ManifestAnswer, ShardAnswer, to_js};
use super::source::ByteSource;
use super::{Engine, platform};
use crate::device::Backend;
use crate::weights::{Loader, Manifest, Room};

/// What wasm can address.
const ADDRESS_BYTES: u64 = 4 << 30;

#[wasm_bindgen]
impl Engine {
    /// Begins loading a model; the one in use stays. Unless `anyway`, only if the device has what it needs.
    ///
    /// # Errors
    /// `manifest-invalid`, or `model-too-large`.
    #[wasm_bindgen(js_name = openManifest)]
    pub fn open_manifest(&self, json: &str, anyway: bool) -> Answer {
        let manifest = Manifest::from_json(json).map_err(EngineError::from)?;
        if !anyway {
            manifest.fits(&self.room()).map_err(EngineError::from)?;
        }
        let shards = manifest.shards.iter().enumerate();
        let answer = to_js(&ManifestAnswer {
            name: &manifest.name,
            licence: &manifest.licence,
            trained: manifest.trained,
            bytes: manifest.bytes(),
            shards: shards
                .map(|(index, s)| ShardAnswer { index, file: &s.file, bytes: s.bytes, sha256: &s.sha256 })
                .collect(),
        });
        self.loader.replace(Some(Loader::new(manifest, &self.compute.device)));
        answer
    }

    /// Checks a shard and moves its tensors to the compute device, one at a time.
    ///
    /// # Errors
    /// `shard-truncated`, `shard-damaged`, or what the device says.
    #[wasm_bindgen(js_name = addShard)]
    pub fn add_shard(&self, index: usize, source: &ByteSource) -> Answer<()> {
        let mut loader = self.loader.borrow_mut();
        let loader = loader.as_mut().ok_or_else(|| EngineError::bad_request("open a manifest before its shards"))?;
        loader.add_shard_from(index, source).map_err(EngineError::from)?;
        self.check_gpu().map_err(JsValue::from)
    }
}

impl Engine {
    fn room(&self) -> Room {
        let report = &self.compute.report;
        let on_gpu = report.backend == Backend::Gpu;
        let limits = &report.limits;
        let features = [("shader-f16", report.f16), ("subgroups", report.subgroups)];
        let features = features.into_iter().filter(|(_, has)| *has).map(|(name, _)| name.to_owned());
        Room {
            on_gpu,
            binding_bytes: on_gpu.then_some(limits.binding_bytes.min(limits.buffer_bytes)),
            features: features.collect(),
            address_bytes: Some(ADDRESS_BYTES),
            memory_bytes: platform::device_memory(),
        }
    }
}

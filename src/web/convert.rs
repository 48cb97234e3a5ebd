//! A checkpoint that was dropped into the page becomes a model, by the code of `point3r convert`: one tensor at a time,
//! in steps between which the worker does other things. Needs no engine, so it runs in a worker of its own, whose end
//! costs nobody anything.

use serde::Serialize;
use wasm_bindgen::prelude::*;

use super::error::EngineError;
use super::messages::{Answer, to_js};
use super::platform;
use super::source::ByteSource;
use crate::model::Config;
use crate::weights::{
    About, Accounting, Checkpoint, Conversion, Hashing, Inferred, Shard, Storage, WeightsError, infer_config,
};

/// What can be chosen.
const PRECISIONS: [(&str, Storage); 3] = [("int4", Storage::Int4), ("int8", Storage::Int8), ("f16", Storage::F16)];

/// A checkpoint, read but not converted, or on its way.
#[wasm_bindgen]
pub struct CheckpointReader {
    checkpoint: Checkpoint,
    accounting: Accounting,
    about: About,
    notes: Vec<String>,
    hashing: Option<Hashing>,
    conversion: Option<Conversion>,
}

#[derive(Serialize)]
#[serde(rename_all = "camelCase")]
struct Facts<'a> {
    name: &'a str,
    licence: &'a str,
    trained: bool,
    parameters: usize,
    input_size: usize,
    file_bytes: u64,
    /// Bytes by precision.
    sizes: Vec<(&'static str, u64)>,
    notes: &'a [String],
    keys: usize,
    unexpected: usize,
}

#[derive(Serialize)]
struct Step {
    done: u64,
    total: u64,
}

#[wasm_bindgen]
impl CheckpointReader {
    /// Reads the table of contents; `config` is the text of a `config.json`, where there is one.
    ///
    /// # Errors
    /// `unsupported-file`, `tensor-shape` and what else can be wrong with a checkpoint. Nothing in it is ever run.
    pub fn open(name: &str, source: ByteSource, config: Option<String>) -> Answer<CheckpointReader> {
        platform::install_reporting();
        Ok(Self::read(name, source, config.as_deref()).map_err(EngineError::from)?)
    }

    /// What it is, and how large it would become.
    pub fn facts(&self) -> Answer {
        let About { name, licence, trained, config, .. } = &self.about;
        let size = |(name, precision)| (name, About::of_checkpoint(config.clone(), "", precision).stored_bytes());
        to_js(&Facts {
            name,
            licence,
            trained: *trained,
            parameters: config.parameter_count(),
            input_size: config.image_size,
            file_bytes: self.checkpoint.file_bytes(),
            sizes: PRECISIONS.map(size).to_vec(),
            notes: &self.notes,
            keys: self.accounting.total,
            unexpected: self.accounting.unexpected.len(),
        })
    }

    /// Chooses the precision; next come `hash` and `step`.
    ///
    /// # Errors
    /// `bad-request` for an unknown one; `damaged-file` where second names of tensors hold other values.
    pub fn begin(&mut self, precision: &str) -> Answer<()> {
        let chosen = PRECISIONS.iter().find(|(name, _)| *name == precision);
        let Some((_, storage)) = chosen else {
            return Err(EngineError::bad_request("choose int4, int8 or f16").into());
        };
        self.accounting.check_aliases(&self.checkpoint).map_err(EngineError::from)?;
        self.about = About::of_checkpoint(self.about.config.clone(), &self.about.source, *storage);
        self.about.name = format!("{} ({precision})", self.about.name);
        self.hashing = Some(Hashing::default());
        self.conversion = None;
        Ok(())
    }

    /// Hashes the next part of the file: bytes done and all, until both are equal.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn hash(&mut self) -> Answer {
        let total = self.checkpoint.file_bytes();
        let Some(hashing) = &mut self.hashing else { return to_js(&Step { done: total, total }) };
        if hashing.step(&self.checkpoint).map_err(EngineError::from)? {
            return to_js(&Step { done: hashing.done().min(total.saturating_sub(1)), total });
        }
        self.about.source_sha256 = self.hashing.take().map(Hashing::finish);
        to_js(&Step { done: total, total })
    }

    /// Converts the next tensor and gives `emit(file, sha256, bytes)` the shards that are full now. Values done and all;
    /// undefined when nothing is left.
    ///
    /// # Errors
    /// When the tensor cannot be read or is not of numbers, or `emit` throws.
    pub fn step(&mut self, emit: &js_sys::Function) -> Answer {
        let conversion = self.conversion.get_or_insert_with(|| Conversion::new(self.about.clone()));
        let read = |spec: &_| self.accounting.values(&self.checkpoint, spec);
        let Some(shards) = conversion.step(&read).map_err(EngineError::from)? else { return Ok(JsValue::UNDEFINED) };
        hand_over(shards, emit)?;
        let (done, total) = conversion.progress();
        to_js(&Step { done, total })
    }

    /// The last shard, and the text of the manifest.
    ///
    /// # Errors
    /// When tensors are missing, or `emit` throws.
    pub fn finish(&mut self, emit: &js_sys::Function) -> Answer<String> {
        let conversion = self.conversion.take().ok_or_else(|| EngineError::bad_request("nothing is converted"))?;
        let (shards, converted) = conversion.finish().map_err(EngineError::from)?;
        hand_over(shards, emit)?;
        Ok(converted.manifest.to_json().map_err(EngineError::from)?)
    }
}

impl CheckpointReader {
    fn read(name: &str, source: ByteSource, config: Option<&str>) -> Result<Self, WeightsError> {
        let checkpoint = Checkpoint::read(name, Box::new(source))?;
        let mut notes = checkpoint.notes().to_vec();
        let config = match config {
            Some(text) => Config::from_json(text)?,
            None => {
                let Inferred { config, notes: inferred } = infer_config(checkpoint.keys(), checkpoint.model_text())?;
                notes.extend(inferred);
                config
            }
        };
        let accounting = Accounting::new(&config, checkpoint.keys())?;
        accounting.require(false)?;
        let about = About::of_checkpoint(config, name, Storage::Int8);
        Ok(Self { checkpoint, accounting, about, notes, hashing: None, conversion: None })
    }
}

fn hand_over(shards: Vec<Shard>, emit: &js_sys::Function) -> Answer<()> {
    for Shard { file, sha256, bytes } in shards {
        let bytes = js_sys::Uint8Array::from(bytes.as_slice());
        emit.call3(&JsValue::UNDEFINED, &file.into(), &sha256.into(), &bytes)?;
    }
    Ok(())
}

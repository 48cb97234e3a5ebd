//! Which storage each tensor gets at a precision.
//!
//! A precision is a mix: what is small stays exact, convolutions are half precision, matrices are packed, and the
//! parts that errors grow most in are kept a step more precise (`docs/quantisation.md` has the measurements).

use std::str::FromStr;

use half::f16;

use super::Storage;
use crate::model::{Component, ParameterSpec};

/// A part of the network that gets a storage of its own.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Rule {
    /// A component's name (`pose heads`), or the beginning of checkpoint keys (`enc_blocks.0.`).
    pub part: String,
    /// Its storage.
    pub storage: Storage,
}

impl FromStr for Rule {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let (part, storage) = text.split_once('=').ok_or_else(|| format!("{text:?} is not PART=PRECISION"))?;
        let storage = match storage {
            "f32" => Storage::F32,
            "f16" => Storage::F16,
            "int8" => Storage::Int8,
            "int4" => Storage::Int4,
            other => return Err(format!("there is no precision {other:?}: use f32, f16, int8 or int4")),
        };
        Ok(Self { part: part.to_owned(), storage })
    }
}

/// How a network is stored.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mix {
    precision: Storage,
    /// The first that applies decides.
    rules: Vec<Rule>,
}

impl Mix {
    /// The default mix of a precision, chosen by the error of single parts (`docs/quantisation.md`): the pose heads,
    /// whose errors go straight into the pose, and the first blocks of the encoder, whose errors everything after them
    /// inherits, are kept one step more precise.
    #[must_use]
    pub fn of(precision: Storage) -> Self {
        let (better, blocks) = match precision {
            Storage::F32 | Storage::F16 => return Self::uniform(precision),
            Storage::Int8 => (Storage::F16, 6),
            Storage::Int4 => (Storage::Int8, 4),
        };
        let parts = (0..blocks).map(|i| format!("enc_blocks.{i}.")).chain(["pose heads".to_owned()]);
        Self { precision, rules: parts.map(|part| Rule { part, storage: better }).collect() }
    }

    /// Every matrix alike.
    #[must_use]
    pub fn uniform(precision: Storage) -> Self {
        Self { precision, rules: Vec::new() }
    }

    /// With rules that come before the others.
    #[must_use]
    pub fn with(mut self, rules: &[Rule]) -> Self {
        self.rules.splice(0..0, rules.iter().cloned());
        self
    }

    /// The storage of one tensor. Vectors stay f32: norms and biases are 0.2 % of the bytes. Only matrices are packed.
    /// A tensor with values that half precision cannot hold stays f32.
    #[must_use]
    pub fn storage(&self, spec: &ParameterSpec, values: &[f32]) -> Storage {
        let applies = |rule: &&Rule| spec.name.starts_with(&rule.part) || component_name(spec.component) == rule.part;
        let wanted = self.rules.iter().find(applies).map_or(self.precision, |rule| rule.storage);
        let fits = |value: &f32| value.abs() <= f16::MAX.to_f32();
        match (wanted, spec.shape.len()) {
            (Storage::F32, _) | (_, 0 | 1) => Storage::F32,
            _ if !values.iter().all(fits) => Storage::F32,
            (packed, 2) => packed,
            _ => Storage::F16,
        }
    }
}

/// The name of a part of the network in tables and rules.
#[must_use]
pub(crate) fn component_name(component: Component) -> &'static str {
    match component {
        Component::Encoder => "encoder",
        Component::Decoder => "decoder",
        Component::MemoryDecoder => "memory decoder",
        Component::PoseMemory => "pose memory",
        Component::ValueEncoder => "value encoder",
        Component::PointerHead => "pointer head",
        Component::DenseHeads => "dense heads",
        Component::PoseHeads => "pose heads",
    }
}

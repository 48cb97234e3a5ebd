//! Every key of a checkpoint is accounted for: used, unused, alias, unexpected, of wrong shape, or missing.

use std::collections::{BTreeMap, HashMap, HashSet};

use serde::Serialize;

use super::WeightsError;
use super::check::printable;
use crate::model::{Config, ParameterSpec, canonical_key};

/// A second name of a tensor.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Alias {
    /// The key as it stands in the checkpoint.
    pub alias: String,
    /// The canonical key.
    pub key: String,
}

/// A key whose tensor has another shape than the network needs.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct WrongShape {
    /// Canonical key.
    pub key: String,
    /// Shape by the config.
    pub expected: Vec<usize>,
    /// Shape in the checkpoint.
    pub found: Vec<usize>,
}

/// What became of every key. Names are canonical: no `module.` prefix.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
pub struct Accounting {
    /// Keys in the checkpoint.
    pub total: usize,
    /// Written to the model folder.
    pub used: Vec<String>,
    /// Part of the network, but they cannot change any output: not written.
    pub unused: Vec<String>,
    /// Second names of tensors.
    pub aliases: Vec<Alias>,
    /// Needed by the network and absent.
    pub missing: Vec<String>,
    /// Not part of the network.
    pub unexpected: Vec<String>,
    /// Part of the network with another shape.
    pub wrong_shape: Vec<WrongShape>,
    /// Canonical key -> key in the checkpoint.
    #[serde(skip)]
    sources: BTreeMap<String, String>,
}

impl Accounting {
    /// Sorts `keys` (name and shape, as in the checkpoint) by what the network of `config` does with them.
    ///
    /// # Errors
    /// When two keys are the same tensor and neither is a known alias.
    pub fn new<'k>(
        config: &Config,
        keys: impl IntoIterator<Item = (&'k str, &'k [usize])>,
    ) -> Result<Self, WeightsError> {
        let specs = config.parameters();
        let by_name: HashMap<&str, &ParameterSpec> = specs.iter().map(|s| (s.name.as_str(), s)).collect();
        let mut accounting = Self::default();
        let mut aliases = Vec::new();
        let mut wrong = HashSet::new();
        for (raw, shape) in keys {
            accounting.total += 1;
            let (key, is_alias) = canonical_key(raw);
            let Some(spec) = by_name.get(key.as_str()) else {
                accounting.unexpected.push(printable(raw));
                continue;
            };
            if spec.shape != shape {
                wrong.insert(key.clone());
                let (expected, found) = (spec.shape.clone(), shape.iter().copied().take(8).collect());
                accounting.wrong_shape.push(WrongShape { key: printable(raw), expected, found });
            } else if is_alias {
                aliases.push(Alias { alias: raw.to_owned(), key });
            } else if accounting.sources.insert(key.clone(), raw.to_owned()).is_some() {
                return Err(WeightsError::Duplicate { key });
            }
        }
        // A checkpoint that has only the second name of a tensor still has the tensor.
        for alias in &aliases {
            accounting.sources.entry(alias.key.clone()).or_insert_with(|| alias.alias.clone());
        }
        accounting.aliases = aliases;
        for spec in specs {
            match (accounting.sources.contains_key(&spec.name), spec.used) {
                (true, true) => accounting.used.push(spec.name),
                (true, false) => accounting.unused.push(spec.name),
                (false, true) if !wrong.contains(&spec.name) => accounting.missing.push(spec.name),
                (false, _) => {}
            }
        }
        accounting.unexpected.sort_unstable();
        Ok(accounting)
    }

    /// The key under which the checkpoint holds the tensor `name`.
    #[must_use]
    pub fn source_of(&self, name: &str) -> Option<&str> {
        self.sources.get(name).map(String::as_str)
    }

    /// Whether the checkpoint makes this network.
    ///
    /// # Errors
    /// When a key is missing or of wrong shape, or unexpected and that is not tolerated.
    pub fn require(&self, allow_unexpected: bool) -> Result<(), WeightsError> {
        let unexpected = if allow_unexpected { 0 } else { self.unexpected.len() };
        if self.missing.is_empty() && self.wrong_shape.is_empty() && unexpected == 0 {
            return Ok(());
        }
        let (missing, wrong_shape) = (self.missing.len(), self.wrong_shape.len());
        Err(WeightsError::Accounting { missing, wrong_shape, unexpected: self.unexpected.len() })
    }
}

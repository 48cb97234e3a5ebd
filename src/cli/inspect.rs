//! `point3r inspect`: what is inside a model folder, a checkpoint, a scene or a saved scan.

mod scene;

use std::collections::{BTreeMap, HashMap};
use std::io::Write;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::json;

use super::Outcome;
use super::convert::{advance, find_config, progress_bar};
use crate::model::{Component, Config};
use crate::weights::{Accounting, Checkpoint, Manifest, check_folder, component_name, read_manifest};

/// Arguments of `point3r inspect`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Model folder, checkpoint (`.pth`, `.safetensors`), scene (`.glb`, `.ply`) or saved scan (`.p3rlog`).
    path: PathBuf,
    /// Read every shard of a model folder and compare it with the manifest.
    #[arg(long)]
    check: bool,
    /// List every tensor.
    #[arg(long)]
    tensors: bool,
    /// Config of a checkpoint; otherwise `config.json` beside it, otherwise told from its tensors.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Print a machine-readable description.
    #[arg(long)]
    json: bool,
}

#[expect(clippy::needless_pass_by_value, reason = "commands own their arguments")]
pub(super) fn execute(args: Args) -> Outcome {
    // A manifest named directly means its folder.
    let named_manifest = args.path.file_name().is_some_and(|name| name == "manifest.json");
    match args.path.parent() {
        Some(parent) if named_manifest => folder(&args, parent),
        _ if args.path.is_dir() => folder(&args, &args.path),
        _ => match scene::kind_of(&args.path) {
            Some(kind) => scene::describe(&args.path, kind, args.json),
            None => checkpoint(&args),
        },
    }
}

/// Size of one part of the network.
#[derive(Debug, Default, Serialize)]
pub(super) struct ComponentRow {
    component: &'static str,
    tensors: usize,
    parameters: u64,
    bytes: u64,
}

/// Tensors, values and bytes of a model folder by part of the network.
pub(super) fn component_rows(manifest: &Manifest) -> Vec<ComponentRow> {
    let component: HashMap<String, Component> =
        manifest.config.parameters().into_iter().map(|spec| (spec.name, spec.component)).collect();
    let mut rows: BTreeMap<Component, ComponentRow> = BTreeMap::new();
    for tensor in &manifest.tensors {
        let Some(part) = component.get(&tensor.name) else { continue };
        let row = rows.entry(*part).or_default();
        row.component = component_name(*part);
        row.tensors += 1;
        row.parameters += tensor.element_count().unwrap_or(0);
        row.bytes += tensor
            .pieces
            .iter()
            .chain(&tensor.scale)
            .map(|piece| piece.range[1].saturating_sub(piece.range[0]))
            .sum::<u64>();
    }
    rows.into_values().collect()
}

/// The sizes of a model folder, as a table.
pub(super) fn components_text(manifest: &Manifest) -> String {
    let mut text = String::new();
    text.line(format_args!("{:<16} {:>8} {:>14} {:>12}", "part", "tensors", "parameters", "size"));
    for row in component_rows(manifest) {
        text.line(format_args!(
            "{:<16} {:>8} {:>14} {:>12}",
            row.component,
            row.tensors,
            row.parameters,
            mib(row.bytes)
        ));
    }
    let (tensors, parameters) = (manifest.tensors.len(), manifest.parameters());
    text.line(format_args!("{:<16} {tensors:>8} {parameters:>14} {:>12}", "all", mib(manifest.bytes())));
    text
}

#[expect(clippy::cast_precision_loss, reason = "shown with one decimal")]
fn mib(bytes: u64) -> String {
    format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20))
}

/// What became of every key of a checkpoint: problems one by one, parameters that are not read by module.
pub(super) fn accounting_text(accounting: &Accounting) -> String {
    let mut text = String::new();
    text.line(format_args!(
        "keys: {} in the file; {} used, {} unused by inference, {} second names, {} missing, {} of wrong shape, {} unexpected",
        accounting.total,
        accounting.used.len(),
        accounting.unused.len(),
        accounting.aliases.len(),
        accounting.missing.len(),
        accounting.wrong_shape.len(),
        accounting.unexpected.len()
    ));
    let mut unused: Vec<&str> = accounting.unused.iter().map(|name| module_of(name)).collect();
    unused.dedup();
    for module in unused {
        text.line(format_args!("  unused      {module}"));
    }
    for alias in &accounting.aliases {
        text.line(format_args!("  second name {} of {}", alias.alias, alias.key));
    }
    for name in &accounting.missing {
        text.line(format_args!("  missing     {name}"));
    }
    for wrong in &accounting.wrong_shape {
        text.line(format_args!("  wrong shape {}: {:?}, expected {:?}", wrong.key, wrong.found, wrong.expected));
    }
    for name in &accounting.unexpected {
        text.line(format_args!("  unexpected  {name}"));
    }
    text
}

/// The module that a weight or bias belongs to.
fn module_of(name: &str) -> &str {
    name.strip_suffix(".weight").or_else(|| name.strip_suffix(".bias")).unwrap_or(name)
}

/// Text that is collected line by line and printed at once.
pub(super) trait Lines {
    fn line(&mut self, line: std::fmt::Arguments<'_>);
}

impl Lines for String {
    fn line(&mut self, line: std::fmt::Arguments<'_>) {
        // Writing into a String cannot fail.
        let _ = std::fmt::write(self, line);
        self.push('\n');
    }
}

/// Prints to standard output. A reader that has seen enough (`| head`) is not an error.
pub(super) fn emit(text: &str) -> std::io::Result<()> {
    match std::io::stdout().write_all(text.as_bytes()) {
        Err(e) if e.kind() == std::io::ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

/// Prints JSON.
pub(super) fn emit_json(value: &serde_json::Value) -> Result<(), Box<dyn std::error::Error>> {
    Ok(emit(&format!("{}\n", serde_json::to_string_pretty(value)?))?)
}

fn folder(args: &Args, dir: &Path) -> Outcome {
    let manifest = read_manifest(dir)?;
    let checked = args.check.then(|| {
        let bar = progress_bar(args.json, "bytes");
        let outcome = check_folder(dir, &manifest, &mut |done, total| advance(&bar, done, total));
        bar.finish_and_clear();
        outcome
    });
    let failure = match &checked {
        Some(Err(error)) => Some(error),
        _ => None,
    };
    if args.json {
        let mut description = json!({
            "kind": "model",
            "format": manifest.format,
            "name": manifest.name,
            "licence": manifest.licence,
            "source": manifest.source,
            "source_sha256": manifest.source_sha256,
            "trained": manifest.trained,
            "config": manifest.config,
            "precision": manifest.precision,
            "parameters": manifest.parameters(),
            "bytes": manifest.bytes(),
            "needs": manifest.needs,
            "components": component_rows(&manifest),
            "shards": manifest.shards,
            "checked": checked.as_ref().map(Result::is_ok),
            "problem": failure.map(|e| json!({ "code": e.code(), "message": e.to_string() })),
        });
        if let Some(object) = description.as_object_mut()
            && args.tensors
        {
            object.insert("tensors".into(), json!(manifest.tensors));
        }
        emit_json(&description)?;
        return Ok(failure.is_none());
    }
    let mut text = String::new();
    text.line(format_args!("{} ({})", manifest.name, if manifest.trained { "trained" } else { "untrained" }));
    text.line(format_args!("licence   {}", manifest.licence));
    text.line(format_args!("source    {}", manifest.source));
    if let Some(hash) = &manifest.source_sha256 {
        text.line(format_args!("          SHA-256 {hash}"));
    }
    text.line(format_args!("precision {}", manifest.precision));
    text.push_str(&config_text(&manifest.config));
    text.push_str(&components_text(&manifest));
    let needs = &manifest.needs;
    text.line(format_args!(
        "needs     {} MiB on the device (largest weight {} MiB), {} MiB of host memory while loading",
        needs.gpu_mib, needs.max_binding_mib, needs.wasm_mib
    ));
    for shard in &manifest.shards {
        text.line(format_args!("shard     {} {:>10} {}", shard.file, mib(shard.bytes), shard.sha256));
    }
    if args.tensors {
        for tensor in &manifest.tensors {
            let shards: Vec<usize> = tensor.pieces.iter().map(|piece| piece.shard + 1).collect();
            text.line(format_args!(
                "tensor    {} {:?} {} in shard {shards:?}",
                tensor.name, tensor.shape, tensor.storage
            ));
        }
    }
    match &checked {
        None => text.line(format_args!("shards were not read; --check compares them with their hashes")),
        Some(Ok(())) => text.line(format_args!("every shard matches its hash")),
        Some(Err(error)) => text.line(format_args!("damaged: {error}")),
    }
    emit(&text)?;
    Ok(failure.is_none())
}

fn config_text(config: &Config) -> String {
    let mut text = String::new();
    text.line(format_args!(
        "network   encoder {} x {} ({} heads), decoder {} x {} ({} heads, memory {}), {} pose slots, input {}",
        config.enc_depth,
        config.enc_embed_dim,
        config.enc_num_heads,
        config.dec_depth,
        config.dec_embed_dim,
        config.dec_num_heads,
        config.memory_dec_num_heads,
        config.pose_memory_slots(),
        config.image_size
    ));
    text
}

fn checkpoint(args: &Args) -> Outcome {
    let checkpoint = Checkpoint::open(&args.path)?;
    let mut elements: BTreeMap<&str, usize> = BTreeMap::new();
    for tensor in checkpoint.tensors().values() {
        *elements.entry(tensor.element()).or_default() += 1;
    }
    let found = find_config(&checkpoint, args.config.as_deref());
    let (config, notes) = match found {
        Ok((config, notes)) => (Some(config), notes),
        Err(error) if args.config.is_none() => (None, vec![error.to_string()]),
        Err(error) => return Err(error),
    };
    let accounting = match &config {
        Some(config) => Some(Accounting::new(config, checkpoint.keys())?),
        None => None,
    };
    let fits = accounting.as_ref().is_some_and(|accounting| accounting.require(false).is_ok());
    if args.json {
        let tensors: Vec<_> = checkpoint
            .tensors()
            .iter()
            .filter(|_| args.tensors)
            .map(|(name, tensor)| json!({ "name": name, "shape": tensor.shape, "element": tensor.element() }))
            .collect();
        let description = json!({
            "kind": "checkpoint",
            "keys_total": checkpoint.tensors().len(),
            "elements": elements,
            "config": config,
            "model_text": checkpoint.model_text(),
            "parameters": config.as_ref().map(Config::parameter_count),
            "keys": accounting,
            "fits": fits,
            "notes": notes.iter().chain(checkpoint.notes()).collect::<Vec<_>>(),
            "tensors": tensors,
        });
        emit_json(&description)?;
        return Ok(fits);
    }
    let mut text = String::new();
    text.line(format_args!("checkpoint with {} keys, element types {elements:?}", checkpoint.tensors().len()));
    for note in notes.iter().chain(checkpoint.notes()) {
        text.line(format_args!("{note}"));
    }
    if let Some(config) = &config {
        text.push_str(&config_text(config));
        text.line(format_args!("parameters {}", config.parameter_count()));
    }
    if let Some(accounting) = &accounting {
        text.push_str(&accounting_text(accounting));
    }
    if args.tensors {
        for (name, tensor) in checkpoint.tensors() {
            text.line(format_args!("tensor    {} {:?} {}", name.escape_debug(), tensor.shape, tensor.element()));
        }
    }
    emit(&text)?;
    Ok(fits)
}

//! `point3r convert`: a checkpoint, or the weight formula, becomes a model folder.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use indicatif::{ProgressBar, ProgressStyle};
use serde_json::json;

use super::Outcome;
use super::inspect::{Lines, accounting_text, component_rows, components_text, emit, emit_json};
use crate::model::Config;
use crate::weights::{
    About, Accounting, Checkpoint, Converted, Inferred, Mix, RELEASED_LICENCE, Rounding, Rule, Storage, TensorRounding,
    WeightsError, component_name, convert_checkpoint, convert_formula, formula_preset, infer_config, is_released,
};

const OWN_LICENCE: &str = "MIT OR Apache-2.0";

/// Arguments of `point3r convert`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Checkpoint to convert: `.pth` as PyTorch saves it, or `.safetensors`.
    #[arg(required_unless_present = "formula", conflicts_with = "formula")]
    checkpoint: Option<PathBuf>,
    /// Write untrained formula weights of this network instead: small, tiny, released, or the one of --config.
    #[arg(long, value_name = "NETWORK", num_args = 0..=1, default_missing_value = "config")]
    formula: Option<String>,
    /// How weights are stored.
    #[arg(long, value_enum, default_value_t = Precision::F16)]
    precision: Precision,
    /// Store a part of the network differently: a component (`pose heads`) or the beginning of keys. Repeatable.
    #[arg(long, value_name = "PART=PRECISION")]
    keep: Vec<Rule>,
    /// Store all matrices alike, instead of the sensitive ones more precisely.
    #[arg(long)]
    uniform: bool,
    /// Model folder to write.
    #[arg(short, long, value_name = "DIR")]
    output: PathBuf,
    /// Config of the network; otherwise `config.json` beside the checkpoint, otherwise told from the tensors.
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// Name shown to users.
    #[arg(long)]
    name: Option<String>,
    /// Licence of the weights.
    #[arg(long)]
    licence: Option<String>,
    /// Tolerate keys that the network does not know.
    #[arg(long)]
    allow_unexpected: bool,
    /// Replace an existing model folder.
    #[arg(long)]
    force: bool,
    /// Print a machine-readable summary.
    #[arg(long)]
    json: bool,
}

impl Args {
    fn mix(&self, precision: Storage) -> Mix {
        let mix = if self.uniform { Mix::uniform(precision) } else { Mix::of(precision) };
        mix.with(&self.keep)
    }
}

/// Storage of the weights.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub(super) enum Precision {
    F32,
    F16,
    Int8,
    Int4,
}

impl From<Precision> for Storage {
    fn from(precision: Precision) -> Self {
        match precision {
            Precision::F32 => Self::F32,
            Precision::F16 => Self::F16,
            Precision::Int8 => Self::Int8,
            Precision::Int4 => Self::Int4,
        }
    }
}

#[expect(clippy::needless_pass_by_value, reason = "commands own their arguments")]
pub(super) fn execute(args: Args) -> Outcome {
    let precision = Storage::from(args.precision);
    match (&args.formula, &args.checkpoint) {
        (Some(network), _) => from_formula(&args, network, precision),
        (None, Some(path)) => from_checkpoint(&args, path, precision),
        (None, None) => Err("give a checkpoint, or a network with --formula".into()),
    }
}

fn from_formula(args: &Args, network: &str, precision: Storage) -> Outcome {
    let (config, default_name) = match (&args.config, network) {
        (Some(file), "config") => (read_config(file)?, "untrained".to_owned()),
        (Some(_), _) => return Err("give either a network to --formula or a --config, not both".into()),
        (None, "config") => return Err("--formula needs a network (small, tiny, released) or a --config".into()),
        (None, preset) => {
            let config = formula_preset(preset)
                .ok_or_else(|| format!("there is no network {preset:?}: use small, tiny or released, or a --config"))?;
            (config, format!("untrained-{preset}"))
        }
    };
    let about = About {
        name: args.name.clone().unwrap_or(default_name),
        licence: args.licence.clone().unwrap_or_else(|| OWN_LICENCE.to_owned()),
        source: "weight formula (untrained: the output is not a reconstruction)".to_owned(),
        source_sha256: None,
        trained: false,
        config,
        precision,
        mix: args.mix(precision),
    };
    let bar = progress_bar(args.json, "values");
    let converted = convert_formula(about, &args.output, args.force, &mut |done, total| advance(&bar, done, total))?;
    bar.finish_and_clear();
    report(args, &converted, None, &[])?;
    Ok(true)
}

fn from_checkpoint(args: &Args, path: &Path, precision: Storage) -> Outcome {
    let checkpoint = Checkpoint::open(path)?;
    let (config, mut notes) = find_config(&checkpoint, args.config.as_deref())?;
    notes.extend_from_slice(checkpoint.notes());
    let accounting = Accounting::new(&config, checkpoint.keys())?;
    if let Err(error) = accounting.require(args.allow_unexpected) {
        if args.json {
            emit_json(&json!({ "error": { "code": error.code(), "message": error.to_string() }, "keys": accounting }))?;
        } else {
            emit(&accounting_text(&accounting))?;
        }
        return Err(error.into());
    }
    let released = is_released(&config);
    if args.licence.is_none() {
        notes.push(if released {
            format!("this has the sizes of the released network, so the licence is taken to be {RELEASED_LICENCE}; say otherwise with --licence")
        } else {
            "the licence is not known: state it with --licence before you share the folder".to_owned()
        });
    }
    let file_name = path.file_name().and_then(|name| name.to_str()).unwrap_or("checkpoint");
    let found = About::of_checkpoint(config, file_name, precision);
    let about = About {
        name: args.name.clone().unwrap_or_else(|| found.name.clone()),
        licence: args.licence.clone().unwrap_or_else(|| found.licence.clone()),
        source_sha256: Some(checkpoint.sha256()?),
        mix: args.mix(precision),
        ..found
    };
    let bar = progress_bar(args.json, "values");
    let mut progress = |done, total| advance(&bar, done, total);
    let converted = convert_checkpoint(&checkpoint, &accounting, about, &args.output, args.force, &mut progress)?;
    bar.finish_and_clear();
    report(args, &converted, Some(&accounting), &notes)?;
    Ok(true)
}

/// The config of a checkpoint, and how it was found.
pub(super) fn find_config(
    checkpoint: &Checkpoint,
    given: Option<&Path>,
) -> Result<(Config, Vec<String>), Box<dyn std::error::Error>> {
    if let Some(file) = given {
        return Ok((read_config(file)?, Vec::new()));
    }
    let beside = checkpoint.path().with_file_name("config.json");
    if beside.is_file() {
        let note = "config: config.json beside the checkpoint".to_owned();
        return Ok((read_config(&beside)?, vec![note]));
    }
    let Inferred { config, notes } = infer_config(checkpoint.keys(), checkpoint.model_text())?;
    let mut lines = vec!["config: told from the tensors".to_owned()];
    lines.extend(notes.into_iter().map(|note| format!("  {note}")));
    Ok((config, lines))
}

fn read_config(file: &Path) -> Result<Config, Box<dyn std::error::Error>> {
    let text = std::fs::read_to_string(file).map_err(|e| format!("{}: {e}", file.display()))?;
    Ok(Config::from_json(&text).map_err(WeightsError::from)?)
}

/// A bar that counts `unit`, unless the output is for machines.
pub(super) fn progress_bar(quiet: bool, unit: &str) -> ProgressBar {
    if quiet {
        return ProgressBar::hidden();
    }
    let template = format!("{{bar:40}} {{percent:>3}}%  {{human_pos}} of {{human_len}} {unit}  {{eta}}");
    let style = ProgressStyle::with_template(&template);
    ProgressBar::new(0).with_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()))
}

pub(super) fn advance(bar: &ProgressBar, done: u64, total: u64) {
    bar.set_length(total);
    bar.set_position(done);
}

fn report(
    args: &Args,
    converted: &Converted,
    accounting: Option<&Accounting>,
    notes: &[String],
) -> Result<(), Box<dyn std::error::Error>> {
    let manifest = &converted.manifest;
    if args.json {
        let summary = json!({
            "output": args.output,
            "name": manifest.name,
            "licence": manifest.licence,
            "trained": manifest.trained,
            "precision": manifest.precision,
            "parameters": manifest.parameters(),
            "bytes": manifest.bytes(),
            "shards": manifest.shards.len(),
            "needs": manifest.needs,
            "components": component_rows(manifest),
            "kept_f32": converted.kept_f32,
            "rounding": converted.tensors.iter().map(|t| json!({
                "name": t.name, "storage": t.storage, "relative_error": t.rounding.relative(),
            })).collect::<Vec<_>>(),
            "keys": accounting,
            "notes": notes,
        });
        return emit_json(&summary);
    }
    let mut text = String::new();
    for note in notes {
        text.line(format_args!("{note}"));
    }
    if let Some(accounting) = accounting {
        text.push_str(&accounting_text(accounting));
    }
    text.push_str(&components_text(manifest));
    text.push_str(&rounding_text(&converted.tensors));
    for name in &converted.kept_f32 {
        text.line(format_args!("kept as f32: {name} (values beyond half precision)"));
    }
    text.line(format_args!(
        "{}: {} in {} shards, licence {}",
        args.output.display(),
        manifest.name,
        manifest.shards.len(),
        manifest.licence
    ));
    Ok(emit(&text)?)
}

/// The relative error of the stored weights by component and storage, and the worst tensor of each.
fn rounding_text(tensors: &[TensorRounding]) -> String {
    let mut rows: BTreeMap<_, (Rounding, usize, &TensorRounding)> = BTreeMap::new();
    for tensor in tensors.iter().filter(|tensor| tensor.storage != Storage::F32) {
        let row = rows.entry((tensor.component, tensor.storage.to_string()));
        let (sum, count, worst) = row.or_insert((Rounding::default(), 0, tensor));
        *sum = sum.and(tensor.rounding);
        *count += 1;
        if tensor.rounding.relative() > worst.rounding.relative() {
            *worst = tensor;
        }
    }
    let mut text = String::new();
    if !rows.is_empty() {
        text.line(format_args!("{:<16} {:>7} {:>8} {:>10}  worst tensor", "part", "stored", "tensors", "error"));
    }
    for ((component, storage), (sum, count, worst)) in rows {
        text.line(format_args!(
            "{:<16} {storage:>7} {count:>8} {:>8.4} %  {} ({:.4} %)",
            component_name(component),
            sum.relative() * 100.0,
            worst.name,
            worst.rounding.relative() * 100.0
        ));
    }
    text
}

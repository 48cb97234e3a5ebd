//! `point3r bench-block`: one encoder block of the released size, alone or in turns with PyTorch on the same input.

use std::io::{BufRead, BufReader, Read, Write};
use std::path::{Path, PathBuf};
use std::process::{Child, ChildStdin, ChildStdout, Command, Stdio};
use std::time::Instant;

use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Outcome;
use crate::device::{Compute, DeviceChoice};
use crate::model::{BlockTensor, BlockValues, LoneBlock};
use crate::quant::Bits;

/// The other side, given to the interpreter as text.
const SCRIPT: &str = include_str!("../../tests/reference/block.py");
/// Relative L2 distance up to which two outputs are the same: sums are rounded in another order.
const SAME: f64 = 2e-5;

/// Arguments of `point3r bench-block`.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// Numbers of tokens.
    #[arg(long, value_delimiter = ',', default_value = "197,768", value_parser = clap::value_parser!(u16).range(1..=4096))]
    tokens: Vec<u16>,
    /// Weights; another side gets the values that packed ones stand for.
    #[arg(long, value_enum, default_value = "f32")]
    precision: Precision,
    /// Where to compute: cpu, gpu (also a software one) or auto.
    #[arg(long, default_value = "cpu")]
    device: DeviceChoice,
    /// Timed runs.
    #[arg(long, default_value_t = 15, value_parser = clap::value_parser!(u16).range(1..=1000))]
    rounds: u16,
    /// A Python with PyTorch: runs the same block there (on the CPU), in turns.
    #[arg(long, value_name = "PYTHON")]
    against: Option<PathBuf>,
    /// Threads of PyTorch; 0: its own choice. Ours are limited by RAYON_NUM_THREADS.
    #[arg(long, default_value_t = 0)]
    threads: usize,
    /// Print JSON.
    #[arg(long)]
    json: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
enum Precision {
    F32,
    Int8,
    Int4,
}

/// One number of tokens.
#[derive(Debug, Serialize)]
struct Row {
    tokens: u16,
    ours_ms: Vec<f64>,
    ours_median: f64,
    against: Option<Against>,
}

/// The other side's part of a row.
#[derive(Debug, Serialize)]
struct Against {
    version: String,
    threads: usize,
    ms: Vec<f64>,
    median: f64,
    /// Ours divided by theirs: below 1 ours is faster.
    ratio: f64,
    /// Relative L2 distance of the outputs.
    difference: f64,
}

#[expect(clippy::needless_pass_by_value, reason = "arguments are consumed by their command")]
pub(super) fn execute(args: Args) -> Outcome {
    let compute = Compute::open(args.device)?;
    let rows = args.tokens.iter().map(|tokens| row(&args, *tokens, &compute)).collect::<Result<Vec<_>, _>>()?;
    if args.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    } else {
        rows.iter().for_each(print);
    }
    Ok(rows.iter().all(|row| row.against.as_ref().is_none_or(|other| other.difference <= SAME)))
}

fn row(args: &Args, tokens: u16, compute: &Compute) -> Result<Row, Box<dyn std::error::Error>> {
    let bits = match args.precision {
        Precision::F32 => None,
        Precision::Int8 => Some(Bits::Int8),
        Precision::Int4 => Some(Bits::Int4),
    };
    let columns = (f64::from(tokens) * 4.0 / 3.0).sqrt().round().max(1.0);
    #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss, reason = "at least 1, at most 74")]
    let columns = columns as usize;
    let tensors = LoneBlock::tensors(bits);
    let width = LoneBlock::config().enc_embed_dim;
    #[expect(clippy::cast_precision_loss, reason = "below 2^24")]
    let x: Vec<f32> = (0..usize::from(tokens) * width).map(|i| ((i * 7919) % 2003) as f32 / 1000.0 - 1.0).collect();
    let mut other = match &args.against {
        Some(python) => Some(Other::start(python, &tensors, &x, usize::from(tokens), columns, args.threads)?),
        None => None,
    };
    let block = LoneBlock::new(tensors, usize::from(tokens), columns, &compute.device)?;
    let run = || {
        let clock = Instant::now();
        let y = pollster::block_on(block.run(x.clone()))?;
        Ok::<_, Box<dyn std::error::Error>>((y, clock.elapsed().as_secs_f64() * 1e3))
    };
    let (y, _) = run()?;
    let difference = match &mut other {
        Some(other) => {
            other.run()?;
            distance(&y, &other.output(y.len())?)
        }
        None => 0.0,
    };
    let (mut ours, mut theirs) = (Vec::new(), Vec::new());
    for _ in 0..args.rounds {
        ours.push(run()?.1);
        if let Some(other) = &mut other {
            theirs.push(other.run()?);
        }
    }
    let ours_median = median(&ours);
    let against = other.map(|other| {
        let theirs_median = median(&theirs);
        let Hello { version, threads } = other.hello.clone();
        Against { version, threads, median: theirs_median, ratio: ours_median / theirs_median, ms: theirs, difference }
    });
    Ok(Row { tokens, ours_ms: ours, ours_median, against })
}

/// What the script says of itself.
#[derive(Debug, Clone, Deserialize)]
struct Hello {
    version: String,
    threads: usize,
}

/// The script in its interpreter.
struct Other {
    child: Child,
    to: ChildStdin,
    from: BufReader<ChildStdout>,
    hello: Hello,
}

impl Other {
    fn start(
        python: &Path,
        tensors: &[BlockTensor],
        x: &[f32],
        tokens: usize,
        columns: usize,
        threads: usize,
    ) -> Result<Self, Box<dyn std::error::Error>> {
        let started = Command::new(python).args(["-c", SCRIPT]).stdin(Stdio::piped()).stdout(Stdio::piped()).spawn();
        let mut child = started.map_err(|e| format!("{}: {e}; --against wants a Python", python.display()))?;
        let (Some(mut to), Some(from)) = (child.stdin.take(), child.stdout.take()) else {
            return Err("the interpreter has no pipes".into());
        };
        let config = LoneBlock::config();
        let names: Vec<_> = tensors.iter().map(|tensor| json!([tensor.name, tensor.shape])).collect();
        let head = json!({
            "tokens": tokens, "columns": columns, "threads": threads, "tensors": names, "width": config.enc_embed_dim,
            "heads": config.enc_num_heads, "epsilon": config.layer_norm_eps, "rotary_base": config.rope2d_base,
        });
        let mut from = BufReader::new(from);
        let mut talk = || -> std::io::Result<String> {
            writeln!(to, "{head}")?;
            for tensor in tensors {
                match &tensor.stored {
                    BlockValues::Dense(values) => to.write_all(bytemuck::cast_slice(values))?,
                    BlockValues::Packed(packed) => to.write_all(bytemuck::cast_slice(&packed.dequantise()))?,
                }
            }
            to.write_all(bytemuck::cast_slice(x))?;
            to.flush()?;
            let mut line = String::new();
            from.read_line(&mut line)?;
            Ok(line)
        };
        let line = talk().unwrap_or_default();
        let hello = serde_json::from_str(&line);
        let hello = hello.map_err(|_| format!("{} cannot run the block: is PyTorch installed?", python.display()))?;
        Ok(Self { child, to, from, hello })
    }

    /// Milliseconds of one run.
    fn run(&mut self) -> Result<f64, Box<dyn std::error::Error>> {
        self.to.write_all(b"run\n")?;
        self.to.flush()?;
        let mut line = String::new();
        self.from.read_line(&mut line)?;
        line.trim().parse().map_err(|_| "PyTorch gave up: see its message above".into())
    }

    /// The last run's output.
    fn output(&mut self, len: usize) -> Result<Vec<f32>, Box<dyn std::error::Error>> {
        self.to.write_all(b"output\n")?;
        self.to.flush()?;
        let mut values = vec![0.0f32; len];
        self.from.read_exact(bytemuck::cast_slice_mut(&mut values))?;
        Ok(values)
    }
}

impl Drop for Other {
    fn drop(&mut self) {
        // It may have ended already; what it was killed for is over either way.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn distance(a: &[f32], b: &[f32]) -> f64 {
    let pairs = a.iter().zip(b).map(|(a, b)| (f64::from(*a), f64::from(*b)));
    let (error, total) = pairs.fold((0.0, 0.0), |(e, t), (a, b)| (e + (a - b) * (a - b), t + b * b));
    (error / total).sqrt()
}

fn median(values: &[f64]) -> f64 {
    let mut sorted = values.to_vec();
    sorted.sort_by(f64::total_cmp);
    sorted.get(sorted.len() / 2).copied().unwrap_or(f64::NAN)
}

fn print(row: &Row) {
    print!("{} tokens: {:.1} ms", row.tokens, row.ours_median);
    if let Some(other) = &row.against {
        print!(
            ", PyTorch {} with {} threads {:.1} ms, ratio {:.2}, outputs differ by {:.1e}",
            other.version, other.threads, other.median, other.ratio, other.difference
        );
    }
    println!();
}

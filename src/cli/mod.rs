//! The command line, one file per command. Exit codes: 0 ok, 1 a check failed, 2 usage or input error.

mod bench;
mod bench_block;
mod convert;
mod demo;
mod eval;
mod inspect;
mod quant_error;
mod run;
mod synth;
mod verify;

use std::process::ExitCode;

use clap::{Parser, Subcommand};

/// Streaming 3D reconstruction from video, on your own machine.
#[derive(Debug, Parser)]
#[command(name = "point3r", version, about)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Reconstruct a video, a folder of images or single images.
    Run(run::Args),
    /// Compare the network with reference tensors.
    Verify(verify::Args),
    /// Turn a checkpoint into a model folder (manifest and shards).
    Convert(convert::Args),
    /// Show what is inside a model folder or checkpoint.
    Inspect(inspect::Args),
    /// Generate synthetic posed RGB-D worlds.
    Synth(synth::Args),
    /// Make the page's demonstrations: synthetic scenes to look at, and pictures of them.
    Demo(demo::Args),
    /// Score depth, camera path or reconstruction against a data set, beside trivial baselines.
    Eval(eval::Args),
    /// Measure what storing weights less precisely changes in the output.
    QuantError(quant_error::Args),
    /// Time the network with formula weights.
    Bench(bench::Args),
    /// Time one encoder block of the released size, beside PyTorch if asked.
    BenchBlock(bench_block::Args),
}

/// What a command ends with: whether its check passed, or an error the user can act on.
type Outcome = Result<bool, Box<dyn std::error::Error>>;

/// Largest resident size of this process so far, where the system tells.
fn peak_memory_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status.lines().find_map(|l| l.strip_prefix("VmHWM:"))?;
    line.trim().trim_end_matches("kB").trim().parse::<u64>().ok().map(|kib| kib / 1024)
}

/// Parses the arguments and runs the command.
#[must_use]
pub fn main() -> ExitCode {
    let outcome = match Cli::parse().command {
        Command::Run(args) => run::execute(args),
        Command::Verify(args) => verify::execute(args),
        Command::Convert(args) => convert::execute(args),
        Command::Inspect(args) => inspect::execute(args),
        Command::Synth(args) => synth::execute(args),
        Command::Demo(args) => demo::execute(args),
        Command::Eval(args) => eval::execute(args),
        Command::QuantError(args) => quant_error::execute(args),
        Command::Bench(args) => bench::execute(args),
        Command::BenchBlock(args) => bench_block::execute(args),
    };
    match outcome {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::from(1),
        Err(error) => {
            eprintln!("error: {error}");
            ExitCode::from(2)
        }
    }
}

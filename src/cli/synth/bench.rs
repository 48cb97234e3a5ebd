//! `point3r synth --bench`: frames per second of whole scenes, worlds and camera defects included.

use std::time::Instant;

use serde::Serialize;

use super::{Args, Caster, Outcome, SynthError, settings};
use crate::synth::{self, Quality, Settings, scene_seed};

/// One timed setting.
#[derive(Debug, Serialize)]
struct Timing {
    device: String,
    size: String,
    quality: &'static str,
    threads: usize,
    frames: usize,
    seconds: f64,
    frames_per_second: f64,
    /// Per second of processor time, which other programs on the machine disturb less; absent where unknown.
    frames_per_core_second: Option<f64>,
}

/// Processor seconds of this process so far, where the system tells.
fn processor_seconds() -> Option<f64> {
    // Fields 14 and 15 of the process status, in hundredths of a second on Linux.
    let status = std::fs::read_to_string("/proc/self/stat").ok()?;
    let mut fields = status.rsplit_once(')')?.1.split_whitespace().skip(11);
    let ticks: u64 = fields.next()?.parse::<u64>().ok()? + fields.next()?.parse::<u64>().ok()?;
    Some(ticks as f64 / 100.0)
}

pub(super) fn bench(args: &Args, caster: &Caster, threads: usize) -> Outcome {
    let device = caster.name();
    let mut timings = Vec::new();
    for (width, height) in [(128, 96), (224, 224)] {
        for quality in [Quality::Fast, Quality::Full] {
            let settings = Settings { width, height, quality, ..settings(args) };
            let scenes = caster.bench_scenes(quality).max(threads as u64);
            std::hint::black_box(caster.render(&Settings { frames: 2, ..settings.clone() }, scene_seed(args.seed, 0))?);
            let (start, before) = (Instant::now(), processor_seconds());
            let mut frames = 0;
            let make = |index| caster.render(&settings, scene_seed(args.seed, index)).map(|s| s.frames.len());
            synth::in_order(0, scenes, threads, make, |_, made| -> Result<(), SynthError> {
                frames += made?;
                Ok(())
            })?;
            let seconds = start.elapsed().as_secs_f64();
            let busy = processor_seconds().zip(before).map(|(a, b)| a - b).filter(|s| *s > 0.0);
            timings.push(Timing {
                device: device.clone(),
                size: format!("{width}x{height}"),
                quality: if quality == Quality::Fast { "fast" } else { "full" },
                threads,
                frames,
                seconds,
                frames_per_second: frames as f64 / seconds,
                frames_per_core_second: busy.map(|s| frames as f64 / s),
            });
        }
    }
    if args.json {
        println!("{}", serde_json::to_string_pretty(&timings)?);
        return Ok(true);
    }
    println!("{device}");
    println!(
        "{:<10} {:<6} {:>8} {:>8} {:>10} {:>18}",
        "size", "", "threads", "frames", "frames/s", "frames/core-second"
    );
    for t in &timings {
        let core = t.frames_per_core_second.map_or("-".to_owned(), |f| format!("{f:.1}"));
        println!(
            "{:<10} {:<6} {:>8} {:>8} {:>10.1} {core:>18}",
            t.size, t.quality, t.threads, t.frames, t.frames_per_second
        );
    }
    Ok(true)
}

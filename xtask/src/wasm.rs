//! The wasm package and the default model: what the page needs besides its own sources.

use std::path::{Path, PathBuf};

use crate::setup;
use crate::shell::{Outcome, Project, answer, run};

/// Where the page looks for the engine, and for the model it starts with.
const ENGINE: &str = "www/src/wasm";
const MODEL: &str = "www/public/models/default";
/// Where the page looks for its demonstrations.
const DEMOS: &str = "www/public/demos";
/// The engine may not grow past this unnoticed (bytes, before compression).
const BUDGET: u64 = 32 << 20;

/// What makes a release build of the engine.
pub(crate) const WASM_ARGS: [&str; 6] =
    ["--profile", "wasm", "--lib", "--no-default-features", "--target", "wasm32-unknown-unknown"];

/// Builds the engine into `www/src/wasm`.
pub(crate) fn build(project: &Project) -> Outcome {
    let wasm_bindgen = setup::wasm_bindgen(project)?;
    run(&mut project.cargo("build", &WASM_ARGS))?;
    let module = project.target.join("wasm32-unknown-unknown/wasm/point3r.wasm");
    constructed_once(&module)?;
    let options = ["--target", "web", "--remove-name-section", "--remove-producers-section", "--out-dir", ENGINE];
    run(project.command(wasm_bindgen, &options).arg(&module))?;
    report_size(project)
}

/// The linker names `.command_export` what it makes of exported functions that run all constructors at every call: three
/// times slower, and silently, if nothing calls the constructors explicitly (`src/web/platform.rs`).
fn constructed_once(module: &Path) -> Outcome {
    const WRAPPED: &[u8] = b".command_export";
    let bytes = std::fs::read(module).map_err(|error| format!("{}: {error}", module.display()))?;
    if bytes.windows(WRAPPED.len()).any(|window| window == WRAPPED) {
        return Err(format!("{}: every exported function runs the module's constructors", module.display()));
    }
    Ok(())
}

fn report_size(project: &Project) -> Outcome {
    let file = format!("{ENGINE}/point3r_bg.wasm");
    let bytes = std::fs::metadata(project.root.join(&file)).map_err(|error| format!("{file}: {error}"))?.len();
    let script = "const z = require('zlib'), b = require('fs').readFileSync(process.argv[1]);\
        console.log(z.gzipSync(b, { level: 9 }).length, z.brotliCompressSync(b, { params: {\
        [z.constants.BROTLI_PARAM_QUALITY]: 9, [z.constants.BROTLI_PARAM_SIZE_HINT]: b.length } }).length)";
    let packed = answer(&mut project.command("node", &["-e", script, &file])).unwrap_or_default();
    let mut packed = packed.split_whitespace().filter_map(|number| number.parse().ok());
    print!("{file}: {} raw", mib(bytes));
    if let (Some(gzip), Some(brotli)) = (packed.next(), packed.next()) {
        print!(", {} gzip, {} brotli", mib(gzip), mib(brotli));
    }
    println!();
    if bytes > BUDGET {
        return Err(format!("{file} has {}, more than its budget of {}", mib(bytes), mib(BUDGET)));
    }
    Ok(())
}

fn mib(bytes: u64) -> String {
    // Tenths by integer arithmetic: a size is not worth a lossy cast.
    let tenths = (bytes * 10) >> 20;
    format!("{}.{} MiB", tenths / 10, tenths % 10)
}

/// Puts the default model where the page looks for it: `weights/default`, or untrained weights of the small network.
pub(crate) fn default_model(project: &Project) -> Outcome {
    let target = project.root.join(MODEL);
    if target.exists() {
        std::fs::remove_dir_all(&target).map_err(|error| format!("{MODEL}: {error}"))?;
    }
    let shipped = project.root.join("weights/default");
    if shipped.join("manifest.json").is_file() {
        return copy_files(&shipped, &target);
    }
    if let Some(parent) = target.parent() {
        std::fs::create_dir_all(parent).map_err(|error| format!("{MODEL}: {error}"))?;
    }
    formula_model(project, "small", &target)
}

/// Puts the demonstrations where the page looks for them; made anew only when the program that makes them is newer.
pub(crate) fn demos(project: &Project) -> Outcome {
    let program = native_program(project)?;
    let target = project.root.join(DEMOS);
    let made = |path: &Path| std::fs::metadata(path).and_then(|found| found.modified()).ok();
    if made(&target.join("index.json")) > made(&program) {
        return Ok(());
    }
    run(project.command(program, &["demo", "-o"]).arg(target))
}

/// The smallest network as a model folder, for browser tests that even a software adapter computes in seconds.
pub(crate) fn tiny_model(project: &Project) -> Result<PathBuf, String> {
    let target = project.target.join("tiny-model");
    formula_model(project, "tiny", &target)?;
    Ok(target)
}

/// Writes a model folder of untrained weights.
fn formula_model(project: &Project, network: &str, target: &Path) -> Outcome {
    let program = native_program(project)?;
    let arguments = ["convert", "--formula", network, "--precision", "f16", "--force", "-o"];
    run(project.command(program, &arguments).arg(target))?;
    let manifest = target.join("manifest.json");
    if manifest.is_file() { Ok(()) } else { Err(format!("{} was not written", manifest.display())) }
}

/// The command line program, built.
fn native_program(project: &Project) -> Outcome<PathBuf> {
    run(&mut project.cargo("build", &["--release", "--bin", "point3r"]))?;
    Ok(project.target.join("release").join(format!("point3r{}", std::env::consts::EXE_SUFFIX)))
}

fn copy_files(from: &Path, to: &Path) -> Outcome {
    let failed = |error: std::io::Error| format!("{}: {error}", from.display());
    std::fs::create_dir_all(to).map_err(failed)?;
    for entry in std::fs::read_dir(from).map_err(failed)? {
        let entry = entry.map_err(failed)?;
        if entry.file_type().map_err(failed)?.is_file() {
            std::fs::copy(entry.path(), to.join(entry.file_name())).map_err(failed)?;
        }
    }
    Ok(())
}

//! Running programs. One place decides their folder, their environment and what a failure says.

use std::ffi::OsStr;
use std::io::{BufRead, BufReader, Write};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Success, or one sentence that tells the user what to do.
pub(crate) type Outcome<T = ()> = Result<T, String>;

/// Where things are on this machine.
#[derive(Debug)]
pub(crate) struct Project {
    /// The repository.
    pub(crate) root: PathBuf,
    /// Tools that are built once per machine.
    pub(crate) tools: PathBuf,
    /// Build output, shared by all checkouts so that dependencies are built once per machine.
    pub(crate) target: PathBuf,
    jobs: usize,
}

impl Project {
    pub(crate) fn find() -> Self {
        let package =
            std::env::var_os("CARGO_MANIFEST_DIR").map_or_else(|| env!("CARGO_MANIFEST_DIR").into(), PathBuf::from);
        let root = package.parent().unwrap_or(&package).to_path_buf();
        let cache = folder_from("XDG_CACHE_HOME")
            .or_else(|| folder_from("HOME").map(|home| home.join(".cache")))
            .map_or_else(|| root.join("target/cache"), |cache| cache.join("point3r"));
        let target = folder_from("CARGO_TARGET_DIR").map_or_else(|| cache.join("target"), |dir| root.join(dir));
        Self { root, tools: cache.join("tools"), target, jobs: build_jobs() }
    }

    /// `program` in the repository, without a terminal, with the build settings of the project.
    pub(crate) fn command(&self, program: impl AsRef<OsStr>, args: &[&str]) -> Command {
        let mut command = Command::new(program);
        command
            .args(args)
            .current_dir(&self.root)
            .stdin(Stdio::null())
            .env("CARGO_TARGET_DIR", &self.target)
            // Set by the `cargo run` around us; programs of other packages must not see them.
            .env_remove("CARGO_MANIFEST_DIR")
            .env_remove("CARGO_MANIFEST_PATH");
        if std::env::var_os("CARGO_BUILD_JOBS").is_none() {
            command.env("CARGO_BUILD_JOBS", self.jobs.to_string());
        }
        // Large reference data is not in the repository; beside it, it is found without being told.
        let beside = ["shared", "../shared"].map(|folder| self.root.join(folder));
        if let (None, Some(folder)) =
            (folder_from("POINT3R_SHARED"), beside.iter().find(|folder| folder.join("golden").is_dir()))
        {
            command.env("POINT3R_SHARED", folder);
        }
        command
    }

    /// `cargo` with the project's settings; in CI the lock file must be up to date.
    pub(crate) fn cargo(&self, subcommand: &str, args: &[&str]) -> Command {
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let mut command = self.command(cargo, &[subcommand]);
        if in_ci() && subcommand != "fmt" {
            command.arg("--locked");
        }
        command.args(args);
        command
    }

    /// `npm` with the project's settings.
    pub(crate) fn npm(&self, args: &[&str]) -> Command {
        self.command(if cfg!(windows) { "npm.cmd" } else { "npm" }, args)
    }
}

/// Whether this runs unattended: then a missing prerequisite is a failure, not a skip.
pub(crate) fn in_ci() -> bool {
    std::env::var("CI").is_ok_and(|value| !matches!(value.as_str(), "" | "0" | "false"))
}

/// The command as a user would type it.
pub(crate) fn shown(command: &Command) -> String {
    let name = Path::new(command.get_program()).file_name().unwrap_or(command.get_program());
    std::iter::once(name).chain(command.get_args()).map(OsStr::to_string_lossy).collect::<Vec<_>>().join(" ")
}

/// Runs with the output on the terminal.
pub(crate) fn run(command: &mut Command) -> Outcome {
    println!("$ {}", shown(command));
    let status = command.status().map_err(|error| not_started(command, &error))?;
    if status.success() { Ok(()) } else { Err(format!("`{}` ended with {status}", shown(command))) }
}

/// Runs with the output on the terminal and every line of standard output also handed to `line`.
pub(crate) fn run_reading(command: &mut Command, mut line: impl FnMut(&str)) -> Outcome {
    println!("$ {}", shown(command));
    let mut child = command.stdout(Stdio::piped()).spawn().map_err(|error| not_started(command, &error))?;
    if let Some(stdout) = child.stdout.take() {
        for bytes in BufReader::new(stdout).split(b'\n') {
            let Ok(bytes) = bytes else { break };
            let text = String::from_utf8_lossy(&bytes);
            println!("{text}");
            line(&text);
        }
    }
    let status = child.wait().map_err(|error| not_started(command, &error))?;
    let _ = std::io::stdout().flush();
    if status.success() { Ok(()) } else { Err(format!("`{}` ended with {status}", shown(command))) }
}

/// Standard output of a short command, or nothing if it cannot be run or fails.
pub(crate) fn answer(command: &mut Command) -> Option<String> {
    let output = command.stderr(Stdio::null()).output().ok()?;
    output.status.success().then(|| String::from_utf8_lossy(&output.stdout).trim().to_owned())
}

/// The first of these programs that is on the PATH.
pub(crate) fn on_path(names: &[&str]) -> Option<PathBuf> {
    let path = std::env::var_os("PATH")?;
    names.iter().find_map(|name| {
        std::env::split_paths(&path)
            .map(|dir| dir.join(format!("{name}{}", std::env::consts::EXE_SUFFIX)))
            .find(|file| file.is_file())
    })
}

/// `command`, ended after `seconds` where the machine has coreutils.
pub(crate) fn limited(project: &Project, seconds: u32, command: &Command) -> Command {
    let limit = seconds.to_string();
    let mut outer = match on_path(&["timeout"]) {
        Some(timeout) => project.command(timeout, &["-k", "10", &limit]),
        None => project.command("env", &[]),
    };
    outer.arg(command.get_program()).args(command.get_args());
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => outer.env(name, value),
            None => outer.env_remove(name),
        };
    }
    outer
}

fn not_started(command: &Command, error: &std::io::Error) -> String {
    format!("`{}` could not be run: {error}", command.get_program().to_string_lossy())
}

fn folder_from(variable: &str) -> Option<PathBuf> {
    std::env::var_os(variable).filter(|value| !value.is_empty()).map(PathBuf::from)
}

/// Compiling the GPU stack takes up to 2 GiB per job: as many jobs as cores, but no more than memory allows.
fn build_jobs() -> usize {
    let cores = std::thread::available_parallelism().map_or(2, usize::from);
    let by_memory = std::fs::read_to_string("/proc/meminfo").ok().and_then(|text| available_gib(&text));
    by_memory.map_or(cores, |gib| cores.min(gib / 2)).max(1)
}

fn available_gib(meminfo: &str) -> Option<usize> {
    let line = meminfo.lines().find_map(|line| line.strip_prefix("MemAvailable:"))?;
    let kib: usize = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kib >> 20)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn memory_is_read_from_meminfo() {
        assert_eq!(available_gib("MemTotal: 9 kB\nMemAvailable:   16777216 kB\n"), Some(16));
        assert_eq!(available_gib("nothing"), None);
    }

    #[test]
    fn a_command_is_shown_without_its_folder() {
        let mut command = Command::new("/some/where/cargo");
        command.args(["fmt", "--check"]);
        assert_eq!(shown(&command), "cargo fmt --check");
    }
}

//! What must be on the machine: found if it is there, installed if it can be, named if it cannot.

use std::path::{Path, PathBuf};

use crate::shell::{Outcome, Project, answer, on_path, run};

/// Node below this cannot run the page's build tools.
const NODE: (u32, u32) = (20, 19);
const TARGET: &str = "wasm32-unknown-unknown";

/// A Debian package that tests need, and how to see that it is there.
struct Package {
    name: &'static str,
    present: fn() -> bool,
}

const CHROMIUM: Package = Package { name: "chromium", present: || chromium().is_some() };
const LAVAPIPE: Package = Package { name: "mesa-vulkan-drivers", present: || lavapipe().is_some() };
const VULKAN: Package = Package { name: "libvulkan1", present: vulkan_loader };
const FFMPEG: Package = Package { name: "ffmpeg", present: || on_path(&["ffmpeg"]).is_some() };

/// `cargo xtask setup`.
pub(crate) fn everything(project: &Project) -> Outcome {
    wasm_tools(project)?;
    page_packages(project)?;
    system_packages(project, true, true)?;
    println!("everything is installed: `cargo xtask serve` and `cargo xtask test` can run");
    Ok(())
}

/// The wasm target of the pinned toolchain and the matching `wasm-bindgen`.
pub(crate) fn wasm_tools(project: &Project) -> Outcome {
    let sysroot = answer(&mut project.command("rustc", &["--print", "sysroot"])).unwrap_or_default();
    if !Path::new(&sysroot).join("lib/rustlib").join(TARGET).is_dir() {
        run(&mut project.command("rustup", &["target", "add", TARGET])).map_err(|error| {
            format!(
                "the Rust target {TARGET} is missing and could not be installed ({error}): install Rust with rustup"
            )
        })?;
    }
    wasm_bindgen(project).map(drop)
}

/// `wasm-bindgen` of exactly the version in `Cargo.lock`; built once per machine.
pub(crate) fn wasm_bindgen(project: &Project) -> Outcome<PathBuf> {
    let lock =
        std::fs::read_to_string(project.root.join("Cargo.lock")).map_err(|error| format!("Cargo.lock: {error}"))?;
    let version = locked_version(&lock, "wasm-bindgen").ok_or("Cargo.lock has no wasm-bindgen")?;
    let own = project.tools.join("bin").join(format!("wasm-bindgen{}", std::env::consts::EXE_SUFFIX));
    let right = |program: &Path| {
        answer(&mut project.command(program, &["--version"]))
            .is_some_and(|answer| answer.split_whitespace().nth(1) == Some(version.as_str()))
    };
    if let Some(found) = [Some(own.clone()), on_path(&["wasm-bindgen"])].into_iter().flatten().find(|file| right(file))
    {
        return Ok(found);
    }
    println!("installing wasm-bindgen {version} into {} (once per machine, some minutes)", project.tools.display());
    let tools = project.tools.to_string_lossy().into_owned();
    let install = |locked: &[&str]| {
        let mut command =
            project.command("cargo", &["install", "wasm-bindgen-cli", "--version", &version, "--root", &tools]);
        command.args(locked).env("CARGO_TARGET_DIR", project.tools.join("build"));
        run(&mut command)
    };
    // A registry mirror may lag behind the lock file of the tool; any compatible set of crates will do then.
    let installed = install(&["--locked"]).or_else(|_| install(&[]));
    let _ = std::fs::remove_dir_all(project.tools.join("build"));
    installed?;
    if right(&own) { Ok(own) } else { Err(format!("{} is not wasm-bindgen {version}", own.display())) }
}

/// The page's packages, exactly as in `package-lock.json`.
pub(crate) fn page_packages(project: &Project) -> Outcome {
    node(project)?;
    let wanted =
        std::fs::read(project.root.join("package-lock.json")).map_err(|error| format!("package-lock.json: {error}"))?;
    let stamp = project.root.join("node_modules/.installed-lock.json");
    if std::fs::read(&stamp).is_ok_and(|installed| installed == wanted) {
        return Ok(());
    }
    run(&mut project.npm(&["ci", "--no-audit", "--no-fund"]))?;
    std::fs::write(&stamp, wanted).map_err(|error| format!("{}: {error}", stamp.display()))
}

/// Whether there is a Node that can build the page.
pub(crate) fn node(project: &Project) -> Outcome {
    let needed = format!("Node {}.{} or newer with npm is needed (Debian: apt-get install nodejs npm)", NODE.0, NODE.1);
    let found = answer(&mut project.command("node", &["--version"])).ok_or_else(|| needed.clone())?;
    match node_version(&found) {
        Some(version) if version >= NODE => {}
        _ => return Err(format!("{needed}; found {found}")),
    }
    answer(&mut project.npm(&["--version"])).map(drop).ok_or(needed)
}

/// Software Vulkan and ffmpeg for the Rust tests, Chromium for the browser tests; installed if this is root on Debian.
pub(crate) fn system_packages(project: &Project, rust: bool, browser: bool) -> Outcome {
    let mut wanted = Vec::new();
    if rust {
        wanted.extend([LAVAPIPE, VULKAN, FFMPEG]);
    }
    if browser {
        wanted.push(CHROMIUM);
    }
    let missing: Vec<&str> = wanted.iter().filter(|package| !(package.present)()).map(|package| package.name).collect();
    if missing.is_empty() {
        return Ok(());
    }
    let advice = format!(
        "not installed: {0}. On Debian: sudo apt-get update && sudo apt-get install -y --no-install-recommends {0}",
        missing.join(" ")
    );
    let root = answer(&mut project.command("id", &["-u"])).as_deref() == Some("0");
    if !root || on_path(&["apt-get"]).is_none() {
        return Err(advice);
    }
    let apt = |args: &[&str]| {
        let mut command = project.command("apt-get", args);
        command.env("DEBIAN_FRONTEND", "noninteractive");
        run(&mut command)
    };
    // A stale source may fail to update while the needed one is fine: the install decides.
    let _ = apt(&["update"]);
    let mut install = vec!["install", "-y", "--no-install-recommends"];
    install.extend(&missing);
    apt(&install).map_err(|error| format!("{error}; {advice}"))?;
    match wanted.iter().find(|package| !(package.present)()) {
        Some(package) => Err(format!("{} is installed, but what tests need of it was not found", package.name)),
        None => Ok(()),
    }
}

/// The browser that tests drive: the one named by `CHROMIUM`, else the first that is installed.
pub(crate) fn chromium() -> Option<PathBuf> {
    if let Some(named) = std::env::var_os("CHROMIUM").map(PathBuf::from) {
        return Some(named).filter(|file| file.is_file());
    }
    on_path(&["chromium", "chromium-browser", "google-chrome", "google-chrome-stable"])
}

/// The driver file of Mesa's software Vulkan.
pub(crate) fn lavapipe() -> Option<PathBuf> {
    ["/usr/share/vulkan/icd.d", "/etc/vulkan/icd.d"].iter().find_map(|folder| {
        std::fs::read_dir(folder)
            .ok()?
            .flatten()
            .map(|entry| entry.path())
            .find(|path| path.file_name().is_some_and(|name| name.to_string_lossy().starts_with("lvp_icd")))
    })
}

/// Whether this machine shows a real GPU; then tests use it instead of software Vulkan.
pub(crate) fn has_gpu() -> bool {
    Path::new("/dev/nvidia0").exists() || Path::new("/dev/dri/renderD128").exists()
}

fn vulkan_loader() -> bool {
    let has = |folder: &Path| folder.join("libvulkan.so.1").exists();
    has(Path::new("/usr/lib"))
        || has(Path::new("/usr/lib64"))
        || std::fs::read_dir("/usr/lib").is_ok_and(|entries| entries.flatten().any(|entry| has(&entry.path())))
}

fn node_version(text: &str) -> Option<(u32, u32)> {
    let mut numbers = text.trim().strip_prefix('v')?.split('.').map(str::parse);
    Some((numbers.next()?.ok()?, numbers.next()?.ok()?))
}

fn locked_version(lock: &str, package: &str) -> Option<String> {
    let name = format!("name = \"{package}\"");
    let mut lines = lock.lines().skip_while(|line| *line != name);
    lines.next()?;
    lines.next()?.strip_prefix("version = \"")?.strip_suffix('"').map(str::to_owned)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_locked_version_is_that_of_the_named_package() {
        let lock = "[[package]]\nname = \"wasm-bindgen-futures\"\nversion = \"0.4.1\"\n\n[[package]]\nname = \"wasm-bindgen\"\nversion = \"0.2.130\"\n";
        assert_eq!(locked_version(lock, "wasm-bindgen").as_deref(), Some("0.2.130"));
        assert_eq!(locked_version(lock, "burn"), None);
    }

    #[test]
    fn node_versions_compare_by_number() {
        assert_eq!(node_version("v20.20.2\n"), Some((20, 20)));
        assert!(node_version("v9.9.9") < Some(NODE));
        assert_eq!(node_version("what"), None);
    }
}

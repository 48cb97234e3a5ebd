//! `cargo xtask test`: installs what tests need, runs all of them, ends with one line of sums.

use std::process::Command;

use crate::counts::{Counts, Runner, counted};
use crate::report::{Report, Verdict};
use crate::setup;
use crate::shell::{Outcome, Project, answer, limited, run, run_reading};
use crate::wasm::{self, WASM_ARGS};

const PARTS: [&str; 5] = ["rust", "wasm", "web", "e2e", "training"];

/// Runs the named parts, or all of them.
pub(crate) fn execute(project: &Project, args: &[String]) -> Outcome {
    if let Some(unknown) = args.iter().find(|part| !PARTS.contains(&part.as_str())) {
        return Err(format!("there is no part `{unknown}`: choose from {}", PARTS.join(", ")));
    }
    let wanted = |part: &str| args.is_empty() || args.iter().any(|argument| argument == part);
    let mut report = Report::default();
    if wanted("rust") || wanted("e2e") {
        report.step("system packages", &[], || {
            setup::system_packages(project, wanted("rust"), wanted("e2e"))
                .map_or_else(Verdict::Missing, |()| Verdict::Holds)
        });
    }
    if wanted("rust") {
        rust(project, &mut report);
    }
    if wanted("web") || wanted("e2e") {
        report.step("page packages", &[], || match setup::node(project) {
            Err(advice) => Verdict::Missing(advice),
            Ok(()) => setup::page_packages(project).into(),
        });
    }
    if wanted("web") {
        web(project, &mut report);
    }
    if wanted("wasm") || wanted("e2e") {
        engine(project, &mut report, wanted("wasm"));
    }
    if wanted("e2e") {
        e2e(project, &mut report);
    }
    if wanted("training") {
        report.step("training tests", &[], || training(project));
    }
    // The failures have been shown; the sums must be the last line.
    if report.finish() { Ok(()) } else { Err(String::new()) }
}

fn rust(project: &Project, report: &mut Report) {
    report.step("rustfmt", &[], || run(&mut project.cargo("fmt", &["--all", "--check"])).into());
    report.step("clippy", &[], || {
        let args = ["--release", "--workspace", "--all-targets", "--", "-D", "warnings"];
        run(&mut project.cargo("clippy", &args)).into()
    });
    report.step("rust tests", &[], || {
        let mut command = project.cargo("test", &["--release", "--workspace", "--no-fail-fast"]);
        software_vulkan(&mut command);
        tests(&mut command, Runner::Cargo)
    });
    report.step("rust docs", &[], || {
        let mut command = project.cargo("doc", &["--release", "--workspace", "--no-deps", "--quiet"]);
        command.env("RUSTDOCFLAGS", "-D warnings");
        run(&mut command).into()
    });
}

fn web(project: &Project, report: &mut Report) {
    report.step("page check", &["page packages"], || run(&mut project.npm(&["run", "--silent", "check"])).into());
    report.step("page tests", &["page packages"], || {
        tests(&mut limited(project, 600, &project.npm(&["run", "--silent", "test"])), Runner::Vitest)
    });
}

fn engine(project: &Project, report: &mut Report, checked: bool) {
    report.step("wasm tools", &[], || setup::wasm_tools(project).into());
    if checked {
        let args = [WASM_ARGS.as_slice(), &["--", "-D", "warnings"]].concat();
        report.step("clippy wasm", &["wasm tools"], || run(&mut project.cargo("clippy", &args)).into());
    }
    report.step("wasm build", &["wasm tools"], || wasm::build(project).into());
}

fn e2e(project: &Project, report: &mut Report) {
    report.step("default model", &[], || wasm::default_model(project).into());
    report.step("demos", &[], || wasm::demos(project).into());
    report.step("page build", &["page packages", "wasm build", "default model", "demos"], || {
        run(&mut project.npm(&["run", "--silent", "build"])).into()
    });
    report.step("browser tests", &["page build"], || match setup::chromium() {
        None => Verdict::Missing("there is no Chromium".to_owned()),
        Some(browser) => {
            let mut command = project.npm(&["run", "--silent", "e2e"]);
            command.env("CHROMIUM", browser);
            match wasm::tiny_model(project) {
                Ok(model) => command
                    .env("POINT3R_TINY_MODEL", model)
                    // Built with the model: it makes the picture of the fake camera where there is no recording.
                    .env("POINT3R_BIN", project.target.join("release").join("point3r")),
                Err(error) => return Verdict::Ran(Counts::default(), Some(error)),
            };
            tests(&mut limited(project, 1800, &command), Runner::Node)
        }
    });
}

/// The training package's own tests. PyTorch is a 5 GB install that page and command line never need, so they run
/// only where it is already there.
fn training(project: &Project) -> Verdict {
    let importable = |python: &&str| answer(&mut project.command(python, &["-c", "import torch, pytest"])).is_some();
    match ["python3", "python"].into_iter().find(importable) {
        None => Verdict::Optional("no PyTorch here: pip install -e 'weights/train[test]'".to_owned()),
        Some(python) => {
            let command = project.command(python, &["-m", "pytest", "-q", "weights/train"]);
            tests(&mut limited(project, 900, &command), Runner::Pytest)
        }
    }
}

fn tests(command: &mut Command, runner: Runner) -> Verdict {
    let mut counts = Counts::default();
    let outcome = run_reading(command, |line| counts.add(counted(runner, line)));
    Verdict::Ran(counts, outcome.err())
}

/// Without a GPU, the wgpu device is Mesa's software Vulkan; a driver chosen by the user stays.
fn software_vulkan(command: &mut Command) {
    if std::env::var_os("VK_ICD_FILENAMES").is_none()
        && !setup::has_gpu()
        && let Some(driver) = setup::lavapipe()
    {
        command.env("VK_ICD_FILENAMES", driver);
    }
}

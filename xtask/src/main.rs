//! `cargo xtask`: everything a person or a machine does with this repository, in one command each.
//!
//! Standard library only, so that it compiles in seconds on a machine that has nothing yet.

mod counts;
mod report;
mod serve;
mod setup;
mod shell;
mod test;
mod wasm;

use std::process::ExitCode;

use shell::Project;

const HELP: &str = "\
usage: cargo xtask <command>

  serve [--port N] [--no-open] [--dev]    build everything, serve the page, open the browser if there is one
  test [rust] [wasm] [web] [e2e] [training]  install what tests need, run all tests (or only the named parts)
  wasm                                    build the wasm package into www/src/wasm and print its size
  figures                                 print the page's figures: sizes, memory, time to paint and to ready
  screenshots [folder]                    take pictures of the page's states (target/screenshots)
  soak [frames]                           reconstruct 1,000 frames in the browser and watch memory and promises
  setup                                   install what `serve` and `test` need, build nothing

Build output goes to $CARGO_TARGET_DIR, else to point3r/target in the user's cache folder.
";

fn main() -> ExitCode {
    let mut args = std::env::args().skip(1);
    let command = args.next().unwrap_or_default();
    let rest: Vec<String> = args.collect();
    let project = Project::find();
    let outcome = match command.as_str() {
        "serve" => serve::execute(&project, &rest),
        "test" => test::execute(&project, &rest),
        "wasm" => no_arguments(&rest).and_then(|()| setup::wasm_tools(&project)).and_then(|()| wasm::build(&project)),
        "figures" => no_arguments(&rest).and_then(|()| serve::in_browser(&project, "figures", &[])),
        "screenshots" => serve::in_browser(&project, "screenshots", &rest),
        "soak" => serve::in_browser(&project, "soak", &rest),
        "setup" => no_arguments(&rest).and_then(|()| setup::everything(&project)),
        "" | "help" | "-h" | "--help" => {
            print!("{HELP}");
            Ok(())
        }
        other => Err(format!("there is no command `{other}`\n\n{HELP}")),
    };
    match outcome {
        Ok(()) => ExitCode::SUCCESS,
        // An empty message means that everything has been said already.
        Err(message) => {
            if !message.is_empty() {
                eprintln!("error: {message}");
            }
            ExitCode::FAILURE
        }
    }
}

fn no_arguments(rest: &[String]) -> shell::Outcome {
    match rest.first() {
        None => Ok(()),
        Some(argument) => Err(format!("unexpected argument `{argument}`\n\n{HELP}")),
    }
}

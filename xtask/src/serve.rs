//! `cargo xtask serve`: from a fresh checkout to a page in the browser. Other commands drive a browser on that page.

use std::net::{Ipv4Addr, TcpListener, TcpStream};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::shell::{Outcome, Project, on_path, run, shown};
use crate::{setup, wasm};

/// The port people know; another one is taken if it is busy.
const PORT: u16 = 4173;

struct Options {
    port: Option<u16>,
    open: bool,
    dev: bool,
}

/// Builds everything and serves the page until interrupted.
pub(crate) fn execute(project: &Project, args: &[String]) -> Outcome {
    let options = parse(args)?;
    let started = Instant::now();
    build(project, !options.dev)?;
    let port = match options.port {
        Some(port) => port,
        None => free_port()?,
    };
    let url = format!("http://localhost:{port}/");
    let mut server = start(project, &options, port)?;
    wait_until_served(&mut server, port)?;
    println!("\nbuilt in {} s\n\n    {url}\n\nCtrl-C stops the server", started.elapsed().as_secs());
    if options.open {
        open_browser(&url);
    }
    let status = server.wait().map_err(|error| error.to_string())?;
    if status.success() { Ok(()) } else { Err(format!("the server ended with {status}")) }
}

/// Builds the page as it is served, and runs one of the scripts of `package.json` that drive a browser on it.
pub(crate) fn in_browser(project: &Project, script: &str, args: &[String]) -> Outcome {
    let browser = setup::chromium().ok_or("Chromium is needed (Debian: apt-get install chromium)")?;
    build(project, true)?;
    let model = wasm::tiny_model(project)?;
    let mut command = project.npm(&["run", "--silent", script, "--"]);
    // The program makes the picture of the fake camera where there is no recording.
    let program = project.target.join("release").join(format!("point3r{}", std::env::consts::EXE_SUFFIX));
    command.args(args).env("CHROMIUM", browser).env("POINT3R_TINY_MODEL", model).env("POINT3R_BIN", program);
    run(&mut command)
}

fn build(project: &Project, page: bool) -> Outcome {
    setup::node(project)?;
    setup::wasm_tools(project)?;
    setup::page_packages(project)?;
    wasm::default_model(project)?;
    wasm::demos(project)?;
    wasm::build(project)?;
    if page { run(&mut project.npm(&["run", "--silent", "build"])) } else { Ok(()) }
}

fn parse(args: &[String]) -> Outcome<Options> {
    let mut options = Options { port: None, open: true, dev: false };
    let mut args = args.iter();
    while let Some(argument) = args.next() {
        match argument.as_str() {
            "--no-open" => options.open = false,
            "--dev" => options.dev = true,
            "--port" => {
                let value = args.next().ok_or("--port needs a number")?;
                options.port = Some(value.parse().map_err(|_| format!("`{value}` is not a port"))?);
            }
            other => return Err(format!("unexpected argument `{other}`: serve [--port N] [--no-open] [--dev]")),
        }
    }
    Ok(options)
}

fn start(project: &Project, options: &Options, port: u16) -> Outcome<Child> {
    let port = port.to_string();
    let vite = project.root.join("node_modules/vite/bin/vite.js");
    let mut command = project.command("node", &[]);
    command.arg(vite);
    if !options.dev {
        command.arg("preview");
    }
    command.args(["--host", "127.0.0.1", "--port", &port, "--strictPort"]);
    command.spawn().map_err(|error| format!("`{}` could not be run: {error}", shown(&command)))
}

/// The usual port, or any other that nobody listens on.
fn free_port() -> Outcome<u16> {
    let bound = TcpListener::bind((Ipv4Addr::LOCALHOST, PORT)).or_else(|_| TcpListener::bind((Ipv4Addr::LOCALHOST, 0)));
    bound
        .and_then(|listener| listener.local_addr())
        .map(|address| address.port())
        .map_err(|error| format!("no free port: {error}"))
}

fn wait_until_served(server: &mut Child, port: u16) -> Outcome {
    for _ in 0..300 {
        if TcpStream::connect((Ipv4Addr::LOCALHOST, port)).is_ok() {
            return Ok(());
        }
        if let Ok(Some(status)) = server.try_wait() {
            return Err(format!("the server ended with {status}: is port {port} in use?"));
        }
        std::thread::sleep(Duration::from_millis(100));
    }
    let _ = server.kill();
    Err(format!("nothing answered on port {port} within 30 s"))
}

/// Opens the page where there is a screen; it is no error if there is none.
fn open_browser(url: &str) {
    let screen = cfg!(target_os = "macos")
        || ["DISPLAY", "WAYLAND_DISPLAY"]
            .iter()
            .any(|name| std::env::var_os(name).is_some_and(|value| !value.is_empty()));
    if let Some(opener) = on_path(&["xdg-open", "open"]).filter(|_| screen) {
        let _ = Command::new(opener).arg(url).stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).spawn();
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn options_are_read_and_others_refused() {
        let words = |text: &str| text.split(' ').map(str::to_owned).collect::<Vec<_>>();
        let options = parse(&words("--port 8000 --no-open")).unwrap_or(Options { port: None, open: true, dev: true });
        assert_eq!((options.port, options.open, options.dev), (Some(8000), false, false));
        assert!(parse(&words("--port many")).is_err());
        assert!(parse(&words("--prot 80")).is_err());
    }
}

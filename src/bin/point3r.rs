//! The command line. Everything it does is in `point3r::cli`; this file only starts it.

fn main() -> std::process::ExitCode {
    point3r::cli::main()
}

//! The `meshgen` command: parse, run, exit code.

fn main() -> std::process::ExitCode {
    meshgen::cli::main()
}

//! The `meshgen` command: parse, run, exit code.

/// Rendering allocates on all threads at once, which glibc's allocator is slow at.
#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

fn main() -> std::process::ExitCode {
    meshgen::cli::main()
}

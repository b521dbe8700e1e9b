//! Writes pages of made-up meshes, to look at in a browser without a cluster.
//!
//! `cargo run --example page -- FOLDER` writes `healthy-N.html`, `troubled-N.html`, `offline-N.html`.
#![allow(
    clippy::disallowed_methods,
    clippy::print_stderr,
    reason = "an example has files and a terminal"
)]

#[path = "../tests/it/report/sample.rs"]
mod sample;

use std::path::PathBuf;
use std::{env, fs};

use meshgen::verify::page::to_html;

fn main() -> std::io::Result<()> {
    let Some(folder) = env::args_os().nth(1).map(PathBuf::from) else {
        eprintln!("usage: cargo run --example page -- FOLDER");
        return Ok(());
    };
    fs::create_dir_all(&folder)?;
    for clusters in [1, 2, 3, 12, 50] {
        for (name, page) in [
            ("healthy", sample::healthy(clusters)),
            ("troubled", sample::troubled(clusters)),
            ("offline", sample::offline(clusters)),
        ] {
            fs::write(folder.join(format!("{name}-{clusters}.html")), to_html(&page))?;
        }
    }
    Ok(())
}

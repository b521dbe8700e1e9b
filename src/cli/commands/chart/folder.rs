//! A chart from disk: a folder or an archive.

use std::path::Path;

use crate::cli::CommandError;
use crate::file::{Disk, FileKind};
use crate::helm::{Chart, ChartError, File};

/// The largest archive, and more than the largest file in a chart that Helm takes.
const MAX_ARCHIVE: u64 = 100 << 20;
const MAX_FILE: u64 = 5 << 20;
/// Links to folders within linked folders: more than this is a circle.
const MAX_LINKS: usize = 8;

/// Loads a chart. As Helm does, follows symlinks in a folder.
pub fn load(disk: &Disk, path: &Path) -> Result<Chart, CommandError> {
    let name = path.display();
    if !disk.exists(path)? {
        let error = CommandError::refused(format!("there is no chart `{name}`"));
        return Err(error.hint(
            "CHART is a folder or a .tgz; `helm pull` brings charts from repositories and registries",
        ));
    }
    let chart = if disk.list(path).is_ok() {
        let mut files = Vec::new();
        add(disk, path, "", 0, &mut files)?;
        Chart::from_folder(files)
    } else {
        Chart::from_archive(&disk.read_limited(path, MAX_ARCHIVE)?)
    };
    chart.map_err(|error| refused(&error))
}

/// What is wrong with a chart; in a template with its line, drawn.
pub fn refused(error: &ChartError) -> CommandError {
    let ChartError::Template(error) = error else {
        return CommandError::refused(error.to_string());
    };
    let drawn = error.draw();
    CommandError::refused(drawn.strip_prefix("error: ").unwrap_or(&drawn).trim_end())
}

/// Adds the files below a folder under a prefix that is empty or ends with `/`.
fn add(
    disk: &Disk,
    folder: &Path,
    prefix: &str,
    links: usize,
    files: &mut Vec<File>,
) -> Result<(), CommandError> {
    for (name, kind) in disk.walk(folder)? {
        let path = folder.join(&name);
        let name = format!("{prefix}{name}");
        if kind == FileKind::Symlink && disk.list(&path).is_ok() {
            if links == MAX_LINKS {
                return Err(CommandError::refused(format!("`{name}` leads in a circle")));
            }
            add(disk, &path, &format!("{name}/"), links + 1, files)?;
            continue;
        }
        let size = disk.stat(&path)?.map_or(0, |stat| stat.size);
        let data = if size > MAX_FILE {
            // a chart may not hold it, unless `.helmignore` leaves it out: its size alone says so
            vec![0; usize::try_from(MAX_FILE).expect("5 MiB") + 1]
        } else {
            disk.read_limited(&path, MAX_FILE + 1)?
        };
        files.push(File { path: name, data });
    }
    Ok(())
}

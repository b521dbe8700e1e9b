//! Charts as `.tgz`.

use std::io::Read;

use flate2::read::GzDecoder;

use super::chart::File;
use super::error::ChartError;

/// The largest chart, and the largest file in one, that Helm unpacks.
const MAX_CHART: u64 = 100 << 20;
const MAX_FILE: u64 = 5 << 20;

/// Unpacks the files of a chart, without the folder that all of them are in.
///
/// # Errors
/// When it is no archive, a path leaves the folder, or a size is beyond the limits.
pub fn files(bytes: &[u8]) -> Result<Vec<File>, ChartError> {
    let fault = |error: std::io::Error| ChartError::Archive(error.to_string());
    if !bytes.starts_with(&[0x1f, 0x8b, 0x08]) {
        return Err(ChartError::Archive("it is not compressed with gzip".into()));
    }
    let mut archive = tar::Archive::new(GzDecoder::new(bytes).take(MAX_CHART + (64 << 20)));
    let mut files = Vec::new();
    let mut left = MAX_CHART;
    for entry in archive.entries().map_err(fault)? {
        let entry = entry.map_err(fault)?;
        let kind = entry.header().entry_type();
        if kind.is_dir() || kind.is_pax_global_extensions() || kind.is_pax_local_extensions() {
            continue;
        }
        let name = String::from_utf8_lossy(&entry.path_bytes()).into_owned();
        let path = inner_path(&name)?;
        let size = entry.size();
        if size > left || size > MAX_FILE {
            return Err(ChartError::Archive(format!("`{name}` is too large")));
        }
        left -= size;
        let mut data = Vec::new();
        entry.take(size).read_to_end(&mut data).map_err(fault)?;
        files.push(File { path, data });
    }
    if files.is_empty() {
        return Err(ChartError::Archive("there are no files in it".into()));
    }
    Ok(files)
}

/// Takes the outer folder off a path.
fn inner_path(name: &str) -> Result<String, ChartError> {
    let delimiter = if name.contains('\\') { '\\' } else { '/' };
    let (first, rest) = name.split_once(delimiter).unwrap_or((name, ""));
    let rest = rest.replace(delimiter, "/");
    let refuse = |reason: &str| Err(ChartError::Archive(format!("`{name}` {reason}")));
    if first == "Chart.yaml" {
        return refuse("is not in a folder");
    }
    if rest.starts_with('/') {
        return refuse("is an absolute path");
    }
    let mut parts: Vec<&str> = Vec::new();
    for part in rest.split('/') {
        match part {
            "" | "." => {}
            ".." => {
                if parts.pop().is_none() {
                    return refuse("leaves the folder");
                }
            }
            part => parts.push(part),
        }
    }
    let is_drive = parts.first().is_some_and(|part| part.len() == 2 && part.ends_with(':'));
    if parts.is_empty() || is_drive {
        return refuse("is outside of the folder");
    }
    Ok(parts.join("/"))
}

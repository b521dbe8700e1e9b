//! What the flags of `gitops` may say: what comes of them is committed, and no engine asks back.

use crate::cli::CommandError;
use crate::mesh::is_dns_label;

/// The most characters of an object's name.
const MAX_NAME: usize = 253;

/// Refuses what is no URL of a git repository, or one with a password or token in it: what is written is
/// committed.
pub fn git(url: &str) -> Result<(), CommandError> {
    without_password(url)?;
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let host = rest.split('/').next().unwrap_or_default();
    let is_odd = url.chars().any(|c| c.is_whitespace() || c.is_control());
    if is_odd || !["https", "http", "ssh"].contains(&scheme) || host.is_empty() {
        return Err(CommandError::refused(format!("`--source`: {url:?} is no git repository"))
            .hint("`https://…` or `ssh://…`"));
    }
    Ok(())
}

/// Refuses a name that git gives nothing: empty, or with what ends words and lines.
pub fn revision(flag: &str, text: &str) -> Result<(), CommandError> {
    if !text.is_empty() && !text.chars().any(|c| c.is_whitespace() || c.is_control()) {
        return Ok(());
    }
    Err(CommandError::refused(format!("`{flag}`: {text:?} is no branch, tag or commit")))
}

/// Refuses a URL with a password or token in it: what is written is committed.
pub fn without_password(url: &str) -> Result<(), CommandError> {
    if url.contains(['?', '#']) {
        return Err(CommandError::refused("the URL of `--source` has more than a host and a path")
            .hint("leave out what follows `?` or `#`: a token there would be committed"));
    }
    let (scheme, rest) = url.split_once("://").unwrap_or_default();
    let authority = rest.split('/').next().unwrap_or_default();
    let user = authority.rsplit_once('@').map(|(user, _)| user);
    if user.is_some_and(|user| scheme != "ssh" || user.contains(':')) {
        return Err(CommandError::refused("the URL of `--source` holds a user or a password")
            .hint("leave them out: `--pull-secret NAME` names a Secret that holds them"));
    }
    Ok(())
}

/// Refuses a name that no object of Kubernetes has: labels of DNS with dots between them (RFC 1123).
pub fn name(flag: &str, text: &str) -> Result<(), CommandError> {
    if text.len() <= MAX_NAME && text.split('.').all(is_dns_label) {
        return Ok(());
    }
    let message = format!("`{flag}`: {text:?} is no name of an object");
    Err(CommandError::refused(message).hint("lower case letters, digits, `-` and `.`"))
}

/// A path in a repository without `.` in it; empty for the repository's top. Refuses one that leaves the
/// repository, or that no repository has.
pub fn path(flag: &str, text: &str) -> Result<String, CommandError> {
    let is_part = |part: &str| !matches!(part, "" | "..") && !part.contains(char::is_control);
    let parts = text.trim_end_matches('/').split('/');
    if parts.clone().all(is_part) {
        return Ok(parts.filter(|part| *part != ".").collect::<Vec<_>>().join("/"));
    }
    let message = format!("`{flag}`: {text:?} is no path in a repository");
    Err(CommandError::refused(message).hint("relative to the repository's top: `deploy/out`"))
}

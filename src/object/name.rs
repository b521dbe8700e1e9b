//! Names as Kubernetes and DNS have them.

/// Whether a text is a DNS label: at most 63 of `[a-z0-9-]`, a letter or digit at both ends.
pub fn is_dns_label(text: &str) -> bool {
    let inner = |byte: &u8| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'-';
    !text.is_empty()
        && text.len() <= 63
        && text.bytes().all(|byte| inner(&byte))
        && !text.starts_with('-')
        && !text.ends_with('-')
}

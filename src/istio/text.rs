//! Splitting a text into documents, as istioctl does.

/// Splits at lines that begin with `---`, whatever follows; documents are trimmed, and empty ones left out.
///
/// Source of the rule: `pkg/test/util/yml/parts.go`.
pub(super) fn documents(text: &str) -> Vec<&str> {
    let mut parts = Vec::new();
    let (mut start, mut at) = (0, 0);
    for line in text.split_inclusive('\n') {
        let end = at + line.len();
        // a separator at the very end without a line end is content, as Go's reader gives it
        if line.starts_with("---") && line.ends_with('\n') {
            parts.push(&text[start..at]);
            start = end;
        }
        at = end;
    }
    parts.push(&text[start..]);
    parts.into_iter().map(str::trim).filter(|part| !part.is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use super::documents;

    #[test]
    fn documents_end_at_lines_of_dashes() {
        assert_eq!(documents("a: 1\n--- # x\n\n---\nb: 2\n"), ["a: 1", "b: 2"]);
        assert_eq!(documents("-----BEGIN\nx"), ["x"]);
        assert_eq!(documents("a\n---"), ["a\n---"]);
        assert!(documents("\n---\n").is_empty());
    }
}

//! Who may use whom: the table of ARCHITECTURE.md, held against what `src/` says.

use std::fs;

use crate::tool;

/// Each room and the rooms that it may use, from the ground up; all may use `diag`.
///
/// A change of this table is a change of the architecture, made on purpose.
const ROOMS: [(&str, &[&str]); 26] = [
    ("diag", &[]),
    ("file", &[]),
    ("gotmpl", &[]),
    ("store", &["file"]),
    ("yaml", &[]),
    ("object", &["yaml"]),
    ("pki", &["yaml"]),
    ("helm", &["gotmpl", "yaml"]),
    ("istio", &["helm", "object", "yaml"]),
    ("spec", &["yaml"]),
    ("mesh", &["spec", "object"]),
    ("pin", &["store", "yaml", "spec", "mesh"]),
    ("inputs", &["file", "spec", "mesh", "pin", "pki", "store", "yaml"]),
    ("registry", &["file", "store"]),
    ("fetch", &["file", "store", "pin", "registry"]),
    ("derivation", &["store"]),
    ("render", &["mesh", "inputs", "derivation", "istio", "helm", "pki", "object", "yaml"]),
    ("tree", &["file", "store", "object", "yaml"]),
    ("diff", &["tree", "object", "pki", "yaml", "store"]),
    ("cluster", &["tree", "store", "diff", "object", "pki", "yaml"]),
    ("verify", &["cluster", "tree", "store", "diff", "object", "pki", "yaml"]),
    ("bundle", &["file", "tree", "store", "object", "pki", "yaml", "registry"]),
    ("gitops", &["tree", "store", "object", "yaml", "registry"]),
    ("ui", &[]),
    ("cli", &["*"]),
    ("lib", &["*"]),
];

/// Crates that belong to one room, so that what they do is done in one place.
const CRATES: [(&str, &[&str]); 10] = [
    ("walkdir", &["file"]),
    ("rustix", &["file", "cli"]),
    ("kube", &["cluster"]),
    ("tokio", &["cluster", "verify", "cli"]),
    ("granit_parser", &["yaml"]),
    ("minijinja", &["render", "diff", "verify"]),
    ("clap", &["cli", "main"]),
    ("ureq", &["registry"]),
    ("rustls", &["registry", "cluster"]),
    ("rustls_native_certs", &["registry"]),
];

/// One mention of a room in a source file.
#[derive(Debug, PartialEq)]
struct Mention {
    line: usize,
    path: String,
}

#[test]
fn every_room_uses_only_what_it_may() {
    let src = tool::root().join("src");
    let mut violations = Vec::new();
    for entry in walkdir::WalkDir::new(&src).sort_by_file_name() {
        let entry = entry.expect("src can be listed");
        let path =
            entry.path().strip_prefix(&src).expect("below src").to_string_lossy().into_owned();
        if entry.path().extension().is_some_and(|extension| extension == "rs") {
            let text = fs::read_to_string(entry.path()).expect("a source file");
            violations.extend(check(&path, &text));
        }
    }
    assert!(violations.is_empty(), "{}", violations.join("\n"));
}

#[test]
fn a_violation_is_found() {
    let cases = [
        ("mesh/rules.rs", "use crate::render::tfvars;\n", "`mesh` may not use `render`"),
        (
            "store/blob.rs",
            "// why\nuse crate::{file::Disk, tree::Index};\n",
            "`store` may not use `tree`",
        ),
        (
            "yaml/read.rs",
            "use crate::{\n    diag::Span,\n    object::{Identity, file_name},\n};",
            "`object`",
        ),
        ("diff/mod.rs", "fn f() { crate::render::all(); }\n", "`diff` may not use `render`"),
        ("store/a/b.rs", "use super::super::super::mesh::Mesh;\n", "`store` may not use `mesh`"),
        ("mesh/mod.rs", "pub use super::inputs::Facts;\n", "`mesh` may not use `inputs`"),
        ("attic/mod.rs", "\n", "`attic` is no room"),
        ("spec/load.rs", "use walkdir::WalkDir;\n", "`walkdir` belongs to `file`"),
        ("tree/view.rs", "let x = rustix::fs::syncfs(y);\n", "`rustix` belongs to `file`"),
    ];
    for (path, text, expected) in cases {
        let found = check(path, text);
        assert!(
            found.iter().any(|line| line.contains(expected)),
            "{path}: {text:?} gives {found:?}"
        );
    }
    let good = [
        ("mesh/rules.rs", "use crate::diag::Rule;\nuse crate::mesh::name;\nuse super::resolve;\n"),
        (
            "inputs/mod.rs",
            "use crate::{file::Disk, pki};\n// never crate::render\n/// See [`crate::cli`].\n",
        ),
        (
            "cli/commands/render.rs",
            "use crate::{render, tree, store};\nuse super::super::Context;\n",
        ),
        ("lib.rs", "pub mod diag;\nuse crate::render::x;\n"),
        ("file/disk.rs", "use rustix::fs::flock;\n"),
    ];
    for (path, text) in good {
        assert_eq!(check(path, text), Vec::<String>::new(), "{path}: {text:?}");
    }
}

/// What a file says that its room must not, a line each.
fn check(path: &str, text: &str) -> Vec<String> {
    let room = room_of(path);
    let code = without_comments(text);
    let mut found = Vec::new();
    let Some((_, may)) = ROOMS.iter().find(|(name, _)| *name == room) else {
        if room == "main" {
            return found;
        }
        return vec![format!("src/{path}: `{room}` is no room of ROOMS in tests/it/rooms.rs")];
    };
    for Mention { line, path: used } in mentions(path, &code) {
        let known = ROOMS.iter().any(|(name, _)| *name == used);
        let fine = used == room || used == "diag" || may.contains(&"*") || may.contains(&&*used);
        if known && !fine {
            found.push(format!("src/{path}:{line}: `{room}` may not use `{used}`"));
        }
    }
    for (name, owners) in CRATES {
        let needle = format!("{name}::");
        let uses = code.lines().position(|line| starts_path(line, &needle));
        if let (Some(line), false) = (uses, owners.contains(&room)) {
            let owners = owners.join("` and `");
            found.push(format!("src/{path}:{}: `{name}` belongs to `{owners}`", line + 1));
        }
    }
    found
}

fn room_of(path: &str) -> &str {
    path.split('/').next().map_or(path, |first| first.strip_suffix(".rs").unwrap_or(first))
}

/// Whether a line has this path where no longer path ends.
fn starts_path(line: &str, needle: &str) -> bool {
    line.match_indices(needle).any(|(at, _)| {
        !line[..at].ends_with(|before: char| before.is_alphanumeric() || "_:".contains(before))
    })
}

/// The text with `//` comments blanked, lines kept. A string with `//` loses its end, which hides no
/// path.
fn without_comments(text: &str) -> String {
    text.lines()
        .map(|line| line.split("//").next().unwrap_or_default())
        .collect::<Vec<_>>()
        .join("\n")
}

/// Every room that a path from the crate's root names: `crate::x`, `crate::{x, y::z}`, and as many
/// `super::` as lead there.
fn mentions(path: &str, code: &str) -> Vec<Mention> {
    let name = path.strip_suffix(".rs").unwrap_or(path);
    let depth = name.strip_suffix("/mod").unwrap_or(name).split('/').count();
    let mut roots = vec!["crate::".to_owned()];
    if path != "lib.rs" {
        roots.push("super::".repeat(depth));
    }
    let mut found = Vec::new();
    for root in roots {
        for (at, _) in code.match_indices(&root) {
            let longer = |before: char| before.is_alphanumeric() || "_:$".contains(before);
            if code[..at].ends_with(longer) {
                continue;
            }
            let line = code[..at].matches('\n').count() + 1;
            let rest = &code[at + root.len()..];
            found.extend(heads(rest).into_iter().map(|path| Mention { line, path }));
        }
    }
    found
}

/// The first names of what follows a path's root: one, or those of a group.
fn heads(rest: &str) -> Vec<String> {
    let name = |text: &str| {
        let text = text.trim_start();
        let end = text.find(|other: char| !(other.is_alphanumeric() || other == '_'));
        text[..end.unwrap_or(text.len())].to_owned()
    };
    let Some(group) = rest.strip_prefix('{') else { return vec![name(rest)] };
    let mut depth = 0;
    let mut names = vec![name(group)];
    for (at, character) in group.char_indices() {
        match character {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => names.push(name(&group[at + 1..])),
            _ => {}
        }
    }
    names.retain(|name| !name.is_empty());
    names
}

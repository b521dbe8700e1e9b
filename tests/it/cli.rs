//! The command line as a whole: variables of flags, help, manual pages, completions.

use std::fs;
use std::process::{Command, Output};

use clap::Command as Clap;

use crate::tool;

fn run(arguments: &[&str], variables: &[(&str, &str)]) -> Output {
    let mut command = Command::new(env!("CARGO_BIN_EXE_meshgen"));
    command.args(arguments).envs(variables.iter().copied());
    tool::output(&mut command, "")
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("text")
}

/// Calls `look` with every command of the tree and its name: `facts import`.
fn walk(command: &Clap, name: &str, look: &mut impl FnMut(&str, &Clap)) {
    look(name, command);
    for below in command.get_subcommands() {
        walk(below, format!("{name} {}", below.get_name()).trim(), look);
    }
}

/// product.md, "Commands": what lifts a guard must be written where it is meant.
fn lifts_a_guard(flag: &str) -> bool {
    let whole = [
        "overwrite-edits",
        "adopt",
        "adopt-leftovers",
        "recreate",
        "change-root",
        "gone",
        "key",
        "pin",
        "prune",
        "plain-http",
        "update",
        "without-sealed",
        "yes",
        "force",
    ];
    whole.contains(&flag) || flag.starts_with("allow-") || flag.starts_with("force-")
}

#[test]
fn every_flag_has_its_variable_save_those_that_lift_a_guard() {
    let mut flags = 0;
    let mut guards = 0;
    walk(&meshgen::cli::command(), "", &mut |name, command| {
        for argument in command.get_arguments() {
            let Some(flag) = argument.get_long() else { continue };
            let variable = argument.get_env().map(|name| name.to_str().expect("text").to_owned());
            if ["help", "version"].contains(&flag) {
                continue;
            }
            // elsewhere these are about clusters
            if name == "verify" && ["only", "skip"].contains(&flag) {
                assert_eq!(variable, None, "`{name} --{flag}` is about checks");
                continue;
            }
            if lifts_a_guard(flag) {
                guards += 1;
                assert_eq!(variable, None, "`{name} --{flag}` lifts a guard");
            } else {
                flags += 1;
                let wanted = format!("MESHGEN_{}", flag.to_uppercase().replace('-', "_"));
                assert_eq!(variable, Some(wanted), "`{name} --{flag}`");
            }
        }
    });
    assert!(flags > 15 && guards > 1, "{flags} flags, {guards} guards");
}

#[test]
fn variables_work_as_flags_do() {
    let json = run(&["explain", "MG0101"], &[("MESHGEN_OUTPUT", "json")]);
    assert!(text(&json.stdout).starts_with("{\n"), "{}", text(&json.stdout));
    // the command line goes first
    let plain = run(&["explain", "MG0101", "-o", "text"], &[("MESHGEN_OUTPUT", "json")]);
    assert!(text(&plain.stdout).starts_with("MG0101: "));
    // empty is not set
    assert_eq!(run(&["explain", "MG0101"], &[("MESHGEN_OUTPUT", "")]).status.code(), Some(0));

    for (value, is_quiet) in [("1", true), ("true", true), ("0", false), ("no", false), ("", false)]
    {
        let folder = tempfile::tempdir().expect("a folder");
        let path = folder.path().to_str().expect("text");
        let output = run(&["-C", path, "init"], &[("MESHGEN_QUIET", value)]);
        assert_eq!(output.status.code(), Some(0));
        assert_eq!(output.stderr.is_empty(), is_quiet, "MESHGEN_QUIET={value}");
    }
    let wrong = run(&["explain"], &[("MESHGEN_QUIET", "perhaps")]);
    assert_eq!(wrong.status.code(), Some(2));
}

#[test]
fn every_command_and_flag_says_what_it_does() {
    walk(&meshgen::cli::command(), "", &mut |name, command| {
        let about = command.get_about().map(ToString::to_string).unwrap_or_default();
        assert!(about.len() > 10, "`{name}` has no description");
        assert!(!about.starts_with("Arguments of"), "`{name}`: {about}");
        for argument in command.get_arguments() {
            let is_ours = !["help", "version"].contains(&argument.get_id().as_str());
            assert!(!is_ours || argument.get_help().is_some(), "`{name}`: {}", argument.get_id());
        }
    });
}

#[test]
fn a_wrong_request_ends_with_2_and_help_with_0() {
    for (arguments, code) in [
        (&["--help"][..], 0),
        (&["--version"], 0),
        (&["facts", "import", "--help"], 0),
        (&["no-such-command"], 2),
        (&["init", "--profile", "ok"], 2),
        (&["facts", "import", "--server", "c1"], 2),
        (&[], 2),
    ] {
        assert_eq!(run(arguments, &[]).status.code(), Some(code), "{arguments:?}");
    }
}

#[test]
fn a_form_that_one_command_has_is_refused_by_the_others() {
    for arguments in [&["explain"][..], &["render"], &["diff"], &["status"]] {
        let output = run(&[arguments, &["-o", "junit"]].concat(), &[]);
        let said = format!(
            "error: `{}` has no such form\nhint: `-o junit` is a form of `meshgen verify`\n",
            arguments[0]
        );
        assert_eq!((output.status.code(), text(&output.stderr)), (Some(2), said.as_str()));
    }
}

#[test]
fn the_help_of_import_lists_every_fact_and_output() {
    let help = run(&["facts", "import", "--help"], &[]);
    let help = text(&help.stdout);
    for known in meshgen::inputs::facts::KNOWN {
        assert!(help.contains(known.name), "{}", known.name);
        for output in known.outputs {
            assert!(help.contains(output), "{output}");
        }
    }
}

#[test]
fn manual_pages_are_written_for_every_command() {
    let folder = tempfile::tempdir().expect("a folder");
    let out = folder.path().join("man");
    let path = out.to_str().expect("text");
    for _ in 0..2 {
        assert_eq!(run(&["man", "--out", path], &[]).status.code(), Some(0));
    }
    let mut missing = Vec::new();
    walk(&meshgen::cli::command(), "", &mut |name, command| {
        let file = format!("meshgen-{}.1", name.replace(' ', "-")).replace("-.1", ".1");
        if !command.is_hide_set() && !out.join(&file).exists() {
            missing.push(file);
        }
    });
    assert!(missing.is_empty(), "{missing:?}");
    let root = fs::read_to_string(out.join("meshgen.1")).expect("a page");
    assert_eq!(text(&run(&["man"], &[]).stdout), root);
    assert!(root.contains(".TH meshgen 1"), "{root}");
}

#[test]
fn completions_know_the_commands() {
    for shell in ["bash", "zsh", "fish", "elvish", "powershell"] {
        let output = run(&["completions", shell], &[]);
        assert_eq!(output.status.code(), Some(0), "{shell}");
        assert!(text(&output.stdout).contains("import"), "{shell}");
    }
}

//! The help: what a newcomer reads before anything else.

use std::process::Command;

use crate::snapshot::{assert_file, assert_snapshot, fits};

const VERBS: [&str; 13] = [
    "find-latest",
    "copy-artifacts",
    "register",
    "full",
    "plan",
    "apply",
    "withdraw",
    "rollback",
    "hold",
    "release",
    "verify",
    "status",
    "doctor",
];
const FORMS_OF_THE_STACK: [&str; 4] = ["template", "parameters", "source-grants", "assembly"];

#[test]
fn help_tells_what_the_tool_does_and_which_verbs_it_has() {
    let long = help(&["--help"]);
    assert!(VERBS.iter().all(|verb| long.contains(verb)), "{long}");
    assert!(long.contains("Exit codes:"), "{long}");
    assert_snapshot("help-short", &help(&["-h"]));
    assert_eq!(help(&["help"]), long);
}

#[test]
fn each_verb_has_a_help_of_its_own() {
    for verb in VERBS {
        assert_snapshot(&format!("help-{verb}-short"), &help(&[verb, "-h"]));
        assert_eq!(help(&["help", verb]), help(&[verb, "--help"]));
    }
}

#[test]
fn the_command_reference_is_the_help_of_every_command() {
    let mut text = "# Commands\n\nThe help of every command. A test writes this page:\n\
                    `UPDATE_SNAPSHOTS=1 cargo test --test promote help`.\n"
        .to_owned();
    let verbs = VERBS.iter().map(|verb| vec![*verb]);
    let forms = FORMS_OF_THE_STACK.iter().map(|form| vec!["stack", *form]);
    let others = ["stack", "completions", "man"].iter().map(|verb| vec![*verb]);
    for command in std::iter::once(vec![]).chain(verbs).chain(others).chain(forms) {
        let name: Vec<&str> = ["promote"].into_iter().chain(command.iter().copied()).collect();
        let lines = help(&[&command[..], &["--help"]].concat());
        let lines: Vec<&str> = lines.lines().map(str::trim_end).collect();
        text += &format!("\n## {}\n\n```text\n{}\n```\n", name.join(" "), lines.join("\n"));
    }
    assert_file("docs/reference/commands.md", &text);
    assert_eq!(text.lines().find(|line| !fits(line)), None, "every line fits 100 columns, unless it is one word");
}

#[test]
fn completions_and_man_pages_name_every_command() {
    for shell in ["bash", "zsh", "fish"] {
        let script = help(&["completions", shell]);
        assert!(VERBS.iter().all(|verb| script.contains(verb)), "{shell}");
    }
    let dir = tempfile::tempdir().expect("a folder");
    help(&["man", dir.path().to_str().expect("a path")]);
    for page in ["promote", "promote-full", "promote-stack-template"] {
        let text = std::fs::read_to_string(dir.path().join(format!("{page}.1"))).expect("a page");
        assert!(text.contains(&format!(".TH {page} 1")), "{text}");
    }
}

#[test]
fn every_flag_of_every_verb_is_explained_and_has_its_variable() {
    let verbs = VERBS.iter().map(|verb| vec![*verb]);
    let forms = FORMS_OF_THE_STACK[1..].iter().map(|form| vec!["stack", *form]);
    for verb in verbs.chain(forms) {
        let help = help(&[&verb[..], &["--help"]].concat());
        let verb = verb.join(" ");
        let lines: Vec<&str> = help.lines().collect();
        let flags = lines.iter().enumerate().filter(|(_, line)| line.starts_with("      --"));
        let mut count = 0;
        for (at, line) in flags {
            let flag = line.split_whitespace().next().expect("a flag");
            let text: Vec<&str> =
                lines[at + 1..].iter().take_while(|line| !line.trim_start().starts_with("--")).copied().collect();
            let words = text[0].split_whitespace().count();
            assert!(words >= 3, "{verb} {flag}: '{}'", text[0]);
            let variable = format!("[env: PROMOTE_{}", flag[2..].to_uppercase().replace('-', "_"));
            let words: Vec<&str> = text.iter().flat_map(|line| line.split_whitespace()).collect();
            assert!(words.join(" ").contains(&variable), "{verb} {flag} has no {variable}: {text:?}");
            count += 1;
        }
        assert!(count >= 4, "{verb} has {count} flags");
    }
}

#[test]
fn a_variable_that_is_set_does_not_show_in_the_help() {
    let mut command = Command::new(env!("CARGO_BIN_EXE_promote"));
    let output = command.args(["full", "--help"]).env("PROMOTE_SOURCE_EXTERNAL_ID", "a secret").output();
    let text = String::from_utf8(output.expect("the binary starts").stdout).expect("UTF-8");
    assert!(text.contains("PROMOTE_SOURCE_EXTERNAL_ID") && !text.contains("a secret"), "{text}");
}

#[test]
fn every_flag_of_the_specification_exists() {
    let full = help(&["full", "--help"]);
    let flags = [
        "--group",
        "--target-bucket",
        "--target-group",
        "--target-prefix",
        "--package-version",
        "--kms-key-arn",
        "--approval",
        "--source-role-arn",
        "--source-profile",
        "--target-role-arn",
        "--target-profile",
        "--target-region",
        "--copy-mode",
        "--dry-run",
        "--output",
        "--record",
        "--no-create-group",
        "--ignore-unknown-fields",
    ];
    for flag in flags {
        assert!(full.lines().any(|line| line.split_whitespace().next() == Some(flag)), "{flag}");
    }
}

#[test]
fn version_prints_the_version_of_the_package() {
    assert_eq!(help(&["--version"]), format!("promote {}\n", env!("CARGO_PKG_VERSION")));
}

#[test]
fn no_arguments_at_all_show_the_help_and_are_wrong() {
    let output = Command::new(env!("CARGO_BIN_EXE_promote")).env_clear().output().expect("the binary starts");
    assert_eq!((output.status.code(), output.stdout.as_slice()), (Some(2), b"".as_slice()));
    assert!(String::from_utf8_lossy(&output.stderr).contains("Usage: promote <COMMAND>"));
}

/// What asking for help prints; it succeeds without any credentials, and in a width of its own.
fn help(arguments: &[&str]) -> String {
    let output = Command::new(env!("CARGO_BIN_EXE_promote")).args(arguments).env_clear().output();
    let output = output.expect("the binary starts");
    assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), b"".as_slice()), "{arguments:?}");
    String::from_utf8(output.stdout).expect("UTF-8")
}

//! What the binary says, word for word: compared with a stored text, in which ports, request ids and times are left
//! out. `UPDATE_SNAPSHOTS=1 cargo test` writes the texts anew; review them like code.

use std::fs;
use std::path::Path;

use regex::Regex;

use crate::support::Cloud;
use crate::world::Run;

/// Whether a line has at most 100 columns, or would have more in any case because of one word.
pub fn fits(line: &str) -> bool {
    line.chars().count() <= 100 || !line.trim().contains(' ')
}

/// Compares a text with the stored one of this name.
pub fn assert_snapshot(name: &str, text: &str) {
    assert_file(&format!("tests/promote/snapshots/{name}.txt"), text);
}

/// Compares a text with a file of the repository.
pub fn assert_file(path: &str, text: &str) {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join(path);
    if std::env::var_os("UPDATE_SNAPSHOTS").is_some() {
        fs::write(&file, text).expect("the snapshot can be written");
    }
    let stored = fs::read_to_string(&file).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
    assert!(stored == text, "{} has changed.\n=== stored\n{stored}\n=== now\n{text}", file.display());
}

/// A run as a person sees it: the command, the exit code, both streams.
pub fn shown(cloud: &Cloud, arguments: &[&str], run: &Run) -> String {
    let wide = run.printed.lines().find(|line| !fits(line));
    assert_eq!(wide, None, "every line of standard error fits 100 columns, unless it is one word");
    let mut text = format!("$ promote {}\n", arguments.join(" "));
    for (name, stream) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
        if !stream.is_empty() {
            text.push_str(&format!("--- {name}\n{stream}"));
        }
    }
    normalised(cloud, &format!("{text}--- exit {}\n", run.code))
}

/// The lines of standard output in a stored text, without policies, scripts and other documents to copy.
fn lines_of_output(name: &str, text: &str) -> Vec<String> {
    let is_output = name.starts_with("help-") || name.starts_with("stack-source-grants");
    let (mut inside, mut copied, mut lines) = (is_output, false, Vec::new());
    for line in text.lines() {
        match line {
            "--- stdout" => inside = true,
            _ if line.starts_with("--- ") || line.starts_with("$ promote ") => inside = false,
            _ if line.starts_with("```") => copied = !copied,
            _ if inside && !copied && !line.starts_with("aws ") => lines.push(line.to_owned()),
            _ => {}
        }
    }
    lines
}

#[test]
fn every_line_of_standard_output_fits_100_columns_unless_it_is_one_word() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/promote/snapshots");
    let mut wide = Vec::new();
    for file in fs::read_dir(folder).expect("snapshots") {
        let path = file.expect("a snapshot").path();
        let name = path.file_name().and_then(|name| name.to_str()).expect("a name").to_owned();
        let text = fs::read_to_string(&path).expect("a text");
        let lines = lines_of_output(&name, &text).into_iter().filter(|line| !fits(line));
        wide.extend(lines.map(|line| format!("{name}: {line}")));
    }
    assert!(wide.is_empty(), "{}", wide.join("\n"));
}

#[test]
fn every_error_that_is_not_about_the_arguments_has_a_hint() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/promote/snapshots");
    let text = |path: &Path| fs::read_to_string(path).expect("a text");
    let files = fs::read_dir(folder).expect("snapshots").map(|file| file.expect("a snapshot").path());
    let fails = |text: &str| text.contains("error: ") && !text.contains("--- exit 2");
    let (with, without): (Vec<_>, Vec<_>) =
        files.filter(|path| fails(&text(path))).partition(|path| text(path).contains("\nhint: "));
    assert!(without.is_empty() && with.len() > 80, "{without:?}, and {} with hints", with.len());
}

/// The same text in every run and on every machine.
pub fn normalised(cloud: &Cloud, text: &str) -> String {
    let text = text.replace(&cloud.endpoint(), "http://127.0.0.1:PORT");
    let text = text.replace(cloud.home().to_str().expect("a path"), "HOME");
    let rules = [
        (r"\(request [0-9A-F]{16}\)", "(request ID)"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
        (r#""(duration_ms|bytes_per_second)": \d+"#, r#""$1": N"#),
        (r"\b\d{4}-\d\d-\d\d  ", "YYYY-MM-DD  "),
        (r"\b[0-9a-f]{64}\b", "SHA256"),
        (r"/absent-[0-9a-f]{16}\b", "/absent-NUMBER"),
        // The copy begins and ends before or after what runs beside it.
        (r"(?m)^(copied|copying) \d+ (objects?|images?)\b.*\n", ""),
    ];
    rules.iter().fold(text, |text, (pattern, name)| {
        Regex::new(pattern).expect("a pattern").replace_all(&text, *name).into_owned()
    })
}

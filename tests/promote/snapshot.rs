//! What the binary says, word for word: compared with a stored text, in which ports, request ids and times are left
//! out. `UPDATE_SNAPSHOTS=1 cargo test` writes the texts anew; review them like code.

use std::fs;
use std::path::Path;

use regex::Regex;

use crate::support::Cloud;
use crate::world::Run;

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
    let mut text = format!("$ promote {}\n", arguments.join(" "));
    for (name, stream) in [("stdout", &run.stdout), ("stderr", &run.stderr)] {
        if !stream.is_empty() {
            text.push_str(&format!("--- {name}\n{stream}"));
        }
    }
    normalised(cloud, &format!("{text}--- exit {}\n", run.code))
}

/// The same text in every run and on every machine.
pub fn normalised(cloud: &Cloud, text: &str) -> String {
    let text = text.replace(&cloud.endpoint(), "http://127.0.0.1:PORT");
    let text = text.replace(cloud.home().to_str().expect("a path"), "HOME");
    let rules = [
        (r"\(request [0-9A-F]{16}\)", "(request ID)"),
        (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z", "TIME"),
        (r#""duration_ms": \d+"#, r#""duration_ms": N"#),
        (r"\b[0-9a-f]{64}\b", "SHA256"),
        (r"/absent-[0-9a-f]{16}\b", "/absent-NUMBER"),
        // The copy begins and ends before or after what runs beside it.
        (r"(?m)^(copied|copying) \d+ (objects?|images?)\b.*\n", ""),
    ];
    rules.iter().fold(text, |text, (pattern, name)| {
        Regex::new(pattern).expect("a pattern").replace_all(&text, *name).into_owned()
    })
}

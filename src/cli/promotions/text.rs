//! Reads the YAML of a promotions file within limits: deep nesting would overflow the stack of the parser.

use std::collections::HashMap;
use std::fs::File;
use std::io::Read;
use std::path::Path;

use anyhow::{Result, ensure};
use saphyr::{LoadableYamlNode, MarkedYaml, ScanError};
use saphyr_parser::{Event, Parser};

use crate::model::failure::Failure;

/// The largest file. A target needs about 300 bytes.
const LARGEST: u64 = 1 << 20;
/// The deepest nesting. Members of a target are at level 5.
const DEEPEST: usize = 8;

/// The text of a promotions file.
///
/// # Errors
/// The file cannot be read, is too large, or is not UTF-8.
pub(super) fn read(path: &Path) -> Result<String> {
    let (name, mut text) = (path.display(), Vec::new());
    let read = File::open(path).and_then(|file| file.take(LARGEST + 1).read_to_end(&mut text));
    let cannot = |error| Failure::new(format!("{name} cannot be read: {error}"));
    read.map_err(|error| cannot(error).hint("Pass a promotions file with `--file`").wrong_arguments())?;
    ensure!(
        text.len() as u64 <= LARGEST,
        Failure::new(format!("{name} is larger than 1 MiB")).hint("Split it into several files").wrong_arguments()
    );
    let not_text = |_| Failure::new(format!("{name} is not UTF-8 text")).hint("Save the file as UTF-8");
    Ok(String::from_utf8(text).map_err(|error| not_text(error).wrong_arguments())?)
}

/// The values as they are written, by the place where they begin; for an alias, the value that it stands for.
pub(super) type WrittenValues = HashMap<usize, String>;

/// The documents of a promotions file.
///
/// # Errors
/// The text is not YAML, or is nested too deeply.
pub(super) fn load<'a>(text: &'a str, name: &str) -> Result<(Vec<MarkedYaml<'a>>, WrittenValues)> {
    let wrong = |(line, column), message: &str| {
        Failure::new(format!("{name}:{line}:{column}: {message}")).hint("Correct the YAML").wrong_arguments()
    };
    let scan = |error: ScanError| wrong((error.marker().line(), error.marker().col() + 1), error.info());
    let (mut depth, mut written, mut anchors) = (0, WrittenValues::new(), HashMap::new());
    for event in Parser::new_from_str(text) {
        let (event, span) = event.map_err(scan)?;
        match event {
            Event::MappingStart(..) | Event::SequenceStart(..) => depth += 1,
            Event::MappingEnd | Event::SequenceEnd => depth -= 1,
            Event::Scalar(value, _, anchor, _) => {
                anchors.insert(anchor, value.to_string());
                written.insert(span.start.index(), value.into_owned());
            }
            Event::Alias(anchor) => {
                let value: Option<&String> = anchors.get(&anchor);
                value.map(|value| written.insert(span.start.index(), value.clone()));
            }
            _ => {}
        }
        let at = (span.start.line(), span.start.col() + 1);
        ensure!(
            depth <= DEEPEST,
            wrong(at, &format!("the file is nested too deeply; no member needs more than {DEEPEST} levels"))
        );
    }
    Ok((MarkedYaml::load_from_str(text).map_err(scan)?, written))
}

//! Decides every stream: documents go to standard output, everything else to standard error. Broken pipes are quiet.

use std::fmt::Write as _;
use std::io::{BufWriter, ErrorKind, Write as _};

use anyhow::{Context, Result};
use indicatif::HumanBytes;
use serde::Serialize;
use serde_json::Value;

use super::exit::Exit;
use super::record_file::RecordFile;
use super::settings::{Format, OutputArgs};
use crate::copy::Outcome;
use crate::plan::find::Versions;
use crate::record::{ArtifactFacts, Conclusion, Record, Taken};
use crate::register::sync::Renewed;
use crate::store::List;

/// Lines of one kind that the text shows; JSON shows all.
pub const LINES_SHOWN: usize = 20;

/// A document that a verb ends with.
pub trait Printed: Serialize {
    /// The document for people.
    ///
    /// # Errors
    /// A temporary file cannot be read.
    fn text(&self) -> Result<String>;
}

impl Printed for Record {
    fn text(&self) -> Result<String> {
        text(self)
    }
}

/// Prints.
#[derive(Debug)]
pub struct Printer {
    format: Format,
    file: Option<RecordFile>,
}

impl Printer {
    /// A printer of documents in the form that was asked for. The file of `--record` is opened here: a wrong path is
    /// to fail before anything is promoted.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn new(settings: Option<&OutputArgs>) -> Result<Self> {
        let file = settings.and_then(|settings| settings.record.as_deref()).map(RecordFile::open).transpose()?;
        Ok(Self { format: settings.map_or(Format::Text, |settings| settings.output), file })
    }

    /// Says something to the person in front of the terminal.
    pub fn say(&self, line: &str) {
        say(line);
    }

    /// Prints the document, says what is in doubt, and tells how the verb ended.
    ///
    /// # Errors
    /// As [`Printer::document`].
    pub fn conclude(&self, record: &Record) -> Result<Exit> {
        if let Some(doubt) = &record.doubt {
            self.say(&format!("promoted, but {}. Run again to confirm", doubt.trim_end_matches('.')));
        }
        self.document(record)?;
        Ok(if record.doubt.is_some() { Exit::Inconclusive } else { Exit::Done })
    }

    /// Prints the document, and writes it to the file that `--record` names.
    ///
    /// # Errors
    /// The stream or the file cannot be written; a reader that has gone away is no error.
    pub fn document(&self, document: &impl Printed) -> Result<()> {
        let filed = self.file.as_ref().map_or(Ok(()), |file| file.write(|out| json(document, out)));
        let mut out = BufWriter::new(std::io::stdout().lock());
        let printed = match self.format {
            Format::Json => json(document, &mut out),
            Format::Text => out.write_all(document.text()?.as_bytes()),
        };
        quietly(printed.and_then(|()| out.flush())).and(filed)
    }

    /// Prints a text as it is.
    ///
    /// # Errors
    /// The stream cannot be written; a reader that has gone away is no error.
    pub fn print(&self, text: &str) -> Result<()> {
        quietly(std::io::stdout().lock().write_all(text.as_bytes()))
    }
}

/// A reader that has gone away is no error.
fn quietly(printed: std::io::Result<()>) -> Result<()> {
    match printed {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        other => other.context("writing to standard output"),
    }
}

/// Writes the document as it is read from its temporary file: it may be larger than memory.
fn json(document: &impl Serialize, mut out: &mut dyn std::io::Write) -> std::io::Result<()> {
    serde_json::to_writer_pretty(&mut out, document)?;
    out.write_all(b"\n")
}

fn say(line: &str) {
    // Nobody reads: then nobody misses it.
    let _ = writeln!(std::io::stderr().lock(), "{line}");
}

/// Reports a failure with all its causes.
pub fn failed(error: &anyhow::Error) -> Exit {
    let causes: Vec<String> = error.chain().map(ToString::to_string).collect();
    say(&format!("error: {}", causes.join(": ")));
    Exit::Failed
}

/// Prints what clap has to say: help and version on standard output, errors on standard error.
pub fn usage(error: &clap::Error) -> Exit {
    let _ = error.print();
    if error.use_stderr() { Exit::Usage } else { Exit::Done }
}

fn text(record: &Record) -> Result<String> {
    let mut out = String::new();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(out, "{name:<11}{value}");
    };
    line("Outcome", &outcome(record));
    source(record, &mut line);
    target(record, &mut line);
    if !record.artifacts.is_empty() {
        line("Artifacts", &artifacts(&record.artifacts)?);
    }
    let shown = record.artifacts.iter().take(LINES_SHOWN).collect::<Result<Vec<_>>>()?;
    list(&mut out, "", (&shown, record.artifacts.len()), |a| {
        format!("{:>10}  {:<15}  {}", HumanBytes(a.bytes).to_string(), result(a), a.source)
    });
    list(&mut out, "Withdrawn", all(&record.withdrawn), |w| {
        let what = if w.result == Taken::Planned { "would be rejected" } else { "Rejected now" };
        let reason = w.reason.as_ref().map(|reason| format!(": \"{}\"", short(reason))).unwrap_or_default();
        format!("{} {what}\n      its source {} is Rejected{reason}", w.model_package_arn, w.source_model_package_arn)
    });
    list(&mut out, "Changed at the source", all(&record.changes), |c| {
        let what = match c.result {
            Renewed::Updated => "updated",
            Renewed::Planned => "would be updated",
            Renewed::Drift => "cannot be updated",
        };
        let value = |value: &Option<Value>| short(&value.as_ref().map(Value::to_string).unwrap_or("nothing".into()));
        format!("{} {what}: {} → {}", c.field, value(&c.was), value(&c.is))
    });
    list(&mut out, "References", all(&record.references), |r| format!("{}  {}", r.location, r.field));
    list(&mut out, "Stays at the source", all(&record.left), |l| {
        format!("{} = {}\n      {}", l.field, short(&l.value), l.reason)
    });
    list(&mut out, "Warnings", all(&record.warnings), |w| format!("{}: {}", w.field, w.remark));
    Ok(out)
}

fn outcome(record: &Record) -> String {
    match record.outcome {
        Conclusion::Found => "found".into(),
        Conclusion::Copied => "copied: every artifact is at the target and verified".into(),
        Conclusion::Promoted => "promoted".into(),
        Conclusion::AlreadyPromoted => "already promoted: nothing was registered".into(),
        Conclusion::NothingApproved => {
            let versions = Versions(record.versions.clone().unwrap_or_default());
            format!("nothing approved: the group has {versions}")
        }
        Conclusion::Withdrawn => "withdrawn: its source is Rejected".into(),
        Conclusion::ApprovedAgain => "approved again, as its source: nothing was registered".into(),
        Conclusion::Updated => "already promoted, and brought up to date: nothing was registered".into(),
        Conclusion::Planned => "planned: a dry run, nothing was written".into(),
    }
}

fn source(record: &Record, line: &mut impl FnMut(&str, &str)) {
    let source = &record.source;
    let place = format!("{} in account {}, {}", source.group, source.account, source.region);
    let Some(package) = &source.package else {
        line("Source", &place);
        return;
    };
    line("Source", &format!("version {} of {place}", package.version));
    line("", package.model_package_arn.as_str());
    line("", &format!("{}, registered {}", package.approval_status, package.created));
    for text in [&package.approval_description, &package.description].into_iter().flatten() {
        line("", &format!("\"{}\"", short(text)));
    }
}

fn target(record: &Record, line: &mut impl FnMut(&str, &str)) {
    let Some(target) = &record.target else { return };
    let place = format!("{} in account {}, {}", target.group, target.account, target.region);
    match (&target.model_package_arn, target.version) {
        (Some(arn), Some(version)) => {
            line("Target", &format!("version {version} of {place}"));
            line("", arn.as_str());
            line("", target.approval_status.as_deref().unwrap_or(""));
        }
        _ => line("Target", &place),
    }
    line("Folder", &target.folder.to_string());
}

fn artifacts(artifacts: &List<ArtifactFacts>) -> Result<String> {
    let mut bytes = 0;
    let mut parts = [
        (Outcome::Copied, "copied", 0),
        (Outcome::AlreadyThere, "already there", 0),
        (Outcome::Planned, "to be copied", 0),
    ];
    for artifact in artifacts.iter() {
        let artifact = artifact?;
        bytes += artifact.bytes;
        parts.iter_mut().filter(|(outcome, ..)| *outcome == artifact.result).for_each(|(.., count)| *count += 1);
    }
    let parts = parts.into_iter().filter(|(.., count)| *count > 0);
    let parts: Vec<String> = parts.map(|(_, name, count)| format!("{count} {name}")).collect();
    let objects = if artifacts.len() == 1 { "object" } else { "objects" };
    Ok(format!("{} {objects}, {}: {}", artifacts.len(), HumanBytes(bytes), parts.join(", ")))
}

fn result(artifact: &ArtifactFacts) -> String {
    let verified = artifact.verified.map(|verified| format!("{verified:?}").to_lowercase());
    match (artifact.result, verified) {
        (Outcome::Planned, _) => "to copy".into(),
        (Outcome::Copied, Some(by)) => format!("copied/{by}"),
        (Outcome::AlreadyThere, Some(by)) => format!("there/{by}"),
        (Outcome::Copied, None) => "copied".into(),
        (Outcome::AlreadyThere, None) => "there".into(),
    }
}

/// All items of a list, and how many they are.
fn all<T>(items: &[T]) -> (&[T], usize) {
    (items, items.len())
}

fn list<T>(out: &mut String, title: &str, (items, count): (&[T], usize), render: impl Fn(&T) -> String) {
    if items.is_empty() {
        return;
    }
    if !title.is_empty() {
        let _ = writeln!(out, "{title}");
    }
    for item in items.iter().take(LINES_SHOWN) {
        let _ = writeln!(out, "  {}", render(item));
    }
    if count > LINES_SHOWN {
        let _ = writeln!(out, "  … and {} more (--output json shows all)", count - LINES_SHOWN);
    }
}

/// One line of at most 80 characters.
fn short(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().count() <= 80 { line } else { line.chars().take(79).chain(['…']).collect() }
}

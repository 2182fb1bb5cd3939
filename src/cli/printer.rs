//! Prints documents to standard output, and everything else to standard error.

use std::io::{self, BufWriter, Write};
use std::sync::atomic::{AtomicBool, Ordering::Relaxed};

use anyhow::{Context, Result};
use clap::error::ErrorKind;
use serde::Serialize;

use super::arguments::{Format, OutputArgs};
use super::ending::Ending;
use super::exit::Exit;
use super::failed::FailedRun;
use super::inert::inert;
use super::known::Known;
use super::record_file::RecordFile;
use super::render::{Rendered, next_step, unconfirmed};
use super::wrap::wrapped;
use crate::model::failure::Failure;
use crate::record::Unconfirmed;
use crate::run::RunReport;

/// Prints documents in the form of `--output`.
#[derive(Debug)]
pub(super) struct Printer {
    format: Format,
    file: Option<RecordFile>,
    /// Who prints the document of the run.
    pub ending: Ending,
    /// Whether a document was printed.
    printed: AtomicBool,
}

impl Printer {
    /// Prints without a file.
    pub fn new(settings: Option<&OutputArgs>) -> Self {
        let format = settings.map_or(Format::Text, |settings| settings.output);
        Self { format, file: None, ending: Ending::default(), printed: AtomicBool::new(false) }
    }

    /// Opens the file of `--record`, so that a wrong path fails before anything is promoted.
    ///
    /// # Errors
    /// The file cannot be written.
    pub fn open_record(&mut self, settings: Option<&OutputArgs>) -> Result<()> {
        self.file = settings.and_then(|settings| settings.record.as_deref()).map(RecordFile::open).transpose()?;
        Ok(())
    }

    /// Reports the failure that ends the run, or its interruption. Standard output and the file of `--record` get a
    /// document of the failure, unless the run has printed one.
    pub fn end(&self, document: &FailedRun) {
        if self.printed.swap(true, Relaxed) {
            return;
        }
        if let Err(error) = self.file(document, None) {
            warn(&error);
        }
        if self.format == Format::Json {
            // Ignore errors: the failure of the run was reported already.
            let _ = json(document, &mut self.ending.counting(std::io::stdout().lock()));
        }
    }

    /// Prints the document of a run, and reports what is unconfirmed.
    ///
    /// # Errors
    /// As [`Printer::document`].
    pub fn conclude(&self, report: &RunReport) -> Result<Exit> {
        if let Some(unconfirmed) = unconfirmed(report) {
            say(&unconfirmed.message);
            hints_about(&unconfirmed);
        }
        self.document(&report.document)?;
        if let Some(step) = next_step(&report.document) {
            say(&format!("hint: {step}"));
        }
        for failure in &report.failures {
            failed(&Failure::from(failure.clone()).into(), &Known::default());
        }
        Ok(Exit::of(report))
    }

    /// Prints the document of the run, and writes it to the file of `--record`. Does not return if the process is being
    /// ended.
    ///
    /// # Errors
    /// The stream or the file cannot be written. A closed pipe is not an error.
    pub fn document(&self, document: &impl Rendered) -> Result<()> {
        self.claim();
        self.put(document)
    }

    /// Claims the document of the run, before the run takes its results. Does not return if the process is being ended.
    pub fn claim(&self) {
        self.ending.claim_for_run();
        self.printed.store(true, Relaxed);
    }

    /// As [`Printer::document`], for whoever has claimed the end.
    ///
    /// # Errors
    /// As [`Printer::document`].
    pub fn put(&self, document: &impl Rendered) -> Result<()> {
        self.printed.store(true, Relaxed);
        let filed = self.file(document, document.done());
        let mut out = BufWriter::new(self.ending.counting(std::io::stdout().lock()));
        let printed = match self.format {
            Format::Json => json(document, &mut out),
            Format::Text => out.write_all(inert(&document.text()?).as_bytes()),
            Format::Html => out.write_all(document.html().context("the result has no page")?.as_bytes()),
        };
        quietly(printed.and_then(|()| out.flush())).and(filed)
    }

    /// Writes a document to the file of `--record`, if there is one. `done`: as for [`RecordFile::write`].
    fn file(&self, document: &impl Serialize, done: Option<String>) -> Result<()> {
        let Some(file) = &self.file else { return Ok(()) };
        file.write(|out| json(document, &mut self.ending.counting(out)), done)
    }
}

/// Prints a text to standard output.
///
/// # Errors
/// The stream cannot be written. A closed pipe is not an error.
pub(super) fn print(text: &str) -> Result<()> {
    quietly(std::io::stdout().lock().write_all(text.as_bytes()))
}

/// Prints a message to standard error, in lines that fit.
pub(super) fn say(message: &str) {
    // Ignore errors: stderr is closed.
    let _ = writeln!(std::io::stderr().lock(), "{}", wrapped(&inert(message)));
}

/// Tells what to do about something that is unconfirmed.
fn hints_about(unconfirmed: &Unconfirmed) {
    match unconfirmed.hints.as_slice() {
        [] => say("hint: Run again to confirm"),
        hints => hints.iter().for_each(|hint| say(&format!("hint: {hint}"))),
    }
}

/// A hint without its end, which says to run again.
pub(super) fn without_run_again(hint: &str) -> &str {
    hint.split_once(", then run again").map_or(hint, |(grant, _)| grant)
}

/// Reports the failure of one group of several.
pub(super) fn failed_in(group: &str, error: &anyhow::Error, known: &Known) {
    report("error", Some(group), error, known);
}

/// Reports the failure that ends the run.
pub(super) fn failed(error: &anyhow::Error, known: &Known) -> Exit {
    report("error", None, error, known);
    Exit::Failed
}

/// Reports an additional failure of a failed run.
pub(super) fn warn(error: &anyhow::Error) {
    report("warning", None, error, &Known::default());
}

/// Prints the messages of the chain on one line, then a `hint:` line for each next step.
fn report(kind: &str, group: Option<&str>, error: &anyhow::Error, known: &Known) {
    let causes = error.chain().map(ToString::to_string);
    let causes: Vec<String> = group.map(str::to_owned).into_iter().chain(causes).collect();
    say(&format!("{kind}: {}", causes.join(": ")));
    for hint in known.next_steps(error) {
        say(&format!("hint: {hint}"));
    }
}

/// Prints help and version on standard output, wrong arguments on standard error.
pub(super) fn usage(error: &clap::Error) -> Exit {
    if error.use_stderr() && error.kind() != ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand {
        say(error.render().to_string().trim_end());
        return Exit::Usage;
    }
    let _ = error.print();
    if error.use_stderr() { Exit::Usage } else { Exit::Done }
}

fn quietly(printed: std::io::Result<()>) -> Result<()> {
    match printed {
        Err(error) if error.kind() == io::ErrorKind::BrokenPipe => Ok(()),
        other => other.context("writing to standard output"),
    }
}

/// Writes the document without building it in memory: the document may be larger than memory.
fn json(document: &impl Serialize, mut out: &mut dyn Write) -> std::io::Result<()> {
    serde_json::to_writer_pretty(&mut out, document)?;
    out.write_all(b"\n")
}

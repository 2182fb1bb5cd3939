//! Renders the results of several groups as a table.

use std::fmt::Write as _;

use anyhow::{Error, Result};

use super::Rendered;
use super::headline::{headline, unconfirmed};
use super::record::shortened;
use crate::cli::of_groups::{Ended, ManyDocument, OfGroup};
use crate::cli::wrap::fitted;
use crate::model::failure::Failure;
use crate::model::words::{counted, word};
use crate::run::RunReport;

/// The largest indentation of the continued lines of an outcome: after the name of a group, which may have 63 characters,
/// they would have little room.
pub(super) const OUTCOME: usize = 40;

impl<T: Ended> Rendered for ManyDocument<T> {
    fn text(&self) -> Result<String> {
        let mut out = table(self)?;
        T::below(self, &mut out)?;
        Ok(out)
    }

    fn html(&self) -> Option<String> {
        T::page(self)
    }

    fn done(&self) -> Option<String> {
        Some(format!("The run is done: {}", totals(self)))
    }
}

/// A row for each group, and the totals.
pub(super) fn table<T: Ended>(document: &ManyDocument<T>) -> Result<String> {
    let passed_over = document.passed_over.iter().map(|group| &group.group);
    let names = document.groups.iter().map(|group| &group.group).chain(passed_over);
    let width = names.map(|group| group.name().as_str().len()).max().unwrap_or_default().max("GROUP".len());
    let mut out = String::new();
    let mut row = |name: &str, (source, target): (&str, &str), outcome: &str| {
        let target = if T::HAS_TARGET { format!("  {target:>7}") } else { String::new() };
        let row = format!("{name:<width$}  {source:>7}{target}  {outcome}");
        writeln!(out, "{}", fitted(&row, (width + 20).min(OUTCOME)))
    };
    row("GROUP", ("SOURCE", "TARGET"), "OUTCOME")?;
    for group in &document.groups {
        let (source, target) = group.result.as_ref().map_or((None, None), Ended::versions);
        let number = |version: Option<u32>| version.map_or("-".to_owned(), |version| version.to_string());
        row(group.group.name().as_str(), (&number(source), &number(target)), &outcome(group))?;
    }
    for group in &document.passed_over {
        row(group.group.name().as_str(), ("-", "-"), &format!("passed over: the group is {}", group.status))?;
    }
    let messages = document.groups.iter().filter_map(|group| Some((group.group.name().to_string(), group.message()?)));
    in_full(messages, &mut out)?;
    writeln!(out, "\n{}", totals(document))?;
    Ok(out)
}

/// The outcome of a group in a line.
pub(super) fn outcome<T: Ended>(group: &OfGroup<T>) -> String {
    match &group.result {
        Ok(ended) => ended.headline(),
        Err(failed) if failed.is_not_started() => "not started".to_owned(),
        Err(failed) if failed.is_interrupted() => shortened(failed.message()),
        Err(failed) => format!("failed: {}", shortened(failed.message())),
    }
}

/// The messages that a table shortens, each once, below the names of the groups or targets that have it.
pub(super) fn in_full(messages: impl Iterator<Item = (String, String)>, out: &mut String) -> Result<()> {
    let mut names: Vec<(String, Vec<String>)> = Vec::new();
    for (name, message) in messages.filter(|(_, message)| shortened(message) != *message) {
        match names.iter_mut().find(|(told, _)| *told == message) {
            Some((_, names)) => names.push(name),
            None => names.push((message, vec![name])),
        }
    }
    if !names.is_empty() {
        writeln!(out, "\nMessages in full")?;
    }
    for (message, names) in names {
        writeln!(out, "  {}", names.join(", "))?;
        message.lines().try_for_each(|line| writeln!(out, "{}", fitted(&format!("    {line}"), 10)))?;
    }
    Ok(())
}

/// How many groups there are of each outcome.
fn totals<T: Ended>(document: &ManyDocument<T>) -> String {
    let groups = counted(document.groups.len(), "group");
    let outcomes = document.summary.outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}"));
    format!("{groups}: {}", outcomes.collect::<Vec<_>>().join(", "))
}

impl Ended for RunReport {
    const READS: bool = false;

    fn outcome(&self) -> String {
        word(self.document.outcome)
    }

    fn headline(&self) -> String {
        let failed = self.document.failures.first().map(|first| format!("; failed: {}", shortened(first)));
        headline(&self.document) + &failed.unwrap_or_default()
    }

    fn incomplete(&self) -> Option<String> {
        let failures = &self.document.failures;
        (!failures.is_empty()).then(|| failures.join("; "))
    }

    fn plan(&self) -> Option<&str> {
        Some(&self.document.plan.as_ref()?.digest)
    }

    fn reviewed_plan(&self) -> Option<&str> {
        self.document.reviewed_plan.as_ref()?.groups_digest.as_deref()
    }

    fn versions(&self) -> (Option<u32>, Option<u32>) {
        let source = self.document.source.package.as_ref().map(|package| package.version);
        (source, self.document.target.as_ref().and_then(|target| target.version))
    }

    fn remarks(&self) -> (Option<String>, Vec<Error>) {
        let failures = self.failures.iter().map(|failure| Failure::from(failure.clone()).into());
        (unconfirmed(self).map(|unconfirmed| unconfirmed.to_string()), failures.collect())
    }
}

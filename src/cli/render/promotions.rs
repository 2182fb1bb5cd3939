//! Renders plans and results of several promotions as text, or as Markdown for a pull request.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::Value;

use super::Rendered;
use super::many::{OUTCOME, in_full, outcome};
use super::record::{short, shortened};
use crate::cli::of_groups::{Ended, OfGroup};
use crate::cli::promotions::{OfTarget, PromotionsDocument};
use crate::cli::wrap::fitted;
use crate::model::secrets::masked;
use crate::model::words::counted;
use crate::record::{PlannedAct, Record};
use crate::register::sync::{Change, ChangeResult};
use crate::run::RunReport;

impl Rendered for PromotionsDocument {
    fn text(&self) -> Result<String> {
        let mut out = String::new();
        match (self.is_markdown(), self.is_plan()) {
            (true, _) => markdown(self, &mut out)?,
            (false, true) => plan(self, &mut out)?,
            (false, false) => results(self, &mut out)?,
        }
        Ok(out)
    }

    fn done(&self) -> Option<String> {
        (!self.is_plan()).then(|| format!("The run is done: {}", totals(self)))
    }
}

/// A row for each group of each target, and the totals.
fn results(document: &PromotionsDocument, out: &mut String) -> Result<()> {
    let rows: Vec<(String, &OfGroup<RunReport>)> = document
        .targets
        .iter()
        .flat_map(|target| {
            target.groups.iter().map(|group| (format!("{}: {}", target.name, group.group.name()), group))
        })
        .collect();
    let failed = document.targets.iter().filter(|target| target.error.is_some()).map(|target| &target.name);
    let names = rows.iter().map(|(name, _)| name).chain(failed).map(String::len);
    let width = names.max().unwrap_or_default().max("TARGET".len());
    writeln!(out, "{:<width$}  {:>7}  {:>8}  OUTCOME", "TARGET", "SOURCE", "PROMOTED")?;
    for (name, group) in &rows {
        let (source, promoted) = group.result.as_ref().map_or((None, None), Ended::versions);
        let number = |version: Option<u32>| version.map_or("-".to_owned(), |version| version.to_string());
        let row = format!("{name:<width$}  {:>7}  {:>8}  {}", number(source), number(promoted), outcome(group));
        writeln!(out, "{}", fitted(&row, (width + 21).min(OUTCOME)))?;
    }
    for target in &document.targets {
        if let Some(error) = &target.error {
            let row =
                format!("{:<width$}  {:>7}  {:>8}  failed: {}", target.name, "-", "-", shortened(error.message()));
            writeln!(out, "{}", fitted(&row, (width + 21).min(OUTCOME)))?;
        }
    }
    let of_groups = rows.iter().filter_map(|(name, group)| Some((name.clone(), group.message()?)));
    let of_targets = document.targets.iter().filter_map(|target| {
        let message = target.error.as_ref()?.message().to_owned();
        Some((target.name.clone(), message))
    });
    in_full(of_groups.chain(of_targets), out)?;
    writeln!(out, "\n{}", totals(document))?;
    Ok(())
}

fn plan(document: &PromotionsDocument, out: &mut String) -> Result<()> {
    for target in &document.targets {
        writeln!(out, "{}", target.name)?;
        for line in lines(target) {
            writeln!(out, "{}", fitted(&format!("  {line}"), 10))?;
        }
    }
    writeln!(out)?;
    if has_signs(document) {
        writeln!(out, "+ added, - rejected or replaced, ! changed, warned of or failed")?;
    }
    writeln!(out, "{}", totals(document))?;
    Ok(())
}

fn markdown(document: &PromotionsDocument, out: &mut String) -> Result<()> {
    writeln!(out, "### Plan of `{}`\n", document.file.replace('`', "'"))?;
    for target in &document.targets {
        let lines = lines(target).join("\n");
        let fence = fence(&lines);
        writeln!(out, "#### {}\n\n{fence}diff\n{lines}\n{fence}\n", target.name)?;
    }
    if has_signs(document) {
        writeln!(out, "`+` added, `-` rejected or replaced, `!` changed, warned of or failed\n")?;
    }
    writeln!(out, "{}", totals(document))?;
    Ok(())
}

/// Whether a line of the plan begins with a sign.
fn has_signs(document: &PromotionsDocument) -> bool {
    document.targets.iter().flat_map(lines).any(|line| line.starts_with(['+', '-', '!']))
}

/// A fence that the text does not contain.
fn fence(text: &str) -> String {
    let longest = text.split(|c| c != '`').map(str::len).max().unwrap_or_default();
    "`".repeat(longest.max(2) + 1)
}

/// What ends the line of a group with nothing to do.
const NOTHING: &str = ": nothing to do";

/// As many groups with nothing to do have a line each. More of them share one.
const UNCHANGED: usize = 5;

/// What is planned for a target, in the lines of a diff.
fn lines(target: &OfTarget) -> Vec<String> {
    let mut groups: Vec<Vec<String>> = target.groups.iter().map(lines_of).collect();
    let is_unchanged = |lines: &Vec<String>| matches!(&lines[..], [line] if line.ends_with(NOTHING));
    let unchanged = groups.iter().filter(|lines| is_unchanged(lines)).count();
    if unchanged > UNCHANGED {
        groups.retain(|lines| !is_unchanged(lines));
        groups.push(vec![format!("  {}{NOTHING}", counted(unchanged, "group"))]);
    }
    let mut lines = groups.concat();
    lines.extend(target.passed_over.iter().map(|group| format!("! {} is {}", group.group.name(), group.status)));
    lines.extend(target.error.iter().map(|error| format!("! failed: {}", error.message())));
    // Values of metadata may have line breaks and characters that a terminal or a page would act on.
    lines.iter().map(|line| line.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()).collect()
}

/// What is planned for a group.
fn lines_of(group: &OfGroup<RunReport>) -> Vec<String> {
    let name = group.group.name();
    match &group.result {
        Ok(report) => {
            let mut lines = Vec::new();
            of_record(name.as_str(), &report.document, &mut lines);
            lines.extend(report.document.failures.iter().map(|failure| format!("! failed: {failure}")));
            lines
        }
        Err(failed) if failed.is_not_started() => vec![format!("! {name}: not started")],
        Err(failed) if failed.is_interrupted() => vec![format!("! {name}: {}", failed.message())],
        Err(failed) => vec![format!("! {name}: failed: {}", failed.message())],
    }
}

fn of_record(group: &str, record: &Record, lines: &mut Vec<String>) {
    let version = record.source.package.as_ref().map(|package| format!(" version {}", package.version));
    let planned = record.planned.as_deref().unwrap_or_default();
    let nothing = if planned.is_empty() { NOTHING } else { "" };
    lines.push(format!("  {group}{}{nothing}", version.as_deref().unwrap_or(": no version is approved")));
    for write in planned {
        let sign = match write.act {
            PlannedAct::Withdraw | PlannedAct::Discard => '-',
            PlannedAct::Update | PlannedAct::WaitAgain => '!',
            PlannedAct::CreateGroup
            | PlannedAct::Copy
            | PlannedAct::CreateRepository
            | PlannedAct::CopyImage
            | PlannedAct::CopyReferrer
            | PlannedAct::TagImage
            | PlannedAct::Register
            | PlannedAct::Approve
            | PlannedAct::ApproveAgain => '+',
        };
        lines.push(format!("{sign} {write}"));
        if write.act == PlannedAct::Update {
            lines.extend(changes(record, &write.subject).flat_map(change));
        }
    }
    lines.extend(record.warnings.iter().map(|warning| format!("! warning: {}: {}", warning.field, warning.remark)));
}

/// The planned changes of the fields of a promoted version.
fn changes<'a>(record: &'a Record, promoted: &str) -> impl Iterator<Item = &'a Change> {
    let target = record.target.as_ref().and_then(|target| target.model_package_arn.as_ref());
    let is_own = target.is_some_and(|arn| arn.as_str() == promoted);
    let followed = record.followed.iter().find(|one| one.model_package_arn.as_str() == promoted);
    let of_followed = followed.map(|one| one.changes.as_slice()).unwrap_or_default();
    let changes = if is_own { record.changes.as_slice() } else { of_followed };
    changes.iter().filter(|change| change.result == ChangeResult::Planned)
}

/// A changed field before and after.
fn change(change: &Change) -> Vec<String> {
    let value = |value: &Value| short(&masked(&change.field, value).to_string());
    let line =
        |sign: char, at: &Option<Value>| at.as_ref().map(|at| format!("{sign}   {}: {}", change.field, value(at)));
    line('-', &change.was).into_iter().chain(line('+', &change.is)).collect()
}

/// How many groups there are of each outcome, and how many targets have failed.
fn totals(document: &PromotionsDocument) -> String {
    let mut parts: Vec<String> =
        document.summary.outcomes.iter().map(|(outcome, count)| format!("{count} {outcome}")).collect();
    let failed = document.targets.iter().filter(|target| target.error.is_some()).count();
    if failed > 0 {
        parts.push(format!("{} failed", counted(failed, "target")));
    }
    let groups = counted(document.summary.groups, "group");
    format!("{}, {groups}: {}", counted(document.targets.len(), "target"), parts.join(", "))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_fence_is_longer_than_any_in_the_text() {
        assert_eq!(fence("a value"), "```");
        assert_eq!(fence("a ``` value ````` of metadata"), "``````");
    }
}

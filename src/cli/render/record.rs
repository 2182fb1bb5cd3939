//! Renders a record as text.

use std::fmt::Write as _;

use anyhow::Result;
use indicatif::HumanBytes;
use serde_json::Value;

use super::headline::{followed, headline};
use super::{LINES_SHOWN, Rendered, images};
use crate::cli::wrap::fitted;
use crate::copy::{Outcome, Verified};
use crate::model::approval::ApprovalStatus;
use crate::model::secrets::{masked, masked_text};
use crate::model::words::counted;
use crate::plan::target_group::TargetGroupState;
use crate::record::{ArtifactFacts, Conclusion, Record, WithdrawalResult};
use crate::register::sync::ChangeResult;

/// What a copy of an object lacks.
const NOT_COPIED: &str = "\nwithout the tags, annotations and storage classes of the source objects";

/// The column in which the rest of an item of a list begins.
const REST: usize = 6;
/// The same for an item that begins with a size.
const AFTER_SIZE: usize = 14;

impl Rendered for Record {
    fn text(&self) -> Result<String> {
        text(self)
    }

    fn done(&self) -> Option<String> {
        let target = self.target.as_ref().filter(|_| self.planned.is_none())?;
        let promoted = target.model_package_arn.as_ref()?;
        Some(format!("{promoted} is promoted, and its record is in {}", target.folder))
    }
}

fn text(record: &Record) -> Result<String> {
    let mut out = String::new();
    let mut line = |name: &str, value: &str| {
        let _ = writeln!(out, "{}", labelled(name, value));
    };
    line("Outcome", &headline(record));
    if let Some(plan) = &record.plan {
        line("Plan", &plan.digest);
    }
    if let Some(plan) = &record.reviewed_plan {
        line("Plan", &format!("{}\nmade {}", plan.digest, plan.made));
    }
    source(record, &mut line);
    target(record, &mut line);
    if !record.artifacts.is_empty() {
        line("Artifacts", &artifacts(record)?);
    }
    let shown = record.artifacts.iter().take(LINES_SHOWN).collect::<Result<Vec<_>>>()?;
    list(&mut out, "", (&shown, record.artifacts.len()), |a| {
        format!("{:>10}  {:<30}  {}", HumanBytes(a.bytes).to_string(), result(a), a.source)
    });
    if !record.images.is_empty() {
        let _ = writeln!(out, "{}", labelled("Images", &images::summary(&record.images)));
        list(&mut out, "", all(&record.images), images::line);
    }
    list(&mut out, "Would be written", all(record.planned.as_deref().unwrap_or_default()), ToString::to_string);
    list(&mut out, "Withdrawn", all(&record.withdrawn), |w| {
        let what = if w.result == WithdrawalResult::Planned { "would be rejected" } else { "Rejected now" };
        let reason = w.reason.as_ref().map(|reason| format!(": \"{}\"", short(reason))).unwrap_or_default();
        format!("{} {what}\n    its source {} is Rejected{reason}", w.model_package_arn, w.source_model_package_arn)
    });
    list(&mut out, "Followed", all(&record.followed), |f| {
        let error = f.error.as_ref().map(|error| format!("\n    {error}")).unwrap_or_default();
        let source = &f.source_model_package_arn;
        format!("{} {}\n    its source is {source}{error}", f.model_package_arn, followed(f.result))
    });
    list(&mut out, "Changed since the promotion", all(&record.changes), |c| {
        let what = match c.result {
            ChangeResult::Updated => "updated",
            ChangeResult::Planned => "would be updated",
            ChangeResult::Drift => "cannot be updated",
            ChangeResult::Conflict => "was not updated, because the target has changed it too",
            ChangeResult::Kept => "was changed in the target and is kept",
            ChangeResult::Added => "was added by SageMaker",
        };
        let value = |value: &Option<Value>| match value {
            Some(value) => short(&masked(&c.field, value).to_string()),
            None => "(none)".to_owned(),
        };
        format!("{} {what}: {} → {}", c.field, value(&c.was), value(&c.is))
    });
    let references: &[_] = if record.outcome == Conclusion::Found { &record.references } else { &[] };
    list(&mut out, "References", all(references), |r| format!("{}  {}", r.location, r.field));
    not_carried(&mut out, record);
    list(&mut out, "Warnings", all(&record.warnings), |w| format!("{}: {}", w.field, w.remark));
    Ok(out)
}

/// The fields that somebody has to look at, and the number of the others.
fn not_carried(out: &mut String, record: &Record) {
    let (others, listed): (Vec<_>, Vec<_>) = record.not_carried.iter().partition(|field| field.informational);
    list(out, "Not carried over", all(&listed), |l| {
        format!("{} = {}\n    {}", l.field, shortened(&masked_text(&l.field, &l.value)), l.reason)
    });
    if !listed.is_empty() && !others.is_empty() {
        let _ = writeln!(out, "  … and {} that need no action (`--output json` shows all)", others.len());
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
            line("", target.approval_status.as_ref().map_or("", ApprovalStatus::as_str));
        }
        _ => line("Target", &place),
    }
    if let Some(state) = &record.target_group {
        line("", &target_group(state, record.outcome == Conclusion::Planned));
    }
    line("Folder", &target.folder.to_string());
}

/// What the target group had before the promotion.
fn target_group(state: &TargetGroupState, planned: bool) -> String {
    let TargetGroupState { existed, ours, others, unread } = state;
    let (will, has) = if planned { ("will be created", "has") } else { ("was created", "had") };
    let unread = if *unread > 0 { format!(", and {unread} older that were not read") } else { String::new() };
    match existed {
        false => format!("the group {will}"),
        true => format!(
            "the group {has} {} from the source group and {others} by others{unread}",
            counted(*ours, "version")
        ),
    }
}

fn artifacts(record: &Record) -> Result<String> {
    let artifacts = &record.artifacts;
    let mut bytes = 0;
    let mut parts = [
        (Outcome::Copied, "copied", 0),
        (Outcome::AlreadyThere, "already copied", 0),
        (Outcome::Recorded, "recorded", 0),
        (Outcome::Planned, "to be copied", 0),
    ];
    for artifact in artifacts.iter() {
        let artifact = artifact?;
        bytes += artifact.bytes;
        parts.iter_mut().filter(|(outcome, ..)| *outcome == artifact.result).for_each(|(.., count)| *count += 1);
    }
    let parts = parts.into_iter().filter(|(.., count)| *count > 0);
    let parts: Vec<String> = parts.map(|(_, name, count)| format!("{count} {name}")).collect();
    let recorded = record.artifacts_recorded.as_deref().map_or(String::new(), |then| {
        format!(" on {}, not compared by this run (`promote verify` compares)", then.get(..10).unwrap_or(then))
    });
    Ok(format!(
        "{}, {}: {}{recorded}{NOT_COPIED}",
        counted(artifacts.len(), "object"),
        HumanBytes(bytes),
        parts.join(", ")
    ))
}

fn result(artifact: &ArtifactFacts) -> String {
    let result = match artifact.result {
        Outcome::Planned => return "to be copied".into(),
        Outcome::Copied => "copied",
        Outcome::AlreadyThere => "already copied",
        Outcome::Recorded => "recorded",
    };
    match artifact.verified {
        None => result.into(),
        Some(Verified::Bytes) => format!("{result}, bytes equal"),
        Some(Verified::Checksum) => format!("{result}, checksum equal"),
        Some(Verified::Etag) => format!("{result}, ETag equal"),
        Some(Verified::Size) => format!("{result}, size equal"),
    }
}

/// All items of a list, and their number.
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
    let rest = if title.is_empty() { AFTER_SIZE } else { REST };
    for item in items.iter().take(LINES_SHOWN) {
        let lines = format!("  {}", render(item).replace('\n', "\n  "));
        let _ = writeln!(out, "{}", fitted(&lines, rest));
    }
    if count > LINES_SHOWN {
        let _ = writeln!(out, "  … and {} more (`--output json` shows all)", count - LINES_SHOWN);
    }
}

/// A text with a label in the first column. Further lines begin in the second.
pub(super) fn labelled(name: &str, value: &str) -> String {
    fitted(&format!("{name:<11}{}", value.replace('\n', "\n           ")), 11)
}

/// Shortens a value to one line of at most 160 characters. It keeps the end, which has the tag of an image or the name of
/// a file.
pub(super) fn shortened(value: &str) -> String {
    let line: Vec<char> = value.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    match line.len() {
        0..=160 => line.into_iter().collect(),
        length => line[..79].iter().chain(&['…']).chain(&line[length - 80..]).collect(),
    }
}

/// Shortens a text to one line of at most 80 characters.
pub(super) fn short(text: &str) -> String {
    let line: String = text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect();
    if line.chars().count() <= 80 { line } else { line.chars().take(79).chain(['…']).collect() }
}

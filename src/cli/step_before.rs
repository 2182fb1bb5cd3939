//! Reads the document of the previous step, which `--from` names.

use std::io::Read as _;
use std::path::Path;

use anyhow::{Context, Result, bail};
use bytes::BytesMut;
use serde::Deserialize;
use tokio::io::{AsyncRead, AsyncReadExt};

use super::arguments::PackageArgs;
use crate::model::failure::{Failure, Hint};
use crate::record::{Conclusion, PlanText, Record, Target};
use crate::run::many::{MAKE, PlanKind, ReviewedGroups, STANDARD_INPUT, WantedPlan, not_wanted};
use crate::run::step_settings::FoundVersion;
use crate::store::{Spooled, Spooling};

/// The result of the previous step.
#[derive(Debug)]
pub(super) struct StepBefore {
    /// The version.
    pub version: FoundVersion,
    /// The target that the artifacts were copied to, if they were copied.
    pub target: Option<Target>,
    /// Whether the step was a dry run, which has copied nothing.
    pub is_planned: bool,
}

impl PackageArgs {
    /// Reads the document of the previous step, or takes the version from its flag. `verb` is the verb that reads it.
    pub(super) async fn step_before(&self, verb: &str) -> Result<StepBefore> {
        let Some(from) = &self.from else {
            let Some(arn) = self.model_package.clone() else {
                bail!(Failure::new("no model package is given").hint("Pass `--model-package` or `--from`"))
            };
            let version = FoundVersion { arn, fingerprint: None, fields: None };
            return Ok(StepBefore { version, target: None, is_planned: false });
        };
        let record = read_document(from, verb).await?;
        let is_planned = record.outcome == Conclusion::Planned;
        let package = record.source.package.ok_or_else(|| {
            Failure::new(format!(
                "promote {verb} has nothing to do: the document of the previous step has no version, because none was \
                 approved"
            ))
            .hint("Run `promote find-latest` again when a version is approved")
        })?;
        let (arn, fingerprint, fields) = (package.model_package_arn, Some(package.fingerprint), package.fields);
        let version = FoundVersion { arn, fingerprint, fields };
        Ok(StepBefore { version, target: record.target, is_planned })
    }
}

/// Reads the document of the previous step.
///
/// # Errors
/// The file cannot be read, or it is not a document of this version.
async fn read_document(from: &Path, verb: &str) -> Result<Record> {
    let (text, name) = read(from, verb, "Pass the file that the previous step has written with `--record`").await?;
    if let Some(failure) = no_document(&text, &name, verb)? {
        return Err(failure.into());
    }
    Record::parse(&text)
        .with_context(|| format!("promote {verb} cannot read {name} as the document of a previous step"))
        .hint("Run the previous step with `--output json` and the same release of promote")
}

/// Reads the plan of one group, which `promote full --dry-run --record` has written. `-` is standard input.
///
/// # Errors
/// The file cannot be read, or it is not such a plan.
pub(super) async fn read_plan(from: &Path) -> Result<(Record, PlanText)> {
    let make = "Make a plan with `promote full --dry-run --record plan.json`";
    let (text, name) = read(from, "full", make).await?;
    if let Some(failure) = not_wanted(text.reader(), &name, &WantedPlan { kind: PlanKind::Group, make }) {
        return Err(failure.into());
    }
    let plan = Record::parse(&text).and_then(|record| Ok((record, serde_json::from_reader(text.reader())?)));
    let plan = plan.with_context(|| format!("promote full cannot read {name} as a plan"));
    plan.hint("Use the same release of promote for the plan and its promotion")
}

/// Reads the plan of a pattern, which `promote full --dry-run --record` has written. `-` is standard input.
///
/// # Errors
/// The file cannot be read, or it is not such a plan.
pub(super) async fn read_plan_of_groups(from: &Path) -> Result<ReviewedGroups> {
    let (spooled, name) = read(from, "full", MAKE).await?;
    let mut text = Vec::new();
    spooled.reader().read_to_end(&mut text)?;
    ReviewedGroups::parse(&text, &name)
}

/// Reads a file and names it. `missing` is the next step if there is no such file.
async fn read(from: &Path, verb: &str, missing: &str) -> Result<(Spooled, String)> {
    let (name, read) = if from == Path::new("-") {
        (STANDARD_INPUT.to_owned(), read_all(tokio::io::stdin()).await)
    } else {
        let name = from.display().to_string();
        let opened = tokio::fs::File::open(from).await.with_context(|| format!("promote {verb} cannot read {name}"));
        (name, read_all(opened.hint(missing)?).await)
    };
    Ok((read.with_context(|| format!("reading {name}")).hint(missing)?, name))
}

/// Why a text is no document, if its beginning tells.
fn no_document(text: &Spooled, name: &str, verb: &str) -> Result<Option<Failure>> {
    let mut beginning = String::new();
    text.reader().take(64).read_to_string(&mut beginning).unwrap_or_default();
    if beginning.trim().is_empty() {
        let message = format!("promote {verb} has nothing to read: {name} is empty; the previous step probably failed");
        return Ok(Some(
            Failure::new(message)
                .hint("See the error of the previous step. In a script, `set -o pipefail` makes the pipe fail with it"),
        ));
    }
    if beginning.starts_with("Outcome ") {
        let message = format!("promote {verb} cannot read {name}: it is the text form of a document");
        return Ok(Some(Failure::new(message).hint("Add `--output json` to the previous step")));
    }
    if !["\"failed\"", "\"interrupted\""].iter().any(|outcome| beginning.contains(outcome)) {
        return Ok(None);
    }
    let Ok(FailedStep { outcome, error }) = serde_json::from_reader(text.reader()) else { return Ok(None) };
    let ended = match outcome.as_str() {
        "failed" => "has failed",
        "interrupted" => "was interrupted",
        _ => return Ok(None),
    };
    let message = format!("promote {verb} has nothing to do: the previous step {ended}: {}", error.message);
    Ok(Some(Failure::new(message).hint("Run the previous step again")))
}

/// The document of a step that has failed.
#[derive(Deserialize)]
struct FailedStep {
    outcome: String,
    error: FailedStepError,
}

#[derive(Deserialize)]
struct FailedStepError {
    message: String,
}

async fn read_all(mut from: impl AsyncRead + Unpin) -> Result<Spooled> {
    let (mut text, mut chunk) = (Spooling::default(), BytesMut::with_capacity(64 << 10));
    while from.read_buf(&mut chunk).await? > 0 {
        text.append(&chunk)?;
        chunk.clear();
    }
    Ok(text.end())
}

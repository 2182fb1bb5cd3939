//! Finds the version that a rollback goes back to.

use anyhow::{Context as _, Result};

use super::place::approved_by_others;
use super::rollback::Rollback;
use crate::aws::error::with_hints;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::PackageArn;
use crate::model::destination::Destination;
use crate::model::failure::Failure;
use crate::model::hold::Hold;
use crate::model::promoted::PromotedVersion;
use crate::record::verification::Verdict;
use crate::run::settings::VerifySettings;
use crate::run::verify::{Verification, verify};

impl Rollback<'_> {
    /// The version to roll back to: the one that is given, the one of an interrupted rollback, or the newest older one that
    /// is Approved and equals its record. Also returns why newer ones cannot be served.
    pub(super) async fn version_to_serve(&self, present: &[Hold]) -> Result<(PackageArn, Vec<String>)> {
        let group = &self.place.destination.group;
        let mut interrupted =
            present.iter().filter(|hold| self.has_set(hold)).filter_map(|hold| hold.rolled_back_to.as_ref());
        let interrupted = interrupted.next().map(PackageArn::version);
        if let Some(number) = self.settings.to.or(interrupted) {
            let version = self.promoted().find(|version| version.arn.version() == number);
            let version = version.ok_or_else(|| {
                Failure::new(format!("{group} has no promoted version {number}"))
                    .hint("`promote status` lists the promoted versions")
            })?;
            return match self.why_not(version).await? {
                None => Ok((version.arn.clone(), Vec::new())),
                Some(why) => Err(Failure::new(format!("{} cannot be served: {why}", version.arn))
                    .hint("Name another version with `--to`")
                    .into()),
            };
        }
        let approved = |version: &&PromotedVersion| version.approval() == ApprovalStatus::Approved;
        let mut older = self.promoted().filter(approved);
        let current = older.next().ok_or_else(|| {
            Failure::new(format!("no promoted version of {group} is Approved")).hint("There is nothing to roll back")
        })?;
        self.refuse_others(&current.arn)?;
        self.refuse_unclear(&current.arn, present)?;
        let mut warnings = Vec::new();
        for version in older {
            match self.why_not(version).await {
                Ok(None) => return Ok((version.arn.clone(), warnings)),
                Ok(Some(why)) => warnings.push(format!("{} cannot be served: {why}", version.arn)),
                Err(error) => warnings.push(format!("{} could not be verified: {}", version.arn, with_hints(&error))),
            }
        }
        let why = match warnings.is_empty() {
            true => format!("no promoted version that is older than {} is Approved", current.arn),
            false => format!("no promoted version that is older than {} can be served", current.arn),
        };
        warnings.insert(0, why);
        Err(Failure::new(warnings.join("; "))
            .hint("Approve an older version in the target account, or hold the group with `promote hold`")
            .into())
    }

    /// Whether a hold is one of this rollback, which was run before.
    pub(super) fn has_set(&self, hold: &Hold) -> bool {
        hold.rolled_back_to.is_some() && Some(&hold.reason) == self.settings.hold.reason.as_ref()
    }

    /// Refuses to choose a version if the live one was registered by others: that one may be wrong, and the current promoted
    /// version the one to go back to.
    fn refuse_others(&self, current: &PackageArn) -> Result<()> {
        let Some(live) = approved_by_others(&self.place.versions, current).next() else { return Ok(()) };
        let message = format!("the live version is {live}, which others have registered: it is newer than {current}");
        let hint = "Reject the live version in the target account if it is wrong, or name the version to go back to \
                    with `--to`";
        Err(Failure::new(message).hint(hint).into())
    }

    /// Refuses to choose a version if somebody has rejected a newer one than the current one: then it is unclear which
    /// version is wrong.
    fn refuse_unclear(&self, current: &PackageArn, present: &[Hold]) -> Result<()> {
        let newer = self.promoted().find(|version| {
            version.arn.version() > current.version() && version.approval() == ApprovalStatus::Rejected
        });
        let why = match newer {
            Some(newer) => format!("{} is newer than the current version {current}, and Rejected already", newer.arn),
            None if present.iter().any(Hold::is_unreadable) => "the document of the hold cannot be read".to_owned(),
            None => return Ok(()),
        };
        Err(Failure::new(why).hint("Name the version to go back to with `--to`").into())
    }

    /// The promoted versions, the newest first.
    fn promoted(&self) -> impl Iterator<Item = &PromotedVersion> {
        self.place.versions.iter().filter(|version| version.source().is_some())
    }

    /// Why a version cannot be served; nothing if it is Approved, and equals its record with all its artifacts.
    async fn why_not(&self, version: &PromotedVersion) -> Result<Option<String>> {
        if !version.is_complete() || version.approval() != ApprovalStatus::Approved {
            return Ok(Some(format!("it is {} and {}", version.status(), version.approval())));
        }
        let Destination { bucket, prefix, .. } = self.place.of(version);
        let settings = VerifySettings {
            version: version.arn.clone(),
            deep: false,
            signed_by: None,
            bucket: Some(bucket),
            prefix: Some(prefix),
        };
        let verified = verify(self.context, &settings).await.with_context(|| format!("verifying {}", version.arn))?;
        match verified.outcome {
            Verdict::Identical | Verdict::Kept => Ok(None),
            Verdict::Changed | Verdict::Missing | Verdict::Unverifiable => Ok(Some(differences(&verified)?)),
        }
    }
}

/// The first findings that are not identical.
fn differences(verified: &Verification) -> Result<String> {
    let mut texts = Vec::new();
    for finding in verified.findings.iter() {
        let finding = finding?;
        if matches!(finding.verdict, Verdict::Changed | Verdict::Missing | Verdict::Unverifiable) {
            texts.push(format!("{}: {}", finding.name, finding.detail));
        }
    }
    let more = texts.len().saturating_sub(3);
    texts.truncate(3);
    if more > 0 {
        texts.push(format!("and {more} more"));
    }
    Ok(texts.join("; "))
}

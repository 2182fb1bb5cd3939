//! Checks that the artifacts of a version are those of its record, and that nobody has changed it since it was read.

use anyhow::{Result, bail, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::purpose::Purpose;
use super::synced::Update;
use crate::aws::error::Kind;
use crate::aws::objects::{Listed, TargetObjects};
use crate::copy::Folder;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::PackageArn;
use crate::model::failure::Failure;
use crate::model::field::Document;
use crate::model::location::Location;
use crate::model::promoted::PromotedVersion;
use crate::plan::provenance::marked;
use crate::record::history::Past;
use crate::record::verification::{Listing, Verdict, head, listed};
use crate::record::{ArtifactFacts, List, ReferenceFacts};
use crate::register::decision::Act;
use crate::register::describe_updated;
use crate::run::promotion::Promotion;
use crate::schema::comparison::deviations;
use crate::schema::references::ReferenceKind;

/// Concurrent checks of objects.
const OBJECTS_AT_ONCE: usize = 16;
/// The objects that a message names.
const NAMED: usize = 20;

/// Whether a concurrent run has made the same Update: the digest in the metadata tells.
pub(super) fn is_updated(update: Update<'_>, now: &Document) -> bool {
    let (then, now) = (marked(&update.promoted.description), marked(now));
    now != then && now == marked(&update.plan.request)
}

impl Promotion<'_> {
    /// Describes a version again if it is pending and its newest record is not: the registry may show an approval late.
    pub(in crate::run) async fn described_as_recorded(
        &self,
        past: &Past<'_>,
        promoted: &PromotedVersion,
    ) -> Result<PromotedVersion> {
        let (arn, recorded) = (&promoted.arn, past.approval().map(|recorded| recorded.status));
        let description = match (recorded, promoted.approval()) {
            (Some(recorded), ApprovalStatus::PendingManualApproval) if recorded != promoted.approval() => {
                let is_shown = |described: &Document| ApprovalStatus::of(described) == recorded;
                describe_updated(self.target.registry(), arn, is_shown).await?
            }
            _ => promoted.description.clone(),
        };
        Ok(PromotedVersion { arn: arn.clone(), description })
    }

    /// Describes the promoted version again, and its source before a decision. Returns whether a concurrent run has made
    /// the same Update.
    ///
    /// # Errors
    /// An approval that is decided has changed since, or a field of the promoted version.
    pub(in crate::run) async fn refuse_changed(&self, update: Update<'_>) -> Result<bool> {
        let Update { package, promoted, decision, .. } = update;
        let decides = matches!(decision.act, Act::Carry | Act::ApproveAgain | Act::WaitAgain);
        let source = async {
            match decides {
                true => self.source.registry().describe(package.arn()).await.map(Some),
                false => Ok(None),
            }
        };
        let (source, target) = tokio::try_join!(source, self.target.registry().describe(&promoted.arn))?;
        if let Some(source) = source {
            refuse_changed_approvals(update, &source, &target)?;
        }
        let is_updated = is_updated(update, &target);
        ensure!(
            is_updated || deviations(&promoted.description, &target).is_empty(),
            Failure::new(format!("{} was changed during this run, and was not updated", promoted.arn))
                .hint("Run again")
        );
        Ok(is_updated)
    }

    /// Compares the listing of a promotion's folder with its recorded artifacts, by size and by ETag or checksum.
    /// Returns the artifacts that do not exist.
    ///
    /// # Errors
    /// An artifact was replaced, cannot be verified, or a promoted prefix has another object.
    pub(in crate::run) async fn missing_artifacts(
        &self,
        there: &Folder,
        source: &PackageArn,
        (artifacts, references): (&List<ArtifactFacts>, &[ReferenceFacts]),
        purpose: Purpose,
    ) -> Result<Vec<Location>> {
        let target = self.target.objects();
        let checks = artifacts.iter().map(|artifact| async {
            let artifact = artifact?;
            there.expect(&artifact.target.key)?;
            let verdict = artifact_verdict(target, &artifact, there.at(&artifact.target)?.as_ref()).await?;
            anyhow::Ok((artifact.target, verdict))
        });
        let mut checks = stream::iter(checks).buffered(OBJECTS_AT_ONCE);
        let (mut missing, mut changed) = (Vec::new(), NamedObjects::default());
        while let Some((location, (verdict, detail))) = checks.try_next().await? {
            match verdict {
                Verdict::Identical | Verdict::Kept => {}
                Verdict::Missing => missing.push(location),
                Verdict::Changed | Verdict::Unverifiable => changed.add(|| format!("  {location}: {detail}")),
            }
        }
        let prefixes: Vec<&str> = references
            .iter()
            .filter(|reference| reference.kind == ReferenceKind::Prefix)
            .filter_map(|reference| Some(reference.target.as_ref()?.key.as_str()))
            .collect();
        for stray in there.unexpected() {
            let Listed { key, .. } = stray?;
            if prefixes.iter().any(|prefix| key.starts_with(prefix)) {
                let stray = Location::new(there.bucket(), key);
                changed.add(|| format!("  {stray}: it is not part of the promotion"));
            }
        }
        if changed.count > 0 {
            let count = changed.count;
            let objects = if count == 1 { "object differs" } else { "objects differ" };
            let effect = match purpose {
                Purpose::Approval => "the version was not approved",
                Purpose::Report => "nothing was changed",
                Purpose::Signature => "the record was not signed",
            };
            let named = changed.lines.join("\n");
            let message = format!("{count} {objects} from the promotion record of {source}; {effect}:\n{named}");
            let these = if count == 1 { "this object" } else { "these objects" };
            let hint = format!(
                "Delete {these}, then run `promote full --package-version {}` for this group",
                source.version()
            );
            bail!(Failure::new(message).hint(hint));
        }
        Ok(missing)
    }
}

fn refuse_changed_approvals(update: Update<'_>, source: &Document, target: &Document) -> Result<()> {
    let Update { package, promoted, decision, .. } = update;
    let [source, target] = [source, target].map(ApprovalStatus::of);
    // A concurrent run may have decided the same.
    let is_decided = target == decision.status;
    let act = if decision.act == Act::WaitAgain { "changed" } else { "approved" };
    let both =
        [(package.arn(), package.approval(), source, false), (&promoted.arn, promoted.approval(), target, is_decided)];
    for (arn, then, now, is_decided) in both {
        ensure!(
            now == then || is_decided,
            Failure::new(format!(
                "the approval of {arn} changed from {then} to {now} during this run; {} was not {act}",
                promoted.arn
            ))
            .hint("Run again")
        );
    }
    Ok(())
}

/// The first objects of a message, and the number of all.
#[derive(Default)]
struct NamedObjects {
    lines: Vec<String>,
    count: usize,
}

impl NamedObjects {
    fn add(&mut self, line: impl FnOnce() -> String) {
        if self.lines.len() < NAMED {
            self.lines.push(line());
        }
        self.count += 1;
    }
}

/// Compares an artifact with the listing of its folder, and with its checksum if its ETag differs.
///
/// # Errors
/// The object cannot be read.
pub(in crate::run) async fn artifact_verdict(
    target: &TargetObjects,
    artifact: &ArtifactFacts,
    there: Option<&Listed>,
) -> Result<(Verdict, String)> {
    match listed(artifact, there) {
        Listing::Certain(verdict, detail) => Ok((verdict, detail)),
        Listing::Head => match target.head(&artifact.target).await {
            Ok(answer) => Ok(head(artifact, &answer)),
            Err(error) if error.kind == Kind::NotFound => {
                Ok((Verdict::Missing, "the object was deleted after it was listed".into()))
            }
            Err(error) => Err(error.into()),
        },
    }
}

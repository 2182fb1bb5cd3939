//! Follows every promoted version of the group besides the one that the run promotes.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Error, Result};
use futures_util::{FutureExt, StreamExt, stream};
use tokio::sync::watch;

use super::Syncing;
use super::followed::FollowedVersions;
use super::synced::{Repaired, Synced, missing_artifacts};
use super::withdrawing::Withdrawing;
use crate::aws::error::{CallError, Kind};
use crate::aws::registry::Summary;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::PackageArn;
use crate::model::field::Document;
use crate::model::hold::Held;
use crate::model::layout::Layout;
use crate::model::package::Package;
use crate::model::package_status::PackageStatus;
use crate::model::promoted::PromotedVersion;
use crate::plan::Warning;
use crate::record::history::History;
use crate::record::recorded::{Look, Recorded, recorded};
use crate::record::{ChangeResult, Conclusion, FollowResult, Followed, Record};
use crate::register::decision::ApprovalPolicy;
use crate::run::event::Event;
use crate::run::full::listed::ListedPromotions;
use crate::run::full::seen::Seen;
use crate::run::promotion::Promotion;

/// Versions that are followed at a time. SageMaker throttles its control plane at low rates.
pub(in crate::run) const AT_ONCE: usize = 4;

/// The promoted version of the source version that the run promotes: nothing until that is known, and then nothing inside
/// if there is none.
pub(in crate::run) type Promoted = watch::Sender<Option<Option<PackageArn>>>;

/// Follows promoted versions.
pub(in crate::run) struct Following<'a> {
    pub promotion: &'a Promotion<'a>,
    pub policy: ApprovalPolicy,
    /// All promotions to the target group.
    pub promotions: &'a ListedPromotions,
    /// The Rejected versions of the source group.
    pub rejected: &'a [Summary],
    /// The source version that the run promotes.
    pub except: Option<&'a PackageArn>,
}

impl Following<'_> {
    /// Follows every promoted version. A failure does not stop the others.
    pub async fn run(&self, promoted: &Promoted) -> FollowedVersions {
        let group = &self.promotion.group;
        let mut sources: Vec<PackageArn> =
            self.promotions.folders.iter().filter_map(|folder| Layout::source_of(folder, group)).collect();
        sources.retain(|source| Some(source) != self.except);
        sources.sort_by_key(|source| std::cmp::Reverse(source.version()));
        let mut versions = Vec::new();
        for source in &sources {
            versions.push(self.follow(source).boxed());
        }
        let versions = stream::iter(versions).buffered(AT_ONCE).collect::<Vec<_>>();
        let list = self.promotion.target.registry().list(self.promotion.destination.group.name(), None);
        let (versions, listed) = tokio::join!(versions, list);
        let mut all = FollowedVersions::default();
        let mut current = HashMap::new();
        for (source, (one, promoted)) in sources.iter().zip(versions) {
            current.extend(promoted.map(|promoted| (source.clone(), promoted)));
            all.add(one);
        }
        let mut promoted = promoted.subscribe();
        let latest = promoted.wait_for(Option::is_some).await.ok().and_then(|latest| latest.clone().flatten());
        current.extend(self.except.cloned().zip(latest));
        match listed {
            Ok(listed) => all.add(self.unrecorded(&listed, &current).await),
            Err(error) => all.failures.push(Arc::new(error.into())),
        }
        all.withdrawn.sort_by_key(|one| one.version);
        all.followed.sort_by_key(|one| one.version);
        all
    }

    /// Follows the promotion of one source version. Also returns its promoted version.
    async fn follow(&self, source: &PackageArn) -> (FollowedVersions, Option<PackageArn>) {
        let Promotion { target, destination, .. } = self.promotion;
        let described = self.promotion.source.registry().describe(source);
        let seen = Seen::of(self.promotion, source, self.promotions, Look::AtRecords);
        let (described, seen) = tokio::join!(described, seen);
        let recorded = match seen {
            Ok(Seen::Now(recorded)) => Ok(recorded),
            Ok(Seen::InList(seen)) => match self.unchanged(source, &described, &seen).await {
                Ok(Some(unchanged)) => return (unchanged, Some(seen.promoted.arn)),
                Ok(None) => recorded(target, destination, source, Look::AtRecords).await,
                Err(error) => Err(error),
            },
            Err(error) => Err(error),
        };
        let Recorded { history, promoted, .. } = match recorded {
            Ok(Some(recorded)) => recorded,
            Ok(None) => return (FollowedVersions::default(), None),
            Err(error) => return (FollowedVersions::failed(error), None),
        };
        let arn = Some(promoted.arn.clone());
        if promoted.status() != PackageStatus::Completed {
            return (FollowedVersions::default(), arn);
        }
        let state = self.source_of(source, &promoted, described).map(|state| state.of_promotion(&history, &promoted));
        let synced = match state {
            Ok(SourceState::Described(package)) => self.sync(&package, &history, &promoted).await,
            Ok(SourceState::Listed(package)) => self.withdraw(&package, &history, &promoted).await,
            Ok(SourceState::Unclear(unclear)) => return (unclear, arn),
            Err(error) => return (FollowedVersions::failed(error), arn),
        };
        (synced.unwrap_or_else(|error| not_followed(&promoted, source, error)), arn)
    }

    /// What a run tells of a version for which there is nothing to do; nothing if there may be something.
    async fn unchanged(
        &self,
        source: &PackageArn,
        described: &Result<Document, CallError>,
        seen: &Recorded,
    ) -> Result<Option<FollowedVersions>> {
        let Ok(described) = described else { return Ok(None) };
        if PackageStatus::of(described) != PackageStatus::Completed {
            return Ok(None);
        }
        let package = Package::from_description(source, described.clone())?;
        let record = self.syncing().unchanged(&package, &seen.history, &seen.promoted).await?;
        Ok(record.map(|record| self.done(&seen.promoted, record, false)))
    }

    fn syncing(&self) -> Syncing<'_> {
        let (promotion, destination) = (self.promotion, &self.promotion.destination);
        Syncing { promotion, destination, policy: self.policy, folder: None, repaired: Repaired::No }
    }

    pub(super) async fn sync(
        &self,
        package: &Package,
        history: &History,
        promoted: &PromotedVersion,
    ) -> Result<FollowedVersions> {
        match self.syncing().run(package, history, promoted).await? {
            Some(Synced::Done { record, recorded, warnings }) => {
                let mut done = self.done(promoted, *record, recorded);
                done.warnings.extend(warnings);
                Ok(done)
            }
            Some(Synced::Missing(missing)) => Err(missing_artifacts(promoted, package.arn(), &missing)),
            None => Ok(FollowedVersions::default()),
        }
    }

    async fn withdraw(
        &self,
        package: &Package,
        history: &History,
        promoted: &PromotedVersion,
    ) -> Result<FollowedVersions> {
        let (promotion, destination) = (self.promotion, &self.promotion.destination);
        let withdrawing = Withdrawing { promotion, destination, policy: self.policy };
        let recorded = history.past(promoted).and_then(|past| past.approval());
        let record = withdrawing.run(package, promoted, recorded.as_ref()).await?;
        Ok(record.map(|record| self.done(promoted, record, true)).unwrap_or_default())
    }

    /// The source version of a promoted version. If it cannot be read, the list of the Rejected versions tells whether
    /// the promoted version is withdrawn; otherwise it is left alone with a warning.
    pub(in crate::run) fn source_of(
        &self,
        source: &PackageArn,
        promoted: &PromotedVersion,
        described: Result<Document, CallError>,
    ) -> Result<SourceState> {
        let listed = self.rejected.iter().find(|summary| summary.arn == *source);
        let remark = match described {
            Ok(description) if PackageStatus::of(&description) == PackageStatus::Completed => {
                return Package::from_description(source, description).map(SourceState::Described);
            }
            Ok(description) => {
                if let Some(rejected) = listed {
                    return listed_as(rejected).map(SourceState::Listed);
                }
                format!("its source {source} is {}; the version was not changed", PackageStatus::of(&description))
            }
            Err(error) if error.kind == Kind::NotFound => {
                format!("its source {source} no longer exists; the version was not changed")
            }
            Err(error) if error.kind == Kind::Denied => {
                if let Some(rejected) = listed {
                    return listed_as(rejected).map(SourceState::Listed);
                }
                format!("its source cannot be read; the version was not changed: {error}")
            }
            Err(error) => return Err(error).with_context(|| format!("following {}", promoted.arn)),
        };
        let mut unclear = FollowedVersions::default();
        if promoted.approval() == ApprovalStatus::Approved {
            unclear.warnings.push(Warning { field: promoted.arn.to_string(), remark });
        }
        Ok(SourceState::Unclear(unclear))
    }

    /// What was done with a version that is in sync now.
    pub(in crate::run) fn done(&self, promoted: &PromotedVersion, record: Record, recorded: bool) -> FollowedVersions {
        let unconfirmed = record.unconfirmed().map(|unconfirmed| unconfirmed.about(&promoted.arn));
        let planned = record.planned.unwrap_or_default();
        let mut done = FollowedVersions { withdrawn: record.withdrawn, planned, ..FollowedVersions::default() };
        done.unconfirmed.extend(unconfirmed);
        let Some(source) = record.source.package.map(|package| package.model_package_arn) else { return done };
        if !done.withdrawn.is_empty() {
            return done;
        }
        let result = match record.outcome {
            Conclusion::Promoted => FollowResult::Approved,
            Conclusion::ApprovedAgain => FollowResult::ApprovedAgain,
            Conclusion::WaitsAgain => FollowResult::WaitsAgain,
            Conclusion::Updated => FollowResult::Updated,
            Conclusion::Planned => FollowResult::Planned,
            _ if recorded => FollowResult::Recorded,
            _ => FollowResult::Unchanged,
        };
        let is_open = |result| matches!(result, ChangeResult::Drift | ChangeResult::Conflict);
        if result != FollowResult::Unchanged || record.changes.iter().any(|change| is_open(change.result)) {
            let status = record.target.and_then(|target| target.approval_status);
            let entry = entry(promoted, &source, result);
            let approval_status = status.unwrap_or_else(|| entry.approval_status.clone());
            let entry = Followed { approval_status, changes: record.changes, ..entry };
            self.promotion.context.notice(Event::Followed(&entry));
            done.followed.push(entry);
        }
        done
    }
}

/// What is known of the source of a promoted version.
pub(in crate::run) enum SourceState {
    Described(Package),
    /// It cannot be read, and is Rejected.
    Listed(Package),
    /// It cannot be read, which may be a warning.
    Unclear(FollowedVersions),
}

impl SourceState {
    /// The same, unless another version has the ARN of the source now.
    fn of_promotion(self, history: &History, promoted: &PromotedVersion) -> Self {
        let another = match &self {
            Self::Described(package) | Self::Listed(package) => history.another_source(promoted, package),
            Self::Unclear(_) => None,
        };
        let Some(another) = another else { return self };
        let mut unclear = FollowedVersions::default();
        if promoted.approval() == ApprovalStatus::Approved {
            unclear.warnings.push(Warning { field: promoted.arn.to_string(), remark: another.remark() });
        }
        Self::Unclear(unclear)
    }
}

/// A version as far as a list shows it.
fn listed_as(summary: &Summary) -> Result<Package> {
    let mut description = Document::new();
    description.insert("ModelPackageArn".into(), summary.arn.as_str().into());
    description.insert("ModelPackageGroupName".into(), summary.arn.group().as_str().into());
    description.insert("ModelPackageStatus".into(), PackageStatus::Completed.as_str().into());
    description.insert("CreationTime".into(), summary.created.as_secs_f64().into());
    summary.approval.state_in(&mut description);
    Package::from_description(&summary.arn, description)
}

/// Why a version could not be followed.
pub(super) fn not_followed(promoted: &PromotedVersion, source: &PackageArn, error: Error) -> FollowedVersions {
    let text = format!("{error:#}");
    let result = if Held::of(&error).is_some() { FollowResult::Held } else { FollowResult::Failed };
    let entry = Followed { error: Some(text), ..entry(promoted, source, result) };
    FollowedVersions { followed: vec![entry], ..FollowedVersions::failed(error) }
}

fn entry(promoted: &PromotedVersion, source: &PackageArn, result: FollowResult) -> Followed {
    Followed {
        model_package_arn: promoted.arn.clone(),
        version: promoted.arn.version(),
        source_model_package_arn: source.clone(),
        result,
        approval_status: promoted.approval(),
        changes: Vec::new(),
        error: None,
    }
}

//! Withdraws promoted versions whose source version is Rejected. Versions that were not promoted from the source group
//! are never changed.

use std::collections::HashSet;

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use crate::aws::error::Kind;
use crate::aws::registry::{SourceRegistry, Summary, TargetRegistry};
use crate::model::approval::ApprovalStatus;
use crate::model::arn::{GroupArn, GroupName, PackageArn};
use crate::model::failure::Failure;
use crate::model::field::Document;
use crate::model::promoted::{PromotedVersion, WITHDRAWN};
use crate::plan::Warning;
use crate::register::decision::{decision, remark};
use crate::register::existing::{DESCRIPTIONS_AT_ONCE, describe_all};

/// The newest Approved versions of the target, which are always described, to report those whose source was deleted.
/// Other versions are described only if they are newer than a rejected source version.
const NEWEST: usize = 16;

/// A promoted version that is Approved although its source version is Rejected.
#[derive(Debug, Clone)]
pub struct Withdrawal {
    /// The promoted version.
    pub promoted: PromotedVersion,
    /// The version that it was promoted from.
    pub source: PackageArn,
    /// The source version's description.
    pub rejected: Document,
}

/// The versions to withdraw.
#[derive(Debug, Clone, Default)]
pub struct Due {
    /// Each withdrawal, lowest promoted version first.
    pub withdrawals: Vec<Withdrawal>,
    /// Promoted versions whose source cannot be read. They are not changed.
    pub unclear: Vec<Warning>,
}

impl Due {
    /// Finds the Approved versions of the group `to` whose source version in `from` is Rejected. `approved` and
    /// `rejected` are the versions that the source's registry has listed.
    ///
    /// # Errors
    /// A registry cannot be read.
    pub async fn find(
        (source, target): (&SourceRegistry, &TargetRegistry),
        from: &GroupArn,
        to: &GroupName,
        (approved, rejected): (&[Summary], &[Summary]),
    ) -> Result<Self> {
        let since = rejected.iter().map(|summary| summary.created).min();
        let offered = target.list(to, Some(ApprovalStatus::Approved)).await?;
        // A promoted version is always newer than its source.
        let is_candidate = |(index, summary): &(usize, &Summary)| {
            *index < NEWEST || since.is_some_and(|since| summary.created >= since)
        };
        let candidates = offered.iter().enumerate().filter(is_candidate).map(|(_, summary)| summary.arn.clone());
        let described = describe_all(target, &candidates.collect::<Vec<_>>()).await?;
        let still: HashSet<&PackageArn> =
            approved.iter().filter(|one| one.approval == ApprovalStatus::Approved).map(|one| &one.arn).collect();
        let promoted = described
            .into_iter()
            .filter(|promoted| promoted.approval() == ApprovalStatus::Approved)
            .filter_map(|promoted| {
                let source = promoted.source().filter(|source| source.is_of(from) && !still.contains(source))?;
                Some((promoted, source))
            });
        let checks = promoted.map(|(promoted, named)| check_source(source, promoted, named));
        let mut states: Vec<SourceState> =
            stream::iter(checks).buffer_unordered(DESCRIPTIONS_AT_ONCE).try_collect().await?;
        states.sort_by_key(SourceState::version);
        let mut due = Self::default();
        for state in states {
            match state {
                SourceState::Rejected(withdrawal) => due.withdrawals.push(*withdrawal),
                SourceState::Unclear(_, warning) => due.unclear.push(warning),
                SourceState::NotRejected(_) => {}
            }
        }
        Ok(due)
    }
}

/// The state of a promoted version's source.
enum SourceState {
    Rejected(Box<Withdrawal>),
    Unclear(u32, Warning),
    NotRejected(u32),
}

impl SourceState {
    fn version(&self) -> u32 {
        match self {
            Self::Rejected(withdrawal) => withdrawal.promoted.arn.version(),
            Self::Unclear(version, _) | Self::NotRejected(version) => *version,
        }
    }
}

/// Describes the source: a version that cannot be read does not count as rejected.
async fn check_source(registry: &SourceRegistry, promoted: PromotedVersion, source: PackageArn) -> Result<SourceState> {
    let version = promoted.arn.version();
    let remark = match registry.describe(&source).await {
        Ok(rejected) if ApprovalStatus::of(&rejected) == ApprovalStatus::Rejected => {
            return Ok(SourceState::Rejected(Box::new(Withdrawal { promoted, source, rejected })));
        }
        Ok(_) => return Ok(SourceState::NotRejected(version)),
        Err(error) if error.kind == Kind::NotFound => {
            format!("its source {source} no longer exists; the version was not changed")
        }
        Err(error) if error.kind == Kind::Denied => {
            format!("its source cannot be read; the version was not changed: {error}")
        }
        Err(error) => return Err(error.into()),
    };
    Ok(SourceState::Unclear(version, Warning { field: promoted.arn.to_string(), remark }))
}

impl Withdrawal {
    /// The reason of the source's rejection, if it states one.
    pub fn reason(&self) -> Option<&str> {
        text(&self.rejected, "ApprovalDescription").filter(|reason| !reason.is_empty())
    }

    /// The approval description of the withdrawn version.
    pub fn remark(&self) -> String {
        let reason = self.reason().map(|reason| format!(": {reason}")).unwrap_or_default();
        remark(WITHDRAWN, &format!("{} is Rejected{reason}", self.source))
    }

    /// Rejects the promoted version, and describes it again to confirm that.
    ///
    /// # Errors
    /// The version could not be rejected, or is not Rejected afterwards.
    pub async fn carry_out(&self, registry: &TargetRegistry) -> Result<()> {
        let arn = &self.promoted.arn;
        let context = || format!("withdrawing {arn}, whose source {} is Rejected", self.source);
        let update = decision(&ApprovalStatus::Rejected, Some(&self.remark()));
        registry.update(arn, &update).await.with_context(context)?;
        let after = registry.describe(arn).await.with_context(context)?;
        let status = ApprovalStatus::of(&after);
        ensure!(
            status == ApprovalStatus::Rejected,
            Failure::new(format!("{arn} is {status} after it was withdrawn: somebody else changed it"))
                .hint("Run again")
        );
        Ok(())
    }
}

fn text<'a>(description: &'a Document, member: &str) -> Option<&'a str> {
    description.get(member).and_then(Value::as_str)
}

//! Withdraws promoted versions whose source version is Rejected. Only versions that name a version of the source group
//! are looked at, so that nobody else's version is touched.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use crate::aws::error::Kind;
use crate::aws::registry::{SourceRegistry, Summary, TargetRegistry};
use crate::model::approval::ApprovalStatus;
use crate::model::arn::{GroupArn, GroupName, PackageArn};
use crate::model::field::Document;
use crate::model::promoted::{PromotedVersion, WITHDRAWN};
use crate::plan::Warning;
use crate::register::decision::{decision, remark};
use crate::register::existing::describe_all;

/// Approved versions of the target that are described although they are older than every rejected version of the
/// source: their sources may be deleted.
const NEWEST: usize = 16;

/// Versions of the source described at once.
const DESCRIPTIONS_AT_ONCE: usize = 16;

/// A promoted version that is Approved although its source version is Rejected.
#[derive(Debug, Clone)]
pub struct Withdrawal {
    /// The promoted version.
    pub promoted: PromotedVersion,
    /// The version that it was promoted from.
    pub source: PackageArn,
    /// That version's description.
    pub rejected: Document,
}

/// What is to be withdrawn.
#[derive(Debug, Clone, Default)]
pub struct Due {
    /// Each withdrawal, lowest promoted version first.
    pub withdrawals: Vec<Withdrawal>,
    /// Promoted versions whose source cannot be read: they stay as they are.
    pub unclear: Vec<Warning>,
}

impl Due {
    /// Finds the Approved versions of the group `to` that were promoted from versions of `from` which are Rejected now.
    /// `approved` and `rejected` are what the source's registry has listed.
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
        // A promoted version is always younger than its source.
        let is_candidate = |(index, summary): &(usize, &Summary)| {
            *index < NEWEST || since.is_some_and(|since| summary.created >= since)
        };
        let candidates = offered.iter().enumerate().filter(is_candidate).map(|(_, summary)| summary.arn.clone());
        let described = describe_all(target, &candidates.collect::<Vec<_>>()).await?;
        let still: BTreeSet<&str> = approved
            .iter()
            .filter(|one| one.approval == ApprovalStatus::Approved)
            .map(|one| one.arn.as_str())
            .collect();
        let promoted = described
            .into_iter()
            .filter(|promoted| promoted.approval() == ApprovalStatus::Approved)
            .filter_map(|promoted| {
                let source =
                    promoted.source().filter(|source| source.is_of(from) && !still.contains(source.as_str()))?;
                Some((promoted, source))
            });
        let looks = promoted.map(|(promoted, named)| look(source, promoted, named));
        let mut looks: Vec<Look> = stream::iter(looks).buffer_unordered(DESCRIPTIONS_AT_ONCE).try_collect().await?;
        looks.sort_by_key(Look::version);
        let mut due = Self::default();
        for look in looks {
            match look {
                Look::Rejected(withdrawal) => due.withdrawals.push(*withdrawal),
                Look::Unclear(_, warning) => due.unclear.push(warning),
                Look::Stands(_) => {}
            }
        }
        Ok(due)
    }
}

/// What became of the source of a promoted version.
enum Look {
    Rejected(Box<Withdrawal>),
    Unclear(u32, Warning),
    Stands(u32),
}

impl Look {
    fn version(&self) -> u32 {
        match self {
            Self::Rejected(withdrawal) => withdrawal.promoted.arn.version(),
            Self::Unclear(version, _) | Self::Stands(version) => *version,
        }
    }
}

/// Only a version that says itself that it is Rejected is rejected.
async fn look(registry: &SourceRegistry, promoted: PromotedVersion, source: PackageArn) -> Result<Look> {
    let version = promoted.arn.version();
    let remark = match registry.describe(&source).await {
        Ok(rejected) if ApprovalStatus::of(&rejected) == ApprovalStatus::Rejected => {
            return Ok(Look::Rejected(Box::new(Withdrawal { promoted, source, rejected })));
        }
        Ok(_) => return Ok(Look::Stands(version)),
        Err(error) if error.kind == Kind::NotFound => format!("its source {source} is gone; it stays as it is"),
        Err(error) if error.kind == Kind::Denied => format!("its source cannot be read; it stays as it is: {error}"),
        Err(error) => return Err(error.into()),
    };
    Ok(Look::Unclear(version, Warning { field: promoted.arn.to_string(), remark }))
}

impl Withdrawal {
    /// Why the source was rejected, if it says so.
    pub fn reason(&self) -> Option<&str> {
        text(&self.rejected, "ApprovalDescription").filter(|reason| !reason.is_empty())
    }

    /// The approval description of the promoted version from now on.
    pub fn remark(&self) -> String {
        let reason = self.reason().map(|reason| format!(": {reason}")).unwrap_or_default();
        remark(WITHDRAWN, &format!("{} is Rejected{reason}", self.source))
    }

    /// Rejects the promoted version, and reads it back.
    ///
    /// # Errors
    /// It could not be rejected, or is not Rejected afterwards.
    pub async fn carry_out(&self, registry: &TargetRegistry) -> Result<()> {
        let arn = &self.promoted.arn;
        let context = || format!("withdrawing {arn}, whose source {} is Rejected", self.source);
        let update = decision(&ApprovalStatus::Rejected, Some(&self.remark()));
        registry.update(arn, &update).await.with_context(context)?;
        let after = registry.describe(arn).await.with_context(context)?;
        let status = ApprovalStatus::of(&after);
        ensure!(
            status == ApprovalStatus::Rejected,
            "{arn} is {status} after it was withdrawn; somebody else changed it. Run again"
        );
        Ok(())
    }
}

fn text<'a>(description: &'a Document, member: &str) -> Option<&'a str> {
    description.get(member).and_then(Value::as_str)
}

//! Withdraws copies: what the source has rejected comes in; what the target must no longer offer comes out, and is
//! rejected there. Only what carries provenance of the source group is looked at, so nobody else's version is touched.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde_json::Value;

use crate::aws::error::Kind;
use crate::aws::registry::{SourceRegistry, Summary, TargetRegistry};
use crate::model::arn::{GroupArn, GroupName, PackageArn};
use crate::model::field::Document;
use crate::plan::Warning;
use crate::register::earlier::{Own, describe_all};
use crate::register::{decision, remark};

/// What begins the approval description of a copy that was withdrawn: a later run knows it by that, and re-approves it
/// when its source is approved again.
pub const WITHDRAWN: &str = "promote: withdrawn: ";

/// Approved versions of the target that are looked at although they are older than every rejected version of the
/// source: their sources may be gone.
const NEWEST: usize = 16;

/// Versions of the source described at once.
const DESCRIPTIONS_AT_ONCE: usize = 16;

/// A copy that is Approved although its source is Rejected.
#[derive(Debug, Clone)]
pub struct Withdrawal {
    /// The copy.
    pub own: Own,
    /// The version that it was promoted from.
    pub source: PackageArn,
    /// That version's description.
    pub rejected: Document,
}

/// What a look at both registries has found.
#[derive(Debug, Clone, Default)]
pub struct Due {
    /// What is to be withdrawn, lowest version first.
    pub withdrawals: Vec<Withdrawal>,
    /// Copies whose source can no longer be asked: they stay as they are.
    pub unclear: Vec<Warning>,
}

impl Due {
    /// Finds the copies of versions of `from` that the group `to` still offers. `approved` and `rejected` are what the
    /// source's registry has listed.
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
        let offered = target.list(to, Some("Approved")).await?;
        // A copy is always younger than its source.
        let is_candidate =
            |(index, copy): &(usize, &Summary)| *index < NEWEST || since.is_some_and(|since| copy.created >= since);
        let candidates = offered.iter().enumerate().filter(is_candidate).map(|(_, copy)| copy.arn.clone());
        let described = describe_all(target, &candidates.collect::<Vec<_>>()).await?;
        let still: BTreeSet<&str> =
            approved.iter().filter(|one| one.approval == "Approved").map(|one| one.arn.as_str()).collect();
        let copies = described.into_iter().filter(|own| own.approval() == "Approved").filter_map(|own| {
            let source = own.source().filter(|source| source.is_of(from) && !still.contains(source.as_str()))?;
            Some((own, source))
        });
        let looks = copies.map(|(own, named)| look(source, own, named));
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

/// What became of the source of a copy.
enum Look {
    Rejected(Box<Withdrawal>),
    Unclear(u32, Warning),
    Stands(u32),
}

impl Look {
    fn version(&self) -> u32 {
        match self {
            Self::Rejected(withdrawal) => withdrawal.own.arn.version(),
            Self::Unclear(version, _) | Self::Stands(version) => *version,
        }
    }
}

/// Only a version that says itself that it is Rejected is rejected.
async fn look(registry: &SourceRegistry, own: Own, source: PackageArn) -> Result<Look> {
    let version = own.arn.version();
    let remark = match registry.describe(&source).await {
        Ok(rejected) if text(&rejected, "ModelApprovalStatus") == Some("Rejected") => {
            return Ok(Look::Rejected(Box::new(Withdrawal { own, source, rejected })));
        }
        Ok(_) => return Ok(Look::Stands(version)),
        Err(error) if error.kind == Kind::NotFound => format!("its source {source} is gone; it stays as it is"),
        Err(error) if error.kind == Kind::Denied => format!("its source cannot be read; it stays as it is: {error}"),
        Err(error) => return Err(error.into()),
    };
    Ok(Look::Unclear(version, Warning { field: own.arn.to_string(), remark }))
}

impl Withdrawal {
    /// Why the source was rejected, if it says so.
    pub fn reason(&self) -> Option<&str> {
        text(&self.rejected, "ApprovalDescription").filter(|reason| !reason.is_empty())
    }

    /// The approval description of the copy from now on.
    pub fn remark(&self) -> String {
        let reason = self.reason().map(|reason| format!(": {reason}")).unwrap_or_default();
        remark(WITHDRAWN, &format!("{} is Rejected{reason}", self.source))
    }

    /// Rejects the copy, and reads it back.
    ///
    /// # Errors
    /// It could not be rejected, or is not Rejected afterwards.
    pub async fn carry_out(&self, registry: &TargetRegistry) -> Result<()> {
        let arn = &self.own.arn;
        let context = || format!("withdrawing {arn}, whose source {} is Rejected", self.source);
        let update = decision("Rejected", Some(&self.remark()));
        registry.update(arn, &update).await.with_context(context)?;
        let after = registry.describe(arn).await.with_context(context)?;
        let status = text(&after, "ModelApprovalStatus").unwrap_or_default();
        ensure!(status == "Rejected", "{arn} is {status} after it was withdrawn; somebody else changed it. Run again");
        Ok(())
    }
}

fn text<'a>(description: &'a Document, member: &str) -> Option<&'a str> {
    description.get(member).and_then(Value::as_str)
}

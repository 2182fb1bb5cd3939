//! The document of `promote doctor`.

use serde::Serialize;

use super::check::{Check, Finding, distinct};
use super::grantee::KnownPrincipal;
use super::mend::Mend;
use super::optional::worst;
use super::owners::bucket_owners;
use super::policies::{Accounts, mends};
use super::present;
use super::source::SourceSide;
use super::target::TargetSide;
use crate::aws::error::Side;
use crate::model::arn::{AccountId, GroupArn, PackageArn};
use crate::record::{SCHEMA, Tool};
use crate::run::context::Context;
use crate::run::settings::DoctorSettings;

/// The document of `promote doctor`.
#[derive(Debug, Serialize)]
pub struct DoctorReport {
    /// The version of this document.
    pub schema: u32,
    /// The worst result of the checks that are not optional.
    pub result: Finding,
    /// The source version whose artifacts were asked for, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub source_model_package_arn: Option<PackageArn>,
    /// The target group, if the target's account is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub target_group: Option<GroupArn>,
    /// The principals of the two sessions, where they are known.
    pub principals: Vec<String>,
    /// Everything that a promotion needs.
    pub checks: Vec<Check>,
    /// The policies that allow what is denied. Nothing in a document of several groups, which has those of all groups.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub policies: Option<Vec<Mend>>,
    /// The program that wrote this.
    pub tool: Tool,
}

impl DoctorReport {
    /// The checks of what is not there, or could not be tested. That a group has no version is none of them.
    pub fn problems(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| check.result != Finding::Ok && !check.lacks_version)
    }

    /// Whether everything else is there, and only a version of the group is missing. `promote full` succeeds then.
    pub fn lacks_only_a_version(&self) -> bool {
        let mut untested = self.checks.iter().filter(|check| check.result != Finding::Ok && !check.optional).peekable();
        untested.peek().is_some() && untested.all(|check| check.lacks_version)
    }
}

/// The report of all checks. `owner`: the account of the source group, if it is known.
pub(super) async fn concluded(
    context: &Context,
    settings: &DoctorSettings,
    (source, target): (&SourceSide<'_>, &TargetSide<'_>),
    owner: Option<&AccountId>,
    checks: Vec<Check>,
) -> DoctorReport {
    let mut checks = distinct(checks);
    checks.sort_by_key(|check| check.side == Side::Target);
    let known: Vec<KnownPrincipal<'_>> = [
        (Side::Source, source.identity.as_ref(), context.source_access()),
        (Side::Target, target.identity.as_ref(), context.target_access()),
    ]
    .into_iter()
    .filter_map(|(side, identity, access)| {
        Some(KnownPrincipal { side, identity: identity?, role: access.role.as_ref().map(|role| &role.arn) })
    })
    .collect();
    let mut principals: Vec<String> = known.iter().map(|known| known.identity.arn.clone()).collect();
    principals.dedup();
    let access = context.target_access();
    let buckets = bucket_owners(&checks, owner, source, (target, &settings.promotion.destination.bucket, access)).await;
    let policies = mends(&checks, &Accounts { known: &known, buckets: &buckets, source: owner });
    let policies = present::merged(policies, source, target).await;
    DoctorReport {
        schema: SCHEMA,
        result: worst(&checks),
        source_model_package_arn: None,
        target_group: None,
        principals,
        checks,
        policies: Some(policies),
        tool: Tool::default(),
    }
}

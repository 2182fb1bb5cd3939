//! The source side: the group, its versions, and the artifacts of the version that would be promoted.

use super::artifacts::{Readers, ask_artifacts};
use super::check::{Asked, Check, Finding};
use super::optional::without;
use crate::aws::accounts::SourceAccount;
use crate::aws::error::{CallError, Kind, Side, with_hints};
use crate::aws::objects::SourceObjects;
use crate::aws::registry::Summary;
use crate::aws::session::Identity;
use crate::model::approval::ApprovalStatus;
use crate::model::arn::{GroupArn, GroupName, PackageArn};
use crate::model::layout::Layout;
use crate::model::package::Package;
use crate::plan::draft::Draft;
use crate::plan::find::is_failed;
use crate::plan::{Checked, checked_references};
use crate::run::context::Context;
use crate::run::settings::FullSettings;
use crate::schema::references::Reference;

/// The seconds by which this machine's clock may differ: AWS refuses requests that are five minutes old (IAM User Guide,
/// "Elements of an AWS API request signature").
const CLOCK_TOLERANCE: i64 = 300;

/// What is not known if the target group cannot be described.
pub(super) const GROUP_UNKNOWN: &str = "whether the target group exists is not known";

/// Whether the target group exists.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum GroupState {
    Exists,
    Missing,
    Unknown,
}

/// The session of the source account, or why there is none.
pub(super) struct SourceSide<'a> {
    pub account: Option<&'a SourceAccount>,
    pub identity: Option<Identity>,
    pub failed: Vec<Check>,
}

impl<'a> SourceSide<'a> {
    /// Opens the session and asks for its principal.
    pub async fn open(context: &'a Context) -> Self {
        let opened = async {
            let account = context.source().await.map_err(|error| vec![no_session(Side::Source, &error)])?;
            let identity = account.identity().await.map_err(|error| no_principal(Side::Source, error))?;
            Ok((account, identity))
        };
        match opened.await {
            Ok((account, identity)) => {
                let failed = account.clock_ahead().map(clock).into_iter().collect();
                Self { account: Some(account), identity: Some(identity), failed }
            }
            Err(failed) => Self { account: None, identity: None, failed },
        }
    }

    /// Asks for all of the side. Also returns the version whose artifacts were asked for, and its description. `as_target`
    /// reads the artifacts too.
    pub async fn ask(
        &self,
        settings: &FullSettings,
        group: Option<&GroupArn>,
        target_group: &GroupName,
        as_target: Option<&SourceObjects>,
    ) -> (Option<PackageArn>, Option<Package>, Vec<Check>) {
        let mut checks = self.failed.clone();
        let (Some(account), Some(group)) = (self.account, group) else { return (None, None, checks) };
        if let Err(error) = account.check(group.account()).await {
            let asked = asked("credentials", group.account().as_str(), "");
            checks.push(asked.with(Finding::Missing, Some(error.to_string())));
        }
        let registry = account.registry();
        let (approved, described) =
            tokio::join!(registry.list(group, Some(ApprovalStatus::Approved)), registry.find_group(group));
        checks.extend(exists(group, described));
        let listed = match approved {
            // A version that is not approved has artifacts to ask for too.
            Ok(approved) if approved.is_empty() => registry.list(group, None).await,
            approved => approved,
        };
        let version = version(settings, group, listed.as_deref().unwrap_or_default());
        let (packages, has_none) = (format!("{}/*", versions(group)), listed.as_ref().is_ok_and(Vec::is_empty));
        checks.extend(asked("sagemaker:ListModelPackages", group.as_str(), group.as_str()).check(listed, &[]));
        let describes = asked("sagemaker:DescribeModelPackage", &packages, &packages);
        let objects = asked("s3:GetObject", "the artifacts", "");
        let Some(version) = version else {
            let unknown = |asked: Asked<'_>| match has_none {
                true => Check { lacks_version: true, ..asked.not_testable("the group has no version") },
                false => asked.hidden("no version of the group is known", "sagemaker:ListModelPackages"),
            };
            checks.extend([unknown(describes), unknown(objects)]);
            return (None, None, checks);
        };
        let description = registry.describe(&version).await;
        let document = description.as_ref().ok().cloned();
        checks.extend(Asked { resource: version.as_str(), ..describes }.check(description, &[]));
        let Some(document) = document else {
            checks.push(objects.hidden("the artifacts are not known", "sagemaker:DescribeModelPackage"));
            return (Some(version), None, checks);
        };
        let package = match Package::from_description(&version, document) {
            Ok(package) => {
                let readers = Readers { source: account.objects(), target: as_target };
                let (check, references) = can_be_promoted(settings, &package, target_group);
                checks.push(check);
                checks.extend(ask_artifacts(&readers, references, &settings.overrides, group.partition()).await);
                Some(package)
            }
            Err(error) => {
                checks.push(asked("package", version.as_str(), "").with(Finding::Missing, Some(with_hints(&error))));
                None
            }
        };
        (Some(version), package, checks)
    }

    /// Asks for the group's tags, which a target group that is created gets. Also returns them, if they are known.
    pub async fn ask_tags(
        &self,
        group: Option<&GroupArn>,
        state: GroupState,
    ) -> (Option<Vec<(String, String)>>, Vec<Check>) {
        let (Some(account), Some(group)) = (self.account, group) else { return (None, Vec::new()) };
        let asked = asked("sagemaker:ListTags", group.as_str(), group.as_str());
        match state {
            GroupState::Exists => return (None, Vec::new()),
            GroupState::Unknown => {
                let hidden = asked.hidden(GROUP_UNKNOWN, "sagemaker:DescribeModelPackageGroup");
                return (None, without(vec![hidden], asked.action, ""));
            }
            GroupState::Missing => {}
        }
        let tags = account.registry().group_tags(group).await;
        let known = tags.as_ref().ok().cloned();
        (
            known,
            without(
                asked.check(tags, &[Kind::NotFound]),
                asked.action,
                "a target group that promote creates lacks the tags of the source group",
            ),
        )
    }
}

/// The version to ask about: the one that is selected, or the newest that is listed. One that has failed is passed over.
fn version(settings: &FullSettings, group: &GroupArn, listed: &[Summary]) -> Option<PackageArn> {
    let newest = listed.iter().max_by_key(|summary| (!is_failed(summary), summary.version));
    match settings.selection.version {
        Some(number) => format!("{}/{number}", versions(group)).parse().ok(),
        None => newest.map(|summary| summary.arn.clone()),
    }
}

fn exists(group: &GroupArn, described: Result<Option<crate::model::field::Document>, CallError>) -> Vec<Check> {
    let asked = asked("sagemaker:DescribeModelPackageGroup", group.as_str(), group.as_str());
    match described {
        Ok(None) => vec![asked.with(Finding::Missing, Some("there is no such group".to_owned()))],
        described => {
            without(asked.check(described, &[]), asked.action, "a target group that promote creates has no description")
        }
    }
}

/// Whether the dry run would refuse the package before any object is looked up. Also returns what a promotion reads.
fn can_be_promoted(settings: &FullSettings, package: &Package, target_group: &GroupName) -> (Check, Vec<Reference>) {
    let asked = asked("package", package.arn().as_str(), "");
    let destination = &settings.destination;
    let layout = Layout::new(&destination.bucket, &destination.prefix, target_group, package.arn());
    let draft = Draft::of(package, target_group, &settings.overrides);
    let Checked { references, refused } = checked_references(package, &draft, &layout);
    let check = match refused {
        Ok(()) => asked.with(Finding::Ok, None),
        Err(error) => asked.with(Finding::Missing, Some(with_hints(&error))),
    };
    (check, references)
}

fn clock(ahead: i64) -> Check {
    let asked = asked("clock", "this machine", "");
    let direction = if ahead < 0 { "behind" } else { "ahead of" };
    match ahead.abs() >= CLOCK_TOLERANCE {
        true => asked.with(Finding::Missing, Some(format!("the clock is {} s {direction} AWS's", ahead.abs()))),
        false => asked.with(Finding::Ok, None),
    }
}

/// The check of a session that cannot be opened.
pub(super) fn no_session(side: Side, error: &anyhow::Error) -> Check {
    let asked = Asked { side, action: "credentials", resource: "the session", grant_on: "" };
    asked.with(Finding::Missing, Some(with_hints(error)))
}

/// The checks of a session whose principal is not known: its role cannot be assumed, or it has no credentials.
pub(super) fn no_principal(side: Side, error: CallError) -> Vec<Check> {
    let resource = error.resource.to_string();
    let assumes = error.call == "sts:AssumeRole";
    let action = if assumes { "sts:AssumeRole" } else { "credentials" };
    let asked = Asked { side, action, resource: &resource, grant_on: &resource };
    let denied = error.kind == Kind::Denied || assumes && error.code.as_deref() == Some("AccessDenied");
    let mut checks = match denied {
        true => asked.check::<()>(Err(CallError { kind: Kind::Denied, ..error }), &[]),
        false => {
            // STS has answered, but could not decide.
            let is_busy = error.kind == Kind::Throttled || error.kind == Kind::Unavailable && error.code.is_some();
            let result = if is_busy { Finding::NotTestable } else { Finding::Missing };
            vec![asked.with(result, Some(error.message.trim_end_matches('.').to_owned()))]
        }
    };
    let rest = Asked { side, action: "all others", resource: "the account", grant_on: "" };
    checks.push(rest.not_testable("there is no session"));
    checks
}

pub(super) fn asked<'a>(action: &'a str, resource: &'a str, grant_on: &'a str) -> Asked<'a> {
    Asked { side: Side::Source, action, resource, grant_on }
}

/// The ARN of the versions of a group, without a number.
pub(super) fn versions(group: &GroupArn) -> String {
    group.as_str().replacen(":model-package-group/", ":model-package/", 1)
}

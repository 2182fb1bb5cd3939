//! The groups of a pattern that cannot be listed: asks for what is the same for every group.

use super::check::{Asked, Check};
use super::destination::{AskedDestination, SourceNames};
use super::report::{DoctorReport, concluded};
use super::source::{self, SourceSide};
use super::target::{self, TargetSide};
use crate::aws::error::CallError;
use crate::aws::registry::GroupsOf;
use crate::model::arn::{GroupPattern, GroupTemplate};
use crate::run::context::Context;
use crate::run::many::GroupSelection;
use crate::run::settings::DoctorSettings;

/// The permission to list groups, which IAM grants on `*` only.
const LISTS: &str = "sagemaker:ListModelPackageGroups";

/// Asks for everything that a promotion of any group needs. The groups of `settings` are not used. `error`: why the groups
/// of the selection are not known.
pub async fn doctor_without_groups(
    context: &Context,
    settings: &DoctorSettings,
    selection: &GroupSelection,
    error: &CallError,
) -> DoctorReport {
    let (source, target) = tokio::join!(SourceSide::open(context), TargetSide::open(context));
    let pattern = &selection.pattern;
    let known = source.identity.as_ref().map(|identity| (&identity.account, &identity.region));
    let names = SourceNames::of_pattern(pattern, known);
    let targets = selection.target_group.as_ref().map(|template| GroupTemplate::text_of(template, pattern.name()));
    let targets = targets.unwrap_or_else(|| pattern.name().to_owned());
    let (mut checks, of_target) =
        tokio::join!(source.ask_groups(pattern, error), target.ask_bucket(settings, &targets, names.as_ref()));
    checks.extend(of_target);
    concluded(context, settings, (&source, &target), None, checks).await
}

impl SourceSide<'_> {
    async fn ask_groups(&self, pattern: &GroupPattern, error: &CallError) -> Vec<Check> {
        let mut checks = self.failed.clone();
        let (Some(account), Some(_)) = (self.account, &self.identity) else { return checks };
        let pattern = pattern.to_string();
        let lists = source::asked(LISTS, &pattern, "*");
        let all = source::asked("all others", "the groups", "");
        match error.call {
            LISTS => {
                checks.extend(lists.check::<()>(Err(error.clone()), &[]));
                checks.push(all.hidden("the groups are not known", LISTS));
            }
            // Tags select the groups.
            call if call.starts_with("sagemaker:") => {
                let tags = Asked { action: call, resource: &error.resource, grant_on: &error.resource, ..lists };
                checks.extend(lists.check(Ok(()), &[]));
                checks.extend(tags.check::<()>(Err(error.clone()), &[]));
                checks.push(all.hidden("the groups are not known", call));
            }
            // The session of the target has failed, before any group was listed.
            _ => {
                checks.extend(lists.check(account.registry().groups(GroupsOf::OwnAccount).await, &[]));
                checks.push(all.hidden("the groups are not known", "a session of the target"));
            }
        }
        checks
    }
}

impl TargetSide<'_> {
    /// `groups`: the pattern of the target groups.
    async fn ask_bucket(&self, settings: &DoctorSettings, groups: &str, source: Option<&SourceNames>) -> Vec<Check> {
        let mut checks = self.failed.clone();
        let (Some(account), Some(identity)) = (self.account, &self.identity) else { return checks };
        checks.extend(target::ask_role(account, &identity.account).await);
        let destination = AskedDestination::of(settings, identity.partition(), groups, source);
        let (bucket, signing) = tokio::join!(
            target::ask_bucket((account, &self.uploads), &identity.account, settings, &destination),
            target::ask_signing(account, settings)
        );
        checks.extend(bucket);
        checks.extend(signing);
        checks.push(target::asked("all others", "the target groups", "").hidden("the groups are not known", LISTS));
        checks
    }
}

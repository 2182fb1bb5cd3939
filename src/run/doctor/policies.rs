//! The policies that mend what is denied: of the principals, and of the resources of another account than theirs.

use std::collections::{BTreeMap, BTreeSet};

use serde_json::Value;

use super::check::{Check, Finding, Grant};
use super::commands::{put_policy, read_command};
use super::grantee::{Grantee, KnownPrincipal};
use super::mend::{Form, Mend, Owner};
use super::statements::{Statements, merged};
use crate::aws::error::{Lacks, Side};
use crate::model::arn::AccountId;
use crate::model::package::sha256;

/// The accounts that own the buckets, where they are known.
pub(super) type BucketOwners = BTreeMap<(Side, String), AccountId>;

/// Whose resources are whose.
pub(super) struct Accounts<'a> {
    /// The principals of the sessions.
    pub known: &'a [KnownPrincipal<'a>],
    pub buckets: &'a BucketOwners,
    /// The account of the source group, which owns most source buckets.
    pub source: Option<&'a AccountId>,
}

/// What a policy has to allow.
#[derive(Default)]
struct Needed {
    /// The sessions that need it.
    sides: BTreeSet<Side>,
    /// The permissions of each principal.
    of: BTreeMap<Grantee, Statements>,
}

/// The policies for all that is denied. What has one policy, such as a bucket, gets one for all principals: two would
/// replace each other.
pub(super) fn mends(checks: &[Check], accounts: &Accounts<'_>) -> Vec<Mend> {
    // Buckets of two partitions may have one name.
    let mut needed: BTreeMap<(Owner, String), Needed> = BTreeMap::new();
    for grant in grants(checks) {
        let known = accounts.known.iter().find(|known| known.side == grant.principal);
        let arn = known.map(|known| &known.identity.arn).or(grant.caller.as_ref());
        let Some(grantee) = arn.map(|arn| Grantee::of(arn, known.and_then(|known| known.role))) else { continue };
        for owner in owners(grant, &grantee, accounts) {
            let partition = match &owner {
                Owner::Bucket(_) => grant.resource.split(':').nth(1).unwrap_or_default().to_owned(),
                Owner::Principal(_) | Owner::Group(_) | Owner::Key(_) | Owner::Trust(_) | Owner::Repository(_) => {
                    String::new()
                }
            };
            let needed = needed.entry((owner, partition)).or_default();
            needed.sides.insert(grant.principal);
            let statements = needed.of.entry(grantee.clone()).or_default();
            resources(grant).iter().for_each(|resource| statements.add(&grant.action, resource));
        }
    }
    needed.into_iter().map(|((of, _), needed)| mend(of, &needed, accounts.buckets)).collect()
}

/// The permissions to grant, without those that no policy can grant.
pub(super) fn grants(checks: &[Check]) -> impl Iterator<Item = &Grant> {
    let denied = checks.iter().filter(|check| check.result == Finding::Denied);
    denied.filter_map(|check| check.grant.as_ref()).filter(|grant| grant.lacks != Lacks::Nothing)
}

/// The resources to grant a permission on. SageMaker asks for ListModelPackages on the group or on its versions.
fn resources(grant: &Grant) -> Vec<String> {
    let mut resources = vec![grant.resource.clone()];
    if grant.action == "sagemaker:ListModelPackages" {
        resources.push(format!("{}/*", grant.resource.replacen(":model-package-group/", ":model-package/", 1)));
    }
    resources
}

/// What has to get a policy for a permission: the principal, and the resource if it may belong to another account.
fn owners(grant: &Grant, grantee: &Grantee, accounts: &Accounts<'_>) -> Vec<Owner> {
    let mut owners = Vec::new();
    // The root user of an account has no policies, and needs none in its account.
    if grant.lacks != Lacks::Resource && !grantee.is_root() {
        owners.push(Owner::Principal(grantee.arn.clone()));
    }
    let own = grantee.account();
    let is_theirs = match owner_of(&grant.resource) {
        Some(Owner::Bucket(name)) => match accounts.buckets.get(&(grant.principal, name)) {
            Some(owner) => Some(owner.as_str()) != own,
            // It is not known whose bucket it is. S3 names the policy that lacks a permission within an organization only.
            None => {
                let is_ours = accounts.source.is_some_and(|account| Some(account.as_str()) == own);
                grant.lacks != Lacks::Identity || !is_ours
            }
        },
        _ => grant.resource.split(':').nth(4) != own,
    };
    if is_theirs || grant.lacks == Lacks::Resource || grant.action == "sts:AssumeRole" {
        owners.extend(owner_of(&grant.resource));
    }
    owners
}

/// The bucket that a permission is about.
pub(super) fn bucket_of(grant: &Grant) -> Option<String> {
    match owner_of(&grant.resource)? {
        Owner::Bucket(name) => Some(name),
        Owner::Principal(_) | Owner::Group(_) | Owner::Key(_) | Owner::Trust(_) | Owner::Repository(_) => None,
    }
}

/// What has the policy of a resource.
fn owner_of(arn: &str) -> Option<Owner> {
    let rest = arn.splitn(6, ':').nth(5)?;
    match arn.split(':').nth(2)? {
        "s3" => Some(Owner::Bucket(rest.split('/').next()?.to_owned())),
        "kms" => Some(Owner::Key(arn.to_owned())),
        "iam" => Some(Owner::Trust(arn.to_owned())),
        "ecr" => Some(Owner::Repository(arn.to_owned())),
        "sagemaker" => {
            let group = rest.strip_prefix("model-package/").map(|rest| rest.split('/').next().unwrap_or(rest));
            let head = arn.strip_suffix(rest)?;
            let group = group.map_or(arn.to_owned(), |group| format!("{head}model-package-group/{group}"));
            Some(Owner::Group(group))
        }
        _ => None,
    }
}

/// The policy of `owner`, as if the present one could not be read.
fn mend(owner: Owner, needed: &Needed, buckets: &BucketOwners) -> Mend {
    let policies = needed.of.iter().map(|(who, statements)| match &owner {
        Owner::Principal(_) => statements.policy(None),
        Owner::Bucket(_) | Owner::Group(_) | Owner::Key(_) => statements.policy(Some(who)),
        Owner::Trust(_) | Owner::Repository(_) => statements.of_one_resource(who),
    });
    let policy = policies.reduce(|all, more| merged(&all, &more)).unwrap_or(Value::Null);
    let sides: Vec<Side> = needed.sides.iter().copied().collect();
    let side = sides.first().copied().unwrap_or(Side::Target);
    let account_of = |arn: &str| arn.split(':').nth(4).and_then(|account| account.parse().ok());
    let account = match &owner {
        Owner::Bucket(name) => sides.iter().find_map(|side| buckets.get(&(*side, name.clone())).cloned()),
        Owner::Principal(arn) | Owner::Group(arn) | Owner::Key(arn) | Owner::Trust(arn) | Owner::Repository(arn) => {
            account_of(arn)
        }
    };
    let (form, command, read_command) = match &owner {
        Owner::Principal(arn) => (Form::Separate, put_policy(arn, &sha256(&policy.to_string())), None),
        _ => (Form::Statements, None, read_command(&owner)),
    };
    Mend { side, account, policy, of: owner, form, merged: false, command, read_command, sides }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_policy_of_versions_is_their_groups() {
        let group = "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/churn";
        let versions = "arn:aws:sagemaker:eu-central-1:444333666777:model-package/churn/*";
        assert_eq!(owner_of(versions), Some(Owner::Group(group.to_owned())));
        assert_eq!(owner_of(group), Some(Owner::Group(group.to_owned())));
        assert_eq!(owner_of("arn:aws:s3:::models/*"), Some(Owner::Bucket("models".to_owned())));
    }
}

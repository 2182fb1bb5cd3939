//! The policies that mend what is denied: of the principals, and of the resources of another account than theirs.

use std::collections::BTreeMap;

use serde::Serialize;
use serde_json::{Value, json};

use super::check::{Check, Finding, Grant};
use super::statements::Statements;
use crate::aws::error::{Lacks, Side};
use crate::aws::session::Identity;
use crate::model::arn::AccountId;
use crate::model::image::Repository;
use crate::model::package::sha256;

/// A policy that allows what is denied.
#[derive(Debug, Clone, Serialize)]
pub struct Mend {
    /// The side whose account has the policy.
    pub side: Side,
    /// The account that has the policy, if it is known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// What has the policy: a principal, a bucket, a group, a key or a role's trust.
    pub of: Owner,
    /// The policy.
    pub policy: Value,
    /// Whether the policy contains the present one. Otherwise add its statements to the present policy, if there is one.
    pub merged: bool,
    /// The command that sets the policy, if it is in `policy.json`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
}

/// What has a policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// A principal, by its ARN: a policy of its own.
    Principal(String),
    /// A bucket, by its name.
    Bucket(String),
    /// A model package group, by its ARN.
    Group(String),
    /// A KMS key, by its ARN.
    Key(String),
    /// The trust policy of a role, by its ARN.
    Trust(String),
    /// A repository of images, by its ARN.
    Repository(String),
}

/// The policies for all that is denied. `source` owns the buckets that have no account in their ARN.
pub(super) fn mends(checks: &[Check], identities: &[(Side, &Identity)], source: Option<&AccountId>) -> Vec<Mend> {
    let mut needed: BTreeMap<(Owner, String), (Side, Statements)> = BTreeMap::new();
    let grants = checks.iter().filter(|check| check.result == Finding::Denied).filter_map(|check| check.grant.as_ref());
    for grant in grants.filter(|grant| grant.lacks != Lacks::Nothing) {
        let identity = identities.iter().find(|(side, _)| *side == grant.principal).map(|(_, identity)| &identity.arn);
        let Some(principal) = identity.or(grant.caller.as_ref()).map(|arn| principal_arn(arn)) else { continue };
        for owner in owners(grant, &principal, source) {
            let key = (owner, principal.clone());
            let (_, statements) = needed.entry(key).or_insert_with(|| (grant.principal, Statements::default()));
            resources(grant).iter().for_each(|resource| statements.add(&grant.action, resource));
        }
    }
    needed.into_iter().map(|((of, who), (side, statements))| mend(of, &who, side, &statements, source)).collect()
}

/// The resources to grant a permission on. SageMaker asks for ListModelPackages on the group or on its versions.
fn resources(grant: &Grant) -> Vec<String> {
    let mut resources = vec![grant.resource.clone()];
    if grant.action == "sagemaker:ListModelPackages" {
        resources.push(format!("{}/*", grant.resource.replacen(":model-package-group/", ":model-package/", 1)));
    }
    resources
}

/// What has to get a policy for a permission: the principal, and the resource if it belongs to another account.
fn owners(grant: &Grant, principal: &str, source: Option<&AccountId>) -> Vec<Owner> {
    let mut owners = Vec::new();
    if grant.lacks != Lacks::Resource {
        owners.push(Owner::Principal(principal.to_owned()));
    }
    let account_of = |arn: &str| arn.split(':').nth(4).filter(|account| !account.is_empty()).map(str::to_owned);
    let of_source = source.filter(|_| grant.principal == Side::Source).map(ToString::to_string);
    let account = account_of(&grant.resource).or(of_source);
    let is_theirs = account.is_some_and(|account| Some(account) != account_of(principal));
    if is_theirs || grant.lacks == Lacks::Resource || grant.action == "sts:AssumeRole" {
        owners.extend(owner_of(&grant.resource));
    }
    owners
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

fn mend(owner: Owner, who: &str, side: Side, statements: &Statements, source: Option<&AccountId>) -> Mend {
    let principal = json!({ "AWS": who });
    let policy = match &owner {
        Owner::Principal(_) => statements.policy(None),
        Owner::Bucket(_) | Owner::Group(_) | Owner::Key(_) => statements.policy(Some(&principal)),
        Owner::Trust(_) | Owner::Repository(_) => statements.of_one_resource(&principal),
    };
    let account_of = |arn: &str| arn.split(':').nth(4).and_then(|account| account.parse().ok());
    let (account, command) = match &owner {
        Owner::Principal(arn) => (account_of(arn), put_principal(arn, &policy)),
        Owner::Bucket(name) => (
            source.filter(|_| side == Side::Source).cloned(),
            Some(format!("aws s3api put-bucket-policy --bucket {name} --policy file://policy.json")),
        ),
        Owner::Group(arn) => (
            account_of(arn),
            Some(format!(
                "aws sagemaker put-model-package-group-policy --model-package-group-name {} --resource-policy \
                 file://policy.json",
                arn.rsplit('/').next().unwrap_or_default()
            )),
        ),
        Owner::Key(arn) => (
            account_of(arn),
            Some(format!("aws kms put-key-policy --key-id {arn} --policy-name default --policy file://policy.json")),
        ),
        Owner::Trust(arn) => (
            account_of(arn),
            Some(format!(
                "aws iam update-assume-role-policy --role-name {} --policy-document file://policy.json",
                arn.rsplit('/').next().unwrap_or_default()
            )),
        ),
        Owner::Repository(arn) => (account_of(arn), put_repository(arn)),
    };
    Mend { side, account, policy, of: owner, merged: false, command }
}

/// The command that adds an inline policy to a role or a user. Its name depends on the policy, so that it replaces no
/// other one. AWS changes the roles of IAM Identity Center through their permission sets only.
fn put_principal(arn: &str, policy: &Value) -> Option<String> {
    let (kind, name) = arn.splitn(6, ':').nth(5)?.split_once('/')?;
    let name = name.rsplit('/').next().filter(|name| !name.starts_with("AWSReservedSSO_"))?;
    let digest = sha256(&policy.to_string());
    let own = format!("promote-{}", digest.trim_start_matches("sha256:").get(..8)?);
    match kind {
        "role" | "user" => Some(format!(
            "aws iam put-{kind}-policy --{kind}-name {name} --policy-name {own} --policy-document file://policy.json"
        )),
        _ => None,
    }
}

fn put_repository(arn: &str) -> Option<String> {
    let Repository { registry, name } = Repository::of_arn(arn)?;
    let (account, region) = (registry.account(), registry.region());
    Some(format!(
        "aws ecr set-repository-policy --region {region} --registry-id {account} --repository-name {name} --policy-text \
         file://policy.json"
    ))
}

/// The principal that policies name: the role, for a session of a role. The path of a role is not in its session's ARN.
fn principal_arn(arn: &str) -> String {
    let mut fields: Vec<&str> = arn.splitn(6, ':').collect();
    let role =
        fields.get(5).and_then(|rest| rest.strip_prefix("assumed-role/")).and_then(|rest| rest.split('/').next());
    let Some(role) = role.map(|role| format!("role/{role}")) else { return arn.to_owned() };
    fields[2] = "iam";
    fields[5] = &role;
    fields.join(":")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_session_of_a_role_is_named_by_its_role() {
        for (arn, principal) in [
            ("arn:aws:sts::111222333444:assumed-role/build/promote-1", "arn:aws:iam::111222333444:role/build"),
            ("arn:aws-cn:sts::111222333444:assumed-role/build/a", "arn:aws-cn:iam::111222333444:role/build"),
            ("arn:aws:iam::111222333444:user/ops/ada", "arn:aws:iam::111222333444:user/ops/ada"),
            ("arn:aws:iam::111222333444:root", "arn:aws:iam::111222333444:root"),
        ] {
            assert_eq!(principal_arn(arn), principal);
        }
    }

    #[test]
    fn the_policy_of_versions_is_their_groups() {
        let group = "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/churn";
        let versions = "arn:aws:sagemaker:eu-central-1:444333666777:model-package/churn/*";
        assert_eq!(owner_of(versions), Some(Owner::Group(group.to_owned())));
        assert_eq!(owner_of(group), Some(Owner::Group(group.to_owned())));
        assert_eq!(owner_of("arn:aws:s3:::models/*"), Some(Owner::Bucket("models".to_owned())));
    }
}

//! A policy that allows what is denied, and what has it.

use serde::Serialize;
use serde_json::Value;

use crate::aws::error::Side;
use crate::model::arn::AccountId;

/// A policy that allows what is denied.
#[derive(Debug, Clone, Serialize)]
pub struct Mend {
    /// The side whose principal needs the policy; the source, if both need it.
    pub side: Side,
    /// The account that has the policy. Without it, it is the account of the bucket, which is not known.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub account: Option<AccountId>,
    /// What has the policy: a principal, a bucket, a group, a key or a role's trust.
    pub of: Owner,
    /// The policy.
    pub policy: Value,
    /// How the policy is applied.
    pub form: Form,
    /// Whether the policy contains the present one.
    pub merged: bool,
    /// The command that sets the policy from the file `policy.json`. Statements have no command: it would replace the
    /// present policy, which could not be read.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub command: Option<String>,
    /// The command that shows the present policy, to which the statements are added.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub read_command: Option<String>,
    /// The sides whose principals need the policy.
    #[serde(skip)]
    pub(super) sides: Vec<Side>,
}

/// How a policy is applied.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Form {
    /// The complete policy, which replaces the present one: it contains it, or there is none.
    Complete,
    /// A policy of its own, beside the other policies of the principal.
    Separate,
    /// Statements to add to the present policy, which could not be read.
    Statements,
}

/// What has a policy.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum Owner {
    /// A principal, by its ARN: a policy of its own. STS does not tell the path of a role.
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

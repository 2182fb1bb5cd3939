//! The types of the grants: who reads, and the steps that let them.

use serde::Serialize;
use serde_json::Value;

use crate::model::arn::{AccountId, Region, RoleArn};
use crate::model::side::Side;
use crate::stack::inputs::Inputs;
use crate::stack::names::StackName;

/// The principal that reads a source group: the build's role of a stack.
#[derive(Debug, Clone)]
pub struct Reader<'a> {
    /// The account of the stack.
    pub account: &'a AccountId,
    /// The region of the stack.
    pub region: &'a Region,
    /// The name of the stack, if it is known.
    pub stack: Option<&'a StackName>,
    /// The build's role, if the stack exists (output BuildRoleArn).
    pub role: Option<&'a RoleArn>,
}

/// A source group, and who reads it. All pairs have the same settings, and the same account and region to read from.
pub type Pair<'a> = (&'a Inputs, Reader<'a>);

/// One policy, and how to apply it.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct GrantStep {
    /// The number of the step, from 1.
    pub order: usize,
    /// The side whose credentials are needed.
    pub side: Side,
    /// The account whose credentials are needed.
    pub account: AccountId,
    /// The resource.
    pub title: String,
    /// When the step is needed, if not always.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub note: Option<String>,
    /// The name of the policy's file.
    pub file: String,
    /// The policy, or the pattern of the rule.
    pub policy: Value,
    /// How to read the policy that is there. Without it, the file is this stack's own, and nothing else is replaced.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub current: Option<Current>,
    /// The commands that apply the file, or the merged policy.
    pub commands: Vec<String>,
    /// A variable with the resources that are not known here, separated by spaces.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub for_each: Option<&'static str>,
    /// A resource that may be shared through AWS RAM. RAM then manages its policy.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub may_be_shared: Option<String>,
}

/// How to read the policy that is there.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Current {
    /// The command that prints the policy.
    pub command: String,
    /// The error that means that there is none; empty if there always is one.
    pub absent: &'static str,
}

/// All steps in their order, and what to know about them.
#[derive(Debug, Clone, PartialEq, Serialize)]
pub struct Grants {
    /// What the policies let in, and what they do not cover.
    pub remarks: Vec<String>,
    /// The steps: first the event bus of the target, so that no event is lost, then the source.
    pub steps: Vec<GrantStep>,
}

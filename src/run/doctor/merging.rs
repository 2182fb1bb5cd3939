//! Merges the policies of several groups, so that each principal and each resource has one.

use serde_json::Value;

use super::commands::put_policy;
use super::mend::{Form, Mend, Owner};
use super::statements::{merged, with_resources_together};
use crate::model::package::sha256;

/// One policy for everything that has policies, in the order in which they come.
pub fn merged_policies(mends: Vec<Mend>) -> Vec<Mend> {
    let mut all: Vec<Mend> = Vec::new();
    for mend in mends {
        let same = |other: &&mut Mend| (&other.account, &other.of) == (&mend.account, &mend.of);
        match all.iter_mut().find(same) {
            Some(other) => *other = joined(other.clone(), mend),
            None => all.push(mend),
        }
    }
    all.into_iter().map(finished).collect()
}

/// One policy of both. If one of them is complete, because the present policy could be read then, both are together.
fn joined(first: Mend, second: Mend) -> Mend {
    let (base, more) = match second.form == Form::Complete && first.form != Form::Complete {
        true => (second, first),
        false => (first, second),
    };
    Mend { policy: merged(&base.policy, &more.policy), merged: base.merged || more.merged, ..base }
}

/// The policy with as few statements as there can be. The name of a policy of its own depends on its text.
fn finished(mend: Mend) -> Mend {
    let policy: Value = with_resources_together(&mend.policy);
    let command = match (&mend.of, mend.form) {
        (Owner::Principal(arn), Form::Separate) => put_policy(arn, &sha256(&policy.to_string())),
        _ => mend.command,
    };
    Mend { policy, command, ..mend }
}

//! Merges the policies of several groups, so that each principal and each resource has one.

use serde_json::Value;

use super::commands::put_policy;
use super::mend::{Form, Mend, Owner};
use super::statements::{merged, with_resources_together};
use crate::model::package::sha256;

/// One policy for everything that has policies, in the order in which they come.
pub fn merged_policies<'a>(mends: impl Iterator<Item = &'a Mend>) -> Vec<Mend> {
    let mut all: Vec<Mend> = Vec::new();
    for mend in mends {
        let same = |other: &&mut Mend| (&other.account, &other.of, other.form) == (&mend.account, &mend.of, mend.form);
        match all.iter_mut().find(same) {
            Some(other) => {
                other.policy = merged(&other.policy, &mend.policy);
                other.merged |= mend.merged;
            }
            None => all.push(mend.clone()),
        }
    }
    all.into_iter().map(finished).collect()
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

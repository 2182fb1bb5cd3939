//! What is refused: each refusal with its exit code and its whole message, and nothing written.

mod access;
mod documents;
mod group;
mod messages;
mod package;
mod plans;
mod rare;
mod registration;
mod target;
mod usage;

use crate::snapshot::{assert_snapshot, shown};
use crate::support::{Cloud, Principal};
use crate::world::*;

/// The group of the world, by ARN.
const GROUP_ARN: &str = "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/Churn-Model";
/// `full` for it.
const FULL: [&str; 5] = ["full", "--group", GROUP_ARN, "--target-bucket", SERVING];

/// This command ends with this code and says what the snapshot of this name says; it writes nothing.
fn refused(cloud: &Cloud, name: &str, code: i32, arguments: &[&str]) -> Run {
    let before = (cloud.keys(SERVING), writes(cloud).len());
    let run = says(cloud, name, code, arguments);
    assert_eq!(writes(cloud).len(), before.1, "{:?}", writes(cloud));
    assert_eq!(cloud.keys(SERVING), before.0);
    run
}

/// This command ends with this code and says what the snapshot of this name says.
fn says(cloud: &Cloud, name: &str, code: i32, arguments: &[&str]) -> Run {
    let run = run(cloud, Principal::Both, arguments);
    assert_eq!(run.code, code, "{}{}", run.stdout, run.stderr);
    assert_snapshot(name, &shown(cloud, arguments, &run));
    run
}

/// `full` with these further arguments.
fn full_with<'a>(more: &[&'a str]) -> Vec<&'a str> {
    FULL.iter().chain(more).copied().collect()
}

//! `promote stack`: what it prints and writes, where its inputs come from, and which it refuses.

use std::process::Command;

use serde_json::Value;

use crate::snapshot::assert_snapshot;
use crate::world::Run;

mod assembly;
mod grants;
mod inputs;
mod permissions;

/// The source group.
pub(crate) const GROUP: &str = "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/Churn-Model";
/// A pattern of source groups.
pub(crate) const PATTERN: &str = "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/team-*";
/// What every form needs.
const REQUIRED: [&str; 4] = ["--source-model-package-group-arn", GROUP, "--target-bucket-name", "serving"];
/// Where the stack is.
const PLACE: [&str; 4] = ["--target-account", "111222333444", "--target-region", "eu-central-1"];
/// An image that is there.
pub(crate) const IMAGE: [&str; 2] = ["--image-uri", "111222333444.dkr.ecr.eu-central-1.amazonaws.com/promote:1.0"];

/// Runs `promote stack` with nothing in its environment but these variables.
pub(crate) fn stack(arguments: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut command = Command::new(env!("CARGO_BIN_EXE_promote"));
    command.arg("stack").args(arguments).env_clear().envs(variables.iter().copied());
    Run::of(command.output().expect("the binary starts"))
}

/// A form with the required inputs, a place, and these.
pub(crate) fn with<'a>(form: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    with_group(form, GROUP, more)
}

/// As [`with`], for this source group or pattern.
pub(crate) fn with_group<'a>(form: &'a str, group: &'a str, more: &[&'a str]) -> Vec<&'a str> {
    let required = REQUIRED.map(|word| if word == GROUP { group } else { word });
    [form].into_iter().chain(required).chain(PLACE).chain(more.iter().copied()).collect()
}

/// The parameters that are printed, by name.
pub(crate) fn parameters(run: &Run) -> Value {
    let list: Vec<Value> = serde_json::from_value(run.document()).expect("a list of parameters");
    let text = |one: &Value, member: &str| one[member].as_str().expect("a text").to_owned();
    list.iter().map(|one| (text(one, "ParameterKey"), Value::from(text(one, "ParameterValue")))).collect()
}

#[test]
fn the_template_that_is_printed_is_the_one_in_the_sources() {
    let run = stack(&["template"], &[]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert_eq!(run.stdout, include_str!("../../stack/promote.yaml"));
}

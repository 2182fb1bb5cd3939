//! `promote stack`: what it prints and writes, where its inputs come from, and which it refuses.

use std::process::Command;

use serde_json::Value;

use crate::snapshot::assert_snapshot;
use crate::world::Run;

mod assembly;
mod inputs;
mod permissions;

/// The source group.
const GROUP: &str = "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/Churn-Model";
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
    [form].into_iter().chain(REQUIRED).chain(PLACE).chain(more.iter().copied()).collect()
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

#[test]
fn source_grants_names_every_grant() {
    let named = ["--stack-name", "mlops-model-package", "--event-bus-name", "mlops-bus"];
    let sources = [
        "--source-bucket-names",
        "models,metrics",
        "--source-kms-key-arn",
        "arn:aws:kms:eu-central-1:444333666777:key/1234",
    ];
    let run = stack(&with("source-grants", &[&named[..], &sources[..]].concat()), &[]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert_snapshot("stack-source-grants", &run.stdout);
}

#[test]
fn with_a_role_of_the_source_that_role_is_granted_the_reading() {
    let role = ["--source-role-arn", "arn:aws:iam::444333666777:role/ml/reader"];
    let builder = ["--build-role-arn", "arn:aws:iam::111222333444:role/mlops-BuildRole-1"];
    let run = stack(&with("source-grants", &[role, builder].concat()), &[]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""));
    assert_snapshot("stack-source-grants-role", &run.stdout);
}

#[test]
fn every_policy_that_is_printed_is_json_without_a_wildcard_in_its_actions() {
    let run = stack(&with("source-grants", &["--event-bus-name", "mlops-bus"]), &[]);
    let policies: Vec<&str> = run.stdout.split("\n\n").filter(|text| text.starts_with('{')).collect();
    assert!(policies.len() >= 7, "{}", run.stdout);
    for text in policies {
        let policy: Value = serde_json::from_str(text).unwrap_or_else(|error| panic!("{error}: {text}"));
        for statement in policy["Statement"].as_array().into_iter().flatten() {
            assert!(!statement["Action"].to_string().contains('*'), "{statement:#}");
            assert!(statement["Sid"].is_string(), "{statement:#}");
        }
    }
}

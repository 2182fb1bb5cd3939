//! Patterns of groups: one run for every source group that matches.

mod calls;
mod clashes;
mod followed;
pub(super) mod held;
pub(super) mod interrupted;
mod reviewed;
mod selection;
mod verbs;

use std::process::Stdio;

use serde_json::{Value, json};

use crate::support::calls::Call;
use crate::support::{Attributes, Cloud, Failure, Moment, Principal, SOURCE_ACCOUNT, TARGET_ACCOUNT};
use crate::world::*;

/// A world with an approved version in each of these groups.
pub(super) fn with_groups(names: &[&str]) -> Cloud {
    let cloud = with_package();
    cloud.describes_until_completed(0);
    names.iter().for_each(|name| register(&cloud, name));
    cloud
}

/// Registers an approved version in a group of the source account.
pub(super) fn register(cloud: &Cloud, name: &str) {
    cloud.put(MODELS, &format!("{name}/model.tar.gz"), name);
    let mut package = model(&format!("s3://{MODELS}/{name}/model.tar.gz"));
    package["ModelPackageGroupName"] = json!(name);
    cloud.register(package);
}

/// Runs `full` for a pattern of names in the source account.
fn full_of(cloud: &Cloud, pattern: &str, more: &[&str]) -> Run {
    let pattern = Cloud::group_arn(pattern);
    let arguments = ["full", "--group", &pattern, "--target-bucket", SERVING, "--output", "json"];
    run(cloud, Principal::Both, &[&arguments, more].concat())
}

/// The document of a run, whatever its exit code.
pub(super) fn document_of(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("no document: {}{}", run.stdout, run.stderr))
}

/// The result of a group in a document.
fn of<'a>(document: &'a Value, name: &str) -> &'a Value {
    let mut groups = document["groups"].as_array().into_iter().flatten();
    let found = groups.find(|group| group["group"].as_str().is_some_and(|arn| arn.ends_with(&format!("/{name}"))));
    found.unwrap_or_else(|| panic!("no group {name} in {document:#}"))
}

/// The names of the target account's groups.
pub(super) fn targets(cloud: &Cloud) -> Vec<String> {
    let groups = cloud.groups(TARGET_ACCOUNT);
    groups.iter().map(|group| group["ModelPackageGroupName"].as_str().expect("a name").to_owned()).collect()
}

#[test]
fn a_pattern_promotes_every_group_that_matches_and_no_other() {
    let cloud = with_groups(&["team-a", "team-b", "Team-C", "other"]);
    let document = full_of(&cloud, "team-*", &[]).document();
    assert_eq!(targets(&cloud), ["Team-C", "team-a", "team-b"]);
    assert_eq!(document["summary"], json!({"groups": 3, "outcomes": {"promoted": 3}, "exit_code": 0}));
    for name in ["team-a", "team-b", "Team-C"] {
        let group = of(&document, name);
        assert_eq!((&group["exit_code"], &group["target_group"]), (&json!(0), &json!(name)));
        assert_eq!(group["document"]["target"]["approval_status"], "Approved");
    }
    let again = full_of(&cloud, "team-?", &[]).document();
    assert_eq!(again["summary"]["outcomes"], json!({"already-promoted": 3}));
}

#[test]
fn one_group_that_matches_has_a_document_of_groups_too() {
    let cloud = with_groups(&["team-a"]);
    let document = full_of(&cloud, "team-*", &[]).document();
    assert_eq!(of(&document, "team-a")["document"]["outcome"], "promoted");
}

#[test]
fn a_pattern_of_names_finds_groups_of_the_source_credentials_account() {
    let cloud = with_groups(&["team-a", "team-b"]);
    cloud.allow(Principal::Target, "s3:GetObject", "models/*");
    let arguments = ["full", "--group", "team-*", "--target-bucket", SERVING, "--output", "json"];
    let document = run(&cloud, Principal::Stranger, &[&arguments[..], &TWO_PRINCIPALS].concat()).document();
    assert_eq!(document["summary"]["outcomes"], json!({"promoted": 2}));
    assert_eq!(cloud.calls_of("ListModelPackageGroups").len(), 2, "own groups, and groups that others share");
    assert_eq!(cloud.calls_of("GetCallerIdentity").len(), 2, "one for each principal");
}

#[test]
fn each_failure_is_told_with_its_group_and_stops_no_other_group() {
    let cloud = with_groups(&["absent", "archived", "denied", "fine", "refused", "unfinished", "unreachable"]);
    cloud.remove(MODELS, "absent/model.tar.gz");
    let cold = Attributes::default().storage_class("GLACIER");
    cloud.put_with(MODELS, "archived/model.tar.gz", "cold", cold);
    cloud.deny(Principal::Both, "sagemaker:ListModelPackages", &packages_of("denied"));
    cloud.create_group(TARGET_ACCOUNT, "refused", json!({}));
    cloud.register_in(TARGET_ACCOUNT, {
        let mut package = model("s3://serving/own.tar.gz");
        package["ModelPackageGroupName"] = json!("refused");
        package
    });
    let unreachable = Moment::every("DescribeModelPackage").at("model-package/unreachable/1");
    cloud.fail(unreachable, Failure::Status(500, "InternalFailure", "We encountered an internal error"));
    let run = full_of(&cloud, "*", &[]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let document = document_of(&run);
    let failed = ["absent", "archived", "denied", "refused", "unreachable"];
    for name in failed {
        let group = of(&document, name);
        assert_eq!((&group["exit_code"], &group["document"]["outcome"]), (&json!(1), &json!("failed")), "{name}");
        let message = group["document"]["error"]["message"].as_str().expect("a message");
        assert!(run.stderr.contains(&format!("error: {name}: {message}")), "{name}: {message}\n{}", run.stderr);
        let hint = group["document"]["error"]["hints"][0].as_str().expect("a hint");
        assert!(run.stderr.contains(&format!("hint: {hint}")), "{name}: {hint}\n{}", run.stderr);
    }
    let kind = |name: &str| of(&document, name)["document"]["error"]["kind"].clone();
    let kinds = failed.map(kind);
    assert_eq!(
        kinds.map(|kind| kind.as_str().expect("a kind").to_owned()),
        ["refused", "refused", "denied", "refused", "unavailable"]
    );
    assert_eq!(document["summary"]["outcomes"], json!({"failed": 5, "promoted": 3}));
    assert_eq!(of(&document, "fine")["document"]["outcome"], "promoted");
}

/// The versions of a group of the source account, as a rule names them.
fn packages_of(group: &str) -> String {
    format!("arn:aws:sagemaker:eu-central-1:{SOURCE_ACCOUNT}:model-package/{group}/*")
}

#[test]
fn the_text_ends_with_a_table_of_all_groups() {
    let cloud = with_groups(&["team-a", "team-b"]);
    cloud.change(
        "arn:aws:sagemaker:eu-central-1:444333666777:model-package/team-b/1",
        json!({"ModelApprovalStatus": "PendingManualApproval"}),
    );
    let pattern = Cloud::group_arn("team-*");
    let run = run(&cloud, Principal::Both, &["full", "--group", &pattern, "--target-bucket", SERVING]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert_eq!(
        run.stdout,
        "GROUP    SOURCE   TARGET  OUTCOME\n\
         team-a        1        1  promoted\n\
         team-b        -        -  nothing approved: the group has 1 version (1 PendingManualApproval)\n\
         \n\
         2 groups: 1 nothing-approved, 1 promoted\n"
    );
    let mut lines: Vec<&str> = run.stderr.lines().collect();
    lines.sort_unstable();
    assert_eq!(
        lines,
        [
            "team-a: promoted (version 1 → version 1)",
            "team-b: nothing approved: the group has 1 version (1 PendingManualApproval)"
        ]
    );
}

#[test]
fn the_exit_code_is_the_worst_of_all_groups() {
    let cloud = with_groups(&["team-a", "team-b"]);
    let b = "arn:aws:sagemaker:eu-central-1:444333666777:model-package/team-b/1";
    cloud.change(b, json!({"ModelApprovalStatus": "PendingManualApproval"}));
    let run = full_of(&cloud, "team-*", &["--fail-if-nothing-approved"]);
    let document = document_of(&run);
    assert_eq!((run.code, &document["summary"]["exit_code"]), (4, &json!(4)));
    assert_eq!((&of(&document, "team-a")["exit_code"], &of(&document, "team-b")["exit_code"]), (&json!(0), &json!(4)));
}

#[test]
fn a_pattern_that_matches_no_group_is_refused_by_its_name() {
    let cloud = with_groups(&["team-a"]);
    let pattern = Cloud::group_arn("nobody-*");
    full_of(&cloud, "nobody-*", &[]).fails(1, &[&format!("error: no model package group matches {pattern}")]);
    assert!(writes(&cloud).is_empty(), "{:?}", writes(&cloud));
}

#[test]
fn a_template_names_the_target_groups() {
    let cloud = with_groups(&["team-a", "team-b"]);
    let document = full_of(&cloud, "team-*", &["--target-group", "prod-{group}"]).document();
    assert_eq!(targets(&cloud), ["prod-team-a", "prod-team-b"]);
    assert_eq!(of(&document, "team-a")["target_group"], "prod-team-a");
    promote(&cloud, &["--target-group", "{group}-eu"]).document();
    assert!(targets(&cloud).contains(&format!("{GROUP}-eu")));
}

#[test]
fn two_groups_with_one_target_group_are_refused_before_the_first_write() {
    let cloud = with_groups(&["team-a", "team-b"]);
    let refused = full_of(&cloud, "team-*", &["--target-group", "prod"]);
    refused.fails(1, &["would be promoted into the same target group, prod", "with `{group}`"]);
    assert!(writes(&cloud).is_empty(), "{:?}", writes(&cloud));
    full_of(&cloud, "team-a*", &["--target-group", "prod"]).document();
    assert_eq!(targets(&cloud), ["prod"]);
}

#[test]
fn a_dry_run_for_several_groups_writes_nothing() {
    let cloud = with_groups(&["team-a", "team-b"]);
    let document = full_of(&cloud, "team-*", &["--dry-run"]).document();
    assert_eq!(document["summary"]["outcomes"], json!({"planned": 2}));
    assert!(writes(&cloud).is_empty(), "{:?}", writes(&cloud));
}

#[test]
fn one_file_has_the_document_of_all_groups() {
    let cloud = with_groups(&["team-a", "team-b"]);
    let file = cloud.home().join("groups.json");
    let run = full_of(&cloud, "team-*", &["--record", file.to_str().expect("a path")]);
    let filed: Value = serde_json::from_slice(&std::fs::read(&file).expect("the file")).expect("a document");
    assert_eq!(filed, run.document());
}

#[test]
fn the_document_has_the_members_of_its_schema() {
    let schema: Value = serde_json::from_str(include_str!("../../../docs/groups.schema.json")).expect("a schema");
    let cloud = with_groups(&["team-a"]);
    cloud.create_group(SOURCE_ACCOUNT, "team-gone", json!({"ModelPackageGroupStatus": "Deleting"}));
    let document = full_of(&cloud, "team-*", &[]).document();
    let members = |value: &Value| -> Vec<String> {
        let mut members: Vec<String> = value.as_object().expect("an object").keys().cloned().collect();
        members.sort();
        members
    };
    let required = |schema: &Value| -> Vec<String> {
        let names = schema["required"].as_array().expect("a list").iter();
        let mut names: Vec<String> = names.map(|name| name.as_str().expect("a name").to_owned()).collect();
        names.sort();
        // Only a dry run has a plan, only a run with a plan names one, only doctor has policies, and find-latest has no
        // target group.
        let is_optional =
            |name: &String| ["plan", "reviewed_plan", "policies", "target_group"].contains(&name.as_str());
        let all: Vec<String> = members(&schema["properties"]).into_iter().filter(|name| !is_optional(name)).collect();
        assert_eq!(names, all, "every other member is required");
        names
    };
    let without_target = |mut group: Value| {
        assert!(group.as_object_mut().expect("a group").remove("target_group").is_some(), "{group}");
        group
    };
    let properties = &schema["properties"];
    assert_eq!(members(&document), required(&schema));
    assert_eq!(members(&without_target(document["groups"][0].clone())), required(&properties["groups"]["items"]));
    assert_eq!(members(&document["passed_over"][0]), required(&properties["passed_over"]["items"]));
    assert_eq!(members(&document["summary"]), required(&properties["summary"]));
    assert_eq!(document["schema"], properties["schema"]["const"]);
}

//! Which version: nothing approved, no such group, no such version.

use serde_json::{Value, json};

use super::*;

#[test]
fn find_latest_exits_4_where_nothing_is_approved_and_counts_the_versions_by_state() {
    let cloud = with_states(&["PendingManualApproval", "Rejected", "PendingManualApproval"]);
    let run = refused(&cloud, "find-latest-nothing-approved", 4, &["find-latest", "--group", GROUP_ARN]);
    let said = run.stdout + &run.stderr;
    assert!(said.contains("3 versions (2 PendingManualApproval, 1 Rejected)"), "{said}");
}

#[test]
fn full_exits_0_where_nothing_is_approved_and_counts_the_versions_by_state() {
    let cloud = with_states(&["PendingManualApproval", "Rejected", "PendingManualApproval"]);
    let run = refused(&cloud, "full-nothing-approved", 0, &FULL);
    let said = run.stdout + &run.stderr;
    assert!(said.contains("3 versions (2 PendingManualApproval, 1 Rejected)"), "{said}");
}

#[test]
fn nothing_approved_is_an_outcome_of_the_document() {
    let cloud = with_states(&["Rejected"]);
    let said = "hint: Approve a version in the source account, or name one with `--package-version`\n";
    for (verb, code) in [("find-latest", 4), ("full", 0)] {
        let mut arguments = vec![verb, "--group", GROUP_ARN, "--output", "json"];
        if verb == "full" {
            arguments.extend(["--target-bucket", SERVING]);
        }
        let run = run(&cloud, Principal::Both, &arguments);
        assert_eq!((run.code, run.stderr.as_str()), (code, said));
        let document: Value = serde_json::from_str(&run.stdout).expect("one document");
        assert_eq!(document["outcome"], "nothing-approved");
        assert_eq!(document["versions"], json!({"Rejected": 1}));
        assert_eq!(document["source"]["group"], GROUP);
        assert_eq!(document["artifacts"], json!([]));
    }
}

#[test]
fn a_group_without_versions_has_nothing_approved() {
    let cloud = with_states(&[]);
    let run = refused(&cloud, "group-without-versions", 4, &["find-latest", "--group", GROUP_ARN]);
    let said = run.stdout + &run.stderr;
    assert!(said.contains("no version"), "{said}");
}

#[test]
fn a_group_that_does_not_exist_is_not_an_empty_one() {
    let cloud = world();
    refused(&cloud, "find-latest-no-such-group", 1, &["find-latest", "--group", GROUP_ARN]);
    refused(&cloud, "full-no-such-group", 1, &FULL);
    refused(&cloud, "no-such-group-by-name", 1, &["find-latest", "--group", "Unheard-Of"]);
}

#[test]
fn a_group_that_does_not_exist_is_looked_up_by_its_arn_and_not_by_its_name_in_the_callers_account() {
    let cloud = world();
    run(&cloud, Principal::Both, &["find-latest", "--group", GROUP_ARN]).fails(1, &[GROUP_ARN, "does not exist"]);
    let asked = cloud.calls().into_iter().filter_map(|call| call.request.get("ModelPackageGroupName").cloned());
    let asked: Vec<Value> = asked.collect();
    assert!(!asked.is_empty() && asked.iter().all(|name| name == GROUP_ARN), "{asked:?}");
}

#[test]
fn a_version_that_does_not_exist_is_refused_with_the_highest_there_is() {
    let cloud = with_package();
    refused(&cloud, "no-such-version", 1, &full_with(&["--package-version", "9"]));
    refused(&cloud, "find-latest-no-such-version", 1, &["find-latest", "--group", GROUP_ARN, "--package-version", "9"]);
}

#[test]
fn a_version_of_a_group_without_any_is_refused() {
    let cloud = with_states(&[]);
    refused(&cloud, "version-of-an-empty-group", 1, &full_with(&["--package-version", "1"]));
}

/// A group with versions in these states of approval.
fn with_states(states: &[&str]) -> Cloud {
    let cloud = world();
    cloud.create_group(crate::support::SOURCE_ACCOUNT, GROUP, json!({}));
    for state in states {
        let mut package = package();
        package["ModelApprovalStatus"] = json!(state);
        cloud.register(package);
    }
    cloud
}

//! A registry that shows a new version to Describe and List some time after Create has answered with its ARN.

use std::time::Duration;

use serde_json::json;

use crate::support::{Cloud, Failure, Moment};
use crate::world::*;

/// Version 1 of the target group.
const TARGET_VERSION: &str = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/1";

/// What Describe says of a version that is deleted, or not visible yet.
const ABSENT: Failure = Failure::Status(400, "ValidationException", "ModelPackage churn-model/1 does not exist.");

#[test]
fn a_version_that_becomes_visible_two_seconds_late_is_created_once_and_approved() {
    let cloud = with_package();
    cloud.show_new_versions_late(Duration::from_secs(2));
    let run = promote(&cloud, &[]);
    promoted_once(&cloud, &run);
    let waits = format!("waiting for SageMaker to show {TARGET_VERSION} (1 s)\n");
    assert!(run.stderr.contains(&waits), "{}", run.stderr);
}

#[test]
fn a_version_that_several_calls_do_not_find_yet_is_created_once_and_approved() {
    let cloud = with_package();
    cloud.show_new_versions_after(5);
    promoted_once(&cloud, &promote(&cloud, &[]));
}

#[test]
fn a_version_that_does_not_become_visible_in_time_is_named_and_completed_by_the_next_run() {
    let cloud = with_package();
    cloud.show_new_versions_after(u64::MAX);
    let run = promote(&cloud, &["--wait-seconds", "1"]);
    let says =
        format!("{TARGET_VERSION} is registered and pending approval, but not visible after 1 s\nhint: Run again");
    run.fails(1, &[&says]);
    assert_eq!((cloud.calls_of("CreateModelPackage").len(), promoted(&cloud).len()), (1, 1));
    assert!(cloud.calls_of("UpdateModelPackage").is_empty() && cloud.calls_of("DeleteModelPackage").is_empty());
    cloud.show_new_versions_after(0);
    assert_eq!(promote(&cloud, &[]).document()["target"]["model_package_arn"], TARGET_VERSION);
    assert_eq!((promoted(&cloud).len(), &promoted(&cloud)[0]["ModelApprovalStatus"]), (1, &json!("Approved")));
}

#[test]
fn a_source_version_rejected_while_the_promoted_version_is_not_visible_is_not_approved() {
    let cloud = with_package();
    cloud.describes_until_completed(0);
    cloud.show_new_versions_after(4);
    cloud.hook(Moment::on("DescribeModelPackage", 2).at(TARGET_VERSION), |cloud| {
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    });
    promote(&cloud, &[])
        .fails(1, &[&format!("the approval of {SOURCE_VERSION} changed from Approved to Rejected during this run")]);
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "PendingManualApproval");
}

#[test]
fn a_version_that_describe_misses_twice_is_promoted() {
    let cloud = with_package();
    for call in [2, 4] {
        cloud.fail(Moment::on("DescribeModelPackage", call).at(TARGET_VERSION), ABSENT);
    }
    let run = promote(&cloud, &[]);
    promoted_once(&cloud, &run);
    assert_eq!(run.remarks(), "");
    let looks = cloud.calls_of("DescribeModelPackage").into_iter().filter(|call| call.resource == TARGET_VERSION);
    assert_eq!(looks.count(), 5, "created, missed, complete, missed, read back");
}

#[test]
fn an_approval_that_describe_shows_two_seconds_late_is_confirmed() {
    let cloud = with_package();
    cloud.show_changes_late(Duration::from_secs(2));
    let run = promote(&cloud, &[]);
    promoted_once(&cloud, &run);
    assert_eq!((run.document()["target"]["approval_status"].as_str(), run.remarks().as_str()), (Some("Approved"), ""));
}

fn promoted_once(cloud: &Cloud, run: &Run) {
    assert_eq!(run.document()["target"]["model_package_arn"], TARGET_VERSION);
    assert_eq!(cloud.calls_of("CreateModelPackage").len(), 1);
    let versions = promoted(cloud);
    assert_eq!((versions.len(), &versions[0]["ModelApprovalStatus"]), (1, &json!("Approved")));
}

#[test]
fn an_approval_that_the_registry_still_shows_as_pending_is_not_taken_for_a_decision_of_the_target() {
    let cloud = with_package();
    cloud.show_changes_late(Duration::from_secs(2));
    // The run that approves cannot wait until the registry shows it.
    cloud.hook(Moment::on("UpdateModelPackage", 1), |cloud| {
        let unavailable = Failure::Status(500, "InternalFailure", "Try again.");
        cloud.fail(Moment::on("DescribeModelPackage", 1).at(TARGET_VERSION), unavailable);
    });
    assert_eq!(promote(&cloud, &[]).code, 3);
    let document = promote(&cloud, &[]).document();
    assert_eq!(
        (&document["target"]["approval_status"], &document["target"]["decided_by"]),
        (&json!("Approved"), &json!("source"))
    );
}

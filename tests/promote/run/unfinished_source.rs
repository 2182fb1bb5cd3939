//! A source version that is Approved before SageMaker has completed it.

use serde_json::{Value, json};

use crate::support::{Cloud, Moment, Principal};
use crate::world::*;

/// A world whose source version is in this status, until it is described for the third time.
fn with_status(status: &str, then: Value) -> Cloud {
    let cloud = with_package();
    set_status(&cloud, status, then);
    cloud
}

fn set_status(cloud: &Cloud, status: &str, then: Value) {
    cloud.change(SOURCE_VERSION, json!({"ModelPackageStatus": status}));
    cloud.hook(Moment::on("DescribeModelPackage", 3), move |cloud| cloud.change(SOURCE_VERSION, then));
}

fn waits(status: &str) -> String {
    format!("waiting for SageMaker to complete {SOURCE_VERSION}, which is {status}\n")
}

#[test]
fn a_run_waits_until_the_source_version_is_complete_and_says_so_once() {
    for status in ["Pending", "InProgress"] {
        let run = promote(&with_status(status, json!({"ModelPackageStatus": "Completed"})), &[]);
        assert_eq!((run.document()["outcome"].as_str(), run.remarks()), (Some("promoted"), waits(status)));
    }
}

#[test]
fn each_step_and_a_dry_run_wait_for_the_source_version_too() {
    let cloud = with_package();
    let group = Cloud::group_arn(GROUP);
    let full = ["full", "--dry-run", "--group", &group, "--target-bucket", SERVING];
    let find = ["find-latest", "--group", &group];
    let copy = ["copy-artifacts", "--model-package", SOURCE_VERSION, "--target-bucket", SERVING];
    let register = ["register", "--model-package", SOURCE_VERSION, "--target-bucket", SERVING];
    for arguments in [&full[..], &find, &copy, &register] {
        set_status(&cloud, "InProgress", json!({"ModelPackageStatus": "Completed"}));
        let run = run(&cloud, Principal::Both, arguments);
        assert_eq!(run.code, 0, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains(&waits("InProgress")), "{arguments:?}: {}", run.stderr);
    }
}

#[test]
fn a_plan_that_was_made_when_the_source_version_was_not_complete_can_be_carried_out() {
    let cloud = with_status("Pending", json!({"ModelPackageStatus": "Completed"}));
    let file = cloud.home().join("plan.json").display().to_string();
    assert_eq!(promote(&cloud, &["--dry-run", "--record", &file]).document()["outcome"], "planned");
    assert_eq!(promote(&cloud, &["--plan", &file]).document()["outcome"], "promoted");
}

#[test]
fn a_source_version_that_fails_while_a_run_waits_is_refused_with_the_reason() {
    let failure = json!({
        "ModelPackageStatus": "Failed",
        "ModelPackageStatusDetails": {"ValidationStatuses": [{"FailureReason": "no image"}]}
    });
    let cloud = with_status("InProgress", failure);
    promote(&cloud, &[]).fails(1, &["is Failed; only a Completed package can be promoted: no image", "hint: Reject"]);
    assert_eq!(writes(&cloud), Vec::<String>::new());
}

#[test]
fn a_source_version_that_is_rejected_while_a_run_waits_is_not_promoted() {
    let cloud = with_status("InProgress", json!({"ModelApprovalStatus": "Rejected"}));
    let says =
        format!("the approval of {SOURCE_VERSION} changed from Approved to Rejected during this run\nhint: Run again");
    promote(&cloud, &[]).fails(1, &[&says]);
    assert_eq!(writes(&cloud), Vec::<String>::new());
}

#[test]
fn a_run_waits_no_longer_than_it_is_told() {
    let cloud = with_package();
    cloud.change(SOURCE_VERSION, json!({"ModelPackageStatus": "InProgress"}));
    let says =
        format!("{SOURCE_VERSION} is still InProgress after 1 s\nhint: Run again when the registration is complete");
    promote(&cloud, &["--wait-seconds", "1"]).fails(1, &[&waits("InProgress"), &says]);
    assert_eq!(writes(&cloud), Vec::<String>::new());
}

//! A source version that is Approved before SageMaker has completed it.

use serde_json::{Value, json};

use crate::support::{Cloud, Moment};
use crate::world::*;

/// A world whose source version is in this status, until it is described for the third time.
fn with_status(status: &str, then: Value) -> Cloud {
    let cloud = with_package();
    cloud.change(SOURCE_VERSION, json!({"ModelPackageStatus": status}));
    cloud.hook(Moment::on("DescribeModelPackage", 3), move |cloud| cloud.change(SOURCE_VERSION, then));
    cloud
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

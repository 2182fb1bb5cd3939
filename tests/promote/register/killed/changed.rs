//! Versions that a killed run has registered and that were changed or replaced since: what the next run leaves and tells.

use super::*;

#[test]
fn a_version_that_the_target_has_suspended_before_its_record_stays_pending_whatever_the_settings_of_the_next_runs() {
    let cloud = killed_in(without_reason(), "UpdateModelPackage");
    cloud.complete(&arn_of_version(1));
    change_after(&cloud, 120.0, json!({"ModelApprovalStatus": "PendingManualApproval"}));
    let document = promote(&cloud, &["--approval", "pending"]).document();
    assert_eq!(document["target"]["decided_by"], "target", "{document:#}");
    promote(&cloud, &["--approval", "carry"]).document();
    assert_eq!(approval(&cloud), "PendingManualApproval");
}

#[test]
fn a_changed_version_to_which_somebody_has_given_a_reason_is_a_decision_of_the_target_in_spite_of_the_settings() {
    let cloud = killed_in(without_reason(), "UpdateModelPackage");
    change_after(&cloud, 120.0, json!({"ModelApprovalStatus": "PendingManualApproval", "ApprovalDescription": "wait"}));
    let document = promote(&cloud, &["--approval", "pending"]).document();
    assert_eq!(document["target"]["decided_by"], "target", "{document:#}");
    promote(&cloud, &["--approval", "carry"]).document();
    assert_eq!(approval(&cloud), "PendingManualApproval");
}

#[test]
fn a_version_by_others_with_the_arn_of_one_that_a_killed_run_registered_stops_the_run_and_is_not_changed() {
    let cloud = killed_after("CreateModelPackage");
    let theirs = json!({
        "ModelPackageDescription": "Theirs", METADATA: {"team": "theirs"}, "ModelApprovalStatus": "Approved",
        "InferenceSpecification": model("s3://serving/theirs.tar.gz")["InferenceSpecification"]
    });
    cloud.complete(&arn_of_version(1));
    cloud.change(&arn_of_version(1), theirs);
    let before = cloud.package(&arn_of_version(1));
    promote(&cloud, &["--into-existing-group"])
        .fails(1, &["has registered", "somebody has changed or replaced it since", "somebody else's"]);
    assert_eq!((cloud.package(&arn_of_version(1)), promoted(&cloud).len()), (before, 1));
}

/// The words of `status` for the promoted version, as text, as a document and on the page.
fn words_of_status(cloud: &Cloud) -> (bool, Value, String) {
    let of = |output: &str| {
        let group = Cloud::group_arn(GROUP);
        run(cloud, Principal::Both, &["status", "--group", &group, "--output", output])
    };
    let text = of("text").stdout.contains("Pending") && of("text").stdout.contains("pending approval in the target");
    (text, of("json").document()["versions"][0]["state"].clone(), of("html").stdout)
}

#[test]
fn the_page_and_the_text_of_status_say_the_same_of_a_version_that_a_killed_run_has_left_pending() {
    for more in [&[][..], &["--approval", "pending"]] {
        let cloud = with_package();
        cloud.fail(Moment::on("CreateModelPackage", 1), Failure::HangAfter);
        let arrival = Arrival::of(&cloud, Moment::on("CreateModelPackage", 1));
        let child = spawn(&cloud, more);
        arrival.wait();
        waits_until("the version is registered", || !promoted(&cloud).is_empty());
        killed(&cloud, child);
        cloud.complete(&arn_of_version(1));
        let (text, state, page) = words_of_status(&cloud);
        assert_eq!((text, state), (true, json!("pending")));
        assert!(page.contains("pending approval") && !page.contains("Decided by"), "{page}");
        assert!(page.contains("has no record of this version"), "{page}");
    }
}

//! The approval status: pending first, the final one last and once.

use super::*;
use crate::support::{Failure, Moment, Principal};

/// The ARN of promoted versions, without the number.
const TARGET_GROUP: &str = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model";

/// The approval statuses that a run has set, in order, with the operation that set each.
fn statuses(cloud: &Cloud) -> Vec<(String, String)> {
    let calls = cloud.calls().into_iter().filter(|call| call.request.get("ModelApprovalStatus").is_some());
    let writes = calls.filter(|call| !call.operation.starts_with("List"));
    writes.map(|call| (call.operation, call.request["ModelApprovalStatus"].as_str().unwrap_or("").to_owned())).collect()
}

fn of(operation: &str, status: &str) -> (String, String) {
    (operation.to_owned(), status.to_owned())
}

#[test]
fn a_version_is_created_pending_and_approved_by_the_last_update_only() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let expected = [of("CreateModelPackage", "PendingManualApproval"), of("UpdateModelPackage", "Approved")];
    assert_eq!(statuses(&cloud), expected);
    let calls: Vec<String> = cloud.calls().into_iter().map(|call| call.operation).collect();
    let last = |operation: &str| calls.iter().rposition(|one| one == operation).expect("it was called");
    assert!(last("CopyObject") < last("CreateModelPackage") && last("CreateModelPackage") < last("UpdateModelPackage"));
    // The version was complete, and compared, before it was approved.
    let described = calls[..last("UpdateModelPackage")].iter().rposition(|one| one == "DescribeModelPackage");
    assert!(described.is_some_and(|described| described > last("CreateModelPackage")));
}

#[test]
fn with_approval_pending_somebody_in_the_target_approves() {
    let cloud = with_package();
    let document = promote(&cloud, &["--approval", "pending"]).document();
    assert_eq!(document["target"]["approval_status"], "PendingManualApproval");
    assert_eq!(statuses(&cloud), [of("CreateModelPackage", "PendingManualApproval")]);
    assert_eq!(promoted(&cloud)[0].get("ApprovalDescription"), None);
    assert_eq!(promote(&cloud, &["--approval", "pending"]).document()["outcome"], "already-promoted");
    assert_eq!(promoted(&cloud).len(), 1);
    let document = promote(&cloud, &["--approval", "carry"]).document();
    assert_eq!(
        (&document["outcome"], &document["target"]["approval_status"]),
        (&json!("promoted"), &json!("Approved"))
    );
    assert_eq!((promoted(&cloud).len(), &promoted(&cloud)[0]["ModelApprovalStatus"]), (1, &json!("Approved")));
}

#[test]
fn a_version_that_was_left_pending_stays_pending_until_carry_is_asked_for() {
    let cloud = with_package();
    promote(&cloud, &["--approval", "pending"]).document();
    for _ in 0..2 {
        let document = promote(&cloud, &[]).document();
        assert_eq!(document["outcome"], "already-promoted");
        assert_eq!(document["target"]["decided_by"], "nobody");
        assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "PendingManualApproval");
    }
    promote(&cloud, &["--approval", "carry"]).document();
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Approved");
}

#[test]
fn a_version_whose_run_was_to_leave_it_pending_and_has_left_no_record_stays_pending_until_carry_is_asked_for() {
    let cloud = with_package();
    left_pending_without_a_record(&cloud);
    let planned = promote(&cloud, &["--dry-run"]).document();
    assert!(!planned["planned"].to_string().contains("approve"), "{planned:#}");
    let document = promote(&cloud, &[]).document();
    assert_eq!((&document["target"]["decided_by"], status(&cloud)), (&json!("nobody"), json!("PendingManualApproval")));
    promote(&cloud, &[]).document();
    assert_eq!(status(&cloud), "PendingManualApproval");
    promote(&cloud, &["--approval", "carry"]).document();
    assert_eq!(status(&cloud), "Approved");
}

#[test]
fn such_a_version_is_approved_at_once_if_carry_is_asked_for() {
    let cloud = with_package();
    left_pending_without_a_record(&cloud);
    let planned = promote(&cloud, &["--dry-run", "--approval", "carry"]).document();
    assert!(planned["planned"].to_string().contains("approve"), "{planned:#}");
    promote(&cloud, &["--approval", "carry"]).document();
    assert_eq!(status(&cloud), "Approved");
}

#[test]
fn such_a_version_is_not_approved_by_the_register_step_or_as_a_followed_version() {
    let cloud = with_package();
    left_pending_without_a_record(&cloud);
    let register = ["register", "--model-package", SOURCE_VERSION, "--target-bucket", SERVING, "--output", "json"];
    let planned = run(&cloud, Principal::Both, &[&register[..], &["--dry-run"]].concat()).document();
    assert!(!planned["planned"].to_string().contains("approve"), "{planned:#}");
    cloud.register(package());
    let document = promote(&cloud, &[]).document();
    assert_eq!(status(&cloud), "PendingManualApproval");
    let remark = document["warnings"][0]["remark"].as_str().expect("a warning");
    assert!(remark.starts_with("it was left pending by a run that has written no record"), "{remark}");
    run(&cloud, Principal::Both, &register).document();
    assert_eq!(status(&cloud), "PendingManualApproval");
}

#[test]
fn a_run_that_waits_for_a_run_that_leaves_the_version_pending_does_not_approve_it() {
    let cloud = with_package();
    cloud.fail(Moment::on("CreateModelPackage", 1), Failure::HangAfter);
    let created = Arrival::of(&cloud, Moment::on("CreateModelPackage", 1));
    let first = spawn(&cloud, &["--approval", "pending"]);
    created.wait();
    let second = promote(&cloud, &[]);
    assert_eq!(second.document()["target"]["approval_status"], "PendingManualApproval");
    cloud.release();
    assert_eq!(ended(first).document()["target"]["decided_by"], "nobody");
    assert_eq!((promoted(&cloud).len(), status(&cloud)), (1, json!("PendingManualApproval")));
}

/// A run with `--approval pending` that ends between CreateModelPackage and its record.
fn left_pending_without_a_record(cloud: &Cloud) {
    cloud.fail(Moment::every("DescribeModelPackage").at(&format!("{}/1", TARGET_GROUP)), Failure::Reset);
    assert_eq!(promote(cloud, &["--approval", "pending"]).code, 1);
    cloud.heal();
    assert_eq!(status(cloud), "PendingManualApproval");
    assert_eq!(cloud.object(SERVING, &format!("{FOLDER}promotion.json")).map(|one| one.body), None);
}

/// The approval status of the first promoted version.
fn status(cloud: &Cloud) -> serde_json::Value {
    promoted(cloud)[0]["ModelApprovalStatus"].clone()
}

#[test]
fn a_version_that_was_pending_at_the_source_is_approved_with_it() {
    let cloud = with_package();
    cloud.change(SOURCE, json!({"ModelApprovalStatus": "PendingManualApproval"}));
    promote(&cloud, &["--package-version", "1"]).document();
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "PendingManualApproval");
    cloud.change(SOURCE, json!({"ModelApprovalStatus": "Approved"}));
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "promoted");
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Approved");
}

#[test]
fn a_version_that_was_promoted_as_rejected_is_approved_with_its_source() {
    let cloud = with_package();
    cloud.change(SOURCE, json!({"ModelApprovalStatus": "Rejected", "ApprovalDescription": "Not yet"}));
    promote(&cloud, &["--package-version", "1"]).document();
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Rejected");
    cloud.change(SOURCE, json!({"ModelApprovalStatus": "Approved", "ApprovalDescription": "Now"}));
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "approved-again");
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Approved");
}

#[test]
fn a_source_uri_is_set_also_where_the_version_stays_pending() {
    let cloud = world();
    cloud.put(MODELS, "m.tar.gz", "m");
    let mut package = model("s3://models/m.tar.gz");
    package["SourceUri"] = json!("https://git.example.com/churn");
    cloud.register(package);
    promote(&cloud, &["--approval", "pending"]).document();
    let version = &promoted(&cloud)[0];
    assert_eq!(version["SourceUri"], "https://git.example.com/churn");
    assert_eq!(version["ModelApprovalStatus"], "PendingManualApproval");
}

#[test]
fn a_version_that_somebody_rejected_in_the_target_stays_rejected() {
    let cloud = with_package();
    let document = promote(&cloud, &[]).document();
    let arn = document["target"]["model_package_arn"].as_str().expect("an ARN").to_owned();
    cloud.change(&arn, json!({"ModelApprovalStatus": "Rejected", "ApprovalDescription": "Not with us"}));
    let before = promoted(&cloud);
    for more in [&[][..], &["--approval", "pending"]] {
        let again = promote(&cloud, more).document();
        assert_eq!(
            (&again["outcome"], &again["target"]["approval_status"]),
            (&json!("already-promoted"), &json!("Rejected"))
        );
        assert_eq!(promoted(&cloud), before);
    }
    cloud.remove(SERVING, &format!("{FOLDER}promotion.json"));
    let again = promote(&cloud, &[]).document();
    assert_eq!((&again["outcome"], promoted(&cloud)), (&json!("already-promoted"), before));
}

#[test]
fn a_version_that_somebody_rejects_before_the_last_update_stays_rejected() {
    let cloud = with_package();
    cloud.fail(Moment::on("UpdateModelPackage", 1), Failure::Status(500, "InternalFailure", "x"));
    promote(&cloud, &[]).fails(1, &["sagemaker:UpdateModelPackage"]);
    let arn = promoted(&cloud)[0]["ModelPackageArn"].as_str().expect("an ARN").to_owned();
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "PendingManualApproval");
    cloud.change(&arn, json!({"ModelApprovalStatus": "Rejected", "ApprovalDescription": "Not with us"}));
    promote(&cloud, &[]).document();
    let versions = promoted(&cloud);
    assert_eq!((versions.len(), &versions[0]["ModelApprovalStatus"]), (1, &json!("Rejected")));
    assert_eq!(versions[0]["ApprovalDescription"], "Not with us");
}

#[test]
fn a_version_that_fails_is_reported_with_its_reason_and_never_approved() {
    let cloud = with_package();
    cloud.fail_next_package("ClientError: the image does not exist");
    let run = promote(&cloud, &[]);
    run.fails(1, &["could not complete", "ClientError: the image does not exist", "was deleted"]);
    assert_eq!((promoted(&cloud).len(), cloud.calls_of("UpdateModelPackage").len()), (0, 0));
    // A higher version shows that the failed version was deleted, and the next run need not wait for it.
    cloud.register_in(TARGET_ACCOUNT, model("s3://serving/theirs.tar.gz"));
    cloud.age_claims(SERVING);
    let document = promote(&cloud, &[]).document();
    assert_eq!((&document["outcome"], &document["target"]["version"]), (&json!("promoted"), &json!(3)));
    assert_eq!(promoted(&cloud).len(), 2);
}

#[test]
fn a_version_that_fails_at_once_is_reported_and_no_second_version_is_registered() {
    let cloud = with_package();
    cloud.describes_until_completed(0);
    cloud.fail_next_package("no such image");
    promote(&cloud, &[]).fails(1, &["could not complete", "no such image", "was deleted"]);
    assert_eq!((promoted(&cloud).len(), cloud.calls_of("CreateModelPackage").len()), (0, 1));
}

#[test]
fn a_failed_version_that_may_not_be_removed_is_left_rejected() {
    let cloud = with_package();
    cloud.deny(crate::support::Principal::Both, "sagemaker:DeleteModelPackage", "*");
    cloud.fail_next_package("no such image");
    promote(&cloud, &[]).fails(1, &["no such image", "could not be deleted and was left Rejected"]);
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Rejected");
    cloud.age_claims(SERVING);
    let document = promote(&cloud, &[]).document();
    assert_eq!((&document["outcome"], &document["target"]["version"]), (&json!("promoted"), &json!(2)));
}

#[test]
fn a_version_that_differs_from_its_request_is_deleted_and_the_field_is_named() {
    let cloud = with_package();
    cloud.tamper(|package| package["ModelMetrics"]["ModelQuality"]["Statistics"]["ContentType"] = json!("text/plain"));
    let field = "ModelMetrics.ModelQuality.Statistics.ContentType is \"text/plain\", not \"application/json\"";
    promote(&cloud, &[]).fails(1, &["differs from its request and was not approved", field, "was deleted"]);
    assert_eq!((promoted(&cloud).len(), cloud.calls_of("UpdateModelPackage").len()), (0, 0));
}

#[test]
fn the_register_step_keeps_what_the_target_account_decided_and_records_what_it_approves() {
    let cloud = with_package();
    promote(&cloud, &["--approval", "pending"]).document();
    let arn = promoted(&cloud)[0]["ModelPackageArn"].as_str().expect("an ARN").to_owned();
    let register = ["register", "--model-package", SOURCE_VERSION, "--target-bucket", SERVING, "--output", "json"];
    run(&cloud, Principal::Both, &register).document();
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "PendingManualApproval", "it was left so on purpose");
    let carry: Vec<&str> = register.into_iter().chain(["--approval", "carry"]).collect();
    run(&cloud, Principal::Both, &carry).document();
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Approved");
    run(&cloud, Principal::Both, &["verify", "--model-package", &arn]).fails(0, &[]);
    cloud.change(&arn, json!({"ModelApprovalStatus": "PendingManualApproval"}));
    run(&cloud, Principal::Both, &carry).document();
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "PendingManualApproval", "the target suspended it");
}

#[test]
fn an_update_of_the_status_writes_no_metadata_so_that_what_somebody_changes_meanwhile_stays() {
    let cloud = with_package();
    cloud.hook(Moment::on("UpdateModelPackage", 1), |cloud| {
        let mut metadata = promoted(cloud)[0]["CustomerMetadataProperties"].clone();
        metadata["reviewed-by"] = json!("ada");
        cloud.change(&format!("{TARGET_GROUP}/1"), json!({"CustomerMetadataProperties": metadata}));
    });
    promote(&cloud, &[]).document();
    for (status, reason) in [("Rejected", json!("Forgets the young")), ("Approved", json!("It was right"))] {
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": status, "ApprovalDescription": reason}));
        promote(&cloud, &[]).document();
        assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], status);
    }
    let sent = cloud.calls_of("UpdateModelPackage").into_iter().map(|call| call.request);
    let members: Vec<Vec<String>> =
        sent.map(|request| request.as_object().expect("a request").keys().cloned().collect()).collect();
    let only = ["ApprovalDescription", "ModelApprovalStatus", "ModelPackageArn"];
    assert_eq!(members.len(), 3, "one for each status");
    assert!(members.iter().flatten().all(|member| only.contains(&member.as_str())), "{members:?}");
    assert_eq!(promoted(&cloud)[0]["CustomerMetadataProperties"]["reviewed-by"], "ada");
}

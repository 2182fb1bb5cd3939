//! Records of syncs: written before an Update, and completed by the next run if a run was interrupted.

use super::*;

/// A promoted version that was updated by a run that could not record the result.
fn updated_without_record() -> Cloud {
    let cloud = promoted_once();
    set_team(&cloud, "risk");
    cloud.fail(Moment::on("PutObject", 2), Failure::Status(500, "InternalError", "x"));
    promote(&cloud, &[]).fails(3, &["unconfirmed: the record could not be written"]);
    cloud.heal();
    cloud
}

/// The promoted version has the metadata, and equals its record.
fn has_team(cloud: &Cloud, team: &str) {
    assert_eq!(
        (promoted(cloud)[0]["CustomerMetadataProperties"]["team"].as_str(), verify(cloud).code),
        (Some(team), 0)
    );
}

#[test]
fn an_update_that_was_not_recorded_is_recorded_by_the_next_run() {
    let cloud = updated_without_record();
    has_team(&cloud, "risk");
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "already-promoted");
    assert_eq!((records(&cloud), verify(&cloud).code), (3, 0));
}

#[test]
fn an_update_whose_record_cannot_be_written_is_not_sent() {
    let cloud = promoted_once();
    set_team(&cloud, "risk");
    cloud.fail(Moment::every("PutObject"), Failure::Status(500, "InternalError", "x"));
    promote(&cloud, &[]).fails(1, &["the record could not be written, so no field was updated"]);
    assert_eq!(promoted(&cloud)[0]["CustomerMetadataProperties"]["team"], "growth");
}

#[test]
fn an_update_that_was_announced_and_not_sent_is_sent_by_the_next_run() {
    let cloud = promoted_once();
    set_team(&cloud, "risk");
    cloud.fail(Moment::every("UpdateModelPackage"), Failure::Status(500, "InternalError", "x"));
    for _ in 0..2 {
        promote(&cloud, &[]).fails(1, &["sagemaker:UpdateModelPackage"]);
        assert_eq!((records(&cloud), verify(&cloud).code), (2, 0));
    }
    cloud.heal();
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "updated");
    has_team(&cloud, "risk");
}

#[test]
fn a_change_of_the_source_after_an_update_that_was_not_recorded_is_no_conflict() {
    let cloud = updated_without_record();
    set_team(&cloud, "sales");
    let document = promote(&cloud, &[]).document();
    assert_eq!(results(&document), pairs(&[("CustomerMetadataProperties{team}", "updated")]));
    has_team(&cloud, "sales");
}

#[test]
fn an_approval_that_was_not_recorded_is_recorded_by_the_next_run() {
    let cloud = promoted_once();
    for (status, done) in [("Rejected", "unconfirmed:"), ("Approved", "approved again, but")] {
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": status}));
        cloud.fail(Moment::every("PutObject"), Failure::Status(500, "InternalError", "x"));
        promote(&cloud, &[]).fails(3, &[&format!("{done} "), "the record could not be written"]);
        cloud.heal();
        assert_eq!((promoted(&cloud)[0]["ModelApprovalStatus"].as_str(), verify(&cloud).code), (Some(status), 5));
        promote(&cloud, &[]).document();
        assert_eq!((promoted(&cloud)[0]["ModelApprovalStatus"].as_str(), verify(&cloud).code), (Some(status), 0));
    }
}

#[test]
fn a_decision_of_the_target_account_is_recorded_and_verify_says_it() {
    let cloud = promoted_once();
    cloud.change(COPY, json!({"ModelApprovalStatus": "Rejected", "ApprovalDescription": "Not with us"}));
    assert_eq!(verify(&cloud).code, 5);
    let document = promote(&cloud, &[]).document();
    assert_eq!(
        (&document["outcome"], &document["target"]["decided_by"]),
        (&json!("already-promoted"), &json!("target"))
    );
    let verified = verify(&cloud);
    assert_eq!(verified.code, 0, "{}", verified.stdout);
    assert!(verified.stdout.contains("kept         ModelApprovalStatus\n"), "{}", verified.stdout);
    let keys = cloud.keys(SERVING);
    promote(&cloud, &[]).document();
    assert_eq!(cloud.keys(SERVING), keys, "nothing is recorded twice");
}

#[test]
fn the_newest_record_is_the_one_that_s3_has_written_last_whatever_the_clocks_of_the_machines_say() {
    let cloud = with_package();
    promote(&cloud, &["--approval", "pending"]).document();
    promote(&cloud, &["--approval", "carry"]).document();
    // The first run's machine was in the wrong century, and wrote its record a minute before the second run.
    let key = format!("{FOLDER}promotion.json");
    let text = cloud.object(SERVING, &key).expect("the record").body.bytes();
    let mut record: Value = serde_json::from_slice(&text).expect("JSON");
    record["ended"] = json!("2126-11-28T12:00:00.000000Z");
    cloud.put(SERVING, &key, record.to_string());
    cloud.age(SERVING, &key, 60.0);
    let arn = promoted(&cloud)[0]["ModelPackageArn"].as_str().expect("an ARN").to_owned();
    cloud.change(&arn, json!({"ModelApprovalStatus": "PendingManualApproval"}));
    let document = promote(&cloud, &["--approval", "carry"]).document();
    assert_eq!(document["target"]["decided_by"], "target", "{document:#}");
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "PendingManualApproval", "the target suspended it");
}

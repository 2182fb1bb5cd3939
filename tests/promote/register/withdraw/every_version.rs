//! Every promoted version follows its source, not only the latest one.

use super::*;

const METADATA: &str = "CustomerMetadataProperties";

fn verifies(cloud: &Cloud, version: u32) -> bool {
    run(cloud, Principal::Both, &["verify", "--model-package", &copy(version)]).code == 0
}

#[test]
fn an_older_version_that_is_approved_again_is_approved_again() {
    let cloud = two_promoted();
    reject(&cloud, 1);
    promote(&cloud, &[]).document();
    assert_eq!(statuses(&cloud), ["Rejected", "Approved"]);
    approve(&cloud, 1);
    let run = promote(&cloud, &[]);
    let document = run.document();
    assert_eq!((&document["outcome"], statuses(&cloud)), (&json!("already-promoted"), vec!["Approved".into(); 2]));
    let followed = &document["followed"][0];
    assert_eq!((&followed["version"], &followed["result"]), (&json!(1), &json!("approved-again")));
    assert_eq!(run.stderr, format!("approved again {}: its source is {}\n", copy(1), source(1)));
    assert!(verifies(&cloud, 1) && verifies(&cloud, 2));
    assert_eq!(promote(&cloud, &[]).document()["followed"], json!([]));
}

#[test]
fn the_metadata_of_an_older_version_follows() {
    let cloud = two_promoted();
    cloud.change(&source(1), json!({METADATA: {"team": "risk"}}));
    let document = promote(&cloud, &[]).document();
    assert_eq!(
        (&document["outcome"], &document["followed"][0]["result"]),
        (&json!("already-promoted"), &json!("updated"))
    );
    assert_eq!(document["followed"][0]["changes"][0]["field"], "CustomerMetadataProperties{team}");
    assert_eq!(promoted(&cloud)[0][METADATA]["team"], "risk");
    assert!(verifies(&cloud, 1) && verifies(&cloud, 2));
}

#[test]
fn older_versions_are_followed_although_no_version_is_approved() {
    let cloud = two_promoted();
    for version in [1, 2] {
        cloud.change(
            &source(version),
            json!({"ModelApprovalStatus": "PendingManualApproval", METADATA: {"team": "risk"}}),
        );
    }
    let document = promote(&cloud, &[]).document();
    assert_eq!(
        (&document["outcome"], document["followed"].as_array().map(Vec::len)),
        (&json!("nothing-approved"), Some(2))
    );
    assert!(promoted(&cloud).iter().all(|version| version[METADATA]["team"] == "risk"));
}

#[test]
fn a_failure_for_one_version_does_not_stop_the_others_and_is_told() {
    let cloud = two_promoted();
    cloud.register(package());
    promote(&cloud, &[]).document();
    for version in [1, 2] {
        cloud.change(&source(version), json!({METADATA: {"team": "risk"}}));
    }
    cloud.fail(Moment::on("UpdateModelPackage", 1).at("churn-model/1"), Failure::Status(500, "InternalFailure", "x"));
    let run = promote(&cloud, &[]);
    run.fails(1, &["syncing", "sagemaker:UpdateModelPackage"]);
    let document: Value = serde_json::from_str(&run.stdout).expect("a document");
    let results: Vec<&Value> =
        document["followed"].as_array().into_iter().flatten().map(|one| &one["result"]).collect();
    assert_eq!(results, [&json!("failed"), &json!("updated")]);
    cloud.heal();
    assert_eq!(promote(&cloud, &[]).document()["followed"][0]["version"], 1);
    assert!((1..=3).all(|version| verifies(&cloud, version)));
}

#[test]
fn an_older_version_with_a_missing_artifact_is_not_approved_again() {
    let cloud = two_promoted();
    reject(&cloud, 1);
    promote(&cloud, &[]).document();
    cloud.remove(SERVING, &format!("{FOLDER}models/churn/report.json"));
    approve(&cloud, 1);
    let hint = "Copy them again with `promote full --package-version 1`";
    promote(&cloud, &[]).fails(1, &["was not approved: 1 artifact is missing", hint]);
    assert_eq!(statuses(&cloud), ["Rejected", "Approved"]);
    assert_eq!(promote(&cloud, &["--package-version", "1"]).document()["outcome"], "approved-again");
    assert_eq!(statuses(&cloud), ["Approved", "Approved"]);
    assert!(verifies(&cloud, 1));
}

#[test]
fn an_explicit_approval_concerns_the_promoted_version_only() {
    let cloud = with_package();
    promote(&cloud, &["--approval", "pending"]).document();
    cloud.register(package());
    promote(&cloud, &["--approval", "carry"]).document();
    assert_eq!(statuses(&cloud), ["PendingManualApproval", "Approved"]);
}

#[test]
fn a_version_with_an_unreadable_record_is_not_approved_but_withdrawn() {
    let cloud = two_promoted();
    reject(&cloud, 1);
    promote(&cloud, &[]).document();
    let record = format!("{FOLDER}promotion-20991231T000000Z.json");
    cloud.put(SERVING, &record, "{}");
    approve(&cloud, 1);
    promote(&cloud, &[]).fails(1, &[&format!("s3://{SERVING}/{record} cannot be read as the record of a promotion")]);
    assert_eq!(statuses(&cloud), ["Rejected", "Approved"]);
    cloud.change(&copy(1), json!({"ModelApprovalStatus": "Approved"}));
    reject(&cloud, 1);
    promote(&cloud, &[]).fails(1, &["cannot be read as the record of a promotion"]);
    assert_eq!(statuses(&cloud), ["Rejected", "Approved"]);
}

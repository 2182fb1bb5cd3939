//! The target follows the source: a rejected version is withdrawn, a version that is approved again is approved again,
//! and other versions in the target group are not changed.

mod approved_again;
mod every_version;
mod faults;
mod nothing_prevents;
mod orders;
mod told;

use serde_json::{Value, json};

use crate::support::{Cloud, Failure, Moment, Principal, TARGET_ACCOUNT};
use crate::world::*;

/// A version of the source group.
fn source(version: u32) -> String {
    format!("arn:aws:sagemaker:eu-central-1:444333666777:model-package/churn-model/{version}")
}

/// Its copy, where the target group holds nothing else.
fn copy(version: u32) -> String {
    source(version).replace("444333666777", TARGET_ACCOUNT)
}

/// Two versions of the source, both promoted.
fn two_promoted() -> Cloud {
    let cloud = with_package();
    cloud.describes_until_completed(1);
    promote(&cloud, &[]).document();
    cloud.register(package());
    promote(&cloud, &[]).document();
    assert_eq!(statuses(&cloud), ["Approved", "Approved"]);
    cloud
}

/// A version that somebody in the target account has registered in the same group.
fn theirs(cloud: &Cloud) -> Value {
    let mut package = model("s3://serving/theirs.tar.gz");
    package["CustomerMetadataProperties"] =
        json!({"promote:source-arn": "arn:aws:sagemaker:eu-central-1:444333666777:model-package/other/2"});
    let arn = cloud.register_in(TARGET_ACCOUNT, package);
    cloud.package(&arn).expect("it is registered")
}

fn reject(cloud: &Cloud, version: u32) {
    let members = json!({"ModelApprovalStatus": "Rejected", "ApprovalDescription": "It forgets the young"});
    cloud.change(&source(version), members);
}

fn approve(cloud: &Cloud, version: u32) {
    let members = json!({"ModelApprovalStatus": "Approved", "ApprovalDescription": "It was right"});
    cloud.change(&source(version), members);
}

/// The approval statuses of the target group by version.
fn statuses(cloud: &Cloud) -> Vec<String> {
    promoted(cloud).iter().map(|one| one["ModelApprovalStatus"].as_str().unwrap_or_default().to_owned()).collect()
}

/// The names of the records of the promotion of a source version, and what they say.
fn records(cloud: &Cloud, version: u32) -> Vec<(String, Value)> {
    let folder = FOLDER.replace("-v1/", &format!("-v{version}/"));
    let names = cloud.keys(SERVING).into_iter().filter(|key| key.starts_with(&format!("{folder}promotion")));
    let read = |name: String| {
        let object = cloud.object(SERVING, &name).expect("it is listed");
        (name.replace(&folder, ""), serde_json::from_slice(&object.body.bytes()).expect("a record is JSON"))
    };
    names.map(read).collect()
}

#[test]
fn a_version_that_the_source_rejects_is_withdrawn_and_the_version_before_it_is_the_latest() {
    let cloud = two_promoted();
    let (artifacts, other) = (cloud.keys(SERVING), theirs(&cloud));
    let first = promoted(&cloud)[0].clone();
    reject(&cloud, 2);
    let run = promote(&cloud, &[]);
    let document = run.document();
    assert_eq!((&document["outcome"], &document["source"]["version"]), (&json!("already-promoted"), &json!(1)));
    let withdrawn = json!([{
        "model_package_arn": copy(2), "version": 2, "source_model_package_arn": source(2),
        "reason": "It forgets the young", "result": "withdrawn"
    }]);
    assert_eq!(document["withdrawn"], withdrawn);
    assert_eq!(run.stderr, format!("withdrew {}: its source {} is Rejected\n", copy(2), source(2)));
    assert_eq!(statuses(&cloud), ["Approved", "Rejected", "Approved"]);
    let said = format!("promote: withdrawn: {} is Rejected: It forgets the young", source(2));
    assert_eq!(promoted(&cloud)[1]["ApprovalDescription"], said);
    assert_eq!((&promoted(&cloud)[0], cloud.package(&copy(3))), (&first, Some(other)));
    assert!(artifacts.iter().all(|key| cloud.keys(SERVING).contains(key)), "every artifact is still there");
    let records = records(&cloud, 2);
    let [(name, record), (first_name, first)] = &records[..] else { panic!("{records:?}") };
    assert!(name.starts_with("promotion-2"), "{name} has the time of the withdrawal");
    assert_eq!((first_name.as_str(), &first["outcome"]), ("promotion.json", &json!("promoted")));
    assert_eq!((&record["outcome"], &record["withdrawn"]), (&json!("withdrawn"), &withdrawn));
    assert_eq!(record["target"]["approval_status"], "Rejected");
}

#[test]
fn a_second_run_has_nothing_left_to_withdraw() {
    let cloud = two_promoted();
    reject(&cloud, 2);
    promote(&cloud, &[]).document();
    let (before, keys) = (promoted(&cloud), cloud.keys(SERVING));
    let again = promote(&cloud, &[]);
    assert_eq!((&again.document()["withdrawn"], again.stderr.as_str()), (&json!([]), ""));
    assert_eq!((promoted(&cloud), cloud.keys(SERVING)), (before, keys));
}

#[test]
fn promoted_versions_are_withdrawn_although_no_source_version_is_approved() {
    let cloud = two_promoted();
    reject(&cloud, 1);
    reject(&cloud, 2);
    let document = promote(&cloud, &[]).document();
    assert_eq!(document["outcome"], "nothing-approved");
    assert_eq!(document["withdrawn"].as_array().map(Vec::len), Some(2));
    assert_eq!(statuses(&cloud), ["Rejected", "Rejected"]);
}

#[test]
fn a_new_version_is_promoted_and_the_rejected_one_withdrawn_by_one_run() {
    let cloud = two_promoted();
    reject(&cloud, 2);
    cloud.register(package());
    let document = promote(&cloud, &[]).document();
    assert_eq!((&document["outcome"], &document["target"]["version"]), (&json!("promoted"), &json!(3)));
    assert_eq!(document["withdrawn"][0]["version"], 2);
    assert_eq!(statuses(&cloud), ["Approved", "Rejected", "Approved"]);
    let recorded = &records(&cloud, 2)[0].1;
    assert_eq!(recorded["withdrawn"], document["withdrawn"]);
}

#[test]
fn a_rejected_version_is_withdrawn_although_the_promotion_of_another_version_fails() {
    let cloud = two_promoted();
    reject(&cloud, 2);
    let mut broken = package();
    broken["ModelMetrics"]["ModelQuality"]["Statistics"]["S3Uri"] = json!("s3://models/nothing-there.json");
    cloud.register(broken);
    promote(&cloud, &[]).fails(1, &["there is no such object", &format!("withdrew {}", copy(2))]);
    assert_eq!(statuses(&cloud), ["Approved", "Rejected"]);
}

#[test]
fn no_withdraw_changes_no_version() {
    let cloud = two_promoted();
    reject(&cloud, 2);
    let before = promoted(&cloud);
    let document = promote(&cloud, &["--no-withdraw"]).document();
    assert_eq!((&document["withdrawn"], promoted(&cloud)), (&json!([]), before));
}

#[test]
fn no_withdraw_changes_no_version_that_a_run_has_left_without_a_record() {
    let cloud = two_promoted();
    cloud.remove(SERVING, &format!("{}promotion.json", FOLDER.replace("-v1/", "-v2/")));
    reject(&cloud, 2);
    let arguments = ["--package-version", "2", "--no-withdraw"];
    let dry = promote(&cloud, &[&arguments[..], &["--dry-run"]].concat()).document();
    assert_eq!(dry["planned"], json!([]));
    promote(&cloud, &arguments).document();
    assert_eq!(statuses(&cloud), ["Approved", "Approved"]);
}

#[test]
fn a_dry_run_says_what_would_be_withdrawn_and_changes_nothing() {
    let cloud = two_promoted();
    reject(&cloud, 2);
    let (before, wrote) = (promoted(&cloud), writes(&cloud));
    let run = promote(&cloud, &["--dry-run"]);
    assert_eq!(run.document()["withdrawn"][0]["result"], "planned");
    assert_eq!((promoted(&cloud), writes(&cloud), run.stderr.as_str()), (before, wrote, ""));
}

#[test]
fn a_deleted_source_version_is_not_withdrawn() {
    let cloud = two_promoted();
    let mut client = crate::stand_in::client::Client::new(&cloud, Principal::Source);
    assert_eq!(client.registry("DeleteModelPackage", json!({"ModelPackageName": source(2)})).status, 200);
    let before = promoted(&cloud);
    let document = promote(&cloud, &[]).document();
    assert_eq!((&document["withdrawn"], promoted(&cloud)), (&json!([]), before));
    let warning = &document["warnings"][0];
    assert_eq!(warning["field"], copy(2));
    assert_eq!(warning["remark"], format!("its source {} no longer exists; the version was not changed", source(2)));
}

#[test]
fn a_version_that_waits_for_an_approval_in_the_target_is_withdrawn_and_waits_again() {
    let cloud = with_package();
    promote(&cloud, &["--approval", "pending"]).document();
    reject(&cloud, 1);
    promote(&cloud, &[]).document();
    assert_eq!(statuses(&cloud), ["Rejected"]);
    approve(&cloud, 1);
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "waits-again");
    assert_eq!(statuses(&cloud), ["PendingManualApproval"]);
    promote(&cloud, &["--approval", "carry"]).document();
    assert_eq!(statuses(&cloud), ["Approved"]);
}

#[test]
fn a_version_that_the_target_account_suspended_is_withdrawn_and_stays_suspended() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    cloud.change(&copy(1), json!({"ModelApprovalStatus": "PendingManualApproval"}));
    reject(&cloud, 1);
    promote(&cloud, &[]).document();
    assert_eq!(statuses(&cloud), ["Rejected"]);
    approve(&cloud, 1);
    for _ in 0..2 {
        promote(&cloud, &["--approval", "carry"]).document();
        assert_eq!(statuses(&cloud), ["PendingManualApproval"]);
    }
}

#[test]
fn a_version_that_is_rejected_while_it_is_copied_is_withdrawn_and_approved_with_its_source() {
    let cloud = with_package();
    cloud.hook(Moment::on("CopyObject", 1), |cloud| reject(cloud, 1));
    let run = promote(&cloud, &[]);
    run.fails(1, &["changed from Approved to Rejected during this run", "was not approved\nhint: Run again"]);
    assert_eq!(statuses(&cloud), ["PendingManualApproval"]);
    let document = promote(&cloud, &[]).document();
    assert_eq!((&document["outcome"], &document["withdrawn"][0]["version"]), (&json!("nothing-approved"), &json!(1)));
    assert_eq!(statuses(&cloud), ["Rejected"]);
    approve(&cloud, 1);
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "approved-again");
    assert_eq!(statuses(&cloud), ["Approved"]);
}

#[test]
fn a_version_that_somebody_derived_by_copying_metadata_is_left_alone() {
    let cloud = two_promoted();
    let mut derived = model("s3://serving/theirs.tar.gz");
    derived["CustomerMetadataProperties"] = promoted(&cloud)[1]["CustomerMetadataProperties"].clone();
    let arn = cloud.register_in(TARGET_ACCOUNT, derived);
    let before = cloud.package(&arn);
    reject(&cloud, 2);
    let document = promote(&cloud, &[]).document();
    assert_eq!(
        (statuses(&cloud), cloud.package(&arn)),
        (vec!["Approved".into(), "Rejected".into(), "Approved".into()], before)
    );
    let warning = &document["warnings"][0];
    assert_eq!(warning["field"], arn);
    let remark = warning["remark"].as_str().unwrap_or_default();
    assert!(remark.contains("promote has no record of this version; it was not changed"), "{remark}");
}

#[test]
fn both_outcomes_are_told_when_a_withdrawal_fails_beside_a_finished_promotion() {
    let cloud = two_promoted();
    reject(&cloud, 2);
    cloud.register(package());
    cloud.fail(Moment::on("UpdateModelPackage", 1).at("churn-model/2"), Failure::Status(500, "InternalFailure", "x"));
    let run = promote(&cloud, &[]);
    run.fails(1, &["withdrawing", "sagemaker:UpdateModelPackage"]);
    assert_eq!(run.stderr.matches("sagemaker:UpdateModelPackage").count(), 1, "{}", run.stderr);
    let document: Value = serde_json::from_str(&run.stdout).expect("a document");
    assert_eq!((&document["outcome"], &document["followed"][0]["result"]), (&json!("promoted"), &json!("failed")));
    assert_eq!(records(&cloud, 3)[0].1["outcome"], "promoted");
}

#[test]
fn a_failed_withdrawal_does_not_stop_the_promotion_of_a_new_version() {
    let cloud = two_promoted();
    reject(&cloud, 2);
    cloud.register(package());
    cloud.fail(Moment::on("UpdateModelPackage", 1).at("churn-model/2"), Failure::Status(500, "InternalFailure", "x"));
    promote(&cloud, &[]).fails(1, &["withdrawing", "sagemaker:UpdateModelPackage"]);
    assert_eq!(statuses(&cloud), ["Approved", "Approved", "Approved"]);
    assert_eq!(records(&cloud, 3)[0].1["outcome"], "promoted");
    cloud.heal();
    let document = promote(&cloud, &[]).document();
    assert_eq!(document["withdrawn"][0]["version"], 2);
    assert_eq!(statuses(&cloud), ["Approved", "Rejected", "Approved"]);
}

#[test]
fn a_version_is_withdrawn_although_its_record_or_its_other_fields_cannot_be_written() {
    for denied in ["PutObject", "UpdateModelPackage"] {
        let cloud = two_promoted();
        reject(&cloud, 2);
        cloud.change(&source(2), json!({"CustomerMetadataProperties": {"team": "other"}}));
        let moment = Moment::every(denied);
        let moment = if denied == "PutObject" { moment } else { Moment::on(denied, 2).times(100) };
        cloud.fail(moment, Failure::Status(403, "AccessDenied", "Access Denied"));
        let run = promote(&cloud, &[]);
        run.fails(3, &["unconfirmed: "]);
        assert!(!run.stderr.contains("promoted, but"), "nothing was promoted: {}", run.stderr);
        assert_eq!(statuses(&cloud), ["Approved", "Rejected"], "{denied}");
        cloud.heal();
        promote(&cloud, &[]).document();
        assert_eq!(promoted(&cloud)[1]["CustomerMetadataProperties"]["team"], "other");
    }
}

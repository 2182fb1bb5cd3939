//! Versions without a record, and versions beside one that has a record: which are promotions, and what a run does with them.

use serde_json::{Value, json};

use super::races::arn_of_version;
use crate::support::{Cloud, Moment, Principal, TARGET_ACCOUNT};
use crate::world::*;

fn approvals(cloud: &Cloud) -> Vec<String> {
    let status = |version: &Value| version["ModelApprovalStatus"].as_str().unwrap_or_default().to_owned();
    promoted(cloud).iter().map(status).collect()
}

fn verifies(cloud: &Cloud, version: u32) {
    let verify = run(cloud, Principal::Both, &["verify", "--model-package", &arn_of_version(version)]);
    assert_eq!(verify.code, 0, "{}{}", verify.stdout, verify.stderr);
}

/// Registers what the last run has requested once more, changed, with this approval.
fn register_again(cloud: &Cloud, approval: &str, change: impl FnOnce(&mut Value)) -> String {
    let mut request = create_request(cloud);
    request.as_object_mut().expect("a request").shift_remove("ClientToken");
    request["ModelApprovalStatus"] = approval.into();
    change(&mut request);
    cloud.register_in(TARGET_ACCOUNT, request)
}

fn derive(request: &mut Value) {
    request["InferenceSpecification"]["Containers"][0]["Environment"]["LEVEL"] = "debug".into();
}

/// A promoted version whose record is lost, and a second version of the source.
fn older_without_a_record() -> Cloud {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    cloud.remove(SERVING, &format!("{FOLDER}promotion.json"));
    cloud.register(package());
    cloud
}

fn remark(document: &Value, arn: &str) -> String {
    let warnings = document["warnings"].as_array().into_iter().flatten();
    let of = warnings.filter(|warning| warning["field"] == arn).filter_map(|warning| warning["remark"].as_str());
    of.collect()
}

#[test]
fn an_older_approved_version_that_a_killed_run_has_left_without_a_record_is_recorded_and_follows_its_source() {
    let cloud = older_without_a_record();
    let planned = promote(&cloud, &["--dry-run"]).document();
    assert!(remark(&planned, &arn_of_version(1)).contains("has no record"), "{planned:#}");
    let recorded = promote(&cloud, &[]);
    let document = recorded.document();
    assert_eq!((&document["outcome"], &document["followed"][0]["result"]), (&json!("promoted"), &json!("recorded")));
    let told = format!("wrote a record of {}", arn_of_version(1));
    assert!(recorded.stderr.contains(&told), "{}", recorded.stderr);
    verifies(&cloud, 1);
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "risk"}}));
    assert_eq!(promote(&cloud, &[]).document()["followed"][0]["result"], "updated");
    assert_eq!(promoted(&cloud)[0]["CustomerMetadataProperties"]["team"], "risk");
    verifies(&cloud, 1);
}

#[test]
fn an_older_version_without_a_record_is_recorded_although_the_registry_adds_values() {
    for defaults in [true, false] {
        let cloud = with_package();
        if defaults {
            cloud.add_defaults()
        } else {
            cloud.add_empty_members()
        }
        promote(&cloud, &[]).document();
        cloud.remove(SERVING, &format!("{FOLDER}promotion.json"));
        cloud.register(package());
        let document = promote(&cloud, &[]).document();
        assert_eq!(document["followed"][0]["result"], "recorded", "{document:#}");
        verifies(&cloud, 1);
    }
}

#[test]
fn an_older_version_without_a_record_whose_metadata_has_changed_on_both_sides_is_recorded() {
    let cloud = older_without_a_record();
    let mut metadata = promoted(&cloud)[0]["CustomerMetadataProperties"].clone();
    metadata["theirs"] = "1".into();
    cloud.change(&arn_of_version(1), json!({"CustomerMetadataProperties": metadata}));
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "risk"}}));
    promote(&cloud, &[]).document();
    promote(&cloud, &[]).document();
    let metadata = &promoted(&cloud)[0]["CustomerMetadataProperties"];
    assert_eq!((&metadata["team"], &metadata["theirs"]), (&json!("risk"), &json!("1")));
    verifies(&cloud, 1);
}

#[test]
fn an_older_version_without_a_record_that_differs_in_what_is_deployed_is_named_and_not_recorded() {
    let cloud = older_without_a_record();
    cloud.change(&arn_of_version(1), json!({"ModelPackageDescription": "theirs"}));
    let document = promote(&cloud, &[]).document();
    assert!(remark(&document, &arn_of_version(1)).contains("has no record"), "{document:#}");
    assert!(!cloud.keys(SERVING).contains(&format!("{FOLDER}promotion.json")));
}

#[test]
fn a_version_without_a_record_is_withdrawn_and_one_that_somebody_has_derived_from_it_is_named() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let derived = register_again(&cloud, "Approved", derive);
    cloud.remove(SERVING, &format!("{FOLDER}promotion.json"));
    cloud.register(package());
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    let document = promote(&cloud, &[]).document();
    assert_eq!(approvals(&cloud), ["Rejected", "Approved", "Approved"]);
    assert!(remark(&document, &derived).contains("promote has no record of this version"), "{document:#}");
    verifies(&cloud, 1);
    promote(&cloud, &[]).document();
    verifies(&cloud, 1);
}

#[test]
fn a_second_version_beside_a_recorded_promotion_is_named_and_not_changed() {
    for approval in ["Approved", "PendingManualApproval"] {
        for is_derived in [false, true] {
            let cloud = with_package();
            promote(&cloud, &[]).document();
            let second = register_again(&cloud, approval, |request| {
                if is_derived {
                    derive(request);
                }
            });
            let document = promote(&cloud, &[]).document();
            let names = format!("its metadata names {SOURCE_VERSION}, whose promoted version is {}", arn_of_version(1));
            assert!(remark(&document, &second).starts_with(&names), "{document:#}");
            assert_eq!(approvals(&cloud), ["Approved", approval], "{is_derived}");
            verifies(&cloud, 1);
        }
    }
}

#[test]
fn a_second_version_is_named_by_a_run_with_another_prefix_too() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let second = register_again(&cloud, "PendingManualApproval", |_| {});
    let document = promote(&cloud, &["--target-prefix", "other"]).document();
    assert!(
        remark(&document, &second).contains(&format!("whose promoted version is {}", arn_of_version(1))),
        "{document:#}"
    );
    assert_eq!(approvals(&cloud), ["Approved", "PendingManualApproval"]);
}

#[test]
fn a_second_version_of_the_same_request_is_withdrawn_with_the_source() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    register_again(&cloud, "Approved", |_| {});
    register_again(&cloud, "Approved", derive);
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    promote(&cloud, &[]).document();
    assert_eq!(approvals(&cloud), ["Rejected", "Rejected", "Approved"]);
}

#[test]
fn a_second_version_that_somebody_has_approved_in_place_of_a_pending_promotion_stays() {
    let cloud = with_package();
    promote(&cloud, &["--approval", "pending"]).document();
    cloud.remove(SERVING, &format!("{FOLDER}promotion.json"));
    register_again(&cloud, "Approved", |_| {});
    let planned = promote(&cloud, &["--dry-run"]).document()["planned"].to_string();
    assert!(!planned.contains("discard"), "{planned}");
    promote(&cloud, &[]).document();
    assert_eq!(approvals(&cloud), ["PendingManualApproval", "Approved"]);
}

#[test]
fn an_older_version_that_is_suspended_while_its_record_is_written_is_not_approved_again() {
    let cloud = older_without_a_record();
    promote(&cloud, &["--dry-run"]).document();
    cloud.hook(Moment::on("DescribeModelPackage", 2).at(&arn_of_version(1)), |cloud| {
        cloud.change(&arn_of_version(1), json!({"ModelApprovalStatus": "PendingManualApproval"}));
    });
    promote(&cloud, &[]).document();
    assert_eq!(approvals(&cloud), ["PendingManualApproval", "Approved"]);
}

#[test]
fn the_record_of_a_promotion_does_not_wait_for_the_versions_that_are_followed() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    cloud.register(package());
    cloud.fail(Moment::every("GetObject").at("-v1/promotion.json"), crate::support::Failure::Hang);
    let child = spawn(&cloud, &[]);
    let record = format!("{}promotion.json", FOLDER.replace("-v1/", "-v2/"));
    waits_until("the record is written", || cloud.keys(SERVING).contains(&record));
    killed(&cloud, child);
    verifies(&cloud, 2);
}

#[test]
fn a_file_whose_name_only_begins_as_that_of_a_record_stops_no_run_and_is_named_by_verify() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let stray = format!("{FOLDER}promotion-notes.json");
    cloud.put(SERVING, &stray, "[]");
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "already-promoted");
    let verify = run(&cloud, Principal::Both, &["verify", "--model-package", &arn_of_version(1)]);
    assert_eq!(verify.code, 5);
    assert!(verify.told().contains(&stray) && !verify.stdout.contains("not a record"), "{}", verify.stdout);
}

#[test]
fn of_two_approved_versions_of_an_older_source_version_without_records_the_first_is_the_promotion() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let second = register_again(&cloud, "Approved", |_| {});
    cloud.remove(SERVING, &format!("{FOLDER}promotion.json"));
    cloud.register(package());
    let document = promote(&cloud, &[]).document();
    assert!(!remark(&document, &second).is_empty(), "{document:#}");
    let followed = &document["followed"];
    assert_eq!(followed[0]["model_package_arn"], arn_of_version(1), "{followed:#}");
    assert_eq!(followed.as_array().map(Vec::len), Some(1), "{followed:#}");
    assert_eq!(approvals(&cloud), ["Approved", "Rejected", "Approved"]);
    verifies(&cloud, 1);
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "risk"}}));
    promote(&cloud, &[]).document();
    assert_eq!(promoted(&cloud)[0]["CustomerMetadataProperties"]["team"], "risk");
}

#[test]
fn a_second_version_of_an_older_source_version_without_records_has_one_warning_that_says_what_became_of_it() {
    let cases = [
        ("Approved", false, "it was Approved, and was rejected"),
        ("PendingManualApproval", false, "was deleted"),
        ("Approved", true, "it was not changed"),
    ];
    for (approval, is_derived, became) in cases {
        let cloud = with_package();
        promote(&cloud, &[]).document();
        let second = register_again(&cloud, approval, |request| {
            if is_derived {
                derive(request);
            }
        });
        cloud.remove(SERVING, &format!("{FOLDER}promotion.json"));
        cloud.register(package());
        let before = approvals(&cloud);
        let planned = promote(&cloud, &["--dry-run"]).document();
        let told = remark(&planned, &second);
        assert!(!told.contains("to write the record"), "{planned:#}");
        assert_eq!(warnings_about(&planned, &second), 1, "{planned:#}");
        assert_eq!(approvals(&cloud), before);
        let document = promote(&cloud, &[]).document();
        assert_eq!(document["followed"][0]["result"], "recorded", "{document:#}");
        assert!(remark(&document, &second).contains(became), "{document:#}");
        assert_eq!(warnings_about(&document, &second), 1, "{document:#}");
        verifies(&cloud, 1);
    }
}

fn warnings_about(document: &Value, arn: &str) -> usize {
    document["warnings"].as_array().into_iter().flatten().filter(|warning| warning["field"] == arn).count()
}

//! What AWS would refuse is refused before the first write, by its field.

use serde_json::{Map, Value, json};

use super::*;
use crate::support::TARGET_ACCOUNT;

#[test]
fn a_location_that_becomes_too_long_is_refused_by_its_field() {
    let cloud = with_package();
    let key = format!("{}/payload.csv", "k".repeat(960));
    cloud.put(MODELS, &key, "payload");
    cloud.change(SOURCE_VERSION, json!({"SamplePayloadUrl": format!("s3://models/{key}")}));
    let run = refused(&cloud, "too-long-location", 1, &FULL);
    assert!(run.stderr.contains("SamplePayloadUrl has "), "{}", run.stderr);
}

#[test]
fn a_key_below_a_prefix_that_becomes_too_long_is_refused_by_its_field() {
    let cloud = with_package();
    cloud.put(MODELS, &format!("churn/llm/{}", "k".repeat(1000)), "shard");
    let run = refused(&cloud, "too-long-key", 1, &FULL);
    assert!(run.stderr.contains("S3 allows 1024"), "{}", run.stderr);
}

#[test]
fn metadata_without_room_for_the_provenance_is_refused() {
    let cloud = with_package();
    let metadata: Map<String, Value> = (0..50).map(|n| (format!("key-{n}"), json!("value"))).collect();
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": metadata}));
    let run = refused(&cloud, "metadata-without-room", 1, &FULL);
    assert!(run.stderr.contains("of which promote needs 2"), "{}", run.stderr);
    assert!(run.stderr.contains("--customer-metadata-properties-to-remove"), "{}", run.stderr);
}

#[test]
fn an_approval_description_that_no_update_accepts_is_refused() {
    let cloud = with_package();
    cloud.change(SOURCE_VERSION, json!({"ApprovalDescription": "Reviewed\nby the risk board"}));
    refused(&cloud, "approval-description-of-two-lines", 1, &FULL);
}

#[test]
fn every_offending_field_is_named_at_once() {
    let cloud = with_package();
    let long = "d".repeat(1025);
    cloud.change(
        SOURCE_VERSION,
        json!({
            "ModelPackageDescription": long, "ApprovalDescription": long,
            "CustomerMetadataProperties": {"a key with $": "value"}
        }),
    );
    let run = refused(&cloud, "several-offending-fields", 1, &FULL);
    let fields = ["ModelPackageDescription", "ApprovalDescription", "CustomerMetadataProperties{a key with $}"];
    assert!(fields.iter().all(|field| run.stderr.contains(field)), "{}", run.stderr);
}

#[test]
fn a_package_that_fails_in_the_target_is_reported_with_its_reason_and_removed() {
    let cloud = with_package();
    cloud.fail_next_package("The image cannot be scanned");
    says(&cloud, "fails-in-the-target", 1, &FULL);
    assert!(promoted(&cloud).is_empty());
    assert_eq!(cloud.calls_of("UpdateModelPackage").len(), 0);
    // A higher version shows that version 1 was deleted, and the next run need not wait for it.
    cloud.register_in(TARGET_ACCOUNT, model("s3://serving/theirs.tar.gz"));
    cloud.age_claims(SERVING);
    assert_eq!(promote(&cloud, &[]).document()["target"]["version"], 3, "the next run registers it again");
}

#[test]
fn a_failed_package_that_may_not_be_removed_is_left_rejected() {
    let cloud = with_package();
    cloud.fail_next_package("The image cannot be scanned");
    cloud.deny(Principal::Both, "sagemaker:DeleteModelPackage", "*");
    says(&cloud, "fails-and-stays-rejected", 1, &FULL);
    let versions = promoted(&cloud);
    assert_eq!(versions[0]["ModelApprovalStatus"], "Rejected");
    cloud.age_claims(SERVING);
    let again = promote(&cloud, &[]).document();
    assert_eq!(again["target"]["version"], 2, "the next run registers it anew");
    assert_eq!(promoted(&cloud)[1]["ModelApprovalStatus"], "Approved");
}

#[test]
fn a_failed_package_that_can_neither_be_removed_nor_rejected_is_named() {
    let cloud = with_package();
    cloud.fail_next_package("The image cannot be scanned");
    cloud.deny(Principal::Both, "sagemaker:DeleteModelPackage", "*");
    cloud.deny(Principal::Both, "sagemaker:UpdateModelPackage", "*");
    says(&cloud, "fails-and-has-to-be-removed-by-hand", 1, &FULL);
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "PendingManualApproval");
}

#[test]
fn a_package_that_is_not_what_was_asked_for_is_named_by_its_fields_and_removed() {
    let cloud = with_package();
    cloud.tamper(|shown| {
        shown["Domain"] = json!("somebody else's");
        shown["InferenceSpecification"]["Containers"][0]["Environment"]["LEVEL"] = json!("debug");
        shown.as_object_mut().expect("a package").remove("ModelPackageDescription");
    });
    says(&cloud, "not-what-was-asked-for", 1, &FULL);
    assert!(promoted(&cloud).is_empty());
    assert!(cloud.calls_of("UpdateModelPackage").is_empty(), "it was never approved");
}

#[test]
fn an_approval_that_does_not_hold_is_unconfirmed() {
    let cloud = with_package();
    cloud.tamper(|shown| shown["ModelApprovalStatus"] = json!("PendingManualApproval"));
    let run = says(&cloud, "approval-that-does-not-hold", 3, &FULL);
    assert!(run.stderr.contains("ModelApprovalStatus"), "{}", run.stderr);
    assert_eq!(cloud.calls_of("UpdateModelPackage").len(), 1);
}

#[test]
fn a_package_that_does_not_become_complete_is_not_waited_for_without_end() {
    let cloud = with_package();
    cloud.describes_until_completed(1000);
    says(&cloud, "not-complete-in-time", 1, &full_with(&["--wait-seconds", "1"]));
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "PendingManualApproval");
    let arn = promoted(&cloud)[0]["ModelPackageArn"].as_str().expect("an ARN").to_owned();
    cloud.describes_until_completed(1);
    cloud.complete(&arn);
    assert_eq!(promote(&cloud, &[]).document()["target"]["version"], 1);
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Approved");
}

//! What does not prevent a withdrawal: no record, a record or a source that cannot be read, and other fields that cannot be
//! synced.

use super::*;

const METADATA: &str = "CustomerMetadataProperties";

/// The key of the first record of a promotion.
fn record(version: u32) -> String {
    format!("{}promotion.json", FOLDER.replace("-v1/", &format!("-v{version}/")))
}

#[test]
fn a_version_without_artifacts_that_a_killed_run_has_left_without_a_record_is_withdrawn() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let mut without = model("");
    without["InferenceSpecification"]["Containers"][0].as_object_mut().expect("a container").remove("ModelDataUrl");
    cloud.register(without.clone());
    promote(&cloud, &[]).document();
    cloud.remove(SERVING, &record(2));
    let mut theirs = without;
    theirs[METADATA] = json!({"promote:source-arn": source(2), "promote:request-sha256": "0".repeat(64)});
    cloud.register_in(TARGET_ACCOUNT, theirs);
    reject(&cloud, 2);
    let document = promote(&cloud, &[]).document();
    assert_eq!(document["withdrawn"][0]["version"], 2, "{document:#}");
    assert_eq!(statuses(&cloud), ["Approved", "Rejected", "Approved"]);
    assert_eq!(document["warnings"][0]["field"], copy(3));
}

#[test]
fn a_version_whose_record_cannot_be_read_is_withdrawn() {
    let cloud = two_promoted();
    reject(&cloud, 2);
    cloud.deny(Principal::Both, "s3:GetObject", &format!("{SERVING}/{}", record(2)));
    let run = promote(&cloud, &[]);
    run.fails(1, &["s3:GetObject", &record(2)]);
    assert_eq!(statuses(&cloud), ["Approved", "Rejected"]);
    let document: Value = serde_json::from_str(&run.stdout).expect("a document");
    let remark = document["warnings"][0]["remark"].as_str().unwrap_or_default();
    assert!(remark.starts_with("its records cannot be read, so only a withdrawal is possible: "), "{remark}");
}

#[test]
fn a_version_promoted_to_another_prefix_is_withdrawn_although_its_record_is_lost() {
    let cloud = with_package();
    promote(&cloud, &["--target-prefix", "old"]).document();
    cloud.remove(SERVING, &format!("old/{}", record(1)));
    reject(&cloud, 1);
    let document = promote(&cloud, &["--package-version", "1"]).document();
    assert_eq!((&document["outcome"], &document["withdrawn"][0]["version"]), (&json!("withdrawn"), &json!(1)));
    assert_eq!(statuses(&cloud), ["Rejected"]);
}

#[test]
fn a_version_whose_source_cannot_be_described_and_is_listed_as_rejected_is_withdrawn() {
    for without_record in [false, true] {
        let cloud = two_promoted();
        cloud.change(&source(2), json!({METADATA: {"team": "risk"}}));
        reject(&cloud, 2);
        cloud.deny(Principal::Both, "sagemaker:DescribeModelPackage", &source(2));
        if without_record {
            cloud.remove(SERVING, &record(2));
        }
        let run = promote(&cloud, &[]);
        assert_eq!(run.document()["withdrawn"][0]["version"], 2);
        assert_eq!(statuses(&cloud), ["Approved", "Rejected"]);
        if !without_record {
            cloud.allow(Principal::Both, "sagemaker:DescribeModelPackage", &source(2));
            promote(&cloud, &[]).document();
            assert_eq!(promoted(&cloud)[1][METADATA]["team"], "risk", "it is synced when it can be read");
        }
    }
}

#[test]
fn a_source_version_that_cannot_be_read_and_is_not_listed_as_rejected_is_not_withdrawn() {
    let cloud = two_promoted();
    cloud.deny(Principal::Both, "sagemaker:DescribeModelPackage", &source(1));
    let before = promoted(&cloud);
    let document = promote(&cloud, &[]).document();
    assert_eq!((&document["withdrawn"], promoted(&cloud)), (&json!([]), before));
    let remark = document["warnings"][0]["remark"].as_str().unwrap_or_default();
    assert!(
        remark.starts_with("its source cannot be read; the version was not changed: source: sagemaker:Describe"),
        "{remark}"
    );
}

#[test]
fn fields_that_cannot_be_synced_are_told_beside_a_withdrawal_and_synced_later() {
    let cloud = two_promoted();
    cloud.change(&source(2), json!({METADATA: {"team": "risk"}, "NewMember": 1}));
    reject(&cloud, 2);
    let run = promote(&cloud, &[]);
    run.fails(3, &["the version was not synced otherwise: ", "NewMember"]);
    assert_eq!(statuses(&cloud), ["Approved", "Rejected"]);
    promote(&cloud, &["--ignore-unknown-fields"]).document();
    assert_eq!(
        (statuses(&cloud), &promoted(&cloud)[1][METADATA]["team"]),
        (vec!["Approved".to_owned(), "Rejected".to_owned()], &json!("risk"))
    );
}

#[test]
fn a_failed_version_that_is_approved_is_named_and_not_withdrawn() {
    let cloud = two_promoted();
    cloud.change(&copy(2), json!({"ModelPackageStatus": "Failed"}));
    reject(&cloud, 2);
    let document = promote(&cloud, &[]).document();
    assert_eq!(statuses(&cloud), ["Approved", "Approved"]);
    let remark = format!(
        "its source {} is Rejected; the version is Failed and cannot be deployed, so it stays Approved",
        source(2)
    );
    assert_eq!(document["warnings"], json!([{"field": copy(2), "remark": remark}]));
}

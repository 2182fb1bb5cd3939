//! What a repeated run says of the artifacts: it compares them with their record, copies missing ones again, and calls
//! those recorded that it has not looked at.

use serde_json::{Value, json};

use crate::support::{Attributes, Cloud, Principal};
use crate::world::*;

/// The promoted version.
const PROMOTED: &str = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/1";

fn promoted_before() -> Cloud {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    cloud
}

fn weights() -> String {
    format!("{FOLDER}models/churn/model.tar.gz")
}

fn results(document: &Value) -> Vec<&str> {
    let artifacts = document["artifacts"].as_array().expect("a list");
    artifacts.iter().filter_map(|artifact| artifact["result"].as_str()).collect()
}

fn verify(cloud: &Cloud) -> Run {
    run(cloud, Principal::Both, &["verify", "--model-package", PROMOTED])
}

#[test]
fn a_repeated_run_compares_every_artifact_with_its_record() {
    let cloud = promoted_before();
    let again = promote(&cloud, &[]).document();
    assert_eq!((&again["outcome"], results(&again)), (&json!("already-promoted"), vec!["already-there"; 4]));
    assert_eq!(again.get("artifacts_recorded"), None);
}

#[test]
fn nothing_is_copied_to_a_promoted_version_if_the_source_has_replaced_or_added_an_object() {
    let replaced: fn(&Cloud) = |cloud| cloud.put(MODELS, "churn/model.tar.gz", "other weights");
    let added: fn(&Cloud) = |cloud| cloud.put(MODELS, "churn/llm/shard/2.bin", "two");
    for (change, says) in
        [(replaced, "has changed since it was promoted"), (added, "was not promoted with this version")]
    {
        let cloud = promoted_before();
        cloud.remove(SERVING, &weights());
        change(&cloud);
        let before = cloud.keys(SERVING);
        promote(&cloud, &[]).fails(1, &[says, "the version was not changed"]);
        assert_eq!(cloud.keys(SERVING), before);
    }
}

#[test]
fn a_missing_artifact_of_an_approved_version_is_copied_again_and_recorded() {
    let cloud = promoted_before();
    let copy = cloud.object(SERVING, &weights()).expect("the copy");
    cloud.remove(SERVING, &weights());
    let before = cloud.keys(SERVING);
    let planned = promote(&cloud, &["--dry-run"]).document();
    assert_eq!((&planned["outcome"], &planned["planned"][0]["act"]), (&json!("planned"), &json!("copy")));
    assert_eq!(planned["planned"].as_array().map(Vec::len), Some(1), "{planned:#}");
    assert_eq!(cloud.keys(SERVING), before);
    let run = promote(&cloud, &[]);
    let repaired = run.document();
    assert_eq!(repaired["outcome"], "repaired");
    let mut found = results(&repaired);
    found.sort_unstable();
    assert_eq!(found, ["already-there", "already-there", "already-there", "copied"]);
    assert_eq!(cloud.object(SERVING, &weights()).expect("the copy").body, copy.body);
    assert_eq!(verify(&cloud).code, 0);
    let keys = cloud.keys(SERVING);
    assert_eq!(keys.iter().filter(|key| key.starts_with(&format!("{FOLDER}promotion-"))).count(), 1, "{keys:?}");
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "already-promoted");
    assert_eq!((cloud.keys(SERVING), promoted(&cloud).len()), (keys, 1));
}

#[test]
fn a_replaced_artifact_of_an_approved_version_fails_the_run_and_is_never_overwritten() {
    let cloud = promoted_before();
    cloud.put(SERVING, &weights(), "four".as_bytes().to_vec());
    for more in [&[][..], &["--dry-run"]] {
        promote(&cloud, more)
            .fails(1, &["1 object differs from the promotion record", "model.tar.gz: its size is 4 bytes"]);
    }
    assert_eq!(cloud.object(SERVING, &weights()).expect("an object").body.bytes().as_ref(), b"four");
    cloud.remove(SERVING, &weights());
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "repaired");
}

#[test]
fn a_replaced_artifact_does_not_prevent_a_withdrawal() {
    let cloud = promoted_before();
    cloud.put(SERVING, &weights(), "four".as_bytes().to_vec());
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    let withdrawn = promote(&cloud, &["--package-version", "1"]).document();
    assert_eq!((&withdrawn["outcome"], results(&withdrawn)), (&json!("withdrawn"), vec!["recorded"; 4]));
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Rejected");
}

#[test]
fn artifacts_that_a_run_has_not_looked_at_are_called_recorded_with_the_date() {
    let cloud = promoted_before();
    // The people of the target have rejected the version and removed its artifacts.
    cloud.change(PROMOTED, json!({"ModelApprovalStatus": "Rejected", "ApprovalDescription": "Not for us"}));
    cloud.remove(SERVING, &weights());
    let first: Value = serde_json::from_slice(
        &cloud.object(SERVING, &format!("{FOLDER}promotion.json")).expect("a record").body.bytes(),
    )
    .expect("JSON");
    for _ in 0..2 {
        let document = promote(&cloud, &[]).document();
        assert_eq!(results(&document), ["recorded"; 4]);
        assert_eq!(document["artifacts_recorded"], first["ended"]);
    }
    let text = run(&cloud, Principal::Both, &full());
    let day = &first["ended"].as_str().expect("a time")[..10];
    assert!(text.told().contains(&format!("4 recorded on {day}, not compared by this run")), "{}", text.stdout);
    assert!(cloud.object(SERVING, &weights()).is_none());
}

#[test]
fn a_folder_with_more_than_10_000_recorded_artifacts_is_not_listed() {
    let cloud = promoted_before();
    let key = format!("{FOLDER}promotion.json");
    let mut record: Value =
        serde_json::from_slice(&cloud.object(SERVING, &key).expect("a record").body.bytes()).expect("JSON");
    let artifacts = record["artifacts"].as_array_mut().expect("a list");
    for number in artifacts.len()..10_001 {
        let mut artifact = artifacts[0].clone();
        artifact["target"] = format!("s3://{SERVING}/{FOLDER}models/{number}").into();
        artifacts.push(artifact);
    }
    cloud.put(SERVING, &key, serde_json::to_vec(&record).expect("JSON"));
    let lists = cloud.calls_of("ListObjectsV2").len();
    let document = promote(&cloud, &[]).document();
    assert_eq!((results(&document).len(), results(&document)[10_000]), (10_001, "recorded"));
    assert_eq!(cloud.calls_of("ListObjectsV2").len() - lists, 2, "the folders, and the records");
}

#[test]
fn an_archived_copy_is_named_before_an_approval_and_by_verify() {
    for attributes in [
        Attributes::default().storage_class("GLACIER"),
        Attributes::default().storage_class("DEEP_ARCHIVE"),
        Attributes::default().archive_tier("DEEP_ARCHIVE_ACCESS"),
    ] {
        let archive = |cloud: &Cloud| {
            let copy = cloud.object(SERVING, &weights()).expect("the copy");
            cloud.put_with(SERVING, &weights(), copy.body, attributes.clone());
        };
        let cloud = with_package();
        let arguments = ["copy-artifacts", "--model-package", SOURCE_VERSION, "--target-bucket", SERVING];
        assert_eq!(run(&cloud, Principal::Both, &arguments).code, 0);
        archive(&cloud);
        promote(&cloud, &[]).fails(1, &["model.tar.gz is archived", "Restore the object"]);
        assert_eq!(promoted(&cloud).len(), 0);
        let cloud = with_package();
        promote(&cloud, &["--approval", "pending"]).document();
        archive(&cloud);
        let run = promote(&cloud, &["--approval", "carry"]);
        run.fails(1, &["the version was not approved", "model.tar.gz: the object is archived"]);
        assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "PendingManualApproval");
        let verified = verify(&cloud);
        assert_eq!(verified.code, 5);
        assert!(verified.told().contains("the object is archived"), "{}", verified.stdout);
    }
}

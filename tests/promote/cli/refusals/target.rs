//! Where to: what the target holds already, and places that are none.

use super::*;
use crate::support::{Attributes, TARGET_ACCOUNT};

#[test]
fn a_different_object_at_the_target_is_not_overwritten() {
    let cloud = with_package();
    let key = format!("{FOLDER}models/churn/model.tar.gz");
    cloud.put_with(SERVING, &key, "somebody's", Attributes::default().metadata("whose", "somebody's"));
    let run = says(&cloud, "different-object-at-the-target", 1, &FULL);
    for side in ["s3://models/churn/model.tar.gz", &format!("s3://{SERVING}/{key}")] {
        assert!(run.stderr.contains(side), "{}", run.stderr);
    }
    let there = cloud.object(SERVING, &key).expect("the object");
    assert_eq!((there.body.bytes().as_ref(), there.metadata("whose")), (b"somebody's".as_slice(), Some("somebody's")));
    assert!(cloud.calls_of("CreateModelPackage").is_empty() && cloud.calls_of("DeleteObject").is_empty());
}

#[test]
fn a_different_object_of_the_same_size_is_not_overwritten() {
    let cloud = with_package();
    cloud.put(SERVING, &format!("{FOLDER}models/churn/model.tar.gz"), "WEIGHTS");
    says(&cloud, "different-object-of-the-same-size", 1, &FULL);
    assert!(cloud.calls_of("CreateModelPackage").is_empty());
    let there = cloud.object(SERVING, &format!("{FOLDER}models/churn/model.tar.gz")).expect("the object");
    assert_eq!(there.body.bytes().as_ref(), b"WEIGHTS");
}

#[test]
fn a_dry_run_refuses_to_overwrite_as_the_run_would() {
    let cloud = with_package();
    cloud.put(SERVING, &format!("{FOLDER}models/churn/model.tar.gz"), "somebody's");
    let run = refused(&cloud, "dry-run-different-object", 1, &full_with(&["--dry-run"]));
    assert!(run.stderr.contains("refusing to overwrite"), "{}", run.stderr);
}

#[test]
fn a_promotion_into_itself_is_refused() {
    let cloud = with_package();
    for (group, name) in [(GROUP, "into-itself"), ("churn-model", "into-itself-in-lower-case")] {
        let arguments = full_with(&["--target-group", group]);
        let run = run(&cloud, Principal::Source, &arguments);
        assert_eq!(run.code, 1, "{}", run.stderr);
        assert_snapshot(name, &shown(&cloud, &arguments, &run));
    }
    assert_eq!(writes(&cloud), Vec::<String>::new());
}

#[test]
fn a_group_that_is_missing_is_refused_where_it_may_not_be_created() {
    let cloud = with_package();
    refused(&cloud, "no-create-group", 1, &full_with(&["--no-create-group"]));
    cloud.create_group(TARGET_ACCOUNT, GROUP, serde_json::json!({}));
    assert_eq!(promote(&cloud, &["--no-create-group"]).document()["outcome"], "promoted");
    assert!(cloud.calls_of("CreateModelPackageGroup").is_empty());
}

#[test]
fn a_bucket_that_does_not_exist_is_named() {
    let cloud = with_package();
    let arguments = ["full", "--group", GROUP_ARN, "--target-bucket", "no-such-bucket"];
    refused(&cloud, "no-such-target-bucket", 1, &arguments);
}

#[test]
fn a_bucket_in_another_region_is_named_with_its_region() {
    let cloud = with_package();
    cloud.create_bucket_in("far-away", TARGET_ACCOUNT, "us-west-2");
    let run =
        refused(&cloud, "target-bucket-far-away", 1, &["full", "--group", GROUP_ARN, "--target-bucket", "far-away"]);
    assert!(run.stderr.contains("--target-region us-west-2"), "{}", run.stderr);
}

#[test]
fn a_key_of_another_region_is_refused() {
    let cloud = with_package();
    let key = "arn:aws:kms:us-west-2:111222333444:key/66666666-7777-8888-9999-000000000000";
    refused(&cloud, "key-of-another-region", 1, &full_with(&["--kms-key-arn", key]));
}

#[test]
fn a_key_of_the_source_account_and_an_alias_are_refused() {
    let cloud = with_package();
    for key in [
        "arn:aws:kms:eu-central-1:444333666777:key/66666666-7777-8888-9999-000000000000",
        "arn:aws:kms:eu-central-1:111222333444:alias/serving",
    ] {
        let (name, code) = if key.contains("alias") { ("key-by-its-alias", 2) } else { ("key-of-the-source", 1) };
        refused(&cloud, name, code, &full_with(&["--kms-key-arn", key]));
    }
}

#[test]
fn something_that_is_no_record_where_the_record_should_be_stops_the_run() {
    let cloud = with_package();
    cloud.put(SERVING, &format!("{FOLDER}promotion.json"), "no JSON");
    refused(&cloud, "no-record-at-its-place", 1, &FULL);
}

//! `promote withdraw`: rejects what the source has rejected, and does nothing else.

use serde_json::{Value, json};

use crate::support::{Cloud, Principal};
use crate::world::*;

pub(super) fn withdraw(cloud: &Cloud, more: &[&str]) -> Run {
    let group = Cloud::group_arn(GROUP);
    let flags = ["withdraw", "--group", &group, "--target-bucket", SERVING, "--output", "json"];
    run(cloud, Principal::Both, &[&flags[..], more].concat())
}

/// Two promoted versions, of which the source rejects the second and changes the first, and a third version.
fn changed() -> Cloud {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    cloud.register(model("s3://models/churn/model.tar.gz"));
    promote(&cloud, &[]).document();
    cloud.register(model("s3://models/churn/model.tar.gz"));
    let second = SOURCE_VERSION.replace("/1", "/2");
    cloud.change(&second, json!({"ModelApprovalStatus": "Rejected", "ApprovalDescription": "AUC was wrong"}));
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "risk"}}));
    cloud
}

#[test]
fn a_version_whose_source_is_rejected_is_rejected_and_nothing_else_is_done() {
    let cloud = changed();
    let document = withdraw(&cloud, &[]).document();
    assert_eq!(document["outcome"], "withdrawn");
    assert_eq!(document["withdrawn"].as_array().map(Vec::len), Some(1), "{document:#}");
    let versions = promoted(&cloud);
    let statuses: Vec<&Value> = versions.iter().map(|version| &version["ModelApprovalStatus"]).collect();
    assert_eq!(statuses, ["Approved", "Rejected"]);
    assert_eq!(versions[0]["CustomerMetadataProperties"]["team"], "growth");
    let rejected = versions[1]["ModelPackageArn"].as_str().expect("an ARN");
    assert_eq!(run(&cloud, Principal::Both, &["verify", "--model-package", rejected]).code, 0);
}

#[test]
fn the_headline_counts_the_withdrawn_versions() {
    let cloud = changed();
    let flags = ["withdraw", "--group", &Cloud::group_arn(GROUP), "--target-bucket", SERVING];
    let text = run(&cloud, Principal::Both, &flags);
    let expected = "Outcome    withdrew 1 version, because the source is Rejected\n";
    assert!(text.stdout.starts_with(expected), "{}", text.stdout);
}

#[test]
fn without_a_rejected_version_nothing_is_withdrawn_and_it_says_so() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let before = writes(&cloud);
    assert_eq!(withdraw(&cloud, &[]).document()["outcome"], "nothing-to-withdraw");
    let flags = ["withdraw", "--group", &Cloud::group_arn(GROUP), "--target-bucket", SERVING];
    let text = run(&cloud, Principal::Both, &flags);
    assert!(text.stdout.starts_with("Outcome    nothing to withdraw\n"), "{}", text.stdout);
    assert_eq!(writes(&cloud), before);
}

#[test]
fn a_dry_run_names_what_would_be_withdrawn_and_writes_nothing() {
    let cloud = changed();
    let before = writes(&cloud);
    let document = withdraw(&cloud, &["--dry-run"]).document();
    assert_eq!(document["planned"][0]["act"], "withdraw", "{document:#}");
    assert_eq!(writes(&cloud), before);
}

#[test]
fn a_version_that_cannot_be_rejected_makes_it_fail() {
    let cloud = changed();
    cloud.deny(Principal::Both, "sagemaker:UpdateModelPackage", "*");
    let run = withdraw(&cloud, &[]);
    run.fails(1, &["sagemaker:UpdateModelPackage"]);
    let document: Value = serde_json::from_str(&run.stdout).expect("a document");
    assert_eq!((&document["outcome"], &document["withdrawn"]), (&json!("not-withdrawn"), &json!([])));
    assert_eq!(promoted(&cloud)[1]["ModelApprovalStatus"], "Approved");
}

#[test]
fn it_is_repeated_without_effect() {
    let cloud = changed();
    withdraw(&cloud, &[]).document();
    let before = writes(&cloud);
    withdraw(&cloud, &[]).document();
    assert_eq!(writes(&cloud), before);
}

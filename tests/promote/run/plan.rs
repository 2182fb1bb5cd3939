//! `promote full --plan`: what was reviewed is what is done.

mod age;
mod changes;
mod edited;
mod held;
mod no_longer_due;
mod recorded;

use std::path::PathBuf;

use serde_json::{Value, json};

use crate::support::{Cloud, Failure, Moment, Principal};
use crate::world::*;

/// Makes a plan, and returns its file and document.
fn plan(cloud: &Cloud, more: &[&str]) -> (PathBuf, Value) {
    let file = cloud.home().join("plan.json");
    let path = file.display().to_string();
    let document = promote(cloud, &[&["--dry-run", "--record", &path], more].concat()).document();
    (file, document)
}

fn carry_out(cloud: &Cloud, file: &std::path::Path, more: &[&str]) -> Run {
    promote(cloud, &[&["--plan", &file.display().to_string()], more].concat())
}

/// A group whose first version is promoted, and whose second waits to be.
fn one_of_two_promoted() -> Cloud {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    cloud.put(MODELS, "churn/second.tar.gz", "more weights");
    cloud.register(model("s3://models/churn/second.tar.gz"));
    cloud
}

fn version(number: u32) -> String {
    SOURCE_VERSION.replace("/1", &format!("/{number}"))
}

#[test]
fn a_plan_is_carried_out_if_nothing_has_changed() {
    let cloud = with_package();
    let (file, planned) = plan(&cloud, &[]);
    assert!(planned["plan"]["digest"].as_str().is_some_and(|digest| digest.starts_with("sha256:")), "{planned:#}");
    assert_eq!(promoted(&cloud).len(), 0);
    let document = carry_out(&cloud, &file, &[]).document();
    assert_eq!(document["outcome"], "promoted");
    assert_eq!(document["request"], planned["request"]);
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Approved");
}

#[test]
fn a_plan_that_was_carried_out_can_be_carried_out_again_and_does_nothing() {
    let cloud = with_package();
    let (file, _) = plan(&cloud, &[]);
    carry_out(&cloud, &file, &[]).document();
    let before = (promoted(&cloud), cloud.keys(SERVING));
    assert_eq!(carry_out(&cloud, &file, &[]).document()["outcome"], "already-promoted");
    assert_eq!((promoted(&cloud), cloud.keys(SERVING)), before);
}

#[test]
fn a_plan_whose_run_was_interrupted_is_carried_out_by_the_next_run() {
    for call in ["CopyObject", "CreateModelPackageGroup", "CreateModelPackage", "UpdateModelPackage"] {
        let cloud = with_package();
        let (file, _) = plan(&cloud, &[]);
        cloud.fail(Moment::every(call), Failure::Status(403, "AccessDeniedException", "not authorized"));
        assert_eq!(carry_out(&cloud, &file, &[]).code, 1, "{call}");
        cloud.heal();
        cloud.age_claims(SERVING);
        carry_out(&cloud, &file, &[]).document();
        let versions = promoted(&cloud);
        assert_eq!((versions.len(), &versions[0]["ModelApprovalStatus"]), (1, &json!("Approved")), "{call}");
    }
}

#[test]
fn a_dry_run_with_a_plan_only_compares() {
    let cloud = with_package();
    let (file, planned) = plan(&cloud, &[]);
    let compared = carry_out(&cloud, &file, &["--dry-run"]).document();
    assert_eq!(compared["planned"], planned["planned"]);
    assert_eq!((promoted(&cloud).len(), cloud.keys(SERVING).len()), (0, 0));
    cloud.change(SOURCE_VERSION, json!({"ModelPackageDescription": "Another one"}));
    carry_out(&cloud, &file, &["--dry-run"]).fails(1, &["cannot be carried out any more"]);
}

#[test]
fn an_artifact_that_changes_after_the_comparison_is_not_copied() {
    let cloud = with_package();
    let (file, _) = plan(&cloud, &[]);
    // The first description is for the comparison.
    cloud.hook(Moment::on("DescribeModelPackage", 2), |cloud| {
        cloud.put(MODELS, "churn/model.tar.gz", "changed at the last moment");
    });
    carry_out(&cloud, &file, &[]).fails(1, &["the artifact is s3://models/churn/model.tar.gz"]);
    assert_eq!((promoted(&cloud).len(), cloud.calls_of("CopyObject").len()), (0, 0));
}

#[test]
fn a_version_that_is_rejected_after_the_comparison_is_an_error() {
    let cloud = with_package();
    let (file, _) = plan(&cloud, &[]);
    let approved = || {
        let listings = cloud.calls_of("ListModelPackages").into_iter();
        listings.filter(|call| call.request["ModelApprovalStatus"] == "Approved").count()
    };
    let before = approved();
    carry_out(&cloud, &file, &["--dry-run"]).document();
    let compared = approved() - before;
    // Of the listings that run at the same time, the one that finds the version to promote.
    let listing = Moment::on("ListModelPackages", compared + 1).asking("ModelApprovalStatus", "Approved");
    cloud.hook(listing, |cloud| {
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    });
    carry_out(&cloud, &file, &[]).fails(1, &["cannot be carried out any more", "is no longer Approved"]);
    assert_eq!((promoted(&cloud).len(), cloud.keys(SERVING).len()), (0, 0));
}

#[test]
fn a_version_that_is_approved_after_the_comparison_is_not_promoted() {
    let cloud = with_package();
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "PendingManualApproval"}));
    let numbered = ["--package-version", "1"];
    let (file, _) = plan(&cloud, &numbered);
    // The first description is for the comparison.
    cloud.hook(Moment::on("DescribeModelPackage", 2), |cloud| {
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Approved"}));
    });
    carry_out(&cloud, &file, &numbered).fails(1, &["has changed since the plan was made"]);
    assert_eq!((promoted(&cloud).len(), cloud.keys(SERVING).len()), (0, 0));
}

#[test]
fn a_plan_with_updates_and_withdrawals_is_carried_out() {
    let cloud = one_of_two_promoted();
    promote(&cloud, &[]).document();
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    cloud.change(&version(2), json!({"CustomerMetadataProperties": {"team": "risk"}}));
    let (file, planned) = plan(&cloud, &[]);
    assert_eq!(planned["planned"].as_array().map(Vec::len), Some(2), "{planned:#}");
    carry_out(&cloud, &file, &[]).document();
    let versions = promoted(&cloud);
    assert_eq!(versions[0]["ModelApprovalStatus"], "Rejected");
    assert_eq!(versions[1]["CustomerMetadataProperties"]["team"], "risk");
}

#[test]
fn the_approval_of_another_version_than_the_planned_one_is_refused() {
    let cloud = with_package();
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "PendingManualApproval"}));
    promote(&cloud, &["--package-version", "1"]).document();
    cloud.register(model("s3://models/churn/model.tar.gz"));
    let (file, _) = plan(&cloud, &[]);
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Approved"}));
    carry_out(&cloud, &file, &[]).fails(1, &["not in the plan: approve the version in"]);
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "PendingManualApproval");
}

#[test]
fn a_plan_whose_update_would_set_another_value_is_refused() {
    let cloud = one_of_two_promoted();
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "risk"}}));
    let (file, _) = plan(&cloud, &[]);
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "fraud"}}));
    carry_out(&cloud, &file, &[]).fails(1, &["would be updated with other values"]);
    assert_eq!(promoted(&cloud)[0]["CustomerMetadataProperties"]["team"], "growth");
}

#[test]
fn the_text_of_a_dry_run_names_the_digest_of_the_plan() {
    let cloud = with_package();
    let (_, planned) = plan(&cloud, &[]);
    let digest = planned["plan"]["digest"].as_str().expect("a digest");
    let file = cloud.home().join("text.json").display().to_string();
    let text =
        run(&cloud, Principal::Both, &[full(), ["--dry-run", "--record", &file].map(str::to_owned).to_vec()].concat());
    let written: Value = serde_json::from_slice(&std::fs::read(&file).unwrap()).unwrap();
    let own = written["plan"]["digest"].as_str().expect("a digest");
    assert!(text.stdout.contains(own) && own != digest, "each plan has its time: {}", text.stdout);
}

#[test]
fn a_missing_artifact_is_copied_again_only_if_the_plan_has_it() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let (file, planned) = plan(&cloud, &[]);
    assert_eq!(planned["planned"], json!([]));
    let copy = format!("{FOLDER}models/churn/model.tar.gz");
    cloud.remove(SERVING, &copy);
    let keys = cloud.keys(SERVING);
    carry_out(&cloud, &file, &[]).fails(1, &["not in the plan: copy"]);
    assert_eq!(cloud.keys(SERVING), keys);
    let (file, planned) = plan(&cloud, &[]);
    assert_eq!(planned["planned"][0]["act"], "copy");
    assert_eq!(carry_out(&cloud, &file, &[]).document()["outcome"], "repaired");
    assert!(cloud.object(SERVING, &copy).is_some());
}

#[test]
fn a_plan_of_a_repair_has_the_updates_and_the_approval_of_the_version_too() {
    let cloud = with_package();
    promote(&cloud, &["--approval", "pending"]).document();
    let copy = format!("{FOLDER}models/churn/model.tar.gz");
    cloud.remove(SERVING, &copy);
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "risk"}}));
    let (file, planned) = plan(&cloud, &["--approval", "carry"]);
    let acts: Vec<_> = planned["planned"].as_array().into_iter().flatten().map(|write| write["act"].as_str()).collect();
    assert_eq!(acts, [Some("approve"), Some("copy"), Some("update")], "{planned:#}");
    assert_eq!((&planned["outcome"], &planned["changes"][0]["result"]), (&json!("planned"), &json!("planned")));
    assert_eq!(artifact(&planned, "s3://models/churn/model.tar.gz")["result"], "planned");
    carry_out(&cloud, &file, &["--approval", "carry"]).document();
    let version = &promoted(&cloud)[0];
    assert_eq!(version["CustomerMetadataProperties"]["team"], "risk");
    assert_eq!(version["ModelApprovalStatus"], "Approved");
    assert!(cloud.object(SERVING, &copy).is_some());
}

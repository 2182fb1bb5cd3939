//! `promote full --plan`: what was reviewed is what is done.

use std::path::PathBuf;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::faults::{AT_ONCE, each};
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

/// One thing that a plan fixes, how it changes after the review, and what the message names.
struct Change {
    what: &'static str,
    change: fn(&Cloud),
    flags: &'static [&'static str],
    says: &'static str,
}

const fn change(what: &'static str, change: fn(&Cloud), says: &'static str) -> Change {
    Change { what, change, flags: &[], says }
}

const fn flags(what: &'static str, flags: &'static [&'static str], says: &'static str) -> Change {
    Change { what, change: |_| {}, flags, says }
}

const CHANGES: &[Change] = &[
    change(
        "the metadata of the version",
        |cloud| cloud.change(&version(2), json!({"CustomerMetadataProperties": {"team": "risk"}})),
        "CustomerMetadataProperties{team} is \"risk\", and was planned as not set",
    ),
    change(
        "the reason of the approval",
        |cloud| cloud.change(&version(2), json!({"ApprovalDescription": "On second thoughts"})),
        "the source fingerprint is",
    ),
    change(
        "the bytes of an artifact",
        |cloud| cloud.put(MODELS, "churn/second.tar.gz", "other weights"),
        "the artifact is s3://models/churn/second.tar.gz (13 bytes, ETag",
    ),
    change(
        "the latest approved version",
        |cloud| {
            cloud.register(model("s3://models/churn/model.tar.gz"));
        },
        "the source version is \"arn:aws:sagemaker:eu-central-1:444333666777:model-package/churn-model/3\"",
    ),
    change(
        "the approval of a promoted version",
        |cloud| cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"})),
        "not in the plan: reject arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/1",
    ),
    change(
        "the metadata of a promoted version",
        |cloud| cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "risk"}})),
        "not in the plan: update arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/1",
    ),
    flags("the target group", &["--target-group", "Other"], "the target group"),
    flags("the prefix", &["--target-prefix", "elsewhere/"], "the target folder is"),
    flags("who approves", &["--approval", "pending"], "the setting approval is \"pending\""),
    flags("how copies are verified", &["--verify", "size"], "the setting verify is \"size\""),
    flags("the ACL", &["--target-acl", "private"], "the setting target_writes.acl is \"private\""),
    flags("the key", &["--kms-key-arn", KEY], "the setting overrides.kms_key is"),
    flags("the tags of the group", &["--group-tag", "team=risk"], "the setting group_tags"),
];

const KEY: &str = "arn:aws:kms:eu-central-1:111222333444:key/11111111-2222-3333-4444-555555555555";

#[test]
fn a_plan_is_refused_before_the_first_write_if_something_that_it_fixes_has_changed() {
    each(AT_ONCE, CHANGES, |changed| refused(changed).context(changed.what));
}

fn refused(changed: &Change) -> Result<()> {
    let cloud = one_of_two_promoted();
    let (file, _) = plan(&cloud, &[]);
    (changed.change)(&cloud);
    let before = (promoted(&cloud), cloud.keys(SERVING), writes(&cloud));
    let run = carry_out(&cloud, &file, changed.flags);
    ensure!(run.code == 1, "exit code {}: {}{}", run.code, run.stdout, run.stderr);
    ensure!(run.stderr.contains(changed.says), "{}", run.stderr);
    ensure!(run.stderr.contains("hint: Make a new plan"), "{}", run.stderr);
    ensure!(before == (promoted(&cloud), cloud.keys(SERVING), writes(&cloud)), "something was written");
    Ok(())
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
fn a_version_that_is_approved_after_the_comparison_is_not_promoted() {
    let cloud = with_package();
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "PendingManualApproval"}));
    let numbered = ["--package-version", "1"];
    let (file, _) = plan(&cloud, &numbered);
    // The first description is for the comparison.
    cloud.hook(Moment::on("DescribeModelPackage", 2), |cloud| {
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Approved"}));
    });
    carry_out(&cloud, &file, &numbered).fails(1, &["which has changed"]);
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
fn a_file_that_is_no_plan_or_was_edited_or_is_too_old_is_refused() {
    let cloud = with_package();
    let (file, mut planned) = plan(&cloud, &[]);
    carry_out(&cloud, &file, &["--plan-max-age", "0s"]).fails(1, &["is older than", "--plan-max-age"]);
    planned["artifacts"][0]["etag"] = json!("0123");
    std::fs::write(&file, planned.to_string()).unwrap();
    carry_out(&cloud, &file, &[]).fails(1, &["the plan was edited"]);
    std::fs::write(&file, "{}").unwrap();
    carry_out(&cloud, &file, &[])
        .fails(1, &["is not the plan of one group: it is JSON, but not a document of promote"]);
    let record = file.display().to_string();
    promote(&cloud, &["--record", &record]).document();
    carry_out(&cloud, &file, &[])
        .fails(1, &["is not the plan of one group: it is the document of a run without `--dry-run`"]);
    assert_eq!(promoted(&cloud).len(), 1);
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

#[test]
fn the_digest_of_a_plan_covers_what_is_not_carried_over() {
    let cloud = with_package();
    let (file, mut planned) = plan(&cloud, &["--images", "keep"]);
    let listed = planned["not_carried"].as_array_mut().expect("the images");
    assert!(!listed.is_empty());
    listed.clear();
    std::fs::write(&file, planned.to_string()).unwrap();
    carry_out(&cloud, &file, &["--images", "keep"]).fails(1, &["the plan was edited"]);
}

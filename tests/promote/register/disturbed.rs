//! Promotions that others disturb: versions, metadata, claims and records that somebody changes, and runs with different
//! settings at once.

use std::process::Stdio;

use serde_json::{Value, json};

use super::races::{arn_of_version, one_promotion};
use crate::stand_in::client::Client;
use crate::support::{Cloud, Failure, Moment, Principal, Spelling, TARGET_ACCOUNT};
use crate::world::*;

/// The metadata of a version without what promote has set.
fn remove_metadata(cloud: &Cloud, version: u32) {
    cloud.change(&arn_of_version(version), json!({"CustomerMetadataProperties": {"team": "growth"}}));
}

fn approvals(cloud: &Cloud) -> Vec<String> {
    let status = |version: &Value| version["ModelApprovalStatus"].as_str().unwrap_or_default().to_owned();
    promoted(cloud).iter().map(status).collect()
}

fn verifies(cloud: &Cloud, version: u32) {
    let verify = run(cloud, Principal::Both, &["verify", "--model-package", &arn_of_version(version)]);
    assert_eq!(verify.code, 0, "{}{}", verify.stdout, verify.stderr);
}

#[test]
fn a_version_whose_metadata_somebody_removed_is_not_registered_again_and_gets_its_metadata_back() {
    for dry_run_first in [false, true] {
        let cloud = with_package();
        let before = promote(&cloud, &[]).document()["target"]["model_package_arn"].clone();
        let metadata = promoted(&cloud)[0]["CustomerMetadataProperties"].clone();
        remove_metadata(&cloud, 1);
        if dry_run_first {
            let planned = promote(&cloud, &["--dry-run"]).document();
            assert_eq!(planned["target"]["model_package_arn"], before, "{planned:#}");
            assert_eq!(promoted(&cloud)[0]["CustomerMetadataProperties"], json!({"team": "growth"}));
        }
        let again = promote(&cloud, &[]).document();
        assert_eq!((&again["target"]["model_package_arn"], promoted(&cloud).len()), (&before, 1), "{again:#}");
        assert_eq!(promoted(&cloud)[0]["CustomerMetadataProperties"], metadata);
        verifies(&cloud, 1);
    }
}

#[test]
fn a_version_whose_metadata_somebody_removed_is_withdrawn_and_approved_again_with_its_source() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    cloud.register(package());
    promote(&cloud, &[]).document();
    remove_metadata(&cloud, 1);
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    promote(&cloud, &[]).document();
    assert_eq!(approvals(&cloud), ["Rejected", "Approved"]);
    verifies(&cloud, 1);
    remove_metadata(&cloud, 1);
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Approved"}));
    promote(&cloud, &[]).document();
    assert_eq!(approvals(&cloud), ["Approved", "Approved"]);
    verifies(&cloud, 1);
}

#[test]
fn a_record_that_names_a_version_by_others_does_not_make_it_a_promoted_version() {
    let cloud = with_package();
    cloud.create_group(TARGET_ACCOUNT, GROUP, json!({}));
    let theirs = cloud.register_in(TARGET_ACCOUNT, model("s3://serving/theirs.tar.gz"));
    promote(&cloud, &["--into-existing-group"]).document();
    let before = cloud.package(&theirs);
    let key = format!("{FOLDER}promotion.json");
    let record = cloud.object(SERVING, &key).expect("the record").body.bytes();
    let forged = String::from_utf8(record.to_vec()).expect("UTF-8").replace(&arn_of_version(2), &theirs);
    cloud.put(SERVING, &key, forged);
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    promote(&cloud, &[]);
    assert_eq!(cloud.package(&theirs), before);
}

#[test]
fn the_register_step_does_not_register_a_version_again_whose_metadata_somebody_removed() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    remove_metadata(&cloud, 1);
    let step = ["register", "--model-package", SOURCE_VERSION, "--target-bucket", SERVING];
    let says = [&*format!("{} differs from its request", arn_of_version(1)), "promote:source-arn"];
    run(&cloud, Principal::Both, &step).fails(1, &says);
    assert_eq!(approvals(&cloud), ["Approved"]);
}

#[test]
fn a_version_that_names_another_source_than_its_record_is_not_taken_for_the_promotion() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let other = SOURCE_VERSION.replace("/churn-model/1", "/other/1");
    cloud.change(&arn_of_version(1), json!({"CustomerMetadataProperties": {"promote:source-arn": other}}));
    cloud.age_claims(SERVING);
    let again = promote(&cloud, &[]).document();
    assert_eq!(again["target"]["version"], 2, "{again:#}");
}

#[test]
fn the_approval_of_a_run_is_recorded_although_a_run_that_leaves_the_version_pending_has_written_the_first_record() {
    let cloud = with_package();
    cloud.fail(Moment::on("UpdateModelPackage", 1), Failure::Hang);
    let updates = Arrival::of(&cloud, Moment::on("UpdateModelPackage", 1));
    let carries = spawn(&cloud, &[]);
    updates.wait();
    let leaves = promote(&cloud, &["--approval", "pending"]).document();
    assert_eq!(leaves["target"]["approval_status"], "PendingManualApproval", "{leaves:#}");
    cloud.release();
    assert_eq!(ended(carries).document()["target"]["approval_status"], "Approved");
    verifies(&cloud, 1);
    let again = promote(&cloud, &[]).document();
    assert_eq!((&again["outcome"], &again["target"]["decided_by"]), (&json!("already-promoted"), &json!("source")));
    assert_eq!(approvals(&cloud), ["Approved"]);
}

#[test]
fn two_runs_at_once_that_spell_the_group_differently_end_with_one_version() {
    let cloud = with_package();
    cloud.create_group(TARGET_ACCOUNT, GROUP, json!({}));
    cloud.spell(Spelling::Mixed);
    cloud.fail(Moment::on("PutObject", 1).at("_claims/0.json").times(2), Failure::Hang);
    let both_hang = Arrival::of(&cloud, Moment::on("PutObject", 2).at("_claims/0.json"));
    let spelled = |source: &str, target: &str| {
        let mut command = cloud.process(Principal::Both);
        command.args([
            "full",
            "--group",
            &Cloud::group_arn(source),
            "--target-bucket",
            SERVING,
            "--target-group",
            target,
        ]);
        command
            .args(["--output", "json"])
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .expect("the binary starts")
    };
    let runs = [spelled(GROUP, "CHURN-model"), spelled("churn-MODEL", "churn-model")];
    both_hang.wait();
    cloud.release();
    for run in runs.map(ended) {
        let arn = run.document()["target"]["model_package_arn"].as_str().unwrap_or_default().to_lowercase();
        assert_eq!(arn, arn_of_version(1));
    }
    assert_eq!((approvals(&cloud), cloud.calls_of("CreateModelPackage").len()), (vec!["Approved".to_owned()], 1));
    verifies(&cloud, 1);
}

#[test]
fn a_claim_that_is_no_claim_is_waited_for_and_then_passed_over() {
    let large = " ".repeat((64 << 10) + 1);
    for text in ["", "{", "[]", "null", "{\"schema\": 99}", "\u{0}\u{1}", &large] {
        let cloud = with_package();
        let claim = format!("{FOLDER}_claims/0.json");
        cloud.put(SERVING, &claim, text);
        promote(&cloud, &["--wait-seconds", "1"]).fails(1, &["another run is registering", "hint: Run again"]);
        assert!(promoted(&cloud).is_empty(), "{text}");
        cloud.age_claims(SERVING);
        assert_eq!(promote(&cloud, &[]).document()["outcome"], "promoted", "{text}");
        let keys = cloud.keys(SERVING);
        assert!(keys.contains(&claim) && keys.contains(&format!("{FOLDER}_claims/1.json")), "{text}: {keys:?}");
        verifies(&cloud, 1);
    }
}

#[test]
fn a_claim_that_somebody_overwrites_while_its_run_registers_the_version_changes_nothing() {
    let cloud = with_package();
    cloud.hook(Moment::on("CreateModelPackage", 1), |cloud| {
        cloud.put(SERVING, &format!("{FOLDER}_claims/0.json"), "theirs");
    });
    one_promotion(&cloud, &[promote(&cloud, &[])]);
    verifies(&cloud, 1);
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "already-promoted");
}

#[test]
fn a_record_that_is_cut_off_is_named_nothing_is_registered_and_a_rejection_is_carried_out() {
    for keep in [0, 1, 500] {
        let cloud = with_package();
        promote(&cloud, &[]).document();
        let key = format!("{FOLDER}promotion.json");
        let text = cloud.object(SERVING, &key).expect("the record").body.bytes();
        cloud.put(SERVING, &key, text[..keep].to_vec());
        let says = [
            &*format!("s3://serving/{key} cannot be read as the record of a promotion"),
            "hint: If another release of `promote` wrote it, use that release; otherwise move the object elsewhere, then run again",
        ];
        promote(&cloud, &[]).fails(1, &says);
        assert_eq!(approvals(&cloud), ["Approved"]);
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
        promote(&cloud, &[]);
        assert_eq!(approvals(&cloud), ["Rejected"]);
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Approved"}));
        promote(&cloud, &[]).fails(1, &says);
        cloud.remove(SERVING, &key);
        promote(&cloud, &[]).document();
        assert_eq!(approvals(&cloud), ["Approved"]);
        verifies(&cloud, 1);
    }
}

#[test]
fn a_promoted_version_that_somebody_deletes_before_its_update_is_named_and_registered_by_the_next_run() {
    let updates: [(&str, Value); 2] = [
        ("its metadata", json!({"CustomerMetadataProperties": {"team": "risk"}})),
        ("its approval", json!({"ModelApprovalStatus": "Rejected"})),
    ];
    for (what, change) in updates {
        let cloud = with_package();
        promote(&cloud, &[]).document();
        cloud.change(SOURCE_VERSION, change);
        cloud.hook(Moment::on("UpdateModelPackage", 1), |cloud| {
            let answer = Client::new(cloud, Principal::Target)
                .registry("DeleteModelPackage", json!({"ModelPackageName": arn_of_version(1)}));
            assert_eq!(answer.status, 200, "{}", answer.text());
        });
        promote(&cloud, &[]).fails(1, &[&arn_of_version(1)]);
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Approved"}));
        cloud.age_claims(SERVING);
        let again = promote(&cloud, &[]).document();
        assert_eq!((&again["outcome"], promoted(&cloud).len()), (&json!("promoted"), 1), "{what}: {again:#}");
        let arn = again["target"]["model_package_arn"].as_str().expect("an ARN").to_owned();
        let verify = run(&cloud, Principal::Both, &["verify", "--model-package", &arn]);
        assert_eq!(verify.code, 0, "{what}: {}{}", verify.stdout, verify.stderr);
    }
}

#[test]
fn a_source_version_that_is_rejected_at_the_last_moment_before_its_approval_is_withdrawn_by_the_next_run() {
    for moment in ["CreateModelPackage", "UpdateModelPackage"] {
        let cloud = with_package();
        cloud.hook(Moment::on(moment, 1), |cloud| {
            cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
        });
        let first = promote(&cloud, &[]);
        assert_eq!(first.code, i32::from(moment == "CreateModelPackage"), "{}", first.stderr);
        promote(&cloud, &[]).document();
        assert_eq!(approvals(&cloud), ["Rejected"], "{moment}");
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Approved"}));
        promote(&cloud, &[]).document();
        assert_eq!(approvals(&cloud), ["Approved"], "{moment}");
        verifies(&cloud, 1);
    }
}

#[test]
fn the_register_step_after_a_change_of_the_source_says_that_the_version_is_approved_and_does_not_advise_to_delete_it() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "risk"}}));
    let step = ["register", "--model-package", SOURCE_VERSION, "--target-bucket", SERVING];
    let register = run(&cloud, Principal::Both, &step);
    register
        .fails(1, &["differs from its request and is Approved; it was not changed", "hint: Run `promote full` again"]);
    assert!(!register.stderr.contains("delete"), "{}", register.stderr);
}

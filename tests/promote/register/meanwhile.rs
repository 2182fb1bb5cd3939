//! What changes while a run is under way: another run overtakes it, or the source replaces what it copies.

use serde_json::json;

use super::races::{arn_of_version, one_promotion, records};
use crate::support::{Failure, Moment, Principal};
use crate::world::*;

#[test]
fn two_runs_that_copy_the_same_object_at_once_both_succeed() {
    let cloud = with_package();
    cloud.fail(Moment::on("CopyObject", 1).times(8), Failure::Hang);
    let all_hang = Arrival::of(&cloud, Moment::on("CopyObject", 8));
    let runs = [spawn(&cloud, &[]), spawn(&cloud, &[])];
    all_hang.wait();
    cloud.release();
    let runs = runs.map(ended);
    one_promotion(&cloud, &runs);
    let of = |outcome: &str| {
        let artifacts = runs.iter().flat_map(|run| run.document()["artifacts"].as_array().cloned().unwrap_or_default());
        artifacts.filter(|artifact| artifact["result"] == outcome).count()
    };
    assert_eq!((of("copied"), of("already-there")), (4, 4));
}

#[test]
fn a_run_that_is_overtaken_while_it_copies_reports_the_version_of_the_other() {
    let cloud = with_package();
    cloud.hook(Moment::on("CopyObject", 1), |cloud| {
        assert_eq!(promote(cloud, &[]).document()["outcome"], "promoted");
    });
    let run = promote(&cloud, &[]);
    assert_eq!(run.remarks(), "");
    assert_eq!(run.document()["target"]["model_package_arn"], arn_of_version(1));
    assert_eq!(promoted(&cloud).len(), 1);
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Approved");
    assert_eq!(records(&cloud), [format!("{FOLDER}promotion.json")]);
}

#[test]
fn a_version_that_another_run_has_approved_and_synced_before_its_own_run_sees_it_complete_is_not_deleted() {
    let cloud = with_package();
    cloud.hook(Moment::on("DescribeModelPackage", 2).at(&arn_of_version(1)), |cloud| {
        cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "risk"}}));
        let other = promote(cloud, &[]).document();
        assert_eq!((&other["outcome"], &other["target"]["version"]), (&json!("promoted"), &json!(1)));
    });
    let document = promote(&cloud, &[]).document();
    assert_eq!(document["target"]["model_package_arn"], arn_of_version(1), "{document:#}");
    let versions = promoted(&cloud);
    assert_eq!((versions.len(), &versions[0]["ModelApprovalStatus"]), (1, &json!("Approved")));
    assert_eq!(versions[0]["CustomerMetadataProperties"]["team"], "risk");
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "already-promoted");
}

#[test]
fn a_run_that_finds_its_version_synced_by_another_run_reports_it() {
    let cloud = with_package();
    cloud.fail(Moment::every("CreateModelPackage"), Failure::ResetAfter);
    promote(&cloud, &[]);
    cloud.heal();
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "PendingManualApproval");
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "risk"}}));
    cloud.hook(Moment::on("DescribeModelPackage", 3).at(&arn_of_version(1)), |cloud| {
        assert_eq!(promote(cloud, &[]).document()["outcome"], "promoted");
    });
    let document = promote(&cloud, &[]).document();
    assert_eq!(document["target"]["model_package_arn"], arn_of_version(1), "{document:#}");
    assert_eq!(document["outcome"], "already-promoted", "the other run has completed it");
    assert_eq!(promoted(&cloud)[0]["CustomerMetadataProperties"]["team"], "risk");
    assert_eq!((promoted(&cloud).len(), promote(&cloud, &[]).code), (1, 0));
}

#[test]
fn a_metadata_key_that_somebody_adds_to_a_version_that_is_in_progress_stays() {
    let cloud = with_package();
    cloud.hook(Moment::on("DescribeModelPackage", 2).at(&arn_of_version(1)), |cloud| {
        let mut metadata = promoted(cloud)[0]["CustomerMetadataProperties"].clone();
        metadata["cost-center"] = json!("4711");
        cloud.change(&arn_of_version(1), json!({"CustomerMetadataProperties": metadata}));
    });
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "promoted");
    let versions = promoted(&cloud);
    assert_eq!((versions.len(), &versions[0]["ModelApprovalStatus"]), (1, &json!("Approved")));
    assert_eq!(versions[0]["CustomerMetadataProperties"]["cost-center"], "4711");
    assert_eq!(promote(&cloud, &[]).code, 0);
}

#[test]
fn a_package_rejected_between_list_and_describe_is_not_promoted() {
    let cloud = with_package();
    cloud.hook(Moment::on("DescribeModelPackage", 1), |cloud| {
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    });
    let run = promote(&cloud, &[]);
    run.fails(
        1,
        &[
            &format!("the approval of {SOURCE_VERSION} changed from Approved to Rejected during this run"),
            "hint: Run again",
        ],
    );
    assert_eq!(run.result(), "");
    assert_eq!(writes(&cloud), Vec::<String>::new());
}

#[test]
fn a_source_object_replaced_after_it_was_found_stops_the_run_by_its_name() {
    let cloud = with_package();
    cloud.hook(Moment::on("CopyObject", 1).at("churn/model.tar.gz"), |cloud| {
        cloud.put(MODELS, "churn/model.tar.gz", "other weights");
    });
    let run = promote(&cloud, &[]);
    run.fails(1, &["s3://models/churn/model.tar.gz was replaced while it was copied", "hint: Run again"]);
    assert_eq!(run.result(), "");
    assert!(promoted(&cloud).is_empty(), "nothing is registered");
    assert_eq!(cloud.object(SERVING, &format!("{FOLDER}models/churn/model.tar.gz")).map(|one| one.body), None);
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "promoted", "the next run takes the object as it is");
}

#[test]
fn a_source_object_replaced_while_it_is_streamed_stops_the_run_by_its_name() {
    let cloud = with_package();
    cloud.put(MODELS, "churn/model.tar.gz", vec![1; 20 << 20]);
    cloud.hook(Moment::on("GetObject", 2).at("churn/model.tar.gz"), |cloud| {
        cloud.put(MODELS, "churn/model.tar.gz", vec![2; 20 << 20]);
    });
    let run = promote(&cloud, &["--copy-mode", "stream"]);
    run.fails(1, &["s3://models/churn/model.tar.gz was replaced while it was copied", "hint: Run again"]);
    assert!(promoted(&cloud).is_empty(), "nothing is registered");
    assert!(cloud.uploads(SERVING).is_empty(), "no upload stays open");
}

#[test]
fn a_source_object_removed_after_it_was_found_stops_the_run_by_its_name() {
    let cloud = with_package();
    cloud.hook(Moment::on("CopyObject", 1).at("churn/report.json"), |cloud| cloud.remove(MODELS, "churn/report.json"));
    let run = promote(&cloud, &[]);
    run.fails(1, &["s3://models/churn/report.json", "ModelMetrics.ModelQuality.Statistics.S3Uri"]);
    assert!(promoted(&cloud).is_empty(), "nothing is registered");
}

#[test]
fn a_package_that_changes_between_two_steps_is_refused_by_the_second() {
    let cloud = with_package();
    let copied = cloud.home().join("copied.json");
    let copied = copied.to_str().expect("a path");
    let both = Principal::Both;
    let copy = ["copy-artifacts", "--model-package", SOURCE_VERSION, "--target-bucket", SERVING, "--record", copied];
    assert_eq!(run(&cloud, both, &copy).code, 0);
    let metadata = json!({"db.password": "hidden", "team": "growth"});
    cloud.change(
        SOURCE_VERSION,
        json!({"ModelPackageDescription": "Another text", "CustomerMetadataProperties": metadata, "ApprovalDescription": null}),
    );
    let register = run(&cloud, both, &["register", "--from", copied]);
    register.fails(
        1,
        &[
            &format!(
                "{SOURCE_VERSION} has changed since the previous step:\n  \
                 CustomerMetadataProperties{{db.password}} is \"(masked)\" now, and was not set\n  \
                 ModelPackageDescription is \"Another text\" now\n  ApprovalDescription is not set any more\n"
            ),
            "hint: Start again with `promote find-latest`",
        ],
    );
    assert_eq!(register.result(), "");
    assert!(promoted(&cloud).is_empty() && cloud.calls_of("CreateModelPackage").is_empty());
}

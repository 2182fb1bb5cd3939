//! What somebody in the target account decides or edits while a run is under way: it is neither overwritten, nor recorded
//! as a decision of the source.

use super::*;

const MODEL: &str = "models/churn/model.tar.gz";

/// The newest record has this approval, decided by the target account, and the next runs keep it.
fn target_has_decided(cloud: &Cloud, run: &Value, status: &str) {
    let target = &run["target"];
    assert_eq!((&target["approval_status"], &target["decided_by"]), (&json!(status), &json!("target")), "{run:#}");
    for _ in 0..2 {
        let again = promote(cloud, &[]).document();
        assert_eq!(again["target"]["decided_by"], "target", "{again:#}");
        assert_eq!(promoted(cloud)[0]["ModelApprovalStatus"], status);
    }
}

fn suspend(cloud: &Cloud) {
    let reason = "incident 42: do not serve";
    cloud.change(COPY, json!({"ModelApprovalStatus": "PendingManualApproval", "ApprovalDescription": reason}));
}

/// A version whose copy of the model is missing.
fn with_missing_model() -> Cloud {
    let cloud = promoted_once();
    cloud.remove(SERVING, &format!("{FOLDER}{MODEL}"));
    cloud
}

fn team(cloud: &Cloud) -> Value {
    promoted(cloud)[0]["CustomerMetadataProperties"]["team"].clone()
}

/// Changes a key of the metadata in the target account.
fn edit_team(cloud: &Cloud, team: &str) {
    let mut metadata = promoted(cloud)[0]["CustomerMetadataProperties"].clone();
    metadata["team"] = json!(team);
    cloud.change(COPY, json!({"CustomerMetadataProperties": metadata}));
}

#[test]
fn a_version_that_is_suspended_while_its_metadata_is_updated_is_not_approved_by_the_next_run() {
    let cloud = promoted_once();
    set_team(&cloud, "risk");
    cloud.hook(Moment::on("UpdateModelPackage", 1), suspend);
    let document = promote(&cloud, &[]).document();
    assert_eq!((&document["outcome"], team(&cloud)), (&json!("updated"), json!("risk")));
    target_has_decided(&cloud, &document, "PendingManualApproval");
}

#[test]
fn a_version_that_is_suspended_right_after_its_approval_is_not_approved_by_the_next_run() {
    let cloud = promoted_once();
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    promote(&cloud, &[]).document();
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Approved"}));
    cloud.hook(Moment::on("UpdateModelPackage", 1), |cloud| {
        // The description after the approval.
        cloud.hook(Moment::on("DescribeModelPackage", 1), suspend);
    });
    let run = promote(&cloud, &[]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    let document = serde_json::from_str(&run.stdout).expect("a document");
    target_has_decided(&cloud, &document, "PendingManualApproval");
}

#[test]
fn a_rejection_during_a_repair_is_neither_overwritten_nor_reported_as_approved() {
    let cloud = with_missing_model();
    cloud.hook(Moment::on("CopyObject", 1).at("model.tar.gz"), |cloud| {
        let rejected = json!({"ModelApprovalStatus": "Rejected", "ApprovalDescription": "Its artifacts are gone"});
        cloud.change(COPY, rejected);
    });
    let document = promote(&cloud, &[]).document();
    assert_eq!(document["outcome"], "repaired", "{document:#}");
    target_has_decided(&cloud, &document, "Rejected");
}

#[test]
fn metadata_that_the_target_edits_during_a_repair_is_not_overwritten() {
    let cloud = with_missing_model();
    set_team(&cloud, "risk");
    cloud.hook(Moment::on("CopyObject", 1).at("model.tar.gz"), |cloud| edit_team(cloud, "theirs"));
    let document = promote(&cloud, &[]).document();
    assert_eq!(team(&cloud), "theirs", "{document:#}");
    assert_eq!(results(&document), pairs(&[("CustomerMetadataProperties{team}", "conflict")]));
}

#[test]
fn metadata_that_the_target_edits_before_an_update_is_not_overwritten() {
    let cloud = promoted_once();
    set_team(&cloud, "risk");
    // The record before the Update.
    cloud.hook(Moment::on("PutObject", 1), |cloud| edit_team(cloud, "theirs"));
    promote(&cloud, &[]).fails(1, &[&format!("{COPY} was changed during this run"), "hint: Run again"]);
    assert_eq!(team(&cloud), "theirs");
    let again = promote(&cloud, &[]).document();
    assert_eq!(results(&again), pairs(&[("CustomerMetadataProperties{team}", "conflict")]), "{again:#}");
}

#[test]
fn an_approval_that_the_target_gives_while_a_run_lets_the_version_wait_again_stays() {
    let cloud = with_package();
    promote(&cloud, &["--approval", "pending"]).document();
    for status in ["Rejected", "Approved"] {
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": status}));
        if status == "Rejected" {
            promote(&cloud, &[]).document();
            assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Rejected");
        }
    }
    let approve = |cloud: &Cloud| {
        let approved = json!({"ModelApprovalStatus": "Approved", "ApprovalDescription": "Production says yes"});
        cloud.change(COPY, approved);
    };
    // The artifacts are listed last, after the version was described.
    let before = cloud.calls_of("ListObjectsV2").len();
    assert_eq!(promote(&cloud, &["--dry-run"]).document()["outcome"], "planned");
    let listings = cloud.calls_of("ListObjectsV2").len() - before;
    cloud.hook(Moment::on("ListObjectsV2", listings), approve);
    promote(&cloud, &[]).fails(1, &[&format!("the approval of {COPY} changed from Rejected to Approved"), "Run again"]);
    let version = promoted(&cloud)[0].clone();
    assert_eq!(
        (&version["ModelApprovalStatus"], &version["ApprovalDescription"]),
        (&json!("Approved"), &json!("Production says yes"))
    );
    target_has_decided(&cloud, &promote(&cloud, &[]).document(), "Approved");
}

//! A source version that is approved again: its promoted version is approved again, and no second one is registered.

use super::*;

/// Two promoted versions, of which the second was withdrawn.
fn withdrawn() -> Cloud {
    let cloud = two_promoted();
    reject(&cloud, 2);
    promote(&cloud, &[]).document();
    assert_eq!(statuses(&cloud), ["Approved", "Rejected"]);
    cloud
}

#[test]
fn the_promoted_version_is_approved_again_with_the_new_reason_and_nothing_is_registered_or_copied() {
    let cloud = withdrawn();
    let copies = cloud.calls_of("CopyObject").len();
    approve(&cloud, 2);
    let document = promote(&cloud, &[]).document();
    assert_eq!((&document["outcome"], &document["target"]["version"]), (&json!("approved-again"), &json!(2)));
    assert_eq!(document["target"]["approval_status"], "Approved");
    assert_eq!(statuses(&cloud), ["Approved", "Approved"]);
    assert_eq!(promoted(&cloud)[1]["ApprovalDescription"], "It was right");
    assert_eq!((cloud.calls_of("CreateModelPackage").len(), cloud.calls_of("CopyObject").len()), (2, copies));
    let outcomes: Vec<Value> = records(&cloud, 2).into_iter().map(|(_, record)| record["outcome"].clone()).collect();
    assert_eq!(outcomes, ["withdrawn", "approved-again", "promoted"], "one document after the other, none overwritten");
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "already-promoted");
}

#[test]
fn a_promoted_version_that_the_target_account_rejected_stays_rejected() {
    let cloud = two_promoted();
    cloud.change(&copy(2), json!({"ModelApprovalStatus": "Rejected", "ApprovalDescription": "Not with us"}));
    let before = promoted(&cloud);
    for rejected in [true, false] {
        if rejected {
            reject(&cloud, 2)
        } else {
            approve(&cloud, 2)
        }
        promote(&cloud, &[]).document();
        assert_eq!(promoted(&cloud), before);
    }
}

#[test]
fn with_approval_pending_the_promoted_version_waits_for_an_approval_in_the_target() {
    let cloud = withdrawn();
    approve(&cloud, 2);
    let document = promote(&cloud, &["--approval", "pending"]).document();
    assert_eq!(document["target"]["approval_status"], "PendingManualApproval");
    assert_eq!(statuses(&cloud), ["Approved", "PendingManualApproval"]);
}

#[test]
fn a_promoted_version_without_a_record_is_approved_again() {
    let cloud = withdrawn();
    for (name, _) in records(&cloud, 2) {
        cloud.remove(SERVING, &format!("{}{name}", FOLDER.replace("-v1/", "-v2/")));
    }
    approve(&cloud, 2);
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "approved-again");
    assert_eq!(statuses(&cloud), ["Approved", "Approved"]);
}

#[test]
fn a_missing_artifact_is_copied_again_before_the_promoted_version_is_approved_again() {
    let cloud = withdrawn();
    let key = format!("{}models/churn/report.json", FOLDER.replace("-v1/", "-v2/"));
    cloud.remove(SERVING, &key);
    approve(&cloud, 2);
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "approved-again");
    assert!(cloud.object(SERVING, &key).is_some());
    assert_eq!(statuses(&cloud), ["Approved", "Approved"]);
}

#[test]
fn a_promoted_version_is_approved_again_although_the_source_artifacts_are_deleted() {
    let cloud = withdrawn();
    for key in cloud.keys(MODELS) {
        cloud.remove(MODELS, &key);
    }
    approve(&cloud, 2);
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "approved-again");
    assert_eq!(statuses(&cloud), ["Approved", "Approved"]);
}

#[test]
fn a_promoted_version_at_another_prefix_is_approved_again() {
    let cloud = withdrawn();
    approve(&cloud, 2);
    let document = promote(&cloud, &["--target-prefix", "elsewhere"]).document();
    assert_eq!(document["outcome"], "approved-again");
    assert_eq!(statuses(&cloud), ["Approved", "Approved"]);
    assert!(cloud.keys(SERVING).iter().all(|key| !key.starts_with("elsewhere")));
}

#[test]
fn a_dry_run_reports_the_approval_and_changes_nothing() {
    let cloud = withdrawn();
    approve(&cloud, 2);
    let before = promoted(&cloud);
    let planned = promote(&cloud, &["--dry-run"]).document();
    assert_eq!(planned["outcome"], "planned");
    assert_eq!(
        (&planned["planned"][0]["act"], &planned["planned"][0]["subject"]),
        (&"approve-again".into(), &copy(2).into())
    );
    let text = run(&cloud, Principal::Both, &[&full()[..], &["--dry-run".into()]].concat()).stdout;
    let says = format!("Outcome    dry run, nothing was written: would approve again\n           {}\n", copy(2));
    assert!(text.starts_with(&says) && text.contains("Would be written\n"), "{text}");
    assert_eq!(promoted(&cloud), before);
}

#[test]
fn a_decision_that_is_made_while_missing_artifacts_are_copied_again_counts() {
    for arn in [source(2), copy(2)] {
        let cloud = withdrawn();
        let key = format!("{}models/churn/report.json", FOLDER.replace("-v1/", "-v2/"));
        cloud.remove(SERVING, &key);
        approve(&cloud, 2);
        let status = if arn == copy(2) { "PendingManualApproval" } else { "Rejected" };
        cloud.hook(Moment::on("CopyObject", 1), move |cloud| {
            cloud.change(&arn, json!({"ModelApprovalStatus": status}));
        });
        assert_eq!(promote(&cloud, &[]).document()["outcome"], "repaired");
        assert_ne!(statuses(&cloud)[1], "Approved");
        promote(&cloud, &[]).document();
        assert_ne!(statuses(&cloud)[1], "Approved");
    }
}

#[test]
fn a_rejection_by_the_target_account_after_its_own_approval_of_a_withdrawn_version_stays() {
    let cloud = withdrawn();
    approve(&cloud, 2);
    // Statuses alone: the reason of the withdrawal stays.
    cloud.change(&copy(2), json!({"ModelApprovalStatus": "Approved"}));
    promote(&cloud, &[]).document();
    cloud.change(&copy(2), json!({"ModelApprovalStatus": "Rejected"}));
    for _ in 0..3 {
        promote(&cloud, &[]).document();
        assert_eq!(statuses(&cloud), ["Approved", "Rejected"]);
    }
}

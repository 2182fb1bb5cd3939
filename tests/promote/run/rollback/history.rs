//! What a rollback goes back to, and what its history says, also after it was killed.

use std::sync::atomic::AtomicUsize;
use std::sync::atomic::Ordering::Relaxed;

use super::*;
use crate::run::withdraw::withdraw;

/// The folder of a version of the source.
fn folder(version: u32) -> String {
    FOLDER.replace("-v1/", &format!("-v{version}/"))
}

/// The objects that are gone, and what the rollback says of them.
type Gone = (fn(&str) -> bool, &'static str);

/// Removes the objects of a version whose keys fit.
fn remove(cloud: &Cloud, version: u32, fits: impl Fn(&str) -> bool) {
    let keys: Vec<String> = cloud.keys(SERVING).into_iter().filter(|key| key.starts_with(&folder(version))).collect();
    let gone: Vec<&String> = keys.iter().filter(|key| fits(key)).collect();
    assert!(!gone.is_empty(), "{keys:?}");
    gone.into_iter().for_each(|key| cloud.remove(SERVING, key));
}

fn is_record(key: &str) -> bool {
    key.rsplit('/').next().is_some_and(|name| name.starts_with("promotion") && name.ends_with(".json"))
}

#[test]
fn a_version_whose_record_or_artifact_was_deleted_is_refused_and_the_next_whole_one_is_taken() {
    let gone: [Gone; 2] = [(is_record, "record"), (|key| key.ends_with("/model.tar.gz"), "model.tar.gz")];
    for (fits, says) in gone {
        let cloud = three();
        remove(&cloud, 2, fits);
        let before = writes(&cloud);
        rollback(&cloud, &["--to", "2"]).fails(1, &["/2", says]);
        assert_eq!((statuses(&cloud), writes(&cloud)), (vec!["Approved".to_owned(); 3], before), "{says}");
        let document = rollback(&cloud, &[]).document();
        assert_eq!(document["to"], format!("{TARGET_VERSION}1"), "{says}");
        let warning = document["warnings"][0].as_str().unwrap_or_default();
        assert!(warning.contains("/2 ") && warning.contains(says), "{warning}");
        assert_eq!(statuses(&cloud), ["Approved", "Rejected", "Rejected"], "{says}");
    }
}

/// The records of a version that a rollback has written.
fn of_rollbacks(cloud: &Cloud, version: u32) -> Vec<Value> {
    let keys = cloud.keys(SERVING).into_iter().filter(|key| key.starts_with(&folder(version)) && is_record(key));
    let texts = keys.filter_map(|key| cloud.object(SERVING, &key));
    let records = texts.filter_map(|object| serde_json::from_slice::<Value>(&object.body.bytes()).ok());
    records.filter(|record| record["outcome"] == "rolled-back").collect()
}

#[test]
fn the_history_of_the_rejected_version_says_who_rolled_it_back_where_and_why() {
    let cloud = three();
    rollback(&cloud, &[]).document();
    let records = of_rollbacks(&cloud, 3);
    assert_eq!(records.len(), 1);
    let target = &records[0]["target"];
    assert_eq!(target["model_package_arn"], format!("{TARGET_VERSION}3"));
    assert_eq!((&target["approval_status"], &target["decided_by"]), (&json!("Rejected"), &json!("target")));
    let says = format!("promote: rolled back to version 2 by {}: Latency alarm", Principal::Both.arn());
    assert_eq!(target["approval_description"], says, "{target:#}");
    assert_eq!(of_rollbacks(&cloud, 2), Vec::<Value>::new());
    let hold = cloud.object(SERVING, "churn-model/_hold-1-held/hold.json").expect("the hold");
    let hold: Value = serde_json::from_slice(&hold.body.bytes()).expect("JSON");
    assert_eq!(hold["rolled_back_to"], format!("{TARGET_VERSION}2"));
    assert_eq!(hold["rolled_back"], json!({"3": "Approved"}));
}

/// A rollback that is killed at a call.
fn killed_at(cloud: &Cloud, call: usize) {
    cloud.fail(Moment::from(call), if call.is_multiple_of(2) { Failure::Reset } else { Failure::ResetAfter });
    rollback(cloud, &[]);
    cloud.heal();
}

fn every_call() -> Vec<usize> {
    let cloud = three();
    let before = cloud.calls().len();
    rollback(&cloud, &[]).document();
    (1..=cloud.calls().len() - before).collect()
}

#[test]
fn a_rollback_that_was_killed_and_a_withdrawal_before_it_is_repeated_leave_the_reason_of_the_rollback() {
    let held = AtomicUsize::new(0);
    crate::run::faults::each(AT_ONCE, &every_call(), |k| {
        let cloud = three();
        let third = SOURCE_VERSION.replace("/1", "/3");
        killed_at(&cloud, *k);
        let was_held = cloud.keys(SERVING).iter().any(|key| key.contains("_hold-1-held/"));
        cloud.change(&third, json!({"ModelApprovalStatus": "Rejected"}));
        anyhow::ensure!(withdraw(&cloud, &[]).code == 0);
        // Before the hold, the group has nothing of the rollback: version 2 is the current one.
        anyhow::ensure!(was_held || statuses(&cloud) == ["Approved", "Approved", "Rejected"]);
        let rolled_back = rollback(&cloud, if was_held { &[] } else { &["--to", "2"] });
        anyhow::ensure!(rolled_back.code == 0, "{}", rolled_back.stderr);
        if !was_held {
            return Ok(());
        }
        held.fetch_add(1, Relaxed);
        let description = promoted(&cloud)[2]["ApprovalDescription"].clone();
        let is_kept = description.as_str().is_some_and(|text| text.contains("rolled back to version 2"));
        anyhow::ensure!(is_kept, "{description}: {}", rolled_back.stdout);
        anyhow::ensure!(!of_rollbacks(&cloud, 3).is_empty(), "no record of the rollback: {}", rolled_back.stdout);
        cloud.change(&third, json!({"ModelApprovalStatus": "Approved"}));
        release(&cloud).document();
        promote(&cloud, &[]).document();
        anyhow::ensure!(statuses(&cloud) == ["Approved", "Approved", "Rejected"], "{:?}", statuses(&cloud));
        Ok(())
    });
    assert!(held.into_inner() > 0, "no rollback was killed after its hold");
}

#[test]
fn another_rollback_rejects_what_the_killed_one_was_to_reject_although_the_source_has_withdrawn_it() {
    let cloud = three();
    let third = SOURCE_VERSION.replace("/1", "/3");
    cloud.fail(Moment::every("UpdateModelPackage"), Failure::Reset);
    rollback(&cloud, &[]);
    cloud.heal();
    cloud.change(&third, json!({"ModelApprovalStatus": "Rejected"}));
    withdraw(&cloud, &[]).document();
    let flags = ["--reason", "Version 3 is wrong", "--settle-seconds", "0", "--to", "2"];
    let document = run(&cloud, Principal::Both, &rollback_as("rollback", &flags)).document();
    assert_eq!((&document["hold"]["number"], &document["rejected"][0]["version"]), (&json!(2), &json!(3)));
    cloud.change(&third, json!({"ModelApprovalStatus": "Approved"}));
    release(&cloud).document();
    promote(&cloud, &[]).document();
    assert_eq!(statuses(&cloud), ["Approved", "Approved", "Rejected"]);
}

#[test]
fn a_rollback_that_was_killed_at_any_call_has_held_the_group_before_it_has_rejected_anything() {
    crate::run::faults::each(AT_ONCE, &every_call(), |k| {
        let cloud = three();
        killed_at(&cloud, *k);
        let was_held = cloud.keys(SERVING).iter().any(|key| key.contains("_hold-1-held/"));
        let after = statuses(&cloud);
        let is_rejected = after == ["Approved", "Approved", "Rejected"];
        anyhow::ensure!(is_rejected || after == ["Approved"; 3], "{after:?}");
        anyhow::ensure!(was_held || !is_rejected, "rejected, and the group is not held");
        cloud.register(model("s3://models/churn/model.tar.gz"));
        for _ in 0..2 {
            let outcome = promote(&cloud, &[]).document()["outcome"].clone();
            anyhow::ensure!(!was_held || outcome == "held", "{outcome}");
            let newer = statuses(&cloud);
            anyhow::ensure!(!was_held || newer == after, "in a held group: {after:?}, {newer:?}");
        }
        Ok(())
    });
}

//! Releases, holds and withdrawals that happen while a rollback is under way, and the other way round.

use super::approvals::none_approved_while_held;
use super::*;
use crate::run::withdraw::withdraw;

const THIRD: &str = "arn:aws:sagemaker:eu-central-1:444333666777:model-package/churn-model/3";

fn decide(cloud: &Cloud, status: &str) {
    cloud.change(THIRD, json!({"ModelApprovalStatus": status}));
}

/// The number of calls of a run.
fn calls_of(cloud: &Cloud, act: impl FnOnce(&Cloud)) -> Vec<usize> {
    let before = cloud.calls().len();
    act(cloud);
    (1..=cloud.calls().len() - before).collect()
}

#[test]
fn a_rollback_whose_group_is_released_meanwhile_does_not_say_that_the_group_is_held() {
    for interrupted in [false, true] {
        let cloud = three();
        if interrupted {
            cloud.fail(Moment::every("UpdateModelPackage"), Failure::Reset);
            rollback(&cloud, &[]);
            cloud.heal();
        }
        cloud.hook(Moment::on("UpdateModelPackage", 1), |cloud| drop(release(cloud)));
        let run = rollback(&cloud, &[]);
        run.fails(1, &["was released during the rollback", "Run again"]);
        let document: Value = serde_json::from_str(&run.stdout).expect("a document");
        assert_eq!(document["outcome"], "incomplete");
        assert_eq!(statuses(&cloud), ["Approved", "Approved", "Rejected"]);
    }
}

#[test]
fn what_a_rollback_has_rejected_is_not_approved_again_because_a_withdrawal_ran_at_the_same_time() {
    let cases = {
        let cloud = three();
        calls_of(&cloud, |cloud| drop(rollback(cloud, &[])))
    };
    crate::run::faults::each(AT_ONCE, &cases, |k| {
        let cloud = three();
        decide(&cloud, "Rejected");
        cloud.hook(Moment::nth(*k), |cloud| drop(withdraw(cloud, &[])));
        let rolled_back = rollback(&cloud, &["--to", "2"]);
        is_kept(&cloud, &rolled_back)
    });
}

#[test]
fn a_withdrawal_that_was_under_way_does_not_replace_the_reason_of_the_rollback() {
    let cloud = three();
    decide(&cloud, "Rejected");
    // The withdrawal has decided, and the rollback rejects the version, before the withdrawal is carried out.
    cloud.fail(Moment::on("UpdateModelPackage", 1), Failure::Hang);
    let arrival = Arrival::of(&cloud, Moment::on("UpdateModelPackage", 1));
    let updates = cloud.calls_of("UpdateModelPackage").len();
    let flags = ["withdraw", "--group", &Cloud::group_arn(GROUP), "--target-bucket", SERVING];
    let mut process = cloud.process(Principal::Both);
    let process = process.args(flags).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let withdrawing = process.spawn().expect("the binary starts");
    arrival.wait();
    let command = rollback_as("rollback", &["--reason", "Latency alarm", "--settle-seconds", "2", "--to", "2"]);
    let mut process = cloud.process(Principal::Both);
    let process = process.args(command).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let rolling = process.spawn().expect("the binary starts");
    assert!(cloud.succeeds("UpdateModelPackage", updates + 1), "the rollback rejects version 3");
    cloud.release();
    ended(withdrawing);
    let rolled_back = ended(rolling);
    let rejected = &rolled_back.document()["rejected"];
    assert_eq!((&rejected[0]["version"], &rejected[0]["approval_status"]), (&json!(3), &json!("Approved")));
    is_kept(&cloud, &rolled_back).expect("it stays Rejected");
}

/// A version that a rollback says it has rejected stays Rejected, whatever the source decides then.
fn is_kept(cloud: &Cloud, rolled_back: &Run) -> anyhow::Result<()> {
    let document: Value = serde_json::from_str(&rolled_back.stdout).unwrap_or_default();
    anyhow::ensure!(statuses(cloud)[2] == "Rejected", "{:?}", statuses(cloud));
    decide(cloud, "Approved");
    promote(cloud, &[]);
    none_approved_while_held(cloud)?;
    anyhow::ensure!(statuses(cloud)[2] == "Rejected", "in a held group: {:?}", statuses(cloud));
    release(cloud);
    promote(cloud, &[]);
    let says = document["rejected"].as_array().is_some_and(|rejected| !rejected.is_empty());
    anyhow::ensure!(!says || statuses(cloud)[2] == "Rejected", "after the release: {:?} {document:#}", statuses(cloud));
    Ok(())
}

#[test]
fn two_holds_at_once_are_one_that_one_release_ends() {
    let cases = {
        let cloud = three();
        calls_of(&cloud, |cloud| drop(hold(cloud)))
    };
    crate::run::faults::each(AT_ONCE, &cases, |k| {
        let cloud = three();
        cloud.register(model("s3://models/churn/model.tar.gz"));
        cloud.hook(Moment::nth(*k), |cloud| drop(hold(cloud)));
        anyhow::ensure!(hold(&cloud).code == 0, "the first one");
        anyhow::ensure!(promote(&cloud, &[]).document()["outcome"] == "held");
        anyhow::ensure!(release(&cloud).document()["outcome"] == "released");
        anyhow::ensure!(promote(&cloud, &[]).document()["outcome"] == "promoted");
        Ok(())
    });
}

#[test]
fn a_hold_that_is_killed_at_any_call_holds_the_group_or_does_not_and_the_next_one_holds_it() {
    let cases = {
        let cloud = three();
        calls_of(&cloud, |cloud| drop(hold(cloud)))
    };
    crate::run::faults::each(AT_ONCE, &cases, |k| {
        let cloud = three();
        cloud.fail(Moment::from(*k), if k % 2 == 0 { Failure::Reset } else { Failure::ResetAfter });
        hold(&cloud);
        cloud.heal();
        let outcome = hold(&cloud).document()["outcome"].clone();
        anyhow::ensure!(outcome == "held" || outcome == "already-held", "{outcome}");
        anyhow::ensure!(promote(&cloud, &[]).document()["outcome"] == "held");
        Ok(())
    });
}

//! Rollbacks that are interrupted, and promotions at the same time.

use super::approvals::{approved_while_held, none_approved_while_held};
use super::*;

/// The number of calls of a run in a copy of a world.
fn calls_of(act: impl Fn(&Cloud) -> Run) -> usize {
    let cloud = three();
    let before = cloud.calls().len();
    act(&cloud).document();
    let calls = cloud.calls().len() - before;
    assert!(calls > 10, "{calls} calls");
    calls
}

#[test]
fn a_rollback_that_ends_at_any_call_is_completed_by_the_next_one() {
    let cases: Vec<usize> = (1..=calls_of(|cloud| rollback(cloud, &[]))).collect();
    crate::run::faults::each(AT_ONCE, &cases, |k| {
        let cloud = three();
        cloud.fail(Moment::from(*k), if k % 2 == 0 { Failure::Reset } else { Failure::ResetAfter });
        rollback(&cloud, &[]);
        cloud.heal();
        promote(&cloud, &[]);
        rollback(&cloud, &[]).document();
        promote(&cloud, &[]).document();
        anyhow::ensure!(statuses(&cloud) == ["Approved", "Approved", "Rejected"], "{:?}", statuses(&cloud));
        none_approved_while_held(&cloud)
    });
}

#[test]
fn promotions_during_a_rollback_do_not_approve_what_it_rejects() {
    let cases: Vec<usize> = (1..=calls_of(|cloud| rollback(cloud, &[]))).collect();
    crate::run::faults::each(AT_ONCE, &cases, |k| {
        let cloud = three();
        cloud.register(model("s3://models/churn/model.tar.gz"));
        cloud.hook(Moment::nth(*k), |cloud| drop(promote(cloud, &[])));
        rollback(&cloud, &["--to", "2"]).document();
        promote(&cloud, &[]).document();
        promote(&cloud, &[]).document();
        let newer = statuses(&cloud).split_off(2);
        anyhow::ensure!(!newer.contains(&"Approved".to_owned()), "{newer:?}");
        none_approved_while_held(&cloud)
    });
}

#[test]
fn a_rollback_during_a_promotion_is_not_undone_by_it() {
    let fourth = || {
        let cloud = three();
        cloud.register(model("s3://models/churn/model.tar.gz"));
        cloud
    };
    let cloud = fourth();
    let before = cloud.calls().len();
    promote(&cloud, &[]).document();
    let calls = cloud.calls().split_off(before);
    let approves = calls.iter().position(|call| call.operation == "UpdateModelPackage").expect("it approves");
    let looks = calls[..approves].iter().filter(|call| call.operation == "ListObjectsV2").count();
    assert!(looks >= 3, "{looks} looks");
    // The last listing is the last look for a hold. From then on, the rollback waits for the approval: see the next test.
    let moments = (1..=looks).map(|number| ("ListObjectsV2", number));
    let others = ["CopyObject", "CreateModelPackage", "PutObject", "GetObject"].map(|operation| (operation, 1));
    let cases: Vec<(&str, usize)> = moments.chain(others).collect();
    crate::run::faults::each(AT_ONCE, &cases, |(operation, number)| {
        let cloud = fourth();
        cloud.hook(Moment::on(operation, *number), |cloud| drop(rollback(cloud, &["--to", "2"])));
        promote(&cloud, &[]);
        let newer = statuses(&cloud).split_off(2);
        anyhow::ensure!(!newer.contains(&"Approved".to_owned()), "{newer:?}");
        none_approved_while_held(&cloud)
    });
}

#[test]
fn an_approval_that_was_under_way_is_rejected_when_the_group_has_settled() {
    let cloud = three();
    cloud.register(model("s3://models/churn/model.tar.gz"));
    // The promotion has looked for a hold, and the rollback looks at the versions, before the approval is carried out.
    cloud.fail(Moment::on("UpdateModelPackage", 1), Failure::Hang);
    let arrival = Arrival::of(&cloud, Moment::on("UpdateModelPackage", 1));
    let updates = cloud.calls_of("UpdateModelPackage").len();
    let promotion = spawn(&cloud, &[]);
    arrival.wait();
    let command = rollback_as("rollback", &["--reason", "Latency alarm", "--settle-seconds", "2", "--to", "2"]);
    let mut process = cloud.process(Principal::Both);
    let rolling = process.args(command).stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped());
    let rolling = rolling.spawn().expect("the binary starts");
    assert!(cloud.succeeds("UpdateModelPackage", updates + 2), "the rollback rejects both newer versions");
    cloud.release();
    ended(promotion);
    ended(rolling).document();
    assert_eq!(statuses(&cloud), ["Approved", "Approved", "Rejected", "Rejected"]);
    // The one approval that no look for a hold could stop.
    assert_eq!(approved_while_held(&cloud), [format!("{TARGET_VERSION}4")]);
}

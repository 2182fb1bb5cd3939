//! Nothing is approved from the moment a hold is written until its release, whatever happens meanwhile: the calls that
//! the stand-in has carried out tell.

use std::sync::mpsc;
use std::time::{Duration, Instant};

use anyhow::{Context as _, Result, ensure};

use super::*;

/// The target versions that were approved while the group was held.
pub(super) fn approved_while_held(cloud: &Cloud) -> Vec<String> {
    let number = |key: &str, kind: &str| key.split_once("_hold-")?.1.split_once(kind)?.0.parse::<u32>().ok();
    let (mut held, mut released, mut approved) = (0, 0, Vec::new());
    for call in cloud.carried_out() {
        let is_approved = call.request["ModelApprovalStatus"] == "Approved";
        match call.operation.as_str() {
            "PutObject" => {
                held = held.max(number(&call.resource, "-held/").unwrap_or(0));
                released = released.max(number(&call.resource, "-released/").unwrap_or(0));
            }
            "UpdateModelPackage" | "CreateModelPackage" if is_approved && held > released => {
                approved.push(call.resource);
            }
            _ => {}
        }
    }
    approved
}

/// No call has approved a version while the group was held.
pub(super) fn none_approved_while_held(cloud: &Cloud) -> Result<()> {
    let approved = approved_while_held(cloud);
    ensure!(approved.is_empty(), "approved while the group was held: {approved:?}");
    Ok(())
}

/// A call may take so long: its client waits for an answer for a minute.
const ANSWERED_WITHIN: Duration = Duration::from_secs(15);

/// A version of the source, and what the source decides about it.
type Event = (u32, &'static str);

/// The events of the pipeline in an order of their own, each delivered twice.
fn events(seed: usize) -> impl Iterator<Item = Event> {
    let mut events = [(3, "Rejected"), (3, "Approved"), (4, "Approved")];
    fastrand::Rng::with_seed(u64::try_from(seed).expect("a small number")).shuffle(&mut events);
    events.into_iter().flat_map(|event| [event, event])
}

fn deliver(cloud: &Cloud, (version, status): Event) {
    cloud.change(&SOURCE_VERSION.replace("/1", &format!("/{version}")), json!({"ModelApprovalStatus": status}));
    promote(cloud, &[]);
}

/// The versions, and a further one that is pending at the source.
fn four() -> Cloud {
    let cloud = three();
    let mut package = model("s3://models/churn/model.tar.gz");
    package["ModelApprovalStatus"] = json!("PendingManualApproval");
    cloud.register(package);
    cloud
}

/// The calls of a rollback.
fn calls() -> Vec<usize> {
    let cloud = four();
    let before = cloud.calls().len();
    rollback(&cloud, &["--to", "2"]).document();
    let calls = cloud.calls().len() - before;
    assert!(calls > 10, "{calls} calls");
    (1..=calls).collect()
}

/// A rollback succeeds, and neither what it has rejected nor a newer version is Approved before the release.
/// `late`: events that arrive after it.
fn rolls_back(cloud: &Cloud, late: impl FnOnce() -> Vec<Event>) -> Result<()> {
    let run = rollback(cloud, &["--to", "2"]);
    ensure!(run.code == 0, "{}{}", run.stdout, run.stderr);
    late().into_iter().for_each(|event| deliver(cloud, event));
    promote(cloud, &[]);
    let newer = statuses(cloud).split_off(2);
    ensure!(!newer.contains(&"Approved".to_owned()), "{newer:?}");
    none_approved_while_held(cloud)
}

#[test]
fn events_at_any_call_of_a_rollback_approve_nothing_from_the_hold_to_the_release() {
    crate::run::faults::each(AT_ONCE, &calls(), |k| {
        let ((cloud, seed), (put_off, late)) = ((four(), *k), mpsc::channel());
        cloud.hook(Moment::nth(seed), move |cloud| {
            let arrived = Instant::now();
            for event in events(seed) {
                match arrived.elapsed() < ANSWERED_WITHIN {
                    true => deliver(cloud, event),
                    false => put_off.send(event).expect("the test waits"),
                }
            }
        });
        rolls_back(&cloud, || late.try_iter().collect()).with_context(|| format!("call {k}"))
    });
}

#[test]
fn events_after_a_rollback_was_killed_at_any_call_approve_nothing_from_the_hold_to_the_release() {
    crate::run::faults::each(AT_ONCE, &calls(), |k| {
        let cloud = four();
        cloud.fail(Moment::from(*k), if k % 2 == 0 { Failure::Reset } else { Failure::ResetAfter });
        rollback(&cloud, &["--to", "2"]);
        cloud.heal();
        events(*k).for_each(|event| deliver(&cloud, event));
        rolls_back(&cloud, Vec::new).with_context(|| format!("call {k}"))
    });
}

//! Rollbacks, holds, releases, promotions, withdrawals and decisions at the source in random orders.
//!
//! `ROLLBACK_SEEDS=1-1000` (`make rollbacks`) runs these seeds, `ROLLBACK_SEEDS=17` one; without it a sample is run.

use std::collections::BTreeSet;

use anyhow::{Context, Result, ensure};

use super::approvals::none_approved_while_held;
use super::*;
use crate::run::faults::{each, seeds};
use crate::run::withdraw::withdraw;

/// What `make test` runs.
const SAMPLE: std::ops::RangeInclusive<u64> = 1..=20;

/// What happens.
#[derive(Debug, Clone, Copy)]
enum Step {
    Full,
    Rollback,
    /// A rollback that is killed at a call.
    Crash(usize),
    /// A rollback, with a promotion at one of its calls.
    Meanwhile(usize),
    /// A rollback, with a withdrawal at one of its calls.
    MeanwhileWithdraw(usize),
    Withdraw,
    /// A withdrawal that is killed at a call.
    CrashWithdraw(usize),
    /// A promotion that is killed at a call.
    CrashFull(usize),
    Hold,
    Release,
    /// A new version is registered and approved at the source.
    Register,
    /// A source version gets an approval status.
    Decide(usize, &'static str),
}

fn sequence(seed: u64) -> Vec<Step> {
    let mut random = fastrand::Rng::with_seed(seed);
    let mut steps = vec![
        Step::Full,
        Step::Full,
        Step::Full,
        Step::Rollback,
        Step::Crash(random.usize(1..60)),
        Step::Meanwhile(random.usize(1..60)),
        Step::MeanwhileWithdraw(random.usize(1..60)),
        Step::Withdraw,
        Step::CrashWithdraw(random.usize(1..30)),
        Step::CrashFull(random.usize(1..80)),
        Step::Register,
        Step::Decide(random.usize(1..=3), "Rejected"),
        Step::Decide(random.usize(1..=3), "Approved"),
        Step::Release,
    ];
    if random.bool() {
        steps.push(Step::Hold);
    }
    random.shuffle(&mut steps);
    steps
}

#[test]
fn nothing_becomes_approved_in_a_held_group_in_any_order_of_rollbacks_runs_and_decisions() {
    let seeds = seeds("ROLLBACK_SEEDS").unwrap_or_else(|| SAMPLE.collect());
    each(AT_ONCE, &seeds, |seed| {
        let steps = sequence(*seed);
        holds(&steps).with_context(|| format!("seed {seed} (`make rollbacks SEEDS={seed}` runs it alone): {steps:?}"))
    });
}

fn holds(steps: &[Step]) -> Result<()> {
    let cloud = three();
    let mut rolled_back = BTreeSet::new();
    for (number, step) in steps.iter().enumerate() {
        let (before, was_held) = (approved(&cloud), is_held(&cloud));
        let run = take(*step, &cloud);
        let context = || {
            let said = run.as_ref().map_or(String::new(), |run| format!("{}{}", run.stdout, run.stderr));
            format!("step {} ({step:?}): {:?}: {said}", number + 1, statuses(&cloud))
        };
        let after = approved(&cloud);
        if was_held && !matches!(step, Step::Release) {
            ensure!(after.is_subset(&before), "approved in a held group: {before:?}, {after:?}: {}", context());
        }
        none_approved_while_held(&cloud).with_context(context)?;
        let again: Vec<_> = after.intersection(&rolled_back).collect();
        ensure!(again.is_empty(), "{again:?} was rolled back and is Approved: {}", context());
        if let (Step::Rollback | Step::Meanwhile(_) | Step::MeanwhileWithdraw(_), Some(run)) = (step, &run)
            && run.code == 0
        {
            let to = run.document()["to"].as_str().and_then(|arn| arn.rsplit('/').next()?.parse().ok()).unwrap_or(0);
            ensure!(after.iter().all(|version| *version <= to), "{after:?} after a rollback to {to}: {}", context());
            ensure!(is_held(&cloud), "a rollback holds the group: {}", context());
            rolled_back.extend(before.into_iter().filter(|version| *version > to));
        }
        if let (Step::Full, Some(run)) = (step, &run) {
            ensure!(run.code == 0, "{}", context());
            ensure!(!was_held || run.document()["outcome"] == "held", "{}", context());
        }
    }
    Ok(())
}

fn take(step: Step, cloud: &Cloud) -> Option<Run> {
    match step {
        Step::Full => Some(promote(cloud, &[])),
        Step::Rollback => Some(rollback(cloud, &[])),
        Step::Crash(call) => killed(cloud, call, |cloud| rollback(cloud, &[])),
        Step::CrashWithdraw(call) => killed(cloud, call, |cloud| withdraw(cloud, &[])),
        Step::CrashFull(call) => killed(cloud, call, |cloud| promote(cloud, &[])),
        Step::Meanwhile(call) => {
            cloud.hook(Moment::nth(call), |cloud| drop(promote(cloud, &[])));
            let run = rollback(cloud, &[]);
            cloud.heal();
            Some(run)
        }
        Step::MeanwhileWithdraw(call) => {
            cloud.hook(Moment::nth(call), |cloud| drop(withdraw(cloud, &[])));
            let run = rollback(cloud, &[]);
            cloud.heal();
            Some(run)
        }
        Step::Withdraw => Some(withdraw(cloud, &[])),
        Step::Hold => Some(hold(cloud)),
        Step::Release => Some(release(cloud)),
        Step::Register => {
            cloud.register(model("s3://models/churn/model.tar.gz"));
            None
        }
        Step::Decide(version, status) => {
            cloud.change(&SOURCE_VERSION.replace("/1", &format!("/{version}")), json!({"ModelApprovalStatus": status}));
            None
        }
    }
}

/// A run that is killed at a call. The claims that it leaves are of a run that ended long ago.
fn killed(cloud: &Cloud, call: usize, act: impl FnOnce(&Cloud) -> Run) -> Option<Run> {
    cloud.fail(Moment::from(call), if call.is_multiple_of(2) { Failure::Reset } else { Failure::ResetAfter });
    act(cloud);
    cloud.heal();
    cloud.age_claims(SERVING);
    None
}

/// The numbers of the Approved versions.
fn approved(cloud: &Cloud) -> BTreeSet<usize> {
    let numbered = (1..).zip(statuses(cloud));
    numbered.filter(|(_, status)| status == "Approved").map(|(number, _)| number).collect()
}

fn is_held(cloud: &Cloud) -> bool {
    let numbers = |kind: &str| {
        let keys = cloud.keys(SERVING);
        let numbers = keys.iter().filter_map(|key| key.split_once("_hold-")?.1.split_once(kind)?.0.parse::<u32>().ok());
        numbers.max().unwrap_or(0)
    };
    numbers("-held/") > numbers("-released/")
}

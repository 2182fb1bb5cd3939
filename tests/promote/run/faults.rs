//! Each call of a run fails in turn. The run completes the promotion or says what to do, and the next run completes it and
//! leaves nothing behind.

mod downloads;
mod plan;
mod proof;

use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};

use anyhow::{Context, Result, ensure};
use serde_json::json;

use crate::support::{Body, Cloud, Failure, Moment, Principal, SOURCE_ACCOUNT};
use crate::world::*;
use proof::{approved_last, complete, ends_clearly, keeps_the_group};

const BROKEN: Failure = Failure::Status(500, "InternalError", "We encountered an internal error");
const DENIED: Failure = Failure::Status(403, "AccessDenied", "Access Denied");
const SLOW_DOWN: Failure = Failure::Status(503, "SlowDown", "Reduce your request rate");

/// Runs under way at once in one test: they wait for each other's processes more than for the processor.
pub(crate) const AT_ONCE: usize = 4;

/// The profiles that make two principals, between which bytes are streamed.
const STREAMING: [&str; 6] = ["--copy-mode", "stream", "--source-profile", "source", "--target-profile", "target"];

/// A way to promote.
#[derive(Clone, Copy)]
struct Way {
    world: fn() -> Cloud,
    flags: &'static [&'static str],
}

const SERVER_SIDE: Way = Way { world: usual, flags: &[] };
const STREAMED: Way = Way { world: small, flags: &STREAMING };
const SERVER_SIDE_IN_PARTS: Way = Way { world: above_5_gib, flags: &[] };
const STREAMED_IN_PARTS: Way = Way { world: above_8_mib, flags: &STREAMING };

#[test]
fn a_server_side_run_ends_well_whichever_call_fails() {
    each_call_fails_in_each_way(SERVER_SIDE);
}

#[test]
fn a_streaming_run_ends_well_whichever_call_fails() {
    each_call_fails_in_turn(STREAMED);
}

#[test]
fn a_server_side_run_in_parts_ends_well_whichever_call_fails() {
    each_call_fails_in_turn(SERVER_SIDE_IN_PARTS);
}

#[test]
fn a_streaming_run_in_parts_ends_well_whichever_call_fails() {
    each_call_fails_in_each_way(STREAMED_IN_PARTS);
}

#[test]
fn a_transient_failure_of_any_call_is_invisible_with_the_sdk_s_retries() {
    let kinds = [BROKEN, SLOW_DOWN, Failure::Reset];
    let calls = calls_of_a_clean_run(SERVER_SIDE_IN_PARTS);
    let cases: Vec<_> = (1..=calls).map(|k| (k, kinds[k % kinds.len()])).collect();
    each(AT_ONCE, &cases, |(k, failure)| invisible(SERVER_SIDE_IN_PARTS, *k, *failure));
}

#[test]
fn a_lost_answer_of_any_call_is_invisible_with_the_sdk_s_retries() {
    for way in [SERVER_SIDE, STREAMED_IN_PARTS] {
        let cases: Vec<_> = (1..=calls_of_a_clean_run(way)).collect();
        each(AT_ONCE, &cases, |k| invisible(way, *k, Failure::ResetAfter));
    }
}

#[test]
fn a_throttled_copy_is_retried_and_counted_once() {
    let cloud = usual();
    cloud.fail(Moment::on("CopyObject", 1), SLOW_DOWN);
    let run = run_with_retries(&cloud, &[]);
    let document = run.document();
    assert_eq!(run.remarks(), "");
    assert_eq!(cloud.calls_of("CopyObject").len(), 5);
    let artifacts = document["artifacts"].as_array().expect("artifacts");
    assert_eq!(artifacts.iter().map(|one| &one["result"]).collect::<Vec<_>>(), ["copied"; 4]);
    complete(&cloud).expect("everything is there");
}

/// The usual package: four objects.
fn usual() -> Cloud {
    let cloud = grouped();
    fill(&cloud);
    cloud
}

/// Two objects, one of them below a prefix.
fn small() -> Cloud {
    let cloud = grouped();
    cloud.put(MODELS, "churn/model.tar.gz", "weights");
    cloud.put(MODELS, "churn/llm/config.json", "{}");
    let mut package = package();
    package.as_object_mut().expect("a package").remove("ModelMetrics");
    cloud.register(package);
    cloud
}

fn above_5_gib() -> Cloud {
    with_model(Body::synthetic((5 << 30) + 1, 7))
}

fn above_8_mib() -> Cloud {
    with_model(vec![7; (8 << 20) + 1].into())
}

/// One object of this content.
fn with_model(content: Body) -> Cloud {
    let cloud = grouped();
    cloud.put(MODELS, "churn/model.tar.gz", content);
    let mut package = model("s3://models/churn/model.tar.gz");
    package["ApprovalDescription"] = json!("Reviewed by the risk board");
    cloud.register(package);
    cloud
}

/// A world whose source group has a description and a tag.
fn grouped() -> Cloud {
    let cloud = world();
    let members = json!({"ModelPackageGroupDescription": "Who leaves", "Tags": [{"Key": "team", "Value": "growth"}]});
    cloud.create_group(SOURCE_ACCOUNT, GROUP, members);
    cloud.describes_until_completed(1);
    cloud
}

/// How one call fails.
const FAILURES: [Failure; 4] = [BROKEN, DENIED, Failure::Reset, Failure::ResetAfter];

/// A call that fails, and its number.
type Case = (Moment, Failure, usize);

/// Every call fails in every way, and all calls from each one on.
fn each_call_fails_in_each_way(way: Way) {
    let calls = 1..=calls_of_a_clean_run(way);
    let one = |failure| calls.clone().map(move |k| (Moment::nth(k), failure, k));
    let all = calls.clone().map(|k| (Moment::from(k), Failure::Reset, k));
    survive(way, &FAILURES.into_iter().flat_map(one).chain(all).collect::<Vec<_>>());
}

/// Every call fails in one way, or all from it on, in turn: the other two ways to promote have most of the calls, too.
fn each_call_fails_in_turn(way: Way) {
    let calls = 1..=calls_of_a_clean_run(way);
    let in_turn = |k| match FAILURES.get(k % (FAILURES.len() + 1)) {
        Some(failure) => (Moment::nth(k), *failure, k),
        None => (Moment::from(k), Failure::Reset, k),
    };
    survive(way, &calls.map(in_turn).collect::<Vec<_>>());
}

fn survive(way: Way, cases: &[Case]) {
    each(AT_ONCE, cases, |(moment, failure, k)| {
        survives(way, moment.clone(), *failure).with_context(|| format!("call {k}, {moment:?}, {failure:?}"))
    });
}

fn calls_of_a_clean_run(way: Way) -> usize {
    let cloud = (way.world)();
    let run = promote(&cloud, way.flags);
    assert_eq!((run.document()["outcome"].as_str(), run.remarks().as_str()), (Some("promoted"), ""));
    complete(&cloud).expect("a clean run is complete");
    cloud.calls().len()
}

/// The seeds that a variable names: a number, or two with a `-` between them; nothing if it is not set.
pub(crate) fn seeds(variable: &str) -> Option<Vec<u64>> {
    let asked = std::env::var(variable).ok()?;
    let (first, last) = asked.split_once('-').unwrap_or((&asked, &asked));
    let number = |text: &str| text.parse::<u64>().unwrap_or_else(|_| panic!("{variable}={asked} names no seeds"));
    Some((number(first)..=number(last)).collect())
}

/// Checks all cases, some at once; fails with every one that does not hold.
pub(crate) fn each<T: Sync>(at_once: usize, cases: &[T], check: impl Fn(&T) -> Result<()> + Sync) {
    let (next, failed) = (AtomicUsize::new(0), Mutex::new(Vec::new()));
    std::thread::scope(|scope| {
        for _ in 0..at_once {
            scope.spawn(|| {
                while let Some(case) = cases.get(next.fetch_add(1, Ordering::Relaxed)) {
                    if let Err(error) = check(case) {
                        failed.lock().expect("no check panics").push(format!("{error:#}"));
                    }
                }
            });
        }
    });
    let failed = failed.into_inner().expect("no check panics");
    assert!(failed.is_empty(), "{} of {} fail:\n{}", failed.len(), cases.len(), failed.join("\n\n"));
}

/// The run ends complete or says what to do, and the next one completes it.
fn survives(way: Way, moment: Moment, failure: Failure) -> Result<()> {
    let cloud = (way.world)();
    cloud.fail(moment, failure);
    let first = promote(&cloud, way.flags);
    approved_last(&cloud.calls())?;
    ends_clearly(&first, &cloud).with_context(|| format!("the first run ended {}: {}", first.code, first.stderr))?;
    cloud.heal();
    cloud.age_claims(SERVING);
    let second = promote(&cloud, way.flags);
    let said = || format!("first {}: {}second {}: {}", first.code, first.stderr, second.code, second.stderr);
    ensure!(second.code == 0, "{}", said());
    complete(&cloud).with_context(said)?;
    keeps_the_group(&cloud, failure == DENIED).with_context(said)?;
    approved_last(&cloud.calls()).with_context(said)
}

/// One failure changes nothing that a user could see.
fn invisible(way: Way, k: usize, failure: Failure) -> Result<()> {
    let cloud = (way.world)();
    cloud.fail(Moment::nth(k), failure);
    let run = run_with_retries(&cloud, way.flags);
    let at = || {
        let call = cloud.calls()[k - 1].clone();
        format!("call {k} ({} on {}), {failure:?}: {} {}", call.operation, call.resource, run.code, run.stderr)
    };
    ensure!(run.code == 0 && run.remarks().is_empty(), "{}", at());
    complete(&cloud).with_context(at)?;
    keeps_the_group(&cloud, false).with_context(at)
}

fn run_with_retries(cloud: &Cloud, flags: &[&str]) -> Run {
    let arguments: Vec<String> = full().into_iter().chain(["--output".into(), "json".into()]).collect();
    let mut command = cloud.promote(Principal::Both);
    Run::of(command.args(arguments).args(flags).env("AWS_MAX_ATTEMPTS", "3").output().expect("the binary starts"))
}

//! Promotes many groups while AWS answers slowly and throttles. Most groups have nothing to do.
//!
//! `MANY_GROUPS=200` (`make bench-many`) runs 200 groups; without it a few.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Cloud, Principal, SOURCE_ACCOUNT};
use crate::world::*;

/// The groups that `make test` runs.
const SAMPLE: usize = 14;
/// Groups with a version that is not promoted yet.
const NEW: usize = 5;
/// Groups that fail.
const FAILING: usize = 5;

#[test]
#[expect(clippy::print_stdout, reason = "a benchmark prints its result")]
fn each_of_many_groups_has_its_outcome_at_services_that_are_slow_and_throttle() {
    let groups = std::env::var("MANY_GROUPS").map_or(SAMPLE, |groups| groups.parse().expect("a number"));
    let cloud = world();
    cloud.describes_until_completed(0);
    (0..groups).for_each(|group| register(&cloud, group));
    let (first, ..) = timed(&cloud);
    assert_eq!(first["summary"]["outcomes"], json!({"promoted": groups}));
    (0..NEW).for_each(|group| register(&cloud, group));
    for group in NEW..NEW + FAILING {
        register(&cloud, group);
        cloud.remove(MODELS, &format!("{}/2.tar.gz", name(group)));
    }
    cloud.delay(Duration::from_millis(100));
    cloud.throttle(Some(20));
    let before = cloud.calls().len();
    let (document, seconds, memory) = timed(&cloud);
    let mut calls: BTreeMap<String, (usize, usize)> = BTreeMap::new();
    for call in &cloud.calls()[before..] {
        let (all, throttled) = calls.entry(call.operation.clone()).or_default();
        *all += 1;
        *throttled += usize::from(matches!(call.status, 400 | 503));
    }
    println!("{groups} groups: {}", document["summary"]["outcomes"]);
    println!("time: {seconds:.1} s");
    println!("memory: {memory} MiB");
    for (operation, (all, throttled)) in &calls {
        println!("{operation:<28} {:>5} calls, {throttled:>5} throttled", all - throttled);
    }
    let outcomes = json!({"already-promoted": groups - NEW - FAILING, "promoted": NEW, "failed": FAILING});
    assert_eq!(document["summary"]["outcomes"], outcomes);
    assert!(memory < 128, "{memory} MiB");
}

fn name(group: usize) -> String {
    format!("team-{group:03}")
}

/// Registers the next version of a group.
fn register(cloud: &Cloud, group: usize) {
    let name = name(group);
    let version = cloud.packages(SOURCE_ACCOUNT, &name).len() + 1;
    cloud.put(MODELS, &format!("{name}/{version}.tar.gz"), format!("{name} {version}"));
    let mut package = model(&format!("s3://{MODELS}/{name}/{version}.tar.gz"));
    package["ModelPackageGroupName"] = json!(name);
    cloud.register(package);
}

/// Runs `full` for all groups: its document, the seconds that it took, and its memory in MiB.
fn timed(cloud: &Cloud) -> (Value, f64, u64) {
    let mut command = cloud.process(Principal::Both);
    let pattern = Cloud::group_arn("team-*");
    command.env_remove("AWS_MAX_ATTEMPTS").stdout(Stdio::piped()).stderr(Stdio::piped());
    command.args(["full", "--group", &pattern, "--target-bucket", SERVING, "--output", "json"]);
    let started = Instant::now();
    let child = command.spawn().expect("the binary starts");
    let process = child.id();
    let (sender, ended) = std::sync::mpsc::channel::<()>();
    let watcher = std::thread::spawn(move || {
        let mut most = 0;
        while ended.recv_timeout(Duration::from_millis(50)) == Err(std::sync::mpsc::RecvTimeoutError::Timeout) {
            most = high_water_mark(process).unwrap_or_default().max(most);
        }
        most
    });
    let run = crate::world::ended(child);
    let seconds = started.elapsed().as_secs_f64();
    drop(sender);
    let memory = watcher.join().expect("the watcher ends");
    let document = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("no document: {}", run.stderr));
    (document, seconds, memory)
}

//! Promotes many groups while AWS answers slowly and throttles. Most groups have nothing to do.
//!
//! `MANY_GROUPS=200 MANY_VERSIONS=5` (`make bench-many`) runs 200 groups that have 1 to 5 promoted versions; without it a
//! few groups.

use std::collections::BTreeMap;
use std::process::Stdio;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use crate::support::{Attributes, Cloud, Failure, Moment, Principal, SOURCE_ACCOUNT, TARGET_ACCOUNT};
use crate::world::*;

/// The groups that `make test` runs.
const SAMPLE: usize = 14;
/// The promoted versions that a group of them has at most.
const SAMPLE_VERSIONS: usize = 3;
/// Groups with a version that is not promoted yet.
const NEW: usize = 5;
/// Groups that fail.
const FAILING: usize = 5;
/// What the run for 200 groups may take.
const MOST_SECONDS: f64 = 90.0;

#[test]
#[expect(clippy::print_stdout, reason = "a benchmark prints its result")]
fn each_of_many_groups_has_its_outcome_at_services_that_are_slow_and_throttle() {
    let asked = |variable| std::env::var(variable).ok().map(|number| number.parse::<usize>().expect("a number"));
    let is_asked = asked("MANY_GROUPS").is_some();
    let groups = asked("MANY_GROUPS").unwrap_or(SAMPLE);
    let most = asked("MANY_VERSIONS").unwrap_or(SAMPLE_VERSIONS);
    let cloud = world();
    cloud.describes_until_completed(0);
    for version in 0..most {
        let older = (0..groups).filter(|group| group % most >= version).map(|group| register(&cloud, group)).count();
        let (document, ..) = timed(&cloud);
        assert_eq!(document["summary"]["outcomes"]["promoted"], json!(older));
    }
    let promoted: usize = (0..groups).map(|group| cloud.packages(TARGET_ACCOUNT, &name(group)).len()).sum();
    (0..NEW).for_each(|group| register(&cloud, group));
    let failing = (NEW..).map(name).zip(fail_in_five_ways(&cloud)).collect::<Vec<_>>();
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
    println!("{groups} groups with {promoted} promoted versions: {}", document["summary"]["outcomes"]);
    println!("time: {seconds:.1} s");
    println!("memory: {memory} MiB");
    for (operation, (all, throttled)) in &calls {
        println!("{operation:<28} {:>5} calls, {throttled:>5} throttled", all - throttled);
    }
    let outcomes = json!({"already-promoted": groups - NEW - FAILING, "promoted": NEW, "failed": FAILING});
    assert_eq!(document["summary"]["outcomes"], outcomes);
    for (group, said) in failing {
        let message = message_of(&document, &group);
        assert!(message.contains(said), "{group}: {said}: {message}");
    }
    assert!(memory < 128, "{memory} MiB");
    assert!(!is_asked || seconds < MOST_SECONDS, "{seconds} s");
}

/// Registers a version in each group that fails. Returns what is said of it.
fn fail_in_five_ways(cloud: &Cloud) -> [&'static str; FAILING] {
    let [absent, archived, denied, imageless, invalid] = std::array::from_fn(|at| name(NEW + at));
    [&absent, &archived, &denied, &invalid].into_iter().for_each(|name| register_in(cloud, name, model));
    let image = "444333666777.dkr.ecr.eu-central-1.amazonaws.com/serve:gone";
    register_in(cloud, &imageless, |url| {
        let mut package = model(url);
        package["InferenceSpecification"]["Containers"][0]["Image"] = json!(image);
        package
    });
    let newest = |group: &str| format!("{group}/{}.tar.gz", cloud.packages(SOURCE_ACCOUNT, group).len());
    cloud.remove(MODELS, &newest(&absent));
    let cold = Attributes::default().storage_class("GLACIER");
    cloud.put_with(MODELS, &newest(&archived), "cold", cold);
    let packages = format!("arn:aws:sagemaker:eu-central-1:{SOURCE_ACCOUNT}:model-package/{denied}/*");
    cloud.deny(Principal::Both, "sagemaker:ListModelPackages", &packages);
    let refusal = Failure::Status(400, "ValidationException", "1 validation error detected");
    cloud.fail(Moment::every("CreateModelPackage").at(&invalid), refusal);
    [
        "there is no such object",
        "1 object is archived",
        "sagemaker:ListModelPackages",
        image,
        "1 validation error detected",
    ]
}

/// The error of a group.
fn message_of(document: &Value, group: &str) -> String {
    let mut groups = document["groups"].as_array().into_iter().flatten();
    let found = groups.find(|one| one["group"].as_str().is_some_and(|arn| arn.ends_with(&format!("/{group}"))));
    let message = found.and_then(|one| one["document"]["error"]["message"].as_str());
    message.unwrap_or_else(|| panic!("{group} has no error: {document:#}")).to_owned()
}

fn name(group: usize) -> String {
    format!("team-{group:03}")
}

/// Registers the next version of a group.
fn register(cloud: &Cloud, group: usize) {
    register_in(cloud, &name(group), model);
}

/// Registers the next version of a group, which `package` makes of the URL of its model.
fn register_in(cloud: &Cloud, name: &str, package: impl FnOnce(&str) -> Value) {
    let version = cloud.packages(SOURCE_ACCOUNT, name).len() + 1;
    cloud.put(MODELS, &format!("{name}/{version}.tar.gz"), format!("{name} {version}"));
    let mut package = package(&format!("s3://{MODELS}/{name}/{version}.tar.gz"));
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

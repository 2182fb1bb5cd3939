//! Runs for several groups that are interrupted, killed or throttled.

use anyhow::ensure;

use super::*;
use crate::run::faults::{AT_ONCE, each};

#[test]
fn an_interrupted_run_tells_what_was_done_for_each_group_and_the_next_run_completes() {
    let cloud = with_groups(&["team-a", "team-b"]);
    cloud.fail(Moment::on("CreateModelPackage", 1).at("team-b"), Failure::Hang);
    let pattern = Cloud::group_arn("team-*");
    let mut command = cloud.process(Principal::Both);
    command.args(["full", "--group", &pattern, "--target-bucket", SERVING, "--output", "json"]);
    let log = cloud.home().join("stderr");
    let stderr = std::fs::File::create(&log).expect("a file in the home folder");
    let child = command.stdout(Stdio::piped()).stderr(stderr).spawn().expect("the binary starts");
    let told = || unfolded(&std::fs::read_to_string(&log).expect("a log"));
    waits_until("team-a has ended", || told().contains("team-a: promoted"));
    waits_until("team-b is created", || cloud.calls_of("CreateModelPackage").len() == 2);
    let interrupt = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupt.expect("kill").success());
    let run = ended(child);
    assert_eq!(run.code, 130, "{}", told());
    let document = document_of(&run);
    assert_eq!(of(&document, "team-a")["document"]["outcome"], "promoted", "{document:#}");
    let b = of(&document, "team-b");
    assert_eq!((&b["document"]["outcome"], &b["exit_code"]), (&json!("interrupted"), &json!(130)));
    assert_eq!(b["document"]["done"]["objects_copied"], 1, "{document:#}");
    assert_eq!(b["document"]["done"]["pending_version_may_exist"], true, "{document:#}");
    assert_eq!(
        document["summary"],
        json!({"groups": 2, "outcomes": {"interrupted": 1, "promoted": 1}, "exit_code": 130})
    );
    let said = "SIGINT: interrupted; 1 group ended, 1 interrupted, 0 not started; \
                team-b: 1 of 1 object and 1 of 1 image copied; a pending version may exist: CreateModelPackage has not \
                responded. Run again to continue";
    assert!(told().contains(said), "{}", told());
    assert!(!told().contains("may not be written yet"), "team-a is promoted: {}", told());
    cloud.heal();
    cloud.release();
    assert!(cloud.settles());
    let document = full_of(&cloud, "team-*", &[]).document();
    assert_eq!(of(&document, "team-a")["document"]["outcome"], "already-promoted");
    assert_eq!(cloud.packages(TARGET_ACCOUNT, "team-b").len(), 1, "one version, also after the interruption");
}

/// Interrupts a run at the first call of a moment.
fn interrupted_at(cloud: &Cloud, at: Moment, arguments: &[&str]) -> Run {
    cloud.fail(at.clone(), Failure::Hang);
    let arrival = Arrival::of(cloud, at);
    let mut command = cloud.process(Principal::Both);
    let child =
        command.args(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    arrival.wait();
    let interrupt = std::process::Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(interrupt.expect("kill").success());
    ended(child)
}

#[test]
fn an_interrupted_run_prints_the_table_of_what_ended_what_was_interrupted_and_what_did_not_start() {
    let cloud = with_groups(&["team-a", "team-b", "team-c"]);
    let pattern = Cloud::group_arn("team-*");
    let arguments = ["full", "--group", &pattern, "--target-bucket", SERVING, "--jobs", "1"];
    let run = interrupted_at(&cloud, Moment::on("CreateModelPackage", 1).at("team-b"), &arguments);
    assert_eq!(run.code, 130, "{}", run.stderr);
    assert_eq!(
        run.stdout,
        "GROUP    SOURCE   TARGET  OUTCOME\n\
         team-a        1        1  promoted\n\
         team-b        -        -  SIGINT: interrupted; 1 of 1 object and 1 of 1 image copied; a pending\n                          \
         version may exist: CreateModelPackage has not responded\n\
         team-c        -        -  not started\n\
         \n\
         3 groups: 1 interrupted, 1 not-started, 1 promoted\n"
    );
    assert!(run.stderr.contains("1 group ended, 1 interrupted, 1 not started"), "{}", run.stderr);
}

#[test]
fn an_interrupted_promotions_file_prints_what_ended_and_what_did_not_start() {
    let cloud = with_groups(&["team-a", "team-b", "team-c"]);
    let file = cloud.home().join("promotions.yaml");
    let pattern = Cloud::group_arn("team-*");
    let text = format!(
        "promotions: {{all: {{source: {{group: '{pattern}'}}, targets: {{production: {{bucket: serving}}}}}}}}"
    );
    std::fs::write(&file, text).expect("the file is written");
    let record = cloud.home().join("record.json");
    let files = (file.display().to_string(), record.display().to_string());
    let arguments = ["apply", "--file", &files.0, "--jobs", "1", "--output", "json", "--record", &files.1];
    let run = interrupted_at(&cloud, Moment::on("CreateModelPackage", 1).at("team-b"), &arguments);
    let document = document_of(&run);
    assert_eq!((run.code, &document["targets"][0]["exit_code"]), (130, &json!(130)), "{}", run.stderr);
    let outcomes = json!({"promoted": 1, "interrupted": 1, "not-started": 1});
    assert_eq!(document["summary"]["outcomes"], outcomes);
    let filed: Value = serde_json::from_slice(&std::fs::read(&record).expect("the file")).expect("a document");
    assert_eq!(filed, document);
    assert!(run.stderr.contains("all/production: team-b: 1 of 1 object and 1 of 1 image copied"), "{}", run.stderr);
}

#[test]
fn an_interrupted_plan_says_once_that_it_was_interrupted() {
    let cloud = with_groups(&["team-a", "team-b", "team-c"]);
    let file = cloud.home().join("promotions.yaml");
    let pattern = Cloud::group_arn("team-*");
    let text = format!(
        "promotions: {{all: {{source: {{group: '{pattern}'}}, targets: {{production: {{bucket: serving}}}}}}}}"
    );
    std::fs::write(&file, text).expect("the file is written");
    let file = file.display().to_string();
    let arguments = ["plan", "--file", &file, "--jobs", "1"];
    let run = interrupted_at(&cloud, Moment::on("DescribeModelPackage", 1).at("team-b/1"), &arguments);
    assert_eq!(run.code, 130, "{}", run.stderr);
    assert!(run.stdout.contains("\n  ! team-b: SIGINT: interrupted; "), "{}", run.stdout);
    assert!(run.stdout.contains("\n  ! team-c: not started\n"), "{}", run.stdout);
}

/// Kills a run at its k-th call.
pub(in crate::run) fn kill_at(k: usize, cloud: &Cloud, arguments: &[&str]) {
    cloud.fail(Moment::from(k), Failure::Hang);
    let before = cloud.calls().len();
    let mut command = cloud.process(Principal::Both);
    command.args(arguments);
    let mut child = command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().expect("the binary starts");
    waits_until(&format!("call {k} arrives"), || {
        cloud.calls().len() >= before + k || child.try_wait().expect("a child").is_some()
    });
    killed(cloud, child);
}

/// The numbers of the calls at which runs are killed: every fifth, or each with `FAULT_SEEDS` (`make faults`).
pub(in crate::run) fn kills(calls: usize) -> Vec<usize> {
    (1..=calls).step_by(if std::env::var_os("FAULT_SEEDS").is_some() { 1 } else { 5 }).collect()
}

/// The approval statuses of the versions of a target group.
pub(in crate::run) fn approvals(cloud: &Cloud, group: &str) -> Vec<String> {
    let versions = cloud.packages(TARGET_ACCOUNT, group);
    versions.iter().filter_map(|version| version["ModelApprovalStatus"].as_str().map(str::to_owned)).collect()
}

/// Two groups, one that fails because its model is missing, and one whose target group is held.
fn healthy_failing_and_held() -> Cloud {
    let cloud = with_groups(&["team-a", "team-b", "team-failing", "team-held"]);
    cloud.remove(MODELS, "team-failing/model.tar.gz");
    super::held::hold(&cloud, "hold", "team-held");
    cloud
}

#[test]
fn the_run_after_a_run_for_several_groups_that_was_killed_at_any_call_completes_it() {
    let pattern = Cloud::group_arn("team-*");
    let arguments = ["full", "--group", &pattern, "--target-bucket", SERVING, "--output", "json"];
    let clean = healthy_failing_and_held();
    let before = clean.calls().len();
    assert_eq!(full_of(&clean, "team-*", &[]).code, 1);
    each(AT_ONCE, &kills(clean.calls().len() - before), |k| {
        let cloud = healthy_failing_and_held();
        kill_at(*k, &cloud, &arguments);
        let approved = |names: &[&str]| {
            let found = |name: &&str| approvals(&cloud, name) == ["Approved"];
            names.iter().all(found)
        };
        let first = full_of(&cloud, "team-*", &[]);
        let document = document_of(&first);
        let outcome = |name| of(&document, name)["document"]["outcome"].clone();
        ensure!(first.code == 1 && approved(&["team-a", "team-b"]), "killed at call {k}: {document:#}");
        ensure!(
            outcome("team-failing") == "failed" && outcome("team-held") == "held",
            "killed at call {k}: {document:#}"
        );
        let others = ["team-failing", "team-held"].map(|name| approvals(&cloud, name).len());
        ensure!(others == [0, 0], "killed at call {k}: {others:?}");
        cloud.put(MODELS, "team-failing/model.tar.gz", "team-failing");
        super::held::hold(&cloud, "release", "team-held");
        let document = full_of(&cloud, "team-*", &[]).document();
        let outcomes = &document["summary"]["outcomes"];
        ensure!(*outcomes == json!({"already-promoted": 2, "promoted": 2}), "killed at call {k}: {outcomes}");
        ensure!(approved(&["team-failing", "team-held"]), "killed at call {k}: {document:#}");
        Ok(())
    });
}

#[test]
fn services_that_answer_5_calls_a_second_serve_several_groups() {
    let cloud = with_groups(&["team-a", "team-b", "team-c", "team-d"]);
    cloud.throttle(Some(5));
    let pattern = Cloud::group_arn("team-*");
    let mut command = cloud.promote(Principal::Both);
    let arguments = ["full", "--group", &pattern, "--target-bucket", SERVING, "--output", "json"];
    let run = Run::of(command.env_remove("AWS_MAX_ATTEMPTS").args(arguments).output().expect("the binary starts"));
    assert_eq!(run.document()["summary"]["outcomes"], json!({"promoted": 4}));
}

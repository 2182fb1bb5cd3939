//! `promote plan` and `promote apply`: a file describes the promotions.

mod accounts;
mod documents;
mod held;
mod plan_files;
mod tables;
mod yaml;

use anyhow::ensure;
use serde_json::{Value, json};

use super::faults::{AT_ONCE, each};
use super::many::interrupted::{approvals, kill_at, kills};
use super::many::{document_of, register, targets, with_groups};
use crate::support::{Cloud, Principal, SOURCE_ACCOUNT, TARGET_ACCOUNT};
use crate::world::*;

const PENDING: &str = "PendingManualApproval";

/// Two targets for every group `team-*`, and one for another group.
const FILE: &str = "
defaults:
  source:
    group: arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/team-*
  target:
    bucket: serving
promotions:
  teams:
    targets:
      staging:
        group: staging-{group}
        prefix: staging
        approval: pending
      production:
        group: prod-{group}
        prefix: production
  churn:
    source:
      group: arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/churn
    targets:
      production: {prefix: production}
";

/// Writes a promotions file, and runs a verb for it.
fn of_file(cloud: &Cloud, verb: &str, text: &str, more: &[&str]) -> Run {
    let file = cloud.home().join("promotions.yaml");
    std::fs::write(&file, text).expect("the file is written");
    let file = file.display().to_string();
    run(cloud, Principal::Both, &[&[verb, "--file", &file], more].concat())
}

fn apply(cloud: &Cloud, text: &str, more: &[&str]) -> Run {
    of_file(cloud, "apply", text, &[&["--output", "json"], more].concat())
}

/// What the file has that is wrong, without the file's name.
fn wrong(text: &str) -> Vec<String> {
    let cloud = world();
    let run = apply(&cloud, text, &[]);
    assert_eq!((run.code, cloud.calls().len()), (2, 0), "{}", run.stderr);
    let lines = run.stderr.lines().take_while(|line| !line.starts_with("hint: "));
    lines.filter_map(|line| Some(line.split_once("promotions.yaml:")?.1.to_owned())).collect()
}

/// The result of a group of a target.
fn of<'a>(document: &'a Value, target: &str, group: &str) -> &'a Value {
    let targets = document["targets"].as_array().into_iter().flatten();
    let groups =
        targets.filter(|one| one["name"] == target).flat_map(|one| one["groups"].as_array().into_iter().flatten());
    let mut found = groups.filter(|one| one["group"].as_str().is_some_and(|arn| arn.ends_with(&format!("/{group}"))));
    found.next().unwrap_or_else(|| panic!("no {group} of {target} in {document:#}"))
}

#[test]
fn every_target_of_the_file_is_promoted_into() {
    let cloud = with_groups(&["team-a", "team-b", "churn"]);
    let document = apply(&cloud, FILE, &[]).document();
    assert_eq!(targets(&cloud), ["churn", "prod-team-a", "prod-team-b", "staging-team-a", "staging-team-b"]);
    assert_eq!(document["summary"], json!({"groups": 5, "outcomes": {"promoted": 5}, "exit_code": 0}));
    let status = |target, group| of(&document, target, group)["document"]["target"]["approval_status"].clone();
    assert_eq!(status("teams/staging", "team-a"), "PendingManualApproval");
    assert_eq!(status("teams/production", "team-b"), "Approved");
    assert_eq!(status("churn/production", "churn"), "Approved");
    let again = apply(&cloud, FILE, &[]).document();
    assert_eq!(again["summary"]["outcomes"], json!({"already-promoted": 5}));
}

#[test]
fn only_what_is_selected_is_promoted() {
    let cloud = with_groups(&["team-a", "churn"]);
    apply(&cloud, FILE, &["--only", "teams/production"]).document();
    assert_eq!(targets(&cloud), ["prod-team-a"]);
    apply(&cloud, FILE, &["--only", "churn,teams"]).document();
    assert_eq!(targets(&cloud), ["churn", "prod-team-a", "staging-team-a"]);
    apply(&cloud, FILE, &["--only", "fraud"])
        .fails(2, &["no promotion or target 'fraud'", "teams, teams/production, teams/staging"]);
}

#[test]
fn a_target_that_fails_stops_no_other_and_is_told_with_its_name() {
    let cloud = with_groups(&["team-a", "team-b", "churn"]);
    cloud.remove(MODELS, "team-b/model.tar.gz");
    let text = FILE.replace("model-package-group/churn", "model-package-group/ab*nt");
    let run = apply(&cloud, &text, &[]);
    let document = document_of(&run);
    assert_eq!((run.code, &document["summary"]["exit_code"]), (1, &json!(1)), "{}", run.stderr);
    assert_eq!(targets(&cloud), ["prod-team-a", "staging-team-a"]);
    assert_eq!(document["summary"]["outcomes"], json!({"failed": 2, "promoted": 2}));
    assert_eq!(document["targets"][2]["error"]["outcome"], "failed");
    for said in [
        "error: teams/staging: team-b: ",
        "error: teams/production: team-b: ",
        "error: churn/production: no model package group matches",
    ] {
        assert!(run.stderr.contains(said), "no '{said}' in {}", run.stderr);
    }
}

#[test]
fn a_plan_shows_what_would_be_done_and_writes_nothing() {
    let cloud = with_groups(&["team-a", "churn"]);
    apply(&cloud, FILE, &["--only", "teams/production"]).document();
    cloud.change(
        &format!("arn:aws:sagemaker:eu-central-1:{SOURCE_ACCOUNT}:model-package/team-a/1"),
        json!({"CustomerMetadataProperties": {"team": "risk"}}),
    );
    let before = (writes(&cloud).len(), cloud.keys(SERVING));
    let run = of_file(&cloud, "plan", FILE, &["--output", "markdown", "--only", "teams/production", "--only", "churn"]);
    assert_eq!((run.code, writes(&cloud).len(), cloud.keys(SERVING)), (0, before.0, before.1), "{}", run.stderr);
    let promoted = format!("arn:aws:sagemaker:eu-central-1:{TARGET_ACCOUNT}:model-package");
    for line in [
        "#### teams/production".to_owned(),
        "```diff".to_owned(),
        "  team-a version 1".to_owned(),
        format!("! update {promoted}/prod-team-a/1"),
        "+   CustomerMetadataProperties{team}: \"risk\"".to_owned(),
        "#### churn/production".to_owned(),
        "+ register a version in arn:aws:sagemaker:eu-central-1:111222333444:model-package-group/churn".to_owned(),
        "2 targets, 2 groups: 2 planned".to_owned(),
    ] {
        assert!(run.stdout.lines().any(|one| one == line), "no '{line}' in\n{}", run.stdout);
    }
}

/// Makes a plan of the file, and returns its path.
fn planned(cloud: &Cloud, text: &str) -> String {
    let plan = cloud.home().join("plan.json").display().to_string();
    let run = of_file(cloud, "plan", text, &["--record", &plan]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    plan
}

#[test]
fn a_plan_is_carried_out_if_nothing_has_changed() {
    let cloud = with_groups(&["team-a", "team-b", "churn"]);
    let plan = planned(&cloud, FILE);
    let document = apply(&cloud, FILE, &["--plan", &plan]).document();
    assert_eq!(document["summary"]["outcomes"], json!({"promoted": 5}));
    let reviewed: Value = serde_json::from_slice(&std::fs::read(&plan).expect("the plan")).expect("JSON");
    let planned = &of(&reviewed, "teams/staging", "team-a")["document"];
    let named = &of(&document, "teams/staging", "team-a")["document"]["reviewed_plan"];
    let all = &reviewed["plan"]["digest"];
    let made = json!({"digest": planned["plan"]["digest"], "made": planned["ended"], "groups_digest": all});
    assert_eq!((named, &document["reviewed_plan"]["digest"]), (&made, all));
    let again = apply(&cloud, FILE, &["--plan", &plan]).document();
    assert_eq!(again["summary"]["outcomes"], json!({"already-promoted": 5}));
}

#[test]
fn what_is_not_in_the_plan_is_refused_before_its_first_write() {
    let cloud = with_groups(&["team-a", "churn"]);
    let plan = planned(&cloud, FILE);
    cloud.put(MODELS, "churn/model.tar.gz", "other weights");
    let run = apply(&cloud, FILE, &["--plan", &plan]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stderr.contains("error: churn/production: churn: the plan sha256:"), "{}", run.stderr);
    let file = cloud.home().join("promotions.yaml").display().to_string();
    let hint = format!("hint: Make a new plan with `promote plan --file {file} --record {plan}`, and review it");
    assert!(run.stderr.contains(&hint), "no '{hint}' in {}", run.stderr);
    assert_eq!(targets(&cloud), ["prod-team-a", "staging-team-a"], "the other targets are as planned");

    let cloud = with_groups(&["team-a", "churn"]);
    let plan = planned(&cloud, FILE);
    register(&cloud, "team-new");
    let run = apply(&cloud, FILE, &["--plan", &plan]);
    assert!(run.stderr.contains("/team-new matches the pattern, but is not in the plan"), "{}", run.stderr);
    assert_eq!((run.code, targets(&cloud)), (1, vec!["churn".into(), "prod-team-a".into(), "staging-team-a".into()]));

    let other = FILE.replace("  churn:\n", "  fraud:\n");
    apply(&cloud, &other, &["--plan", &plan]).fails(1, &["the target fraud/production is not in the plan"]);
    let setting = FILE.replace("approval: pending", "approval: carry");
    let run = apply(&cloud, &setting, &["--plan", &planned(&with_groups(&["team-a", "churn"]), FILE)]);
    assert_eq!(run.code, 1, "{}", run.stderr);
}

#[test]
fn a_plan_of_which_a_group_failed_is_carried_out_for_the_others() {
    let cloud = with_groups(&["team-a", "churn"]);
    cloud.remove(MODELS, "churn/model.tar.gz");
    let plan = cloud.home().join("plan.json").display().to_string();
    assert_eq!(of_file(&cloud, "plan", FILE, &["--record", &plan]).code, 1);
    apply(&cloud, FILE, &["--plan", &plan, "--only", "churn"])
        .fails(1, &["error: churn/production: churn: the plan leaves out arn:", "because its dry run has failed: "]);
    assert!(targets(&cloud).is_empty());
    apply(&cloud, FILE, &["--plan", &plan]).fails(1, &["error: churn/production: churn: the plan leaves out arn:"]);
    assert_eq!(targets(&cloud), ["prod-team-a", "staging-team-a"]);
}

#[test]
fn a_target_whose_account_cannot_be_opened_is_named_and_stops_no_other() {
    let cloud = with_groups(&["team-a", "churn"]);
    let text = FILE.replace("production: {prefix: production}", "production: {profile: nobody}");
    apply(&cloud, &text, &[]).fails(1, &["error: churn/production: target: configuration: profile 'nobody' does not"]);
    assert_eq!(targets(&cloud), ["prod-team-a", "staging-team-a"]);
}

#[test]
fn two_promotions_into_one_group_are_refused_before_the_first_write() {
    let cloud = with_groups(&["team-a", "churn"]);
    let text = FILE.replace("prod-{group}", "churn");
    apply(&cloud, &text, &[])
        .fails(1, &["would both promote into arn:aws:sagemaker:eu-central-1:111222333444:model-package-group/churn"]);
    assert!(targets(&cloud).is_empty() && cloud.keys(SERVING).is_empty());
}

#[test]
fn everything_that_is_wrong_in_a_file_is_told_with_its_line_and_column() {
    let text = "\
default: {}
promotions:
  churn/a:
    source: {group: churn, bucket: b}
    targets:
      production:
        bucket: serving
        kms_key_arn: not-an-arn
        no_create_group: maybe
        images: none
  fraud:
    source: {role_arn: [a]}
    targets: {staging: {bucket: serving}, production: {bucket: serving, group: a, external_id: x}}
";
    let wrong = wrong(text);
    for said in [
        "1:1: unknown member `default`; expected `defaults` or `promotions`",
        "3:3: the name `churn/a` may have letters",
        "4:28: unknown member `bucket` of source",
        "8:22: invalid value 'not-an-arn' for 'target.kms_key_arn'",
        "9:26: `no_create_group` has to be true or false",
        "10:17: invalid value 'none' for 'target.images' [possible values: copy, keep]",
        "12:24: `role_arn` has to be one value",
        "13:15: fraud/staging: `source.group` is missing",
        "13:43: fraud/production: `source.group`, `target.role_arn` are missing",
    ] {
        assert!(wrong.iter().any(|one| one.starts_with(said)), "no '{said}' in {wrong:#?}");
    }
}

#[test]
fn a_file_that_is_no_yaml_or_names_a_member_twice_is_refused() {
    assert_eq!(wrong("promotions: [\n").len(), 1);
    let twice = "promotions: {}\npromotions: {}\n";
    assert_eq!(wrong(twice), ["2:1: duplicated key in mapping"]);
    assert_eq!(wrong(""), ["1:1: the file is empty: `promotions` is missing"]);
    assert_eq!(wrong("# nothing yet\n"), ["1:1: the file is empty: `promotions` is missing"]);
    assert_eq!(wrong("a: 1\n---\nb: 2\n"), ["3:1: a second YAML document begins here; a promotions file has one"]);
    assert_eq!(wrong("promotions: {}\n"), ["1:13: `promotions` is empty"]);
    assert_eq!(wrong("promotions: {churn: {source: {group: churn}, targets: {}}}\n"), ["1:55: `targets` is empty"]);
}

#[test]
fn merge_keys_are_refused_with_their_line_and_column() {
    let text = FILE.replace("{prefix: production}", "{<<: &base {prefix: production}}");
    assert_eq!(
        wrong(&text),
        ["21:20: merge keys (`<<`) are not supported; put members that several targets share into `defaults`"]
    );
}

#[test]
fn a_number_is_taken_as_it_is_written() {
    let cloud = with_groups(&["churn"]);
    let text = FILE.replace("{prefix: production}", "{prefix: 0123, bucket_owner: 111222333444}");
    apply(&cloud, &text, &["--only", "churn"]).document();
    assert!(cloud.keys(SERVING).iter().all(|key| key.starts_with("0123/")), "{:?}", cloud.keys(SERVING));
}

#[test]
fn variables_do_not_change_what_the_file_says() {
    let cloud = with_groups(&["churn"]);
    let file = cloud.home().join("promotions.yaml");
    std::fs::write(&file, FILE).expect("the file is written");
    let mut command = cloud.promote(Principal::Both);
    command.args(["apply", "--only", "churn", "--file"]).arg(&file);
    command.env("PROMOTE_TARGET_PREFIX", "elsewhere").env("PROMOTE_APPROVAL", "pending");
    let run = Run::of(command.output().expect("the binary starts"));
    assert_eq!(run.code, 0, "{}", run.stderr);
    assert!(cloud.keys(SERVING).iter().all(|key| key.starts_with("production/")), "{:?}", cloud.keys(SERVING));
    assert!(run.stdout.ends_with("1 target, 1 group: 1 promoted\n"), "{}", run.stdout);
}

#[test]
fn a_promotions_file_whose_run_was_killed_at_any_call_is_carried_out_by_the_next_one() {
    let clean = with_groups(&["team-a", "churn"]);
    apply(&clean, FILE, &[]).document();
    each(AT_ONCE, &kills(clean.calls().len()), |k| {
        let cloud = with_groups(&["team-a", "churn"]);
        let file = cloud.home().join("promotions.yaml");
        std::fs::write(&file, FILE)?;
        kill_at(*k, &cloud, &["apply", "--output", "json", "--file", &file.display().to_string()]);
        let document = apply(&cloud, FILE, &[]).document();
        ensure!(document["summary"]["groups"] == 3, "killed at call {k}: {document:#}");
        for (group, approval) in [("churn", "Approved"), ("prod-team-a", "Approved"), ("staging-team-a", PENDING)] {
            let found = approvals(&cloud, group);
            ensure!(found == [approval], "killed at call {k}: {group} has {found:?}");
        }
        Ok(())
    });
}

//! Files that are not the plan that `--plan` needs: the message says what the file is, and the hint what to do.

use super::*;

/// What a file is, and what it has.
type File = (&'static str, String);

/// Runs a verb, and returns the document that it writes to the file of `--record`.
fn recorded(cloud: &Cloud, arguments: &[&str]) -> String {
    let record = cloud.home().join("recorded.json");
    let path = record.display().to_string();
    run(cloud, Principal::Both, &[arguments, &["--record", &path]].concat());
    std::fs::read_to_string(&record).expect("a document")
}

const TEAMS: &str = "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/team-*";
const TEAM_A: &str = "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/team-a";
const ABSENT: &str = "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/absent";

/// Files that are a plan for no verb.
fn no_plans(cloud: &Cloud) -> Vec<File> {
    let full = |group, more: &[&str]| {
        let arguments = ["full", "--group", group, "--target-bucket", SERVING, "--target-prefix", "elsewhere"];
        recorded(cloud, &[&arguments, more].concat())
    };
    vec![
        ("it is empty", String::new()),
        ("it is empty", " \n".to_owned()),
        ("it is not JSON", FILE.to_owned()),
        ("it is not JSON", "{\"schema\": 2, \"targets\": [".to_owned()),
        ("it is JSON, but not a document of promote", "[]".to_owned()),
        ("it is JSON, but not a document of promote", "{}".to_owned()),
        ("it is the document of a run of `promote full` that has failed: ", full(ABSENT, &["--dry-run"])),
        ("it is the document of `promote status`", recorded(cloud, &["status", "--group", TEAM_A])),
        ("it is the document of `promote status` for several groups", recorded(cloud, &["status", "--group", TEAMS])),
        ("it is the document of a run without `--dry-run`", full(TEAM_A, &[])),
        ("it is the document of a run without `--dry-run`", full(TEAMS, &[])),
    ]
}

/// A plan of each kind: of one group, of a pattern, and of a promotions file.
fn plans(cloud: &Cloud) -> [String; 3] {
    let full = |group| recorded(cloud, &["full", "--group", group, "--target-bucket", SERVING, "--dry-run"]);
    let file = cloud.home().join("plan.json").display().to_string();
    assert_eq!(of_file(cloud, "plan", FILE, &["--record", &file]).code, 0);
    [full(TEAM_A), full(TEAMS), std::fs::read_to_string(&file).expect("a plan")]
}

/// Each file is refused in one line that says what it is, before any call. `run` runs a verb with a plan.
fn each_is_refused(cloud: &Cloud, files: &[File], wanted: &str, hint: &str, run: impl Fn(&str) -> Run) {
    let plan = cloud.home().join("other.json").display().to_string();
    for (is, text) in files {
        std::fs::write(&plan, text).expect("a file");
        let before = cloud.calls().len();
        let run = run(&plan);
        let said = format!("error: {plan} is not the plan of {wanted}: {is}");
        run.fails(1, &[&said, hint]);
        assert_eq!(cloud.calls().len(), before, "{is}: no call is made");
        for word in ["line 1", "column", "missing field", "invalid type", "expected value"] {
            assert!(!run.stderr.contains(word), "{is}: {}", run.stderr);
        }
    }
}

#[test]
fn apply_says_what_a_file_is_that_is_not_the_plan_of_a_promotions_file() {
    let cloud = with_groups(&["team-a", "team-b", "churn"]);
    let mut files = no_plans(&cloud);
    let [one, several, _] = plans(&cloud);
    files.push(("it is the document of a run without `--dry-run`", apply(&cloud, FILE, &[]).stdout));
    let with = |plan: &str| apply(&cloud, FILE, &["--plan", plan]);
    let file = cloud.home().join("promotions.yaml").display().to_string();
    each_is_refused(&cloud, &files, "a promotions file", &format!("`promote plan --file {file} --record "), with);
    let files = [("it is the plan of one group", one)];
    each_is_refused(&cloud, &files, "a promotions file", "hint: Carry it out with `promote full --plan ", with);
    let files = [("it is the plan of several groups", several)];
    let hint = format!("hint: Carry it out with `promote full --group '{TEAMS}' --plan ");
    each_is_refused(&cloud, &files, "a promotions file", &hint, with);
}

#[test]
fn full_says_what_a_file_is_that_is_not_the_plan_of_one_group() {
    let cloud = with_groups(&["team-a", "team-b", "churn"]);
    let mut files = no_plans(&cloud);
    let [_, several, promotions] = plans(&cloud);
    let arguments = ["copy-artifacts", "--model-package", SOURCE_VERSION, "--target-bucket", SERVING, "--dry-run"];
    files.push((
        "it is the document of a dry run that made no plan: a command other than `promote full`",
        recorded(&cloud, &arguments),
    ));
    let with = |plan: &str| {
        let arguments = ["full", "--group", TEAM_A, "--target-bucket", SERVING, "--plan", plan];
        run(&cloud, Principal::Both, &arguments)
    };
    let hint = "hint: Make a plan with `promote full --dry-run --record plan.json`";
    each_is_refused(&cloud, &files, "one group", hint, with);
    let files = [("it is the plan of several groups", several)];
    each_is_refused(&cloud, &files, "one group", &format!("hint: Pass its pattern: `--group '{TEAMS}'`"), with);
    let files = [("it is the plan of a promotions file", promotions)];
    let file = cloud.home().join("promotions.yaml").display().to_string();
    let hint = format!("hint: Carry it out with `promote apply --file {file} --plan ");
    each_is_refused(&cloud, &files, "one group", &hint, with);
}

#[test]
fn full_with_a_pattern_says_what_a_file_is_that_is_not_the_plan_of_several_groups() {
    let cloud = with_groups(&["team-a", "team-b", "churn"]);
    let files = no_plans(&cloud);
    let [one, _, promotions] = plans(&cloud);
    let with = |plan: &str| {
        run(&cloud, Principal::Both, &["full", "--group", TEAMS, "--target-bucket", SERVING, "--plan", plan])
    };
    let hint = "hint: Make a new plan with `promote full --dry-run --record plan.json` for the same pattern";
    each_is_refused(&cloud, &files, "several groups", hint, with);
    let files = [("it is the plan of one group", one)];
    each_is_refused(&cloud, &files, "several groups", "hint: Name its group with `--group`", with);
    let files = [("it is the plan of a promotions file", promotions)];
    each_is_refused(&cloud, &files, "several groups", "hint: Carry it out with `promote apply --file ", with);
}

#[test]
fn a_plan_of_which_every_group_has_failed_is_refused_and_names_them() {
    let cloud = with_groups(&["team-a", "team-b"]);
    let with = |plan: &str| {
        run(&cloud, Principal::Both, &["full", "--group", TEAMS, "--target-bucket", SERVING, "--plan", plan])
    };
    let hint = "hint: Make a new plan with `promote full --dry-run --record plan.json` for the same pattern";
    cloud.remove(MODELS, "team-a/model.tar.gz");
    cloud.remove(MODELS, "team-b/model.tar.gz");
    let dry_run = recorded(&cloud, &["full", "--group", TEAMS, "--target-bucket", SERVING, "--dry-run"]);
    let files = [("2 groups of its dry run have failed: team-a, team-b\n", dry_run)];
    each_is_refused(&cloud, &files, "several groups", hint, with);
}

/// Makes a plan of the file of which targets have failed, and edits it.
fn failed_plan(cloud: &Cloud, edit: impl FnOnce(&mut Value)) -> String {
    let plan = cloud.home().join("plan.json").display().to_string();
    assert_eq!(of_file(cloud, "plan", FILE, &["--record", &plan]).code, 1);
    let mut document: Value = serde_json::from_slice(&std::fs::read(&plan).expect("a plan")).expect("JSON");
    edit(&mut document);
    std::fs::write(&plan, document.to_string()).expect("the plan");
    plan
}

#[test]
fn a_plan_with_two_plans_of_a_group_is_refused() {
    let cloud = with_groups(&["churn"]);
    let plan = failed_plan(&cloud, |document| {
        let targets = document["targets"].as_array_mut().expect("targets");
        let groups =
            targets.iter_mut().find_map(|target| target["groups"].as_array_mut().filter(|all| !all.is_empty()));
        let groups = groups.expect("a target with groups");
        groups.push(groups[0].clone());
    });
    apply(&cloud, FILE, &["--plan", &plan]).fails(1, &["was edited: it has two plans of arn:"]);
    assert_eq!(targets(&cloud), Vec::<String>::new());
}

#[test]
fn plans_that_were_not_made_together_are_refused() {
    let cloud = with_groups(&["team-a", "churn"]);
    let planned = || -> Value {
        let plan = std::fs::read(planned(&cloud, FILE)).expect("a plan");
        serde_json::from_slice(&plan).expect("JSON")
    };
    let (first, second) = (planned(), planned());
    let edits: [fn(&mut Value, &Value); 4] = [
        |plan, other| plan["targets"][0] = other["targets"][0].clone(),
        |plan, other| plan["targets"][2]["groups"] = other["targets"][2]["groups"].clone(),
        |plan, _| drop(plan["targets"].as_array_mut().expect("targets").pop()),
        |plan, _| plan["targets"][0]["groups"] = json!([]),
    ];
    let plan = cloud.home().join("plan.json").display().to_string();
    for edit in edits {
        let mut joined = second.clone();
        edit(&mut joined, &first);
        std::fs::write(&plan, joined.to_string()).expect("the plan");
        apply(&cloud, FILE, &["--plan", &plan, "--only", "teams/production"]).fails(
            1,
            &["the plan was edited: its targets have the digest sha256:", "hint: Make a new plan with `promote"],
        );
        assert!(writes(&cloud).is_empty(), "{:?}", writes(&cloud));
    }
    std::fs::write(&plan, second.to_string()).expect("the plan");
    assert_eq!(apply(&cloud, FILE, &["--plan", &plan]).document()["summary"]["outcomes"], json!({"promoted": 3}));
}

#[test]
fn a_target_whose_groups_were_not_found_for_the_plan_is_left_out_and_the_others_are_promoted() {
    let cloud = with_groups(&["churn"]);
    let plan = failed_plan(&cloud, |_| {});
    register(&cloud, "team-a");
    let run = apply(&cloud, FILE, &["--plan", &plan]);
    run.fails(1, &["the plan leaves out teams/staging, because its dry run has failed: ", "no model package group"]);
    assert_eq!(targets(&cloud), ["churn"]);
    let document = document_of(&run);
    let errors = document["targets"].as_array().into_iter().flatten().filter(|target| target.get("error").is_some());
    assert_eq!(errors.count(), 2, "{document:#}");
}

#[test]
fn a_plan_that_was_interrupted_is_refused() {
    let cloud = with_groups(&["team-a", "churn"]);
    cloud.remove(MODELS, "churn/model.tar.gz");
    let plan = failed_plan(&cloud, |plan| plan["targets"][2]["exit_code"] = json!(130));
    apply(&cloud, FILE, &["--plan", &plan])
        .fails(1, &["has no plan for churn/production, because it was interrupted\n"]);
    assert!(writes(&cloud).is_empty(), "{:?}", writes(&cloud));
    let run = apply(&cloud, FILE, &["--plan", &plan, "--only", "teams"]);
    assert_eq!((run.code, targets(&cloud).len()), (0, 2), "{}", run.stderr);
}

#[test]
fn a_dry_run_that_could_not_follow_a_promoted_version_is_no_plan_and_says_so() {
    let cloud = with_groups(&["team-a"]);
    for _ in 0..2 {
        run(&cloud, Principal::Both, &["full", "--group", TEAMS, "--target-bucket", SERVING]);
        register(&cloud, "team-a");
    }
    cloud.deny(Principal::Both, "s3:GetObject", "serving/team-a/*-v1/promotion.json");
    let dry_run = recorded(&cloud, &["full", "--group", TEAMS, "--target-bucket", SERVING, "--dry-run"]);
    let with = |plan: &str| {
        run(&cloud, Principal::Both, &["full", "--group", TEAMS, "--target-bucket", SERVING, "--plan", plan])
    };
    let files = [("it is the document of a dry run in which a promoted version could not be followed", dry_run)];
    let hint = "hint: Make a new plan with `promote full --dry-run --record plan.json` for the same pattern";
    each_is_refused(&cloud, &files, "several groups", hint, with);
}

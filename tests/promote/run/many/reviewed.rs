//! `promote full --plan` for the groups of a pattern.

use super::*;
use crate::snapshot::{assert_snapshot, normalised};

/// Writes the plan of a pattern, and returns its file.
fn planned(cloud: &Cloud, pattern: &str) -> String {
    let file = cloud.home().join("plan.json").to_str().expect("a path").to_owned();
    let run = full_of(cloud, pattern, &["--dry-run", "--record", &file]);
    assert_eq!(run.code, 0, "{}", run.stderr);
    file
}

fn edited(file: &str, edit: impl FnOnce(&mut Value)) {
    let mut plan: Value = serde_json::from_slice(&std::fs::read(file).expect("the plan")).expect("JSON");
    edit(&mut plan);
    std::fs::write(file, plan.to_string()).expect("a plan that was edited");
}

#[test]
fn the_plan_of_a_pattern_is_carried_out() {
    let cloud = with_groups(&["team-a", "team-b"]);
    let plan = planned(&cloud, "team-*");
    assert!(writes(&cloud).is_empty(), "{:?}", writes(&cloud));
    let reviewed: Value = serde_json::from_slice(&std::fs::read(&plan).expect("the plan")).expect("JSON");
    for outcome in ["promoted", "already-promoted"] {
        let document = full_of(&cloud, "team-*", &["--plan", &plan]).document();
        assert_eq!(document["summary"]["outcomes"], json!({outcome: 2}));
        assert!(document["plan"].is_null(), "it is no plan: {document:#}");
        assert_eq!(document["reviewed_plan"], reviewed["plan"]);
        for name in ["team-a", "team-b"] {
            let named = &of(&document, name)["document"]["reviewed_plan"];
            let planned = &of(&reviewed, name)["document"];
            let expected = json!({
                "digest": planned["plan"]["digest"], "made": planned["ended"],
                "groups_digest": reviewed["plan"]["digest"],
            });
            assert_eq!(*named, expected);
        }
    }
    let key = "team-a/444333666777-eu-central-1-team-a-v1/promotion.json";
    let record = cloud.object(SERVING, key).expect("the record of team-a");
    let record: Value = serde_json::from_slice(&record.body.bytes()).expect("JSON");
    assert_eq!(record["reviewed_plan"]["groups_digest"], reviewed["plan"]["digest"]);
}

#[test]
fn a_group_that_has_changed_since_it_was_planned_is_refused_and_the_others_are_promoted() {
    let cloud = with_groups(&["team-a", "team-b"]);
    let plan = planned(&cloud, "team-*");
    register(&cloud, "team-b");
    let run = full_of(&cloud, "team-*", &["--plan", &plan]);
    run.fails(1, &["team-b: the plan sha256:", "cannot be carried out any more", "model-package/team-b/2"]);
    assert_eq!(document_of(&run)["summary"]["outcomes"], json!({"failed": 1, "promoted": 1}));
    assert_eq!(targets(&cloud), ["team-a"]);
}

#[test]
fn groups_other_than_the_planned_ones_are_refused_and_the_planned_ones_are_promoted() {
    let cloud = with_groups(&["team-a"]);
    let plan = planned(&cloud, "team-*");
    register(&cloud, "team-b");
    let run = full_of(&cloud, "team-*", &["--plan", &plan]);
    run.fails(1, &["model-package-group/team-b matches the pattern, but is not in the plan"]);
    assert_eq!(document_of(&run)["summary"]["outcomes"], json!({"failed": 1, "promoted": 1}));
    assert_eq!(targets(&cloud), ["team-a"]);

    let cloud = with_groups(&["team-a", "team-b"]);
    let plan = planned(&cloud, "team-*");
    let run = full_of(&cloud, "team-a*", &["--plan", &plan]);
    run.fails(1, &["team-b is in the plan, but no longer matches the pattern"]);
    let document = document_of(&run);
    assert_eq!(of(&document, "team-b")["document"]["outcome"], "failed");
    assert_eq!(targets(&cloud), ["team-a"]);
}

#[test]
fn a_group_that_is_deleted_while_the_plan_waits_stops_no_other_group() {
    let cloud = with_groups(&["team-a", "team-b"]);
    let plan = planned(&cloud, "team-*");
    cloud.remove_group(SOURCE_ACCOUNT, "team-b");
    let run = full_of(&cloud, "team-*", &["--plan", &plan]);
    run.fails(1, &["team-b is in the plan, but no longer matches the pattern"]);
    assert_eq!(targets(&cloud), ["team-a"]);
}

#[test]
fn a_plan_of_groups_that_was_edited_is_refused() {
    let cloud = with_groups(&["team-a", "team-b"]);
    let plan = planned(&cloud, "team-*");
    edited(&plan, |plan| drop(plan["groups"].as_array_mut().expect("groups").pop()));
    full_of(&cloud, "team-a*", &["--plan", &plan]).fails(1, &["the plan was edited: its groups have the digest"]);
    let plan = planned(&cloud, "team-*");
    edited(&plan, |plan| plan["groups"][0]["document"]["request"]["SkipModelValidation"] = "All".into());
    full_of(&cloud, "team-*", &["--plan", &plan]).fails(1, &["the plan was edited"]);
    let plan = planned(&cloud, "team-*");
    edited(&plan, |plan| plan["groups"][0]["document"]["source"]["reviewed_by"] = "nobody".into());
    full_of(&cloud, "team-*", &["--plan", &plan]).fails(1, &["the plan was edited"]);
    assert!(writes(&cloud).is_empty(), "{:?}", writes(&cloud));
}

/// Writes a plan of which a group has failed, and returns its file and content.
fn incomplete(cloud: &Cloud, more: &[&str]) -> (String, Value) {
    let file = cloud.home().join("plan.json").to_str().expect("a path").to_owned();
    assert_eq!(full_of(cloud, "team-*", &[&["--dry-run", "--record", &file], more].concat()).code, 1);
    let plan = serde_json::from_slice(&std::fs::read(&file).expect("the plan")).expect("JSON");
    (file, plan)
}

#[test]
fn a_plan_leaves_out_groups_that_have_failed_and_the_others_are_promoted() {
    let cloud = with_groups(&["team-a", "team-b", "team-c"]);
    cloud.remove(MODELS, "team-b/model.tar.gz");
    let (file, plan) = incomplete(&cloud, &[]);
    let why = of(&plan, "team-b")["document"]["error"]["message"].as_str().expect("a message");
    assert!(why.contains("team-b/model.tar.gz"), "{why}");
    // What is there again was not reviewed.
    cloud.put(MODELS, "team-b/model.tar.gz", "team-b");
    let run = full_of(&cloud, "team-*", &["--plan", &file, "--first", "team-b"]);
    run.fails(1, &["team-b: the plan leaves out arn:", "because its dry run has failed: ", "team-b/model.tar.gz"]);
    assert!(!run.stderr.contains("is not among the groups"), "{}", run.stderr);
    let lines = run.stderr.lines().skip_while(|line| !line.contains("the plan leaves out")).take(2);
    let told: String = lines.map(|line| format!("{line}\n")).collect();
    assert_snapshot("plan-that-leaves-out-a-group", &normalised(&cloud, &format!("{told}--- exit {}\n", run.code)));
    let document = document_of(&run);
    assert_eq!(document["summary"]["outcomes"], json!({"failed": 1, "promoted": 2}));
    assert_eq!(document["reviewed_plan"], plan["plan"]);
    assert_eq!(targets(&cloud), ["team-a", "team-c"]);
}

#[test]
fn a_group_that_the_plan_leaves_out_and_that_is_gone_is_reported_all_the_same() {
    let cloud = with_groups(&["team-a", "team-b"]);
    cloud.remove(MODELS, "team-b/model.tar.gz");
    let (file, _) = incomplete(&cloud, &[]);
    cloud.remove_group(SOURCE_ACCOUNT, "team-b");
    full_of(&cloud, "team-*", &["--plan", &file]).fails(1, &["the plan leaves out arn:"]);
    assert_eq!(targets(&cloud), ["team-a"]);
}

#[test]
fn a_plan_of_which_every_group_has_failed_is_no_plan() {
    let cloud = with_groups(&["team-a"]);
    cloud.remove(MODELS, "team-a/model.tar.gz");
    let (file, plan) = incomplete(&cloud, &[]);
    assert!(plan["plan"].is_null(), "{plan:#}");
    full_of(&cloud, "team-*", &["--plan", &file])
        .fails(1, &["is not the plan of several groups: 1 group of its dry run has failed: team-a"]);
}

#[test]
fn a_group_with_a_plan_cannot_be_edited_into_one_that_has_failed() {
    let cloud = with_groups(&["team-a", "team-b"]);
    let plan = planned(&cloud, "team-*");
    edited(&plan, |plan| {
        plan["groups"][0]["document"] = json!({"outcome": "failed", "error": {"message": "denied"}});
    });
    full_of(&cloud, "team-*", &["--plan", &plan]).fails(1, &["the plan was edited: its groups have the digest"]);
    assert!(writes(&cloud).is_empty(), "{:?}", writes(&cloud));
}

#[test]
fn a_group_whose_tags_could_not_be_read_for_the_plan_is_refused_and_the_others_are_promoted() {
    let cloud = with_groups(&[]);
    for name in ["team-a", "team-b"] {
        cloud.create_group(SOURCE_ACCOUNT, name, json!({"Tags": [{"Key": "stage", "Value": "prod"}]}));
        register(&cloud, name);
    }
    let tagged = ["--source-tag", "stage=prod"];
    let unreadable = Moment::every("ListTags").at("model-package-group/team-b");
    cloud.fail(unreadable, Failure::Status(400, "AccessDeniedException", "not authorized"));
    let (file, plan) = incomplete(&cloud, &tagged);
    assert_eq!(plan["summary"]["outcomes"], json!({"failed": 1, "planned": 1}));
    cloud.heal();
    let run = full_of(&cloud, "team-*", &[&["--plan", &file][..], &tagged].concat());
    run.fails(1, &["team-b: the plan leaves out arn:", "because its dry run has failed: ", "ListTags"]);
    assert_eq!(document_of(&run)["summary"]["outcomes"], json!({"failed": 1, "promoted": 1}));
    assert_eq!(targets(&cloud), ["team-a"]);
}

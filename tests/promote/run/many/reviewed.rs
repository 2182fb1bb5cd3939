//! `promote full --plan` for the groups of a pattern.

use super::*;

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
fn groups_other_than_the_planned_ones_are_refused_before_the_first_write() {
    let cloud = with_groups(&["team-a"]);
    let plan = planned(&cloud, "team-*");
    register(&cloud, "team-b");
    full_of(&cloud, "team-*", &["--plan", &plan])
        .fails(1, &["model-package-group/team-b matches the pattern, but is not in the plan"]);
    full_of(&cloud, "*-b", &["--plan", &plan]).fails(1, &["team-b matches the pattern, but is not in the plan"]);
    let both = planned(&cloud, "team-*");
    full_of(&cloud, "team-a*", &["--plan", &both])
        .fails(1, &["team-b is in the plan, but no longer matches the pattern"]);
    assert!(writes(&cloud).is_empty(), "{:?}", writes(&cloud));
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
    assert!(writes(&cloud).is_empty(), "{:?}", writes(&cloud));
}

#[test]
fn a_dry_run_in_which_a_group_fails_is_no_plan() {
    let cloud = with_groups(&["team-a", "team-b"]);
    cloud.remove(MODELS, "team-b/model.tar.gz");
    let file = cloud.home().join("plan.json").to_str().expect("a path").to_owned();
    assert_eq!(full_of(&cloud, "team-*", &["--dry-run", "--record", &file]).code, 1);
    full_of(&cloud, "team-*", &["--plan", &file]).fails(
        1,
        &["is not the plan of several groups: 1 group of its dry run has failed: team-b", "it must exit with 0"],
    );
    assert!(writes(&cloud).is_empty(), "{:?}", writes(&cloud));
}

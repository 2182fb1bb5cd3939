//! Runs for several groups of which one is held.

use super::*;

/// Holds or releases a target group.
pub(in crate::run) fn hold(cloud: &Cloud, verb: &str, group: &str) {
    let arguments = [verb, "--target-group", group, "--target-bucket", SERVING, "--reason", "Audit"];
    let run = run(cloud, Principal::Both, &arguments);
    assert_eq!(run.code, 0, "{}", run.stderr);
}

/// The calls after the first ones that could have changed something in a group or its folder.
pub(in crate::run) fn writes_to(cloud: &Cloud, after: usize, group: &str) -> Vec<String> {
    writes(cloud).split_off(after).into_iter().filter(|write| write.to_lowercase().contains(group)).collect()
}

/// Two groups with a promoted version each, of which one is held, and a new version of each.
fn one_of_two_is_held() -> Cloud {
    let cloud = with_groups(&["team-a", "team-held"]);
    full_of(&cloud, "team-*", &[]).document();
    hold(&cloud, "hold", "team-held");
    ["team-a", "team-held"].into_iter().for_each(|group| register(&cloud, group));
    cloud
}

#[test]
fn a_held_group_of_a_pattern_is_reported_and_not_written_to_and_the_others_are_promoted() {
    let cloud = one_of_two_is_held();
    let before = writes(&cloud).len();
    let document = full_of(&cloud, "team-*", &[]).document();
    assert_eq!(document["summary"], json!({"groups": 2, "outcomes": {"held": 1, "promoted": 1}, "exit_code": 0}));
    let held = of(&document, "team-held");
    assert_eq!((&held["exit_code"], &held["document"]["hold"]["reason"]), (&json!(0), &json!("Audit")), "{held:#}");
    assert_eq!(writes_to(&cloud, before, "team-held"), Vec::<String>::new());
    assert!(!writes_to(&cloud, before, "team-a").is_empty());
    let versions = ["team-a", "team-held"].map(|group| cloud.packages(TARGET_ACCOUNT, group).len());
    assert_eq!(versions, [2, 1]);
    let pattern = Cloud::group_arn("team-*");
    let table = run(&cloud, Principal::Both, &["full", "--group", &pattern, "--target-bucket", SERVING]);
    let row = table.stdout.lines().find(|line| line.starts_with("team-held ")).expect("a row");
    assert!(table.code == 0 && row.ends_with("  held: nothing was promoted into the target group"), "{}", table.stdout);
    let since = held["document"]["hold"]["since"].as_str().expect("a time");
    let arn = Cloud::target_group_arn("team-held");
    let warning = format!(
        "warning: team-held: {arn} is held since {since} by {}: Audit\nhint: team-held: ",
        Principal::Both.arn()
    );
    assert!(table.stderr.contains(&warning), "{}", table.stderr);
    hold(&cloud, "release", "team-held");
    let document = full_of(&cloud, "team-*", &[]).document();
    assert_eq!(of(&document, "team-held")["document"]["outcome"], "promoted");
}

#[test]
fn a_hold_prevents_no_withdrawal_of_a_pattern() {
    for verb in ["withdraw", "full"] {
        let cloud = one_of_two_is_held();
        for group in ["team-a", "team-held"] {
            let version = format!("arn:aws:sagemaker:eu-central-1:{SOURCE_ACCOUNT}:model-package/{group}/1");
            cloud.change(&version, json!({"ModelApprovalStatus": "Rejected"}));
        }
        let before = writes(&cloud).len();
        let pattern = Cloud::group_arn("team-*");
        let arguments = [verb, "--group", &pattern, "--target-bucket", SERVING, "--output", "json"];
        let document = run(&cloud, Principal::Both, &arguments).document();
        for group in ["team-a", "team-held"] {
            let withdrawn = &of(&document, group)["document"]["withdrawn"];
            assert_eq!(withdrawn[0]["result"], "withdrawn", "{verb}: {document:#}");
            assert_eq!(cloud.packages(TARGET_ACCOUNT, group)[0]["ModelApprovalStatus"], "Rejected", "{verb}: {group}");
        }
        let written = writes_to(&cloud, before, "team-held");
        assert_eq!(written.len(), 2, "the update and its record: {written:?}");
        assert_eq!(cloud.packages(TARGET_ACCOUNT, "team-held").len(), 1, "{verb}");
    }
}

//! Groups whose older promoted versions cannot be followed, in a run for several groups.

use super::*;

/// Two groups with a promoted version each, a second version to promote, and a record in team-a that cannot be read.
fn with_an_unreadable_record() -> Cloud {
    let cloud = with_groups(&["team-a", "team-b"]);
    full_of(&cloud, "team-*", &[]).document();
    register(&cloud, "team-a");
    register(&cloud, "team-b");
    let records =
        cloud.keys(SERVING).into_iter().filter(|key| key.starts_with("team-a/") && key.ends_with("promotion.json"));
    records.collect::<Vec<_>>().iter().for_each(|key| cloud.put(SERVING, key, "{"));
    cloud
}

#[test]
fn the_table_and_the_document_say_which_group_could_not_follow_a_version_and_why() {
    let cloud = with_an_unreadable_record();
    let done = full_of(&cloud, "team-*", &[]);
    assert_eq!(done.code, 1, "{}", done.stderr);
    let document = document_of(&done);
    let failures = |name| of(&document, name)["document"]["failures"].to_string();
    assert!(failures("team-a").contains("cannot be read as the record of a promotion"), "{document:#}");
    assert_eq!(failures("team-b"), "null");
    let cloud = with_an_unreadable_record();
    let pattern = Cloud::group_arn("team-*");
    let text = run(&cloud, Principal::Both, &["full", "--group", &pattern, "--target-bucket", SERVING]).stdout;
    let of_team = |name| text.lines().find(|line| line.starts_with(name)).unwrap_or_default().to_owned();
    assert!(of_team("team-a").contains("promoted; could not sync 1 version; failed:"), "{text}");
    assert!(!of_team("team-b").contains("failed"), "{text}");
}

#[test]
fn a_plan_says_why_it_leaves_out_a_group_that_could_not_follow_a_version() {
    let cloud = with_an_unreadable_record();
    let file = cloud.home().join("plan.json").display().to_string();
    assert_eq!(full_of(&cloud, "team-*", &["--dry-run", "--record", &file]).code, 1);
    let run = full_of(&cloud, "team-*", &["--plan", &file]);
    run.fails(1, &["team-a: the plan leaves out arn:", "cannot be read as the record of a promotion"]);
    assert_eq!(of(&document_of(&run), "team-b")["document"]["outcome"], "promoted");
}

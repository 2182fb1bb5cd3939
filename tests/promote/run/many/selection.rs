//! Which groups a run selects, and what it refuses.

use super::*;

#[test]
fn a_target_group_that_matches_the_pattern_is_refused_before_the_first_write() {
    let cloud = with_groups(&[]);
    for name in ["team-a", "team-prod-a"] {
        let mut package = model("s3://serving/own.tar.gz");
        package["ModelPackageGroupName"] = json!(name);
        cloud.register_in(TARGET_ACCOUNT, package);
    }
    cloud.create_group(TARGET_ACCOUNT, "team-a-prod", json!({}));
    let pattern = Cloud::target_group_arn("team-*");
    let arguments = ["full", "--group", &pattern, "--target-bucket", SERVING, "--target-group", "{group}-prod"];
    run(&cloud, Principal::Both, &arguments).fails(1, &["team-a-prod, the target group of", "matches the pattern"]);
    assert!(writes(&cloud).is_empty(), "{:?}", writes(&cloud));
}

#[test]
fn groups_that_are_failed_or_deleted_are_passed_over_and_told() {
    let cloud = with_groups(&["team-a"]);
    cloud.create_group(SOURCE_ACCOUNT, "team-gone", json!({"ModelPackageGroupStatus": "Deleting"}));
    cloud.create_group(SOURCE_ACCOUNT, "team-never", json!({"ModelPackageGroupStatus": "Failed"}));
    let run = full_of(&cloud, "team-*", &[]);
    let document = run.document();
    assert_eq!(document["summary"]["groups"], 1);
    assert_eq!(
        document["passed_over"],
        json!([
            {"group": Cloud::group_arn("team-gone"), "status": "Deleting"},
            {"group": Cloud::group_arn("team-never"), "status": "Failed"}
        ])
    );
    assert!(run.stderr.contains("team-gone is Deleting, and was passed over"), "{}", run.stderr);
}

#[test]
fn the_number_of_a_version_is_refused_with_a_pattern() {
    let cloud = with_groups(&["team-a"]);
    full_of(&cloud, "team-*", &["--package-version", "1"]).fails(2, &["`--package-version` belongs to one group"]);
    assert!(cloud.calls().is_empty());
}

#[test]
fn source_tags_narrow_a_pattern() {
    let cloud = with_groups(&[]);
    let tags = |pairs: &[(&str, &str)]| {
        let tags: Vec<Value> = pairs.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
        json!({ "Tags": tags })
    };
    cloud.create_group(SOURCE_ACCOUNT, "team-a", tags(&[("stage", "prod"), ("unit", "risk")]));
    cloud.create_group(SOURCE_ACCOUNT, "team-b", tags(&[("stage", "prod")]));
    cloud.create_group(SOURCE_ACCOUNT, "other", tags(&[("stage", "prod"), ("unit", "risk")]));
    ["team-a", "team-b", "other"].iter().for_each(|name| register(&cloud, name));
    let document = full_of(&cloud, "team-*", &["--source-tag", "stage=prod", "--source-tag", "unit=risk"]).document();
    assert_eq!(targets(&cloud), ["team-a"]);
    assert_eq!(document["summary"]["groups"], 1);
    let asked: Vec<String> = cloud.calls_of("ListTags").into_iter().map(|call| call.resource).collect();
    assert!(!asked.iter().any(|group| group.ends_with("/other")), "{asked:?}");
    full_of(&cloud, "team-*", &["--source-tag", "stage=test"])
        .fails(1, &["no model package group that matches", "has the tag stage=test"]);
    promote(&cloud, &["--source-tag", "stage=prod"])
        .fails(2, &["`--source-tag` has no effect on a group that is given by its name or ARN"]);
}

#[test]
fn the_group_of_the_event_begins_before_the_others() {
    let cloud = with_groups(&["team-a", "team-b", "team-c"]);
    full_of(&cloud, "team-*", &["--jobs", "1", "--first", "team-c"]).document();
    let created: Vec<String> = cloud.calls_of("CreateModelPackage").into_iter().map(|call| call.resource).collect();
    assert_eq!(created, ["team-c", "team-a", "team-b"]);
}

#[test]
fn swapped_credentials_are_suggested_if_only_the_target_account_has_groups_of_the_pattern() {
    let cloud = with_groups(&["team-a"]);
    let swapped = ["--source-profile", "target", "--target-profile", "source"];
    for pattern in ["team-*", &Cloud::group_arn("team-*")] {
        let arguments = ["full", "--group", pattern, "--target-bucket", SERVING];
        let run = run(&cloud, Principal::Stranger, &[&arguments, &swapped[..]].concat());
        run.fails(1, &["no model package group matches", "hint: ", "/team-a of the target account matches"]);
        run.fails(1, &["If the credentials of source and target are swapped, exchange them"]);
    }
    let arguments = ["full", "--group", "other-*", "--target-bucket", SERVING];
    let other = run(&cloud, Principal::Stranger, &[&arguments, &swapped[..]].concat());
    other.fails(1, &["no model package group matches", "hint: Check the pattern, the account ("]);
}

#[test]
fn a_first_group_that_does_not_match_is_told() {
    let cloud = with_groups(&["team-a", "other"]);
    let run = full_of(&cloud, "team-*", &["--first", "other"]);
    assert_eq!(run.document()["summary"]["groups"], 1);
    assert!(run.stderr.contains("warning: other of `--first` is not among the groups"), "{}", run.stderr);
}

#[test]
fn a_principal_that_may_not_list_groups_is_told_the_permission() {
    let cloud = with_groups(&["team-a"]);
    cloud.deny(Principal::Both, "sagemaker:ListModelPackageGroups", "*");
    let hint = "hint: Grant sagemaker:ListModelPackageGroups on * to this principal";
    full_of(&cloud, "team-*", &[]).fails(1, &["source: sagemaker:ListModelPackageGroups on the model registry", hint]);
}

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

/// A world whose target account has these groups, each with a version and tags.
fn in_target_account(groups: &[(&str, &[(&str, &str)])]) -> Cloud {
    let cloud = with_groups(&[]);
    for (name, tags) in groups {
        cloud.create_group(TARGET_ACCOUNT, name, tags_of(tags));
        cloud.put(MODELS, &format!("{name}/model.tar.gz"), *name);
        let mut package = model(&format!("s3://{MODELS}/{name}/model.tar.gz"));
        package["ModelPackageGroupName"] = json!(name);
        cloud.register_in(TARGET_ACCOUNT, package);
    }
    cloud
}

/// The members of a group with tags.
fn tags_of(pairs: &[(&str, &str)]) -> Value {
    let tags: Vec<Value> = pairs.iter().map(|(key, value)| json!({"Key": key, "Value": value})).collect();
    json!({ "Tags": tags })
}

/// Runs a verb from a group of the target account into another one of it.
fn within_target_account(cloud: &Cloud, verb: &str, more: &[&str]) -> Run {
    let arguments = [verb, "--group", "team-*", "--target-bucket", SERVING, "--images", "keep"];
    run(cloud, Principal::Both, &[&arguments, more].concat())
}

#[test]
fn a_target_group_that_would_match_the_pattern_is_refused_although_it_does_not_exist_yet() {
    let cloud = in_target_account(&[("team-a", &[])]);
    let by_arn = Cloud::target_group_arn("team-*");
    for pattern in ["team-*", &by_arn] {
        let arguments = ["full", "--group", pattern, "--target-bucket", SERVING, "--target-group", "{group}-prod"];
        let refused = run(&cloud, Principal::Both, &arguments);
        refused.fails(1, &["team-a-prod, the target group of", "matches the pattern"]);
        assert_eq!((writes(&cloud), targets(&cloud)), (Vec::new(), vec!["team-a".to_owned()]));
    }
    within_target_account(&cloud, "full", &["--target-group", "prod-{group}"]).fails(0, &[]);
    assert_eq!(targets(&cloud), ["prod-team-a", "team-a"]);
}

#[test]
fn with_tags_a_target_group_is_refused_only_if_the_next_run_would_select_it() {
    let tags: &[(&str, &str)] = &[("stage", "test")];
    let flags = ["--target-group", "{group}-prod", "--source-tag", "stage=test"];
    let full = |cloud: &Cloud, more: &[&str]| within_target_account(cloud, "full", &[&flags, more].concat());
    let cloud = in_target_account(&[("team-a", tags)]);
    // The group that is created gets the tags of its source group.
    full(&cloud, &[]).fails(1, &["team-a-prod, the target group of", "matches the pattern"]);
    full(&cloud, &["--group-tag", "unit=risk"]).fails(1, &["team-a-prod, the target group of"]);
    assert!(writes(&cloud).is_empty(), "{:?}", writes(&cloud));
    for _ in 0..2 {
        full(&cloud, &["--group-tag", "stage=prod"]).fails(0, &[]);
        assert_eq!(targets(&cloud), ["team-a", "team-a-prod"]);
    }
    let cloud = in_target_account(&[("team-a", tags)]);
    cloud.create_group(TARGET_ACCOUNT, "team-a-prod", tags_of(&[("stage", "prod")]));
    full(&cloud, &[]).fails(0, &[]);
    let status = ["status", "--group", "team-*"];
    let cloud = in_target_account(&[("team-a", tags)]);
    run(&cloud, Principal::Both, &[&status, &flags[..]].concat()).fails(0, &[]);
}

#[test]
fn a_group_whose_tags_may_not_be_read_is_a_failed_row_and_the_others_are_promoted() {
    let cloud = with_groups(&[]);
    for name in ["team-a", "team-b", "team-c"] {
        cloud.create_group(SOURCE_ACCOUNT, name, tags_of(&[("stage", if name == "team-c" { "test" } else { "prod" })]));
        register(&cloud, name);
    }
    cloud.deny(Principal::Both, "sagemaker:ListTags", &Cloud::group_arn("team-b"));
    let run = full_of(&cloud, "team-*", &["--source-tag", "stage=prod"]);
    assert_eq!((run.code, targets(&cloud)), (1, vec!["team-a".to_owned()]), "{}", run.stderr);
    let document = document_of(&run);
    assert_eq!(document["summary"]["outcomes"], json!({"failed": 1, "promoted": 1}));
    let message = of(&document, "team-b")["document"]["error"]["message"].as_str().expect("a message");
    assert!(message.contains("source: sagemaker:ListTags") && message.contains("/team-b"), "{message}");
    assert!(
        run.stderr.contains(&format!(
            "error: team-b: {message}\nhint: Grant sagemaker:DescribeModelPackageGroup and sagemaker:ListTags"
        )),
        "{}",
        run.stderr
    );
    let pattern = Cloud::group_arn("team-*");
    for verb in ["find-latest", "status"] {
        let arguments = [verb, "--group", &pattern, "--source-tag", "stage=prod"];
        let run = crate::world::run(&cloud, Principal::Both, &arguments);
        assert_eq!(run.code, 1, "{verb}: {}", run.stderr);
        let row = |name: &str| run.stdout.lines().find(|line| line.starts_with(name)).unwrap_or_default();
        assert!(row("team-b").contains("failed: ") && !row("team-a").contains("failed"), "{verb}: {}", run.stdout);
    }
    for name in ["team-a", "team-c"] {
        cloud.deny(Principal::Both, "sagemaker:ListTags", &Cloud::group_arn(name));
    }
    full_of(&cloud, "team-*", &["--source-tag", "stage=prod"]).fails(
        1,
        &[
            "error: no model package group that matches ",
            " is known to have the tag stage=prod: source: sagemaker:ListTags",
        ],
    );
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
    full_of(&cloud, "team-*", &["--package-version", "1"]).fails(2, &["`--package-version` requires one group"]);
    assert!(cloud.calls().is_empty());
}

#[test]
fn source_tags_narrow_a_pattern() {
    let cloud = with_groups(&[]);
    cloud.create_group(SOURCE_ACCOUNT, "team-a", tags_of(&[("stage", "prod"), ("unit", "risk")]));
    cloud.create_group(SOURCE_ACCOUNT, "team-b", tags_of(&[("stage", "prod")]));
    cloud.create_group(SOURCE_ACCOUNT, "other", tags_of(&[("stage", "prod"), ("unit", "risk")]));
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

#[test]
fn a_group_that_two_pages_of_the_list_have_is_promoted_once() {
    let cloud = with_groups(&["team-a", "team-b"]);
    cloud.allow(Principal::Target, "s3:GetObject", "models/*");
    // A page has 100 groups, and team-a is the last of the first one.
    for number in 0..99 {
        cloud.create_group(SOURCE_ACCOUNT, &format!("some-{number:02}"), json!({}));
    }
    cloud.hook(Moment::on("ListModelPackageGroups", 2), |cloud| {
        cloud.create_group(SOURCE_ACCOUNT, "a-new-group", json!({}));
    });
    let pattern = Cloud::group_arn("team-*");
    let arguments = ["full", "--group", &pattern, "--target-bucket", SERVING, "--output", "json"];
    let run = run(&cloud, Principal::Stranger, &[&arguments[..], &TWO_PRINCIPALS].concat());
    assert_eq!(cloud.calls_of("ListModelPackageGroups").len(), 2);
    assert_eq!(run.document()["summary"]["outcomes"], json!({"promoted": 2}));
}

#[test]
fn a_group_that_is_deleted_during_the_run_is_a_failed_row_and_the_others_are_promoted() {
    for call in ["ListModelPackages", "DescribeModelPackage"] {
        let cloud = with_groups(&["team-a", "team-b", "team-c"]);
        cloud.hook(Moment::on(call, 1).at(if call == "ListModelPackages" { "team-b" } else { "team-b/1" }), |cloud| {
            cloud.remove_group(SOURCE_ACCOUNT, "team-b");
        });
        let run = full_of(&cloud, "team-*", &[]);
        assert_eq!((run.code, targets(&cloud)), (1, vec!["team-a".into(), "team-c".into()]), "{call}: {}", run.stderr);
        let document = document_of(&run);
        assert_eq!(document["summary"]["outcomes"], json!({"failed": 1, "promoted": 2}), "{call}");
        assert!(run.stderr.contains("error: team-b: "), "{call}: {}", run.stderr);
    }
}

//! Patterns of groups that cannot be listed.

use super::*;

/// Doctor for a pattern.
fn of_pattern(cloud: &Cloud, more: &[&str]) -> Run {
    let pattern = Cloud::group_arn("churn-*");
    let flags = ["doctor", "--group", &pattern, "--target-bucket", SERVING, "--sign-key", SIGN_KEY, "--output", "json"];
    run(cloud, Principal::Both, &[&flags[..], more].concat())
}

/// The actions of the checks with a result and a side.
fn actions(run: &Run, result: &str, side: &str) -> Vec<String> {
    let checks = checks(run);
    let found = checks.iter().filter(|check| check["result"] == result && check["side"] == side);
    found.filter_map(|check| check["action"].as_str().map(str::to_owned)).collect()
}

#[test]
fn groups_that_may_not_be_listed_hide_nothing_that_is_the_same_for_every_group() {
    let cloud = encrypted();
    cloud.deny(Principal::Both, "sagemaker:ListModelPackageGroups", "*");
    cloud.deny(Principal::Both, "s3:PutObject", "serving/*");
    cloud.deny(Principal::Both, "kms:Sign", SIGN_KEY);
    let run = of_pattern(&cloud, &[]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert_eq!(actions(&run, "denied", "source"), ["sagemaker:ListModelPackageGroups"]);
    assert_eq!(actions(&run, "denied", "target"), ["s3:PutObject", "kms:Sign"], "{:#}", document(&run));
    assert_eq!(actions(&run, "not-testable", "source"), ["all others"]);
    assert!(actions(&run, "ok", "source").contains(&"clock".to_owned()));
    assert!(actions(&run, "ok", "target").contains(&"s3:ListBucketMultipartUploads".to_owned()));
    // The permission to list groups can only be granted on all resources.
    let policy = document(&run)["policies"][0]["policy"].clone();
    let statements = policy["Statement"].as_array().cloned().unwrap_or_default();
    let lists = statements.iter().find(|one| one["Action"] == json!(["sagemaker:ListModelPackageGroups"]));
    assert_eq!(lists.map(|one| one["Resource"].clone()), Some(json!(["*"])), "{policy:#}");
    assert_nothing_was_written(&cloud);
}

#[test]
fn tags_of_the_groups_that_may_not_be_listed_are_denied_and_the_target_is_asked() {
    let cloud = encrypted();
    cloud.deny(Principal::Both, "sagemaker:ListTags", "arn:aws:sagemaker:eu-central-1:444333666777:*");
    let run = of_pattern(&cloud, &["--source-tag", "team=growth"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert_eq!(denied(&run), BTreeSet::from([("sagemaker:ListTags".to_owned(), "source".to_owned())]));
    assert!(actions(&run, "ok", "source").contains(&"sagemaker:ListModelPackageGroups".to_owned()));
    assert!(actions(&run, "ok", "target").contains(&"s3:PutObject".to_owned()), "{:#}", document(&run));
    assert_nothing_was_written(&cloud);
}

#[test]
fn a_role_of_the_target_that_cannot_be_assumed_does_not_hide_the_source() {
    let cloud = encrypted();
    let run = of_pattern(&cloud, &["--target-role-arn", "arn:aws:iam::111222333444:role/forbidden"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert_eq!(denied(&run), BTreeSet::from([("sts:AssumeRole".to_owned(), "target".to_owned())]));
    assert!(actions(&run, "ok", "source").contains(&"sagemaker:ListModelPackageGroups".to_owned()));
}

#[test]
fn a_pattern_that_matches_no_group_is_an_error_as_before() {
    let cloud = encrypted();
    let pattern = Cloud::group_arn("none-*");
    let flags = ["doctor", "--group", &pattern, "--target-bucket", SERVING];
    run(&cloud, Principal::Both, &flags).fails(1, &["no model package group matches"]);
}

/// Everything below the target bucket is denied, but what a run for the groups of the pattern writes.
fn grant_only(cloud: &Cloud, folders: &str) {
    cloud.deny(Principal::Both, "s3:*", "serving/*");
    for action in ["s3:GetObject", "s3:PutObject", "s3:AbortMultipartUpload", "s3:ListMultipartUploadParts"] {
        cloud.allow(Principal::Both, action, &format!("serving/{folders}"));
    }
    cloud.allow(Principal::Both, "s3:DeleteObject", &format!("serving/{folders}/_unfinished/*"));
}

#[test]
fn groups_that_are_not_known_are_asked_for_where_their_runs_write_and_nowhere_else() {
    let cases = [
        (&[][..], "churn-*/444333666777-eu-central-1-churn-*-v*"),
        (&["--target-group", "Prod-{group}"], "prod-churn-*/444333666777-eu-central-1-churn-*-v*"),
        (&["--target-prefix", "models/"], "models/churn-*/444333666777-eu-central-1-churn-*-v*"),
    ];
    for (flags, folders) in cases {
        let cloud = encrypted();
        cloud.deny(Principal::Both, "sagemaker:ListModelPackageGroups", "*");
        grant_only(&cloud, folders);
        let run = of_pattern(&cloud, flags);
        assert_eq!(actions(&run, "denied", "target"), Vec::<String>::new(), "{folders}: {:#}", document(&run));
        assert!(actions(&run, "ok", "target").contains(&"s3:PutObject".to_owned()), "{folders}: {:#}", document(&run));
        // The policy that it would print is of these groups.
        cloud.deny(Principal::Both, "s3:PutObject", "serving/*");
        let run = of_pattern(&cloud, flags);
        let group = folders.split_once("/444").expect("the folder of a version").0;
        let policy = document(&run)["policies"][0]["policy"].clone();
        let statements = policy["Statement"].as_array().cloned().unwrap_or_default();
        let puts = statements.iter().find(|one| one["Action"] == json!(["s3:PutObject"])).cloned().unwrap_or_default();
        assert_eq!(puts["Resource"], json!([format!("arn:aws:s3:::serving/{group}/*")]), "{policy:#}");
        assert_nothing_was_written(&cloud);
    }
}

#[test]
fn a_group_is_asked_for_where_its_runs_write_and_nowhere_else() {
    let cloud = encrypted();
    grant_only(&cloud, "churn-model/444333666777-eu-central-1-churn-model-v*");
    let run = doctor(&cloud, &[]);
    assert_eq!(denied(&run), BTreeSet::new(), "{:#}", document(&run));
    assert!(actions(&run, "ok", "target").contains(&"s3:PutObject".to_owned()));
    assert_nothing_was_written(&cloud);
}

#[test]
fn where_runs_write_is_not_known_without_the_account_of_a_group_that_is_given_by_its_name() {
    let cloud = encrypted();
    let role = ["--source-role-arn", "arn:aws:iam::444333666777:role/forbidden"];
    for group in [GROUP, "churn-*"] {
        let flags = ["doctor", "--group", group, "--target-bucket", SERVING, "--output", "json"];
        let run = run(&cloud, Principal::Both, &[&flags[..], &role].concat());
        assert_eq!(denied(&run), BTreeSet::from([("sts:AssumeRole".to_owned(), "source".to_owned())]));
        let untested = actions(&run, "not-testable", "target");
        assert!(untested.contains(&"s3:PutObject".to_owned()), "{group}: {:#}", document(&run));
        assert!(actions(&run, "ok", "target").contains(&"s3:ListBucket".to_owned()), "{group}: {:#}", document(&run));
        assert_nothing_was_written(&cloud);
    }
}

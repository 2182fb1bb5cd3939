//! How many calls a run for several groups makes.

use std::collections::BTreeMap;

use super::*;

/// The calls of a run, without STS, by group. Calls without a group are left out.
fn calls_by_group(cloud: &Cloud, names: &[&str], run: impl FnOnce()) -> Vec<Vec<String>> {
    let before = cloud.calls().len();
    run();
    let calls = cloud.calls().split_off(before);
    let of = |name: &str| {
        let is_of = |call: &&Call| call.resource.to_lowercase().contains(&name.to_lowercase());
        let of_group = calls.iter().filter(is_of);
        of_group.map(|call| format!("{} {}", call.operation, call.resource)).collect::<Vec<_>>()
    };
    names.iter().map(|name| of(name)).collect()
}

#[test]
fn a_group_with_nothing_to_do_needs_six_calls() {
    let names = ["team-a", "team-b"];
    let cloud = with_groups(&names);
    full_of(&cloud, "team-*", &[]).document();
    let calls = calls_by_group(&cloud, &names, || {
        let document = full_of(&cloud, "team-*", &[]).document();
        assert_eq!(document["summary"]["outcomes"], json!({"already-promoted": 2}));
    });
    for mut of_group in calls {
        of_group.sort();
        let operations: Vec<&str> = of_group.iter().filter_map(|call| call.split(' ').next()).collect();
        let expected =
            ["DescribeModelPackage", "DescribeModelPackage", "GetObject", "ListModelPackages", "ListModelPackages"];
        assert_eq!(operations, expected, "{of_group:#?}");
    }
    assert_eq!(calls_of_last_run(&cloud, "ListObjectsV2"), 2, "one for each group");
    assert_eq!(calls_of_last_run(&cloud, "GetCallerIdentity"), 1);
}

/// All calls of a run for groups that have nothing to do and share an image.
fn calls_of_idle(groups: usize) -> usize {
    let names: Vec<String> = (0..groups).map(|group| format!("team-{group}")).collect();
    let cloud = with_groups(&names.iter().map(String::as_str).collect::<Vec<_>>());
    full_of(&cloud, "team-*", &[]).document();
    let before = cloud.calls().len();
    let document = full_of(&cloud, "team-*", &[]).document();
    assert_eq!(document["summary"]["outcomes"], json!({"already-promoted": groups}));
    cloud.calls().len() - before
}

#[test]
fn each_further_group_with_nothing_to_do_needs_six_calls_of_all_services_together() {
    assert_eq!(calls_of_idle(5) - calls_of_idle(2), 3 * 6);
}

/// The calls of a run for one group that has nothing to do and so many promoted versions, by operation.
fn calls_of_idle_group(versions: usize) -> BTreeMap<String, usize> {
    let cloud = with_groups(&[]);
    for _ in 0..versions {
        register(&cloud, "team-a");
        full_of(&cloud, "team-*", &[]).document();
    }
    let before = cloud.calls().len();
    let document = full_of(&cloud, "team-*", &[]).document();
    assert_eq!(document["summary"]["outcomes"], json!({"already-promoted": 1}));
    let mut calls = BTreeMap::new();
    for call in &cloud.calls()[before..] {
        *calls.entry(call.operation.clone()).or_default() += 1;
    }
    calls
}

#[test]
fn each_further_promoted_version_needs_three_calls_and_no_other_call_depends_on_their_number() {
    let expected = |versions| {
        let calls = [
            ("BatchGetImage", 1),
            ("DescribeModelPackage", 2 * versions),
            ("GetCallerIdentity", 1),
            ("GetObject", versions),
            ("ListModelPackageGroups", 1),
            ("ListModelPackages", 2),
            ("ListObjectsV2", 1),
        ];
        BTreeMap::from(calls.map(|(operation, count)| (operation.to_owned(), count)))
    };
    for versions in [1, 5] {
        assert_eq!(calls_of_idle_group(versions), expected(versions), "{versions} versions");
    }
}

#[test]
fn an_image_that_several_groups_have_lost_is_copied_for_each_of_them() {
    let names = ["team-a", "team-b"];
    let cloud = with_groups(&names);
    full_of(&cloud, "team-*", &[]).document();
    let name = &repository_of_target(&cloud);
    cloud.change_repository(TARGET_ACCOUNT, name, |repository| repository.images.clear());
    let document = full_of(&cloud, "team-*", &[]).document();
    assert_eq!(document["summary"]["outcomes"], json!({"repaired": 2}), "{document:#}");
    let before = cloud.calls().len();
    full_of(&cloud, "team-*", &[]).document();
    let lookups = cloud.calls()[before..].iter().filter(|call| call.operation == "BatchGetImage").count();
    assert_eq!(lookups, 1, "one for both groups");
}

/// The repository of the image that promote has copied.
fn repository_of_target(cloud: &Cloud) -> String {
    let created = cloud.calls_of("CreateRepository");
    created[0].resource.clone()
}

/// How many groups a run registers at a time at most.
fn at_a_time(jobs: &str) -> usize {
    let cloud = with_groups(&["team-a", "team-b", "team-c", "team-d", "team-e"]);
    let mut command = cloud.process(Principal::Both);
    let pattern = Cloud::group_arn("team-*");
    command.args(["full", "--group", &pattern, "--target-bucket", SERVING, "--output", "json", "--jobs", jobs]);
    let (output, rounds) = cloud.in_rounds(command);
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let creates = |round: &Vec<String>| round.iter().filter(|call| *call == "CreateModelPackage").count();
    rounds.iter().map(creates).max().unwrap_or_default()
}

#[test]
fn as_many_groups_run_at_a_time_as_jobs_says_and_no_more() {
    // Four versions of an account are described at a time, so that the fifth group is behind the others.
    assert_eq!(["1", "2", "8"].map(at_a_time), [1, 2, 4]);
}

/// The calls of an operation since the last listing of groups, with which a run begins.
fn calls_of_last_run(cloud: &Cloud, operation: &str) -> usize {
    let calls = cloud.calls();
    let start = calls.iter().rposition(|call| call.operation == "ListModelPackageGroups").unwrap_or_default();
    let identity = calls[..start].iter().rev().take_while(|call| call.operation == "GetCallerIdentity").count();
    calls[start - identity..].iter().filter(|call| call.operation == operation).count()
}

#[test]
fn a_group_without_an_approved_version_needs_three_calls() {
    let cloud = with_groups(&["team-a"]);
    let a = "arn:aws:sagemaker:eu-central-1:444333666777:model-package/team-a/1";
    cloud.change(a, json!({"ModelApprovalStatus": "PendingManualApproval"}));
    full_of(&cloud, "team-*", &[]).document();
    let all = ["ListModelPackages", "ListObjectsV2", "DescribeModelPackage", "DescribeModelPackageGroup", "GetObject"];
    let counts = all.map(|operation| calls_of_last_run(&cloud, operation));
    assert_eq!(counts, [2, 1, 0, 0, 0]);
}

#[test]
fn what_changes_beside_a_run_for_several_groups_is_done_as_for_one() {
    let cloud = with_groups(&["team-a"]);
    let version = "arn:aws:sagemaker:eu-central-1:444333666777:model-package/team-a/1";
    let outcome = || {
        let document = full_of(&cloud, "team-*", &[]).document();
        of(&document, "team-a")["document"]["outcome"].as_str().expect("an outcome").to_owned()
    };
    let target = || cloud.packages(TARGET_ACCOUNT, "team-a")[0].clone();
    assert_eq!(outcome(), "promoted");
    cloud.change(version, json!({"CustomerMetadataProperties": {"team": "risk"}}));
    assert_eq!(outcome(), "updated");
    assert_eq!(target()["CustomerMetadataProperties"]["team"], "risk");
    cloud.change(version, json!({"ModelApprovalStatus": "Rejected"}));
    full_of(&cloud, "team-*", &[]).document();
    assert_eq!(target()["ModelApprovalStatus"], "Rejected");
    cloud.change(version, json!({"ModelApprovalStatus": "Approved"}));
    assert_eq!(outcome(), "approved-again");
    assert_eq!(outcome(), "already-promoted");
    cloud.remove(SERVING, "team-a/444333666777-eu-central-1-team-a-v1/models/team-a/model.tar.gz");
    assert_eq!(outcome(), "repaired");
    assert_eq!(outcome(), "already-promoted");
    register(&cloud, "team-a");
    assert_eq!(outcome(), "promoted");
    cloud.change(version, json!({"CustomerMetadataProperties": {"team": "fraud"}}));
    assert_eq!(outcome(), "already-promoted", "the latest version; the other one is followed");
    assert_eq!(target()["CustomerMetadataProperties"]["team"], "fraud");
}

#[test]
fn a_folder_that_no_page_holds_is_looked_at_as_for_one_group() {
    let cloud = with_groups(&["team-a", "team-b"]);
    full_of(&cloud, "team-*", &[]).document();
    cloud.page_size(2);
    let document = full_of(&cloud, "team-*", &[]).document();
    assert_eq!(document["summary"]["outcomes"], json!({"already-promoted": 2}));
}

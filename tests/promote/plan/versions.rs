//! Which version is promoted: the highest Approved one, however the registry lists them.

use serde_json::{Value, json};

use crate::support::{Cloud, Principal, SOURCE_ACCOUNT};
use crate::world::*;

/// A group of so many versions, of which these are Approved; each has a model of its own.
fn with_versions(count: u64, approved: &[u64]) -> Cloud {
    let cloud = world();
    for version in 1..=count {
        cloud.register(one(version, if approved.contains(&version) { "Approved" } else { "Rejected" }));
        cloud.put(MODELS, &format!("v{version}.tar.gz"), format!("weights of {version}"));
    }
    cloud
}

fn one(version: u64, approval: &str) -> Value {
    let mut package = model(&format!("s3://models/v{version}.tar.gz"));
    package["ModelPackageVersion"] = json!(version);
    package["ModelApprovalStatus"] = json!(approval);
    package
}

fn find(cloud: &Cloud, more: &[&str]) -> Run {
    let group = Cloud::group_arn(GROUP);
    let arguments: Vec<&str> =
        ["find-latest", "--group", &group, "--output", "json"].into_iter().chain(more.iter().copied()).collect();
    run(cloud, Principal::Both, &arguments)
}

#[test]
fn of_150_versions_the_highest_of_3_approved_is_promoted() {
    let cloud = with_versions(150, &[7, 68, 121]);
    let document = promote(&cloud, &[]).document();
    assert_eq!(document["source"]["version"], 121);
    let url = &promoted(&cloud)[0]["InferenceSpecification"]["Containers"][0]["ModelDataUrl"];
    assert!(url.as_str().unwrap_or_default().ends_with("-churn-model-v121/models/v121.tar.gz"), "{url}");
    let lists: Vec<Value> = cloud.calls_of("ListModelPackages").into_iter().map(|call| call.request).collect();
    // Rejected ones are listed at the same time, to be withdrawn.
    let mut of_source = lists.iter().filter(|request| request["ModelPackageGroupName"] == Cloud::group_arn(GROUP));
    let request = of_source.find(|request| request["ModelApprovalStatus"] == "Approved");
    let request = request.expect("the source's approved versions are listed");
    assert_eq!((&request["ModelPackageType"], &request["SortOrder"]), (&json!("Versioned"), &json!("Descending")));
}

#[test]
fn all_pages_are_read_and_an_empty_one_is_not_the_last() {
    let all: Vec<u64> = (1..=150).collect();
    for empty in [false, true] {
        let cloud = with_versions(150, &all);
        cloud.empty_pages(empty);
        assert_eq!(find(&cloud, &[]).document()["source"]["version"], 150);
        assert_eq!(cloud.calls_of("ListModelPackages").len(), if empty { 4 } else { 2 });
    }
}

#[test]
fn the_version_number_decides_and_not_the_time_of_creation() {
    let cloud = world();
    for version in [9, 12, 10, 2] {
        cloud.register(one(version, "Approved"));
    }
    assert_eq!(find(&cloud, &[]).document()["source"]["version"], 12);
}

#[test]
fn the_highest_approved_version_wins_on_whichever_page_it_is() {
    let cloud = world();
    // Listed from the youngest, the highest version is the last of 130.
    let versions = std::iter::once(500).chain(1..130);
    versions.for_each(|version| drop(cloud.register(one(version, "Approved"))));
    assert_eq!(find(&cloud, &[]).document()["source"]["version"], 500);
}

#[test]
fn a_version_that_is_asked_for_is_taken_whatever_its_status() {
    let cloud = with_versions(150, &[7, 68, 121]);
    let found = find(&cloud, &["--package-version", "3"]).document();
    assert_eq!((&found["source"]["version"], &found["source"]["approval_status"]), (&json!(3), &json!("Rejected")));
    let document = promote(&cloud, &["--package-version", "68"]).document();
    assert_eq!(document["source"]["version"], 68);
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Approved");
    find(&cloud, &["--package-version", "151"]).fails(1, &["has no version 151\nhint: The highest version is 150"]);
}

#[test]
fn a_version_that_is_asked_for_is_promoted_with_its_own_status() {
    let cloud = with_versions(3, &[3]);
    promote(&cloud, &["--package-version", "2"]).document();
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Rejected");
}

#[test]
fn nothing_approved_is_0_for_full_and_4_for_find_latest_and_both_count_the_states() {
    let cloud = with_versions(3, &[]);
    cloud.register(one(4, "PendingManualApproval"));
    let states = json!({"PendingManualApproval": 1, "Rejected": 3});
    let document = promote(&cloud, &[]).document();
    assert_eq!((&document["outcome"], &document["versions"]), (&json!("nothing-approved"), &states));
    let found = find(&cloud, &[]);
    assert_eq!(found.code, 4, "{}", found.stderr);
    let document: Value = serde_json::from_str(&found.stdout).expect("standard output is one document");
    assert_eq!((&document["outcome"], &document["versions"]), (&json!("nothing-approved"), &states));
    assert_eq!((promoted(&cloud).len(), cloud.keys(SERVING).len()), (0, 0));
}

/// A version that is Approved although SageMaker could not complete it.
fn failed(cloud: &Cloud, version: u64) -> String {
    let mut package = one(version, "Approved");
    package["ModelPackageStatus"] = json!("Failed");
    cloud.register(package)
}

#[test]
fn an_approved_version_that_failed_is_passed_over_with_a_warning() {
    let cloud = with_versions(3, &[1, 2, 3]);
    let arns = [4, 5].map(|version| failed(&cloud, version));
    failed(&cloud, 6);
    cloud.change(&arns[0].replace("/4", "/6"), json!({"ModelApprovalStatus": "PendingManualApproval"}));
    for document in [find(&cloud, &[]).document(), promote(&cloud, &["--dry-run"]).document()] {
        assert_eq!(document["source"]["version"], 3);
        let warnings = document["warnings"].as_array().expect("warnings");
        let fields: Vec<&str> = warnings.iter().filter_map(|warning| warning["field"].as_str()).collect();
        assert_eq!(fields, [&arns[1], &arns[0]]);
        let remark = warnings[0]["remark"].as_str().expect("a remark");
        assert!(
            remark.starts_with("this version is Approved, but Failed, and was passed over: version 3 is promoted"),
            "{remark}"
        );
    }
    assert_eq!(promote(&cloud, &[]).document()["source"]["version"], 3);
    let chosen = ["--package-version", "5"];
    promote(&cloud, &chosen).fails(1, &[&arns[1], "is Failed; only a Completed package can be promoted"]);
}

#[test]
fn a_group_of_which_every_approved_version_failed_is_an_error() {
    let cloud = with_versions(1, &[]);
    let arn = failed(&cloud, 2);
    promote(&cloud, &[]).fails(1, &[&arn, "is Failed; only a Completed package can be promoted"]);
    assert_eq!((find(&cloud, &[]).code, promoted(&cloud).len()), (1, 0));
}

#[test]
fn an_unversioned_package_is_never_the_latest() {
    let cloud = with_versions(1, &[1]);
    let mut unversioned = model("s3://models/v1.tar.gz");
    unversioned.as_object_mut().expect("an object").shift_remove("ModelPackageGroupName");
    unversioned["ModelPackageName"] = json!("Churn-Model-Unversioned");
    cloud.register(unversioned);
    assert_eq!(find(&cloud, &[]).document()["source"]["version"], 1);
}

#[test]
fn a_list_that_holds_a_version_of_another_account_or_group_is_refused() {
    for foreign in [
        "arn:aws:sagemaker:eu-central-1:999988887777:model-package/churn-model/9",
        "arn:aws:sagemaker:eu-west-1:444333666777:model-package/churn-model/9",
        "arn:aws:sagemaker:eu-central-1:444333666777:model-package/another-model/9",
    ] {
        let cloud = with_versions(1, &[1]);
        let mut package = one(9, "Approved");
        package["ModelPackageArn"] = json!(foreign);
        cloud.register(package);
        find(&cloud, &[]).fails(1, &[foreign, "is not in this group"]);
        promote(&cloud, &[]).fails(1, &[foreign]);
        assert_eq!((promoted(&cloud).len(), cloud.keys(SERVING).len()), (0, 0));
    }
}

#[test]
fn a_version_that_changes_its_status_between_list_and_description_is_not_promoted() {
    use crate::support::Moment;
    let cloud = with_versions(2, &[2]);
    let arn = cloud.packages(SOURCE_ACCOUNT, GROUP)[1]["ModelPackageArn"].as_str().expect("an ARN").to_owned();
    let hooked = arn.clone();
    let reject = move |cloud: &Cloud| cloud.change(&hooked, json!({"ModelApprovalStatus": "Rejected"}));
    cloud.hook(Moment::on("DescribeModelPackage", 1).at(&arn), reject);
    promote(&cloud, &[]).fails(1, &["changed from Approved to Rejected during this run", "hint: Run again"]);
    assert_eq!(promoted(&cloud).len(), 0);
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "nothing-approved");
}

#[test]
fn the_source_is_never_written_to() {
    let cloud = with_versions(3, &[2]);
    let before = cloud.packages(SOURCE_ACCOUNT, GROUP);
    promote(&cloud, &[]).document();
    assert_eq!(cloud.packages(SOURCE_ACCOUNT, GROUP), before);
    assert_eq!(cloud.keys(MODELS).len(), 3);
    let reads = ["List", "Describe", "Head", "Get"];
    for call in cloud.calls().into_iter().filter(|call| !reads.iter().any(|verb| call.operation.starts_with(verb))) {
        let about_source = call.resource.starts_with(MODELS) || call.resource.contains(":444333666777:");
        assert!(!about_source, "{} {}", call.operation, call.resource);
    }
}

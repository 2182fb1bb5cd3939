//! What a test may choose about the registry: spelling, lateness, members that nobody has sent, and throttling.

use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::client::Client;
use super::filled;
use crate::support::{Cloud, Principal, Spelling, TARGET_ACCOUNT};

/// Longer than any test takes.
const HOUR: Duration = Duration::from_secs(3600);
const SHORT: Duration = Duration::from_millis(50);
const ARN: &str = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn/1";

/// A target group `Churn` with one version that a call has created.
fn created() -> (Cloud, Client) {
    let cloud = filled();
    cloud.put("dst", "model/weights", "1");
    let mut client = Client::new(&cloud, Principal::Target);
    assert_eq!(client.registry("CreateModelPackageGroup", json!({"ModelPackageGroupName": "Churn"})).status, 200);
    create(&mut client);
    (cloud, client)
}

fn create(client: &mut Client) {
    let source = json!({"S3Uri": "s3://dst/model/", "S3DataType": "S3Prefix", "CompressionType": "None"});
    let container = json!({"Image": "i", "ModelDataSource": {"S3DataSource": source}});
    let request = json!({"ModelPackageGroupName": "Churn", "InferenceSpecification": {"Containers": [container]}});
    assert_eq!(client.registry("CreateModelPackage", request).status, 200);
}

fn describe(client: &mut Client, arn: &str) -> Value {
    client.registry("DescribeModelPackage", json!({"ModelPackageName": arn})).json()
}

fn list(client: &mut Client, group: &str) -> Vec<Value> {
    let request = json!({"ModelPackageGroupName": group, "ModelPackageType": "Versioned"});
    client.registry("ListModelPackages", request).json()["ModelPackageSummaryList"]
        .as_array()
        .cloned()
        .unwrap_or_default()
}

fn approve(client: &mut Client) {
    describe(client, ARN);
    describe(client, ARN);
    let request = json!({"ModelPackageArn": ARN, "ModelApprovalStatus": "Approved"});
    assert_eq!(client.registry("UpdateModelPackage", request).status, 200);
}

/// Looks until the condition holds.
fn until(mut holds: impl FnMut() -> bool) {
    let began = Instant::now();
    while !holds() {
        assert!(began.elapsed() < Duration::from_secs(30), "it never does");
        std::thread::sleep(Duration::from_millis(10));
    }
}

#[test]
fn group_names_are_spelled_in_lower_case_as_created_or_both_and_are_found_in_any_spelling() {
    let (cloud, mut client) = created();
    let lower = json!([ARN, "churn"]);
    let as_created = json!([ARN.replace("churn", "Churn"), "Churn"]);
    assert_eq!(spelled(&mut client, "Churn"), json!([lower[0], "Churn"]));
    assert_eq!(list(&mut client, "churn"), Vec::<Value>::new(), "only the created spelling is known");
    cloud.spell(Spelling::LowerCase);
    assert_eq!(spelled(&mut client, "CHURN"), lower);
    cloud.spell(Spelling::AsCreated);
    assert_eq!(spelled(&mut client, "churn"), as_created);
    cloud.spell(Spelling::Mixed);
    let several: Vec<Value> = (0..20).map(|_| spelled(&mut client, "churn")).collect();
    for member in 0..2 {
        for spelling in [&lower, &as_created] {
            assert!(several.iter().any(|one| one[member] == spelling[member]), "{several:?}");
        }
    }
    let group = client.registry("CreateModelPackageGroup", json!({"ModelPackageGroupName": "churn"}));
    assert!(group.status == 400 && cloud.groups(TARGET_ACCOUNT).len() == 1, "{}", group.text());
}

/// The ARN and the group's name of the only version.
fn spelled(client: &mut Client, group: &str) -> Value {
    let listed = list(client, group).pop().expect("a version");
    let described = describe(client, listed["ModelPackageArn"].as_str().expect("an ARN"));
    json!([described["ModelPackageArn"], described["ModelPackageGroupName"]])
}

#[test]
fn new_versions_are_listed_late_but_described_at_once() {
    let (cloud, mut client) = created();
    cloud.list_new_versions_late(HOUR);
    create(&mut client);
    assert_eq!(describe(&mut client, &ARN.replace("/1", "/2"))["ModelPackageVersion"], 2);
    assert_eq!(list(&mut client, "Churn"), Vec::<Value>::new());
    cloud.list_new_versions_late(SHORT);
    until(|| list(&mut client, "Churn").len() == 2);
}

#[test]
fn an_update_and_a_deletion_are_shown_late() {
    let (cloud, mut client) = created();
    cloud.show_changes_after(2);
    approve(&mut client);
    let statuses: Vec<Value> = (0..3).map(|_| describe(&mut client, ARN)["ModelApprovalStatus"].clone()).collect();
    assert_eq!(statuses, ["PendingManualApproval", "PendingManualApproval", "Approved"]);
    assert_eq!(cloud.packages(TARGET_ACCOUNT, "Churn")[0]["ModelApprovalStatus"], "Approved");
    cloud.show_changes_late(HOUR);
    assert_eq!(client.registry("DeleteModelPackage", json!({"ModelPackageName": ARN})).status, 200);
    assert_eq!(list(&mut client, "Churn").len(), 1);
    cloud.show_changes_late(SHORT);
    until(|| list(&mut client, "Churn").is_empty());
    assert!(describe(&mut client, ARN).get("ModelPackageArn").is_none());
}

#[test]
fn an_update_is_listed_late_but_described_at_once() {
    let (cloud, mut client) = created();
    cloud.list_changes_late(HOUR);
    approve(&mut client);
    assert_eq!(describe(&mut client, ARN)["ModelApprovalStatus"], "Approved");
    assert_eq!(list(&mut client, "Churn")[0]["ModelApprovalStatus"], "PendingManualApproval");
    cloud.list_changes_late(SHORT);
    until(|| list(&mut client, "Churn")[0]["ModelApprovalStatus"] == "Approved");
}

#[test]
fn a_new_group_is_shown_late() {
    let cloud = filled();
    cloud.show_new_groups_late(HOUR);
    let mut client = Client::new(&cloud, Principal::Target);
    let group = json!({"ModelPackageGroupName": "Churn"});
    assert_eq!(client.registry("CreateModelPackageGroup", group.clone()).status, 200);
    assert!(client.registry("DescribeModelPackageGroup", group.clone()).text().contains("does not exist"));
    assert!(client.registry("ListModelPackages", group.clone()).text().contains("does not exist"));
    cloud.show_new_groups_late(SHORT);
    until(|| client.registry("DescribeModelPackageGroup", group.clone()).status == 200);
}

#[test]
fn a_description_has_defaults_and_empty_members_that_nobody_has_sent() {
    let (cloud, mut client) = created();
    let before = describe(&mut client, ARN);
    assert!(before.get("ModelCard").is_none() && before.get("Domain").is_none());
    cloud.add_defaults();
    cloud.add_empty_members();
    let package = describe(&mut client, ARN);
    let container = &package["InferenceSpecification"]["Containers"][0];
    assert_eq!(
        (&package["ModelCard"]["ModelCardStatus"], &package["SkipModelValidation"]),
        (&json!("Draft"), &json!("None"))
    );
    assert!(container["ModelDataSource"]["S3DataSource"]["ETag"].is_string() && container["ImageDigest"].is_string());
    assert_eq!((&container["Environment"], &container["FrameworkVersion"]), (&json!({}), &json!("")));
    assert_eq!(package["AdditionalInferenceSpecifications"], json!([]));
    assert_eq!(package["InferenceSpecification"]["SupportedTransformInstanceTypes"], json!([]));
    assert!(cloud.packages(TARGET_ACCOUNT, "Churn")[0].get("Domain").is_none(), "only answers have them");
}

#[test]
fn more_calls_of_an_account_than_its_rate_are_throttled() {
    let (cloud, mut client) = created();
    cloud.throttle_registry(5);
    let mut ask = || client.registry("DescribeModelPackage", json!({"ModelPackageName": ARN}));
    let answers: Vec<_> = (0..8).map(|_| ask()).collect();
    assert!(answers[..5].iter().all(|answer| answer.status == 200));
    let refused = answers.iter().find(|answer| answer.status == 400).expect("one is throttled").text();
    assert!(refused.contains("ThrottlingException") && refused.contains("Rate exceeded"), "{refused}");
    let mut other = Client::new(&cloud, Principal::Source);
    assert_eq!(other.registry("ListModelPackages", json!({})).status, 200);
    until(|| ask().status == 200);
}

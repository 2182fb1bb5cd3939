//! `promote doctor`: everything that a promotion needs, in one run that writes nothing.

mod artifacts;
mod images;
mod merged;
mod pattern;
mod permissions;
mod policies;
mod refusals;
mod server_side;
mod surroundings;
mod sweep;
mod table;
mod uploads;

use std::collections::BTreeSet;

use serde_json::{Value, json};

use crate::snapshot::{assert_snapshot, shown};
use crate::support::kms::SIGN_KEY;
use crate::support::s3::Encryption;
use crate::support::{Attributes, Cloud, Failure, Moment, Principal, SOURCE_ACCOUNT, TARGET_ACCOUNT};
use crate::world::*;
use table::permissions;

const SOURCE_KEY: &str = "arn:aws:kms:eu-central-1:444333666777:key/aaaaaaaa-3333-4444-5555-666677778888";
const TARGET_KEY: &str = "arn:aws:kms:eu-central-1:111222333444:key/bbbbbbbb-3333-4444-5555-666677778888";

/// Permissions that a promotion does without, with the side.
const OPTIONAL: [(&str, &str); 7] = [
    ("sagemaker:DescribeModelPackageGroup", "source"),
    ("sagemaker:ListTags", "source"),
    ("ecr:DescribeRepositories", "source"),
    ("s3:DeleteObject", "target"),
    ("s3:AbortMultipartUpload", "target"),
    ("s3:ListMultipartUploadParts", "target"),
    ("sagemaker:DeleteModelPackage", "target"),
];

/// What no request of doctor tests: that a repository can be created.
const NOT_TESTABLE: &str = "ecr:CreateRepository";

fn is_optional(action: &str, resource: &str) -> bool {
    OPTIONAL.contains(&(action, side(resource)))
}

/// A source whose artifacts have a KMS key, and a target bucket with another one.
fn encrypted() -> Cloud {
    let cloud = world();
    cloud.create_group(SOURCE_ACCOUNT, GROUP, json!({"Tags": [{"Key": "team", "Value": "growth"}]}));
    fill(&cloud);
    cloud.allow(Principal::Both, "ecr:DescribeRepositories", "arn:aws:ecr:eu-central-1:444333666777:*");
    let key = Encryption::Kms { key: SOURCE_KEY.to_owned(), bucket_key: true };
    let attributes = Attributes { encryption: key, ..Attributes::default() };
    cloud.put_with(MODELS, "churn/model.tar.gz", "weights", attributes);
    cloud.encrypt_bucket(SERVING, TARGET_KEY);
    cloud
}

fn doctor(cloud: &Cloud, more: &[&str]) -> Run {
    let group = Cloud::group_arn(GROUP);
    let flags = [
        "doctor",
        "--group",
        &group,
        "--target-bucket",
        SERVING,
        "--sign-key",
        SIGN_KEY,
        "--images",
        "copy",
        "--output",
        "json",
    ];
    run(cloud, Principal::Both, &[&flags[..], more].concat())
}

/// The document, whatever the exit code.
fn document(run: &Run) -> Value {
    serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("no document: {}{}", run.stdout, run.stderr))
}

/// The checks of a run.
fn checks(run: &Run) -> Vec<Value> {
    document(run)["checks"].as_array().cloned().unwrap_or_default()
}

/// What is denied, as permission and side.
fn denied(run: &Run) -> BTreeSet<(String, String)> {
    let document = document(run);
    let checks = document["checks"].as_array().cloned().unwrap_or_default();
    let denied = checks.iter().filter(|check| check["result"] == "denied");
    let text = |value: &Value| value.as_str().unwrap_or_default().to_owned();
    denied.map(|check| (text(&check["action"]), text(&check["side"]))).collect()
}

fn side(resource: &str) -> &'static str {
    let of_source = resource.contains(SOURCE_ACCOUNT) || resource.starts_with(MODELS);
    if of_source { "source" } else { "target" }
}

/// The calls that have changed something for others to see.
fn changes(cloud: &Cloud) -> Vec<String> {
    let changing = ["PutObject", "PutImage", "Copy", "Complete", "Create", "Update", "Delete", "AddTags"];
    let calls = cloud.calls().into_iter().filter(|call| call.status < 300);
    let calls = calls.filter(|call| changing.iter().any(|verb| call.operation.starts_with(verb)));
    calls.map(|call| call.operation).filter(|operation| operation != "CreateMultipartUpload").collect()
}

fn assert_nothing_was_written(cloud: &Cloud) {
    assert_eq!(changes(cloud), Vec::<String>::new());
    assert!(cloud.uploads(SERVING).is_empty(), "an upload is left open");
    assert!(cloud.keys(SERVING).is_empty());
    assert!(cloud.groups(TARGET_ACCOUNT).is_empty());
    assert!(cloud.repository(TARGET_ACCOUNT, "serve").is_none() && cloud.repository(TARGET_ACCOUNT, "llm").is_none());
}

#[test]
fn a_resource_of_the_other_account_gets_a_policy_too_with_what_it_has_now() {
    let cloud = encrypted();
    let theirs = json!({ "Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*" });
    cloud.set_policy(MODELS, json!({ "Version": "2012-10-17", "Statement": [theirs] }));
    cloud.deny(Principal::Both, "s3:ListBucket", MODELS);
    let run = doctor(&cloud, &[]);
    let document = document(&run);
    let policies = document["policies"].as_array().cloned().unwrap_or_default();
    let of = |kind: &str| policies.iter().find(|one| one["of"].get(kind).is_some()).cloned().unwrap_or_default();
    assert_eq!(of("principal")["of"]["principal"], Principal::Both.arn(), "{document:#}");
    assert_eq!(of("principal")["policy"]["Statement"][0]["Action"], json!(["s3:ListBucket"]));
    let bucket = of("bucket");
    assert_eq!(bucket["merged"], true);
    assert_eq!(bucket["policy"]["Statement"][0]["Sid"], "Theirs");
    let added = &bucket["policy"]["Statement"][1];
    assert_eq!(added["Principal"], json!({ "AWS": Principal::Both.arn() }));
    assert_eq!(added["Resource"], json!(["arn:aws:s3:::models"]));
}

#[test]
fn without_probes_it_only_reads() {
    let cloud = encrypted();
    let run = doctor(&cloud, &["--no-probes"]);
    assert_eq!(run.code, 3, "{}", run.stderr);
    let document = document(&run);
    let checks = document["checks"].as_array().cloned().unwrap_or_default();
    let untested: Vec<&str> = checks
        .iter()
        .filter(|check| check["result"] == "not-testable")
        .filter_map(|check| check["action"].as_str())
        .collect();
    assert!(untested.contains(&"s3:PutObject") && untested.contains(&"sagemaker:CreateModelPackage"), "{untested:?}");
    let reads = ["Get", "Head", "List", "Describe", "Batch", "DownloadLayer"];
    let others = cloud.calls().into_iter().filter(|call| !reads.iter().any(|verb| call.operation.starts_with(verb)));
    // Sign is asked with DryRun, which signs nothing.
    assert_eq!(others.map(|call| call.operation).filter(|operation| operation != "Sign").collect::<Vec<_>>(), [""; 0]);
}

#[test]
fn what_does_not_exist_is_missing() {
    let cloud = encrypted();
    cloud.remove(MODELS, "churn/report.json");
    cloud.remove_bucket(SERVING);
    let run = doctor(&cloud, &["--no-create-group"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let document = document(&run);
    let checks = document["checks"].as_array().cloned().unwrap_or_default();
    let missing: Vec<&str> = checks
        .iter()
        .filter(|check| check["result"] == "missing")
        .filter_map(|check| check["resource"].as_str())
        .collect();
    assert_eq!(
        missing,
        [
            "s3://models/churn/report.json",
            "arn:aws:s3:::serving",
            "arn:aws:sagemaker:eu-central-1:111222333444:model-package-group/Churn-Model"
        ]
    );
}

#[test]
fn a_role_that_sts_throttles_or_cannot_answer_for_is_not_testable_and_not_missing() {
    for (status, code) in [(400, "Throttling"), (500, "InternalFailure")] {
        let cloud = encrypted();
        cloud.fail(Moment::every("AssumeRole"), Failure::Status(status, code, "Try again."));
        let run = doctor(&cloud, &["--source-role-arn", "arn:aws:iam::444333666777:role/reader"]);
        assert_eq!(run.code, 3, "{code}: {}", run.stderr);
        let document = document(&run);
        let checks = document["checks"].as_array().expect("checks").iter();
        let assumed = checks.filter(|check| check["action"] == "sts:AssumeRole");
        assert!(assumed.map(|check| &check["result"]).eq(["not-testable"]), "{code}: {document:#}");
    }
}

#[test]
fn a_role_that_cannot_be_assumed_is_named_and_the_other_side_is_asked_all_the_same() {
    let cloud = encrypted();
    let role = "arn:aws:iam::444333666777:role/forbidden";
    let run = doctor(&cloud, &["--source-role-arn", role]);
    assert_eq!(run.code, 1);
    assert_eq!(denied(&run), BTreeSet::from([("sts:AssumeRole".to_owned(), "source".to_owned())]));
    let document = document(&run);
    let trust = &document["policies"][1];
    assert_eq!(trust["of"]["trust"], role, "{document:#}");
    let statement = &trust["policy"]["Statement"][0];
    assert_eq!(statement["Principal"], json!({ "AWS": Principal::Both.arn() }));
    assert!(statement.get("Resource").is_none(), "a trust policy has no resource: {statement}");
    let own = &document["policies"][0];
    assert_eq!(own["policy"]["Statement"][0]["Resource"], json!([role]));
    let checks = document["checks"].as_array().cloned().unwrap_or_default();
    assert!(checks.iter().any(|check| check["action"] == "s3:PutObject" && check["result"] == "ok"));
}

#[test]
fn the_text_has_a_table_and_the_policies_ready_to_paste() {
    let cloud = encrypted();
    cloud.deny(Principal::Both, "s3:PutObject", "serving/*");
    let group = Cloud::group_arn(GROUP);
    let arguments = ["doctor", "--group", &group, "--target-bucket", SERVING];
    let run = run(&cloud, Principal::Both, &arguments);
    assert_snapshot("doctor", &shown(&cloud, &arguments, &run));
}

#[test]
fn a_dry_run_asks_for_nothing_that_only_a_write_tells() {
    let cloud = encrypted();
    let run = doctor(&cloud, &["--dry-run"]);
    assert_eq!(run.code, 3, "{}{}", run.stdout, run.stderr);
    assert!(cloud.calls_of("CreateMultipartUpload").is_empty());
    assert_nothing_was_written(&cloud);
}

#[test]
fn the_command_for_a_policy_that_nobody_could_read_is_left_out() {
    let cloud = encrypted();
    cloud.deny(Principal::Both, "s3:GetBucketPolicy", MODELS);
    cloud.deny(Principal::Both, "s3:ListBucket", MODELS);
    let run = doctor(&cloud, &[]);
    let document = document(&run);
    let policies = document["policies"].as_array().cloned().unwrap_or_default();
    let of = |kind: &str| policies.iter().find(|one| one["of"].get(kind).is_some()).cloned().unwrap_or_default();
    assert_eq!(of("bucket")["command"], Value::Null, "{document:#}");
    let command = of("principal")["command"].as_str().unwrap_or_default().to_owned();
    assert!(command.starts_with("aws iam put-user-policy --user-name both --policy-name promote-"), "{command}");
}

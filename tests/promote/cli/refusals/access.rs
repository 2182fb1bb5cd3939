//! Who may not: each denied call names the side, the call, the resource and the permission to grant.

use super::*;
use crate::snapshot::{fits, normalised};

const KEY: &str = "arn:aws:kms:eu-central-1:111222333444:key/66666666-7777-8888-9999-000000000000";
const SOURCE: &str = "arn:aws:sagemaker:eu-central-1:444333666777:*";
const TARGET: &str = "arn:aws:sagemaker:eu-central-1:111222333444:*";
const COPY: &str = "serving/churn-model/444333666777-eu-central-1-churn-model-v1/models/churn/model.tar.gz";
const RECORD: &str = "serving/churn-model/444333666777-eu-central-1-churn-model-v1/promotion.json";

/// What is denied, on what, and the exit code.
const DENIALS: [(&str, &str, i32); 16] = [
    ("sagemaker:ListModelPackages", SOURCE, 1),
    ("sagemaker:DescribeModelPackage", SOURCE, 1),
    ("s3:ListBucket", "models", 1),
    ("s3:GetObject", "models/churn/model.tar.gz", 1),
    ("s3:GetObject", "models/churn/llm/shard/1.bin", 1),
    ("s3:ListBucket", "serving", 1),
    ("s3:GetObject", "serving/*", 1),
    ("s3:PutObject", COPY, 1),
    ("kms:GenerateDataKey", "*", 1),
    ("sagemaker:DescribeModelPackageGroup", TARGET, 1),
    ("sagemaker:ListModelPackages", TARGET, 1),
    ("sagemaker:CreateModelPackageGroup", "*", 1),
    ("sagemaker:CreateModelPackage", "*", 1),
    ("sagemaker:DescribeModelPackage", TARGET, 1),
    ("sagemaker:UpdateModelPackage", "*", 1),
    ("s3:PutObject", RECORD, 3),
];

#[test]
fn each_denied_call_says_which_permission_to_grant() {
    let mut text = String::new();
    for (action, resource, code) in DENIALS {
        let cloud = if action.starts_with("kms:") { with_one_object() } else { with_package() };
        cloud.deny(Principal::Both, action, resource);
        let more: &[&str] = if action.starts_with("kms:") { &["--kms-key-arn", KEY] } else { &[] };
        let run = promote(&cloud, more);
        assert_eq!(run.code, code, "{action} on {resource}: {}{}", run.stdout, run.stderr);
        let granted = run.stderr.split("Grant ").skip(1).any(|grant| grant.contains(action));
        assert!(granted, "{action} on {resource}: {}", run.stderr);
        assert!(promoted(&cloud).iter().all(|one| code == 3 || one["ModelApprovalStatus"] != "Approved"));
        assert_eq!(run.printed.lines().find(|line| !fits(line)), None, "{action} on {resource}");
        let said = normalised(&cloud, &run.stderr);
        // The group is created beside the copy, which may have begun or not.
        let is_beside = action == "sagemaker:CreateModelPackageGroup";
        let said = if is_beside { said.replace("; finished copies are skipped", "") } else { said };
        text.push_str(&format!("=== without {action} on {resource}: exit {code}\n{said}"));
    }
    assert_snapshot("denied", &text);
}

#[test]
fn verify_and_status_ask_for_no_permission_to_write() {
    let promoted_version = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/1";
    let verify = ["verify", "--model-package", promoted_version];
    let status = ["status", "--target-group", GROUP];
    let mut text = String::new();
    for (action, resource) in [
        ("sagemaker:DescribeModelPackage", TARGET),
        ("sagemaker:ListModelPackages", TARGET),
        ("s3:GetObject", "serving/*"),
        ("s3:ListBucket", "serving"),
    ] {
        for command in [&verify[..], &status] {
            let cloud = with_package();
            promote(&cloud, &[]).document();
            cloud.deny(Principal::Both, action, resource);
            let run = run(&cloud, Principal::Both, command);
            let writes = ["Create", "Update", "DeleteModel", "PutObject", "AbortMultipartUpload"];
            let said = normalised(&cloud, &run.stderr);
            assert!(!writes.iter().any(|write| said.contains(write)), "{action} {command:?}: {said}");
            text.push_str(&format!("=== {} without {action} on {resource}: exit {}\n{said}", command[0], run.code));
        }
    }
    assert_snapshot("denied-reads", &text);
}

#[test]
fn verify_of_the_source_version_says_that_it_is_of_the_other_account() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    cloud.deny(Principal::Target, "sagemaker:DescribeModelPackage", SOURCE);
    let arguments = ["verify", "--model-package", SOURCE_VERSION, "--target-profile", "target"];
    says(&cloud, "verify-of-the-source-version", 1, &arguments);
}

/// A package that is one artifact: which of several copies is denied first is chance.
fn with_one_object() -> Cloud {
    let cloud = world();
    cloud.put(MODELS, "churn/model.tar.gz", "weights");
    cloud.register(model("s3://models/churn/model.tar.gz"));
    cloud
}

#[test]
fn a_principal_without_permissions_is_told_which_call_was_denied() {
    let cloud = with_package();
    let run = run(&cloud, Principal::Stranger, &FULL);
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert_snapshot("stranger", &shown(&cloud, &FULL, &run));
    assert_eq!(writes(&cloud), Vec::<String>::new());
}

#[test]
fn denied_tags_and_description_of_the_source_group_stop_nothing_and_are_said() {
    let cloud = with_package();
    let group = "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/*";
    cloud.deny(Principal::Both, "sagemaker:ListTags", group);
    cloud.deny(Principal::Both, "sagemaker:DescribeModelPackageGroup", group);
    let run = promote(&cloud, &[]);
    run.fails(
        0,
        &[
            "the target group is created without the source group's tags",
            "the target group is created without the source group's description",
            "sagemaker:ListTags on arn:aws:sagemaker",
        ],
    );
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Approved");
}

#[test]
fn invalid_credentials_are_told_from_missing_permissions() {
    let cloud = with_package();
    let mut command = cloud.promote(Principal::Both);
    command.args(FULL).env("AWS_ACCESS_KEY_ID", "AKIANOBODY0000000000");
    let run = Run::of(command.output().expect("the binary starts"));
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert_snapshot("unknown-credentials", &shown(&cloud, &FULL, &run));
    let mut command = cloud.promote(Principal::Both);
    command.args(FULL).env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
    let run = Run::of(command.output().expect("the binary starts"));
    assert_eq!((run.code, run.stdout.as_str()), (1, ""));
    assert_snapshot("no-credentials", &shown(&cloud, &FULL, &run));
}

//! A resource has one policy: for all principals, and with every statement of the present one.

use super::*;
use crate::support::{Failure, Moment};

/// An account that owns neither group.
const THIRD: &str = "999988887777";
/// A key of that account.
const THEIR_KEY: &str = "arn:aws:kms:eu-central-1:999988887777:key/cccccccc-3333-4444-5555-666677778888";

/// Doctor with two principals of the target account: one reads, and one writes.
fn of_two_principals(cloud: &Cloud, bucket: &str, more: &[&str]) -> Run {
    let group = Cloud::group_arn(GROUP);
    let flags = ["doctor", "--group", &group, "--target-bucket", bucket, "--images", "keep", "--output", "json"];
    run(cloud, Principal::Both, &[&flags[..], &["--target-profile", "target"], more].concat())
}

/// The policies of one kind of resource.
fn of(run: &Run, kind: &str) -> Vec<Value> {
    let policies = document(run)["policies"].as_array().cloned().unwrap_or_default();
    policies.into_iter().filter(|one| one["of"].get(kind).is_some()).collect()
}

/// Who gets which permissions by a policy.
fn granted(policy: &Value) -> BTreeSet<(String, String)> {
    let statements = policy["policy"]["Statement"].as_array().cloned().unwrap_or_default();
    let named = |statement: &Value| statement["Principal"]["AWS"].as_str().unwrap_or_default().to_owned();
    let granted = statements.iter().filter(|statement| statement["Effect"] == "Allow").flat_map(|statement| {
        let actions = statement["Action"].as_array().cloned().unwrap_or_default();
        actions.into_iter().map(|action| (named(statement), action.as_str().unwrap_or_default().to_owned()))
    });
    granted.collect()
}

fn pair(principal: Principal, action: &str) -> (String, String) {
    (principal.arn(), action.to_owned())
}

#[test]
fn a_bucket_that_two_principals_need_has_one_policy_for_both() {
    let cloud = world();
    cloud.create_bucket("shared", THIRD);
    cloud.put("shared", "model.tar.gz", "weights");
    cloud.register(model("s3://shared/model.tar.gz"));
    let theirs = json!({ "Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "s3:*", "Resource": "*" });
    cloud.set_policy("shared", json!({ "Version": "2012-10-17", "Statement": [theirs] }));
    for principal in [Principal::Both, Principal::Target] {
        cloud.allow(principal, "s3:*", "shared*");
    }
    cloud.deny(Principal::Both, "s3:GetObject", "shared/*");
    cloud.deny(Principal::Target, "s3:PutObject", "shared/*");
    let run = of_two_principals(&cloud, "shared", &["--target-bucket-owner", THIRD]);
    let policies = of(&run, "bucket");
    assert_eq!(policies.len(), 1, "{policies:#?}");
    let expected = [pair(Principal::Both, "s3:GetObject"), pair(Principal::Target, "s3:PutObject")];
    assert_eq!(granted(&policies[0]), BTreeSet::from(expected), "{:#}", policies[0]);
    let first = &policies[0]["policy"]["Statement"][0]["Sid"];
    assert_eq!(
        (&policies[0]["form"], &policies[0]["merged"], first),
        (&json!("complete"), &json!(true), &json!("Theirs"))
    );
    assert_eq!(of(&run, "principal").len(), 2, "each principal has its own: {:#}", document(&run));
}

#[test]
fn a_bucket_policy_that_only_one_of_two_principals_may_read_is_merged() {
    let cloud = world();
    cloud.create_bucket("shared", THIRD);
    cloud.put("shared", "model.tar.gz", "weights");
    cloud.register(model("s3://shared/model.tar.gz"));
    cloud.set_policy("shared", json!({ "Version": "2012-10-17", "Statement": [{ "Sid": "Theirs" }] }));
    for principal in [Principal::Both, Principal::Target] {
        cloud.allow(principal, "s3:*", "shared*");
    }
    cloud.deny(Principal::Both, "s3:GetObject", "shared/*");
    cloud.deny(Principal::Both, "s3:GetBucketPolicy", "shared");
    cloud.deny(Principal::Target, "s3:PutObject", "shared/*");
    let run = of_two_principals(&cloud, "shared", &["--target-bucket-owner", THIRD]);
    let policies = of(&run, "bucket");
    assert_eq!(policies.len(), 1, "{policies:#?}");
    assert_eq!(
        (&policies[0]["merged"], &policies[0]["policy"]["Statement"][0]["Sid"]),
        (&json!(true), &json!("Theirs"))
    );
}

#[test]
fn a_key_that_two_principals_need_has_one_policy_for_both() {
    let cloud = world();
    cloud.put_with(MODELS, "model.tar.gz", "weights", Attributes::default().kms(THEIR_KEY));
    cloud.register(model("s3://models/model.tar.gz"));
    cloud.encrypt_bucket(SERVING, THEIR_KEY);
    for principal in [Principal::Both, Principal::Target] {
        cloud.allow(principal, "kms:*", THEIR_KEY);
    }
    cloud.deny(Principal::Both, "kms:Decrypt", THEIR_KEY);
    cloud.deny(Principal::Target, "kms:GenerateDataKey", THEIR_KEY);
    let run = of_two_principals(&cloud, SERVING, &[]);
    let policies = of(&run, "key");
    assert_eq!(policies.len(), 1, "{policies:#?}");
    let expected = [pair(Principal::Both, "kms:Decrypt"), pair(Principal::Target, "kms:GenerateDataKey")];
    assert_eq!(granted(&policies[0]), BTreeSet::from(expected), "{:#}", policies[0]);
}

#[test]
fn the_policy_of_a_group_of_another_account_cannot_be_read_and_is_not_replaced() {
    let cloud = encrypted();
    let theirs = json!({ "Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "*", "Resource": "*" });
    cloud.set_group_policy(SOURCE_ACCOUNT, GROUP, json!({ "Version": "2012-10-17", "Statement": [theirs] }));
    // A group of this name in the caller's own account is another group.
    cloud.create_group(TARGET_ACCOUNT, GROUP, json!({}));
    cloud.deny(Principal::Both, "sagemaker:ListModelPackages", "arn:aws:sagemaker:eu-central-1:444333666777:*");
    let run = doctor(&cloud, &[]);
    let policies = of(&run, "group");
    assert_eq!(policies.len(), 1, "{:#}", document(&run));
    let group = &policies[0];
    assert_eq!((&group["form"], &group["merged"], group.get("command")), (&json!("statements"), &json!(false), None));
    assert!(group["read_command"].as_str().is_some_and(|command| command.contains("get-model-package-group-policy")));
    assert_eq!(cloud.calls_of("GetModelPackageGroupPolicy").len(), 0, "it takes the names of own groups only");
}

/// Doctor in the account of the group, whose policy denies the list: what it says of the policy.
fn of_an_own_group(prepare: impl FnOnce(&Cloud)) -> Value {
    let cloud = encrypted();
    let arn = Cloud::group_arn(GROUP);
    let denied = "User: arn:aws:iam::444333666777:user/source is not authorized to perform: \
        sagemaker:ListModelPackages on resource: arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/Churn-Model \
        because no resource-based policy allows the sagemaker:ListModelPackages action";
    cloud.fail(Moment::every("ListModelPackages").at(&arn), Failure::Status(400, "AccessDeniedException", denied));
    prepare(&cloud);
    let run = of_two_principals(&cloud, SERVING, &["--source-profile", "source"]);
    let mut policies = of(&run, "group");
    assert_eq!(policies.len(), 1, "{:#}", document(&run));
    policies.remove(0)
}

#[test]
fn the_policy_of_a_group_of_the_callers_account_is_read_by_the_name_of_the_group() {
    let theirs = json!({ "Version": "2012-10-17", "Statement": [{ "Sid": "Theirs" }] });
    let group = of_an_own_group(|cloud| cloud.set_group_policy(SOURCE_ACCOUNT, GROUP, theirs));
    assert_eq!((&group["form"], &group["merged"]), (&json!("complete"), &json!(true)), "{group:#}");
    assert_eq!(group["policy"]["Statement"][0]["Sid"], "Theirs");
    let group = of_an_own_group(|_| {});
    assert_eq!((&group["form"], &group["merged"]), (&json!("complete"), &json!(false)), "there is none: {group:#}");
}

#[test]
fn only_the_answer_that_there_is_no_policy_means_that_there_is_none() {
    let group = Cloud::group_arn(GROUP);
    for message in [
        format!("Cannot find Model Package Group: {group}"),
        format!("ModelPackageGroup {group} does not exist."),
        "Could not find the requested resource".to_owned(),
    ] {
        let message: &'static str = message.leak();
        let failure = Failure::Status(400, "ValidationException", message);
        let group = of_an_own_group(|cloud| cloud.fail(Moment::every("GetModelPackageGroupPolicy"), failure));
        assert_eq!((&group["form"], group.get("command")), (&json!("statements"), None), "{message}: {group:#}");
    }
}

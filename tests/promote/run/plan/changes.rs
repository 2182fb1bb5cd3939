//! What a plan fixes: whatever of it has changed when the plan is carried out, the run stops before its first write and
//! says what differs.

use anyhow::{Context, Result, ensure};

use super::*;
use crate::run::faults::{AT_ONCE, each};
use crate::support::TARGET_ACCOUNT;
use crate::support::kms::SIGN_KEY;

/// One thing that a plan fixes, how it changes after the review, and what the message names.
struct Change {
    what: &'static str,
    world: fn() -> Cloud,
    change: fn(&Cloud),
    flags: &'static [&'static str],
    says: &'static str,
}

const fn change(what: &'static str, change: fn(&Cloud), says: &'static str) -> Change {
    Change { what, world: one_of_two_promoted, change, flags: &[], says }
}

const fn flags(what: &'static str, flags: &'static [&'static str], says: &'static str) -> Change {
    Change { what, world: one_of_two_promoted, change: |_| {}, flags, says }
}

const fn object(what: &'static str, world: fn() -> Cloud, change: fn(&Cloud), says: &'static str) -> Change {
    Change { what, world, change, flags: &[], says }
}

/// A version that refers to a prefix only, so that its last object is the last one of the prefix.
fn with_prefix() -> Cloud {
    let cloud = with_package();
    let mut version = model("s3://models/churn/model.tar.gz");
    version["InferenceSpecification"]["Containers"][0] =
        package()["AdditionalInferenceSpecifications"][0]["Containers"][0].clone();
    cloud.register(version);
    cloud
}

const CHANGES: &[Change] = &[
    change(
        "the metadata of the version",
        |cloud| cloud.change(&version(2), json!({"CustomerMetadataProperties": {"team": "risk"}})),
        "CustomerMetadataProperties{team} is \"risk\", and was planned as not set",
    ),
    change(
        "the reason of the approval",
        |cloud| cloud.change(&version(2), json!({"ApprovalDescription": "On second thoughts"})),
        "the source fingerprint is",
    ),
    change(
        "the bytes of an artifact",
        |cloud| cloud.put(MODELS, "churn/second.tar.gz", "other weights"),
        "the artifact is s3://models/churn/second.tar.gz (13 bytes, ETag",
    ),
    object(
        "an object that was added to a prefix",
        with_package,
        |cloud| cloud.put(MODELS, "churn/llm/shard/2.bin", "two"),
        "not in the plan: the artifact s3://models/churn/llm/shard/2.bin",
    ),
    object(
        "an object that was removed from a prefix",
        with_package,
        |cloud| cloud.remove(MODELS, "churn/llm/shard/1.bin"),
        "the plan has the artifact s3://models/churn/llm/shard/1.bin, but the version no longer refers to it",
    ),
    object(
        "an object that was added at the end of a prefix",
        with_prefix,
        |cloud| cloud.put(MODELS, "churn/llm/shard/2.bin", "two"),
        "not in the plan: the artifact s3://models/churn/llm/shard/2.bin",
    ),
    object(
        "an object that was removed from the end of a prefix",
        with_prefix,
        |cloud| cloud.remove(MODELS, "churn/llm/shard/1.bin"),
        "the plan has the artifact s3://models/churn/llm/shard/1.bin, but the version no longer refers to it",
    ),
    change(
        "the latest approved version",
        |cloud| {
            cloud.register(model("s3://models/churn/model.tar.gz"));
        },
        "the source version is \"arn:aws:sagemaker:eu-central-1:444333666777:model-package/churn-model/3\"",
    ),
    change(
        "the approval of the planned version",
        |cloud| cloud.change(&version(2), json!({"ModelApprovalStatus": "Rejected"})),
        "the source version is \"arn:aws:sagemaker:eu-central-1:444333666777:model-package/churn-model/1\"",
    ),
    change(
        "the approval of a promoted version",
        |cloud| cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"})),
        "not in the plan: reject arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/1",
    ),
    change(
        "the metadata of a promoted version",
        |cloud| cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "risk"}})),
        "not in the plan: update arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/1",
    ),
    object(
        "the reason of a withdrawal",
        || {
            let cloud = one_of_two_promoted();
            let reason = json!({"ModelApprovalStatus": "Rejected", "ApprovalDescription": "Drift"});
            cloud.change(SOURCE_VERSION, reason);
            cloud
        },
        |cloud| cloud.change(SOURCE_VERSION, json!({"ApprovalDescription": "Bias"})),
        "model-package/churn-model/1 would be rejected with another reason",
    ),
    Change {
        what: "the bucket",
        world: one_of_two_promoted,
        change: |cloud| cloud.create_bucket("elsewhere", TARGET_ACCOUNT),
        flags: &["--target-bucket", "elsewhere"],
        says: "the target folder is \"s3://elsewhere/",
    },
    flags("the target group", &["--target-group", "Other"], "the target group"),
    flags("the prefix", &["--target-prefix", "elsewhere/"], "the target folder is"),
    flags("where an artifact goes", &["--target-prefix", "elsewhere/"], "goes to s3://serving/elsewhere/"),
    flags("the owner of the bucket", &["--target-bucket-owner", TARGET_ACCOUNT], "the setting target_bucket_owner is"),
    flags("who approves", &["--approval", "pending"], "the setting approval is \"pending\""),
    flags("who moves the bytes", &["--copy-mode", "stream"], "the setting copy_mode is \"stream\""),
    flags("how copies are verified", &["--verify", "size"], "the setting verify is \"size\""),
    flags("the ACL", &["--target-acl", "private"], "the setting target_writes.acl is \"private\""),
    flags("the encryption header", &["--target-sse", "AES256"], "the setting target_writes.sse is \"AES256\""),
    flags("the key", &["--kms-key-arn", KEY], "the setting overrides.kms_key is"),
    flags("the tags of the group", &["--group-tag", "team=risk"], "the setting group_tags"),
    flags("whether the group is created", &["--no-create-group"], "the setting create_group is false"),
    flags("whether the group may be others'", &["--into-existing-group"], "the setting into_existing_group is true"),
    flags("secrets in the record", &["--record-secrets"], "the setting record_secrets is"),
    flags("the key of signatures", &["--sign-key", SIGN_KEY], "the setting sign_key is"),
    flags("whether versions are withdrawn", &["--no-withdraw"], "the setting no_withdraw is true"),
    flags("whether images are copied", &["--images", "keep"], "the setting overrides.images is \"keep\""),
    flags(
        "the prefix of repositories",
        &["--image-repository-prefix", "models/"],
        "the setting overrides.image_repository_prefix is \"models/\"",
    ),
    flags(
        "whether repositories are created",
        &["--no-create-repository"],
        "the setting overrides.no_create_repository is true",
    ),
    flags("which URLs are copied", &["--environment-urls", "all"], "the setting overrides.environment_urls is \"all\""),
    flags("the algorithm", &["--target-algorithm", "xgboost"], "the setting overrides.algorithm is \"xgboost\""),
    flags(
        "the role of validations",
        &["--target-validation-role-arn", ROLE],
        "the setting overrides.validation_role is",
    ),
    flags(
        "whether unknown fields are dropped",
        &["--ignore-unknown-fields"],
        "the setting overrides.ignore_unknown_members is true",
    ),
    flags(
        "whether reports may be missing",
        &["--ignore-missing-reports"],
        "the setting overrides.ignore_missing_reports is true",
    ),
];

const KEY: &str = "arn:aws:kms:eu-central-1:111222333444:key/11111111-2222-3333-4444-555555555555";
const ROLE: &str = "arn:aws:iam::111222333444:role/validates";

#[test]
fn a_plan_is_refused_before_the_first_write_if_something_that_it_fixes_has_changed() {
    each(AT_ONCE, CHANGES, |changed| refused(changed).context(changed.what));
}

fn refused(changed: &Change) -> Result<()> {
    let cloud = (changed.world)();
    let (file, _) = plan(&cloud, &[]);
    (changed.change)(&cloud);
    let state = || (promoted(&cloud), cloud.keys(SERVING), cloud.keys("elsewhere"), writes(&cloud));
    let before = state();
    let file = file.display().to_string();
    let group = Cloud::group_arn(GROUP);
    let bucket = if changed.flags.contains(&"--target-bucket") { &[][..] } else { &["--target-bucket", SERVING] };
    let arguments = [&["full", "--group", &group, "--plan", &file][..], bucket, changed.flags].concat();
    let run = run(&cloud, Principal::Both, &arguments);
    ensure!(run.code == 1, "exit code {}: {}{}", run.code, run.stdout, run.stderr);
    ensure!(run.stderr.contains(changed.says), "{}", run.stderr);
    ensure!(run.stderr.contains("hint: Make a new plan"), "{}", run.stderr);
    ensure!(before == state(), "something was written");
    Ok(())
}

#[test]
fn a_version_that_is_named_and_rejected_after_the_review_is_not_promoted() {
    let cloud = with_package();
    let (file, _) = plan(&cloud, &["--package-version", "1"]);
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    carry_out(&cloud, &file, &["--package-version", "1"]).fails(1, &["Rejected"]);
    assert!(writes(&cloud).is_empty(), "{:?}", writes(&cloud));
}

#[test]
fn a_plan_for_another_region_or_account_is_refused() {
    for (member, other) in [("region", "eu-west-1"), ("account", "999988887777")] {
        let cloud = with_package();
        let (file, mut planned) = plan(&cloud, &[]);
        planned["target"][member] = json!(other);
        edited::with_its_digest(&cloud, &file, &mut planned);
        carry_out(&cloud, &file, &[]).fails(1, &["the target group", &format!("was planned as \"{other}\"")]);
        assert!(writes(&cloud).is_empty(), "{:?}", writes(&cloud));
    }
}

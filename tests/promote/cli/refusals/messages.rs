//! Messages of the troubleshooting page that no other test keeps word for word: each is provoked, and its snapshot is the
//! page's example.

use serde_json::{Value, json};

use super::{FULL, GROUP_ARN};
use crate::snapshot::{assert_snapshot, normalised};
use crate::support::kms::SIGN_KEY;
use crate::support::{Attributes, Cloud, Failure, Moment, Principal, TARGET_ACCOUNT};
use crate::world::*;

const PATTERN: &str = "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/Churn-*";
pub(super) const OF_PATTERN: [&str; 5] = ["full", "--group", PATTERN, "--target-bucket", SERVING];
const COPY: &str = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/1";

/// The name of the snapshot, the exit code, and the run that says it.
pub(super) type Message = (&'static str, i32, fn(&Cloud) -> Run);

const OF_SESSIONS: [Message; 17] = [
    ("profile-without-credentials", 1, |c| {
        let config = "[profile empty]\nregion = eu-central-1\n";
        configured(c, config.as_bytes(), &["--source-profile", "empty"])
    }),
    ("role-that-needs-an-mfa-code", 1, |c| {
        let config = "[profile named]\nrole_arn = arn:aws:iam::444333666777:role/reader\nsource_profile = default\n\
                      mfa_serial = arn:aws:iam::444333666777:mfa/me\n";
        configured(c, config.as_bytes(), &["--source-profile", "named"])
    }),
    ("source-profile-that-does-not-exist", 1, |c| {
        of_profile(c, "role_arn = arn:aws:iam::444333666777:role/reader\nsource_profile = nope\n")
    }),
    ("role-without-a-source-of-credentials", 1, |c| {
        of_profile(c, "role_arn = arn:aws:iam::444333666777:role/reader\n")
    }),
    ("sso-session-that-does-not-exist", 1, |c| of_profile(c, "sso_session = nope\n")),
    ("access-key-without-its-secret", 1, |c| of_profile(c, "aws_access_key_id = AKIABOTH\n")),
    ("credential-source-that-does-not-exist", 1, |c| {
        of_profile(c, "role_arn = arn:aws:iam::444333666777:role/reader\ncredential_source = Nowhere\n")
    }),
    ("process-that-prints-no-credentials", 1, |c| of_profile(c, "credential_process = echo 'signed out' >&2; false\n")),
    ("token-file-that-does-not-exist", 1, |c| {
        with(c, |command| {
            let role = "arn:aws:iam::444333666777:role/reader";
            command.env("AWS_WEB_IDENTITY_TOKEN_FILE", "/no/such/file").env("AWS_ROLE_ARN", role);
            command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY")
        })
    }),
    ("endpoint-that-is-no-url", 1, |c| with(c, |command| command.env("AWS_ENDPOINT_URL_S3", "localhost:4566"))),
    ("no-region", 1, |c| with(c, |command| command.env_remove("AWS_REGION"))),
    ("number-of-attempts-that-is-none", 1, |c| configured(c, b"[default]\nmax_attempts = many\n", &[])),
    ("configuration-that-is-no-text", 1, |c| configured(c, b"[default]\nregion = \xff\n", &[])),
    ("access-key-with-another-letter", 1, |c| with(c, |command| command.env("AWS_SESSION_TOKEN", "t\u{f6}ken"))),
    ("authorities-that-do-not-exist", 1, |c| with(c, |command| command.env("AWS_CA_BUNDLE", "/no/such/file.pem"))),
    ("role-that-cannot-be-assumed", 1, |c| full(c, &["--source-role-arn", "arn:aws:iam::444333666777:role/forbidden"])),
    ("clock-that-is-wrong", 1, |c| {
        let skewed = "The difference between the request time and the current time is too large.";
        c.fail(Moment::every("ListModelPackages"), Failure::Status(403, "RequestTimeTooSkewed", skewed));
        full(c, &[])
    }),
];

const OF_GROUPS: [Message; 7] = [
    ("pattern-without-a-group", 1, |c| {
        run(c, Principal::Both, &["full", "--group", &PATTERN.replace("Churn", "Chrun"), "--target-bucket", SERVING])
    }),
    ("pattern-without-a-tag", 1, |c| of_pattern(c, &["--source-tag", "stage=test"])),
    ("two-groups-with-one-target-group", 1, |c| {
        second_group(c);
        of_pattern(c, &["--target-group", "prod"])
    }),
    ("version-number-with-a-pattern", 2, |c| of_pattern(c, &["--package-version", "1"])),
    ("plan-of-one-group-with-a-pattern", 1, |c| {
        let plan = plan_file(c);
        assert_eq!(full(c, &["--dry-run", "--record", &plan]).code, 0);
        of_pattern(c, &["--plan", &plan])
    }),
    ("group-that-is-not-in-the-plan", 1, |c| {
        let plan = plan_file(c);
        assert_eq!(of_pattern(c, &["--dry-run", "--record", &plan]).code, 0);
        second_group(c);
        of_pattern(c, &["--plan", &plan])
    }),
    ("approval-that-changes-during-the-run", 1, |c| {
        c.hook(Moment::on("DescribeModelPackage", 1), |c| decide(c, "Rejected"));
        full(c, &[])
    }),
];

const OF_BUCKETS: [Message; 9] = [
    ("bucket-of-another-account", 1, |c| full(c, &["--target-bucket-owner", "555666777888"])),
    ("bucket-that-may-not-be-read", 1, |c| {
        c.remove_bucket(SERVING);
        c.create_bucket(SERVING, "555666777888");
        full(c, &[])
    }),
    ("explicit-deny-of-a-bucket-policy", 1, |c| {
        // A version with one object: which of several fails first is not certain.
        c.register(model("s3://models/churn/model.tar.gz"));
        c.demand(SERVING, "x-amz-acl", "bucket-owner-full-control");
        full(c, &["--copy-mode", "stream"])
    }),
    ("object-with-a-key-of-the-customer", 1, |c| {
        c.put_with(MODELS, "churn/model.tar.gz", "weights", Attributes::default().customer_key());
        full(c, &[])
    }),
    ("url-of-an-access-point", 1, |c| {
        c.register(model("s3://arn:aws:s3:eu-central-1:444333666777:accesspoint/models/churn/model.tar.gz"));
        full(c, &[])
    }),
    ("archived-object", 1, |c| {
        let archived = Attributes::default().storage_class("GLACIER");
        c.put_with(MODELS, "churn/model.tar.gz", "weights", archived);
        full(c, &["--dry-run"])
    }),
    ("stray-object-below-a-prefix", 1, |c| {
        c.put(SERVING, &format!("{FOLDER}models/churn/llm/left-over.bin"), "old");
        full(c, &[])
    }),
    ("object-that-is-replaced-during-the-copy", 1, |c| {
        let copy = Moment::on("CopyObject", 1).at("churn/model.tar.gz");
        c.hook(copy, |c| c.put(MODELS, "churn/model.tar.gz", "other weights"));
        full(c, &[])
    }),
    ("download-that-breaks-off", 1, |c| {
        c.fail(Moment::every("GetObject").at("churn/model.tar.gz"), Failure::Truncate);
        full(c, &["--copy-mode", "stream"])
    }),
];

const OF_PROMOTED_VERSIONS: [Message; 10] = [
    ("version-that-does-not-become-visible", 1, |c| {
        c.show_new_versions_after(u64::MAX);
        full(c, &["--wait-seconds", "1"])
    }),
    ("version-that-differs-from-its-record", 1, |c| {
        withdrawn(c);
        let mut specification = promoted(c)[0]["InferenceSpecification"].clone();
        specification["Containers"][0]["Environment"]["LEVEL"] = json!("debug");
        c.change(COPY, json!({"InferenceSpecification": specification}));
        decide(c, "Approved");
        full(c, &[])
    }),
    ("artifact-that-differs-from-its-record", 1, |c| {
        withdrawn(c);
        c.put(SERVING, &format!("{FOLDER}models/churn/model.tar.gz"), "other weights");
        decide(c, "Approved");
        full(c, &[])
    }),
    ("artifact-of-an-older-version-that-is-missing", 1, |c| {
        withdrawn(c);
        c.put(MODELS, "churn/second.tar.gz", "more weights");
        c.register(model("s3://models/churn/second.tar.gz"));
        promote(c, &[]).document();
        c.remove(SERVING, &format!("{FOLDER}models/churn/model.tar.gz"));
        decide(c, "Approved");
        full(c, &[])
    }),
    ("change-of-both-sides", 0, |c| {
        promote(c, &[]).document();
        let mut metadata = promoted(c)[0]["CustomerMetadataProperties"].clone();
        metadata["team"] = json!("ours");
        c.change(COPY, json!({"CustomerMetadataProperties": metadata}));
        c.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "risk"}}));
        full(c, &[])
    }),
    ("change-that-no-update-carries", 0, |c| {
        promote(c, &[]).document();
        c.change(SOURCE_VERSION, json!({"Domain": "COMPUTER_VISION"}));
        full(c, &[])
    }),
    ("update-that-aws-would-reject", 1, |c| {
        promote(c, &[]).document();
        let entries: Value = (0..50).map(|number| (format!("key-{number}"), json!("1"))).collect();
        c.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": entries}));
        full(c, &[])
    }),
    ("record-that-is-not-signed", 3, |c| {
        refuse_to_sign(c);
        full(c, &["--sign-key", SIGN_KEY])
    }),
    ("update-while-the-record-is-not-signed", 1, |c| {
        refuse_to_sign(c);
        assert_eq!(full(c, &["--sign-key", SIGN_KEY]).code, 3);
        c.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "risk"}}));
        full(c, &["--sign-key", SIGN_KEY])
    }),
    ("version-that-was-not-promoted", 1, |c| {
        let arn = c.register_in(TARGET_ACCOUNT, model("s3://serving/theirs.tar.gz"));
        run(c, Principal::Both, &["verify", "--model-package", &arn])
    }),
];

const OF_ROLLBACKS: [Message; 11] = [
    ("rollback-without-a-promoted-version", 1, |c| {
        c.create_group(TARGET_ACCOUNT, GROUP, json!({}));
        roll_back(c, &[])
    }),
    ("rollback-without-an-approved-version", 1, |c| {
        promote(c, &[]).document();
        c.change(COPY, json!({"ModelApprovalStatus": "Rejected"}));
        roll_back(c, &[])
    }),
    ("rollback-without-an-older-version", 1, |c| {
        promote(c, &[]).document();
        roll_back(c, &[])
    }),
    ("rollback-to-a-version-that-does-not-exist", 1, |c| {
        two_promoted(c);
        roll_back(c, &["--to", "7"])
    }),
    ("rollback-to-a-version-that-is-rejected", 1, |c| {
        two_promoted(c);
        c.change(COPY, json!({"ModelApprovalStatus": "Rejected"}));
        roll_back(c, &["--to", "1"])
    }),
    ("rollback-after-a-rejection", 1, |c| {
        two_promoted(c);
        c.change(&COPY.replace("/1", "/2"), json!({"ModelApprovalStatus": "Rejected"}));
        roll_back(c, &[])
    }),
    ("rollback-from-a-version-by-others", 1, |c| {
        two_promoted(c);
        c.register_in(TARGET_ACCOUNT, json!({"ModelPackageGroupName": GROUP, "ModelApprovalStatus": "Approved"}));
        roll_back(c, &[])
    }),
    ("rollback-with-a-hold-that-cannot-be-read", 1, |c| {
        two_promoted(c);
        c.put(SERVING, "churn-model/_hold-1-held/hold.json", "not JSON");
        roll_back(c, &[])
    }),
    ("rollback-to-a-version-that-is-rejected-meanwhile", 1, |c| {
        two_promoted(c);
        let rejects = |c: &Cloud| c.change(COPY, json!({"ModelApprovalStatus": "Rejected"}));
        c.hook(Moment::on("UpdateModelPackage", 1), rejects);
        roll_back(c, &[])
    }),
    ("rollback-of-a-group-that-is-released-meanwhile", 1, |c| {
        two_promoted(c);
        let releases = |c: &Cloud| drop(run(c, Principal::Both, &["release", "--target-group", GROUP]));
        c.hook(Moment::on("UpdateModelPackage", 1), releases);
        roll_back(c, &[])
    }),
    ("hold-without-a-reason", 2, |c| run(c, Principal::Both, &["hold", "--target-group", GROUP, "--reason", " "])),
];

#[test]
fn what_is_wrong_with_a_rollback_or_a_hold_is_said_word_for_word() {
    each_is_said(&OF_ROLLBACKS);
}

#[test]
fn what_is_wrong_with_a_session_is_said_word_for_word() {
    each_is_said(&OF_SESSIONS);
}

#[test]
fn what_is_wrong_with_a_group_is_said_word_for_word() {
    each_is_said(&OF_GROUPS);
}

#[test]
fn what_is_wrong_with_a_bucket_or_an_object_is_said_word_for_word() {
    each_is_said(&OF_BUCKETS);
}

#[test]
fn what_is_wrong_with_a_promoted_version_is_said_word_for_word() {
    each_is_said(&OF_PROMOTED_VERSIONS);
}

pub(super) fn each_is_said(messages: &[Message]) {
    for (name, code, says) in messages {
        let cloud = with_package();
        let run = says(&cloud);
        assert_eq!(run.code, *code, "{name}: {}{}", run.stdout, run.stderr);
        let wide = run.printed.lines().filter(|line| line.chars().count() > 100).find(|line| line.trim().contains(' '));
        assert_eq!(wide, None, "{name}: every line fits 100 columns, unless it is one word");
        // The warnings are the end of the document.
        let warnings = run.stdout.find("\nWarnings\n").map_or("", |at| &run.stdout[at + 1..]);
        // The group is created beside the copy, which may have begun or not.
        let is_beside = run.stderr.contains("sagemaker:CreateModelPackageGroup");
        let said = if is_beside { run.stderr.replace("; finished copies are skipped", "") } else { run.stderr };
        assert_snapshot(name, &normalised(&cloud, &format!("{warnings}{said}--- exit {code}\n")));
    }
}

pub(super) fn full(cloud: &Cloud, more: &[&str]) -> Run {
    run(cloud, Principal::Both, &[&FULL[..], more].concat())
}

fn roll_back(cloud: &Cloud, more: &[&str]) -> Run {
    let flags = ["rollback", "--target-group", GROUP, "--reason", "Latency alarm", "--settle-seconds", "0"];
    run(cloud, Principal::Both, &[&flags[..], more].concat())
}

fn two_promoted(cloud: &Cloud) {
    promote(cloud, &[]).document();
    cloud.register(model("s3://models/churn/model.tar.gz"));
    promote(cloud, &[]).document();
}

pub(super) fn of_pattern(cloud: &Cloud, more: &[&str]) -> Run {
    run(cloud, Principal::Both, &[&OF_PATTERN[..], more].concat())
}

/// `full` in another environment.
pub(super) fn with(cloud: &Cloud, change: impl FnOnce(&mut assert_cmd::Command) -> &mut assert_cmd::Command) -> Run {
    let mut command = cloud.promote(Principal::Both);
    change(command.args(["full", "--group", GROUP_ARN, "--target-bucket", SERVING]));
    Run::of(command.output().expect("the binary starts"))
}

/// `full` with this AWS configuration file, and with the credentials of the environment.
fn configured(cloud: &Cloud, config: &[u8], more: &[&str]) -> Run {
    let file = cloud.home().join("configuration");
    std::fs::write(&file, config).expect("a file");
    with(cloud, |command| command.args(more).env("AWS_CONFIG_FILE", file).env_remove("AWS_MAX_ATTEMPTS"))
}

/// `full` with a source profile of these lines.
fn of_profile(cloud: &Cloud, lines: &str) -> Run {
    configured(cloud, format!("[profile named]\n{lines}").as_bytes(), &["--source-profile", "named"])
}

pub(super) fn plan_file(cloud: &Cloud) -> String {
    cloud.home().join("plan.json").display().to_string()
}

/// Registers a version of another group that matches the pattern.
pub(super) fn second_group(cloud: &Cloud) {
    let mut version = model("s3://models/churn/model.tar.gz");
    version["ModelPackageGroupName"] = json!("Churn-Second");
    cloud.register(version);
}

pub(super) fn decide(cloud: &Cloud, status: &str) {
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": status}));
}

/// Promotes the version, and withdraws it.
pub(super) fn withdrawn(cloud: &Cloud) {
    promote(cloud, &[]).document();
    decide(cloud, "Rejected");
    promote(cloud, &[]).document();
}

fn refuse_to_sign(cloud: &Cloud) {
    let message = "the key is pending deletion";
    cloud.fail(Moment::every("Sign"), Failure::Status(400, "KMSInvalidStateException", message));
}

//! Messages that few runs have: warnings, waits, and refusals of what seldom happens. Each is provoked, and its snapshot is
//! the example of the troubleshooting page.

use std::path::Path;

use serde_json::{Value, json};

use super::messages::{Message, OF_PATTERN, decide, each_is_said, full, plan_file, second_group, with, withdrawn};
use super::{FULL, GROUP_ARN};
use crate::snapshot::{assert_snapshot, normalised};
use crate::stack::{stack, with as of_stack};
use crate::support::{Attributes, Body, Cloud, Failure, Moment, Principal, SOURCE_ACCOUNT, TARGET_ACCOUNT, TestImage};
use crate::world::*;

const COPY: &str = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/1";
const KEY: &str = "arn:aws:kms:eu-central-1:111222333444:key/66666666-7777-8888-9999-000000000000";
const LARGE: u64 = 6 << 30;

const OF_CALLS: [Message; 7] = [
    ("system-without-authorities", 1, |c| with(c, |command| command.env("SSL_CERT_FILE", "/no/such/file.pem"))),
    ("target-session-of-another-account", 1, |c| {
        full(c, &["--target-role-arn", "arn:aws:iam::111222333444:role/elsewhere"])
    }),
    ("object-that-may-not-be-read", 1, |c| {
        let shard = Moment::every("HeadObject").at("models/churn/llm/shard/1.bin");
        c.fail(shard, Failure::Status(403, "Forbidden", ""));
        c.default_checksums(false);
        c.encrypt_bucket(SERVING, KEY);
        full(c, &[])
    }),
    ("key-that-is-pending-deletion", 1, |c| {
        one_object(c);
        let pending =
            "arn:aws:kms:eu-central-1:111222333444:key/66666666-7777-8888-9999-000000000000 is pending deletion.";
        c.fail(Moment::every("CopyObject"), Failure::Status(400, "KMS.KMSInvalidStateException", pending));
        full(c, &["--kms-key-arn", KEY])
    }),
    ("quota-that-is-reached", 1, |c| {
        let reached = "The account-level service limit 'Model package groups' is 500 ModelPackageGroups.";
        c.fail(Moment::every("CreateModelPackageGroup"), Failure::Status(400, "ResourceLimitExceeded", reached));
        full(c, &[])
    }),
    ("target-groups-that-match-the-pattern", 1, |c| {
        second_group(c);
        let flags = ["--target-bucket", MODELS, "--target-group", "{group}-prod"];
        let mut prod = model("s3://models/churn/model.tar.gz");
        prod["ModelPackageGroupName"] = json!("Churn-Model-prod");
        c.register(prod);
        run(c, Principal::Source, &[&OF_PATTERN[..3], &flags].concat())
    }),
    ("page-that-was-not-replaced", 1, |c| {
        second_group(c);
        c.deny(Principal::Both, "sagemaker:ListModelPackages", &format!("{}/*", group_of_versions("Churn-Second")));
        run(c, Principal::Both, &["status", "--group", OF_PATTERN[2], "--page", "s3://serving/status.html"])
    }),
];

const OF_HOLDS: [Message; 2] = [
    ("hold-that-cannot-be-written-at-each-place", 1, |c| {
        full(c, &["--target-prefix", "other/"]);
        c.register(model("s3://models/churn/model.tar.gz"));
        full(c, &[]);
        c.deny(Principal::Both, "s3:PutObject", "serving/other/*");
        run(c, Principal::Both, &["hold", "--target-group", GROUP, "--reason", "Audit"])
    }),
    ("rollback-while-a-version-is-promoted-elsewhere", 1, |c| {
        full(c, &[]);
        c.register(model("s3://models/churn/model.tar.gz"));
        full(c, &[]);
        c.hook(Moment::on("UpdateModelPackage", 1), |c| {
            let text = promoted(c)[1].to_string().replace("s3://serving/", "s3://serving/other/");
            let version: Value = serde_json::from_str(&text).expect("JSON");
            let members = ["ModelPackageGroupName", "InferenceSpecification", "CustomerMetadataProperties"];
            let members = members.map(|member| (member.to_owned(), version[member].clone()));
            c.register_in(TARGET_ACCOUNT, Value::Object(members.into_iter().collect()));
        });
        let flags = ["--target-group", GROUP, "--reason", "Latency alarm", "--settle-seconds", "0"];
        run(c, Principal::Both, &[&["rollback"], &flags[..]].concat())
    }),
];

const OF_COPIES: [Message; 5] = [
    ("copy-that-is-archived", 1, |c| {
        let archived = Attributes::default().storage_class("GLACIER");
        c.put_with(SERVING, &format!("{FOLDER}models/churn/model.tar.gz"), "weights", archived);
        full(c, &[])
    }),
    ("copy-that-differs-from-its-source", 1, |c| {
        let copy = format!("{FOLDER}models/churn/model.tar.gz");
        c.hook(Moment::on("GetObject", 1).at(&copy.clone()), move |c| {
            c.locked(|world| {
                let objects = &mut world.buckets.get_mut(SERVING).expect("the bucket").objects;
                objects.get_mut(&copy).expect("the copy").body = "wEights".into();
            });
        });
        full(c, &["--verify", "deep", "--copy-mode", "server-side"])
    }),
    ("upload-that-could-not-be-aborted", 1, |c| {
        large_object(c);
        c.fail(Moment::every("UploadPartCopy"), Failure::Status(500, "InternalError", "We are sorry"));
        c.deny(Principal::Both, "s3:AbortMultipartUpload", "*");
        full(c, &["--concurrency", "1"])
    }),
    ("state-of-an-upload-that-could-not-be-deleted", 0, |c| {
        large_object(c);
        c.deny(Principal::Both, "s3:DeleteObject", "*");
        full(c, &[])
    }),
    ("upload-that-cannot-be-resumed", 0, |c| {
        large_object(c);
        c.deny(Principal::Both, "s3:PutObject", "serving/*/_unfinished/*");
        full(c, &[])
    }),
];

const OF_REGISTRATIONS: [Message; 7] = [
    ("claim-of-another-run", 1, |c| {
        c.fail(Moment::on("CreateModelPackage", 1), Failure::Hang);
        let creates = Arrival::of(c, Moment::on("CreateModelPackage", 1));
        let mut other = spawn(c, &[]);
        creates.wait();
        other.kill().and_then(|()| other.wait()).expect("it is killed");
        full(c, &["--wait-seconds", "1"])
    }),
    ("version-that-only-a-record-names", 1, |c| {
        let mut image_only = model("");
        let container = &mut image_only["InferenceSpecification"]["Containers"][0];
        container.as_object_mut().expect("a container").remove("ModelDataUrl");
        c.register(image_only);
        promote(c, &[]).document();
        c.change(COPY, json!({"CustomerMetadataProperties": {"team": "growth"}}));
        full(c, &[])
    }),
    ("version-that-was-registered-twice", 0, |c| {
        promote(c, &[]).document();
        c.remove(SERVING, &format!("{FOLDER}promotion.json"));
        let mut again = create_request(c);
        again.as_object_mut().expect("a request").shift_remove("ClientToken");
        c.register_in(TARGET_ACCOUNT, again);
        full(c, &[])
    }),
    ("version-that-was-promoted-with-other-settings", 0, |c| {
        promote(c, &["--target-prefix", "first"]).document();
        full(c, &["--target-prefix", "second"])
    }),
    ("image-of-an-older-version-that-is-missing", 1, |c| {
        withdrawn(c);
        c.push(SOURCE_ACCOUNT, "second", "1", &TestImage::small("second"));
        let mut second = model("s3://models/churn/model.tar.gz");
        let image = "444333666777.dkr.ecr.eu-central-1.amazonaws.com/second:1";
        second["InferenceSpecification"]["Containers"][0]["Image"] = json!(image);
        c.register(second);
        promote(c, &[]).document();
        c.remove_image(TARGET_ACCOUNT, "serve", &TestImage::small("serve").digest());
        decide(c, "Approved");
        full(c, &[])
    }),
    ("plan-that-the-document-would-replace", 2, |c| {
        let plan = plan_file(c);
        assert_eq!(full(c, &["--dry-run", "--record", &plan]).code, 0);
        full(c, &["--plan", &plan, "--record", &plan])
    }),
    ("text-of-the-previous-step", 1, |c| {
        let text = run(c, Principal::Both, &["find-latest", "--group", GROUP_ARN]).stdout;
        let mut command = c.promote(Principal::Both);
        command.args(["register", "--from", "-", FULL[3], FULL[4]]).write_stdin(text);
        Run::of(command.output().expect("the binary starts"))
    }),
];

#[test]
fn what_is_wrong_with_a_call_or_an_endpoint_is_said_word_for_word() {
    each_is_said(&OF_CALLS);
}

#[test]
fn what_is_wrong_with_a_hold_at_several_places_is_said_word_for_word() {
    each_is_said(&OF_HOLDS);
}

#[test]
fn what_is_wrong_with_a_copy_is_said_word_for_word() {
    each_is_said(&OF_COPIES);
}

#[test]
fn what_is_wrong_with_a_registration_is_said_word_for_word() {
    each_is_said(&OF_REGISTRATIONS);
}

#[test]
fn scripts_for_other_groups_are_not_replaced_and_a_step_that_fails_is_named() {
    let cloud = Cloud::start();
    let folder = cloud.home().join("grants");
    let write = |name: &str| {
        let place = ["--stack-name", name, "--output-dir", folder.to_str().expect("a path")];
        stack(&of_stack("source-grants", &place), &[])
    };
    assert_eq!(write("promote-churn").code, 0);
    let other = write("promote-fraud");
    assert_eq!(other.code, 2, "{}", other.stderr);
    assert_snapshot("grants-for-other-groups", &normalised(&cloud, &other.stderr));
    assert_snapshot("grants-that-are-not-done", &failed_script(&cloud, &folder));
}

/// What the script of the source account says at its end if the AWS CLI may do nothing.
fn failed_script(cloud: &Cloud, folder: &Path) -> String {
    use std::os::unix::fs::PermissionsExt;
    let aws = cloud.home().join("aws");
    let text = "#!/bin/sh\n[ \"$1 $2\" = 'sts get-caller-identity' ] && echo 444333666777 && exit\n\
                echo 'AccessDenied: no' >&2\nexit 254\n";
    std::fs::write(&aws, text).expect("a file");
    std::fs::set_permissions(&aws, std::fs::Permissions::from_mode(0o755)).expect("it is ours");
    let scripts = std::fs::read_dir(folder).expect("a folder").map(|entry| entry.expect("an entry").path());
    let script = scripts.filter(|path| path.extension().is_some_and(|end| end == "sh"));
    let script = script.min_by_key(|path| !path.to_string_lossy().contains("444333666777")).expect("a script");
    let path = format!("{}:{}", cloud.home().display(), std::env::var("PATH").unwrap_or_default());
    let ended = std::process::Command::new("bash").arg(script).env("PATH", path).output().expect("bash starts");
    assert_eq!(ended.status.code(), Some(1));
    let said = String::from_utf8(ended.stderr).expect("UTF-8");
    said.lines()
        .filter(|line| line.starts_with("error: ") || line.starts_with("hint: "))
        .map(|l| format!("{l}\n"))
        .collect()
}

fn one_object(cloud: &Cloud) {
    cloud.register(model("s3://models/churn/model.tar.gz"));
}

fn large_object(cloud: &Cloud) {
    cloud.put_with(MODELS, "churn/model.tar.gz", Body::synthetic(LARGE, 1), Attributes::default());
}

fn group_of_versions(name: &str) -> String {
    Cloud::group_arn(name).replace("-group/", "/")
}

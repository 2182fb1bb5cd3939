//! The mistakes that a new user makes, and what each is told: `docs/reference/mistakes.md`.

use std::process::{Command, Stdio};

use serde_json::json;

use crate::snapshot::{assert_file, normalised};
use crate::support::{Cloud, Failure, Moment, Principal, SOURCE_ACCOUNT, TARGET_ACCOUNT};
use crate::world::*;

const GROUP_ARN: &str = "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/Churn-Model";
const ELSEWHERE: &str = "arn:aws:sagemaker:eu-west-1:444333666777:model-package-group/Churn-Model";
const FULL: [&str; 5] = ["full", "--group", GROUP_ARN, "--target-bucket", SERVING];
const KEY: &str = "66666666-7777-8888-9999-000000000000";

/// A mistake: its name, the code that the run ends with, and the run.
type Mistake = (&'static str, i32, fn(&Cloud) -> Run);

const MISTAKES: [Mistake; 33] = [
    ("the region of the source is wrong", 1, |c| {
        run(c, Principal::Both, &["full", "--group", ELSEWHERE, "--target-bucket", SERVING])
    }),
    ("the region of the target is wrong", 1, |c| full(c, &["--target-region", "eu-west-1"])),
    ("the region of the target has a typing error", 1, |c| {
        // A region that does not exist has no endpoints. Nothing listens at this port.
        with(c, |command| {
            let endpoint = ("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1");
            command.args(["--target-region", "eu-wst-1"]).env(endpoint.0, endpoint.1).env("AWS_MAX_ATTEMPTS", "1")
        })
    }),
    ("the target bucket is one of the source account", 1, |c| {
        let (source, target) = (["--source-profile", "source"], ["--target-profile", "target"]);
        let arguments = [&["full", "--group", GROUP_ARN, "--target-bucket", MODELS][..], &source, &target].concat();
        run(c, Principal::Both, &arguments)
    }),
    ("the group has a typing error", 1, |c| {
        run(c, Principal::Both, &["full", "--group", &GROUP_ARN.replace("Churn", "Chrun"), "--target-bucket", SERVING])
    }),
    ("there are no credentials", 1, |c| {
        with(c, |command| command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY"))
    }),
    ("the credentials have expired", 1, |c| {
        c.fail(Moment::every("GetCallerIdentity"), Failure::Status(403, "ExpiredToken", "The token is expired"));
        full(c, &["--source-profile", "source"])
    }),
    ("the profile does not exist", 1, |c| full(c, &["--target-profile", "nope"])),
    ("no permission to list the source bucket", 1, |c| {
        c.deny(Principal::Both, "s3:ListBucket", MODELS);
        full(c, &[])
    }),
    ("no permission to read the objects of the source", 1, |c| {
        c.deny(Principal::Both, "s3:GetObject", "models/churn/model.tar.gz");
        full(c, &[])
    }),
    ("no permission to read the objects below a prefix of the source", 1, |c| {
        c.deny(Principal::Both, "s3:GetObject", "models/churn/llm/*");
        // The objects are copied one after the other, the largest first.
        full(c, &["--concurrency", "1"])
    }),
    ("the target bucket does not exist", 1, |c| {
        run(c, Principal::Both, &["full", "--group", GROUP_ARN, "--target-bucket", "servnig"])
    }),
    ("the key is of another region", 1, |c| {
        full(c, &["--kms-key-arn", &format!("arn:aws:kms:us-west-2:111222333444:key/{KEY}")])
    }),
    ("the key is given by its alias", 2, |c| {
        full(c, &["--kms-key-arn", "arn:aws:kms:eu-central-1:111222333444:alias/serving"])
    }),
    ("the key is one of the source account", 1, |c| {
        full(c, &["--kms-key-arn", "arn:aws:kms:eu-central-1:444333666777:key/66666666-7777-8888-9999-000000000000"])
    }),
    ("the signing key is of another region", 1, |c| {
        full(c, &["--sign-key", &format!("arn:aws:kms:us-west-2:111222333444:key/{KEY}")])
    }),
    ("the version of `--package-version` is pending", 0, |c| numbered(c, "PendingManualApproval")),
    ("the version of `--package-version` is rejected", 0, |c| numbered(c, "Rejected")),
    ("SageMaker is still creating the version", 1, |c| {
        c.change(SOURCE_VERSION, json!({"ModelPackageStatus": "InProgress"}));
        full(c, &["--wait-seconds", "1"])
    }),
    ("no version is approved", 0, |c| {
        c.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
        full(c, &[])
    }),
    ("no version is approved, and the script needs one", 4, |c| {
        c.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
        full(c, &["--fail-if-nothing-approved"])
    }),
    ("the target group is somebody else's", 1, |c| {
        c.register_in(TARGET_ACCOUNT, model("s3://serving/theirs.tar.gz"));
        full(c, &[])
    }),
    ("the file of the record cannot be written", 1, |c| full(c, &["--record", "/no/such/folder/record.json"])),
    ("the disk is full after the promotion", 1, |c| full(c, &["--record", "/dev/full"])),
    ("the version has changed since the step before", 1, |c| {
        let found = run(c, Principal::Both, &["find-latest", "--group", GROUP_ARN, "--output", "json"]).stdout;
        c.change(SOURCE_VERSION, json!({"ModelPackageDescription": "Edited"}));
        piped(c, &found)
    }),
    ("the step before has failed", 1, |c| piped(c, "")),
    ("Ctrl-C during the copy", 130, |c| interrupted(c, "CopyObject", &["--images", "keep"])),
    ("Ctrl-C during the registration", 130, |c| interrupted(c, "CreateModelPackage", &[])),
    ("the profiles are swapped, with an ARN", 1, |c| {
        full(c, &["--source-profile", "target", "--target-profile", "source"])
    }),
    ("the profiles are swapped, with a name", 1, |c| {
        promote(c, &[]).document();
        let both = ["--source-profile", "target", "--source-region", "eu-central-1", "--target-profile", "source"];
        run(c, Principal::Both, &[&["full", "--group", GROUP, "--target-bucket", MODELS][..], &both].concat())
    }),
    ("there is no network", 1, |c| {
        // Nothing listens at this port.
        with(c, |command| command.env("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1").env("AWS_MAX_ATTEMPTS", "1"))
    }),
    ("AWS throttles the requests", 1, |c| {
        c.fail(Moment::every("ListModelPackages"), Failure::Status(400, "ThrottlingException", "Rate exceeded"));
        with(c, |command| command.env("AWS_MAX_ATTEMPTS", "1"))
    }),
    ("no permission to read the tags of the source group", 0, |c| {
        c.deny(Principal::Both, "sagemaker:ListTags", &GROUP_ARN.replace("Churn-Model", "*"));
        full(c, &[])
    }),
];

const PAGE: &str = "# Frequent mistakes

What `promote` prints after common mistakes: the cause, the message, and after `hint:` the remedy. A test makes each
mistake and writes this page: `UPDATE_SNAPSHOTS=1 cargo test --test promote mistakes`. Other messages are in
[Troubleshooting](troubleshooting.md).
";

#[test]
fn each_mistake_of_a_new_user_is_answered_with_what_where_why_and_what_to_do() {
    let mut page = PAGE.to_owned();
    for (name, code, mistake) in MISTAKES {
        let cloud = with_package();
        cloud.create_group(SOURCE_ACCOUNT, "Unused", json!({}));
        let run = mistake(&cloud);
        assert_eq!(run.code, code, "{name}: {}{}", run.stdout, run.stderr);
        let headline = run.stdout.lines().next().filter(|_| code == 0 || code == 4).map(|line| format!("{line}\n"));
        let said = format!("{}{}", headline.unwrap_or_default(), run.stderr);
        let said = normalised(&cloud, &said);
        let (first, rest) = name.split_at(1);
        page.push_str(&format!("\n## {}{rest}\n\nExit code {code}.\n\n```text\n{said}```\n", first.to_uppercase()));
        let wide = run.printed.lines().filter(|line| line.chars().count() > 100).find(|line| line.trim().contains(' '));
        assert_eq!(wide, None, "{name}: every line fits 100 columns, unless it is one word");
        for error in run.stderr.lines().filter(|line| !line.starts_with("hint: ")) {
            assert_eq!(named_twice(error), Vec::<String>::new(), "{name}: {error}");
        }
        if code == 1 || code == 2 {
            assert!(run.stderr.starts_with("error: ") || run.stderr.contains("\nerror: "), "{name}: {}", run.stderr);
        }
        if code == 1 || name.contains("--package-version") {
            assert!(run.stderr.contains("\nhint: "), "{name} has no next step: {}", run.stderr);
        }
    }
    assert_file("docs/reference/mistakes.md", &page);
}

/// What is named more than once in the line of an error: ARNs and S3 URLs. The ARN of an object is its URL.
fn named_twice(error: &str) -> Vec<String> {
    let bare = |word: &str| word.trim_matches(['"', '\'', ',', ';', '(', ')', ':', '.']).to_owned();
    let names = error.split_whitespace().map(bare).filter(|word| word.starts_with("arn:") || word.starts_with("s3://"));
    let mut names: Vec<String> = names.map(|name| name.replace("arn:aws:s3:::", "s3://")).collect();
    names.sort();
    names.chunk_by(|one, next| one == next).filter(|same| same.len() > 1).map(|same| same[0].clone()).collect()
}

fn full(cloud: &Cloud, more: &[&str]) -> Run {
    run(cloud, Principal::Both, &[&FULL[..], more].concat())
}

/// `full` with another environment.
fn with(cloud: &Cloud, change: impl FnOnce(&mut assert_cmd::Command) -> &mut assert_cmd::Command) -> Run {
    let mut command = cloud.promote(Principal::Both);
    change(command.args(FULL));
    Run::of(command.output().expect("the binary starts"))
}

/// `full` that is interrupted while this call is not answered.
fn interrupted(cloud: &Cloud, operation: &str, more: &[&str]) -> Run {
    cloud.fail(Moment::every(operation), Failure::Hang);
    let called = Arrival::of(cloud, Moment::on(operation, 1));
    let mut command = cloud.process(Principal::Both);
    let command = command.args(FULL).args(more).stdout(Stdio::piped()).stderr(Stdio::piped());
    let child = command.spawn().expect("it starts");
    called.wait();
    let sent = Command::new("kill").args(["-INT", &child.id().to_string()]).status();
    assert!(sent.expect("kill").success());
    ended(child)
}

fn piped(cloud: &Cloud, text: &str) -> Run {
    let mut command = cloud.promote(Principal::Both);
    command.args(["copy-artifacts", "--from", "-", "--target-bucket", SERVING]).write_stdin(text);
    Run::of(command.output().expect("the binary starts"))
}

/// A version of this approval status that is promoted by its number.
fn numbered(cloud: &Cloud, approval: &str) -> Run {
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": approval}));
    full(cloud, &["--package-version", "1"])
}

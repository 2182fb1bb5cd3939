//! How it is called: wrong arguments exit 2 before any call is made.

use super::*;

/// Each wrong on its own, behind a `full` that is right.
const WRONG_FLAGS: [&str; 17] = [
    "--no-such-flag",
    "--package-version 0",
    "--package-version latest",
    "--target-group not/a/name",
    "--target-prefix ../up",
    "--kms-key-arn alias/mine",
    "--approval approved",
    "--source-role-arn reader",
    "--source-external-id id",
    "--target-external-id id",
    "--target-session-name name",
    "--target-region nowhere!",
    "--copy-mode fast",
    "--output yaml",
    "--wait-seconds 0",
    "--group-tag keyonly",
    "--dry-run yes",
];

#[test]
fn wrong_arguments_exit_2_and_name_the_flag() {
    let cloud = with_package();
    let mut text = String::new();
    for more in wrong() {
        let arguments: Vec<&str> = more.split(' ').collect();
        let run = run(&cloud, Principal::Both, &arguments);
        assert_eq!((run.code, run.stdout.as_str()), (2, ""), "{more}: {}", run.stderr);
        text.push_str(&shown(&cloud, &arguments, &run));
        text.push('\n');
    }
    assert!(cloud.calls().is_empty(), "nothing is called");
    assert_snapshot("wrong-arguments", &text);
}

fn wrong() -> Vec<String> {
    let full = FULL.join(" ");
    let mut wrong: Vec<String> = [
        "promote-everything",
        "full",
        "full --group Churn-Model",
        "full --target-bucket serving",
        "full --group arn:aws:s3:::models --target-bucket serving",
        "full --group not/a/name --target-bucket serving",
        "full --group Churn-Model --target-bucket Not_A_Bucket",
        "full --group Churn-Model --target-bucket s3://serving",
        "find-latest",
        "find-latest --group Churn-Model --target-bucket serving",
        "copy-artifacts --target-bucket serving",
        "copy-artifacts --model-package churn-model/1 --target-bucket serving",
        "copy-artifacts --from a.json",
        "register --from a.json --model-package arn:aws:sagemaker:eu-central-1:444333666777:model-package/churn-model/1",
    ]
    .map(str::to_owned)
    .to_vec();
    wrong.extend(WRONG_FLAGS.iter().map(|flag| format!("{full} {flag}")));
    wrong
}

/// Arguments that are right each on its own, and wrong together.
const WRONG_TOGETHER: [&str; 13] = [
    "full --group team-* --target-bucket serving --package-version 1",
    "full --group team-a --target-bucket serving --source-tag stage=prod",
    "find-latest --group team-* --package-version 1",
    "find-latest --group team-a --source-tag stage=prod",
    "doctor --group team-* --target-bucket serving --package-version 1",
    "doctor --group team-a --target-bucket serving --source-tag stage=prod",
    "withdraw --group team-a --target-bucket serving --source-tag stage=prod",
    "status --group team-a --source-tag stage=prod",
    "status --target-group prod-{group}",
    "verify --group team-a --source-tag stage=prod",
    "register --model-package arn:aws:sagemaker:eu-central-1:444333666777:model-package/churn-model/1",
    "rollback --target-group churn --reason=",
    "hold --target-group churn --reason=",
];

/// Verbs whose target group has too long a name for its source group, which `LONG` stands for.
const TOO_LONG: [&str; 6] = [
    "full --group LONG --target-bucket serving",
    "doctor --group LONG --target-bucket serving",
    "withdraw --group LONG --target-bucket serving",
    "status --group LONG",
    "verify --group LONG",
    "copy-artifacts --model-package arn:aws:sagemaker:eu-central-1:444333666777:model-package/LONG/1 --target-bucket serving",
];

#[test]
fn arguments_that_are_wrong_together_exit_2_before_any_call() {
    let cloud = with_package();
    let long = "team-with-a-name-that-has-exactly-as-many-characters-as-allowed";
    let too_long = TOO_LONG.iter().map(|verb| format!("{} --target-group prod-{{group}}", verb.replace("LONG", long)));
    let mut text = String::new();
    for arguments in WRONG_TOGETHER.map(str::to_owned).into_iter().chain(too_long) {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let run = run(&cloud, Principal::Both, &arguments);
        assert_eq!(run.code, 2, "{arguments:?}: {}", run.stderr);
        assert!(run.stderr.contains("\nhint: "), "{arguments:?}: {}", run.stderr);
        text.push_str(&shown(&cloud, &arguments, &run));
        text.push('\n');
    }
    assert!(cloud.calls().is_empty(), "nothing is called");
    assert_snapshot("arguments-wrong-together", &text);
}

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

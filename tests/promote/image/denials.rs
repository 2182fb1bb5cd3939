//! A denied call names the side, the action, the repository, the policy to add, and the flag.

use super::*;
use crate::support::{Failure, Moment};

const SOURCE: &str = "arn:aws:ecr:eu-central-1:444333666777:repository/serve";
const TARGET: &str = "arn:aws:ecr:eu-central-1:111222333444:repository/serve";

#[test]
fn a_denied_call_at_the_source_names_the_action_the_repository_and_the_policy() {
    for action in ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"] {
        let cloud = with_image(&TestImage::small("a"));
        cloud.deny(Principal::Both, action, SOURCE);
        let run = copy(&cloud, &[]);
        let says = ["source", action, "serve", "repository policy", "`--images keep`"];
        run.fails(run.code, &says);
        assert_ne!(run.code, 0);
        assert!(promoted(&cloud).is_empty() && cloud.calls_of("PutImage").is_empty());
    }
}

#[test]
fn a_denied_call_at_the_target_names_the_action_and_the_repository() {
    for action in [
        "ecr:BatchGetImage",
        "ecr:CreateRepository",
        "ecr:InitiateLayerUpload",
        "ecr:UploadLayerPart",
        "ecr:CompleteLayerUpload",
        "ecr:PutImage",
    ] {
        let cloud = with_image(&TestImage::small("a"));
        cloud.deny(Principal::Both, action, TARGET);
        let run = copy(&cloud, &[]);
        run.fails(run.code, &["target", action, "serve", "`--images keep`"]);
        assert_ne!(run.code, 0, "{action}");
        assert!(promoted(&cloud).is_empty(), "{action}");
    }
}

#[test]
fn a_denied_check_of_layers_at_the_target_is_told() {
    let cloud = with_image(&TestImage::small("a"));
    cloud.create_repository(TARGET_ACCOUNT, "serve");
    cloud.deny(Principal::Both, "ecr:BatchCheckLayerAvailability", TARGET);
    let run = copy(&cloud, &[]);
    run.fails(run.code, &["target", "ecr:BatchCheckLayerAvailability", "serve"]);
    assert_ne!(run.code, 0);
}

#[test]
fn an_image_of_a_third_account_needs_its_policy() {
    let image = TestImage::small("a");
    let cloud = with_image(&image);
    cloud.push("555666777888", "theirs", "1", &image);
    cloud.register(of_images(&["555666777888.dkr.ecr.eu-central-1.amazonaws.com/theirs:1"]));
    let run = copy(&cloud, &[]);
    run.fails(run.code, &["ecr:BatchGetImage", "555666777888", "theirs", "`--images keep`"]);
    assert_ne!(run.code, 0);
    cloud.change_repository("555666777888", "theirs", |found| found.shared = true);
    copy(&cloud, &[]).document();
    is_there(&cloud, "theirs", &image);
}

#[test]
fn a_used_up_quota_and_an_unusable_key_are_told_at_once() {
    let calls = [
        ("CreateRepository", "LimitExceededException", "Service Quotas"),
        ("PutImage", "LimitExceededException", "Service Quotas"),
        ("PutImage", "KmsException", "KMS key of the repository"),
    ];
    for (operation, code, says) in calls {
        let cloud = with_image(&TestImage::small("a"));
        cloud.fail(Moment::every(operation), Failure::Status(400, code, "exceeded"));
        let arguments = [&full()[..], &["--images".into(), "copy".into()]].concat();
        let mut command = cloud.promote(Principal::Both);
        let run = Run::of(command.env("AWS_MAX_ATTEMPTS", "2").args(arguments).output().expect("the binary starts"));
        run.fails(1, &["target", &format!("ecr:{operation}"), code, says]);
        assert_eq!(cloud.calls_of(operation).len(), 1, "{operation}: waiting does not help");
        assert!(promoted(&cloud).is_empty(), "{operation}");
    }
}

//! Container images.

use super::*;
use crate::support::TestImage;

#[test]
fn a_repository_of_the_other_account_gets_a_policy_with_what_it_has_now() {
    let cloud = encrypted();
    let repository = "arn:aws:ecr:eu-central-1:444333666777:repository/serve";
    let theirs = json!({ "Sid": "Theirs", "Effect": "Deny", "Principal": "*", "Action": "ecr:DeleteRepository" });
    let present = json!({ "Version": "2008-10-17", "Statement": [theirs] });
    cloud.change_repository(SOURCE_ACCOUNT, "serve", |found| found.policy = Some(present));
    cloud.allow(Principal::Both, "ecr:GetRepositoryPolicy", repository);
    cloud.deny(Principal::Both, "ecr:GetDownloadUrlForLayer", repository);
    let document = document(&doctor(&cloud, &[]));
    let policy = &document["policies"][0];
    assert_eq!(policy["of"]["repository"], repository, "{document:#}");
    assert_eq!((&policy["account"], &policy["merged"]), (&json!(SOURCE_ACCOUNT), &json!(true)));
    assert_eq!(policy["policy"]["Statement"][0]["Sid"], "Theirs");
    let added = &policy["policy"]["Statement"][1];
    assert_eq!(added["Action"], json!(["ecr:GetDownloadUrlForLayer"]));
    assert!(added.get("Resource").is_none(), "the policy of a repository has no resource: {added}");
    let command = policy["command"].as_str().unwrap_or_default();
    let expected =
        "aws ecr set-repository-policy --region eu-central-1 --registry-id 444333666777 --repository-name serve";
    assert!(command.starts_with(expected), "{command}");
}

#[test]
fn images_that_are_kept_are_not_asked_for() {
    let cloud = encrypted();
    let group = Cloud::group_arn(GROUP);
    let flags = ["doctor", "--group", &group, "--target-bucket", SERVING, "--images", "keep", "--output", "json"];
    let document = run(&cloud, Principal::Both, &flags).document();
    let checks = document["checks"].as_array().cloned().unwrap_or_default();
    let is_of_images = |check: &&Value| check["action"].as_str().is_some_and(|action| action.starts_with("ecr"));
    assert_eq!(checks.iter().find(is_of_images), None);
}

#[test]
fn a_repository_that_may_not_be_created_and_an_image_that_is_gone_are_missing() {
    let cloud = encrypted();
    let digest = cloud.repository(SOURCE_ACCOUNT, "llm").and_then(|found| found.images.keys().next().cloned());
    cloud.remove_image(SOURCE_ACCOUNT, "llm", &digest.expect("an image"));
    let run = doctor(&cloud, &["--no-create-repository"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let document = document(&run);
    let checks = document["checks"].as_array().cloned().unwrap_or_default();
    let missing = checks.iter().filter(|check| check["result"] == "missing");
    let missing: Vec<&str> = missing.filter_map(|check| check["resource"].as_str()).collect();
    let repository = |name: &str| format!("arn:aws:ecr:eu-central-1:111222333444:repository/{name}");
    let image = "444333666777.dkr.ecr.eu-central-1.amazonaws.com/llm:1";
    assert_eq!(missing, [image, &repository("llm"), &repository("serve")]);
}

#[test]
fn images_that_cannot_be_promoted_and_a_package_that_cannot_are_both_named() {
    let cloud = encrypted();
    cloud.change(SOURCE_VERSION, json!({"ModelPackageDescription": "d".repeat(1025)}));
    let run = doctor(&cloud, &["--image-repository-prefix", &format!("{}/", "p".repeat(180))]);
    let reason = |action: &str| {
        let check = checks(&run).into_iter().find(|check| check["action"] == action).unwrap_or_default();
        assert_eq!((&check["result"], &check["resource"]), (&json!("missing"), &json!(SOURCE_VERSION)), "{check:#}");
        check["reason"].as_str().unwrap_or_default().to_owned()
    };
    assert!(reason("package").contains("at most 1024 are allowed"), "{}", reason("package"));
    let images = reason("images");
    assert!(images.contains("SageMaker accepts 255") && images.contains("Choose a shorter"), "{images}");
}

/// A version whose image is in the target's own registry.
fn own() -> (Cloud, String) {
    let cloud = encrypted();
    let image = TestImage::small("own");
    cloud.push(TARGET_ACCOUNT, "own", "1", &image);
    let mut package = model("s3://models/churn/model.tar.gz");
    package["InferenceSpecification"]["Containers"][0]["Image"] = json!(OWN);
    cloud.register(package);
    (cloud, image.digest())
}

const OWN: &str = "111222333444.dkr.ecr.eu-central-1.amazonaws.com/own:1";

/// The check of the own image.
fn check_of_own(cloud: &Cloud) -> (i32, Value) {
    let run = doctor(cloud, &[]);
    let check = checks(&run).into_iter().find(|check| check["resource"] == OWN);
    (run.code, check.unwrap_or_else(|| panic!("no check of {OWN}: {:#}", document(&run))))
}

#[test]
fn an_image_of_the_targets_own_registry_is_looked_up() {
    let (cloud, digest) = own();
    let (code, check) = check_of_own(&cloud);
    assert_eq!((code, &check["result"], &check["side"]), (0, &json!("ok"), &json!("target")));
    cloud.remove_image(TARGET_ACCOUNT, "own", &digest);
    let (code, check) = check_of_own(&cloud);
    assert_eq!((code, &check["result"], check.get("optional")), (1, &json!("missing"), None));
    assert!(check["reason"].as_str().is_some_and(|reason| reason.contains("no image with the tag '1'")), "{check:#}");
    promote(&cloud, &[]).fails(1, &["no image with the tag '1'"]);
}

#[test]
fn the_permission_to_look_up_an_image_of_the_targets_own_registry_is_optional() {
    let (cloud, _) = own();
    cloud.deny(Principal::Both, "ecr:BatchGetImage", "arn:aws:ecr:eu-central-1:111222333444:repository/own");
    let (code, check) = check_of_own(&cloud);
    assert_eq!((code, &check["result"], &check["optional"]), (0, &json!("denied"), &json!(true)));
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "promoted");
}

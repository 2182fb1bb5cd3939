//! Each permission that a promotion needs.

use super::*;

#[test]
fn a_promotion_that_has_everything_is_ok_and_nothing_is_written() {
    let cloud = encrypted();
    doctor(&cloud, &[]);
    assert_nothing_was_written(&cloud);
    for repository in ["serve", "llm"] {
        cloud.create_repository(TARGET_ACCOUNT, repository);
    }
    let document = doctor(&cloud, &[]).document();
    assert_eq!(document["result"], "ok", "{document:#}");
    assert_eq!(document["policies"], json!([]));
    promote(&cloud, &PROMOTES).document();
}

#[test]
fn a_repository_that_would_be_created_is_not_testable_and_no_request_asks_to_create_it() {
    let cloud = encrypted();
    cloud.deny(Principal::Both, NOT_TESTABLE, "arn:aws:ecr:eu-central-1:111222333444:*");
    let run = doctor(&cloud, &[]);
    assert_eq!(run.code, 3, "{}{}", run.stdout, run.stderr);
    assert_eq!(cloud.calls_of("CreateRepository").len(), 0);
    let document = document(&run);
    let checks = document["checks"].as_array().cloned().unwrap_or_default();
    let untested: Vec<&Value> = checks.iter().filter(|check| check["result"] != "ok").collect();
    assert_eq!(untested.len(), 2, "{untested:#?}");
    for check in untested {
        assert_eq!((&check["action"], &check["result"]), (&json!(NOT_TESTABLE), &json!("not-testable")));
        let reason = check["reason"].as_str().unwrap_or_default();
        assert!(reason.contains("does not exist, and only creating it tests the permission"), "{reason}");
    }
}

/// The flags of a promotion with everything that is asked for.
const PROMOTES: [&str; 4] = ["--sign-key", SIGN_KEY, "--images", "copy"];

#[test]
fn a_promotion_does_without_exactly_the_permissions_that_are_optional() {
    for (action, resource) in permissions() {
        let cloud = encrypted();
        cloud.deny(Principal::Both, action, resource);
        cloud.create_repository(TARGET_ACCOUNT, "serve");
        promote(&cloud, &PROMOTES);
        // The next run reads what the first one has written.
        let run = promote(&cloud, &PROMOTES);
        let is_promoted = run.code == 0 && promoted(&cloud).iter().any(|one| one["ModelApprovalStatus"] == "Approved");
        assert_eq!(is_promoted, is_optional(action, resource), "{action} on {resource}: {}{}", run.stdout, run.stderr);
    }
}

#[test]
fn everything_that_is_missing_is_named_in_one_run_and_the_policies_mend_it() {
    let mut random = fastrand::Rng::with_seed(7);
    for _ in 0..12 {
        let cloud = encrypted();
        let mut all: Vec<(&str, &str)> = permissions();
        random.shuffle(&mut all);
        let is_testable = |one: &(&str, &str)| one.0 != NOT_TESTABLE;
        let eight: Vec<(&str, &str)> = all.into_iter().filter(is_testable).take(8).collect();
        let expected: BTreeSet<(String, String)> = eight
            .iter()
            .filter(|(action, resource)| !is_hidden(action, resource, &eight))
            .map(|(action, resource)| ((*action).to_owned(), side(resource).to_owned()))
            .collect();
        for (action, resource) in &eight {
            cloud.deny(Principal::Both, action, resource);
        }
        let mut run = doctor(&cloud, &[]);
        assert_eq!(denied(&run), expected, "{eight:?}: {:#}", document(&run));
        assert_nothing_was_written(&cloud);
        // What is hidden is said to be, and shows when the rest is mended.
        let is_key = |action: &str| action.starts_with("kms:");
        let hidden = eight.iter().filter(|(action, resource)| is_hidden(action, resource, &eight) && !is_key(action));
        for (action, resource) in hidden {
            let is_told = |check: &Value| check["result"] == "not-testable" && is_about(check, action, side(resource));
            let told = checks(&run).iter().any(is_told);
            assert!(told, "{action} of the {}: {:#}", side(resource), document(&run));
        }
        for _ in 0..5 {
            document(&run)["policies"].as_array().into_iter().flatten().for_each(|policy| cloud.apply(policy));
            run = doctor(&cloud, &[]);
        }
        assert_eq!(denied(&run), BTreeSet::new(), "{eight:?}: {:#}", document(&run));
        promote(&cloud, &PROMOTES).document();
    }
}

/// Whether a permission cannot be asked for without another one that is denied as well.
fn is_hidden(action: &str, resource: &str, denied: &[(&str, &str)]) -> bool {
    let lacks = |action: &str, on: &str| denied.iter().any(|(other, at)| *other == action && side(at) == on);
    let (is_of_source, is_of_images) = (side(resource) == "source", action.starts_with("ecr:"));
    let version_is_unknown = lacks("sagemaker:ListModelPackages", "source");
    let content_is_unknown = version_is_unknown || lacks("sagemaker:DescribeModelPackage", "source");
    let lacks_image = |side: &str| lacks("ecr:BatchGetImage", side);
    match action {
        "sagemaker:DescribeModelPackage" if is_of_source => version_is_unknown,
        "s3:GetObject" | "s3:ListBucket" if is_of_source => content_is_unknown,
        "kms:Decrypt" if is_of_source => content_is_unknown || lacks("s3:GetObject", "source"),
        _ if is_of_images && content_is_unknown => true,
        "ecr:GetDownloadUrlForLayer" => lacks_image("source"),
        "ecr:DescribeRepositories" => lacks_image("target"),
        "kms:Decrypt" => {
            lacks("kms:GenerateDataKey", "target")
                || lacks("s3:PutObject", "target")
                || lacks("s3:AbortMultipartUpload", "target")
        }
        "kms:GenerateDataKey" => lacks("s3:PutObject", "target"),
        "sagemaker:AddTags" => {
            lacks("sagemaker:DescribeModelPackageGroup", "target")
                || lacks("sagemaker:CreateModelPackageGroup", "target")
        }
        "sagemaker:CreateModelPackageGroup" | "sagemaker:ListTags" => {
            lacks("sagemaker:DescribeModelPackageGroup", "target")
        }
        _ => false,
    }
}

/// Whether a check is about a permission, or about all of which it is one.
fn is_about(check: &Value, action: &str, side: &str) -> bool {
    let text = |member: &str| check[member].as_str().unwrap_or_default().to_owned();
    let (of, resource) = (text("action"), text("resource"));
    of == action && text("side") == side
        || resource == "the artifacts" && (action.starts_with("s3:") || action == "kms:Decrypt")
        || resource == "the images" && action.starts_with("ecr:")
}

#[test]
fn a_probe_that_is_accepted_is_told_and_what_it_has_created_is_deleted() {
    let cloud = encrypted();
    for repository in ["serve", "llm"] {
        cloud.create_repository(TARGET_ACCOUNT, repository);
    }
    cloud.accept_reserved_tags();
    let run = doctor(&cloud, &[]);
    assert_eq!((run.code, cloud.groups(TARGET_ACCOUNT)), (3, Vec::new()), "{}", run.stderr);
    let creates = |run: &Run| {
        let of = |check: &Value| check["action"] == "sagemaker:CreateModelPackageGroup";
        checks(run).into_iter().find(of).unwrap_or_default()
    };
    assert_eq!(creates(&run)["result"], "not-testable");
    let told = creates(&run)["reason"].as_str().unwrap_or_default().to_owned();
    let says = "created arn:aws:sagemaker:eu-central-1:111222333444:model-package-group/Churn-Model";
    assert!(told.contains(says) && told.ends_with("`promote doctor` has deleted it"), "{told}");

    cloud.deny(Principal::Both, "sagemaker:DeleteModelPackageGroup", "*");
    let told = creates(&doctor(&cloud, &[]))["reason"].as_str().unwrap_or_default().to_owned();
    assert!(told.contains("could not be deleted") && told.contains("DeleteModelPackageGroup"), "{told}");
}

//! SageMaker and STS: packages, groups, what is refused, and sessions.

use serde_json::{Value, json};

use super::client::Client;
use super::filled;
use crate::support::{Cloud, Principal, SOURCE_ACCOUNT, TARGET_ACCOUNT};

fn package() -> Value {
    json!({"ModelPackageGroupName": "h", "InferenceSpecification": {"Containers": [{"Image": "i"}]}})
}

/// Creates a package in the target and describes it once.
fn create_and_describe(cloud: &Cloud, package: Value) -> Value {
    let mut target = Client::new(cloud, Principal::Target);
    let created = target.registry("CreateModelPackage", package).json();
    target.registry("DescribeModelPackage", json!({"ModelPackageName": created["ModelPackageArn"]})).json()
}

#[test]
fn packages_are_registered_changed_and_found() {
    let cloud = filled();
    let arn = cloud.register(json!({"ModelPackageGroupName": "g", "ModelApprovalStatus": "Approved", "Unknown": 1}));
    cloud.change(&arn, json!({"ModelApprovalStatus": "Rejected", "Unknown": null}));
    let package = cloud.package(&arn).expect("it is registered");
    assert_eq!((package["ModelApprovalStatus"].as_str(), package.get("Unknown")), (Some("Rejected"), None));
    cloud.register_in(TARGET_ACCOUNT, json!({"ModelPackageGroupName": "g"}));
    assert_eq!(cloud.packages(TARGET_ACCOUNT, "g").len(), 1);
    assert_eq!(cloud.packages(SOURCE_ACCOUNT, "g")[0]["ModelPackageVersion"], 1);
    let group = cloud.create_group(TARGET_ACCOUNT, "h", json!({"Tags": [{"Key": "a", "Value": "b"}]}));
    assert_eq!(group, Cloud::target_group_arn("h"));
    assert_eq!(cloud.groups(TARGET_ACCOUNT).len(), 2);
    assert_eq!(cloud.groups(TARGET_ACCOUNT)[1]["Tags"][0]["Value"], "b");
}

#[test]
fn a_created_package_completes_after_some_describes_fails_or_is_tampered_with() {
    let cloud = filled();
    cloud.create_group(TARGET_ACCOUNT, "h", json!({}));
    cloud.describes_until_completed(2);
    assert_eq!(create_and_describe(&cloud, package())["ModelPackageStatus"], "InProgress");
    cloud.describes_until_completed(1);
    cloud.fail_next_package("no such image");
    let failed = create_and_describe(&cloud, package());
    assert_eq!(failed["ModelPackageStatus"], "Failed");
    assert_eq!(failed["ModelPackageStatusDetails"]["ValidationStatuses"][0]["FailureReason"], "no such image");
    cloud.tamper(|package| package["Domain"] = json!("other"));
    cloud.describes_until_completed(0);
    let shown = create_and_describe(&cloud, package());
    assert_eq!((shown["ModelPackageStatus"].as_str(), shown["Domain"].as_str()), (Some("Completed"), Some("other")));
}

#[test]
fn a_client_token_registers_once_unless_the_registry_does_not_know_tokens() {
    let cloud = filled();
    cloud.create_group(TARGET_ACCOUNT, "h", json!({}));
    let mut request = package();
    request["ClientToken"] = json!("token-1");
    let arns = [(); 2].map(|()| create_and_describe(&cloud, request.clone())["ModelPackageArn"].clone());
    assert_eq!(arns[0], arns[1]);
    cloud.ignore_client_tokens();
    assert_ne!(create_and_describe(&cloud, request)["ModelPackageArn"], arns[0]);
}

#[test]
fn requests_that_aws_would_refuse_are_refused_with_their_member() {
    let cloud = filled();
    cloud.create_group(TARGET_ACCOUNT, "h", json!({}));
    let mut target = Client::new(&cloud, Principal::Target);
    let mut refused = |change: Value, says: &str| {
        let mut request = package();
        request.as_object_mut().expect("an object").extend(change.as_object().cloned().unwrap_or_default());
        let answer = target.registry("CreateModelPackage", request);
        assert!(answer.status == 400 && answer.text().contains(says), "{}", answer.text());
    };
    refused(json!({"InferenceSpecification": {"Containers": [{"Image": "i", "Nope": 1}]}}), "Nope");
    refused(
        json!({"ModelMetrics": {"Bias": {"Report": {"S3Uri": "s3://a/b"}}}}),
        "ModelMetrics.Bias.Report.ContentType",
    );
    refused(json!({"SourceUri": "https://git/x"}), "Both SourceUri and InferenceSpecification");
    refused(json!({"Tags": []}), "you cannot supply a tag argument");
    refused(json!({"ModelPackageGroupName": "absent"}), "does not exist");
    refused(json!({"CustomerMetadataProperties": {"a$": "x"}}), "CustomerMetadataProperties");
    let group = json!({"ModelPackageGroupName": Cloud::group_arn("g")});
    let denied = target.registry("DescribeModelPackageGroup", group);
    assert!(denied.text().contains("is not authorized to perform: sagemaker:DescribeModelPackageGroup"));
    assert!(target.registry("ListClusters", json!({})).text().contains("UnknownOperationException"));
}

#[test]
fn lists_are_ascending_and_of_ten_unless_asked_and_may_begin_with_an_empty_page() {
    let cloud = filled();
    for _ in 0..12 {
        cloud.register_in(TARGET_ACCOUNT, package());
    }
    let mut target = Client::new(&cloud, Principal::Target);
    let versioned = json!({"ModelPackageGroupName": "h", "ModelPackageType": "Versioned"});
    let page = target.registry("ListModelPackages", versioned.clone()).json();
    let versions: Vec<u64> = page["ModelPackageSummaryList"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|summary| summary["ModelPackageVersion"].as_u64())
        .collect();
    assert_eq!(versions, (1..=10).collect::<Vec<u64>>());
    let unversioned = target.registry("ListModelPackages", json!({"ModelPackageGroupName": "h"})).json();
    assert_eq!(unversioned["ModelPackageSummaryList"], json!([]));
    cloud.empty_pages(true);
    let page = target.registry("ListModelPackages", versioned).json();
    assert_eq!((&page["ModelPackageSummaryList"], page["NextToken"].is_string()), (&json!([]), true));
}

#[test]
fn a_session_has_the_permissions_of_its_account_and_needs_its_token() {
    let cloud = filled();
    let mut sts = Client::new(&cloud, Principal::Target);
    sts.service = "sts";
    let form = "Action=AssumeRole&Version=2011-06-15&RoleSessionName=promote&ExternalId=abc&\
                RoleArn=arn%3Aaws%3Aiam%3A%3A444333666777%3Arole%2Freader";
    let answer = sts.ask("POST", "/", &[], form.as_bytes()).expect("an answer");
    let mut client = Client::new(&cloud, Principal::Target);
    client.key = answer.element("AccessKeyId");
    assert_eq!(client.get("/src/a").status, 403);
    client.token = Some(answer.element("SessionToken"));
    assert_eq!(client.get("/src/a").status, 200);
    let last = cloud.calls().pop().and_then(|call| call.who).expect("the caller is known");
    let session = last.session.expect("it is a session");
    let facts = (session.name.as_str(), session.external_id.as_deref(), session.role_arn.as_str());
    assert_eq!(facts, ("promote", Some("abc"), "arn:aws:iam::444333666777:role/reader"));
    assert_eq!(cloud.calls()[0].request["RoleSessionName"], "promote");
}

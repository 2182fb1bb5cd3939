//! Credentials that are lent for a time: they are renewed where somebody lends new ones.

use super::*;
use crate::support::{Failure, Moment};

/// The SDK renews credentials that have less than five to ten seconds left; so many are enough for a call.
const SHORT: f64 = 4.5;

/// Runs `full` with the credentials that a container's endpoint lends.
fn in_a_container(cloud: &Cloud) -> Run {
    let mut command = cloud.container(Principal::Both);
    command.args(full()).args(["--output", "json"]).env("AWS_MAX_ATTEMPTS", "3");
    Run::of(command.output().expect("it starts"))
}

#[test]
fn in_a_container_the_credentials_are_those_of_its_endpoint() {
    let cloud = with_package();
    assert_eq!(in_a_container(&cloud).document()["outcome"], "promoted");
    assert_eq!(callers(&cloud, |call| call.service != Service::Container), [Principal::Both.arn()]);
}

#[test]
fn credentials_of_a_container_that_are_about_to_expire_are_renewed() {
    let cloud = with_package();
    cloud.lend_for(3600.0);
    assert_eq!(in_a_container(&cloud).document()["outcome"], "promoted");
    let once = cloud.calls_of("GetCredentials").len();
    let cloud = with_package();
    cloud.lend_for(SHORT);
    assert_eq!(in_a_container(&cloud).document()["outcome"], "promoted");
    assert!(cloud.calls_of("GetCredentials").len() > once);
}

#[test]
fn a_role_whose_session_is_about_to_expire_is_assumed_again() {
    let cloud = with_package();
    cloud.lend_for(SHORT);
    let role = ["--target-role-arn", "arn:aws:iam::111222333444:role/both"];
    assert_eq!(promote(&cloud, &role).document()["outcome"], "promoted");
    assert!(cloud.calls_of("AssumeRole").len() > 2, "{}", cloud.calls_of("AssumeRole").len());
}

#[test]
fn expired_credentials_that_nobody_renews_are_named_with_what_to_do_and_nothing_is_registered() {
    let cloud = with_package();
    let expired = Failure::Status(400, "ExpiredToken", "The provided token has expired.");
    cloud.fail(Moment::on("CopyObject", 2).times(100), expired);
    let run = promote(&cloud, &[]);
    run.fails(1, &["target: s3:CopyObject on s3://serving/", "ExpiredToken: The provided token has expired"]);
    run.fails(
        1,
        &["Sign in (`aws sso login` or `aws login`), set AWS_PROFILE or pass `--target-profile`, then run again"],
    );
    assert_eq!((run.result(), promoted(&cloud).len()), ("", 0));
    cloud.heal();
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "promoted");
}

#[test]
fn credentials_that_expire_in_the_middle_are_renewed_and_the_run_goes_on() {
    for operation in ["ListObjectsV2", "CopyObject", "CreateModelPackage"] {
        let cloud = with_package();
        cloud.hook(Moment::on(operation, 1), Cloud::expire_credentials);
        let run = in_a_container(&cloud);
        assert_eq!((run.document()["outcome"].as_str(), run.remarks().as_str()), (Some("promoted"), ""), "{operation}");
        assert_eq!(promoted(&cloud).len(), 1);
    }
}

//! A registry that throttles at a low rate.

use serde_json::Value;

use crate::support::{Cloud, Principal, TARGET_ACCOUNT};
use crate::world::*;

/// Runs the binary with the number of attempts and the retry mode that it has by itself.
fn run_unconfigured(cloud: &Cloud, arguments: &[&str]) -> Value {
    let mut command = cloud.promote(Principal::Both);
    command.env_remove("AWS_MAX_ATTEMPTS").args(arguments).args(["--output", "json"]);
    Run::of(command.output().expect("the binary starts")).document()
}

#[test]
fn a_registry_that_answers_5_calls_a_second_serves_a_promotion_and_a_status() {
    let cloud = with_package();
    for version in 2..=6 {
        cloud.register(package());
        cloud.register_in(TARGET_ACCOUNT, model(&format!("s3://serving/theirs-{version}.tar.gz")));
    }
    cloud.throttle_registry(5);
    let full: Vec<String> = full();
    let full: Vec<&str> =
        full.iter().map(String::as_str).chain(["--package-version", "1", "--into-existing-group"]).collect();
    assert_eq!(run_unconfigured(&cloud, &full)["outcome"], "promoted");
    let group = Cloud::group_arn(GROUP);
    let status = run_unconfigured(&cloud, &["status", "--group", &group]);
    assert_eq!((status["versions"].as_array().map(Vec::len), &status["others"]), (Some(6), &Value::from(5)));
    assert!(cloud.calls().iter().any(|call| call.status == 400), "no call was throttled");
}

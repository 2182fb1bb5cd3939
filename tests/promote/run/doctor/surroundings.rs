//! What a promotion needs besides permissions: services that answer, the right region, and a clock.

use super::*;

/// The services, each with how the actions of its checks begin.
const SERVICES: [(&str, &str); 5] =
    [("SAGEMAKER", "sagemaker:"), ("S3", "s3:"), ("STS", "credentials"), ("KMS", "kms:"), ("ECR", "ecr:")];

#[test]
fn a_service_that_cannot_be_reached_is_named_and_nothing_is_called_denied() {
    for (service, begins) in SERVICES {
        let cloud = encrypted();
        let group = Cloud::group_arn(GROUP);
        let closed = std::net::TcpListener::bind("127.0.0.1:0").and_then(|listener| listener.local_addr());
        let closed = closed.expect("a port");
        let mut process = cloud.process(Principal::Both);
        let endpoint = format!("http://{closed}");
        process.env(format!("AWS_ENDPOINT_URL_{service}"), &endpoint).env("AWS_MAX_ATTEMPTS", "1");
        process.args(["doctor", "--group", &group, "--target-bucket", SERVING, "--sign-key", SIGN_KEY]);
        process.args(["--output", "json"]);
        let process = process.stdout(std::process::Stdio::piped()).stderr(std::process::Stdio::piped()).spawn();
        let run = ended(process.expect("the binary starts"));
        assert_eq!(run.code, 1, "{service}: {}", run.stderr);
        assert_eq!(denied(&run), BTreeSet::new(), "{service}");
        let missing: Vec<Value> = checks(&run).into_iter().filter(|check| check["result"] == "missing").collect();
        assert!(!missing.is_empty(), "{service}: {:#}", document(&run));
        for check in missing {
            assert!(check["action"].as_str().is_some_and(|action| action.starts_with(begins)), "{service}: {check:#}");
            let reason = check["reason"].as_str().unwrap_or_default();
            assert!(reason.contains("Connection refused"), "{service}: {reason}");
        }
    }
}

#[test]
fn a_clock_that_is_wrong_by_more_than_aws_permits_is_missing_and_says_by_how_much() {
    for (ahead, result, says) in [
        (0.0, "ok", ""),
        (200.0, "ok", ""),
        (400.0, "missing", "s behind AWS's"),
        (-400.0, "missing", "s ahead of AWS's"),
    ] {
        let cloud = encrypted();
        cloud.set_clock_ahead(ahead);
        let run = doctor(&cloud, &["--no-probes"]);
        let clock = checks(&run).into_iter().find(|check| check["action"] == "clock").unwrap_or_default();
        assert_eq!(clock["result"], result, "{ahead}: {:#}", document(&run));
        assert!(clock["reason"].as_str().unwrap_or_default().contains(says), "{clock:#}");
    }
}

#[test]
fn a_key_and_a_bucket_of_another_region_are_missing_and_say_so() {
    let cloud = encrypted();
    let key = "arn:aws:kms:eu-west-1:111222333444:key/bbbbbbbb-3333-4444-5555-666677778888";
    let run = doctor(&cloud, &["--no-probes", "--kms-key-arn", key]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    let region = checks(&run).into_iter().find(|check| check["action"] == "key").unwrap_or_default();
    assert_eq!((&region["result"], &region["resource"]), (&json!("missing"), &json!(key)), "{:#}", document(&run));
    assert!(
        region["reason"].as_str().unwrap_or_default().contains("not in the target's region eu-central-1"),
        "{region:#}"
    );

    cloud.create_bucket_in("far", TARGET_ACCOUNT, "eu-west-1");
    let group = Cloud::group_arn(GROUP);
    let flags = ["doctor", "--group", &group, "--target-bucket", "far", "--output", "json"];
    let run = super::run(&cloud, Principal::Both, &flags);
    assert_eq!((run.code, denied(&run)), (1, BTreeSet::new()), "{}", run.stderr);
    let bucket = checks(&run).into_iter().find(|check| check["resource"] == "arn:aws:s3:::far").unwrap_or_default();
    assert_eq!(bucket["result"], "missing", "{:#}", document(&run));
    assert!(bucket["reason"].as_str().unwrap_or_default().contains("eu-west-1"), "{bucket:#}");
}

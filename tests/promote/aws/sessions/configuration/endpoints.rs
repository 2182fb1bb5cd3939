//! Endpoints that are configured and are no URLs.

use super::*;

const HINT: &str =
    "hint: Set it to a URL that begins with http:// or https://, such as http://localhost:4566, or remove it";

#[test]
fn a_variable_that_is_no_url_of_an_endpoint_is_named_with_its_value() {
    let cloud = with_package();
    for (variable, value) in [
        ("AWS_ENDPOINT_URL_SAGEMAKER", ""),
        ("AWS_ENDPOINT_URL_S3", "localhost:4566"),
        ("AWS_ENDPOINT_URL_STS", "http://exa mple"),
        ("AWS_ENDPOINT_URL_KMS", "mailto:somebody"),
        ("AWS_ENDPOINT_URL_ECR", "http://"),
        ("AWS_ENDPOINT_URL_ECR", "https://:443/path"),
    ] {
        let run = Configured::new(&cloud, "", "").with(&[(variable, value)]).run();
        run.fails(1, &[&format!("{variable} is '{value}', which is not an HTTP or HTTPS URL"), HINT]);
        assert!(!run.stderr.contains("SdkBody"), "{}", run.stderr);
    }
    let mut general = Configured::new(&cloud, "[default]\nendpoint_url = http://localhost\n", "");
    general.command.env_remove("AWS_ENDPOINT_URL_S3").env("AWS_ENDPOINT_URL", "localhost:4566");
    general.run().fails(1, &["AWS_ENDPOINT_URL is 'localhost:4566'", HINT]);
    assert!(cloud.calls().is_empty(), "{:?}", cloud.calls());
}

#[test]
fn an_endpoint_of_a_profile_that_is_no_url_is_named_with_file_profile_and_key() {
    let cloud = with_package();
    for (lines, says) in [
        ("endpoint_url =\n", "endpoint_url of profile 'default' in"),
        ("endpoint_url = not a url\n", "is 'not a url', which is not an HTTP or HTTPS URL"),
        (
            "services = local\n[services local]\ns3 =\n  endpoint_url = localhost:1\n",
            "sets endpoint_url of s3 to 'localhost:1', which is not an HTTP or HTTPS URL",
        ),
    ] {
        let mut profile = Configured::new(&cloud, format!("[default]\n{lines}"), "");
        profile.command.env_remove("AWS_ENDPOINT_URL_S3");
        profile.refuses("config", &["of profile 'default'", says, HINT]);
    }
}

#[test]
fn endpoints_that_are_urls_or_are_ignored_are_accepted() {
    let cloud = with_package();
    for (variable, value) in [
        ("AWS_ENDPOINT_URL_KMS", "HTTPS://[::1]:8443/path"),
        ("AWS_ENDPOINT_URL_ECR", "http://localhost"),
        ("AWS_ENDPOINT_URL", "not a url, which those of the services precede"),
    ] {
        Configured::new(&cloud, "", "").with(&[(variable, value)]).run().document();
    }
}

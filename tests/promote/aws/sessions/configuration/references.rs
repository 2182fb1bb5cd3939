//! What the credentials of a profile refer to: what does not exist is named with its place and its remedy.

use super::*;

const ROLE: &str = "role_arn = arn:aws:iam::444333666777:role/reader";
const KEY: &str = "aws_access_key_id = AKIABOTH";
const SIGN_IN: &str = "hint: Sign in";

/// `find-latest` with a profile of this content, which is chosen by its flag.
fn chosen<'a>(cloud: &'a Cloud, config: &str) -> Configured<'a> {
    let mut run = Configured::new(cloud, config, "").without_credentials();
    run.command.args(["--source-profile", "a"]);
    run
}

#[test]
fn a_reference_of_a_profile_to_nothing_is_named_with_file_profile_key_and_remedy() {
    let cloud = with_package();
    for (lines, says, hint) in [
        (
            format!("{ROLE}\nsource_profile = b"),
            "source_profile of profile 'a'",
            "Correct `source_profile` of profile 'a'",
        ),
        (
            format!("{ROLE}\nsource_profile = b\n[profile b]\n{ROLE}\nsource_profile = c"),
            "source_profile of profile 'b'",
            "Correct `source_profile` of profile 'b'",
        ),
        (
            format!("{ROLE}\nsource_profile = b\n[profile b]\n{ROLE}\nsource_profile = a"),
            "names the profile 'a', which has this one as its source",
            "Correct `source_profile` of profile 'b'",
        ),
        (ROLE.to_owned(), "role_arn of profile 'a'", "Give profile 'a' a `source_profile` or a `credential_source`"),
        (
            format!("{ROLE}\nsource_profile = a\ncredential_source = Environment"),
            "stands beside credential_source",
            "Remove one of `source_profile` and `credential_source` of profile 'a'",
        ),
        (
            format!("{ROLE}\ncredential_source = Nowhere"),
            "credential_source of profile 'a'",
            "Set `credential_source` of profile 'a' to one of Environment, Ec2InstanceMetadata, EcsContainer",
        ),
        (
            "sso_session = nope\nsso_account_id = 444333666777\nsso_role_name = r".to_owned(),
            "names the SSO session 'nope', which does not exist",
            "Correct `sso_session` of profile 'a', or set the session up with `aws configure sso-session`",
        ),
        (
            format!("{ROLE}\nweb_identity_token_file = /nope"),
            "is '/nope': No such file or directory",
            "Correct `web_identity_token_file` of profile 'a'",
        ),
        (
            KEY.to_owned(),
            "is set without aws_secret_access_key",
            "Give profile 'a' its `aws_secret_access_key`, for example with `aws configure --profile a`",
        ),
        (
            "aws_secret_access_key = secret".to_owned(),
            "is set without aws_access_key_id",
            "Give profile 'a' its `aws_access_key_id`",
        ),
        (
            format!("{ROLE}\nsource_profile = b\n[profile b]\n{KEY}"),
            "aws_access_key_id of profile 'b'",
            "Give profile 'b' its `aws_secret_access_key`",
        ),
    ] {
        chosen(&cloud, &format!("[profile a]\n{lines}\n")).refuses("config", &[says, &format!("hint: {hint}")]);
    }
}

#[test]
fn a_command_that_prints_no_credentials_is_to_be_run_and_corrected() {
    let cloud = with_package();
    for command in ["false", "/nope", "echo nothing"] {
        let run = chosen(&cloud, &format!("[profile a]\ncredential_process = {command}\n")).run();
        run.fails(1, &["profile 'a': ", "hint: Run the command that the profile has as `credential_process`"]);
        assert!(!run.stderr.contains(SIGN_IN), "{}", run.stderr);
    }
}

#[test]
fn an_sts_that_a_role_cannot_reach_is_a_matter_of_the_network() {
    let cloud = with_package();
    let config = format!("[profile a]\n{ROLE}\nsource_profile = b\n[profile b]\n{KEY}\naws_secret_access_key = s\n");
    let closed = [("AWS_ENDPOINT_URL_STS", "http://127.0.0.1:1"), ("AWS_MAX_ATTEMPTS", "1")];
    let run = chosen(&cloud, &config).with(&closed).run();
    run.fails(1, &["sts:AssumeRole on profile 'a': no response: ", "hint: Check the network, AWS_ENDPOINT_URL*"]);
    assert!(!run.stderr.contains(SIGN_IN), "{}", run.stderr);
}

#[test]
fn the_credentials_of_the_environment_are_checked_if_they_count() {
    let cloud = with_package();
    let token = [("AWS_WEB_IDENTITY_TOKEN_FILE", "/nope"), ("AWS_ROLE_ARN", "arn:aws:iam::444333666777:role/reader")];
    Configured::new(&cloud, "", "").without_credentials().with(&token).run().fails(
        1,
        &["AWS_WEB_IDENTITY_TOKEN_FILE is '/nope': No such file", "hint: Set AWS_WEB_IDENTITY_TOKEN_FILE to a file"],
    );
    let mut key = Configured::new(&cloud, "", "");
    key.command.env_remove("AWS_SECRET_ACCESS_KEY");
    key.run().fails(1, &["AWS_ACCESS_KEY_ID is set without AWS_SECRET_ACCESS_KEY", "hint: Set both, or unset "]);
    assert!(cloud.calls().is_empty(), "{:?}", cloud.calls());
    // The environment's access key precedes the token.
    Configured::new(&cloud, "", "").with(&token).run().document();
}

#[test]
fn references_that_do_not_count_are_accepted() {
    let cloud = with_package();
    let id = Principal::Source.access_key_id();
    let keys = format!("aws_access_key_id = {id}\naws_secret_access_key = secret");
    for lines in [
        format!("{keys}\nsource_profile = nope"),
        format!("{keys}\nrole_arn = arn:aws:iam::444333666777:role/reader\nsource_profile = a"),
        format!("{ROLE}\nsource_profile = b\n[profile b]\n{keys}\n{ROLE}"),
        format!(
            "credential_process = echo '{{\"Version\": 1, \"AccessKeyId\": \"{id}\", \"SecretAccessKey\": \"s\"}}'"
        ),
    ] {
        chosen(&cloud, &format!("[profile a]\n{lines}\n")).run().document();
    }
    // A token of the environment does not count beside the credentials of the default profile.
    let token = [("AWS_WEB_IDENTITY_TOKEN_FILE", "/nope"), ("AWS_ROLE_ARN", "arn:aws:iam::444333666777:role/reader")];
    let default = Configured::new(&cloud, format!("[default]\n{keys}\n"), "");
    default.without_credentials().with(&token).run().document();
}

//! Profiles that somebody has to sign in to, and variables that are no text.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use serde_json::json;
use sha2::{Digest, Sha256};

use super::*;

#[test]
fn variables_that_are_not_utf_8_make_it_fail_or_count_as_unset_and_never_panic() {
    let cloud = with_package();
    for variable in [
        "AWS_PROFILE",
        "AWS_REGION",
        "AWS_ACCESS_KEY_ID",
        "AWS_SECRET_ACCESS_KEY",
        "AWS_SESSION_TOKEN",
        "AWS_MAX_ATTEMPTS",
        "AWS_RETRY_MODE",
        "AWS_CA_BUNDLE",
        "AWS_CONFIG_FILE",
        "AWS_SHARED_CREDENTIALS_FILE",
        "AWS_ENDPOINT_URL_S3",
        "AWS_CONTAINER_CREDENTIALS_FULL_URI",
        "PROMOTE_SOURCE_PROFILE",
        "PROMOTE_GROUP",
        "HOME",
        "TERM",
        "NO_COLOR",
        "CODEBUILD_BUILD_ARN",
    ] {
        let mut run = Configured::new(&cloud, "", "");
        run.command.env(variable, OsStr::from_bytes(b"\xff\xfe=\x80"));
        let ended = Run::of(run.command.output().expect("the binary starts"));
        let code = match variable {
            "PROMOTE_SOURCE_PROFILE" => 2,
            // They decide how often a call is tried, and nothing else.
            "AWS_MAX_ATTEMPTS" | "AWS_RETRY_MODE" => 0,
            // Without one of the others, the session would be another one.
            aws if aws.starts_with("AWS_") => 1,
            _ => 0,
        };
        assert_eq!(ended.code, code, "{variable}: {}", ended.stderr);
        assert!(!ended.stderr.contains("panicked"), "{variable}: {}", ended.stderr);
        assert_eq!(ended.code != 0, ended.stderr.contains("error: "), "{variable}: {}", ended.stderr);
    }
}

#[test]
fn a_role_that_needs_an_mfa_code_is_refused_with_the_command_that_asks_for_it() {
    let cloud = with_package();
    let role = "role_arn = arn:aws:iam::444333666777:role/reader\nmfa_serial = arn:aws:iam::444333666777:mfa/me\n";
    for config in [
        format!("[profile named]\nsource_profile = default\n{role}"),
        format!(
            "[profile named]\nrole_arn = arn:aws:iam::444333666777:role/more\nsource_profile = base\n[profile base]\n{role}"
        ),
    ] {
        let mut run = Configured::new(&cloud, config, "");
        run.command.args(["--source-profile", "named"]);
        run.refuses("config", &["mfa_serial of profile", "hint: Run `aws configure export-credentials --profile "]);
    }
}

#[test]
fn a_profile_of_aws_login_without_a_session_is_named_with_the_command_that_opens_one() {
    let cloud = with_package();
    let config = "[profile named]\nlogin_session = arn:aws:iam::444333666777:user/me\n";
    let mut run = Configured::new(&cloud, config, "").without_credentials();
    run.command.args(["--source-profile", "named"]);
    run.run().fails(1, &["profile 'named'", "aws login"]);
}

#[test]
fn the_session_that_aws_login_has_cached_is_used() {
    let cloud = with_package();
    let session = Principal::Source.arn();
    let mut run = Configured::new(&cloud, format!("[profile named]\nlogin_session = {session}\n"), "");
    let token = json!({
        "accessToken": {
            "accessKeyId": Principal::Source.access_key_id(), "secretAccessKey": "secret", "sessionToken": "token",
            "accountId": Principal::Source.account(), "expiresAt": "2999-01-01T00:00:00Z",
        },
        "tokenType": "aws_sigv4", "refreshToken": "refresh", "clientId": "arn:aws:signin:::devtools/same-device",
        "dpopKey": "-----BEGIN EC PRIVATE KEY-----\n-----END EC PRIVATE KEY-----\n",
    });
    let file = format!("{}.json", hex::encode(Sha256::digest(&session)));
    std::fs::write(run.path(&file), token.to_string()).expect("a file");
    let folder = run.folder.path().to_owned();
    run = run.without_credentials();
    run.command.args(["--source-profile", "named"]).env("AWS_LOGIN_CACHE_DIRECTORY", folder);
    assert_eq!(run.run().document()["outcome"], "found");
    assert!(callers(&cloud, |_| true).iter().all(|caller| *caller == session), "{:?}", callers(&cloud, |_| true));
}

//! Generated configuration files and the whole program. `make fuzz` tries many more, without the program.

use fastrand::Rng;

use super::*;

/// Runs, of which each takes a fraction of a second.
const RUNS: u64 = 12;
/// Runs at the same time: they wait for refused connections more than they compute.
const AT_ONCE: usize = 6;

const HEADERS: [&str; 8] = [
    "[default]",
    "[profile default]",
    "[profile named]",
    "[named]",
    "[profile base]",
    "[sso-session corp]",
    "[services here]",
    "[profile  [x]]",
];
const KEYS: [&str; 30] = [
    "region",
    "aws_access_key_id",
    "aws_secret_access_key",
    "aws_session_token",
    "max_attempts",
    "retry_mode",
    "source_profile",
    "role_arn",
    "role_session_name",
    "external_id",
    "mfa_serial",
    "credential_source",
    "credential_process",
    "web_identity_token_file",
    "sso_session",
    "sso_region",
    "sso_start_url",
    "sso_account_id",
    "sso_role_name",
    "services",
    "endpoint_url",
    "use_fips_endpoint",
    "use_dualstack_endpoint",
    "sdk_ua_app_id",
    "request_min_compression_size_bytes",
    "account_id_endpoint_mode",
    "ignore_configured_endpoint_urls",
    "s3_disable_express_session_auth",
    "ec2_metadata_service_endpoint_mode",
    "aws_account_id",
];
const VALUES: [&str; 28] = [
    "",
    "0",
    "3",
    "many",
    "legacy",
    "adaptive",
    "true",
    "maybe",
    "default",
    "named",
    "base",
    "corp",
    "here",
    "eu-central-1",
    "not a region",
    "AKIABOTH000000000000",
    "secret",
    "\u{201c}quoted\u{201d}",
    "\u{7f}",
    "\r",
    "Environment",
    "Ec2InstanceMetadata",
    "EcsContainer",
    "arn:aws:iam::444333666777:role/reader",
    "/nowhere",
    "http://127.0.0.1:1",
    "mailto:x",
    "\n  s3 =\n    endpoint_url = ::\n  endpoint_url = http:",
];

#[test]
fn no_configuration_file_makes_it_panic() {
    let cloud = with_package();
    std::thread::scope(|scope| {
        for thread in 0..AT_ONCE as u64 {
            let cloud = &cloud;
            scope.spawn(move || (thread..RUNS).step_by(AT_ONCE).for_each(|seed| try_files(cloud, seed)));
        }
    });
}

/// One run; a failure names the seed.
fn try_files(cloud: &Cloud, seed: u64) {
    let mut rng = Rng::with_seed(seed);
    let (config, credentials) = (file(&mut rng), file(&mut rng));
    let mut run = Configured::new(cloud, &config, &credentials)
        .with(&[("AWS_ENDPOINT_URL_SSO", "http://127.0.0.1:1"), ("AWS_ENDPOINT_URL_SSO_OIDC", "http://127.0.0.1:1")]);
    if rng.bool() {
        run = run.with(&[("AWS_MAX_ATTEMPTS", "1")]);
    }
    if rng.bool() {
        run = run.without_credentials();
    }
    if rng.bool() {
        run.command.args(["--source-profile", "named"]);
    }
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    let which = format!("seed {seed}\n--- config\n{}\n--- credentials\n{}\n---\n", text(&config), text(&credentials));
    run.run_as(&which);
}

/// A file of a few sections, in half of the cases with some bytes changed.
fn file(rng: &mut Rng) -> Vec<u8> {
    let mut text = String::new();
    for _ in 0..rng.usize(..4) {
        text += &format!("{}\n", HEADERS[rng.usize(..HEADERS.len())]);
        for _ in 0..rng.usize(..6) {
            text += &format!("{} = {}\n", KEYS[rng.usize(..KEYS.len())], VALUES[rng.usize(..VALUES.len())]);
        }
    }
    let mut bytes = text.into_bytes();
    if rng.u8(..3) == 0 && !bytes.is_empty() {
        for _ in 0..rng.usize(1..4) {
            let at = rng.usize(..bytes.len());
            bytes[at] = *rng.choice(b"\n =[]#;\t\r\0\xffa").expect("one of them");
        }
    }
    bytes
}

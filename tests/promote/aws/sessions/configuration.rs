//! The AWS configuration files and the environment, with any content: the run ends well or with a sentence that says
//! where the wrong value is, and never in a panic.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;
use std::process::Command;

use super::*;
use crate::support::tls::AUTHORITY;
use crate::support::{Failure, Moment};

mod endpoints;
mod fuzz;
mod references;
mod signed_in;

/// Both files in a folder of their own, and a run that reads them.
struct Configured<'a> {
    cloud: &'a Cloud,
    folder: tempfile::TempDir,
    command: Command,
}

impl<'a> Configured<'a> {
    /// `find-latest` with these files, credentials in the environment, and nothing else that decides.
    fn new(cloud: &'a Cloud, config: impl AsRef<[u8]>, credentials: impl AsRef<[u8]>) -> Self {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = cloud.process(Principal::Both);
        for (name, variable, content) in [
            ("config", "AWS_CONFIG_FILE", config.as_ref()),
            ("credentials", "AWS_SHARED_CREDENTIALS_FILE", credentials.as_ref()),
        ] {
            let path = folder.path().join(name);
            std::fs::write(&path, content).expect("a file");
            command.env(variable, path);
        }
        command.env_remove("AWS_MAX_ATTEMPTS");
        command.args(["find-latest", "--group", &Cloud::group_arn(GROUP), "--output", "json"]);
        Self { cloud, folder, command }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn with(mut self, variables: &[(&str, &str)]) -> Self {
        self.command.envs(variables.iter().copied());
        self
    }

    /// Without the credentials of the environment, so that the files' count.
    fn without_credentials(mut self) -> Self {
        self.command.env_remove("AWS_ACCESS_KEY_ID").env_remove("AWS_SECRET_ACCESS_KEY");
        self
    }

    fn run(&mut self) -> Run {
        self.run_as("")
    }

    /// Runs; `which` is added to what a failing test says.
    fn run_as(&mut self, which: &str) -> Run {
        let run = Run::of(self.command.output().expect("the binary starts"));
        assert!(!run.stderr.contains("panicked"), "{which}{}", run.stderr);
        assert!([0, 1].contains(&run.code), "{which}exit {}: {}", run.code, run.stderr);
        assert_eq!(run.code == 1, run.stderr.starts_with("error: "), "{which}{}", run.stderr);
        run
    }

    /// The run is refused in a sentence with the file's path and these, before any call.
    fn refuses(mut self, file: &str, says: &[&str]) {
        let path = self.path(file).display().to_string();
        let run = self.run();
        let says: Vec<&str> = says.iter().copied().chain([path.as_str()]).collect();
        run.fails(1, &says);
        assert!(self.cloud.calls().is_empty(), "{:?}", self.cloud.calls());
    }
}

#[test]
fn wrong_values_in_the_configuration_files_are_refused_with_file_profile_and_key() {
    let cloud = with_package();
    for (key, value) in [
        ("max_attempts", "0"),
        ("max_attempts", "many"),
        ("max_attempts", "-1"),
        ("max_attempts", "4294967296"),
        ("max_attempts", "3 # attempts\n  more"),
        ("retry_mode", "often"),
        ("retry_mode", "\n  standard = yes"),
        ("retry_mode", "\u{fffd}"),
        ("aws_access_key_id", "AKIA\n  BOTH"),
        ("aws_access_key_id", "\u{201c}AKIABOTH\u{201d}"),
        ("aws_session_token", "one\n two"),
    ] {
        let lines = format!("{key} = {value}\n");
        Configured::new(&cloud, format!("[default]\n{lines}"), "").refuses("config", &["profile 'default'", key]);
        Configured::new(&cloud, "", format!("[default]\n{lines}")).refuses("credentials", &["profile 'default'", key]);
        Configured::new(&cloud, format!("[profile named]\n{lines}"), "")
            .with(&[("AWS_PROFILE", "named")])
            .refuses("config", &["profile 'named'", key]);
        let mut run = Configured::new(&cloud, format!("[profile named]\n{lines}"), "");
        run.command.args(["--source-profile", "named"]);
        run.refuses("config", &["profile 'named'", key]);
    }
}

#[test]
fn the_keys_of_a_source_profile_are_checked_too() {
    let cloud = with_package();
    let config = "[profile named]\nrole_arn = arn:aws:iam::444333666777:role/reader\nsource_profile = base\n";
    let base = "[base]\naws_access_key_id = AKIA\n  BOTH\naws_secret_access_key = secret\n";
    let mut run = Configured::new(&cloud, config, base).without_credentials();
    run.command.args(["--source-profile", "named"]);
    run.refuses("credentials", &["profile 'base'", "aws_access_key_id"]);
}

#[test]
fn a_file_that_is_not_text_or_has_no_structure_is_refused() {
    let cloud = with_package();
    for (content, says) in [
        (&b"[default]\nregion = \xff\xfe\n"[..], "not UTF-8"),
        (b"region = eu-central-1\n", "line 1"),
        (b"[default]\nregion\n", "line 2"),
        (b"[default\nregion = a\n", "line 1"),
        (b"[default]\n= a\n", "line 2"),
        (b"[default]\n  a = b\n", "line 2"),
    ] {
        Configured::new(&cloud, content, "").refuses("config", &[says]);
        Configured::new(&cloud, "", content).refuses("credentials", &[says]);
    }
}

#[test]
fn common_forms_of_configuration_files_are_accepted() {
    let cloud = with_package();
    for lines in [
        "retry_mode = legacy",
        "retry_mode = LEGACY",
        "retry_mode = standard\nmax_attempts = 5",
        "retry_mode = Adaptive",
        "max_attempts =",
        "use_fips_endpoint = perhaps",
        "use_dualstack_endpoint = perhaps",
        "sts_regional_endpoints = nowhere",
        "endpoint_url = not a url",
        "sdk_ua_app_id = \u{e9}\u{e9}",
        "request_min_compression_size_bytes = many",
        "account_id_endpoint_mode = never",
        "services = nothing",
        "source_profile = default",
        "credential_source = Nowhere",
        "sso_session = nothing",
        "ignore_configured_endpoint_urls = maybe",
        "s3 =\n  max_concurrent_requests = 20",
        "region = \n",
    ] {
        let mut run = Configured::new(&cloud, format!("[default]\n{lines}\n"), "");
        assert_eq!(run.run().document()["source"]["model_package_arn"], SOURCE_VERSION, "{lines}");
    }
    // What is wrong in a profile that is not used is nobody's matter.
    let mut run = Configured::new(&cloud, "[profile other]\nmax_attempts = many\n", "");
    run.run().document();
}

#[test]
fn attempts_are_the_profile_s_unless_the_environment_says_otherwise() {
    const CALL: &str = "ListModelPackages";
    for (config, variables, attempts) in [
        ("[default]\nmax_attempts = 3\n", &[][..], 3),
        ("[default]\nmax_attempts = 2\n", &[], 2),
        ("[default]\nmax_attempts = 2\nretry_mode = adaptive\n", &[], 2),
        ("[default]\nmax_attempts = 2\nretry_mode = legacy\n", &[], 2),
        ("[default]\nmax_attempts = many\n", &[("AWS_MAX_ATTEMPTS", "1")], 1),
        ("[default]\nretry_mode = often\n", &[("AWS_MAX_ATTEMPTS", "1"), ("AWS_RETRY_MODE", "legacy")], 1),
        ("[default]\nmax_attempts = 2\n", &[("AWS_MAX_ATTEMPTS", "")], 2),
    ] {
        let cloud = with_package();
        cloud.fail(Moment::on(CALL, 1).times(100), Failure::Status(500, "InternalFailure", "Try again."));
        let run = Configured::new(&cloud, config, "").with(variables).run();
        assert_eq!(run.code, 1, "{config}");
        assert_eq!(cloud.calls_of(CALL).len(), attempts, "{config} {variables:?}: {}", run.stderr);
    }
}

#[test]
fn a_role_of_a_profile_is_assumed_with_the_attempts_that_are_set() {
    let calls = ["1", "4"].map(|attempts| {
        let cloud = with_package();
        cloud.fail(Moment::every("AssumeRole"), Failure::Status(500, "InternalFailure", "Try again."));
        let config = "[profile named]\nrole_arn = arn:aws:iam::444333666777:role/reader\nsource_profile = base\n";
        let base = "[base]\naws_access_key_id = AKIABOTH\naws_secret_access_key = secret\n";
        let mut run = Configured::new(&cloud, config, base).with(&[("AWS_MAX_ATTEMPTS", attempts)]);
        run.command.args(["--source-profile", "named"]);
        run.run().fails(1, &["sts:AssumeRole", "All retries failed"]);
        cloud.calls_of("AssumeRole").len()
    });
    // Every call of the run asks for credentials.
    assert_eq!(calls[1], 4 * calls[0], "{calls:?}");
}

#[test]
fn no_content_of_the_environment_makes_it_panic() {
    let cloud = with_package();
    for (variable, value, says) in [
        ("AWS_MAX_ATTEMPTS", "0", "AWS_MAX_ATTEMPTS is '0'"),
        ("AWS_RETRY_MODE", "often", "AWS_RETRY_MODE is 'often'"),
        ("AWS_ACCESS_KEY_ID", "AKIABOTH\n", "AWS_ACCESS_KEY_ID"),
        ("AWS_SESSION_TOKEN", "one\r\n", "AWS_SESSION_TOKEN"),
        ("AWS_CONTAINER_CREDENTIALS_FULL_URI", "127.0.0.1:80", "AWS_CONTAINER_CREDENTIALS_FULL_URI"),
        ("SSL_CERT_FILE", "/nowhere/authorities.pem", "SSL_CERT_FILE"),
        ("SSL_CERT_FILE", "/dev/null", "SSL_CERT_FILE"),
    ] {
        let mut run = Configured::new(&cloud, "", "");
        if variable.contains("CONTAINER") {
            run = run.without_credentials();
        }
        run.with(&[(variable, value)]).run().fails(1, &[says]);
    }
    for (variable, value) in [
        ("AWS_RETRY_MODE", "legacy"),
        ("AWS_NEW_RETRIES_2026", "true"),
        ("AWS_EXECUTION_ENV", "a\nb"),
        ("AWS_SDK_UA_APP_ID", "a\nb"),
        ("AWS_ENDPOINT_URL_S3", "mailto:somebody"),
        ("AWS_ENDPOINT_URL_SAGEMAKER", "mailto:somebody"),
        ("AWS_ENDPOINT_URL_SAGEMAKER", "file:///tmp"),
        ("AWS_ENDPOINT_URL", "http://"),
        ("AWS_CONTAINER_CREDENTIALS_RELATIVE_URI", "127.0.0.1:80"),
        ("AWS_EC2_METADATA_SERVICE_ENDPOINT", "nowhere"),
        ("HTTP_PROXY", "::::"),
        ("HTTPS_PROXY", "\u{fffd}"),
        ("HOME", "\u{fffd}"),
        ("AWS_PROFILE", "[x]"),
        ("AWS_CA_BUNDLE", "\u{fffd}"),
    ] {
        Configured::new(&cloud, "", "").with(&[(variable, value)]).run();
        Configured::new(&cloud, "", "").without_credentials().with(&[(variable, value)]).run();
    }
}

#[test]
fn a_variable_that_is_not_text_is_refused_and_not_taken_for_unset() {
    let cloud = with_package();
    for name in ["AWS_SECRET_ACCESS_KEY", "AWS_PROFILE", "AWS_ENDPOINT_URL_S3", "AWS_CONFIG_FILE"] {
        let mut configured = Configured::new(&cloud, "", "");
        configured.command.env(name, OsStr::from_bytes(b"prod\xff"));
        configured
            .run()
            .fails(1, &[&format!("configuration on the environment: {name} is not UTF-8 text"), "hint: Correct it"]);
    }
    assert!(cloud.calls().is_empty());
}

#[test]
fn the_authorities_of_the_environment_and_of_the_profile_are_trusted_instead_of_the_system_s() {
    let other = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/promote/support/tls/server.pem");
    let profile = |bundle: &str| format!("[default]\nca_bundle = {bundle}\n");
    for (config, variables, trusted) in [
        (String::new(), &[("AWS_CA_BUNDLE", AUTHORITY), ("SSL_CERT_FILE", other)][..], true),
        (profile(AUTHORITY), &[("SSL_CERT_FILE", other)], true),
        (profile(other), &[("AWS_CA_BUNDLE", AUTHORITY)], true),
        (String::new(), &[("AWS_CA_BUNDLE", other)], false),
        (profile(other), &[], false),
    ] {
        let cloud = with_package();
        cloud.encrypt();
        // A connection that fails is tried again, which takes long.
        let run = Configured::new(&cloud, config, "").with(variables).with(&[("AWS_MAX_ATTEMPTS", "1")]).run();
        assert_eq!(run.code == 0, trusted, "{variables:?}: {}", run.stderr);
        assert_eq!(!cloud.calls().is_empty(), trusted);
    }
}

#[test]
fn a_certificate_that_cannot_be_used_does_not_prevent_the_use_of_the_others() {
    let cloud = with_package();
    cloud.encrypt();
    let mut run = Configured::new(&cloud, "", "");
    let unusable = "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n";
    let authority = std::fs::read_to_string(AUTHORITY).expect("it is text");
    let bundle = run.path("bundle.pem");
    std::fs::write(&bundle, format!("{unusable}{authority}{unusable}")).expect("a file");
    run.command.env("AWS_CA_BUNDLE", bundle);
    run.run().document();
}

#[test]
fn a_file_of_authorities_that_has_none_is_refused() {
    let cloud = with_package();
    let says = ["'/nowhere.pem': No such file", "'/dev/null': the file has no certificate"];
    for (path, says) in ["/nowhere.pem", "/dev/null"].into_iter().zip(says) {
        Configured::new(&cloud, format!("[default]\nca_bundle = {path}\n"), "").refuses("config", &["ca_bundle", says]);
        let mut run = Configured::new(&cloud, "", "").with(&[("AWS_CA_BUNDLE", path)]);
        run.run().fails(1, &[&format!("AWS_CA_BUNDLE is {says}")]);
    }
    let path = concat!(env!("CARGO_MANIFEST_DIR"), "/Cargo.toml");
    let mut run = Configured::new(&cloud, "", "").with(&[("AWS_CA_BUNDLE", path)]);
    run.run().fails(1, &["Cargo.toml': the file has no certificate"]);
}

#[test]
fn an_s3_endpoint_of_the_profile_s_services_section_has_the_bucket_in_its_path() {
    let cloud = with_package();
    // The SDK has the bucket in the path of an IP address anyway.
    let url = cloud.endpoint().replace("127.0.0.1", "localhost");
    let config = format!("[default]\nservices = local\n[services local]\ns3 =\n  endpoint_url = {url}\n");
    let mut run = Configured::new(&cloud, config, "");
    run.command.env_remove("AWS_ENDPOINT_URL_S3");
    let mut command = Command::new(run.command.get_program());
    command.env_clear().envs(run.command.get_envs().filter_map(|(name, value)| Some((name, value?))));
    let ended = Run::of(command.args(full()).args(["--output", "json"]).output().expect("the binary starts"));
    assert_eq!(ended.document()["outcome"], "promoted");
}

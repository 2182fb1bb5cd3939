//! Wrong values: the message names what the user has set, and fits.

use crate::support::{Cloud, Principal};
use crate::world::*;

#[test]
fn an_error_about_the_value_of_a_variable_names_the_variable() {
    let cloud = with_package();
    for (variable, value, says) in [
        ("PROMOTE_PACKAGE_VERSION", "0.1.0", "expected a whole number from 1"),
        ("PROMOTE_TARGET_BUCKET", "Not_A_Bucket", "is not a bucket name"),
        ("PROMOTE_OUTPUT", "yaml", "[possible values: text, json]"),
        ("PROMOTE_DRY_RUN", "perhaps", "value was not a boolean"),
        ("PROMOTE_RECORD", "-", "`--output json` prints the document to standard output"),
    ] {
        let mut command = cloud.promote(Principal::Both);
        command.args(["full", "--group", GROUP]).env("PROMOTE_TARGET_BUCKET", SERVING).env(variable, value);
        let flag = variable.trim_start_matches("PROMOTE_").to_lowercase().replace('_', "-");
        let run = Run::of(command.output().expect("the binary starts"));
        run.fails(2, &[&format!("invalid value '{value}' for '{variable}', the variable of '--{flag}"), says]);
    }
}

#[test]
fn an_error_about_a_flag_names_the_flag_also_if_its_variable_is_set() {
    let cloud = with_package();
    let mut command = cloud.promote(Principal::Both);
    let arguments = ["full", "--group", GROUP, "--target-bucket", SERVING, "--package-version=latest"];
    let run = Run::of(command.args(arguments).env("PROMOTE_PACKAGE_VERSION", "1").output().expect("the binary starts"));
    run.fails(2, &["invalid value 'latest' for '--package-version <N>'"]);
}

#[test]
fn a_record_is_not_written_to_a_file_that_is_named_like_standard_output() {
    let cloud = with_package();
    let full = ["full", "--group", GROUP, "--target-bucket", SERVING];
    for verb in [&full[..], &["plan"]] {
        let folder = tempfile::tempdir().expect("a folder");
        let mut command = cloud.promote(Principal::Both);
        command.args(verb).args(["--record", "-"]).current_dir(folder.path());
        let run = Run::of(command.output().expect("the binary starts"));
        run.fails(2, &["invalid value '-' for '--record <FILE>': expected a file; `--output json` prints"]);
        assert!(!folder.path().join("-").exists());
    }
}

#[test]
fn a_plan_is_refused_by_doctor_which_carries_none_out() {
    let arguments = ["doctor", "--group", GROUP, "--target-bucket", SERVING, "--plan", "plan.json"];
    run(&with_package(), Principal::Both, &arguments).fails(2, &["unexpected argument '--plan' found"]);
}

#[test]
fn messages_are_broken_into_lines_of_100_columns_unless_a_word_is_longer() {
    let cloud = with_package();
    for arguments in [
        vec!["full", "--group", "Unheard-Of-Group", "--target-bucket", SERVING],
        vec!["full", "--group", GROUP, "--target-bucket", "no-such-bucket-anywhere"],
        vec!["full", "--group", "not/a/name", "--target-bucket", SERVING],
        vec!["verify", "--model-package", SOURCE_VERSION],
    ] {
        let run = run(&cloud, Principal::Both, &arguments);
        assert_ne!(run.code, 0);
        for line in run.printed.lines().filter(|line| line.trim().contains(' ')) {
            assert!(line.chars().count() <= 100, "{line}");
        }
    }
}

#[test]
fn a_document_that_does_not_fit_on_the_disk_does_not_hide_that_the_promotion_is_done() {
    let cloud = with_package();
    let run = promote(&cloud, &["--record", "/dev/full"]);
    let version = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/1";
    run.fails(1, &["--record /dev/full", &format!("hint: {version} is promoted, and its record is in s3://{SERVING}")]);
    assert!(run.stdout.contains("\"promoted\""), "the document is on standard output");
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Approved");
}

#[test]
fn a_rejected_version_that_is_promoted_by_its_number_is_not_called_promoted_without_more() {
    let cloud = with_package();
    for (approval, headline) in [
        ("Rejected", "Outcome    promoted as Rejected, like its source: it must not be deployed\n"),
        ("PendingManualApproval", "Outcome    promoted, and pending approval in the target\n"),
    ] {
        let arn = cloud.register(package());
        cloud.change(&arn, serde_json::json!({"ModelApprovalStatus": approval}));
        let number = arn.rsplit('/').next().expect("a number");
        let group = Cloud::group_arn(GROUP);
        let arguments = ["full", "--group", &group, "--target-bucket", SERVING, "--package-version", number];
        let run = run(&cloud, Principal::Both, &arguments);
        assert!(run.stdout.starts_with(headline), "{}{}", run.stdout, run.stderr);
    }
}

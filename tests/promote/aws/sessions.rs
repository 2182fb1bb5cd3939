//! Who acts where: credentials, profiles, roles and regions of both sides, and the variables that name them.

mod configuration;
mod expired;

use serde_json::Value;

use crate::support::calls::{Call, Service};
use crate::support::{Cloud, Failure, Moment, Principal, SOURCE_ACCOUNT, TARGET_ACCOUNT};
use crate::world::*;

const READER: &str = "arn:aws:iam::444333666777:role/reader";
const WRITER: &str = "arn:aws:iam::111222333444:role/writer";

#[test]
fn without_flags_both_sides_are_the_default_chain_s_principal() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    assert_eq!(callers(&cloud, |_| true), [Principal::Both.arn()]);
    assert!(cloud.calls_of("AssumeRole").is_empty());
}

#[test]
fn profiles_keep_the_two_accounts_apart() {
    let cloud = with_package();
    let document = promote(&cloud, &TWO_PRINCIPALS).document();
    assert_eq!(document["outcome"], "promoted");
    assert_eq!(callers(&cloud, reads_the_source), [Principal::Source.arn()]);
    assert_eq!(callers(&cloud, writes_the_target), [Principal::Target.arn()]);
    assert_eq!(document["source"]["caller"], Principal::Source.arn());
    assert_eq!(document["target"]["caller"], Principal::Target.arn());
}

#[test]
fn a_profile_wins_over_the_credentials_of_the_environment() {
    let cloud = with_package();
    promote(&cloud, &["--target-profile", "target"]).fails(0, &[]);
    assert_eq!(callers(&cloud, writes_the_target), [Principal::Target.arn()]);
    assert_eq!(
        callers(&cloud, |call| call.operation == "DescribeModelPackage" && reads_the_source(call)),
        [Principal::Both.arn()]
    );
}

#[test]
fn roles_are_assumed_on_both_sides_with_external_id_and_session_name() {
    let cloud = with_package();
    let roles = [
        "--source-role-arn",
        READER,
        "--source-external-id",
        "from-here",
        "--source-session-name",
        "reading",
        "--target-role-arn",
        WRITER,
        "--target-external-id",
        "to-there",
        "--target-session-name",
        "writing",
    ];
    let document = promote(&cloud, &roles).document();
    assert_eq!(document["outcome"], "promoted");
    assert_eq!(
        assumed(&cloud),
        [
            (READER.to_owned(), "reading".to_owned(), Some("from-here".to_owned())),
            (WRITER.to_owned(), "writing".to_owned(), Some("to-there".to_owned())),
        ]
    );
    assert_eq!(callers(&cloud, reads_the_source), ["arn:aws:sts::444333666777:assumed-role/reader/reading"]);
    assert_eq!(callers(&cloud, writes_the_target), ["arn:aws:sts::111222333444:assumed-role/writer/writing"]);
}

#[test]
fn a_session_is_named_after_the_build_unless_it_is_named() {
    let cloud = with_package();
    let run = with_variables(
        &cloud,
        &["--target-role-arn", "arn:aws:iam::111222333444:role/both"],
        &[("CODEBUILD_BUILD_ID", "promote:1234-ab"), ("USER", "somebody")],
    );
    assert_eq!(run.document()["outcome"], "promoted");
    let role = "arn:aws:iam::111222333444:role/both".to_owned();
    assert_eq!(assumed(&cloud), [(role, "promote-target-promote-1234-ab".to_owned(), None)]);
}

#[test]
fn a_role_is_assumed_with_the_profile_that_is_given() {
    let cloud = with_package();
    let flags = ["--source-profile", "source", "--source-role-arn", READER, "--target-profile", "target"];
    promote(&cloud, &flags).document();
    let calls = cloud.calls_of("AssumeRole");
    assert_eq!(calls.len(), 1);
    assert_eq!(calls[0].who.as_ref().map(|who| who.arn.clone()), Some(Principal::Source.arn()));
}

#[test]
fn the_hint_of_a_role_that_sts_throttles_or_cannot_answer_for_is_to_run_again() {
    for (code, status, hint) in [
        ("Throttling", 400, "Wait, or set AWS_MAX_ATTEMPTS to more than"),
        ("InternalFailure", 500, "All retries failed: run again"),
    ] {
        let cloud = with_package();
        cloud.fail(Moment::every("AssumeRole"), Failure::Status(status, code, "Rate exceeded"));
        let run = promote(&cloud, &["--source-role-arn", READER]);
        run.fails(1, &["source: sts:AssumeRole", hint]);
        assert!(!run.stderr.contains("Sign in"), "{}", run.stderr);
    }
}

#[test]
fn a_role_that_cannot_be_assumed_is_named_with_what_to_grant() {
    let cloud = with_package();
    for (flag, side) in [("--source-role-arn", "source"), ("--target-role-arn", "target")] {
        let role = "arn:aws:iam::444333666777:role/forbidden";
        let run = promote(&cloud, &[flag, role]);
        run.fails(1, &[&format!("{side}: sts:AssumeRole: AccessDenied: "), &format!("Grant sts:AssumeRole on {role}")]);
        assert_eq!(run.result(), "");
    }
    assert_eq!(writes(&cloud), Vec::<String>::new());
}

#[test]
fn a_profile_that_does_not_exist_is_named() {
    let cloud = with_package();
    let run = promote(&cloud, &["--source-profile", "nobody"]);
    run.fails(
        1,
        &["source: ", "profile 'nobody' does not exist\nhint: Set `--source-profile` to a profile in ", "aws-config: "],
    );
    assert!(cloud.calls().iter().all(|call| call.service != Service::SageMaker || !reads_the_source(call)));
}

#[test]
fn a_source_session_of_another_account_than_the_group_s_is_refused() {
    let cloud = with_package();
    for (flag, value) in [("--source-profile", "target"), ("--source-role-arn", "arn:aws:iam::111222333444:role/both")]
    {
        let run = promote(&cloud, &[flag, value]);
        run.fails(
            1,
            &[
                &format!(
                    "of account {TARGET_ACCOUNT}, but the model package group belongs to account {SOURCE_ACCOUNT}"
                ),
                "`--source-role-arn` and `--source-profile`",
            ],
        );
        assert_eq!(run.result(), "");
    }
    assert_eq!(writes(&cloud), Vec::<String>::new());
}

#[test]
fn the_source_is_read_in_the_region_of_its_arn_and_the_target_in_its_own() {
    let cloud = with_package();
    let document =
        with_variables(&cloud, &["--target-region", "eu-central-1"], &[("AWS_REGION", "us-west-2")]).document();
    assert_eq!(document["source"]["region"], "eu-central-1");
    assert_eq!(document["target"]["region"], "eu-central-1");
    // The download of a layer has a presigned URL.
    let signed =
        |call: &Call| call.headers.get("authorization").is_none_or(|signature| signature.contains("/eu-central-1/"));
    assert!(cloud.calls().iter().all(signed));
}

#[test]
fn a_run_without_any_region_says_how_to_give_one() {
    let cloud = with_package();
    let mut command = cloud.promote(Principal::Both);
    let run = Run::of(command.args(full()).env_remove("AWS_REGION").output().expect("the binary starts"));
    run.fails(1, &["target: ", "no region is configured", "--target-region"]);
    assert!(cloud.calls().is_empty());
}

#[test]
fn a_group_may_be_given_by_name_where_the_source_session_is_its_account_s() {
    let cloud = with_package();
    let named = ["full", "--group", GROUP, "--target-bucket", SERVING, "--output", "json"];
    let arguments: Vec<&str> = named.iter().chain(&TWO_PRINCIPALS).copied().collect();
    let document = run(&cloud, Principal::Stranger, &arguments).document();
    assert_eq!(document["source"]["model_package_arn"], SOURCE_VERSION);
    assert_eq!(document["target"]["account"], TARGET_ACCOUNT);
}

#[test]
fn the_region_of_a_group_given_by_name_can_be_named() {
    let cloud = with_package();
    let named = ["find-latest", "--group", GROUP, "--source-region", "eu-central-1", "--output", "json"];
    let mut command = cloud.promote(Principal::Source);
    let run = Run::of(command.args(named).env("AWS_REGION", "us-west-2").output().expect("the binary starts"));
    assert_eq!(run.document()["source"]["model_package_arn"], SOURCE_VERSION);
}

#[test]
fn every_setting_may_be_a_variable() {
    let cloud = with_package();
    let run = with_variables(
        &cloud,
        &["-"],
        &[
            ("PROMOTE_GROUP", &Cloud::group_arn(GROUP)),
            ("PROMOTE_TARGET_BUCKET", SERVING),
            ("PROMOTE_TARGET_GROUP", "Serving-Model"),
            ("PROMOTE_TARGET_PREFIX", "promoted"),
            ("PROMOTE_APPROVAL", "pending"),
            ("PROMOTE_SOURCE_PROFILE", "source"),
            ("PROMOTE_TARGET_PROFILE", "target"),
            ("PROMOTE_COPY_MODE", "stream"),
            ("PROMOTE_PACKAGE_VERSION", "1"),
            ("PROMOTE_OUTPUT", "json"),
        ],
    );
    let document = run.document();
    assert_eq!(document["target"]["group"], "Serving-Model");
    assert_eq!(document["target"]["prefix"], "promoted/");
    assert_eq!(document["target"]["approval_status"], "PendingManualApproval");
    assert_eq!(cloud.packages(TARGET_ACCOUNT, "Serving-Model").len(), 1);
    assert!(cloud.calls_of("CopyObject").is_empty());
    assert_eq!(callers(&cloud, reads_the_source), [Principal::Source.arn()]);
}

#[test]
fn a_flag_wins_over_its_variable() {
    let cloud = with_package();
    let variables = [("PROMOTE_TARGET_GROUP", "Other"), ("PROMOTE_OUTPUT", "text"), ("PROMOTE_APPROVAL", "pending")];
    let document = with_variables(&cloud, &["--target-group", GROUP, "--approval", "carry"], &variables).document();
    assert_eq!(document["target"]["group"], GROUP);
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Approved");
}

#[test]
fn an_empty_variable_counts_as_unset() {
    let cloud = with_package();
    let names = [
        "TARGET_GROUP",
        "TARGET_PREFIX",
        "PACKAGE_VERSION",
        "KMS_KEY_ARN",
        "APPROVAL",
        "SOURCE_ROLE_ARN",
        "SOURCE_PROFILE",
        "TARGET_ROLE_ARN",
        "TARGET_PROFILE",
        "TARGET_REGION",
        "COPY_MODE",
        "DRY_RUN",
        "OUTPUT",
        "RECORD",
        "GROUP_TAG",
        "WAIT_SECONDS",
        "NO_CREATE_GROUP",
        "IGNORE_UNKNOWN_FIELDS",
        "SOURCE_EXTERNAL_ID",
        "TARGET_ALGORITHM",
    ];
    let names = names.map(|name| format!("PROMOTE_{name}"));
    let variables: Vec<(&str, &str)> = names.iter().map(|name| (name.as_str(), "")).collect();
    assert_eq!(with_variables(&cloud, &[], &variables).document()["outcome"], "promoted");
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Approved");
}

#[test]
fn a_wrong_variable_is_a_wrong_argument() {
    let cloud = with_package();
    let run = with_variables(&cloud, &[], &[("PROMOTE_APPROVAL", "later")]);
    run.fails(2, &["invalid value 'later' for 'PROMOTE_APPROVAL', the variable of '--approval <WHAT>'"]);
    let run = with_variables(&cloud, &[], &[("PROMOTE_DRY_RUN", "perhaps")]);
    run.fails(2, &["invalid value 'perhaps' for 'PROMOTE_DRY_RUN', the variable of '--dry-run'"]);
    assert!(cloud.calls().is_empty());
}

#[test]
fn a_switch_s_variable_may_be_true_or_false() {
    let cloud = with_package();
    assert_eq!(with_variables(&cloud, &[], &[("PROMOTE_DRY_RUN", "true")]).document()["outcome"], "planned");
    assert_eq!(with_variables(&cloud, &[], &[("PROMOTE_DRY_RUN", "false")]).document()["outcome"], "promoted");
}

/// Runs `full` with JSON output, further arguments (`-` for none at all) and variables.
fn with_variables(cloud: &Cloud, more: &[&str], variables: &[(&str, &str)]) -> Run {
    let mut command = cloud.promote(Principal::Both);
    match more {
        ["-"] => command.arg("full"),
        more => command.args(full()).args(["--output", "json"]).args(more),
    };
    Run::of(command.envs(variables.iter().copied()).output().expect("the binary starts"))
}

/// Who made the calls that `which` picks, each once, in order.
fn callers(cloud: &Cloud, which: impl Fn(&Call) -> bool) -> Vec<String> {
    let calls = cloud.calls().into_iter().filter(|call| call.service != Service::Sts && which(call));
    let mut who: Vec<String> = calls.filter_map(|call| Some(call.who?.arn)).collect();
    who.sort();
    who.dedup();
    who
}

fn reads_the_source(call: &Call) -> bool {
    call.resource.starts_with("models") || call.resource.contains(SOURCE_ACCOUNT) && !call.resource.starts_with(SERVING)
}

fn writes_the_target(call: &Call) -> bool {
    call.resource.starts_with(SERVING) || call.operation.starts_with("Create") || call.operation.starts_with("Update")
}

/// Role, session name and external id of each assumed role, by role.
fn assumed(cloud: &Cloud) -> Vec<(String, String, Option<String>)> {
    let text = |request: &Value, name: &str| request[name].as_str().map(str::to_owned);
    let calls = cloud.calls_of("AssumeRole").into_iter().map(|call| call.request);
    let asked = calls.map(|asked| ["RoleArn", "RoleSessionName", "ExternalId"].map(|name| text(&asked, name)));
    let mut roles: Vec<_> = asked
        .map(|[role, session, external]| (role.unwrap_or_default(), session.unwrap_or_default(), external))
        .collect();
    roles.sort_by(|one, other| other.0.cmp(&one.0));
    roles.dedup();
    roles
}

//! Copies within S3 by another principal than the one that reads the source: it has to read the artifacts too.

use super::*;

/// Doctor with a principal of each account.
fn of_two(cloud: &Cloud, more: &[&str]) -> Run {
    let group = Cloud::group_arn(GROUP);
    let flags = [
        &["doctor", "--group", &group, "--target-bucket", SERVING, "--images", "keep", "--output", "json"][..],
        &TWO_PRINCIPALS,
    ];
    run(cloud, Principal::Stranger, &[&flags.concat(), more].concat())
}

#[test]
fn the_target_s_principal_has_to_read_the_source_only_if_s3_is_to_copy() {
    let cloud = with_package();
    let mode = ["--copy-mode", "server-side"];
    for more in [&[][..], &["--copy-mode", "stream"]] {
        assert_eq!(denied(&of_two(&cloud, more)), BTreeSet::new(), "{more:?}");
    }
    let run = of_two(&cloud, &mode);
    assert_eq!((run.code, denied(&run)), (1, BTreeSet::from([("s3:GetObject".into(), "target".into())])));
    let policies = document(&run)["policies"].as_array().cloned().unwrap_or_default();
    assert_eq!(policies.len(), 2, "{policies:#?}");
    assert_eq!(policies[0]["of"]["principal"], Principal::Target.arn());
    assert_eq!((&policies[1]["of"]["bucket"], &policies[1]["account"]), (&json!(MODELS), &json!(SOURCE_ACCOUNT)));
    let statement = &policies[1]["policy"]["Statement"][0];
    assert_eq!(statement["Principal"]["AWS"], Principal::Target.arn());
    assert_eq!(statement["Action"], json!(["s3:GetObject"]));
    assert_nothing_was_written(&cloud);
    cloud.allow(Principal::Target, "s3:GetObject", "models/*");
    let run = of_two(&cloud, &mode);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let arguments: Vec<String> = full()
        .into_iter()
        .chain([&TWO_PRINCIPALS[..], &mode, &["--images", "keep"]].concat().into_iter().map(str::to_owned))
        .collect();
    assert_eq!(super::run(&cloud, Principal::Stranger, &arguments).code, 0);
}

#[test]
fn the_target_s_principal_needs_the_key_of_the_source_too_if_s3_is_to_copy() {
    let cloud = encrypted();
    cloud.allow(Principal::Target, "s3:GetObject", "models/*");
    let run = of_two(&cloud, &["--copy-mode", "server-side"]);
    assert_eq!(denied(&run), BTreeSet::from([("kms:Decrypt".into(), "target".into())]), "{:#}", document(&run));
}

#[test]
fn what_the_target_s_principal_may_not_read_is_named_also_if_the_source_s_may_not_read_or_list() {
    for action in ["s3:ListBucket", "s3:GetObject"] {
        let cloud = with_package();
        cloud.deny(Principal::Source, action, "models*");
        let denied = denied(&of_two(&cloud, &["--copy-mode", "server-side"]));
        let expected = [("s3:GetObject", "target"), (action, "source")];
        assert_eq!(denied, BTreeSet::from(expected.map(|(action, side)| (action.to_owned(), side.to_owned()))));
    }
}

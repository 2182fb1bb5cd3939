//! Other verbs than `full` for several groups.

use super::*;

#[test]
fn withdraw_takes_a_pattern() {
    let cloud = with_groups(&["team-a", "team-b"]);
    full_of(&cloud, "team-*", &[]).document();
    let a = "arn:aws:sagemaker:eu-central-1:444333666777:model-package/team-a/1";
    cloud.change(a, json!({"ModelApprovalStatus": "Rejected"}));
    let pattern = Cloud::group_arn("team-*");
    let arguments = ["withdraw", "--group", &pattern, "--target-bucket", SERVING, "--output", "json"];
    let document = run(&cloud, Principal::Both, &arguments).document();
    assert_eq!(document["summary"]["outcomes"], json!({"nothing-to-withdraw": 1, "withdrawn": 1}));
    assert_eq!(cloud.packages(TARGET_ACCOUNT, "team-a")[0]["ModelApprovalStatus"], "Rejected");
    assert_eq!(cloud.packages(TARGET_ACCOUNT, "team-b")[0]["ModelApprovalStatus"], "Approved");
}

#[test]
fn find_latest_takes_a_pattern_and_asks_for_no_target_account() {
    let cloud = with_groups(&["team-a", "team-b"]);
    cloud.create_group(SOURCE_ACCOUNT, "team-c", json!({}));
    register(&cloud, "team-b");
    let pattern = Cloud::group_arn("team-*");
    let arguments = ["find-latest", "--group", &pattern, "--source-profile", "source"];
    let table = run(&cloud, Principal::Stranger, &arguments);
    assert_eq!(table.code, 0, "a group without an approved version is no failure of a pattern: {}", table.stderr);
    let lines: Vec<&str> = table.stdout.lines().collect();
    assert_eq!(lines[0], "GROUP    SOURCE   TARGET  OUTCOME");
    assert!(lines[1].starts_with("team-a        1        -  found"), "{}", table.stdout);
    assert!(lines[2].starts_with("team-b        2        -  found"), "{}", table.stdout);
    assert_eq!(lines.last(), Some(&"3 groups: 2 found, 1 nothing-approved"));
    let calls = cloud.calls();
    assert!(calls.iter().all(|call| call.who.as_ref().is_some_and(|who| who.principal == Principal::Source)));
    let json = run(&cloud, Principal::Stranger, &[&arguments[..], &["--output", "json"]].concat());
    let document = document_of(&json);
    assert_eq!((&document["verb"], document["summary"]["exit_code"].as_i64()), (&json!("find-latest"), Some(0)));
    assert_eq!(of(&document, "team-b")["document"]["outcome"], "found");
    assert_eq!(of(&document, "team-c")["exit_code"], 0);
    assert_eq!(of(&document, "team-c")["document"]["outcome"], "nothing-approved");
    assert!(of(&document, "team-a").get("target_group").is_none(), "there is no target: {document:#}");
    let all = [&arguments[..], &["--package-version", "1"]].concat();
    run(&cloud, Principal::Stranger, &all).fails(2, &["--package-version"]);
}

#[test]
fn doctor_takes_a_pattern() {
    let cloud = with_groups(&["team-a", "team-b"]);
    cloud.deny(Principal::Both, "sagemaker:DescribeModelPackage", &packages_of("team-a"));
    let pattern = Cloud::group_arn("team-*");
    let run = run(&cloud, Principal::Both, &["doctor", "--group", &pattern, "--target-bucket", SERVING, "--no-probes"]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert!(run.stdout.contains("GROUP") && run.stdout.contains("1 denied"), "{}", run.stdout);
}

#[test]
fn a_group_without_an_approved_version_raises_the_exit_code_of_no_verb() {
    let cloud = with_groups(&["team-a", "team-b"]);
    let b = "arn:aws:sagemaker:eu-central-1:444333666777:model-package/team-b/1";
    cloud.change(b, json!({"ModelApprovalStatus": "PendingManualApproval"}));
    cloud.create_group(SOURCE_ACCOUNT, "team-c", json!({}));
    let pattern = Cloud::group_arn("team-*");
    for (verb, more) in [
        ("full", &["--target-bucket", SERVING][..]),
        ("find-latest", &[]),
        ("doctor", &["--target-bucket", SERVING]),
        ("status", &[]),
        ("verify", &[]),
        ("withdraw", &["--target-bucket", SERVING]),
    ] {
        let run = run(&cloud, Principal::Both, &[&[verb, "--group", &pattern], more].concat());
        assert_eq!(run.code, 0, "{verb}: {}{}", run.stdout, run.stderr);
        assert!(run.stdout.lines().any(|line| line.starts_with("team-c")), "{verb}: {}", run.stdout);
    }
    let alone =
        run(&cloud, Principal::Both, &["doctor", "--group", &Cloud::group_arn("team-c"), "--target-bucket", SERVING]);
    assert_eq!(alone.code, 3, "{}{}", alone.stdout, alone.stderr);
    cloud.deny(Principal::Both, "sagemaker:CreateModelPackage", "*");
    let denied = run(&cloud, Principal::Both, &["doctor", "--group", &pattern, "--target-bucket", SERVING]);
    assert_eq!(denied.code, 1, "{}", denied.stdout);
}

#[test]
fn status_has_one_table_for_all_groups() {
    let cloud = with_groups(&["team-a", "team-b", "team-c"]);
    full_of(&cloud, "team-?", &["--first", "team-a"]).document();
    register(&cloud, "team-b");
    let c = "arn:aws:sagemaker:eu-central-1:444333666777:model-package/team-c/1";
    cloud.change(c, json!({"ModelApprovalStatus": "PendingManualApproval"}));
    let pattern = Cloud::group_arn("team-*");
    let text = run(&cloud, Principal::Both, &["status", "--group", &pattern]);
    assert_eq!((text.code, text.stderr.as_str()), (0, ""));
    assert_eq!(
        text.stdout,
        "GROUP    SOURCE   TARGET  OUTCOME\n\
         team-a        1        1  promoted, live\n\
         team-b        2        -  not promoted; version 1 is live\n\
         team-c        -        -  no source version is approved; version 1 is live; 1 approved here only\n\
         \n\
         3 groups: 1 not-promoted, 1 nothing-approved, 1 promoted\n"
    );
    let document = run(&cloud, Principal::Both, &["status", "--group", &pattern, "--output", "json"]).document();
    assert_eq!(of(&document, "team-b")["document"]["versions"][0]["state"], "not-promoted");
}

#[test]
fn verify_checks_the_live_version_of_every_group() {
    let cloud = with_groups(&["team-a", "team-b", "team-c"]);
    full_of(&cloud, "team-*", &[]).document();
    cloud.put(SERVING, "team-b/444333666777-eu-central-1-team-b-v1/models/team-b/model.tar.gz", "other");
    register(&cloud, "team-d");
    let pattern = Cloud::group_arn("team-*");
    let text = run(&cloud, Principal::Both, &["verify", "--group", &pattern]);
    assert_eq!((text.code, text.stderr.as_str()), (5, ""));
    assert_eq!(
        text.stdout,
        "GROUP    SOURCE   TARGET  OUTCOME\n\
         team-a        1        1  identical: the version and its artifacts match the record\n\
         team-b        1        1  changed: the version, an artifact, a record or a signature was changed\n\
         team-c        1        1  identical: the version and its artifacts match the record\n\
         team-d        -        -  nothing to verify: no Approved version is from the source group\n\
         \n\
         4 groups: 1 changed, 2 identical, 1 nothing-promoted\n"
    );
    let document = document_of(&run(&cloud, Principal::Both, &["verify", "--group", &pattern, "--output", "json"]));
    assert_eq!((&of(&document, "team-b")["exit_code"], &document["summary"]["exit_code"]), (&json!(5), &json!(5)));
    let one = |name: &str| run(&cloud, Principal::Both, &["verify", "--group", &Cloud::group_arn(name)]);
    one("team-b").fails(5, &[]);
    one("team-a").fails(0, &[]);
    assert!(one("team-d").told().contains("nothing to verify"), "{}", one("team-d").stdout);
}

#[test]
fn status_tells_why_the_source_of_a_group_was_not_read_and_fails() {
    let cloud = with_groups(&["team-a", "team-b"]);
    full_of(&cloud, "team-?", &[]).document();
    cloud.deny(Principal::Both, "sagemaker:ListModelPackages", &packages_of("team-b"));
    let pattern = Cloud::group_arn("team-*");
    let status = |more: &[&str]| run(&cloud, Principal::Both, &[&["status", "--group", &pattern], more].concat());
    let text = status(&[]);
    assert_eq!(text.code, 1, "{}", text.stderr);
    let json = status(&["--output", "json"]);
    let document = document_of(&json);
    assert_eq!((json.code, &document["summary"]["exit_code"]), (1, &json!(1)));
    assert_eq!(document["summary"]["outcomes"], json!({"promoted": 1, "source-unread": 1}));
    assert_eq!(of(&document, "team-b")["exit_code"], 1);
    let reason = of(&document, "team-b")["document"]["source_unread"].as_str().expect("a reason").to_owned();
    let without_request = reason.split(" (request ").next().expect("a message");
    assert!(without_request.starts_with("source: sagemaker:ListModelPackages"), "{reason}");
    let (table, rest) = text.stdout.split_once("\nMessages in full\n").expect("the messages in full");
    let row = table.lines().find(|line| line.starts_with("team-b")).expect("a row");
    assert!(row.contains("  source not read: source: sagemaker:ListModelPackages"), "{row}");
    let in_one_line = rest.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(in_one_line.starts_with(&format!("team-b {without_request}")), "{rest}");
    assert!(text.stderr.contains(&format!("error: team-b: {without_request}")), "{}", text.stderr);
    assert!(text.stderr.contains("\nhint: Grant sagemaker:ListModelPackages"), "{}", text.stderr);
    let page = status(&["--output", "html"]);
    assert_eq!(page.code, 1, "{}", page.stderr);
    for text in [
        "<span class=\"w\">Warning</span>: not every group could be read: <a href=\"#g1\">team-b</a>",
        "<span class=\"w\">Source not read</span>: source: sagemaker:ListModelPackages",
    ] {
        assert!(page.stdout.contains(text), "no {text} in {}", page.stdout);
    }
}

#[test]
fn doctor_of_a_pattern_has_each_problem_and_each_policy_once() {
    let cloud = with_groups(&["team-a", "team-b", "team-c"]);
    cloud.create_group(SOURCE_ACCOUNT, "team-d", json!({}));
    for name in ["team-a", "team-b"] {
        cloud.deny(Principal::Both, "sagemaker:DescribeModelPackage", &packages_of(name));
    }
    cloud.deny(Principal::Both, "s3:GetObject", "models/team-c/*");
    cloud.deny(Principal::Both, "s3:ListBucket", "serving");
    let pattern = Cloud::group_arn("team-*");
    let flags = ["--target-bucket", SERVING, "--images", "keep"];
    let run = run(&cloud, Principal::Both, &[&["doctor", "--group", &pattern], &flags[..]].concat());
    assert_eq!(run.code, 1, "{}", run.stderr);
    let json = super::run(
        &cloud,
        Principal::Both,
        &[&["doctor", "--group", &pattern, "--output", "json"], &flags[..]].concat(),
    );
    has_each_policy_once(&json);
    let out = &run.stdout;
    let (table, rest) = out.split_once("\nRESULT ").expect("the problems");
    assert!(table.starts_with("GROUP    SOURCE  OUTCOME\nteam-a        1  2 denied, "), "{out}");
    let (problems, policies) = rest.split_once("\n1. Account ").expect("the policies");
    assert_eq!(problems.lines().filter(|line| line.starts_with("denied ")).count(), 3, "{out}");
    let versions = "arn:aws:sagemaker:eu-central-1:444333666777:model-package";
    let problems = problems.split_whitespace().collect::<Vec<_>>().join(" ");
    for row in [
        format!("denied source sagemaker:DescribeModelPackage {versions}/team-a/1 and 1 other "),
        "denied source s3:GetObject s3://models/team-c/model.tar.gz ".to_owned(),
        "denied target s3:ListBucket arn:aws:s3:::serving ".to_owned(),
    ] {
        assert!(problems.contains(&row), "{row}: {out}");
    }
    assert!(problems.contains("is not authorized to perform"), "{out}");
    assert!(!problems.contains("team-d"), "that a group has no version is no problem: {out}");
    let in_one_line = policies.split_whitespace().collect::<Vec<_>>().join(" ");
    let of = |what: &str| in_one_line.matches(what).count();
    let own = ": policy of arn:aws:iam::111222333444:user/both (a separate policy, in addition to its other policies)";
    assert!(in_one_line.starts_with(&format!("111222333444{own} ")), "{out}");
    assert_eq!(of(": policy of the bucket models"), 1, "{out}");
    for name in ["team-a", "team-b"] {
        assert_eq!(of(&format!(": policy of {}", Cloud::group_arn(name))), 1, "{name}: {out}");
        assert_eq!(of(&format!("\"{versions}/{name}/*\"")), 2, "{name}: {out}");
    }
    assert_eq!((of(own), of("\"s3:ListBucket\"")), (1, 1), "{out}");
    assert_eq!(of("aws iam put-user-policy --user-name both --policy-name promote-"), 1, "{out}");
    // The own policy has one statement for the versions of both groups.
    let (own, _) = policies.split_once("\n2. Account ").expect("two policies");
    assert_eq!(own.matches("\"sagemaker:DescribeModelPackage\"").count(), 1, "{out}");
}

/// The document has one policy for everything that has one, and the documents of the groups have none.
fn has_each_policy_once(run: &Run) {
    let document: Value = serde_json::from_str(&run.stdout).expect("a document");
    let policies = document["policies"].as_array().cloned().unwrap_or_default();
    let mut owners: Vec<String> = policies.iter().map(|policy| policy["of"].to_string()).collect();
    owners.sort();
    assert_eq!(owners.len(), 4, "a principal, a bucket and two groups: {owners:?}");
    owners.dedup();
    assert_eq!(owners.len(), 4, "{policies:#?}");
    let bucket = policies.iter().find(|policy| policy["of"]["bucket"] == "models").cloned().unwrap_or_default();
    assert_eq!(
        (&bucket["form"], bucket["policy"]["Statement"].as_array().map(Vec::len)),
        (&json!("complete"), Some(1))
    );
    let groups = document["groups"].as_array().cloned().unwrap_or_default();
    assert!(groups.iter().all(|group| group["document"].get("policies").is_none()), "{groups:#?}");
}

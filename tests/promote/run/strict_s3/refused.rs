//! What cannot be promoted is refused before anything is written, in a sentence that says what it is.

use super::*;

/// What cannot be promoted as it is.
struct Refusal {
    /// S3 …
    sentence: &'static str,
    before: fn(&Cloud),
    flags: &'static [&'static str],
    says: &'static [&'static str],
}

const REFUSALS: &[Refusal] = &[
    Refusal {
        sentence: "has the model behind an access point",
        before: |cloud| {
            cloud.register(model("s3://arn:aws:s3:eu-central-1:444333666777:accesspoint/models/churn/model.tar.gz"));
        },
        flags: &[],
        says: &["ModelDataUrl is malformed: 's3://arn:aws:s3:", "of an access point"],
    },
    Refusal {
        sentence: "has an object with a key of the customer",
        before: |cloud| store(cloud, KEYS[0], Attributes::default().customer_key()),
        flags: &[],
        says: &[
            "churn/model.tar.gz",
            "form of Server Side Encryption",
            "hint: The object is encrypted with a customer-provided key (SSE-C)",
        ],
    },
    Refusal {
        sentence: "has a source bucket whose policy denies reads from elsewhere",
        before: |cloud| cloud.deny_reads(MODELS),
        flags: &[],
        says: &[
            "with an explicit deny in a resource-based policy",
            "hint: Check the Deny statements in the bucket policy of models, which may require a certain network or principal",
        ],
    },
    Refusal {
        sentence: "has an archived object",
        before: |cloud| store(cloud, KEYS[3], Attributes::default().storage_class("GLACIER")),
        flags: &[],
        says: &["churn/llm/shard/1.bin", "archived"],
    },
    Refusal {
        sentence: "has an object in an archive tier of Intelligent-Tiering",
        before: |cloud| store(cloud, KEYS[0], Attributes::default().archive_tier("DEEP_ARCHIVE_ACCESS")),
        flags: &[],
        says: &["churn/model.tar.gz", "archived"],
    },
    Refusal {
        sentence: "has a target bucket of another account that anybody may write",
        before: |cloud| {
            cloud.remove_bucket(SERVING);
            cloud.create_bucket(SERVING, THIRD);
            cloud.allow(Principal::Both, "s3:*", &format!("{SERVING}*"));
        },
        flags: &[],
        says: &[
            "serving is not a bucket of account 111222333444",
            "hint: Check `--target-bucket`, or name the owner of the bucket with `--target-bucket-owner`",
        ],
    },
    Refusal {
        sentence: "has a target bucket of another account that nobody may read",
        before: |cloud| {
            cloud.remove_bucket(SERVING);
            cloud.create_bucket(SERVING, THIRD);
        },
        flags: &[],
        says: &["hint: Check `--target-bucket`: the bucket serving must belong to account 111222333444"],
    },
    Refusal {
        sentence: "has a target bucket of another account than the named one",
        before: |_| {},
        flags: &["--target-bucket-owner", THIRD],
        says: &["serving is not a bucket of account 555666777888"],
    },
];

#[test]
fn what_cannot_be_promoted_is_refused_before_anything_is_written_where_s3() {
    each(AT_ONCE, REFUSALS, |case| refusal(case).with_context(|| format!("where S3 {}", case.sentence)));
}

fn refusal(case: &Refusal) -> Result<()> {
    for dry_run in [&["--dry-run"][..], &[]] {
        let cloud = with_package();
        (case.before)(&cloud);
        let full = ["full", "--group", &Cloud::group_arn(GROUP), "--target-bucket", SERVING];
        let run = run(&cloud, Principal::Both, &[&full, case.flags, dry_run].concat());
        ensure!(run.code == 1, "exit code {}: {}", run.code, run.stderr);
        for says in case.says {
            ensure!(run.stderr.contains(says), "no '{says}' in: {}", run.stderr);
        }
        ensure!(writes(&cloud).is_empty(), "{:?}", writes(&cloud));
    }
    Ok(())
}

#[test]
fn a_write_that_the_policy_of_the_bucket_denies_names_the_policy_and_the_flags() {
    for mode in ["server-side", "stream"] {
        let cloud = with_package();
        cloud.demand(SERVING, "x-amz-acl", "bucket-owner-full-control");
        promote(&cloud, &["--copy-mode", mode]).fails(
            1,
            &[
                "with an explicit deny in a resource-based policy",
                "hint: Check the Deny statements in the bucket policy of serving",
                "`--target-sse`, `--target-acl`",
            ],
        );
        assert!(cloud.keys(SERVING).is_empty() && promoted(&cloud).is_empty());
    }
}

#[test]
fn a_model_is_read_from_a_bucket_with_an_old_name_and_by_the_alias_of_an_access_point() {
    for (bucket, url) in [
        ("Old_Models", "s3://Old_Models/m.tar.gz"),
        ("Old_Models", "https://s3.amazonaws.com/Old_Models/m.tar.gz"),
        ("models-abc123-s3alias", "s3://models-abc123-s3alias/m.tar.gz"),
    ] {
        let cloud = world();
        cloud.create_bucket(bucket, SOURCE_ACCOUNT);
        cloud.put(bucket, "m.tar.gz", "weights");
        cloud.register(model(url));
        let document = promote(&cloud, &[]).document();
        let copy = format!("s3://{SERVING}/{FOLDER}{bucket}/m.tar.gz");
        assert_eq!(artifact(&document, &format!("s3://{bucket}/m.tar.gz"))["target"], copy);
        assert_eq!(create_request(&cloud)["InferenceSpecification"]["Containers"][0]["ModelDataUrl"], copy);
        assert_eq!(promote(&cloud, &[]).document()["outcome"], "already-promoted");
        let promoted = document["target"]["model_package_arn"].as_str().expect("a version");
        let verified = run(&cloud, Principal::Both, &["verify", "--model-package", promoted, "--deep"]);
        assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
    }
}

#[test]
fn a_denied_write_to_the_bucket_of_another_account_names_the_policy_of_that_bucket() {
    let cloud = with_package();
    third_account(&cloud);
    let flags =
        ["full", "--group", &Cloud::group_arn(GROUP), "--target-bucket", THEIRS, "--target-bucket-owner", THIRD];
    for action in ["s3:PutObject", "s3:ListBucket"] {
        cloud.deny(Principal::Both, action, "theirs*");
        let policy = format!("to this principal (in the bucket policy too, in account {THIRD})");
        run(&cloud, Principal::Both, &flags).fails(1, &["Grant s3:", &policy]);
    }
}

#[test]
fn an_object_below_a_prefix_whose_key_the_customer_keeps_fails_the_copy_and_nothing_is_registered() {
    for mode in ["server-side", "stream"] {
        let cloud = with_package();
        store(&cloud, KEYS[3], Attributes::default().customer_key());
        promote(&cloud, &["--dry-run"]).document();
        let says = ["copying an artifact of", KEYS[3], "The object is encrypted with a customer-provided key (SSE-C)"];
        promote(&cloud, &["--copy-mode", mode]).fails(1, &says);
        assert_eq!(promoted(&cloud).len(), 0, "{mode}");
    }
}

#[test]
fn a_source_bucket_whose_requester_has_to_pay_is_read_only_with_the_flag() {
    let cloud = with_package();
    cloud.let_requesters_pay(MODELS);
    promote(&cloud, &[]).fails(1, &["source: s3:", "s3://models", "AccessDenied", "`--source-request-payer`"]);
}

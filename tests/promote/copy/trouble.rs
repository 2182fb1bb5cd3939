//! What may happen to the two buckets while a copy is under way: it is named, nothing is registered, no upload stays
//! open, and the next run completes.

use super::*;
use crate::support::{Attributes, Body, Failure, Moment};

/// A way to copy, the flags for it, and its calls that write.
struct Way {
    flags: &'static [&'static str],
    whole: &'static str,
    part: &'static str,
    large: u64,
}

const WAYS: [Way; 2] = [
    Way { flags: &["--copy-mode", "server-side"], whole: "CopyObject", part: "UploadPartCopy", large: 6 << 30 },
    Way { flags: &["--copy-mode", "stream"], whole: "PutObject", part: "UploadPart", large: 20 << 20 },
];

/// The run failed with one error that says this, and left nothing but finished copies.
fn assert_given_up(cloud: &Cloud, way: &Way, says: &[&str]) {
    let run = promote(cloud, way.flags);
    run.fails(1, says);
    assert_eq!((run.result(), promoted(cloud).len()), ("", 0), "{}", run.stderr);
    assert!(cloud.uploads(SERVING).is_empty(), "{}", run.stderr);
    assert!(cloud.calls_of("CreateModelPackage").is_empty());
}

#[test]
fn a_source_object_that_is_replaced_between_two_parts_is_named_and_nothing_is_registered() {
    for way in WAYS {
        let cloud = with(Body::synthetic(way.large, 1), Attributes::default());
        let other = Body::synthetic(way.large, 2);
        let replace = other.clone();
        let operation = if way.whole == "PutObject" { "GetObject" } else { way.part };
        cloud.hook(Moment::on(operation, 3).at("m.tar.gz"), move |cloud| cloud.put(MODELS, "m.tar.gz", replace));
        let says = ["s3://models/m.tar.gz was replaced while it was copied", "nothing was registered"];
        assert_given_up(&cloud, &way, &says);
        assert!(cloud.keys(SERVING).is_empty());
        assert_eq!(promote(&cloud, way.flags).document()["outcome"], "promoted");
        assert!(copy(&cloud).body == other);
    }
}

#[test]
fn a_source_object_that_is_removed_in_the_middle_is_named() {
    for way in WAYS {
        let cloud = with_package();
        let operation = if way.whole == "PutObject" { "GetObject" } else { way.whole };
        let gone = |cloud: &Cloud| cloud.remove(MODELS, "churn/model.tar.gz");
        cloud.hook(Moment::on(operation, 1).at("churn/model.tar.gz"), gone);
        assert_given_up(&cloud, &way, &["s3://models/churn/model.tar.gz", "NoSuchKey"]);
    }
}

#[test]
fn a_target_that_is_full_or_forbidden_ends_the_run_and_what_was_copied_stays() {
    let failures = [
        (507, "InsufficientStorage", "The storage is full"),
        (403, "QuotaExceeded", "The quota of this bucket is used up"),
        (403, "AccessDenied", "Access Denied"),
    ];
    for (status, code, message) in failures {
        for way in WAYS {
            let cloud = with_package();
            cloud.fail(Moment::every(way.whole).at("model.tar.gz"), Failure::Status(status, code, message));
            let call = format!("target: s3:{} on s3://serving/", way.whole);
            assert_given_up(&cloud, &way, &[&call, code, message]);
            cloud.heal();
            let there = cloud.keys(SERVING);
            let document = promote(&cloud, way.flags).document();
            let artifacts = document["artifacts"].as_array().expect("artifacts");
            let found = artifacts.iter().filter(|one| one["result"] == "already-there").count();
            assert_eq!(found, there.len());
        }
    }
}

#[test]
fn a_target_that_becomes_full_within_an_object_is_named_and_the_next_run_completes_the_object() {
    for way in WAYS {
        let cloud = with(Body::synthetic(way.large, 1), Attributes::default());
        cloud.fail(Moment::on(way.part, 2).times(100), Failure::Status(507, "InsufficientStorage", "It is full"));
        let run = promote(&cloud, way.flags);
        run.fails(1, &["target: s3:UploadPart", "InsufficientStorage: It is full", "run again"]);
        assert!(cloud.keys(SERVING).iter().all(|key| key.contains("/_unfinished/")) && promoted(&cloud).is_empty());
        cloud.heal();
        assert_eq!(promote(&cloud, way.flags).document()["outcome"], "promoted");
        assert!(copy(&cloud).body == Body::synthetic(way.large, 1) && cloud.uploads(SERVING).is_empty());
    }
}

#[test]
fn a_target_bucket_that_vanishes_in_the_middle_is_named() {
    for way in WAYS {
        let cloud = with_package();
        cloud.hook(Moment::on(way.whole, 2), |cloud| cloud.remove_bucket(SERVING));
        assert_given_up(&cloud, &way, &["target: s3:", "s3://serving/", "NoSuchBucket"]);
        let cloud = with(Body::synthetic(way.large, 1), Attributes::default());
        cloud.hook(Moment::on(way.part, 2), |cloud| cloud.remove_bucket(SERVING));
        assert_given_up(&cloud, &way, &["target: s3:", "s3://serving/", "NoSuchBucket"]);
    }
}

#[test]
fn a_source_bucket_that_vanishes_in_the_middle_is_named() {
    for way in WAYS {
        let cloud = with(Body::synthetic(way.large, 1), Attributes::default());
        let operation = if way.whole == "PutObject" { "GetObject" } else { way.part };
        cloud.hook(Moment::on(operation, 2).at("m.tar.gz"), |cloud| cloud.remove_bucket(MODELS));
        assert_given_up(&cloud, &way, &["s3://models/m.tar.gz", "NoSuchBucket"]);
    }
}

#[test]
fn a_redirect_of_the_target_to_another_region_names_the_region_and_what_to_do() {
    let redirects = [(301, "PermanentRedirect"), (307, "TemporaryRedirect"), (400, "AuthorizationHeaderMalformed")];
    for (status, code) in redirects {
        let elsewhere = Failure::ElsewhereIn(status, code, "us-west-2");
        for way in WAYS {
            let cloud = with_package();
            cloud.fail(Moment::every(way.whole), elsewhere);
            let says = [
                "hint: The bucket is in us-west-2, but the target region is eu-central-1: pass `--target-region us-west-2`",
            ];
            assert_given_up(&cloud, &way, &[code, says[0]]);
            assert!(cloud.keys(SERVING).is_empty());
        }
    }
}

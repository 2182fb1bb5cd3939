//! Whole promotions with buckets and objects as AWS allows them: promote, repeat, verify, by copies within S3 and by
//! streaming.

mod refused;

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::faults::{AT_ONCE, each};
use crate::support::s3::Algorithm;
use crate::support::{Attributes, Cloud, Principal, SOURCE_ACCOUNT};
use crate::world::*;

/// An account that neither side has.
const THIRD: &str = "555666777888";
/// A bucket of that account.
const THEIRS: &str = "theirs";
const KEY: &str = "arn:aws:kms:eu-central-1:444333666777:key/of-the-source";

/// One way in which S3 behaves, or what a bucket or its objects are.
struct Case {
    /// S3 …
    sentence: &'static str,
    before: fn(&Cloud),
    /// The flags of every command.
    access: &'static [&'static str],
    /// The flags of `full` only.
    flags: &'static [&'static str],
    target: &'static str,
    /// The partition of the source.
    partition: &'static str,
}

const USUAL: Case = Case { sentence: "", before: |_| {}, access: &[], flags: &[], target: SERVING, partition: "aws" };

const fn s3(sentence: &'static str, before: fn(&Cloud)) -> Case {
    Case { sentence, before, ..USUAL }
}

const fn from_partition(partition: &'static str, sentence: &'static str, before: fn(&Cloud)) -> Case {
    Case { access: &TWO_PRINCIPALS, partition, ..s3(sentence, before) }
}

const CASES: &[Case] = &[
    s3("behaves as usual", |_| {}),
    s3("lists two keys a page", |cloud| cloud.page_size(2)),
    s3("has objects in several storage classes", |cloud| {
        let classes = ["STANDARD_IA", "ONEZONE_IA", "GLACIER_IR", "INTELLIGENT_TIERING"];
        for (key, class) in KEYS.iter().zip(classes) {
            store(cloud, key, Attributes::default().storage_class(class));
        }
    }),
    s3("has archived objects that are restored", |cloud| {
        store_all(cloud, || Attributes::default().storage_class("DEEP_ARCHIVE").restored());
    }),
    s3("has objects that are restored from an archive tier of Intelligent-Tiering", |cloud| {
        store_all(cloud, || Attributes::default().archive_tier("DEEP_ARCHIVE_ACCESS").restored());
    }),
    s3("has objects with tags and annotations that nobody may read", |cloud| {
        store_all(cloud, || Attributes::default().tag("team", "growth").annotation("lineage", "run 17"));
        for action in ["s3:GetObjectTagging", "s3:GetObjectAnnotation"] {
            cloud.deny(Principal::Both, action, "*");
        }
    }),
    s3("has objects with tags and annotations that everybody may read", |cloud| {
        store_all(cloud, || Attributes::default().tag("team", "growth").annotation("lineage", "run 17"));
        for action in ["s3:GetObjectTagging", "s3:PutObjectTagging", "s3:GetObjectAnnotation", "s3:PutObjectAnnotation"]
        {
            cloud.allow(Principal::Both, action, "*");
        }
    }),
    s3("has objects under a KMS key", |cloud| store_all(cloud, || Attributes::default().kms(KEY))),
    s3("has objects with a SHA-1", |cloud| checked(cloud, Algorithm::Sha1)),
    s3("has objects with a SHA-256", |cloud| checked(cloud, Algorithm::Sha256)),
    s3("has objects with a SHA-512", |cloud| checked(cloud, Algorithm::Sha512)),
    s3("has objects with an MD5", |cloud| checked(cloud, Algorithm::Md5)),
    s3("has objects with an XXHASH64", |cloud| checked(cloud, Algorithm::Xxhash64)),
    s3("has objects with an XXHASH3", |cloud| checked(cloud, Algorithm::Xxhash3)),
    s3("has objects with an XXHASH128", |cloud| checked(cloud, Algorithm::Xxhash128)),
    s3("has objects with a CRC32", |cloud| checked(cloud, Algorithm::Crc32)),
    s3("has objects with a CRC32C", |cloud| checked(cloud, Algorithm::Crc32c)),
    s3("has objects with a SHA-1 of their parts' checksums", |cloud| composite(cloud, Algorithm::Sha1)),
    s3("has objects with a SHA-256 of their parts' checksums", |cloud| composite(cloud, Algorithm::Sha256)),
    s3("has objects with a CRC32 of their parts' checksums", |cloud| composite(cloud, Algorithm::Crc32)),
    s3("has objects with a CRC32C of their parts' checksums", |cloud| composite(cloud, Algorithm::Crc32c)),
    s3("computes no checksums", |cloud| {
        cloud.default_checksums(false);
        store_all(cloud, || Attributes::default().parts_of(3));
    }),
    s3("does not take conditional copies", Cloud::refuse_conditional_copies),
    Case {
        flags: &["--target-sse", "AES256"],
        ..s3("denies writes without the header of SSE-S3", |cloud| {
            cloud.demand(SERVING, "x-amz-server-side-encryption", "AES256");
        })
    },
    Case {
        flags: &["--target-acl", "bucket-owner-full-control"],
        ..s3("denies writes without a canned ACL", |cloud| {
            cloud.demand(SERVING, "x-amz-acl", "bucket-owner-full-control");
        })
    },
    Case {
        access: &["--source-request-payer"],
        ..s3("lets the requester pay", |cloud| cloud.let_requesters_pay(MODELS))
    },
    Case {
        access: &["--target-bucket-owner", THIRD],
        target: THEIRS,
        ..s3("has the target bucket in a third account", third_account)
    },
    from_partition("aws-us-gov", "has the source in AWS GovCloud (US)", |cloud| cloud.move_source_to("aws-us-gov")),
    from_partition("aws-cn", "has the source in the AWS China partition", |cloud| cloud.move_source_to("aws-cn")),
];

#[test]
fn a_promotion_is_right_from_beginning_to_end_where_s3() {
    each(AT_ONCE, CASES, |case| promotion(case, &[]).with_context(|| format!("where S3 {}", case.sentence)));
}

#[test]
fn a_streamed_promotion_is_right_from_beginning_to_end_where_s3() {
    let streamed = ["--copy-mode", "stream"];
    each(AT_ONCE, CASES, |case| promotion(case, &streamed).with_context(|| format!("where S3 {}", case.sentence)));
}

/// Promotes, repeats and verifies.
fn promotion(case: &Case, mode: &[&str]) -> Result<()> {
    let cloud = with_package();
    (case.before)(&cloud);
    let group = Cloud::group_arn(GROUP).replacen("arn:aws:", &format!("arn:{}:", case.partition), 1);
    let full = ["full", "--group", &group, "--target-bucket", case.target];
    let full = [&full, case.access, case.flags, mode].concat();
    let planned = succeeds(&cloud, "the dry run", &[&full[..], &["--dry-run"]].concat())?;
    ensure!(planned["outcome"] == "planned", "{planned:#}");
    let document = succeeds(&cloud, "the promotion", &full)?;
    ensure!(document["outcome"] == "promoted", "{document:#}");
    for key in KEYS {
        let copy = artifact(&document, &format!("s3://{MODELS}/{key}"))["target"].as_str().context("a copy")?;
        let copy = copy.strip_prefix(&format!("s3://{}/", case.target)).context("it is in the target bucket")?;
        let copy = cloud.object(case.target, copy).context("the copy is there")?;
        ensure!(copy.body == cloud.object(MODELS, key).context("the source is there")?.body, "{key} differs");
        let Attributes { tags, annotations, .. } = copy.attributes;
        ensure!(tags.is_empty() && annotations.is_empty(), "{key} has {tags:?} and {annotations:?}");
    }
    let repeated = succeeds(&cloud, "the repetition", &full)?;
    ensure!(repeated["outcome"] == "already-promoted", "{repeated:#}");
    let target = document["target"]["model_package_arn"].as_str().context("a promoted version")?;
    let verify = [&["verify", "--model-package", target, "--deep"], case.access].concat();
    let verified = succeeds(&cloud, "the verification", &verify)?;
    ensure!(verified["outcome"] == "identical", "{verified:#}");
    expects_the_owner(&cloud, case)
}

/// Every request to the target bucket names its owner. Only the listing of the folders need not: it begins before STS has
/// told the account.
fn expects_the_owner(cloud: &Cloud, case: &Case) -> Result<()> {
    let owner = if case.target == THEIRS { THIRD } else { crate::support::TARGET_ACCOUNT };
    for call in cloud.calls().iter().filter(|call| call.resource.split('/').next() == Some(case.target)) {
        let named = call.headers.get("x-amz-expected-bucket-owner").map(String::as_str);
        let is_early = named.is_none() && call.operation == "ListObjectsV2";
        ensure!(named == Some(owner) || is_early, "{} {} expects the owner {named:?}", call.operation, call.resource);
    }
    Ok(())
}

/// The keys of the package's objects.
const KEYS: [&str; 4] = ["churn/model.tar.gz", "churn/report.json", "churn/llm/config.json", "churn/llm/shard/1.bin"];

/// Writes an object again with other attributes.
fn store(cloud: &Cloud, key: &str, attributes: Attributes) {
    let body = cloud.object(MODELS, key).expect("the object is there").body;
    cloud.put_with(MODELS, key, body, attributes);
}

fn store_all(cloud: &Cloud, attributes: fn() -> Attributes) {
    KEYS.iter().for_each(|key| store(cloud, key, attributes()));
}

fn checked(cloud: &Cloud, algorithm: Algorithm) {
    KEYS.iter().for_each(|key| store(cloud, key, Attributes::default().parts_of(3).checksum(algorithm)));
}

fn composite(cloud: &Cloud, algorithm: Algorithm) {
    KEYS.iter().for_each(|key| store(cloud, key, Attributes::default().parts_of(3).composite(algorithm)));
}

fn third_account(cloud: &Cloud) {
    cloud.create_bucket(THEIRS, THIRD);
    cloud.allow(Principal::Both, "s3:*", &format!("{THEIRS}*"));
}

/// Runs the program, and returns its document.
fn succeeds(cloud: &Cloud, step: &str, arguments: &[&str]) -> Result<Value> {
    let run = run(cloud, Principal::Both, &[arguments, &["--output", "json"]].concat());
    ensure!(run.code == 0, "{step} ends with exit code {}: {}", run.code, run.stderr);
    serde_json::from_str(&run.stdout).with_context(|| format!("{step}: {}", run.stdout))
}

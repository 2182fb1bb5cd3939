//! The calls of a first `full`, and of a repeated one that follows five versions, by operation. SageMaker throttles its control plane at low
//! rates, so that each call for each version counts.

use std::collections::BTreeMap;

use serde_json::json;

use crate::support::Cloud;
use crate::world::*;

/// A group with six promoted versions: the latest, and five that are followed.
fn with_five_followed() -> Cloud {
    let cloud = with_package();
    cloud.describes_until_completed(0);
    promote(&cloud, &[]).document();
    for _ in 0..5 {
        cloud.register(package());
        promote(&cloud, &[]).document();
    }
    cloud
}

/// The number of calls of a run for each operation.
fn counted(cloud: &Cloud) -> BTreeMap<String, usize> {
    let before = cloud.calls().len();
    promote(cloud, &[]).document();
    let mut counts = BTreeMap::new();
    for call in &cloud.calls()[before..] {
        *counts.entry(call.operation.clone()).or_default() += 1;
    }
    counts
}

fn counts(counts: &[(&str, usize)]) -> BTreeMap<String, usize> {
    counts.iter().map(|(operation, count)| ((*operation).to_owned(), *count)).collect()
}

/// The second version of the source.
fn second() -> String {
    SOURCE_VERSION.replace("/1", "/2")
}

/// For each of the 6 versions, a description on both sides, a listing of its records and a record. Also the listings of the
/// source (approved, rejected) and the target, the listings of all folders and of the latest version's, its two images, and
/// two calls that do not depend on the number of versions.
const UNCHANGED: [(&str, usize); 7] = [
    ("BatchGetImage", 2),
    ("DescribeModelPackage", 12),
    ("DescribeModelPackageGroup", 1),
    ("GetCallerIdentity", 1),
    ("GetObject", 6),
    ("ListModelPackages", 3),
    ("ListObjectsV2", 8),
];

/// The calls of an unchanged run, and more.
fn unchanged_and(more: &[(&str, usize)]) -> BTreeMap<String, usize> {
    let mut all = counts(&UNCHANGED);
    for (operation, count) in more {
        *all.entry((*operation).to_owned()).or_default() += count;
    }
    all
}

/// Four objects and two images of two layers are copied; the claim and the record are written.
const FIRST: [(&str, usize); 24] = [
    ("BatchGetImage", 4),
    ("CompleteLayerUpload", 4),
    ("CopyObject", 4),
    ("CreateModelPackage", 1),
    ("CreateModelPackageGroup", 1),
    ("CreateRepository", 2),
    ("DescribeModelPackage", 4),
    ("DescribeModelPackageGroup", 2),
    ("DescribeRepositories", 2),
    ("DownloadLayer", 4),
    ("GetCallerIdentity", 1),
    ("GetDownloadUrlForLayer", 4),
    ("GetObject", 1),
    ("HeadObject", 2),
    ("InitiateLayerUpload", 4),
    ("ListImageReferrers", 2),
    ("ListModelPackages", 5),
    ("ListMultipartUploads", 1),
    ("ListObjectsV2", 6),
    ("ListTags", 1),
    ("PutImage", 2),
    ("PutObject", 2),
    ("UpdateModelPackage", 1),
    ("UploadLayerPart", 4),
];

#[test]
fn a_first_run_makes_these_calls() {
    let cloud = with_package();
    cloud.describes_until_completed(0);
    assert_eq!(counted(&cloud), counts(&FIRST));
}

#[test]
fn a_repeated_run_describes_each_version_once_on_each_side() {
    let cloud = with_five_followed();
    assert_eq!(counted(&cloud), unchanged_and(&[]));
}

#[test]
fn a_withdrawal_adds_an_update_a_description_and_a_record() {
    let cloud = with_five_followed();
    cloud.change(&second(), json!({"ModelApprovalStatus": "Rejected"}));
    let more = [("DescribeModelPackage", 1), ("PutObject", 1), ("UpdateModelPackage", 1)];
    assert_eq!(counted(&cloud), unchanged_and(&more));
}

#[test]
fn approvals_add_comparisons_last_looks_at_both_versions_and_one_description_of_each_version_of_the_group() {
    let cloud = with_five_followed();
    let third = SOURCE_VERSION.replace("/1", "/3");
    for versions in [&[second()][..], &[second(), third]] {
        let decide = |status: &str| {
            versions.iter().for_each(|version| cloud.change(version, json!({"ModelApprovalStatus": status})));
        };
        decide("Rejected");
        promote(&cloud, &[]).document();
        let before = counted(&cloud);
        decide("Approved");
        // The folder of each version is listed, and the holds of the group. The places of its versions, which may have holds,
        // are looked up once.
        let approvals = versions.len();
        let more = [
            ("BatchGetImage", 2 * approvals),
            ("DescribeModelPackage", 3 * approvals + 6),
            ("ListModelPackages", 1),
            ("ListObjectsV2", 2 * approvals),
            ("PutObject", approvals),
            ("UpdateModelPackage", approvals),
        ];
        let mut expected = before;
        more.iter().for_each(|(operation, count)| *expected.entry((*operation).to_owned()).or_default() += count);
        assert_eq!(counted(&cloud), expected);
    }
}

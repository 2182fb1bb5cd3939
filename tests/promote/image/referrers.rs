//! Signatures, lists of materials and attestations: artifacts that refer to an image come along with it.

use super::*;
use crate::support::{Failure, Layer, Moment};

const SIGNATURE: &str = "application/vnd.cncf.notary.signature";

/// An index with a signature, whose child has three lists of materials, one of which is signed too.
fn signed() -> (Cloud, TestImage, Vec<TestImage>) {
    let child = TestImage::oci(&[Layer::gzip("a")]);
    let index = TestImage::index(std::slice::from_ref(&child));
    let cloud = with_image(&index);
    let mut artifacts = vec![TestImage::artifact(&index, SIGNATURE, "signature")];
    for number in 0..3 {
        artifacts.push(TestImage::artifact(&child, "application/spdx+json", &format!("materials {number}")));
    }
    artifacts.push(TestImage::artifact(&artifacts[1], SIGNATURE, "signature of the materials"));
    for artifact in &artifacts {
        cloud.push(SOURCE_ACCOUNT, "serve", "", artifact);
    }
    cloud.change_ecr(|ecr| ecr.referrers = 2);
    (cloud, index, artifacts)
}

/// The artifacts are at the target to the last byte.
fn are_there(cloud: &Cloud, artifacts: &[TestImage]) {
    let repository = cloud.repository(TARGET_ACCOUNT, "serve").expect("the repository exists");
    for artifact in artifacts {
        let there = repository.images.get(&artifact.digest()).expect("the artifact is there");
        assert_eq!(there.manifest, artifact.manifest);
        assert!(artifact.layers.iter().all(|layer| repository.layers.contains_key(&layer.digest)));
    }
}

#[test]
fn what_refers_to_an_image_comes_along_on_every_level_and_page() {
    let (cloud, index, artifacts) = signed();
    copy(&cloud, &[]).document();
    is_there(&cloud, "serve", &index);
    are_there(&cloud, &artifacts);
}

#[test]
fn a_dry_run_lists_the_repository_the_image_its_tag_and_what_refers_to_it() {
    let (cloud, index, artifacts) = signed();
    let document = copy(&cloud, &["--dry-run"]).document();
    let writes = document["planned"].as_array().cloned().unwrap_or_default();
    let subjects = |act: &str| -> Vec<String> {
        let of_act = writes.iter().filter(|write| write["act"] == act);
        let mut subjects: Vec<String> =
            of_act.filter_map(|write| write["subject"].as_str().map(str::to_owned)).collect();
        subjects.sort();
        subjects
    };
    let repository = format!("{TARGET_REGISTRY}/serve");
    assert_eq!(subjects("create-repository"), std::slice::from_ref(&repository));
    assert_eq!(subjects("copy-image"), [target_of("serve", &index.digest())]);
    let tag = index.digest().replace(':', "-")[.."sha256-".len() + 32].to_owned();
    assert_eq!(subjects("tag-image"), [format!("{repository}:promote-{tag}")]);
    let mut referrers: Vec<String> = artifacts.iter().map(|artifact| target_of("serve", &artifact.digest())).collect();
    referrers.sort();
    assert_eq!(subjects("copy-referrer"), referrers);
    assert!(image_writes(&cloud).is_empty());
}

#[test]
fn of_more_than_256_artifacts_the_others_are_left_with_a_warning() {
    let image = TestImage::small("a");
    let cloud = with_image(&image);
    for number in 0..257 {
        let artifact = TestImage::artifact(&image, SIGNATURE, &format!("signature {number}"));
        cloud.push(SOURCE_ACCOUNT, "serve", "", &artifact);
    }
    let document = copy(&cloud, &["--dry-run"]).document();
    assert_eq!(document["images"][0]["referrers"], 256);
    let warnings = document["warnings"].to_string();
    assert!(warnings.contains("more than 256"), "{warnings}");
}

#[test]
fn a_registry_whose_list_of_artifacts_does_not_end_is_left_after_some_pages() {
    let (cloud, index, _) = signed();
    // Each page is empty and names another one.
    cloud.change_ecr(|ecr| ecr.referrers = 0);
    let document = copy(&cloud, &[]).document();
    assert!(document["warnings"].to_string().contains("more than 256"), "{}", document["warnings"]);
    is_there(&cloud, "serve", &index);
}

#[test]
fn a_signature_that_is_made_after_the_review_stops_a_plan() {
    let (cloud, index, _) = signed();
    let file = cloud.home().join("plan.json").display().to_string();
    copy(&cloud, &["--dry-run", "--record", &file]).document();
    let later = TestImage::artifact(&index, SIGNATURE, "a second signature");
    cloud.push(SOURCE_ACCOUNT, "serve", "", &later);
    copy(&cloud, &["--plan", &file]).fails(1, &["not in the plan: copy the referrer", &later.digest()]);
    assert!(image_writes(&cloud).is_empty() && promoted(&cloud).is_empty());
}

#[test]
fn a_signature_that_is_made_later_comes_along_with_the_next_version() {
    let (cloud, index, mut artifacts) = signed();
    copy(&cloud, &[]).document();
    artifacts.push(TestImage::artifact(&index, SIGNATURE, "a second signature"));
    cloud.push(SOURCE_ACCOUNT, "serve", "", &artifacts[artifacts.len() - 1]);
    cloud.register(model("s3://models/churn/model.tar.gz"));
    copy(&cloud, &[]).document();
    are_there(&cloud, &artifacts);
}

#[test]
fn an_image_is_promoted_where_the_registry_does_not_list_what_refers_to_it() {
    for (code, message) in [
        ("AccessDeniedException", "not authorized to perform: ecr:ListImageReferrers"),
        ("UnknownOperationException", ""),
    ] {
        let (cloud, index, _) = signed();
        cloud.fail(Moment::every("ListImageReferrers"), Failure::Status(400, code, message));
        let document = copy(&cloud, &[]).document();
        is_there(&cloud, "serve", &index);
        assert_eq!(document["outcome"], "promoted", "{code}");
        assert!(document["warnings"].to_string().contains("ListImageReferrers"), "{code}: {}", document["warnings"]);
    }
}

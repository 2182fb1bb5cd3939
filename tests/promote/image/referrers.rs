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

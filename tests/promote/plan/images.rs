//! Images in a promotion into another region, where SageMaker cannot use those of the source.

use serde_json::json;

use crate::support::{Cloud, Principal, TARGET_ACCOUNT, TestImage};
use crate::world::*;

const IMAGE: &str = "444333666777.dkr.ecr.eu-central-1.amazonaws.com/serve:1";

/// A promotion into us-west-2.
fn promote_far(cloud: &Cloud, more: &[&str]) -> Run {
    let group = Cloud::group_arn(GROUP);
    let full =
        ["full", "--group", &group, "--target-bucket", "far", "--target-region", "us-west-2", "--output", "json"];
    run(cloud, Principal::Both, &[&full[..], more].concat())
}

fn far() -> Cloud {
    let cloud = with_package();
    cloud.create_bucket_in("far", TARGET_ACCOUNT, "us-west-2");
    cloud
}

#[test]
fn a_promotion_into_another_region_copies_the_images_there_without_a_flag() {
    let cloud = far();
    let document = promote_far(&cloud, &[]).document();
    assert_eq!((&document["outcome"], &document["images"][0]["result"]), (&json!("promoted"), &json!("copied")));
    let digest = TestImage::small("serve").digest();
    let image = format!("111222333444.dkr.ecr.us-west-2.amazonaws.com/serve@{digest}");
    let version = document["target"]["model_package_arn"].as_str().expect("a version");
    let version = cloud.package(version).expect("the version");
    assert_eq!(version["InferenceSpecification"]["Containers"][0]["Image"], image);
    let repository = cloud.repository_in(TARGET_ACCOUNT, "us-west-2", "serve").expect("a repository");
    assert!(repository.images.contains_key(&digest));
}

#[test]
fn a_promotion_into_another_region_keeps_the_images_if_it_is_told_to() {
    let cloud = far();
    let document = promote_far(&cloud, &["--images", "keep"]).document();
    assert_eq!(document["outcome"], "promoted");
    assert_eq!(not_carried(&document, "InferenceSpecification.Containers[0].Image")["value"], IMAGE);
    let again = promote_far(&cloud, &[]).document();
    assert_eq!(again["outcome"], "already-promoted", "what is promoted is followed without the flag");
}

#[test]
fn a_kept_image_is_listed_with_its_account_and_region_whichever_host_of_the_registry_it_names() {
    for host in ["dkr.ecr.eu-west-1.amazonaws.com", "dkr.ecr-fips.eu-west-1.amazonaws.com", "dkr-ecr.eu-west-1.on.aws"]
    {
        let cloud = with_package();
        let mut package = model("s3://models/churn/model.tar.gz");
        package["InferenceSpecification"]["Containers"][0]["Image"] = json!(format!("444333666777.{host}/serve:1"));
        cloud.register(package);
        let document = promote(&cloud, &["--images", "keep"]).document();
        let listed = not_carried(&document, "InferenceSpecification.Containers[0].Image");
        let reason = listed["reason"].as_str().expect("a reason");
        assert!(reason.ends_with("from account 444333666777 in eu-west-1"), "{host}: {reason}");
    }
}

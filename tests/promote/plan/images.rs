//! Images in a region that SageMaker in the target cannot use.

use serde_json::json;

use crate::support::{Cloud, Principal, TARGET_ACCOUNT};
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
fn a_promotion_into_another_region_is_refused_with_every_image_also_in_a_dry_run() {
    let cloud = far();
    for more in [&["--dry-run"][..], &[]] {
        let run = promote_far(&cloud, more);
        run.fails(
            1,
            &[
                &format!("  InferenceSpecification.Containers[0].Image is {IMAGE}; SageMaker in us-west-2 cannot use"),
                "  AdditionalInferenceSpecifications[0].Containers[0].Image is ",
                "hint: Pass `--images copy` to copy the image to us-west-2",
                "`--images keep`",
            ],
        );
    }
    assert_eq!((writes(&cloud), cloud.keys("far")), (Vec::new(), Vec::new()));
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
fn images_in_the_region_of_the_target_and_outside_ecr_are_no_obstacle() {
    let cloud = far();
    let mut package = model("s3://models/churn/model.tar.gz");
    for image in [&IMAGE.replace("eu-central-1", "us-west-2"), "registry.example.com/serve:1"] {
        package["InferenceSpecification"]["Containers"][0]["Image"] = json!(image);
        cloud.register(package.clone());
        assert_eq!(promote_far(&cloud, &[]).document()["outcome"], "promoted", "{image}");
    }
}

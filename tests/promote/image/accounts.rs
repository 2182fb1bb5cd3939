//! Images between accounts, regions and partitions.

use serde_json::json;

use super::*;
use crate::snapshot::{assert_snapshot, normalised};
use crate::support::REGION;

const FAR: &str = "us-west-2";
/// AWS's account of its own images in most regions.
const OF_AWS: &str = "763104351884";

/// A package with an image of its own and one of AWS, and a target bucket in another region.
fn far() -> (Cloud, TestImage) {
    let image = TestImage::small("own");
    let cloud = with_image(&image);
    cloud.create_bucket_in("far", TARGET_ACCOUNT, FAR);
    cloud.provide(OF_AWS, REGION, "pytorch-inference", "2.3", &TestImage::small("theirs"));
    let aws = format!("{OF_AWS}.dkr.ecr.{REGION}.amazonaws.com/pytorch-inference:2.3");
    cloud.register(of_images(&[&format!("{SOURCE_REGISTRY}/serve:1"), &aws]));
    (cloud, image)
}

/// Promotes into the other region.
fn copy_far(cloud: &Cloud) -> Run {
    let group = Cloud::group_arn(GROUP);
    let arguments = ["full", "--group", &group, "--target-bucket", "far", "--target-region", FAR];
    run(cloud, Principal::Both, &[&arguments[..], &["--images", "copy", "--output", "json"]].concat())
}

#[test]
fn a_version_in_another_region_names_images_of_that_region_only() {
    let (cloud, image) = far();
    cloud.provide(OF_AWS, FAR, "pytorch-inference", "2.3", &TestImage::small("theirs, in another build"));
    let document = copy_far(&cloud).document();
    assert_eq!(document["outcome"], "promoted");
    let request = create_request(&cloud);
    let images: Vec<&str> = request["InferenceSpecification"]["Containers"]
        .as_array()
        .into_iter()
        .flatten()
        .filter_map(|container| container["Image"].as_str())
        .collect();
    assert_eq!(
        images,
        [
            format!("{TARGET_ACCOUNT}.dkr.ecr.{FAR}.amazonaws.com/serve@{}", image.digest()),
            format!("{OF_AWS}.dkr.ecr.{FAR}.amazonaws.com/pytorch-inference:2.3"),
        ]
    );
    assert!(!request.to_string().contains(&format!(".ecr.{REGION}")), "{request:#}");
    let results: Vec<&str> =
        document["images"].as_array().into_iter().flatten().filter_map(|image| image["result"].as_str()).collect();
    assert_eq!(results, ["copied", "re-regioned"]);
    let repository = cloud.repository_in(TARGET_ACCOUNT, FAR, "serve").expect("it was created there");
    assert!(repository.images.contains_key(&image.digest()));
    assert!(cloud.repository(TARGET_ACCOUNT, "serve").is_none());
}

#[test]
fn an_image_of_aws_that_differs_from_the_approved_one_in_the_targets_region_is_told_and_recorded() {
    for (there, differs) in [("theirs", false), ("theirs, in another build", true)] {
        let (cloud, _) = far();
        let (then, now) = (TestImage::small("theirs"), TestImage::small(there));
        cloud.provide(OF_AWS, FAR, "pytorch-inference", "2.3", &now);
        let aws = format!("{OF_AWS}.dkr.ecr.{REGION}.amazonaws.com/pytorch-inference:2.3");
        let mut package = of_images(&[&aws]);
        package["InferenceSpecification"]["Containers"][0]["ImageDigest"] = json!(then.digest());
        cloud.register(package);
        let document = copy_far(&cloud).document();
        let facts = &document["images"][0];
        assert_eq!((&facts["result"], &facts["source_digest"]), (&json!("re-regioned"), &json!(then.digest())));
        assert_eq!(facts["digest"], now.digest());
        let warnings = document["warnings"].to_string();
        let is_told =
            warnings.contains("differs") && warnings.contains(&then.digest()) && warnings.contains(&now.digest());
        assert_eq!(is_told, differs, "{warnings}");
        assert_eq!(copy_far(&cloud).document()["outcome"], "already-promoted");
    }
}

#[test]
fn an_image_that_aws_does_not_provide_in_the_region_is_refused_before_the_first_write() {
    let (cloud, _) = far();
    let field = "InferenceSpecification.Containers[1].Image";
    let image = format!("{OF_AWS}.dkr.ecr.{FAR}.amazonaws.com/pytorch-inference");
    let denied = copy_far(&cloud);
    denied.fails(denied.code, &[field, &image, "ecr:BatchGetImage"]);
    let grant = format!("Grant ecr:BatchGetImage on arn:aws:ecr:{FAR}:{OF_AWS}:repository/pytorch-inference to this");
    denied.fails(denied.code, &["hint", &grant]);
    assert!(!denied.stderr.contains("ecr:PutImage"), "an image of AWS is only read: {}", denied.stderr);
    cloud.provide(OF_AWS, FAR, "pytorch-inference", "2.4", &TestImage::small("newer"));
    let absent = copy_far(&cloud);
    absent.fails(1, &[field, &format!("AWS does not provide {image}:2.3")]);
    assert_snapshot("image-that-aws-does-not-provide", &normalised(&cloud, &format!("{}--- exit 1\n", absent.stderr)));
    assert_ne!(denied.code, 0);
    assert_eq!((image_writes(&cloud), cloud.keys("far")), (Vec::new(), Vec::new()));
}

#[test]
fn an_image_of_aws_in_the_region_of_the_target_stays_as_it_is() {
    let cloud = with_image(&TestImage::small("a"));
    let aws = format!("{OF_AWS}.dkr.ecr.{REGION}.amazonaws.com/pytorch-inference:2.3");
    cloud.register(of_images(&[&aws]));
    copy(&cloud, &[]).document();
    assert_eq!(containers(&cloud)[0]["Image"], aws);
    assert!(image_writes(&cloud).is_empty());
}

#[test]
fn an_image_of_the_source_account_in_another_region_is_copied_to_the_region_of_the_target() {
    let image = TestImage::small("a");
    let cloud = with_image(&image);
    cloud.push_in(SOURCE_ACCOUNT, FAR, "other", "1", &image);
    cloud.register(of_images(&[&format!("{SOURCE_ACCOUNT}.dkr.ecr.{FAR}.amazonaws.com/other:1")]));
    copy(&cloud, &[]).document();
    is_there(&cloud, "other", &image);
}

#[test]
fn each_principal_uses_its_own_registry_only() {
    let image = TestImage::small("a");
    let cloud = with_image(&image);
    copy_as(&cloud, Principal::Stranger, &TWO_PRINCIPALS).document();
    is_there(&cloud, "serve", &image);
    for call in cloud.calls().iter().filter(|call| call.request.get("registryId").is_some()) {
        let who = call.who.as_ref().map(|who| who.account.as_str());
        assert_eq!(call.request["registryId"].as_str(), who, "{} {}", call.operation, call.resource);
    }
}

#[test]
fn an_image_gets_into_another_partition() {
    for (partition, region, suffix) in
        [("aws-us-gov", "us-gov-west-1", "amazonaws.com"), ("aws-cn", "cn-north-1", "amazonaws.com.cn")]
    {
        let image = TestImage::small("own");
        let cloud = with_image(&TestImage::small("a"));
        cloud.push_in(SOURCE_ACCOUNT, region, "own", "1", &image);
        cloud.register(of_images(&[&format!("{SOURCE_ACCOUNT}.dkr.ecr.{region}.{suffix}/own:1")]));
        cloud.move_source_to(partition);
        let group = Cloud::group_arn(GROUP).replace("arn:aws:", &format!("arn:{partition}:"));
        let mut arguments = vec!["full", "--group", &group, "--target-bucket", SERVING, "--images", "copy"];
        arguments.extend(TWO_PRINCIPALS);
        arguments.extend(["--output", "json"]);
        let run = run(&cloud, Principal::Stranger, &arguments);
        assert_eq!(run.code, 0, "{partition}: {}", run.stderr);
        is_there(&cloud, "own", &image);
        assert_eq!(containers(&cloud)[0]["Image"], target_of("own", &image.digest()), "{partition}");
    }
}

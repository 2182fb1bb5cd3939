//! Container images: what is copied to the registry of the target account, and what becomes of it there.

mod accounts;
mod approved;
mod copies;
mod denials;
mod faults;
mod large;
mod own;
mod referrers;
mod repositories;
mod tags;
mod uploads;

use serde_json::{Value, json};

use crate::support::{Cloud, Principal, SOURCE_ACCOUNT, TARGET_ACCOUNT, TestImage};
use crate::world::*;

/// The registry of the source account, and the image of [`with_image`].
const SOURCE_REGISTRY: &str = "444333666777.dkr.ecr.eu-central-1.amazonaws.com";
/// The registry of the target account.
const TARGET_REGISTRY: &str = "111222333444.dkr.ecr.eu-central-1.amazonaws.com";
/// The field of the first image.
const FIRST: &str = "InferenceSpecification.Containers[0].Image";

/// A world whose package has one container with this image, as `serve:1`.
fn with_image(image: &TestImage) -> Cloud {
    let cloud = world();
    cloud.push(SOURCE_ACCOUNT, "serve", "1", image);
    cloud.put(MODELS, "churn/model.tar.gz", "weights");
    cloud.describes_until_completed(1);
    cloud.register(model("s3://models/churn/model.tar.gz"));
    cloud
}

/// An approved package with a container for each image.
fn of_images(images: &[&str]) -> Value {
    let mut package = model("s3://models/churn/model.tar.gz");
    let container = package["InferenceSpecification"]["Containers"][0].clone();
    let containers = images.iter().map(|image| {
        let mut container = container.clone();
        container["Image"] = json!(image);
        container
    });
    package["InferenceSpecification"]["Containers"] = containers.collect();
    package
}

/// Promotes with the images.
fn copy(cloud: &Cloud, more: &[&str]) -> Run {
    promote(cloud, &[&["--images", "copy"][..], more].concat())
}

/// Promotes with the images as somebody.
fn copy_as(cloud: &Cloud, who: Principal, more: &[&str]) -> Run {
    let full = full();
    let full = full.iter().map(String::as_str);
    let arguments: Vec<&str> =
        full.chain(["--output", "json", "--images", "copy"]).chain(more.iter().copied()).collect();
    run(cloud, who, &arguments)
}

/// The image of the target that a digest of a repository names.
fn target_of(repository: &str, digest: &str) -> String {
    format!("{TARGET_REGISTRY}/{repository}@{digest}")
}

/// The containers of the last promoted version.
fn containers(cloud: &Cloud) -> Vec<Value> {
    let package = promoted(cloud).pop().expect("a version was promoted");
    package["InferenceSpecification"]["Containers"].as_array().cloned().expect("containers")
}

/// The image is in the repository of the target to the last byte, with everything that it refers to, and has a tag.
fn is_there(cloud: &Cloud, name: &str, image: &TestImage) {
    let repository = cloud.repository(TARGET_ACCOUNT, name).expect("the repository exists");
    for each in image.tree() {
        let there = repository.images.get(&each.digest()).expect("the image is there");
        assert_eq!((&there.manifest, there.media_type.as_str()), (&each.manifest, each.media_type));
        for layer in &each.layers {
            assert!(repository.layers.get(&layer.digest) == Some(&layer.content), "{}", layer.digest);
        }
    }
    let digest = image.digest();
    let tags: Vec<&String> = repository.images[&digest].tags.iter().collect();
    assert_eq!(tags, [&format!("promote-{}", &digest.replace(':', "-")[.."sha256-".len() + 32])]);
    assert!(repository.uploads.is_empty(), "an upload is left");
}

/// The calls of ECR that write.
fn image_writes(cloud: &Cloud) -> Vec<String> {
    let writes = ["CreateRepository", "InitiateLayerUpload", "UploadLayerPart", "CompleteLayerUpload", "PutImage"];
    let calls = cloud.calls().into_iter().filter(|call| writes.contains(&call.operation.as_str()));
    calls.map(|call| call.operation).collect()
}

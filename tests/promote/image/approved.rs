//! The image that was approved is the one that is promoted, whatever its tag says now.

use serde_json::json;

use super::*;

/// A world whose package names `serve:1` and the digest of the first image, and whose tag has moved to the second.
fn moved() -> (Cloud, TestImage, TestImage) {
    let (approved, other) = (TestImage::small("approved"), TestImage::small("other"));
    let cloud = with_image(&approved);
    let mut package = of_images(&[&format!("{SOURCE_REGISTRY}/serve:1")]);
    package["InferenceSpecification"]["Containers"][0]["ImageDigest"] = json!(approved.digest());
    cloud.register(package);
    cloud.push(SOURCE_ACCOUNT, "serve", "1", &other);
    (cloud, approved, other)
}

#[test]
fn a_tag_that_has_moved_is_told_and_does_not_decide() {
    let (cloud, approved, other) = moved();
    let document = copy(&cloud, &[]).document();
    assert_eq!(containers(&cloud)[0]["Image"], target_of("serve", &approved.digest()));
    is_there(&cloud, "serve", &approved);
    assert!(cloud.image(TARGET_ACCOUNT, "serve", &other.digest()).is_none());
    assert_eq!(document["images"][0]["tag_digest"], other.digest());
    for digest in [approved.digest(), other.digest()] {
        let warnings = document["warnings"].to_string();
        assert!(warnings.contains(&digest), "no {digest} in: {warnings}");
    }
}

#[test]
fn a_digest_that_is_gone_is_refused_before_the_first_write() {
    let (cloud, approved, _) = moved();
    cloud.remove_image(SOURCE_ACCOUNT, "serve", &approved.digest());
    for more in [&["--dry-run"][..], &[]] {
        copy(&cloud, more).fails(1, &[FIRST, &approved.digest(), &format!("{SOURCE_REGISTRY}/serve")]);
    }
    assert_eq!((image_writes(&cloud), cloud.keys(SERVING), promoted(&cloud).len()), (Vec::new(), Vec::new(), 0));
}

#[test]
fn a_tag_that_is_gone_does_not_matter_where_the_digest_is_known() {
    let (cloud, approved, other) = moved();
    cloud.remove_image(SOURCE_ACCOUNT, "serve", &other.digest());
    copy(&cloud, &[]).document();
    is_there(&cloud, "serve", &approved);
}

#[test]
fn the_digest_in_the_uri_decides_where_the_version_has_no_other() {
    let (image, other) = (TestImage::small("a"), TestImage::small("b"));
    let cloud = with_image(&image);
    cloud.push(SOURCE_ACCOUNT, "serve", "1", &other);
    for uri in [format!("serve@{}", image.digest()), format!("serve:1@{}", image.digest())] {
        cloud.register(of_images(&[&format!("{SOURCE_REGISTRY}/{uri}")]));
        copy(&cloud, &[]).document();
        assert_eq!(containers(&cloud)[0]["Image"], target_of("serve", &image.digest()), "{uri}");
    }
}

#[test]
fn an_image_without_tag_and_digest_is_the_latest() {
    let image = TestImage::small("a");
    let cloud = with_image(&image);
    cloud.push(SOURCE_ACCOUNT, "serve", "latest", &image);
    cloud.register(of_images(&[&format!("{SOURCE_REGISTRY}/serve")]));
    copy(&cloud, &[]).document();
    assert_eq!(containers(&cloud)[0]["Image"], target_of("serve", &image.digest()));
}

#[test]
fn a_repository_or_a_tag_that_does_not_exist_is_refused_before_the_first_write() {
    for image in ["none:1", "serve:none"] {
        let cloud = with_image(&TestImage::small("a"));
        cloud.register(of_images(&[&format!("{SOURCE_REGISTRY}/{image}")]));
        copy(&cloud, &[]).fails(1, &[FIRST, image.split(':').next().unwrap_or_default()]);
        assert_eq!((image_writes(&cloud), cloud.keys(SERVING)), (Vec::new(), Vec::new()), "{image}");
    }
}

#[test]
fn a_child_of_an_index_that_is_gone_is_refused_before_the_first_write() {
    let children = [TestImage::small("a"), TestImage::small("b")];
    let cloud = with_image(&TestImage::index(&children));
    cloud.remove_image(SOURCE_ACCOUNT, "serve", &children[1].digest());
    copy(&cloud, &[]).fails(1, &[FIRST, &children[1].digest()]);
    assert_eq!((image_writes(&cloud), cloud.keys(SERVING)), (Vec::new(), Vec::new()));
}

#[test]
fn an_archived_image_is_refused_before_the_first_write() {
    let cloud = with_image(&TestImage::small("a"));
    cloud.change_repository(SOURCE_ACCOUNT, "serve", |found| {
        found.images.values_mut().for_each(|image| image.archived = true);
    });
    copy(&cloud, &[]).fails(1, &[FIRST, "archived"]);
    assert_eq!((image_writes(&cloud), cloud.keys(SERVING)), (Vec::new(), Vec::new()));
}

#[test]
fn two_digests_of_different_images_are_refused_and_both_are_named() {
    let (image, other) = (TestImage::small("a"), TestImage::small("b"));
    let cloud = with_image(&image);
    cloud.push(SOURCE_ACCOUNT, "serve", "2", &other);
    let mut package = of_images(&[&format!("{SOURCE_REGISTRY}/serve@{}", image.digest())]);
    package["InferenceSpecification"]["Containers"][0]["ImageDigest"] = json!(other.digest());
    cloud.register(package);
    copy(&cloud, &[]).fails(1, &[FIRST, &image.digest(), &other.digest(), "but ImageDigest is sha256:"]);
    assert!(image_writes(&cloud).is_empty() && promoted(&cloud).is_empty());
}

#[test]
fn a_digest_in_capitals_is_a_digest() {
    let image = TestImage::small("a");
    let cloud = with_image(&image);
    let mut package = of_images(&[&format!("{SOURCE_REGISTRY}/serve:1")]);
    let capitals = image.digest().to_uppercase();
    package["InferenceSpecification"]["Containers"][0]["ImageDigest"] = json!(capitals);
    cloud.register(package);
    copy(&cloud, &[]).document();
    assert_eq!(containers(&cloud)[0]["Image"], target_of("serve", &image.digest()));
}

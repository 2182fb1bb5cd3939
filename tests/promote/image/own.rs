//! Images of the target's own registry and region: they are looked up, and stay where they are.

use super::*;

/// A world whose package names `own:1` of the target's registry, with the digest that it had then.
fn own(approved: &TestImage) -> Cloud {
    let cloud = with_image(&TestImage::small("a"));
    cloud.push(TARGET_ACCOUNT, "own", "1", approved);
    let mut package = of_images(&[&format!("{TARGET_REGISTRY}/own:1")]);
    package["InferenceSpecification"]["Containers"][0]["ImageDigest"] = json!(approved.digest());
    cloud.register(package);
    cloud
}

#[test]
fn an_own_image_whose_tag_names_it_stays_as_it_is() {
    let image = TestImage::small("own");
    let cloud = own(&image);
    let document = copy(&cloud, &[]).document();
    assert_eq!(containers(&cloud)[0]["Image"], format!("{TARGET_REGISTRY}/own:1"));
    assert_eq!((&document["warnings"], &document["images"][0]["kept"]), (&json!([]), &json!("own-registry")));
    assert_eq!(document["images"][0]["digest"], image.digest());
    assert!(image_writes(&cloud).is_empty());
}

#[test]
fn an_own_image_that_is_gone_is_refused_before_the_first_write() {
    let image = TestImage::small("own");
    let cloud = own(&image);
    cloud.remove_image(TARGET_ACCOUNT, "own", &image.digest());
    for more in [&["--dry-run"][..], &[]] {
        copy(&cloud, more).fails(1, &[FIRST, &image.digest(), &format!("{TARGET_REGISTRY}/own")]);
    }
    let cloud = with_image(&TestImage::small("a"));
    cloud.register(of_images(&[&format!("{TARGET_REGISTRY}/none:1")]));
    copy(&cloud, &[]).fails(1, &[FIRST, &format!("{TARGET_REGISTRY}/none has no image with the tag '1'")]);
    assert_eq!((image_writes(&cloud), cloud.keys(SERVING), promoted(&cloud).len()), (Vec::new(), Vec::new(), 0));
}

#[test]
fn an_own_image_whose_tag_has_moved_or_is_gone_is_promoted_by_its_digest_and_told() {
    for has_moved in [true, false] {
        let (image, other) = (TestImage::small("own"), TestImage::small("other"));
        let cloud = own(&image);
        cloud.push(TARGET_ACCOUNT, "own", "1", &other);
        if !has_moved {
            cloud.remove_image(TARGET_ACCOUNT, "own", &other.digest());
        }
        let document = copy(&cloud, &[]).document();
        let container = containers(&cloud)[0].clone();
        assert_eq!(container["Image"], target_of("own", &image.digest()));
        assert_eq!(container["ImageDigest"], image.digest());
        let warnings = document["warnings"].to_string();
        let says = if has_moved { other.digest() } else { "does not exist any more".to_owned() };
        assert!(warnings.contains(&says) && warnings.contains(&image.digest()), "{warnings}");
        assert!(image_writes(&cloud).is_empty());
        let again = copy(&cloud, &[]).document();
        assert_eq!((&again["outcome"], &again["changes"]), (&json!("already-promoted"), &json!([])));
    }
}

#[test]
fn an_own_image_that_may_not_be_read_is_promoted_as_it_is_named_with_a_warning() {
    let cloud = own(&TestImage::small("own"));
    let repository = "arn:aws:ecr:eu-central-1:111222333444:repository/own";
    cloud.deny(Principal::Both, "ecr:BatchGetImage", repository);
    let document = copy(&cloud, &[]).document();
    assert_eq!((&document["outcome"], &document["images"][0]["digest"]), (&json!("promoted"), &Value::Null));
    let warnings = document["warnings"].to_string();
    assert!(warnings.contains(&format!("Grant ecr:BatchGetImage on {repository}")), "{warnings}");
    assert_eq!(copy(&cloud, &[]).document()["outcome"], "already-promoted");
}

#[test]
fn verify_says_that_an_own_image_is_missing() {
    let image = TestImage::small("own");
    let cloud = own(&image);
    let document = copy(&cloud, &[]).document();
    let version = document["target"]["model_package_arn"].as_str().expect("a version").to_owned();
    let verify = ["verify", "--model-package", &version, "--output", "json"];
    assert_eq!(run(&cloud, Principal::Both, &verify).document()["outcome"], "identical");
    cloud.remove_image(TARGET_ACCOUNT, "own", &image.digest());
    let missing = run(&cloud, Principal::Both, &verify);
    assert_eq!(missing.code, 5);
    assert!(missing.stdout.contains(&target_of("own", &image.digest())), "{}", missing.stdout);
}

//! Which images are copied, with which content, and how often.

use serde_json::json;

use super::*;
use crate::support::Layer;

/// Two images of one platform each.
fn platforms() -> [TestImage; 2] {
    [TestImage::oci(&[Layer::gzip("amd64")]), TestImage::oci(&[Layer::zstd("arm64")])]
}

#[test]
fn an_image_of_every_type_is_copied_to_the_last_byte_and_named_by_its_digest() {
    let deep = TestImage::index(&[TestImage::index(&platforms()), TestImage::small("s390x")]);
    for (kind, image) in [
        ("Docker", TestImage::docker(&[Layer::docker("a"), Layer::docker("b")])),
        ("OCI", TestImage::oci(&[Layer::gzip("a")])),
        ("OCI with zstd", TestImage::oci(&[Layer::zstd("a"), Layer::gzip("b")])),
        ("OCI without a media type", TestImage::oci(&[Layer::gzip("a")]).without_media_type()),
        ("an index", TestImage::index(&platforms())),
        ("a list of Docker", TestImage::list(&[TestImage::small("a"), TestImage::small("b")])),
        ("an index of indexes", deep),
        ("an image without layers", TestImage::oci(&[])),
    ] {
        let cloud = with_image(&image);
        let document = copy(&cloud, &[]).document();
        assert_eq!(document["outcome"], "promoted", "{kind}");
        is_there(&cloud, "serve", &image);
        let container = &containers(&cloud)[0];
        assert_eq!(container["Image"], target_of("serve", &image.digest()), "{kind}");
        assert_eq!(container["ImageDigest"], image.digest(), "{kind}");
    }
}

#[test]
fn an_image_with_127_layers_is_copied() {
    let layers: Vec<Layer> = (0..127).map(|number| Layer::gzip(format!("layer {number}"))).collect();
    let image = TestImage::oci(&layers);
    let cloud = with_image(&image);
    copy(&cloud, &[]).document();
    is_there(&cloud, "serve", &image);
    assert_eq!(cloud.completed_layers().len(), 128);
}

#[test]
fn the_image_is_there_before_the_version_is_created() {
    let cloud = with_image(&TestImage::small("a"));
    copy(&cloud, &[]).document();
    let number = |operation: &str| cloud.calls_of(operation).pop().expect("it was called").number;
    assert!(number("PutImage") < number("CreateModelPackage"));
}

#[test]
fn images_that_cannot_be_copied_are_refused_by_name_before_the_first_write() {
    for (image, says) in [
        (TestImage::oci(&[Layer::gzip("a"), Layer::foreign("b")]), "foreign"),
        (TestImage::schema_1(), "application/vnd.docker.distribution.manifest.v1+prettyjws"),
    ] {
        let cloud = with_image(&image);
        copy(&cloud, &[]).fails(1, &[FIRST, says, "`--images keep`"]);
        assert_eq!((image_writes(&cloud), cloud.keys(SERVING)), (Vec::new(), Vec::new()));
    }
}

#[test]
fn an_image_whose_manifests_are_too_many_or_too_large_is_refused_before_they_are_read() {
    let children: Vec<TestImage> = (0..256).map(|number| TestImage::small(&number.to_string())).collect();
    let many = TestImage::index(&children);
    let mut large = TestImage::index(&children[..1]);
    let size = format!("\"size\": {}", children[0].manifest.len());
    large.manifest = large.manifest.replace(&size, "\"size\": 16777217");
    for image in [many, large] {
        let cloud = with_image(&image);
        copy(&cloud, &[]).fails(1, &[FIRST, &image.digest(), "more than 256 manifests, or more than 16 MiB"]);
        let read = cloud.calls_of("BatchGetImage").len();
        assert_eq!((read, image_writes(&cloud).len()), (1, 0), "only the index itself is read");
    }
}

#[test]
fn a_manifest_of_another_size_than_its_index_says_is_refused() {
    let child = TestImage::small("a");
    let mut image = TestImage::index(std::slice::from_ref(&child));
    let size = format!("\"size\": {}", child.manifest.len());
    image.manifest = image.manifest.replace(&size, "\"size\": 7");
    let cloud = with_image(&image);
    copy(&cloud, &[]).fails(1, &[FIRST, &child.digest(), "its index says 7"]);
    assert!(image_writes(&cloud).is_empty());
}

#[test]
fn an_image_of_two_containers_is_copied_once() {
    let cloud = with_image(&TestImage::small("a"));
    let image = format!("{SOURCE_REGISTRY}/serve:1");
    cloud.register(of_images(&[&image, &image]));
    let document = copy(&cloud, &[]).document();
    assert_eq!(document["images"].as_array().map(Vec::len), Some(1), "{:#}", document["images"]);
    assert_eq!(document["images"][0]["fields"].as_array().map(Vec::len), Some(2));
    assert_eq!(cloud.completed_layers().len(), 2);
    assert_eq!(cloud.calls_of("PutImage").len(), 1);
    assert_eq!(containers(&cloud)[0]["Image"], containers(&cloud)[1]["Image"]);
}

#[test]
fn a_layer_of_two_images_of_a_repository_is_copied_once() {
    let shared = Layer::gzip("base");
    let images = [TestImage::oci(&[shared.clone(), Layer::gzip("a")]), TestImage::oci(&[shared, Layer::gzip("b")])];
    let cloud = with_image(&images[0]);
    cloud.push(SOURCE_ACCOUNT, "serve", "2", &images[1]);
    cloud.register(of_images(&[&format!("{SOURCE_REGISTRY}/serve:1"), &format!("{SOURCE_REGISTRY}/serve:2")]));
    copy(&cloud, &[]).document();
    images.iter().for_each(|image| is_there(&cloud, "serve", image));
    let completed = cloud.completed_layers();
    assert_eq!(completed.len(), 5, "three layers and two configurations");
    assert_eq!(cloud.calls_of("DownloadLayer").len(), completed.len());
}

#[test]
fn an_image_that_is_there_is_not_read_and_nothing_is_written() {
    let image = TestImage::index(&platforms());
    let cloud = with_image(&image);
    copy(&cloud, &[]).document();
    cloud.register(model("s3://models/churn/model.tar.gz"));
    let before = (image_writes(&cloud), cloud.calls_of("DownloadLayer").len());
    let document = copy(&cloud, &[]).document();
    assert_eq!((document["outcome"].as_str(), promoted(&cloud).len()), (Some("promoted"), 2));
    assert_eq!(document["images"][0]["result"], "already-there");
    assert_eq!((image_writes(&cloud), cloud.calls_of("DownloadLayer").len()), before);
    assert_eq!(containers(&cloud)[0]["Image"], target_of("serve", &image.digest()));
}

#[test]
fn an_image_that_somebody_else_has_pushed_to_the_target_gets_a_tag_and_no_layer() {
    let image = TestImage::small("a");
    let cloud = with_image(&image);
    cloud.push(TARGET_ACCOUNT, "serve", "theirs", &image);
    let document = copy(&cloud, &[]).document();
    assert_eq!(document["images"][0]["result"], "already-there");
    assert_eq!(image_writes(&cloud), ["PutImage"]);
    let there = cloud.image(TARGET_ACCOUNT, "serve", &image.digest()).expect("it is there");
    assert_eq!(there.tags.len(), 2, "{:?}", there.tags);
    assert!(cloud.calls_of("DownloadLayer").is_empty());
}

#[test]
fn only_the_layers_that_the_repository_does_not_have_are_read() {
    let base = Layer::gzip("base");
    let image = TestImage::oci(&[base.clone(), Layer::gzip("new")]);
    let cloud = with_image(&image);
    cloud.push(TARGET_ACCOUNT, "serve", "old", &TestImage::oci(std::slice::from_ref(&base)));
    let document = copy(&cloud, &[]).document();
    let facts = &document["images"][0];
    assert_eq!((facts["layers"].as_u64(), facts["missing_layers"].as_u64()), (Some(3), Some(2)));
    assert!(cloud.calls_of("DownloadLayer").iter().all(|call| !call.resource.ends_with(&base.digest)));
    is_there(&cloud, "serve", &image);
}

#[test]
fn the_record_lists_each_image_with_source_target_digest_bytes_result_and_fields() {
    let image = TestImage::docker(&[Layer::docker("0123456789")]);
    let cloud = with_image(&image);
    let document = copy(&cloud, &[]).document();
    let bytes: u64 = image.layers.iter().map(|layer| layer.content.len()).sum();
    let expected = json!([{
        "source": format!("{SOURCE_REGISTRY}/serve:1"),
        "target": target_of("serve", &image.digest()),
        "digest": image.digest(),
        "result": "copied",
        "bytes": bytes + image.manifest.len() as u64,
        "layers": 2,
        "missing_layers": 2,
        "missing_bytes": bytes,
        "fields": [FIRST]
    }]);
    assert_eq!(document["images"], expected);
    let record = cloud.keys(SERVING).into_iter().find(|key| key.ends_with("promotion.json")).expect("a record");
    let record = cloud.object(SERVING, &record).expect("a record").body.bytes();
    let record: Value = serde_json::from_slice(&record).expect("JSON");
    assert_eq!(record["images"], expected);
    let text = record.to_string() + &copy(&cloud, &["--output", "text"]).stdout;
    assert!(!text.contains("X-Amz-Signature"), "{text}");
}

#[test]
fn a_dry_run_tells_what_is_missing_and_writes_nothing() {
    let image = TestImage::docker(&[Layer::docker("0123456789")]);
    let cloud = with_image(&image);
    let document = copy(&cloud, &["--dry-run"]).document();
    let facts = &document["images"][0];
    assert_eq!((facts["result"].as_str(), facts["missing_layers"].as_u64()), (Some("planned"), Some(2)));
    assert_eq!(facts["target"], target_of("serve", &image.digest()));
    assert_eq!((image_writes(&cloud), cloud.keys(SERVING)), (Vec::new(), Vec::new()));
    assert!(cloud.calls_of("DownloadLayer").is_empty());
    assert!(cloud.repository(TARGET_ACCOUNT, "serve").is_none());
}

#[test]
fn images_of_additional_specifications_are_copied_too() {
    let cloud = with_package();
    cloud.describes_until_completed(1);
    let document = copy(&cloud, &[]).document();
    assert_eq!(document["images"].as_array().map(Vec::len), Some(2));
    let version = promoted(&cloud).pop().expect("a version");
    let additional = &version["AdditionalInferenceSpecifications"][0]["Containers"][0];
    assert!(additional["Image"].as_str().is_some_and(|image| image.starts_with(&format!("{TARGET_REGISTRY}/llm@"))));
    assert!(!version.to_string().contains(&format!("{SOURCE_ACCOUNT}.dkr")), "{version:#}");
}

#[test]
fn images_of_other_registries_and_of_the_target_stay_as_they_are() {
    let cloud = with_image(&TestImage::small("a"));
    let images = [
        "public.ecr.aws/x/serve:1",
        "registry.example.com/serve:1",
        "111222333444.dkr.ecr.eu-central-1.amazonaws.com/own:1",
    ];
    cloud.push(TARGET_ACCOUNT, "own", "1", &TestImage::small("own"));
    cloud.register(of_images(&images));
    let document = copy(&cloud, &[]).document();
    let kept: Vec<&str> =
        document["images"].as_array().into_iter().flatten().filter_map(|image| image["kept"].as_str()).collect();
    assert_eq!(kept.len(), 3, "{:#}", document["images"]);
    let names: Vec<Value> = containers(&cloud).iter().map(|container| container["Image"].clone()).collect();
    assert_eq!(names, images);
    assert!(image_writes(&cloud).is_empty());
}

#[test]
fn a_version_that_was_promoted_with_its_images_kept_is_followed_as_it_is() {
    let cloud = with_image(&TestImage::small("a"));
    promote(&cloud, &["--images", "keep"]).document();
    let again = copy(&cloud, &[]).document();
    assert_eq!(again["outcome"], "already-promoted", "{again:#}");
    assert_eq!(promoted(&cloud).len(), 1);
    assert!(image_writes(&cloud).is_empty());
}

#[test]
fn a_repeated_run_with_copied_images_finds_no_difference() {
    let cloud = with_image(&TestImage::small("a"));
    copy(&cloud, &[]).document();
    let reads = cloud.calls_of("DownloadLayer").len();
    for more in [&["--images", "copy"][..], &["--images", "keep"], &[]] {
        let again = promote(&cloud, more);
        assert_eq!((again.remarks().as_str(), again.document()["outcome"].as_str()), ("", Some("already-promoted")));
    }
    assert_eq!(cloud.calls_of("DownloadLayer").len(), reads);
}

//! Layers in parts: broken connections, expired URLs, lost uploads and damaged bytes.

use super::*;
use crate::snapshot::{assert_snapshot, normalised};
use crate::support::{Body, Failure, Layer, Moment, Rate};

/// An image with a layer of more than four parts of 64 KiB.
fn in_parts() -> (Cloud, TestImage) {
    let image = TestImage::oci(&[Layer::gzip(Body::synthetic((4 << 16) + 77, 3))]);
    let cloud = with_image(&image);
    cloud.part_size_of_layers(1 << 16);
    (cloud, image)
}

/// The digest of the large layer.
fn large(image: &TestImage) -> String {
    image.layers[0].digest.clone()
}

#[test]
fn parts_have_the_announced_size_and_are_sent_in_order() {
    let (cloud, image) = in_parts();
    copy(&cloud, &[]).document();
    is_there(&cloud, "serve", &image);
    let parts: Vec<u64> = cloud
        .calls_of("UploadLayerPart")
        .iter()
        .filter_map(|call| call.request["layerPartBlob"].as_u64())
        .filter(|bytes| *bytes > 1 << 12 || *bytes == 77)
        .collect();
    assert_eq!(parts, [1 << 16, 1 << 16, 1 << 16, 1 << 16, 77]);
    let calls = cloud.calls_of("DownloadLayer");
    assert_eq!(calls.iter().filter(|call| call.resource.ends_with(&large(&image))).count(), 1, "one download a layer");
}

#[test]
fn an_expired_url_is_replaced_and_the_download_goes_on_at_its_byte() {
    let (cloud, image) = in_parts();
    cloud.change_ecr(|ecr| ecr.download_requests = Some(1));
    let broken = Moment::on("DownloadLayer", 1).at(&large(&image)).times(2);
    cloud.fail(broken, Failure::Truncate);
    copy(&cloud, &[]).document();
    is_there(&cloud, "serve", &image);
    let calls = cloud.calls_of("DownloadLayer");
    let calls: Vec<_> = calls.iter().filter(|call| call.resource.ends_with(&large(&image))).collect();
    assert!(calls.iter().any(|call| call.status == 403), "a URL has expired");
    let read: u64 = calls.iter().filter(|call| call.status < 300).map(|call| call.bytes_out).sum();
    assert_eq!(read, (4 << 16) + 77, "no byte is read twice");
    assert_eq!(cloud.completed_layers().len(), 2);
}

#[test]
fn a_download_that_breaks_off_goes_on_at_its_byte() {
    for failure in [Failure::Truncate, Failure::Reset, Failure::Status(503, "SlowDown", "Reduce your request rate.")] {
        let (cloud, image) = in_parts();
        cloud.fail(Moment::on("DownloadLayer", 1).at(&large(&image)).times(3), failure);
        copy(&cloud, &[]).document();
        is_there(&cloud, "serve", &image);
        assert_eq!(cloud.calls_of("InitiateLayerUpload").len(), 2, "{failure:?}");
    }
}

#[test]
fn a_part_whose_answer_is_lost_is_not_sent_as_another_part() {
    let (cloud, image) = in_parts();
    cloud.fail(Moment::on("UploadLayerPart", 3), Failure::ResetAfter);
    let arguments = full();
    let mut command = cloud.promote(Principal::Both);
    let run = command.args(&arguments).args(["--images", "copy", "--output", "json"]).env("AWS_MAX_ATTEMPTS", "3");
    Run::of(run.output().expect("the binary starts")).document();
    is_there(&cloud, "serve", &image);
}

#[test]
fn an_upload_that_the_registry_has_lost_begins_again() {
    for operation in ["UploadLayerPart", "CompleteLayerUpload"] {
        let (cloud, image) = in_parts();
        let lost = Failure::Status(400, "UploadNotFoundException", "The upload could not be found");
        cloud.fail(Moment::on(operation, 2), lost);
        copy(&cloud, &[]).document();
        is_there_but_for_uploads(&cloud, &image);
        assert_eq!(cloud.calls_of("InitiateLayerUpload").len(), 3, "{operation}");
    }
}

#[test]
fn a_registry_that_loses_every_upload_is_named() {
    let (cloud, _) = in_parts();
    let lost = Failure::Status(400, "UploadNotFoundException", "The upload could not be found");
    cloud.fail(Moment::every("UploadLayerPart"), lost);
    let run = copy(&cloud, &[]);
    assert_eq!(run.code, 1, "{}", run.stderr);
    assert_snapshot("uploads-that-ecr-has-lost", &normalised(&cloud, &format!("{}--- exit 1\n", run.stderr)));
}

/// The upload that was lost for the client is not lost for the registry.
fn is_there_but_for_uploads(cloud: &Cloud, image: &TestImage) {
    cloud.forget_layer_uploads();
    is_there(cloud, "serve", image);
}

#[test]
fn a_layer_that_another_run_completes_meanwhile_is_there() {
    let (cloud, image) = in_parts();
    let layer = image.layers[0].clone();
    cloud.hook(Moment::on("CompleteLayerUpload", 1).at(&large(&image)), move |cloud| {
        cloud.change_repository(TARGET_ACCOUNT, "serve", |found| {
            found.layers.insert(layer.digest, layer.content);
        });
    });
    copy(&cloud, &[]).document();
    is_there_but_for_uploads(&cloud, &image);
}

#[test]
fn a_layer_with_other_bytes_than_its_digest_says_is_not_completed() {
    let (cloud, image) = in_parts();
    cloud.change_repository(SOURCE_ACCOUNT, "serve", |found| {
        found.layers.insert(large(&image), Body::synthetic((4 << 16) + 77, 4));
    });
    copy(&cloud, &[]).fails(1, &[&large(&image), "damaged"]);
    let completed = cloud.calls_of("CompleteLayerUpload");
    assert!(completed.iter().all(|call| !call.resource.ends_with(&large(&image))));
    assert!(cloud.calls_of("PutImage").is_empty() && promoted(&cloud).is_empty());
}

#[test]
fn a_layer_of_another_length_than_its_manifest_says_is_refused_at_its_first_byte() {
    for (bytes, says) in
        [((4 << 16) + 76, "the layer has 262220 bytes"), ((4 << 16) + 78, "the layer has 262222 bytes")]
    {
        let (cloud, image) = in_parts();
        cloud.change_repository(SOURCE_ACCOUNT, "serve", |found| {
            found.layers.insert(large(&image), Body::synthetic(bytes, 3));
        });
        let run = copy(&cloud, &[]);
        run.fails(1, &[&large(&image), says, "its manifest says 262221", "`--images keep`", "Push the image again"]);
        assert_eq!(
            cloud.calls_of("DownloadLayer").iter().filter(|call| call.resource.ends_with(&large(&image))).count(),
            1
        );
        assert!(cloud.calls_of("PutImage").is_empty() && promoted(&cloud).is_empty());
    }
}

#[test]
fn a_layer_that_the_source_has_lost_is_named_once_with_what_to_do() {
    let (cloud, image) = in_parts();
    cloud.change_repository(SOURCE_ACCOUNT, "serve", |found| drop(found.layers.remove(&large(&image))));
    let run = copy(&cloud, &[]);
    run.fails(1, &["source: ecr:GetDownloadUrlForLayer", "Push the image again at the source", "`--images keep`"]);
    let error = run.stderr.split("hint:").next().expect("an error");
    assert_eq!(error.matches(&format!("layer {}", large(&image))).count(), 1, "{error}");
    assert!(cloud.calls_of("PutImage").is_empty() && promoted(&cloud).is_empty());
}

#[test]
fn a_layer_that_the_registry_removes_before_its_image_is_there_is_copied_by_the_next_run() {
    let (cloud, image) = in_parts();
    let layer = large(&image);
    cloud.hook(Moment::on("PutImage", 1), move |cloud| {
        cloud.change_repository(TARGET_ACCOUNT, "serve", |found| drop(found.layers.remove(&layer)));
    });
    copy(&cloud, &[]).fails(1, &["target: ecr:PutImage", "Check that nothing else deletes images of the repository"]);
    copy(&cloud, &[]).document();
    is_there(&cloud, "serve", &image);
}

#[test]
fn throttled_calls_are_made_again() {
    let (cloud, image) = in_parts();
    let throttled = Failure::Status(400, "ThrottlingException", "Rate exceeded");
    for operation in ["BatchGetImage", "GetDownloadUrlForLayer", "InitiateLayerUpload", "UploadLayerPart", "PutImage"] {
        cloud.fail(Moment::on(operation, 1), throttled);
    }
    let mut command = cloud.promote(Principal::Both);
    let arguments = full();
    let run = command.args(&arguments).args(["--images", "copy", "--output", "json"]).env("AWS_MAX_ATTEMPTS", "3");
    Run::of(run.output().expect("the binary starts")).document();
    is_there(&cloud, "serve", &image);
}

#[test]
fn a_registry_that_answers_10_calls_a_second_serves_a_promotion() {
    let layers: Vec<Layer> = (0..30).map(|number| Layer::gzip(format!("layer {number}"))).collect();
    let image = TestImage::oci(&layers);
    let cloud = with_image(&image);
    cloud.change_ecr(|ecr| ecr.rate = Some(Rate::new(10)));
    let mut command = cloud.promote(Principal::Both);
    // With the number of attempts and the retry mode that the program has by itself.
    command.env_remove("AWS_MAX_ATTEMPTS").args(full()).args(["--output", "json"]);
    assert_eq!(Run::of(command.output().expect("the binary starts")).document()["outcome"], "promoted");
    is_there(&cloud, "serve", &image);
    assert!(cloud.calls().iter().any(|call| call.status == 400), "no call was throttled");
}

#[test]
fn no_message_tells_the_signature_of_a_download_url() {
    for failure in [Failure::Status(404, "NoSuchKey", "The specified key does not exist."), Failure::Reset] {
        let (cloud, image) = in_parts();
        cloud.fail(Moment::every("DownloadLayer").at(&large(&image)), failure);
        let run = copy(&cloud, &["-vv"]);
        let run = if run.code == 2 { copy(&cloud, &[]) } else { run };
        run.fails(1, &[&large(&image)]);
        assert!(!run.stderr.contains("X-Amz-") && !run.stdout.contains("X-Amz-"), "{}", run.stderr);
    }
}

//! ECR: images, layers, uploads and downloads.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::client::{Client, Reply};
use crate::support::ecr::digest_of;
use crate::support::{Body, Cloud, Layer, Principal, SOURCE_ACCOUNT, TARGET_ACCOUNT, TestImage};

const OCI: &str = "application/vnd.oci.image.manifest.v1+json";

/// A repository in each account; that of the source has an image.
fn filled() -> (Cloud, TestImage) {
    let cloud = Cloud::start();
    let image = TestImage::oci(&[Layer::gzip("one"), Layer::zstd("two")]);
    cloud.push(SOURCE_ACCOUNT, "serve", "1", &image);
    cloud.create_repository(TARGET_ACCOUNT, "serve");
    cloud.part_size_of_layers(16);
    (cloud, image)
}

/// The code and the body of a refusal.
fn refused(reply: Reply) -> (String, Value) {
    assert!(reply.status >= 400, "{}", reply.text());
    (reply.headers["x-amzn-errortype"].clone(), reply.json())
}

fn code(reply: Reply) -> String {
    refused(reply).0
}

/// Uploads content in parts of 16 bytes as a layer of `serve`, and completes it.
fn upload(client: &mut Client, content: &str) -> Reply {
    let digest = digest_of(&content.into());
    let id = client.ecr("InitiateLayerUpload", json!({ "repositoryName": "serve" })).json()["uploadId"].clone();
    for (number, part) in content.as_bytes().chunks(16).enumerate() {
        let reply = client.ecr("UploadLayerPart", part_of(&id, number * 16, part));
        assert_eq!(reply.status, 200, "{}", reply.text());
    }
    client.ecr("CompleteLayerUpload", json!({ "repositoryName": "serve", "uploadId": id, "layerDigests": [digest] }))
}

fn part_of(id: &Value, first: usize, part: &[u8]) -> Value {
    json!({
        "repositoryName": "serve", "uploadId": id, "partFirstByte": first, "partLastByte": first + part.len() - 1,
        "layerPartBlob": STANDARD.encode(part)
    })
}

#[test]
fn an_image_comes_by_tag_and_by_digest_with_the_text_that_was_pushed() {
    let (cloud, image) = filled();
    let mut client = Client::new(&cloud, Principal::Source);
    let ids = json!([{ "imageTag": "1" }, { "imageDigest": image.digest() }, { "imageTag": "2" }, {}]);
    let request = json!({ "repositoryName": "serve", "imageIds": ids, "acceptedMediaTypes": [OCI] });
    let answer = client.ecr("BatchGetImage", request).json();
    for found in answer["images"].as_array().expect("a list") {
        assert_eq!(found["imageManifest"], image.manifest);
        assert_eq!(found["imageId"]["imageDigest"], image.digest());
        assert_eq!(found["imageManifestMediaType"], OCI);
    }
    let failures = [&answer["failures"][0]["failureCode"], &answer["failures"][1]["failureCode"]];
    assert_eq!(failures, ["ImageNotFound", "MissingDigestAndTag"]);
    cloud.change_repository(SOURCE_ACCOUNT, "serve", |found| {
        found.images.values_mut().for_each(|image| image.archived = true);
    });
    let request = json!({ "repositoryName": "serve", "imageIds": [{ "imageTag": "1" }] });
    assert_eq!(client.ecr("BatchGetImage", request).json()["failures"][0]["failureCode"], "ImageInaccessible");
}

#[test]
fn a_client_that_does_not_accept_the_media_type_gets_another_manifest() {
    let (cloud, image) = filled();
    let index = TestImage::index(&[image.clone(), TestImage::docker(&[Layer::docker("three")])]);
    cloud.push(SOURCE_ACCOUNT, "serve", "all", &index);
    let mut client = Client::new(&cloud, Principal::Source);
    let mut text = |tag: &str, accepted: &[&str]| {
        let ids = json!([{ "imageTag": tag }]);
        let request = json!({ "repositoryName": "serve", "imageIds": ids, "acceptedMediaTypes": accepted });
        client.ecr("BatchGetImage", request).json()["images"][0]["imageManifest"].clone()
    };
    assert_eq!(text("all", &[index.media_type]), index.manifest);
    assert_eq!(text("all", &[OCI]), image.manifest);
    assert_ne!(text("1", &["application/vnd.docker.distribution.manifest.v2+json"]), image.manifest);
}

#[test]
fn pulls_across_accounts_take_a_policy() {
    let (cloud, image) = filled();
    let pull = |who| {
        let ids = json!([{ "imageDigest": image.digest() }]);
        let request = json!({ "registryId": SOURCE_ACCOUNT, "repositoryName": "serve", "imageIds": ids });
        Client::new(&cloud, who).ecr("BatchGetImage", request)
    };
    assert_eq!(pull(Principal::Both).status, 200);
    let (code, body) = refused(pull(Principal::Target));
    assert_eq!(code, "AccessDeniedException");
    let says = "is not authorized to perform: ecr:BatchGetImage on resource: \
                arn:aws:ecr:eu-central-1:444333666777:repository/serve because no resource-based policy allows the \
                ecr:BatchGetImage action";
    assert!(body["message"].as_str().expect("a text").ends_with(says), "{body}");
    cloud.change_repository(SOURCE_ACCOUNT, "serve", |found| found.shared = true);
    assert_eq!(pull(Principal::Target).status, 200);
    let elsewhere = json!({ "registryId": SOURCE_ACCOUNT, "repositoryName": "serve" });
    let refusal = Client::new(&cloud, Principal::Target).ecr("InitiateLayerUpload", elsewhere);
    assert_eq!(self::code(refusal), "AccessDeniedException");
    cloud.move_source_to("aws-cn");
    assert_eq!(self::code(pull(Principal::Both)), "AccessDeniedException");
}

#[test]
fn a_layer_is_uploaded_in_order_and_verified() {
    let (cloud, _) = filled();
    let mut client = Client::new(&cloud, Principal::Target);
    let content = "a layer of more than sixteen bytes";
    assert_eq!(upload(&mut client, content).status, 200);
    assert_eq!(code(upload(&mut client, content)), "LayerAlreadyExistsException");
    let id = client.ecr("InitiateLayerUpload", json!({ "repositoryName": "serve" })).json()["uploadId"].clone();
    let (refusal, body) = refused(client.ecr("UploadLayerPart", part_of(&id, 16, b"0123456789abcdef")));
    assert_eq!((refusal.as_str(), body.get("lastValidByteReceived")), ("InvalidLayerPartException", None));
    assert_eq!(client.ecr("UploadLayerPart", part_of(&id, 0, b"0123456")).json()["lastByteReceived"], 6);
    let (_, body) = refused(client.ecr("UploadLayerPart", part_of(&id, 0, b"0123456")));
    assert_eq!(body["lastValidByteReceived"], 6);
    assert_eq!(client.ecr("UploadLayerPart", part_of(&id, 7, b"8")).status, 200);
    let complete = |digest: String| json!({ "repositoryName": "serve", "uploadId": id, "layerDigests": [digest] });
    let right = digest_of(&"01234568".into());
    assert_eq!(code(client.ecr("CompleteLayerUpload", complete(right.clone()))), "LayerPartTooSmallException");
    cloud.change_ecr(|ecr| ecr.smallest_part = 4);
    assert_eq!(code(client.ecr("CompleteLayerUpload", complete(digest_of(&"x".into())))), "InvalidLayerException");
    assert_eq!(client.ecr("CompleteLayerUpload", complete(right.clone())).json()["layerDigest"], right);
    assert_eq!(code(client.ecr("CompleteLayerUpload", complete(right.clone()))), "UploadNotFoundException");
    let digests = json!([right, digest_of(&"none".into())]);
    let request = json!({ "repositoryName": "serve", "layerDigests": digests });
    let layers = client.ecr("BatchCheckLayerAvailability", request).json()["layers"].clone();
    assert_eq!((&layers[0]["layerAvailability"], &layers[0]["layerSize"]), (&json!("AVAILABLE"), &json!(8)));
    assert_eq!(layers[1]["layerAvailability"], "UNAVAILABLE");
    assert_eq!(cloud.completed_layers(), [digest_of(&content.into()), right]);
    assert_eq!(cloud.layer_traffic().written, 34 * 2 + 16 + 7 + 7 + 1);
}

#[test]
fn a_part_of_more_than_twenty_mebibytes_and_one_of_another_length_are_refused() {
    let (cloud, _) = filled();
    let mut client = Client::new(&cloud, Principal::Target);
    let id = client.ecr("InitiateLayerUpload", json!({ "repositoryName": "serve" })).json()["uploadId"].clone();
    let mut part = part_of(&id, 0, b"0123");
    part["partLastByte"] = json!(4);
    assert_eq!(code(client.ecr("UploadLayerPart", part)), "InvalidParameterException");
    let large = Body::synthetic(20_971_521, 1).bytes();
    assert_eq!(code(client.ecr("UploadLayerPart", part_of(&id, 0, &large))), "InvalidParameterException");
    let empty = json!({ "repositoryName": "serve", "uploadId": id, "layerDigests": [digest_of(&"".into())] });
    assert_eq!(code(client.ecr("CompleteLayerUpload", empty)), "EmptyUploadException");
}

#[test]
fn an_image_is_taken_with_everything_that_it_refers_to_and_under_its_digest() {
    let (cloud, image) = filled();
    let mut client = Client::new(&cloud, Principal::Target);
    let put = |image: &TestImage, more: Value| {
        let mut request = json!({ "repositoryName": "serve", "imageManifest": image.manifest });
        request.as_object_mut().expect("an object").extend(more.as_object().cloned().expect("an object"));
        request
    };
    assert_eq!(code(client.ecr("PutImage", put(&image, json!({})))), "LayersNotFoundException");
    cloud.change_repository(TARGET_ACCOUNT, "serve", |found| {
        found.layers.extend(image.layers.iter().map(|layer| (layer.digest.clone(), layer.content.clone())));
    });
    let wrong = json!({ "imageDigest": digest_of(&"x".into()) });
    assert_eq!(code(client.ecr("PutImage", put(&image, wrong))), "ImageDigestDoesNotMatchException");
    let index = TestImage::index(std::slice::from_ref(&image));
    assert_eq!(code(client.ecr("PutImage", put(&index, json!({})))), "ReferencedImagesNotFoundException");
    assert_eq!(client.ecr("PutImage", put(&image, json!({}))).status, 200);
    assert_eq!(code(client.ecr("PutImage", put(&image, json!({})))), "ImageAlreadyExistsException");
    assert_eq!(client.ecr("PutImage", put(&image, json!({ "imageTag": "a" }))).status, 200);
    assert_eq!(code(client.ecr("PutImage", put(&image, json!({ "imageTag": "a" })))), "ImageAlreadyExistsException");
    assert_eq!(client.ecr("PutImage", put(&index, json!({ "imageTag": "a" }))).status, 200);
    assert!(cloud.image(TARGET_ACCOUNT, "serve", &image.digest()).is_some_and(|image| image.tags.is_empty()));
    cloud.change_repository(TARGET_ACCOUNT, "serve", |found| found.mutability = "IMMUTABLE".into());
    let moved = client.ecr("PutImage", put(&image, json!({ "imageTag": "a" })));
    assert_eq!(code(moved), "ImageTagAlreadyExistsException");
    let untyped = image.without_media_type();
    assert_eq!(code(client.ecr("PutImage", put(&untyped, json!({})))), "InvalidParameterException");
    assert_eq!(client.ecr("PutImage", put(&untyped, json!({ "imageManifestMediaType": OCI }))).status, 200);
}

#[test]
fn a_layer_is_downloaded_from_a_url_that_expires() {
    let (cloud, image) = filled();
    let digest = image.layers[0].digest.clone();
    let mut client = Client::new(&cloud, Principal::Source);
    let url = |client: &mut Client| {
        let request = json!({ "repositoryName": "serve", "layerDigest": digest });
        let url = client.ecr("GetDownloadUrlForLayer", request).json()["downloadUrl"].clone();
        url.as_str().expect("a URL").strip_prefix(&cloud.endpoint()).expect("it is here").to_owned()
    };
    let first = url(&mut client);
    // The client signs each request, and presigned URLs must not be signed again.
    assert_eq!(client.get(&first).element("Code"), "InvalidArgument");
    let download = |target: &str, range: &str| {
        let headers = if range.is_empty() { vec![] } else { vec![("range", range)] };
        Client::new(&cloud, Principal::Source).ask_unsigned(target, &headers)
    };
    assert_eq!(download(&first, "").text(), "one");
    let part = download(&first, "bytes=1-");
    assert_eq!((part.status, part.text().as_str()), (206, "ne"));
    assert_eq!(part.headers["content-range"], "bytes 1-2/3");
    assert_eq!(download(&first, "bytes=3-").status, 416);
    assert_eq!(download(&first.replace("Signature=", "Signature=0"), "").status, 403);
    cloud.change_ecr(|ecr| ecr.download_requests = Some(4));
    assert_eq!(download(&first, "").status, 200);
    assert_eq!(download(&first, "").status, 403);
    let second = url(&mut client);
    cloud.change_ecr(|ecr| (ecr.download_requests, ecr.download_bytes) = (None, Some(2)));
    assert_eq!([download(&second, "").status, download(&second, "").status], [200, 403]);
    let read = cloud.layer_traffic().read;
    assert_eq!(read, 3 + 2 + 3 + 3);
}

#[test]
fn only_a_layer_of_an_image_can_be_downloaded() {
    let (cloud, _) = filled();
    let mut client = Client::new(&cloud, Principal::Target);
    upload(&mut client, "nobody's");
    let ask = |content: &str| json!({ "repositoryName": "serve", "layerDigest": digest_of(&content.into()) });
    assert_eq!(code(client.ecr("GetDownloadUrlForLayer", ask("nobody's"))), "LayerInaccessibleException");
    assert_eq!(code(client.ecr("GetDownloadUrlForLayer", ask("none"))), "LayersNotFoundException");
}

#[test]
fn repositories_are_created_once_and_described() {
    let (cloud, _) = filled();
    let mut client = Client::new(&cloud, Principal::Target);
    let exists = client.ecr("CreateRepository", json!({ "repositoryName": "serve" }));
    assert_eq!(code(exists), "RepositoryAlreadyExistsException");
    assert_eq!(code(client.ecr("CreateRepository", json!({ "repositoryName": "Serve" }))), "InvalidParameterException");
    let request = json!({
        "repositoryName": "team/serve", "imageTagMutability": "IMMUTABLE_WITH_EXCLUSION",
        "imageTagMutabilityExclusionFilters": [{ "filterType": "WILDCARD", "filter": "dev-*" }],
        "imageScanningConfiguration": { "scanOnPush": true }
    });
    let created = client.ecr("CreateRepository", request).json()["repository"].clone();
    assert_eq!(created["repositoryUri"], "111222333444.dkr.ecr.eu-central-1.amazonaws.com/team/serve");
    let described = client.ecr("DescribeRepositories", json!({ "repositoryNames": ["team/serve"] })).json();
    assert_eq!(described["repositories"], json!([created]));
    assert_eq!(created["imageTagMutabilityExclusionFilters"][0]["filter"], "dev-*");
    let missing = client.ecr("DescribeRepositories", json!({ "repositoryNames": ["none"] }));
    assert_eq!(code(missing), "RepositoryNotFoundException");
    let missing = client.ecr("InitiateLayerUpload", json!({ "repositoryName": "none" }));
    assert_eq!(code(missing), "RepositoryNotFoundException");
}

#[test]
fn what_is_about_an_image_is_listed_page_by_page() {
    let (cloud, image) = filled();
    for content in ["signature", "materials", "provenance"] {
        let artifact = TestImage::artifact(&image, &format!("application/{content}"), content);
        cloud.push(SOURCE_ACCOUNT, "serve", "", &artifact);
    }
    cloud.change_ecr(|ecr| ecr.referrers = 2);
    let mut client = Client::new(&cloud, Principal::Source);
    let mut request = json!({ "repositoryName": "serve", "subjectId": { "imageDigest": image.digest() } });
    let first = client.ecr("ListImageReferrers", request.clone()).json();
    request["nextToken"] = first["nextToken"].clone();
    let second = client.ecr("ListImageReferrers", request).json();
    let pages = [&first, &second].map(|page| page["referrers"].as_array().map(Vec::len));
    assert_eq!((pages, second.get("nextToken")), ([Some(2), Some(1)], None));
}

#[test]
fn a_synthetic_layer_has_its_real_digest_and_takes_no_memory() {
    let content = Body::synthetic(40_000, 9);
    assert_eq!(digest_of(&content), digest_of(&content.bytes().into()));
}

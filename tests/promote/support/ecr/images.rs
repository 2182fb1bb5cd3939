//! The images of a repository, by tag and digest.

use super::layers::is_digest;
use super::manifests::{DOCKER_MANIFEST, artifact_type, blobs, children, subject};
use super::{Ask, Image, Repository, digest_of, invalid};
use crate::support::wire::Refusal;
use serde_json::{Value, json};

/// The largest manifest.
const LARGEST: usize = 4 << 20;

/// BatchGetImage: what is missing is in `failures`.
pub fn batch_get(mut ask: Ask) -> Result<Value, Refusal> {
    let ids = ask.list("imageIds", 100)?;
    let accepted: Vec<String> = match ask.request["acceptedMediaTypes"].as_array() {
        Some(types) => types.iter().filter_map(|kind| kind.as_str().map(str::to_owned)).collect(),
        None => vec![DOCKER_MANIFEST.to_owned()],
    };
    let (account, name) = (ask.account(), ask.name().to_owned());
    let repository = ask.repository()?;
    let (mut images, mut failures) = (Vec::new(), Vec::new());
    for id in ids {
        match find(repository, &id) {
            Ok((digest, image)) => {
                let (manifest, kind) = converted(repository, image, &accepted);
                let mut found = json!({ "imageDigest": digest });
                if let Some(tag) = id.get("imageTag") {
                    found["imageTag"] = tag.clone();
                }
                images.push(json!({
                    "registryId": account, "repositoryName": name, "imageId": found,
                    "imageManifest": manifest, "imageManifestMediaType": kind
                }));
            }
            Err((code, reason)) => {
                failures.push(json!({ "imageId": id, "failureCode": code, "failureReason": reason }));
            }
        }
    }
    Ok(json!({ "images": images, "failures": failures }))
}

fn find<'a>(repository: &'a Repository, id: &Value) -> Result<(&'a String, &'a Image), (&'static str, &'static str)> {
    let (digest, tag) = (id["imageDigest"].as_str(), id["imageTag"].as_str());
    if digest.is_some_and(|digest| !is_digest(digest)) {
        return Err(("InvalidImageDigest", "Invalid image digest"));
    }
    let missing = ("ImageNotFound", "Requested image not found");
    let tagged = |tag: &str| repository.images.iter().find(|(_, image)| image.tags.contains(tag));
    let found = match (digest, tag) {
        (None, None) => return Err(("MissingDigestAndTag", "Missing digest and tag")),
        (Some(digest), None) => repository.images.get_key_value(digest),
        (None, Some(tag)) => tagged(tag),
        (Some(digest), Some(tag)) => match tagged(tag) {
            Some((other, _)) if other != digest => {
                return Err(("ImageTagDoesNotMatchDigest", "The image tag does not match the digest"));
            }
            found => found,
        },
    };
    match found.ok_or(missing)? {
        (_, image) if image.archived => Err(("ImageInaccessible", "The image is archived")),
        found => Ok(found),
    }
}

/// The manifest as it is, or what a client gets that does not say that it knows the media type: the first image of an
/// index, and another spelling of the manifest, each with another digest.
fn converted(repository: &Repository, image: &Image, accepted: &[String]) -> (String, String) {
    if accepted.contains(&image.media_type) {
        return (image.manifest.clone(), image.media_type.clone());
    }
    let parsed: Value = serde_json::from_str(&image.manifest).unwrap_or_default();
    let first = children(&parsed).first().and_then(|first| repository.images.get(first));
    match first {
        Some(first) => (first.manifest.clone(), first.media_type.clone()),
        None => (parsed.to_string(), DOCKER_MANIFEST.to_owned()),
    }
}

/// PutImage: whatever the manifest refers to has to be there.
pub fn put(mut ask: Ask) -> Result<Value, Refusal> {
    let manifest = ask.required("imageManifest")?.to_owned();
    let text = |member: &str| ask.request[member].as_str().map(str::to_owned);
    let (kind, tag, expected) = (text("imageManifestMediaType"), text("imageTag"), text("imageDigest"));
    let (account, name) = (ask.account(), ask.name().to_owned());
    let repository = ask.repository()?;
    let (digest, kind) = checked(repository, &manifest, kind, expected)?;
    if let Some(tag) = &tag {
        check_tag(repository, tag, &digest)?;
    }
    let known = repository.images.get(&digest);
    if known.is_some_and(|image| tag.as_ref().is_none_or(|tag| image.tags.contains(tag))) {
        let message = format!("Image with digest '{digest}' and tag '{}' already exists", tag.unwrap_or_default());
        return Err(Refusal::new(400, "ImageAlreadyExistsException", message));
    }
    store(repository, &manifest, &kind, tag.as_deref());
    let mut id = json!({ "imageDigest": digest });
    if let Some(tag) = tag {
        id["imageTag"] = json!(tag);
    }
    Ok(json!({ "image": {
        "registryId": account, "repositoryName": name, "imageId": id, "imageManifest": manifest,
        "imageManifestMediaType": kind
    }}))
}

/// Puts an image into a repository, and moves the tag.
pub fn store(repository: &mut Repository, manifest: &str, media_type: &str, tag: Option<&str>) {
    let new = || Image {
        manifest: manifest.to_owned(),
        media_type: media_type.to_owned(),
        tags: Default::default(),
        archived: false,
    };
    let digest = digest_of(&manifest.into());
    if let Some(tag) = tag {
        repository.images.values_mut().for_each(|image| {
            image.tags.remove(tag);
        });
    }
    let image = repository.images.entry(digest).or_insert_with(new);
    image.tags.extend(tag.map(str::to_owned));
}

/// The digest and the media type of a manifest whose references are complete.
fn checked(
    repository: &Repository,
    manifest: &str,
    kind: Option<String>,
    expected: Option<String>,
) -> Result<(String, String), Refusal> {
    if manifest.len() > LARGEST {
        return Err(invalid("Invalid parameter at 'imageManifest': at most 4194304 characters"));
    }
    let parsed: Value = serde_json::from_str(manifest).map_err(|error| {
        invalid(&format!("Invalid parameter at 'ImageManifest' failed to satisfy constraint: {error}"))
    })?;
    let own = parsed["mediaType"].as_str().map(str::to_owned);
    let kind = match (own, kind) {
        (Some(own), Some(given)) if own != given => {
            return Err(invalid(&format!("The manifest has the media type {own}, and the request says {given}")));
        }
        (own, given) => own.or(given).ok_or_else(|| invalid("The media type of the manifest is missing"))?,
    };
    let digest = digest_of(&manifest.into());
    if expected.is_some_and(|expected| expected != digest) {
        let message = format!("The digest of the manifest is {digest}");
        return Err(Refusal::new(400, "ImageDigestDoesNotMatchException", message));
    }
    let missing: Vec<String> =
        blobs(&parsed).into_iter().filter(|blob| !repository.layers.contains_key(blob)).collect();
    if !missing.is_empty() {
        let message = format!("Layers with digests '{}' required for pushing image do not exist", missing.join(", "));
        return Err(Refusal::new(400, "LayersNotFoundException", message));
    }
    let missing: Vec<String> =
        children(&parsed).into_iter().filter(|child| !repository.images.contains_key(child)).collect();
    if !missing.is_empty() {
        let message = format!("Images with digests '{}' required for pushing image do not exist", missing.join(", "));
        return Err(Refusal::new(400, "ReferencedImagesNotFoundException", message));
    }
    Ok((digest, kind))
}

/// Refuses to move a tag that cannot be moved.
fn check_tag(repository: &Repository, tag: &str, digest: &str) -> Result<(), Refusal> {
    let valid = |byte: u8| byte.is_ascii_alphanumeric() || b"_.-".contains(&byte);
    if tag.len() > 128 || !tag.bytes().all(valid) || tag.starts_with(['.', '-']) {
        return Err(invalid(
            "Invalid parameter at 'imageTag' failed to satisfy constraint: '[a-zA-Z0-9_][a-zA-Z0-9._-]{0,127}'",
        ));
    }
    let excluded = repository.exclusions.iter().any(|pattern| match pattern.strip_suffix('*') {
        Some(start) => tag.starts_with(start),
        None => tag == pattern,
    });
    let immutable = repository.mutability.starts_with("IMMUTABLE") != excluded;
    let holder = repository.images.iter().find(|(_, image)| image.tags.contains(tag));
    if immutable && holder.is_some_and(|(holder, _)| holder != digest) {
        let message = format!(
            "The image tag '{tag}' already exists in the repository and cannot be overwritten because the tag is immutable"
        );
        return Err(Refusal::new(400, "ImageTagAlreadyExistsException", message));
    }
    Ok(())
}

/// DescribeImages of those that are named, without the sizes of the images of an index.
pub fn describe(mut ask: Ask) -> Result<Value, Refusal> {
    let ids = ask.list("imageIds", 100)?;
    let (account, name) = (ask.account(), ask.name().to_owned());
    let repository = ask.repository()?;
    let mut details = Vec::new();
    for id in ids {
        let (digest, image) = find(repository, &id).map_err(|_| {
            let message =
                format!("The image with imageId {id} does not exist within the repository with name '{name}'");
            Refusal::new(400, "ImageNotFoundException", message)
        })?;
        let parsed: Value = serde_json::from_str(&image.manifest).unwrap_or_default();
        let size: u64 =
            blobs(&parsed).iter().filter_map(|blob| repository.layers.get(blob)).map(|blob| blob.len()).sum();
        details.push(json!({
            "registryId": account, "repositoryName": name, "imageDigest": digest, "imageTags": image.tags,
            "imageSizeInBytes": size, "imagePushedAt": 1_700_000_000.0, "imageManifestMediaType": image.media_type
        }));
    }
    Ok(json!({ "imageDetails": details }))
}

/// ListImageReferrers, which takes the right to BatchGetImage.
pub fn list_referrers(ask: Ask) -> Result<Value, Refusal> {
    let name = ask.required("repositoryName")?.to_owned();
    ask.allow_as("BatchGetImage", &name)?;
    let digest = ask.request["subjectId"]["imageDigest"].as_str().ok_or_else(|| invalid("'subjectId' is missing"))?;
    let repository = ask.looked_up(&name).ok_or_else(|| super::no_repository(&name, &ask.account()))?;
    let start: usize = ask.request["nextToken"].as_str().and_then(|token| token.parse().ok()).unwrap_or(0);
    let most = ask.request["maxResults"].as_u64().unwrap_or(50);
    if !(1..=50).contains(&most) {
        return Err(invalid("Invalid parameter at 'maxResults'"));
    }
    let most = ask.world.ecr.behaviour.referrers.min(most as usize);
    let all: Vec<Value> = repository
        .images
        .iter()
        .filter_map(|(found, image)| {
            let parsed: Value = serde_json::from_str(&image.manifest).ok()?;
            (subject(&parsed) == Some(digest)).then(|| {
                json!({
                    "digest": found, "mediaType": image.media_type, "artifactType": artifact_type(&parsed),
                    "size": image.manifest.len(), "artifactStatus": "ACTIVE"
                })
            })
        })
        .collect();
    let page: Vec<&Value> = all.iter().skip(start).take(most).collect();
    let mut answer = json!({ "referrers": page });
    if start + most < all.len() {
        answer["nextToken"] = json!((start + most).to_string());
    }
    Ok(answer)
}

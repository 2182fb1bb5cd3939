//! The layers of a repository: which there are, where to download them, and how they are uploaded part by part.

use super::{Ask, Upload, digest_of, downloads, invalid};
use crate::support::s3::Body;
use crate::support::wire::Refusal;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

/// The largest part that ECR takes, in bytes.
const LARGEST_PART: u64 = 20_971_520;
/// How many parts a layer may have.
const MOST_PARTS: usize = 4200;

/// BatchCheckLayerAvailability.
pub fn check(mut ask: Ask) -> Result<Value, Refusal> {
    let digests = ask.list("layerDigests", 100)?;
    let repository = ask.repository()?;
    let (mut layers, mut failures) = (Vec::new(), Vec::new());
    for digest in digests.iter().filter_map(Value::as_str) {
        match repository.layers.get(digest) {
            Some(layer) => layers.push(json!({
                "layerDigest": digest, "layerAvailability": "AVAILABLE", "layerSize": layer.len(),
                "mediaType": "application/vnd.docker.image.rootfs.diff.tar.gzip"
            })),
            None if is_digest(digest) => layers.push(json!({
                "layerDigest": digest, "layerAvailability": "UNAVAILABLE"
            })),
            None => failures.push(json!({
                "layerDigest": digest, "failureCode": "InvalidLayerDigest", "failureReason": "Invalid layer digest"
            })),
        }
    }
    Ok(json!({ "layers": layers, "failures": failures }))
}

pub fn is_digest(text: &str) -> bool {
    let hex =
        |hex: &str| hex.len() == 64 && hex.bytes().all(|byte| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte));
    text.strip_prefix("sha256:").is_some_and(hex)
}

/// GetDownloadUrlForLayer: only for what an image refers to.
pub fn download_url(mut ask: Ask) -> Result<Value, Refusal> {
    let digest = ask.required("layerDigest")?.to_owned();
    let repository = ask.repository()?;
    if !repository.layers.contains_key(&digest) {
        let message = format!("The layer with digest '{digest}' does not exist in the repository");
        return Err(Refusal::new(400, "LayersNotFoundException", message));
    }
    if !repository.images.values().any(|image| image.manifest.contains(&digest)) {
        let message = "The specified layer is not available because it is not associated with an image";
        return Err(Refusal::new(400, "LayerInaccessibleException", message));
    }
    let (account, region, name) = (ask.account(), ask.region.clone(), ask.name().to_owned());
    let token = format!("{:032x}", u128::from(ask.world.serial()) * 0x9E37_79B9_7F4A_7C15);
    let url = format!(
        "{}{}{name}@{digest}?X-Amz-Algorithm=AWS4-HMAC-SHA256&X-Amz-Expires=3600&X-Amz-Signature={token}",
        ask.endpoint,
        downloads::PATH
    );
    let download = downloads::Download::new((account, region), name, digest.clone());
    ask.world.ecr.downloads.insert(token, download);
    Ok(json!({ "downloadUrl": url, "layerDigest": digest }))
}

/// InitiateLayerUpload.
pub fn initiate(mut ask: Ask) -> Result<Value, Refusal> {
    ask.repository()?;
    let id = format!("00000000-0000-4000-8000-{:012x}", ask.world.serial());
    ask.repository()?.uploads.insert(id.clone(), Upload::default());
    Ok(json!({ "uploadId": id, "partSize": ask.world.ecr.behaviour.part_size }))
}

/// UploadLayerPart: parts come one after the other.
pub fn upload(mut ask: Ask) -> Result<Value, Refusal> {
    let id = ask.required("uploadId")?.to_owned();
    let blob = STANDARD.decode(ask.required("layerPartBlob")?);
    let blob = blob.map_err(|error| Refusal::new(400, "SerializationException", error.to_string()))?;
    let byte = |member: &str| ask.request[member].as_u64().ok_or_else(|| invalid(&format!("'{member}' is missing")));
    let (first, last, len) = (byte("partFirstByte")?, byte("partLastByte")?, blob.len() as u64);
    if len > LARGEST_PART {
        return Err(invalid(&format!("Layer parts must be at most {LARGEST_PART} bytes, and this one has {len}")));
    }
    if (last + 1).checked_sub(first) != Some(len) {
        return Err(invalid(&format!("The layer part has {len} bytes, and the range is {first}-{last}")));
    }
    let (account, name) = (ask.account(), ask.name().to_owned());
    let upload = ask.repository()?.uploads.get_mut(&id).ok_or_else(|| no_upload(&id))?;
    let received = upload.received.len();
    if first != received {
        let message =
            format!("Layer part first byte {first} must be equal to {received}, after the last byte received");
        let mut members = json!({ "registryId": account, "repositoryName": name, "uploadId": id });
        if received > 0 {
            members["lastValidByteReceived"] = json!(received - 1);
        }
        return Err(Refusal::new(400, "InvalidLayerPartException", message).with(members));
    }
    if upload.parts.len() == MOST_PARTS {
        return Err(Refusal::new(400, "LimitExceededException", "The layer has too many parts"));
    }
    upload.parts.push(len);
    upload.received.append(Body::received(blob.into()));
    Ok(json!({ "registryId": account, "repositoryName": name, "uploadId": id, "lastByteReceived": last }))
}

/// CompleteLayerUpload: verifies the digest.
pub fn complete(mut ask: Ask) -> Result<Value, Refusal> {
    let id = ask.required("uploadId")?.to_owned();
    let digests = ask.list("layerDigests", 100)?;
    let smallest = ask.world.ecr.behaviour.smallest_part;
    let (account, name) = (ask.account(), ask.name().to_owned());
    let repository = ask.repository()?;
    let upload = repository.uploads.get(&id).ok_or_else(|| no_upload(&id))?;
    let Some((_, but_the_last)) = upload.parts.split_last() else {
        return Err(Refusal::new(400, "EmptyUploadException", "The upload has no layer parts"));
    };
    if but_the_last.iter().any(|part| *part < smallest) {
        let message = format!("Layer parts must be at least {smallest} bytes");
        return Err(Refusal::new(400, "LayerPartTooSmallException", message));
    }
    let digest = digest_of(&upload.received);
    if digests.iter().any(|given| given.as_str() != Some(&digest)) {
        let message = format!("The calculated digest {digest} does not match the digest provided");
        return Err(Refusal::new(400, "InvalidLayerException", message));
    }
    if repository.layers.contains_key(&digest) {
        let message = format!("The layer with digest '{digest}' already exists in the repository");
        return Err(Refusal::new(400, "LayerAlreadyExistsException", message));
    }
    let received = repository.uploads.remove(&id).unwrap_or_default().received;
    repository.layers.insert(digest.clone(), received);
    Ok(json!({ "registryId": account, "repositoryName": name, "uploadId": id, "layerDigest": digest }))
}

fn no_upload(id: &str) -> Refusal {
    Refusal::new(400, "UploadNotFoundException", format!("The upload with id '{id}' could not be found"))
}

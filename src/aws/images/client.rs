//! The clients of Amazon ECR, one for each region, and the calls that both accounts make.

use std::collections::HashMap;
use std::sync::{Arc, Mutex, PoisonError};

use aws_sdk_ecr::Client;
use aws_sdk_ecr::config::{Builder, Region as SdkRegion};
use aws_sdk_ecr::types::{Image, ImageFailure, ImageFailureCode};

use super::quotas::Quotas;
use super::types::{ImageId, MANIFEST_TYPES, StoredImage};
use crate::aws::error::{CallError, Caller};
use crate::aws::resource::Resource;
use crate::model::arn::Region;
use crate::model::image::{Digest, Repository};

const GET: &str = "ecr:BatchGetImage";

/// Images of one call. Manifests have up to 4 MiB, and most have less than 10 KiB.
const IMAGES_A_CALL: usize = 16;

/// Amazon ECR with the credentials of one account. An image may be in another region than the package.
#[derive(Debug, Clone)]
pub(in crate::aws) struct Clients {
    config: Builder,
    clients: Arc<Mutex<HashMap<Region, Client>>>,
    pub caller: Arc<Caller>,
}

impl Clients {
    pub fn new(config: Builder, caller: Arc<Caller>) -> Self {
        Self { config: config.retry_classifier(Quotas), clients: Arc::default(), caller }
    }

    /// The client for the region of a repository.
    pub fn of(&self, repository: &Repository) -> Client {
        let region = repository.registry.region();
        let mut clients = self.clients.lock().unwrap_or_else(PoisonError::into_inner);
        let new = || Client::from_conf(self.config.clone().region(SdkRegion::new(region.to_string())).build());
        clients.entry(region.clone()).or_insert_with(new).clone()
    }

    /// The images with these names, in no particular order. Leaves out images that do not exist. An error names
    /// `resource`.
    ///
    /// # Errors
    /// The repository does not exist (NotFound), or a manifest does not have the digest that it is stored under.
    pub async fn get(
        &self,
        repository: &Repository,
        resource: &Resource<'_>,
        ids: &[ImageId],
    ) -> Result<Vec<StoredImage>, CallError> {
        let mut found = Vec::new();
        for ids in ids.chunks(IMAGES_A_CALL) {
            let call = self.of(repository).batch_get_image().repository_name(repository.name.as_str());
            let call = call.registry_id(repository.registry.account().as_str());
            let call = call.set_image_ids(Some(ids.iter().map(ImageId::to_sdk).collect()));
            let call = call.set_accepted_media_types(Some(MANIFEST_TYPES.map(str::to_owned).to_vec()));
            let answer = call.send().await.map_err(|error| self.caller.error(GET, resource, error))?;
            let is_missing = |failure: &&ImageFailure| failure.failure_code() == Some(&ImageFailureCode::ImageNotFound);
            if let Some(failure) = answer.failures().iter().find(|failure| !is_missing(failure)) {
                return Err(self.caller.unusable(GET, resource, text_of(failure)));
            }
            for image in answer.images() {
                let image = stored(image).and_then(|image| is_asked(image, ids));
                found.push(image.map_err(|message| self.caller.unusable(GET, resource, message))?);
            }
        }
        Ok(found)
    }
}

fn text_of(failure: &ImageFailure) -> String {
    let code = failure.failure_code().map(ImageFailureCode::as_str).unwrap_or_default();
    format!("{code}: {}", failure.failure_reason().unwrap_or_default())
}

fn stored(image: &Image) -> Result<StoredImage, String> {
    let id = image.image_id();
    let digest = id.and_then(|id| id.image_digest()).unwrap_or_default();
    let digest: Digest = digest.parse().map_err(|error| format!("{error}"))?;
    let manifest = image.image_manifest().unwrap_or_default().to_owned();
    let is = Digest::of(manifest.as_bytes());
    if is != digest {
        return Err(format!("the manifest of {digest} has the digest {is}"));
    }
    let tag = id.and_then(|id| id.image_tag()).map(str::to_owned);
    let media_type = image.image_manifest_media_type().unwrap_or_default().to_owned();
    Ok(StoredImage { digest, tag, manifest, media_type })
}

/// Refuses an image that was not asked for.
fn is_asked(image: StoredImage, ids: &[ImageId]) -> Result<StoredImage, String> {
    let is = |id: &ImageId| match id {
        ImageId::Digest(digest) => *digest == image.digest,
        ImageId::Tag(tag) => image.tag.as_ref() == Some(tag),
    };
    if ids.iter().any(is) {
        Ok(image)
    } else {
        Err(format!("the response contains {}, which was not requested", image.digest))
    }
}

//! Reads and writes images of the target account. No image is overwritten, and no tag is moved.

use std::collections::BTreeSet;

use aws_sdk_ecr::Client;
use aws_sdk_ecr::operation::upload_layer_part::UploadLayerPartError;
use aws_sdk_ecr::primitives::Blob;
use aws_sdk_ecr::types::LayerAvailability;
use aws_smithy_types::body::SdkBody;

use super::client::Clients;
use super::part::PartBody;
use super::types::{ImageId, LayerUpload, RepositorySettings, Sent, StoredImage};
use crate::aws::error::{CallError, Kind};
use crate::aws::resource::Resource;
use crate::model::image::{Digest, Repository};

/// Layers of one BatchCheckLayerAvailability call.
const LAYERS_A_CALL: usize = 100;

/// Amazon ECR with the target's credentials. Clones share one client.
#[derive(Debug, Clone)]
pub struct TargetImages(pub(super) Clients);

impl TargetImages {
    pub(in crate::aws) fn new(clients: Clients) -> Self {
        Self(clients)
    }

    pub(super) fn client(&self, repository: &Repository) -> Client {
        self.0.of(repository)
    }

    /// The images with these names, in no particular order; nothing if the repository does not exist.
    pub async fn find(&self, repository: &Repository, ids: &[ImageId]) -> Result<Option<Vec<StoredImage>>, CallError> {
        if_it_exists(self.0.get(repository, &Resource::Repository(repository), ids).await)
    }

    /// The same for a repository that promote only reads: the hint of a denied call names the permission to read.
    pub async fn look_up(
        &self,
        repository: &Repository,
        ids: &[ImageId],
    ) -> Result<Option<Vec<StoredImage>>, CallError> {
        if_it_exists(self.0.get(repository, &Resource::Images(repository), ids).await)
    }

    /// The layers that the repository does not have.
    pub async fn missing(&self, repository: &Repository, layers: &[Digest]) -> Result<BTreeSet<Digest>, CallError> {
        const CALL: &str = "ecr:BatchCheckLayerAvailability";
        let mut missing: BTreeSet<Digest> = layers.iter().cloned().collect();
        for layers in layers.chunks(LAYERS_A_CALL) {
            let call = self.client(repository).batch_check_layer_availability();
            let call = call.registry_id(repository.registry.account().as_str());
            let call = call.repository_name(repository.name.as_str());
            let digests = layers.iter().map(|layer| layer.as_str().to_owned()).collect();
            let answer = call.set_layer_digests(Some(digests)).send().await;
            let answer = answer.map_err(|e| self.0.caller.error(CALL, &Resource::Repository(repository), e))?;
            let there = answer.layers().iter();
            let there = there.filter(|layer| layer.layer_availability() == Some(&LayerAvailability::Available));
            for layer in there.filter_map(|layer| layer.layer_digest()?.parse().ok()) {
                missing.remove(&layer);
            }
        }
        Ok(missing)
    }

    /// Creates a repository. Succeeds if it exists.
    pub async fn create(&self, repository: &Repository, settings: RepositorySettings) -> Result<(), CallError> {
        let call = self.client(repository).create_repository().repository_name(repository.name.as_str());
        let call = call.registry_id(repository.registry.account().as_str());
        let call = call.set_image_tag_mutability(settings.mutability);
        let answer = call.set_image_scanning_configuration(settings.scanning).send().await;
        let error = |e| self.0.caller.error("ecr:CreateRepository", &Resource::Repository(repository), e);
        match answer.map_err(error) {
            Err(error) if error.kind != Kind::AlreadyExists => Err(error),
            _ => Ok(()),
        }
    }

    /// Begins the upload of a layer.
    pub async fn begin(&self, repository: &Repository) -> Result<LayerUpload, CallError> {
        const CALL: &str = "ecr:InitiateLayerUpload";
        let call = self.client(repository).initiate_layer_upload().repository_name(repository.name.as_str());
        let answer = call.registry_id(repository.registry.account().as_str()).send().await;
        let resource = Resource::Repository(repository);
        let answer = answer.map_err(|error| self.0.caller.error(CALL, &resource, error))?;
        let part_size = answer.part_size().and_then(|size| u64::try_from(size).ok()).filter(|size| *size > 0);
        match (answer.upload_id(), part_size) {
            (Some(id), Some(part_size)) => Ok(LayerUpload { id: id.to_owned(), part_size }),
            _ => Err(self.0.caller.unusable(CALL, &resource, "the response has no upload ID or no part size")),
        }
    }

    /// Sends the next part of an upload.
    pub async fn send(
        &self,
        repository: &Repository,
        upload: &LayerUpload,
        part: &PartBody,
    ) -> Result<Sent, CallError> {
        let (first, last) = (part.first(), part.last());
        let body = part.body();
        // The typed request only sets the headers of the operation: encoding the part once more would take two copies of
        // it in memory.
        let call = self.client(repository).upload_layer_part().repository_name(repository.name.as_str());
        let call = call.registry_id(repository.registry.account().as_str()).upload_id(&upload.id);
        let call = call.part_first_byte(to_i64(first)).part_last_byte(to_i64(last)).layer_part_blob(Blob::new([]));
        let call = call.customize().mutate_request(move |request| {
            request.headers_mut().insert("content-length", body.len().to_string());
            *request.body_mut() = SdkBody::from(body.clone());
        });
        let error = match call.send().await {
            Ok(_) => return Ok(Sent::Received),
            Err(error) => error,
        };
        if let Some(UploadLayerPartError::InvalidLayerPartException(invalid)) = error.as_service_error() {
            // The response to an earlier attempt was lost.
            match invalid.last_valid_byte_received().map(|byte| u64::try_from(byte + 1).unwrap_or_default()) {
                Some(next) if next == last + 1 => return Ok(Sent::Received),
                Some(next) if next != first => return Ok(Sent::Expects(next)),
                _ => {}
            }
        }
        match self.0.caller.error("ecr:UploadLayerPart", &Resource::Repository(repository), error) {
            error if error.kind == Kind::NoSuchUpload => Ok(Sent::Gone),
            error => Err(error),
        }
    }

    /// Completes the upload of a layer. ECR compares the digest. Returns false if ECR does not have the upload any more.
    pub async fn complete(
        &self,
        repository: &Repository,
        upload: &LayerUpload,
        layer: &Digest,
    ) -> Result<bool, CallError> {
        let call = self.client(repository).complete_layer_upload().repository_name(repository.name.as_str());
        let call = call.registry_id(repository.registry.account().as_str()).upload_id(&upload.id);
        let answer = call.layer_digests(layer.as_str()).send().await;
        let resource = Resource::Layer { repository, layer };
        match answer.map_err(|error| self.0.caller.error("ecr:CompleteLayerUpload", &resource, error)) {
            Ok(_) => Ok(true),
            Err(error) if error.kind == Kind::AlreadyExists => Ok(true),
            Err(error) if error.kind == Kind::NoSuchUpload => Ok(false),
            Err(error) => Err(error),
        }
    }

    /// Stores a manifest whose layers and children are there, with a tag that is not moved. Succeeds if both are there.
    ///
    /// # Errors
    /// AlreadyExists: the tag belongs to another image.
    pub async fn put(&self, repository: &Repository, image: &StoredImage, tag: Option<&str>) -> Result<(), CallError> {
        let call = self.client(repository).put_image().repository_name(repository.name.as_str());
        let call = call.registry_id(repository.registry.account().as_str()).image_digest(image.digest.as_str());
        let call = call.image_manifest(&image.manifest).image_manifest_media_type(&image.media_type);
        let answer = call.set_image_tag(tag.map(str::to_owned)).send().await;
        match answer.map_err(|e| self.0.caller.error("ecr:PutImage", &Resource::Repository(repository), e)) {
            Err(error) if error.code.as_deref() == Some("ImageAlreadyExistsException") => Ok(()),
            Err(error) => Err(error),
            Ok(_) => Ok(()),
        }
    }
}

fn if_it_exists(found: Result<Vec<StoredImage>, CallError>) -> Result<Option<Vec<StoredImage>>, CallError> {
    match found {
        Err(error) if error.kind == Kind::NotFound => Ok(None),
        found => found.map(Some),
    }
}

fn to_i64(byte: u64) -> i64 {
    i64::try_from(byte).unwrap_or(i64::MAX)
}

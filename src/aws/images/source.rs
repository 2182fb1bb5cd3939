//! Reads images of the source account, and of accounts that grant it access.

use std::collections::BTreeMap;

use aws_sdk_ecr::types::SubjectIdentifier;

use super::client::Clients;
use super::download::{Download, Downloads, LayerOf, LayerUrl};
use super::types::{ImageId, ListedReferrers, RepositorySettings, StoredImage};
use crate::aws::error::CallError;
use crate::aws::resource::Resource;
use crate::model::image::{Digest, Repository};

/// Amazon ECR with the source's credentials, for reading. Clones share one client.
#[derive(Debug, Clone)]
pub struct SourceImages {
    clients: Clients,
    downloads: Downloads,
}

impl SourceImages {
    pub(in crate::aws) fn new(clients: Clients, downloads: Downloads) -> Self {
        Self { clients, downloads }
    }

    /// The images with these names, in no particular order. Leaves out images that do not exist.
    ///
    /// # Errors
    /// The repository does not exist, or a manifest does not have the digest that it is stored under.
    pub async fn get(&self, repository: &Repository, ids: &[ImageId]) -> Result<Vec<StoredImage>, CallError> {
        self.clients.get(repository, &Resource::Repository(repository), ids).await
    }

    /// The settings of a repository.
    pub async fn settings(&self, repository: &Repository) -> Result<RepositorySettings, CallError> {
        const CALL: &str = "ecr:DescribeRepositories";
        let call = self.clients.of(repository).describe_repositories();
        let call = call.registry_id(repository.registry.account().as_str());
        let answer = call.repository_names(repository.name.as_str()).send().await;
        let answer = answer.map_err(|e| self.clients.caller.error(CALL, &Resource::Repository(repository), e))?;
        Ok(answer.repositories().first().map(RepositorySettings::of).unwrap_or_default())
    }

    /// The policy of a repository; nothing if it has none.
    pub async fn policy(&self, repository: &Repository) -> Result<Option<String>, CallError> {
        let call = self.clients.of(repository).get_repository_policy().repository_name(repository.name.as_str());
        let answer = call.registry_id(repository.registry.account().as_str()).send().await;
        let resource = Resource::Repository(repository);
        match answer.map_err(|error| self.clients.caller.error("ecr:GetRepositoryPolicy", &resource, error)) {
            Ok(answer) => {
                let unusable =
                    || self.clients.caller.unusable("ecr:GetRepositoryPolicy", &resource, "the response has no policy");
                answer.policy_text().map(|text| Some(text.to_owned())).ok_or_else(unusable)
            }
            Err(error) if error.code.as_deref() == Some("RepositoryPolicyNotFoundException") => Ok(None),
            Err(error) => Err(error),
        }
    }

    /// The manifests that refer to a manifest, such as signatures. Stops after `most` of them, and after as many pages.
    pub async fn referrers(
        &self,
        repository: &Repository,
        subject: &Digest,
        most: usize,
    ) -> Result<ListedReferrers, CallError> {
        const CALL: &str = "ecr:ListImageReferrers";
        let resource = Resource::Repository(repository);
        let unusable = |message: String| self.clients.caller.unusable(CALL, &resource, message);
        let id = SubjectIdentifier::builder().image_digest(subject.as_str()).build();
        let id = id.map_err(|error| unusable(error.to_string()))?;
        let (mut found, mut token) = (BTreeMap::new(), None);
        for _ in 0..most {
            let call = self.clients.of(repository).list_image_referrers().subject_id(id.clone());
            let call = call.registry_id(repository.registry.account().as_str()).set_next_token(token);
            let answer = call.repository_name(repository.name.as_str()).send().await;
            let answer = answer.map_err(|error| self.clients.caller.error(CALL, &resource, error))?;
            for referrer in answer.referrers() {
                let digest = referrer.digest().parse().map_err(|error| unusable(format!("{error}")))?;
                found.insert(digest, u64::try_from(referrer.size()).unwrap_or(u64::MAX));
            }
            token = answer.next_token().filter(|token| !token.is_empty()).map(str::to_owned);
            match token {
                None => return Ok(ListedReferrers { found, is_complete: true }),
                Some(_) if found.len() >= most => break,
                Some(_) => {}
            }
        }
        Ok(ListedReferrers { found, is_complete: false })
    }

    /// The URL of a layer, which expires.
    ///
    /// # Errors
    /// The layer cannot be read.
    pub async fn url(&self, (repository, layer): LayerOf<'_>) -> Result<LayerUrl, CallError> {
        const CALL: &str = "ecr:GetDownloadUrlForLayer";
        let call = self.clients.of(repository).get_download_url_for_layer();
        let call = call.registry_id(repository.registry.account().as_str());
        let answer = call.repository_name(repository.name.as_str()).layer_digest(layer.as_str()).send().await;
        let resource = Resource::Layer { repository, layer };
        let answer = answer.map_err(|error| self.clients.caller.error(CALL, &resource, error))?;
        match answer.download_url() {
            Some(url) => Ok(LayerUrl(url.to_owned())),
            None => Err(self.clients.caller.unusable(CALL, &resource, "the response has no URL")),
        }
    }

    /// Downloads a layer of this length from a byte to its end. `url` is the URL of an earlier download, which may have
    /// expired.
    ///
    /// # Errors
    /// The layer cannot be downloaded, or a new URL is refused.
    pub async fn resume(
        &self,
        layer: LayerOf<'_>,
        url: &mut Option<LayerUrl>,
        range: (u64, u64),
    ) -> Result<Download, CallError> {
        if let Some(known) = url
            && let Some(download) = self.open(layer, known, range).await?
        {
            return Ok(download);
        }
        let new = self.url(layer).await?;
        let download = self.open(layer, &new, range).await?;
        *url = Some(new);
        let resource = Resource::Layer { repository: layer.0, layer: layer.1 };
        let message =
            "Amazon S3 rejected the download URL of the layer with HTTP 403, although Amazon ECR had just returned it";
        let hint = format!(
            "Amazon ECR has its layers in S3: let the policy of the VPC endpoint for S3, if there is one, allow s3:GetObject \
             on arn:aws:s3:::prod-{}-starport-layer-bucket/*, then run again",
            layer.0.registry.region()
        );
        download.ok_or_else(|| CallError {
            hint: hint.into(),
            ..self.clients.caller.unusable("ecr:GetDownloadUrlForLayer", &resource, message)
        })
    }

    async fn open(
        &self,
        (repository, layer): LayerOf<'_>,
        url: &LayerUrl,
        (from, length): (u64, u64),
    ) -> Result<Option<Download>, CallError> {
        let resource = Resource::Layer { repository, layer };
        self.downloads.open(&self.clients.caller, &resource, url, (from, length)).await
    }
}

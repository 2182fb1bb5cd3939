//! The signatures, SBOMs and attestations that refer to an image.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::{Result, bail};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::content::{Content, Referrers};
use super::lookup::{ImageAccess, LOOKUPS_AT_ONCE};
use crate::aws::error::{CallError, Kind};
use crate::aws::images::ImageId;
use crate::model::failure::Failure;
use crate::model::image::{Digest, Repository};

/// The most referrers of one image, with theirs.
const MAX_REFERRERS: usize = 256;

impl ImageAccess<'_> {
    /// Everything that refers to the manifests of an image, and what refers to that.
    ///
    /// # Errors
    /// A referrer cannot be read.
    pub(super) async fn referrers(&self, repository: &Repository, content: &Content) -> Result<Referrers> {
        let mut known: BTreeSet<Digest> = content.manifests.iter().map(|manifest| manifest.digest.clone()).collect();
        let (mut next, mut contents, mut left) = (known.clone(), Vec::new(), None);
        while !next.is_empty() {
            let mut found = match self.list(repository, next).await {
                Ok(found) => found,
                Err(error) if matches!(error.kind, Kind::Denied | Kind::Invalid | Kind::NotImplemented) => {
                    return Ok(Referrers { contents: Vec::new(), unlisted: Some(error.to_string().into()) });
                }
                Err(error) => return Err(error.into()),
            };
            found.retain(|digest| known.insert(digest.clone()));
            if contents.len() + found.len() > MAX_REFERRERS {
                bail!(Failure::new(format!("more than {MAX_REFERRERS} artifacts refer to an image of {repository}")));
            }
            let ids: Vec<ImageId> = found.iter().cloned().map(ImageId::Digest).collect();
            for referrer in self.source.get(repository, &ids).await? {
                match self.content(repository, referrer).await {
                    Ok(content) => contents.push(Arc::new(content)),
                    // Anybody may attach anything to an image. What cannot be copied does not stop the image.
                    Err(error) if error.downcast_ref::<CallError>().is_none() => {
                        left = Some(format!("{error:#}").into());
                    }
                    Err(error) => return Err(error),
                }
            }
            next = found;
        }
        Ok(Referrers { contents, unlisted: left })
    }

    /// What refers to any of these manifests.
    async fn list(&self, repository: &Repository, subjects: BTreeSet<Digest>) -> Result<BTreeSet<Digest>, CallError> {
        let lists =
            subjects.into_iter().map(|subject| async move { self.source.referrers(repository, &subject).await });
        let found: Vec<Vec<Digest>> = stream::iter(lists).buffer_unordered(LOOKUPS_AT_ONCE).try_collect().await?;
        Ok(found.into_iter().flatten().collect())
    }
}

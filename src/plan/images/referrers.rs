//! The signatures, SBOMs and attestations that refer to an image.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;
use futures_util::{StreamExt, TryStreamExt, stream};

use super::content::{Content, Referrers};
use super::lookup::{ImageAccess, LOOKUPS_AT_ONCE, Room};
use crate::aws::error::{CallError, Kind};
use crate::aws::images::{ImageId, ListedReferrers};
use crate::model::image::{Digest, Repository};

/// The most referrers of one image, with theirs.
const MAX_REFERRERS: usize = 256;

impl ImageAccess<'_> {
    /// Everything that refers to the manifests of an image, and what refers to that, within the limits. Anybody may
    /// attach anything to an image: what cannot be copied, or is too much, does not stop the image.
    ///
    /// # Errors
    /// A referrer cannot be read.
    pub(super) async fn referrers(&self, repository: &Repository, content: &Content) -> Result<Referrers> {
        let mut known: BTreeSet<Digest> = content.manifests.iter().map(|manifest| manifest.digest.clone()).collect();
        let (mut next, mut contents, mut left) = (known.clone(), Vec::new(), None);
        let mut room = Room::default();
        while !next.is_empty() {
            let mut found = match self.list(repository, next).await {
                Ok(found) => found,
                Err(error) if matches!(error.kind, Kind::Denied | Kind::Invalid | Kind::NotImplemented) => {
                    return Ok(Referrers { contents: Vec::new(), unlisted: Some(error.to_string().into()) });
                }
                Err(error) => return Err(error.into()),
            };
            found.found.retain(|digest, _| known.insert(digest.clone()));
            if !found.is_complete || contents.len() + found.found.len() > MAX_REFERRERS {
                left = Some(format!("there are more than {MAX_REFERRERS} of them").into());
            }
            let mut wanted = Vec::new();
            for (digest, bytes) in found.found.into_iter().take(MAX_REFERRERS - contents.len()) {
                match room.take(1, bytes) {
                    Ok(()) => wanted.push(digest),
                    Err(_) => left = Some("together they are too large".into()),
                }
            }
            let ids: Vec<ImageId> = wanted.iter().cloned().map(ImageId::Digest).collect();
            for referrer in self.source.get(repository, &ids).await? {
                match self.content(repository, referrer, &mut room).await {
                    Ok(content) => contents.push(Arc::new(content)),
                    Err(error) if error.downcast_ref::<CallError>().is_none() => {
                        left = Some(format!("{error:#}").into());
                    }
                    Err(error) => return Err(error),
                }
            }
            next = wanted.into_iter().collect();
        }
        Ok(Referrers { contents, unlisted: left })
    }

    /// What refers to any of these manifests, with the sizes of the manifests.
    async fn list(&self, repository: &Repository, subjects: BTreeSet<Digest>) -> Result<ListedReferrers, CallError> {
        let lists = subjects
            .into_iter()
            .map(|subject| async move { self.source.referrers(repository, &subject, MAX_REFERRERS).await });
        let found: Vec<ListedReferrers> = stream::iter(lists).buffer_unordered(LOOKUPS_AT_ONCE).try_collect().await?;
        let is_complete = found.iter().all(|listed| listed.is_complete);
        Ok(ListedReferrers { found: found.into_iter().flat_map(|listed| listed.found).collect(), is_complete })
    }
}

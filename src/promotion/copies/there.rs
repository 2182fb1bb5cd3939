//! What is in the folder of a promotion before anything is copied.

use std::collections::HashMap;

use anyhow::{Result, bail};
use futures_util::{StreamExt, TryStreamExt};

use super::super::location::Location;
use super::super::plan::Plan;
use crate::aws::error::CallError;
use crate::aws::objects::{Listed, TargetObjects, UploadId};

/// Objects that are kept in mind, about 10 MB of them. Where there are more, each copy finds out by itself.
const MOST: usize = 50_000;
/// Aborts under way at once.
const ABORTS_AT_ONCE: usize = 32;

/// What an earlier run has left, or a run at the same time is writing: below this folder only promotions of one source
/// version write.
#[derive(Debug, Default)]
pub struct There {
    objects: HashMap<String, Listed>,
    /// Whether there are more than were listed.
    more: bool,
    uploads: HashMap<String, Vec<UploadId>>,
    folder: Option<Location>,
}

impl There {
    /// Lists the folder.
    ///
    /// # Errors
    /// The target cannot be listed.
    pub async fn look(target: &TargetObjects, folder: &Location) -> Result<Self> {
        let ((objects, more), open) = tokio::try_join!(listing(target, folder), open_uploads(target, folder))?;
        let mut uploads: HashMap<String, Vec<UploadId>> = HashMap::new();
        open.into_iter().for_each(|(at, id)| uploads.entry(at.key).or_default().push(id));
        Ok(Self { objects, more, uploads, folder: Some(folder.clone()) })
    }

    /// The object that is there under this key, as far as it is known.
    pub(super) fn object(&self, at: &Location) -> Option<&Listed> {
        self.objects.get(&at.key)
    }

    /// Whether an object of this size is known to be there.
    pub fn has(&self, location: &Location, bytes: u64) -> bool {
        self.object(location).is_some_and(|listed| listed.size == bytes)
    }

    /// Whether an object that is not known is not there.
    pub(super) fn is_complete(&self) -> bool {
        !self.more
    }

    /// The unfinished uploads of this key.
    pub(super) fn uploads(&self, at: &Location) -> &[UploadId] {
        self.uploads.get(&at.key).map_or(&[], Vec::as_slice)
    }

    /// Every unfinished upload.
    pub(super) fn open(&self) -> Vec<(Location, UploadId)> {
        let Some(folder) = &self.folder else { return Vec::new() };
        let uploads = self.uploads.iter().flat_map(|(key, ids)| ids.iter().map(move |id| (key, id)));
        uploads.map(|(key, id)| (Location::new(&folder.bucket, key), id.clone())).collect()
    }

    /// How many artifacts have to be copied, as far as is known, and their bytes.
    ///
    /// # Errors
    /// A temporary file cannot be read.
    pub fn missing(&self, plan: &Plan) -> Result<(u64, u64)> {
        plan.artifacts.iter().try_fold((0, 0), |(objects, bytes), artifact| {
            let artifact = artifact?;
            Ok(match self.object(&artifact.target) {
                Some(_) => (objects, bytes),
                None => (objects + 1, bytes + artifact.bytes()),
            })
        })
    }

    /// Names what has to be there and is not, up to a screen of it.
    pub(super) fn refuse_missing(&self, plan: &Plan) -> Result<()> {
        if self.more {
            return Ok(());
        }
        let (missing, _) = self.missing(plan)?;
        if missing == 0 {
            return Ok(());
        }
        let targets = plan.artifacts.iter().map(|artifact| Ok(artifact?.target));
        let absent =
            targets.filter(|target: &Result<Location>| target.as_ref().map_or(true, |at| self.object(at).is_none()));
        let named = absent.take(20).map(|target| Ok(format!("  {}", target?))).collect::<Result<Vec<_>>>()?;
        bail!(
            "{missing} of the artifacts are not at the target:\n{}\nRun `promote copy-artifacts` first",
            named.join("\n")
        )
    }
}

async fn listing(target: &TargetObjects, folder: &Location) -> Result<(HashMap<String, Listed>, bool), CallError> {
    let mut there = HashMap::new();
    let mut pages = target.list(&folder.bucket, &folder.key);
    while let Some(page) = pages.next().await? {
        if there.len() + page.len() > MOST {
            return Ok((there, true));
        }
        there.extend(page.into_iter().map(|listed| (listed.key.clone(), listed)));
    }
    Ok((there, false))
}

/// The unfinished uploads of a folder.
pub(super) async fn open_uploads(
    target: &TargetObjects,
    folder: &Location,
) -> Result<Vec<(Location, UploadId)>, CallError> {
    let uploads = target.list_uploads(&folder.bucket, &folder.key).await?;
    Ok(uploads.into_iter().map(|upload| (Location::new(&folder.bucket, upload.key), upload.id)).collect())
}

/// Every object of the promotion is complete by now, so an upload from before it is of no use to anybody: a second
/// run that is still at it finds the object when its upload is gone.
pub(super) async fn abort_leftovers(target: &TargetObjects, uploads: &[(Location, UploadId)]) -> Result<()> {
    let aborts = uploads.iter().map(|(location, id)| target.abort(location, id));
    futures_util::stream::iter(aborts).buffer_unordered(ABORTS_AT_ONCE).try_collect::<()>().await?;
    Ok(())
}

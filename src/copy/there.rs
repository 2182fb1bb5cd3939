//! What is in the folder of a promotion before anything is copied.

use std::collections::HashMap;

use anyhow::{Result, bail};
use futures_util::{StreamExt, TryStreamExt};

use crate::aws::error::CallError;
use crate::aws::objects::{Listed, TargetObjects, UploadId};
use crate::copy::folder::Folder;
use crate::model::location::Location;
use crate::plan::Plan;
use crate::plan::artifacts::Artifact;

/// Aborts under way at once.
const ABORTS_AT_ONCE: usize = 32;

/// What an earlier run has left, or a run at the same time is writing: below this folder only promotions of one source
/// version write.
#[derive(Debug, Default)]
pub struct There {
    objects: Folder,
    uploads: HashMap<String, Vec<UploadId>>,
    folder: Option<Location>,
}

impl There {
    /// Lists the folder.
    ///
    /// # Errors
    /// The target cannot be listed.
    pub async fn look(target: &TargetObjects, folder: &Location) -> Result<Self> {
        let open = async { Ok(open_uploads(target, folder).await?) };
        let (objects, open) = tokio::try_join!(Folder::list(target, folder), open)?;
        let mut uploads: HashMap<String, Vec<UploadId>> = HashMap::new();
        open.into_iter().for_each(|(at, id)| uploads.entry(at.key).or_default().push(id));
        Ok(Self { objects, uploads, folder: Some(folder.clone()) })
    }

    /// The object that is there under this key.
    ///
    /// # Errors
    /// A temporary file cannot be read.
    pub(super) fn object(&self, at: &Location) -> Result<Option<Listed>> {
        Ok(self.objects.find(&at.key)?.map(|(_, listed)| listed))
    }

    /// Whether an object of this size is there.
    ///
    /// # Errors
    /// A temporary file cannot be read.
    pub fn has(&self, location: &Location, bytes: u64) -> Result<bool> {
        Ok(self.object(location)?.is_some_and(|listed| listed.size == bytes))
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

    /// How many artifacts have to be copied, and their bytes.
    ///
    /// # Errors
    /// A temporary file cannot be read.
    pub fn missing(&self, plan: &Plan) -> Result<(u64, u64)> {
        plan.artifacts.iter().try_fold((0, 0), |(objects, bytes), artifact| {
            let artifact = artifact?;
            Ok(match self.object(&artifact.target)? {
                Some(_) => (objects, bytes),
                None => (objects + 1, bytes + artifact.bytes()),
            })
        })
    }

    /// Names what has to be there and is not, up to a screen of it.
    pub(super) fn refuse_missing(&self, plan: &Plan) -> Result<()> {
        let (missing, _) = self.missing(plan)?;
        if missing == 0 {
            return Ok(());
        }
        let absent = plan.artifacts.iter().filter_map(|artifact| self.absent(artifact).transpose());
        let named = absent.take(20).map(|target| Ok(format!("  {}", target?))).collect::<Result<Vec<_>>>()?;
        bail!(
            "{missing} of the artifacts are not at the target:\n{}\nRun `promote copy-artifacts` first",
            named.join("\n")
        )
    }

    fn absent(&self, artifact: Result<Artifact>) -> Result<Option<Location>> {
        let target = artifact?.target;
        Ok(self.object(&target)?.is_none().then_some(target))
    }
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

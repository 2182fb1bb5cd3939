//! What earlier runs have left in the folder of a promotion, before anything is copied.

use std::collections::HashSet;

use anyhow::{Result, bail};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::folder::Folder;
use super::unfinished::{UploadOf, UploadState};
use crate::aws::error::CallError;
use crate::aws::objects::{Listed, TargetObjects, UploadId};
use crate::model::layout::Layout;
use crate::model::location::Location;
use crate::plan::Plan;
use crate::plan::artifact::Artifact;

/// State objects that are read at once.
const READS_AT_ONCE: usize = 32;

/// What earlier runs have left, or a run at the same time is writing: below this folder only promotions of one source
/// version write.
#[derive(Debug)]
pub struct There {
    objects: Folder,
    uploads: HashSet<(Location, UploadId)>,
    /// What is said of unfinished uploads, and where. What cannot be read is of no use.
    states: Vec<(Location, Option<UploadState>)>,
}

impl There {
    /// Lists the folder.
    ///
    /// # Errors
    /// The target cannot be listed.
    pub async fn look(target: &TargetObjects, layout: &Layout) -> Result<Self> {
        let folder = layout.folder();
        let open = async { Ok(open_uploads(target, &folder).await?) };
        let (objects, open) = tokio::try_join!(Folder::list(target, &folder), open)?;
        let keys = objects.keys(&layout.unfinished().key)?;
        let states = keys.into_iter().map(|key| async {
            let at = Location::new(&folder.bucket, key);
            let state = UploadState::read(target, &at).await?;
            anyhow::Ok((at, state))
        });
        let states = stream::iter(states).buffer_unordered(READS_AT_ONCE).try_collect().await?;
        Ok(Self { objects, uploads: open.into_iter().collect(), states })
    }

    /// The object that is there under this key.
    pub(super) fn object(&self, at: &Location) -> Result<Option<Listed>> {
        self.objects.find(&at.key)
    }

    /// Whether an object of this size is there.
    ///
    /// # Errors
    /// A temporary file cannot be read.
    pub fn has(&self, location: &Location, bytes: u64) -> Result<bool> {
        Ok(self.object(location)?.is_some_and(|listed| listed.size == bytes))
    }

    /// The unfinished uploads that were begun for the same copy.
    pub(super) fn uploads_of<'a>(&'a self, copy: &'a UploadOf) -> impl Iterator<Item = UploadId> + 'a {
        let states = self.states.iter().filter_map(|(_, state)| state.as_ref());
        let ids = states.filter(move |state| state.of == *copy).map(|state| UploadId::new(&state.upload_id));
        ids.filter(|id| self.uploads.contains(&(copy.target.clone(), id.clone())))
    }

    /// Every unfinished upload, and every object that tells of one.
    pub(super) fn leftovers(&self) -> (Vec<(Location, UploadId)>, Vec<Location>) {
        (self.uploads.iter().cloned().collect(), self.states.iter().map(|(at, _)| at.clone()).collect())
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

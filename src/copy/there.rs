//! Lists the objects and unfinished uploads that earlier runs left in the folder of a promotion.

use std::collections::HashSet;

use anyhow::{Result, bail};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::claims;
use super::folder::Folder;
use super::unexpected::refuse_unexpected;
use super::unfinished::{UploadOf, UploadState};
use crate::aws::error::CallError;
use crate::aws::objects::{Listed, TargetObjects, UploadId};
use crate::model::claim::ClaimSeen;
use crate::model::failure::Failure;
use crate::model::layout::Layout;
use crate::model::location::Location;
use crate::plan::Plan;
use crate::plan::artifact::Artifact;
use crate::store::List;

/// The number of concurrent reads of state objects.
const READS_AT_ONCE: usize = 32;

/// The content of the folder of a promotion before the copy. Earlier or concurrent runs wrote it: only promotions of
/// one source version to one group write to the folder.
#[derive(Debug)]
pub struct There {
    objects: Folder,
    uploads: HashSet<(Location, UploadId)>,
    /// The states of unfinished uploads, with their locations. `None` is a state that cannot be read.
    states: Vec<(Location, Option<UploadState>)>,
    /// The claim with the highest number, if it was read.
    claim: Option<ClaimSeen>,
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
        Ok(Self { objects, uploads: open.into_iter().collect(), states, claim: None })
    }

    /// Reads the claim with the highest number too, for a run that is going to register the version.
    ///
    /// # Errors
    /// The claim cannot be read.
    pub async fn with_claim(self, target: &TargetObjects, layout: &Layout) -> Result<Self> {
        let keys = self.objects.keys(&layout.claims().key)?;
        let claim = match keys.iter().filter_map(|key| layout.claim_number(key)).max() {
            Some(number) => {
                let is_released = keys.contains(&layout.release(number).key);
                claims::read(target, layout, number).await?.map(|claim| ClaimSeen { is_released, ..claim })
            }
            None => None,
        };
        Ok(Self { claim, ..self })
    }

    /// Whether a run has claimed to register the version before.
    pub fn was_claimed(&self) -> bool {
        self.claim.is_some()
    }

    /// The claim with the highest number.
    pub fn claim(&self) -> Option<&ClaimSeen> {
        self.claim.as_ref()
    }

    /// Whether the folder has records.
    ///
    /// # Errors
    /// The temporary file cannot be read.
    pub fn has_records(&self, layout: &Layout) -> Result<bool> {
        Ok(self.objects.keys(&layout.records().key)?.iter().any(|key| layout.is_record(key)))
    }

    /// The existing object at a location.
    pub(super) fn object(&self, at: &Location) -> Result<Option<Listed>> {
        self.objects.find(&at.key)
    }

    /// The unfinished uploads of the same copy.
    pub(super) fn uploads_of<'a>(&'a self, copy: &'a UploadOf) -> impl Iterator<Item = UploadId> + 'a {
        let states = self.states.iter().filter_map(|(_, state)| state.as_ref());
        let ids = states.filter(move |state| state.of == *copy).map(|state| UploadId::new(&state.upload_id));
        ids.filter(|id| self.uploads.contains(&(copy.target.clone(), id.clone())))
    }

    /// Every unfinished upload, and the location of every state.
    pub(super) fn leftovers(&self) -> (Vec<(Location, UploadId)>, Vec<Location>) {
        (self.uploads.iter().cloned().collect(), self.states.iter().map(|(at, _)| at.clone()).collect())
    }

    /// The number of artifacts that have to be copied, and their total size in bytes.
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

    /// Refuses a plan with artifacts that are not at the target. The message names the first 20 of them.
    pub(super) fn refuse_missing(&self, plan: &Plan) -> Result<()> {
        let (missing, _) = self.missing(plan)?;
        if missing == 0 {
            return Ok(());
        }
        let absent = plan.artifacts.iter().filter_map(|artifact| self.absent(artifact).transpose());
        let named = absent.take(20).map(|target| Ok(format!("  {}", target?))).collect::<Result<Vec<_>>>()?;
        let message = match missing {
            1 => "1 artifact is not at the target",
            _ => &format!("{missing} artifacts are not at the target"),
        };
        let message = format!("{message}:\n{}", named.join("\n"));
        bail!(Failure::new(message).hint("Run `promote copy-artifacts` first"))
    }

    /// Refuses a plan if one of its prefixes has objects at the target that the source does not have. Returns the other
    /// objects of the folder that the plan does not have.
    pub(super) fn refuse_unexpected(&self, plan: &Plan) -> Result<List<Location>> {
        refuse_unexpected(&self.objects, plan)
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

//! The calls and the time that a registration needs, so that tests can put a simulation in their place.

use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use aws_smithy_types::DateTime;

use crate::aws::error::CallError;
use crate::aws::registry::{NotCreated, SourceRegistry, Summary, TargetRegistry};
use crate::copy::{Claims, Holds};
use crate::model::arn::{GroupName, PackageArn};
use crate::model::claim::{Claim, ClaimSeen};
use crate::model::field::Document;

/// The target's registry, and the time. Each call is as in [`TargetRegistry`].
pub trait Registry: Sync {
    /// Lists the versions of a group that were registered after a time.
    fn list_created_after(
        &self,
        group: &GroupName,
        time: &DateTime,
    ) -> impl Future<Output = Result<Vec<Summary>, CallError>> + Send;
    /// Describes a version.
    fn describe(&self, version: &PackageArn) -> impl Future<Output = Result<Document, CallError>> + Send;
    /// Registers a version.
    fn create(&self, request: &Document) -> impl Future<Output = Result<PackageArn, NotCreated>> + Send;
    /// Updates a version.
    fn update(&self, version: &PackageArn, changes: &Document) -> impl Future<Output = Result<(), CallError>> + Send;
    /// Deletes a version.
    fn delete(&self, version: &PackageArn) -> impl Future<Output = Result<(), CallError>> + Send;
    /// The time, by a clock that cannot be set.
    fn now(&self) -> Instant;
    /// Waits.
    fn sleep(&self, pause: Duration) -> impl Future<Output = ()> + Send;
}

impl Registry for TargetRegistry {
    async fn list_created_after(&self, group: &GroupName, time: &DateTime) -> Result<Vec<Summary>, CallError> {
        self.list_created_after(group, time).await
    }
    async fn describe(&self, version: &PackageArn) -> Result<Document, CallError> {
        self.describe(version).await
    }
    async fn create(&self, request: &Document) -> Result<PackageArn, NotCreated> {
        self.create(request).await
    }
    async fn update(&self, version: &PackageArn, changes: &Document) -> Result<(), CallError> {
        self.update(version, changes).await
    }
    async fn delete(&self, version: &PackageArn) -> Result<(), CallError> {
        self.delete(version).await
    }
    fn now(&self) -> Instant {
        Instant::now()
    }
    async fn sleep(&self, pause: Duration) {
        tokio::time::sleep(pause).await;
    }
}

/// The source's registry.
pub(super) trait SourceVersions: Sync {
    /// Describes a version.
    ///
    /// # Errors
    /// The version cannot be described, or the target group is held: nothing may be promoted then.
    fn describe(&self, version: &PackageArn) -> impl Future<Output = anyhow::Result<Document>> + Send;
    /// Looks for a hold of the target group again, unless that was done a moment ago. Called right before a version is
    /// registered or approved.
    ///
    /// # Errors
    /// The group is held, or the holds cannot be listed.
    fn refuse_held(&self) -> impl Future<Output = anyhow::Result<()>> + Send;
}

/// For how long a look for a hold counts.
const LOOKED: Duration = Duration::from_secs(5);

/// The source's registry, and the holds of the target group. Both are asked again before a version is approved.
pub struct SourceNow<'a> {
    /// The source's registry.
    pub registry: &'a SourceRegistry,
    /// The holds of the target group, at each place that is known.
    pub holds: Vec<Holds<'a>>,
    /// When the holds were looked for.
    looked: Mutex<Option<Instant>>,
}

impl<'a> SourceNow<'a> {
    /// The source's registry, and the holds of the target group.
    pub fn new(registry: &'a SourceRegistry, holds: Vec<Holds<'a>>) -> Self {
        Self { registry, holds, looked: Mutex::new(None) }
    }

    async fn look(&self) -> anyhow::Result<()> {
        let before = Instant::now();
        match Holds::first(&self.holds).await? {
            Some(hold) => Err(hold.refusal()),
            None => {
                *self.looked.lock().unwrap_or_else(PoisonError::into_inner) = Some(before);
                Ok(())
            }
        }
    }
}

impl SourceVersions for SourceNow<'_> {
    async fn describe(&self, version: &PackageArn) -> anyhow::Result<Document> {
        let (described, looked) = tokio::join!(self.registry.describe(version), self.look());
        looked?;
        Ok(described?)
    }
    async fn refuse_held(&self) -> anyhow::Result<()> {
        let looked = *self.looked.lock().unwrap_or_else(PoisonError::into_inner);
        match looked.is_some_and(|looked| looked.elapsed() < LOOKED) {
            true => Ok(()),
            false => self.look().await,
        }
    }
}

/// The claims of one promotion. Each call is as in [`Claims`].
pub(super) trait ClaimStore: Sync {
    /// Writes a claim. Returns false if the number is taken.
    fn write(&self, number: u32, claim: &Claim) -> impl Future<Output = Result<bool, CallError>> + Send;
    /// Reads a claim.
    fn read(&self, number: u32) -> impl Future<Output = Result<Option<ClaimSeen>, CallError>> + Send;
    /// Releases a claim: its run has registered nothing under it, and will not.
    fn release(&self, number: u32, claim: &Claim) -> impl Future<Output = Result<(), CallError>> + Send;
    /// Whether a claim was released.
    fn is_released(&self, number: u32) -> impl Future<Output = Result<bool, CallError>> + Send;
}

impl ClaimStore for Claims<'_> {
    async fn write(&self, number: u32, claim: &Claim) -> Result<bool, CallError> {
        self.write(number, claim).await
    }
    async fn read(&self, number: u32) -> Result<Option<ClaimSeen>, CallError> {
        self.read(number).await
    }
    async fn release(&self, number: u32, claim: &Claim) -> Result<(), CallError> {
        self.release(number, claim).await
    }
    async fn is_released(&self, number: u32) -> Result<bool, CallError> {
        self.is_released(number).await
    }
}

//! The sessions of the two accounts. They have distinct types, so that nothing can be written with the source's session.

use super::access::Access;
use super::connection::Session;
use crate::aws::error::{CallError, Side};
use crate::aws::images::{SourceImages, TargetImages};
use crate::aws::keys::Keys;
use crate::aws::objects::{BucketHeaders, SourceObjects, TargetObjects};
use crate::aws::principal::Identity;
use crate::aws::registry::{SourceRegistry, TargetRegistry};
use crate::model::arn::Region;

/// The session that reads the source account. It cannot write.
#[derive(Debug, Clone)]
pub struct SourceSession(Session);

impl SourceSession {
    /// Opens the session without a call to AWS. `region`, the region of the group's ARN, takes precedence over `access`.
    ///
    /// # Errors
    /// There is no region.
    pub async fn open(access: &Access, region: Option<Region>) -> Result<Self, CallError> {
        Session::open(Side::Source, access, region).await.map(Self)
    }

    /// The principal of the session (STS GetCallerIdentity).
    pub async fn identity(&self) -> Result<Identity, CallError> {
        self.0.principal.identity().await.cloned()
    }

    /// The region of the session.
    pub fn region(&self) -> &Region {
        &self.0.principal.region
    }

    /// The seconds by which this machine's clock is ahead of AWS's, if [`Self::identity`] has just been called.
    pub(in crate::aws) fn clock_ahead(&self) -> Option<i64> {
        self.0.principal.clock_ahead()
    }

    /// The model registry, for reading.
    pub fn registry(&self) -> SourceRegistry {
        SourceRegistry::new(self.0.sagemaker(), self.0.principal.caller.clone())
    }

    /// S3, for reading.
    pub fn objects(&self) -> SourceObjects {
        let headers = BucketHeaders::source(&self.0.access.buckets);
        SourceObjects::new(self.0.s3().interceptor(headers), self.0.principal.caller.clone())
    }

    /// Amazon ECR, for reading.
    pub fn images(&self) -> SourceImages {
        SourceImages::new(self.0.ecr(), self.0.downloads())
    }

    /// KMS in the region of a key.
    pub fn keys(&self, region: &Region) -> Keys {
        self.0.keys(region)
    }

    /// Whether both sessions have the same principal: the same profile, role and external ID.
    pub fn same_principal_as(&self, target: &TargetSession) -> bool {
        self.0.access.principal() == target.0.access.principal()
    }
}

/// The session that reads and writes the target account.
#[derive(Debug, Clone)]
pub struct TargetSession(Session);

impl TargetSession {
    /// Opens the session without a call to AWS. `region` takes precedence over `access`.
    ///
    /// # Errors
    /// There is no region.
    pub async fn open(access: &Access, region: Option<Region>) -> Result<Self, CallError> {
        Session::open(Side::Target, access, region).await.map(Self)
    }

    /// The principal of the session (STS GetCallerIdentity).
    pub async fn identity(&self) -> Result<Identity, CallError> {
        self.0.principal.identity().await.cloned()
    }

    /// The region of the session.
    pub fn region(&self) -> &Region {
        &self.0.principal.region
    }

    /// The model registry, for reading and writing.
    pub fn registry(&self) -> TargetRegistry {
        TargetRegistry::new(self.0.sagemaker(), self.0.principal.clone())
    }

    /// KMS in the region of a key.
    pub fn keys(&self, region: &Region) -> Keys {
        self.0.keys(region)
    }

    /// S3, for reading and writing. The account of the session has to own the bucket, unless another one is named.
    pub fn objects(&self) -> TargetObjects {
        let headers = BucketHeaders::target(&self.0.access.buckets, self.0.principal.clone());
        TargetObjects::new(self.0.s3().interceptor(headers.clone()), self.0.principal.caller.clone(), headers)
    }

    /// Amazon ECR, for reading and writing.
    pub fn images(&self) -> TargetImages {
        TargetImages::new(self.0.ecr())
    }
}

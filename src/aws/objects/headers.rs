//! Adds headers to S3 requests: the expected owner of the bucket, and headers that bucket policies may demand.

use aws_smithy_runtime_api::box_error::BoxError;
use aws_smithy_runtime_api::client::interceptors::Intercept;
use aws_smithy_runtime_api::client::interceptors::context::BeforeTransmitInterceptorContextMut;
use aws_smithy_runtime_api::client::orchestrator::Metadata;
use aws_smithy_runtime_api::client::runtime_components::RuntimeComponents;
use aws_smithy_types::config_bag::ConfigBag;
use serde::{Deserialize, Serialize};

use crate::aws::error::CallError;
use crate::aws::principal::Principal;
use crate::model::arn::AccountId;

/// How the buckets of an account are accessed. By default, requests have no further headers but the expected owner.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct BucketAccess {
    /// The account that owns the target bucket; otherwise the account of the session. Not used for the source, whose
    /// versions may refer to buckets of any account.
    pub owner: Option<AccountId>,
    /// Whether this account pays for requests to source buckets that demand it (requester pays).
    pub requester_pays: bool,
    /// What written objects are granted and encrypted with.
    pub writes: WriteHeaders,
}

/// Headers of requests that create an object. Policies of the target bucket may demand them.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(default)]
pub struct WriteHeaders {
    /// The canned ACL (`x-amz-acl`).
    pub acl: Option<CannedAcl>,
    /// SSE-S3 (`x-amz-server-side-encryption`), where no KMS key is given.
    pub sse: Option<Sse>,
}

/// A canned ACL that gives nothing to the public.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
#[serde(rename_all = "kebab-case")]
pub enum CannedAcl {
    /// The account that writes has full control
    Private,
    /// The owner of the bucket may read
    BucketOwnerRead,
    /// The owner of the bucket has full control
    BucketOwnerFullControl,
}

impl CannedAcl {
    fn header(self) -> &'static str {
        match self {
            Self::Private => "private",
            Self::BucketOwnerRead => "bucket-owner-read",
            Self::BucketOwnerFullControl => "bucket-owner-full-control",
        }
    }
}

/// A server-side encryption without a key of KMS.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize, clap::ValueEnum)]
pub enum Sse {
    /// Keys that Amazon S3 manages (SSE-S3)
    #[serde(rename = "AES256")]
    #[value(name = "AES256")]
    Aes256,
}

/// Adds the headers to the requests of one client.
#[derive(Debug, Clone)]
pub(in crate::aws) struct BucketHeaders {
    access: BucketAccess,
    owner: ExpectedOwner,
}

/// The owner of the buckets of a client.
#[derive(Debug, Clone)]
enum ExpectedOwner {
    /// The buckets may belong to anybody.
    Any,
    /// The account of the session. STS is asked before the first request.
    OfSession(Principal),
    /// An account that the user has named.
    Account(AccountId),
}

impl BucketHeaders {
    /// For buckets of the source.
    pub fn source(access: &BucketAccess) -> Self {
        Self { access: access.clone(), owner: ExpectedOwner::Any }
    }

    /// For buckets of the target.
    pub fn target(access: &BucketAccess, session: Principal) -> Self {
        let owner = access.owner.clone().map_or(ExpectedOwner::OfSession(session), ExpectedOwner::Account);
        Self { access: access.clone(), owner }
    }

    /// The headers of objects that are written.
    pub fn writes(&self) -> &WriteHeaders {
        &self.access.writes
    }

    /// Finds out who has to own the buckets. Without it, no object is read or written.
    ///
    /// # Errors
    /// STS cannot be asked.
    pub async fn complete(&self) -> Result<(), CallError> {
        match &self.owner {
            ExpectedOwner::OfSession(session) => session.identity().await.map(drop),
            ExpectedOwner::Any | ExpectedOwner::Account(_) => Ok(()),
        }
    }

    /// The account that has to own the buckets, if there is one.
    pub fn owner(&self) -> Option<&AccountId> {
        match &self.owner {
            ExpectedOwner::Any => None,
            ExpectedOwner::OfSession(session) => session.known().map(|identity| &identity.account),
            ExpectedOwner::Account(account) => Some(account),
        }
    }
}

/// The operation that finds out whether a bucket has another owner: it has the header only where the caller sets it.
const ASKS_FOR_THE_OWNER: &str = "HeadBucket";

/// The operation that may be sent before the owner is known. It reads no object and writes nothing.
const LISTS_EARLY: &str = "ListObjectsV2";

impl Intercept for BucketHeaders {
    fn name(&self) -> &'static str {
        "BucketHeaders"
    }

    fn modify_before_signing(
        &self,
        context: &mut BeforeTransmitInterceptorContextMut<'_>,
        _: &RuntimeComponents,
        config: &mut ConfigBag,
    ) -> Result<(), BoxError> {
        let operation = config.load::<Metadata>().map(Metadata::name).unwrap_or_default();
        let headers = context.request_mut().headers_mut();
        if operation != ASKS_FOR_THE_OWNER {
            match self.owner() {
                Some(owner) => drop(headers.insert("x-amz-expected-bucket-owner", owner.to_string())),
                None if matches!(self.owner, ExpectedOwner::Any) || operation == LISTS_EARLY => {}
                None => return Err("the owner of the target bucket has to be known before its first request".into()),
            }
        }
        if self.access.requester_pays {
            headers.insert("x-amz-request-payer", "requester");
        }
        if matches!(operation, "PutObject" | "CopyObject" | "CreateMultipartUpload") {
            let WriteHeaders { acl, sse } = self.access.writes;
            if let Some(acl) = acl {
                headers.insert("x-amz-acl", acl.header());
            }
            if sse.is_some() && headers.get("x-amz-server-side-encryption").is_none() {
                headers.insert("x-amz-server-side-encryption", "AES256");
            }
        }
        Ok(())
    }
}

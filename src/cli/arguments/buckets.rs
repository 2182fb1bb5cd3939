//! The flags for what owners and policies of buckets may require.

use clap::Args;
use clap::builder::BoolishValueParser;

use crate::aws::session::{Access, BucketAccess, CannedAcl, Sse, WriteHeaders};
use crate::model::arn::AccountId;

/// The flags for both buckets.
#[derive(Debug, Args)]
#[command(next_help_heading = "Buckets")]
pub struct BucketArgs {
    /// Account that owns the target bucket; a bucket of another account is refused [default: the target account]
    #[arg(long, env = "PROMOTE_TARGET_BUCKET_OWNER", value_name = "ACCOUNT")]
    pub target_bucket_owner: Option<AccountId>,
    /// Pay for requests to source buckets (Requester Pays)
    #[arg(long, env = "PROMOTE_SOURCE_REQUEST_PAYER", value_parser = BoolishValueParser::new())]
    pub source_request_payer: bool,
}

/// The flags for objects that are written.
#[derive(Debug, Args)]
#[command(next_help_heading = "Buckets")]
pub struct WriteArgs {
    /// Canned ACL for written objects, if the policy of the target bucket requires one
    #[arg(long, env = "PROMOTE_TARGET_ACL", value_name = "ACL", value_enum)]
    pub target_acl: Option<CannedAcl>,
    /// Encryption header to send without a KMS key, if the policy of the target bucket requires it
    #[arg(long, env = "PROMOTE_TARGET_SSE", value_name = "SSE", value_enum, conflicts_with = "kms_key_arn")]
    pub target_sse: Option<Sse>,
}

impl BucketArgs {
    /// Completes how both accounts are accessed.
    pub fn access(&self, source: Access, target: Access) -> (Access, Access) {
        let (owner, requester_pays) = (self.target_bucket_owner.clone(), self.source_request_payer);
        let source = Access { buckets: BucketAccess { requester_pays, ..source.buckets }, ..source };
        let target = Access { buckets: BucketAccess { owner, ..target.buckets }, ..target };
        (source, target)
    }
}

impl WriteArgs {
    /// Completes how the target is accessed.
    pub fn access(&self, target: Access) -> Access {
        let writes = WriteHeaders { acl: self.target_acl, sse: self.target_sse };
        Access { buckets: BucketAccess { writes, ..target.buckets }, ..target }
    }
}

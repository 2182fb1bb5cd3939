//! A denied call.

use super::spellings::Spellings;
use crate::model::arn::AccountId;
use crate::model::side::Side;

/// The alternative to a copy within S3. Streaming works with one principal too.
pub(super) const STREAM: &str = "`--copy-mode stream`, which reads with the source credentials";

/// A denied call.
pub struct Denial<'a> {
    pub side: Side,
    /// The operation, such as `s3:PutObject`.
    pub call: &'a str,
    pub region: &'a str,
    /// AWS's message, or the HTTP status of a response without a body.
    pub message: &'a str,
    /// How the groups of the registry are spelled.
    pub groups: &'a Spellings,
    pub target_bucket: &'a TargetBucket,
    /// Whether the session only reads.
    pub reads_only: bool,
}

/// The settings of writes to the target bucket.
#[derive(Debug, Clone, Default)]
pub struct TargetBucket {
    /// Whether objects are written with a canned ACL.
    pub acl: bool,
    /// The account that the settings name as the owner. The bucket is then not the session's account's.
    pub owner: Option<AccountId>,
}

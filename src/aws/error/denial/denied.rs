//! A denied call.

use super::spellings::Spellings;
use crate::model::side::Side;

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
}

//! The destination of a promotion: bucket, prefix and group of the target account.

use super::arn::{GroupArn, PackageArn};
use super::field::each_leaf;
use super::layout::{Layout, TargetPrefix};
use super::location::{BucketName, Location};
use super::promoted::PromotedVersion;

/// Where a promotion goes in the target account.
#[derive(Debug, Clone)]
pub struct Destination {
    /// The bucket.
    pub bucket: BucketName,
    /// The prefix of all promotions.
    pub prefix: TargetPrefix,
    /// The group.
    pub group: GroupArn,
    /// The ARN of the principal that writes there.
    pub caller: String,
}

impl Destination {
    /// The folder of one version's promotion.
    pub fn layout(&self, source: &PackageArn) -> Layout {
        Layout::new(&self.bucket, &self.prefix, self.group.name(), source)
    }

    /// The destination that a version of the same group was promoted to, read off its references.
    pub fn of(&self, promoted: &PromotedVersion, source: &PackageArn) -> Option<Self> {
        let mut found = None;
        each_leaf(&promoted.description, &mut |_, value| {
            let location = value.as_str().and_then(|text| text.parse::<Location>().ok());
            let prefix = location.as_ref().and_then(|at| Layout::prefix_of(at, self.group.name(), source));
            if let (None, Some(location), Some(prefix)) = (&found, location, prefix) {
                found = Some(Self { bucket: location.bucket, prefix, ..self.clone() });
            }
        });
        found
    }
}

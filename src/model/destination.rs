//! The destination of a promotion: bucket, prefix and group of the target account.

use super::arn::{GroupArn, GroupName, PackageArn};
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
    /// The target group.
    pub group: GroupArn,
    /// The ARN of the principal that writes to the destination.
    pub caller: String,
}

impl Destination {
    /// The folder of all promotions to the group, which has the holds of the group too.
    pub fn promotions(&self) -> Location {
        Layout::promotions(&self.bucket, &self.prefix, self.group.name())
    }

    /// The folders of all promotions to a group, as far as the versions of the group name them. Each once, in the order of
    /// the versions. A hold is written to each of them.
    pub fn promotions_of<'a>(
        group: &GroupName,
        versions: impl IntoIterator<Item = &'a PromotedVersion>,
    ) -> Vec<Location> {
        let mut folders = Vec::new();
        for version in versions {
            let found = version.source().and_then(|source| bucket_and_prefix(group, version, &source));
            let folder = found.map(|(bucket, prefix)| Layout::promotions(&bucket, &prefix, group));
            folders.extend(folder.filter(|folder| !folders.contains(folder)));
        }
        folders
    }

    /// The keys of the promotion of one source version.
    pub fn layout(&self, source: &PackageArn) -> Layout {
        Layout::new(&self.bucket, &self.prefix, self.group.name(), source)
    }

    /// The destination of a version that was promoted from `source`: the given bucket and prefix, and the others from the
    /// locations in the promoted version. `None` if the bucket is in neither.
    pub fn given_or_found(
        bucket: Option<&BucketName>,
        prefix: Option<&TargetPrefix>,
        (group, caller): (&GroupArn, &str),
        promoted: &PromotedVersion,
        source: &PackageArn,
    ) -> Option<Self> {
        let unknown = || "unknown".parse().expect("it is a valid bucket name");
        let given = Self {
            bucket: bucket.cloned().unwrap_or_else(unknown),
            prefix: prefix.cloned().unwrap_or_default(),
            group: group.clone(),
            caller: caller.to_owned(),
        };
        match given.of(promoted, source) {
            Some(found) => Some(Self {
                bucket: bucket.cloned().unwrap_or(found.bucket),
                prefix: prefix.cloned().unwrap_or(found.prefix),
                ..given
            }),
            None => bucket.is_some().then_some(given),
        }
    }

    /// The keys of an earlier promotion of `source` to the same group, if the promoted version has a location of its
    /// folder.
    pub fn layout_of(&self, promoted: &PromotedVersion, source: &PackageArn) -> Option<Layout> {
        self.of(promoted, source).map(|found| found.layout(source))
    }

    /// The destination of an earlier promotion to the same group, derived from the locations in the promoted version.
    /// Returns `None` if no location has the form of a promotion of `source`.
    pub fn of(&self, promoted: &PromotedVersion, source: &PackageArn) -> Option<Self> {
        let (bucket, prefix) = bucket_and_prefix(self.group.name(), promoted, source)?;
        Some(Self { bucket, prefix, ..self.clone() })
    }
}

/// The bucket and the prefix of the promotion of `source`, by the first location in the promoted version that has the form
/// of one.
fn bucket_and_prefix(
    group: &GroupName,
    promoted: &PromotedVersion,
    source: &PackageArn,
) -> Option<(BucketName, TargetPrefix)> {
    let mut found = None;
    each_leaf(&promoted.description, &mut |_, value| {
        let location = value.as_str().and_then(|text| text.parse::<Location>().ok());
        let prefix = location.as_ref().and_then(|at| Layout::prefix_of(at, group, source));
        if let (None, Some(location), Some(prefix)) = (&found, location, prefix) {
            found = Some((location.bucket, prefix));
        }
    });
    found
}

//! Tells whether the version that has the ARN of a source version now is the one that was promoted. If a group is deleted
//! and made again, its versions are numbered from 1 again.

use aws_smithy_types::DateTime;
use aws_smithy_types::date_time::Format;

use super::document::Record;
use super::history::{History, approval};
use crate::model::arn::PackageArn;
use crate::model::failure::Failure;
use crate::model::package::{Package, rfc3339};
use crate::model::promoted::{PromotedVersion, TOLERANCE};
use crate::register::decision::RecordedApproval;

/// A promoted version, and the version that has the ARN of its source now.
#[derive(Debug)]
pub struct AnotherSource {
    promoted: PackageArn,
    text: String,
}

impl AnotherSource {
    /// What a warning says of the promoted version.
    pub fn remark(&self) -> String {
        format!("{}; the version was not changed", self.text)
    }

    /// The error for a run that was to promote the source version.
    pub fn error(self) -> Failure {
        Failure::new(format!("{} was promoted from another version: {}", self.promoted, self.text))
            .hint("Promote the version that exists now with another `--target-prefix` or `--target-group`")
    }
}

impl History {
    /// Tells whether the version was promoted from an earlier source version with the same ARN as `package`. Compares the
    /// registration times. Without a record, the promoted version has to be newer than the source version.
    pub fn another_source(&self, promoted: &PromotedVersion, package: &Package) -> Option<AnotherSource> {
        let (source, now) = (package.arn(), package.created());
        let since = rfc3339(&now);
        let text = match self.past(promoted).and_then(|past| source_created(past.base())) {
            Some(then) if (then.secs() - now.secs()).abs() > TOLERANCE => format!(
                "its source {source} was registered on {}, but the version that now has this ARN was registered on \
                 {since}: the group was deleted and made again",
                rfc3339(&then)
            ),
            Some(_) => return None,
            None => {
                if !promoted.is_older_than(now) {
                    return None;
                }
                format!(
                    "it was registered on {}, before the version that now has the ARN {source} ({since}): the group was \
                     deleted and made again",
                    rfc3339(&promoted.created()?)
                )
            }
        };
        Some(AnotherSource { promoted: promoted.arn.clone(), text })
    }
}

impl History {
    /// The newest record with the approval of a promoted version of this source version, whether that version exists or not.
    pub fn last_approval(&self, package: &Package) -> Option<(PackageArn, RecordedApproval)> {
        let records =
            self.stored().iter().rev().filter_map(|stored| Some((stored.version()?, stored.record.as_ref().ok()?)));
        let mut of_source = records.filter(|(_, record)| is_about(record, package));
        of_source.find_map(|(version, record)| Some((version.clone(), approval(record)?)))
    }
}

/// Whether a record is about this source version, as far as it tells.
fn is_about(record: &Record, package: &Package) -> bool {
    source_created(record).is_none_or(|then| (then.secs() - package.created().secs()).abs() <= TOLERANCE)
}

fn source_created(record: &Record) -> Option<DateTime> {
    DateTime::from_str(&record.source.package.as_ref()?.created, Format::DateTime).ok()
}

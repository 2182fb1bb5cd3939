//! The target bucket as a promotion uses it.

use crate::model::arn::{GroupArn, KmsKeyArn};
use crate::model::layout::Layout;
use crate::model::location::Location;
use crate::run::settings::DoctorSettings;

/// The bucket as a promotion uses it.
pub(super) struct Destination<'a> {
    /// The ARN of the bucket.
    pub bucket: String,
    /// The ARN of every object below the group's folder.
    pub objects: String,
    /// The ARN of the state files of uploads.
    pub unfinished: String,
    /// An object that no promotion writes.
    pub probes: Location,
    pub kms_key: Option<&'a KmsKeyArn>,
}

impl<'a> Destination<'a> {
    /// The destination of promotions to a group.
    pub fn of(settings: &'a DoctorSettings, group: &GroupArn) -> Self {
        let to = &settings.destination;
        let folder = Layout::promotions(&to.bucket, &to.prefix, group.name());
        let bucket = format!("arn:{}:s3:::{}", group.partition(), to.bucket);
        Self {
            objects: format!("{bucket}/{}*", folder.key),
            unfinished: format!("{bucket}/{}*/_unfinished/*", folder.key),
            probes: Location::new(&to.bucket, format!("{}_doctor/_unfinished/absent", folder.key)),
            bucket,
            kms_key: settings.overrides.kms_key.as_ref(),
        }
    }
}

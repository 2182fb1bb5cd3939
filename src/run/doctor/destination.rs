//! The target bucket as a promotion uses it.

use crate::model::arn::{GroupArn, KmsKeyArn};
use crate::model::layout::Layout;
use crate::model::location::Location;
use crate::run::settings::DoctorSettings;

/// The bucket as a promotion uses it.
pub(super) struct Destination<'a> {
    /// The ARN of the bucket.
    pub bucket: String,
    /// The ARN of every object below the folder of the promotions.
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
        Self::below(settings, group.partition(), &folder.key)
    }

    /// The destination of promotions to groups that are not known.
    pub fn of_all(settings: &'a DoctorSettings, partition: &str) -> Self {
        Self::below(settings, partition, settings.destination.prefix.as_str())
    }

    fn below(settings: &'a DoctorSettings, partition: &str, folder: &str) -> Self {
        let name = &settings.destination.bucket;
        let bucket = format!("arn:{partition}:s3:::{name}");
        Self {
            objects: format!("{bucket}/{folder}*"),
            unfinished: format!("{bucket}/{folder}*/_unfinished/*"),
            probes: Location::new(name, format!("{folder}_doctor/_unfinished/absent")),
            bucket,
            kms_key: settings.overrides.kms_key.as_ref(),
        }
    }
}

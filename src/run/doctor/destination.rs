//! The target bucket as a promotion uses it.

use crate::model::arn::{AccountId, GroupArn, GroupPattern, KmsKeyArn, Region};
use crate::model::location::Location;
use crate::run::settings::{DoctorSettings, FullSettings};

/// The bucket as a promotion uses it.
#[derive(Clone)]
pub(super) struct AskedDestination<'a> {
    /// The ARN of the bucket.
    pub bucket: String,
    /// The ARN of every object below the folder of the promotions.
    pub objects: String,
    /// The ARN of the state files of uploads.
    pub unfinished: String,
    /// The folder of the promotions. Of groups that are not known, that of a group that the pattern matches.
    pub folder: Location,
    /// An object that no promotion writes, in the folder of version 0. Permissions may be granted on the folders of versions
    /// only. Nothing if the source account is not known, which the folder names.
    pub probes: Option<Location>,
    pub kms_key: Option<&'a KmsKeyArn>,
    /// The account of the source groups, if it is known.
    pub source: Option<AccountId>,
}

/// The source of promotions, as the folder of a version names it.
pub(super) struct SourceNames {
    account: AccountId,
    region: Region,
    /// The name of the group, or a pattern.
    group: String,
}

impl SourceNames {
    pub fn of(group: &GroupArn) -> Self {
        Self { account: group.account().clone(), region: group.region().clone(), group: group.name().canonical() }
    }

    /// The groups of a pattern, which are those of `account` in `region` unless the pattern names others.
    pub fn of_pattern(pattern: &GroupPattern, known: Option<(&AccountId, &Region)>) -> Option<Self> {
        let (account, region) = pattern.place().or(known)?;
        let group = pattern.name().to_ascii_lowercase();
        Some(Self { account: account.clone(), region: region.clone(), group })
    }
}

impl<'a> AskedDestination<'a> {
    /// The destination of promotions to a group. `target`: its name, or a pattern of the names of groups.
    pub fn of(settings: &'a DoctorSettings, partition: &str, target: &str, source: Option<&SourceNames>) -> Self {
        let FullSettings { destination, overrides, .. } = &settings.promotion;
        let (name, prefix, target) = (&destination.bucket, &destination.prefix, target.to_ascii_lowercase());
        let bucket = format!("arn:{partition}:s3:::{name}");
        let folder = Location::new(name, format!("{prefix}{}/", matching(&target)));
        let probes = source.map(|SourceNames { account, region, group }| {
            let version = format!("{account}-{region}-{}-v0", matching(group));
            Location::new(name, format!("{}{version}/_unfinished/absent", folder.key))
        });
        Self {
            objects: format!("{bucket}/{prefix}{target}/*"),
            unfinished: format!("{bucket}/{prefix}{target}/*/_unfinished/*"),
            folder,
            probes,
            bucket,
            source: source.map(|source| source.account.clone()),
            kms_key: overrides.kms_key.as_ref(),
        }
    }
}

/// A name that a pattern matches; a name itself.
fn matching(pattern: &str) -> String {
    pattern.replace('*', "doctor").replace('?', "0")
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::layout::Layout;

    #[test]
    fn version_0_has_the_folder_of_a_version() {
        let pattern: GroupPattern =
            "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/Team-*".parse().unwrap();
        let SourceNames { account, region, group } = SourceNames::of_pattern(&pattern, None).unwrap();
        let arn = format!("arn:aws:sagemaker:{region}:{account}:model-package/{}/7", matching(&group)).parse().unwrap();
        let layout = Layout::new(&"serving".parse().unwrap(), &"".parse().unwrap(), &"prod".parse().unwrap(), &arn);
        assert_eq!(layout.folder().key, format!("prod/{account}-{region}-team-doctor-v7/"));
        assert!(Layout::of_folder(&"serving".parse().unwrap(), &layout.folder().key.replace("-v7/", "-v0/")).is_some());
    }
}

//! The keys of a promotion in the target bucket.

use std::str::FromStr;

use crate::model::arn::{AccountId, GroupArn, GroupName, Malformed, PackageArn, text_type};
use crate::model::location::{BucketName, Location};
use crate::model::record_name::is_record_name;

/// The longest key that S3 accepts, in bytes of UTF-8.
pub const MAX_KEY_BYTES: usize = 1024;

/// `--target-prefix`: empty, or a key prefix that ends in `/`.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct TargetPrefix(String);

impl FromStr for TargetPrefix {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let folders = text.strip_suffix('/').unwrap_or(text);
        if folders.is_empty() {
            return Ok(Self::default());
        }
        if text.len() > 256 || folders.split('/').any(|part| part.is_empty() || part == "." || part == "..") {
            return Err(Malformed::new(
                "a target prefix",
                "folders such as models/promoted, at most 256 characters",
                text,
            ));
        }
        Ok(Self(format!("{folders}/")))
    }
}
text_type!(TargetPrefix);

/// The folder of one promotion. It depends on the source version and the target group only: a later run finds the same
/// folder, and no two versions share a key.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Layout {
    bucket: BucketName,
    folder: String,
}

impl Layout {
    /// `<prefix><target group>/<source account>-<source region>-<source group>-v<version>/` in `bucket`.
    ///
    /// Both groups are in lower case, however the request or the registry spells them.
    pub fn new(bucket: &BucketName, prefix: &TargetPrefix, target_group: &GroupName, source: &PackageArn) -> Self {
        let folder = format!("{prefix}{}", own_folder(target_group, source));
        Self { bucket: bucket.clone(), folder }
    }

    /// The folder of all promotions to a group.
    pub fn promotions(bucket: &BucketName, prefix: &TargetPrefix, target_group: &GroupName) -> Location {
        Location::new(bucket, format!("{prefix}{}/", target_group.canonical()))
    }

    /// Whether a key may be in the folder of a promotion, or in a folder for outputs, claims or holds.
    pub fn is_reserved(key: &str) -> bool {
        let folders = key.rsplit_once('/').map_or("", |(folders, _)| folders);
        folders.split('/').any(|name| name.starts_with('_') || is_own_folder(name))
    }

    /// The version of the source group whose promotion is in a folder below [`Layout::promotions`]. Nothing for versions
    /// of other groups.
    pub fn source_of(folder: &str, group: &GroupArn) -> Option<PackageArn> {
        let name = folder.strip_suffix('/')?.rsplit('/').next()?;
        let (spelled, version) = name.rsplit_once("-v")?;
        let spelled = spelled.strip_prefix(&format!("{}-{}-", group.account(), group.region()))?;
        let partition = group.as_str().split(':').nth(1)?;
        let (region, account) = (group.region(), group.account());
        let arn = format!("arn:{partition}:sagemaker:{region}:{account}:model-package/{spelled}/{version}");
        arn.parse().ok().filter(|arn: &PackageArn| arn.is_of(group))
    }

    /// A folder below [`Layout::promotions`], if it has the name of the folder of a promotion.
    pub fn of_folder(bucket: &BucketName, folder: &str) -> Option<Self> {
        let name = folder.strip_suffix('/')?.rsplit('/').next()?;
        is_own_folder(name).then(|| Self { bucket: bucket.clone(), folder: folder.to_owned() })
    }

    /// The target prefix and the folder of a promotion to `target_group`, by the location of an object in the folder.
    pub fn of_copy(copy: &Location, target_group: &GroupName) -> Option<(TargetPrefix, Self)> {
        let group = format!("{}/", target_group.canonical());
        copy.key.match_indices(&group).find_map(|(at, _)| {
            let (prefix, below) = (&copy.key[..at], &copy.key[at + group.len()..]);
            let name = below.split_once('/')?.0;
            let folder = Self::of_folder(&copy.bucket, &format!("{prefix}{group}{name}/"))?;
            let prefix = (prefix.is_empty() || prefix.ends_with('/')).then(|| prefix.parse().ok())??;
            Some((prefix, folder))
        })
    }

    /// Derives the target prefix from the location of an object that was promoted from `source` to `target_group`.
    pub fn prefix_of(copy: &Location, target_group: &GroupName, source: &PackageArn) -> Option<TargetPrefix> {
        let folder = own_folder(target_group, source);
        let mut found = copy.key.match_indices(&folder).map(|(at, _)| &copy.key[..at]);
        found.find(|prefix| prefix.is_empty() || prefix.ends_with('/'))?.parse().ok()
    }

    /// The location of the folder. Its key ends in `/`.
    pub fn folder(&self) -> Location {
        Location::new(&self.bucket, &self.folder)
    }
    /// The target location of a source object or prefix.
    pub fn copy_of(&self, source: &Location) -> Location {
        Location::new(&self.bucket, format!("{}{}/{}", self.folder, source.bucket, source.key))
    }
    /// The location of a manifest with rewritten locations: separate from unchanged copies. It cannot collide with the
    /// folder of a source bucket, because no bucket name begins with an underscore.
    pub fn rewritten(&self, manifest: &Location) -> Location {
        Location::new(&self.bucket, format!("{}_manifests/{}/{}", self.folder, manifest.bucket, manifest.key))
    }
    /// The target location of an output, which jobs write to. It is outside of the folder: what a job writes is no part of
    /// the promotion. No folder of a promotion begins with an underscore.
    pub fn output(&self, source: &Location) -> Location {
        let folder = self.folder.trim_end_matches('/');
        let (promotions, own) = folder.rsplit_once('/').expect("the folder is below the folder of its group");
        Location::new(&self.bucket, format!("{promotions}/_outputs/{own}/{}/{}", source.bucket, source.key))
    }
    /// The folder of the state files of unfinished uploads. These files do not belong to the promotion.
    pub fn unfinished(&self) -> Location {
        Location::new(&self.bucket, format!("{}_unfinished/", self.folder))
    }
    /// The folder of the claims, by which concurrent runs register a version once.
    pub fn claims(&self) -> Location {
        Location::new(&self.bucket, format!("{}_claims/", self.folder))
    }
    /// The location of a claim.
    pub fn claim(&self, number: u32) -> Location {
        Location::new(&self.bucket, format!("{}_claims/{number}.json", self.folder))
    }
    /// The location of the object that says that the run of a claim has released it.
    pub fn release(&self, number: u32) -> Location {
        Location::new(&self.bucket, format!("{}_claims/{number}.released.json", self.folder))
    }
    /// The number of the claim that a key belongs to.
    pub fn claim_number(&self, key: &str) -> Option<u32> {
        key.strip_prefix(&self.claims().key)?.strip_suffix(".json")?.parse().ok()
    }
    /// Whether a key belongs to a state of an unfinished upload or to a claim, which serve runs and are no part of the
    /// promotion.
    pub fn serves_runs(&self, key: &str) -> bool {
        [self.unfinished(), self.claims()].iter().any(|folder| key.starts_with(&folder.key))
    }
    /// Whether promote writes the object for itself, besides the artifacts.
    pub fn is_own(&self, key: &str) -> bool {
        self.is_record(key) || self.signed_record(key).is_some() || self.serves_runs(key)
    }
    /// The location of the first record of the promotion.
    pub fn record(&self) -> Location {
        Location::new(&self.bucket, format!("{}promotion.json", self.folder))
    }
    /// The common key prefix of all records.
    pub fn records(&self) -> Location {
        Location::new(&self.bucket, format!("{}promotion", self.folder))
    }
    /// Whether a key of the target bucket is that of a record of this promotion, as [`Self::record`],
    /// [`Self::later_record`] and [`Self::further_record`] make it.
    pub fn is_record(&self, key: &str) -> bool {
        key.strip_prefix(&self.folder).and_then(|name| name.strip_suffix(".json")).is_some_and(is_record_name)
    }
    /// The location of the signature of a record.
    pub fn signature_of(record: &Location) -> Location {
        Location::new(&record.bucket, format!("{}.dsse", record.key))
    }
    /// The key of the signed record, if `key` belongs to a signature.
    pub fn signed_record<'a>(&self, key: &'a str) -> Option<&'a str> {
        key.strip_suffix(".dsse").filter(|record| self.is_record(record))
    }
    /// The location of the record of `target_version`, if the first record describes a version that was deleted since.
    pub fn later_record(&self, target_version: u32) -> Location {
        Location::new(&self.bucket, format!("{}promotion-{target_version}.json", self.folder))
    }
    /// The location of the record of a later change, such as a withdrawal. `time` makes the key unique.
    pub fn further_record(&self, time: &str) -> Location {
        Location::new(&self.bucket, format!("{}promotion-{time}.json", self.folder))
    }
}

/// The part of a folder below the prefix.
fn own_folder(target_group: &GroupName, source: &PackageArn) -> String {
    let (target, group) = (target_group.canonical(), source.group().canonical());
    format!("{target}/{}-{}-{group}-v{}/", source.account(), source.region(), source.version())
}

/// Whether a name may be that of the folder of a promotion: `<account>-<region>-<group>-v<version>`.
fn is_own_folder(name: &str) -> bool {
    let of_account = name.split_once('-').is_some_and(|(account, _)| account.parse::<AccountId>().is_ok());
    of_account && name.rsplit_once("-v").is_some_and(|(_, version)| version.parse::<u32>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(prefix: &str) -> Layout {
        let source = "arn:aws:sagemaker:eu-central-1:444333666777:model-package/churn/7".parse().unwrap();
        Layout::new(&"serving".parse().unwrap(), &prefix.parse().unwrap(), &"Prod".parse().unwrap(), &source)
    }

    #[test]
    fn the_key_of_a_copy_names_its_source() {
        let copy = layout("").copy_of(&"s3://models/a//../b.tar.gz".parse().unwrap());
        assert_eq!(copy.to_string(), "s3://serving/prod/444333666777-eu-central-1-churn-v7/models/a//../b.tar.gz");
    }

    #[test]
    fn an_output_is_beside_the_folder() {
        for (prefix, key) in [("", "prod"), ("x/y", "x/y/prod")] {
            let output = layout(prefix).output(&"s3://models/out/".parse().unwrap());
            let expected = format!("s3://serving/{key}/_outputs/444333666777-eu-central-1-churn-v7/models/out/");
            assert_eq!(output.to_string(), expected);
            assert!(!output.key.starts_with(&layout(prefix).folder().key));
        }
    }

    #[test]
    fn the_folder_does_not_depend_on_the_spelling_of_a_group() {
        let source = "arn:aws:sagemaker:eu-central-1:444333666777:model-package/Churn/7".parse().unwrap();
        let other = Layout::new(&"serving".parse().unwrap(), &"x".parse().unwrap(), &"pROD".parse().unwrap(), &source);
        assert_eq!(other, layout("x"));
    }

    #[test]
    fn a_folder_names_the_source_version() {
        let group = "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/Churn".parse().unwrap();
        let source = |name: &str| Layout::source_of(&format!("x/prod/{name}/"), &group).map(|arn| arn.to_string());
        let arn = "arn:aws:sagemaker:eu-central-1:444333666777:model-package/churn/7";
        assert_eq!(source("444333666777-eu-central-1-churn-v7"), Some(arn.to_owned()));
        for other in ["444333666777-eu-central-1-churn-v2-v7", "444333666777-eu-west-1-churn-v7", "models", "churn-v0"]
        {
            assert_eq!(source(other), None, "{other}");
        }
    }

    #[test]
    fn artifacts_are_never_mistaken_for_records() {
        let layout = layout("x");
        let key = |name: &str| format!("{}{name}", layout.folder().key);
        for name in ["promotion.json", "promotion-2.json", "promotion-20261128T120000.123Z-2.json"] {
            assert!(layout.is_record(&key(name)), "{name}");
            let (signature, record) = (key(&format!("{name}.dsse")), key(name));
            assert_eq!(layout.signed_record(&signature), Some(record.as_str()));
        }
        let artifact = layout.copy_of(&"s3://promotion-models/a.json".parse().unwrap()).key;
        for other in [
            artifact,
            key("promotions.json"),
            key("promotion-.json"),
            key("promotion-notes.json"),
            key("promotion-2026.json.json"),
            key("promotion-20261128T120000.json"),
            key("a/promotion.json"),
            key("promotion.json.dsse"),
        ] {
            assert!(!layout.is_record(&other), "{other}");
        }
    }

    #[test]
    fn the_final_slash_of_a_prefix_is_optional() {
        assert_eq!(layout("x/y").folder(), layout("x/y/").folder());
        assert!(layout("x").folder().key.starts_with("x/prod/"));
        assert_eq!("/".parse::<TargetPrefix>(), Ok(TargetPrefix::default()));
    }

    #[test]
    fn the_prefix_is_derived_from_the_location_of_a_copy() {
        let source = "arn:aws:sagemaker:eu-central-1:444333666777:model-package/churn/7".parse().unwrap();
        let copy = layout("x/y").copy_of(&"s3://models/k".parse().unwrap());
        let prefix = Layout::prefix_of(&copy, &"Prod".parse().unwrap(), &source);
        assert_eq!(prefix, "x/y".parse().ok());
        assert_eq!(Layout::prefix_of(&"s3://models/k".parse().unwrap(), &"Prod".parse().unwrap(), &source), None);
        let longer = layout("x/pre-").copy_of(&"s3://models/k".parse().unwrap()).to_string().replace("pre-/", "pre-");
        assert_eq!(Layout::prefix_of(&longer.parse().unwrap(), &"Prod".parse().unwrap(), &source), None);
    }

    #[test]
    fn a_prefix_with_empty_or_dotted_folders_is_refused() {
        for prefix in ["/x", "a//b", "a/../b", ".", "a/./b"] {
            assert!(prefix.parse::<TargetPrefix>().is_err(), "{prefix}");
        }
    }

    #[test]
    fn the_same_key_in_two_buckets_has_two_copies() {
        let copies = ["s3://one/k", "s3://two/k"].map(|source| layout("").copy_of(&source.parse().unwrap()));
        assert_ne!(copies[0], copies[1]);
    }
}

//! ARNs and their parts: accounts, regions, groups, versions, keys and roles.

mod fields;
mod key;
mod malformed;
mod parts;
mod pattern;
mod registry;
mod role;
pub(crate) mod text;

pub(crate) use fields::{Fields, fields, partition, partition_of};
pub use key::KmsKeyArn;
pub use malformed::Malformed;
pub use parts::{AccountId, GroupName, Region};
pub use pattern::{GroupPattern, GroupTemplate, Groups};
pub use registry::{GroupArn, GroupRef, PackageArn};
pub use role::RoleArn;
pub(crate) use text::{as_text, text_type};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_version_belongs_to_its_group_regardless_of_letter_case() {
        let group: GroupArn =
            "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/My-Group".parse().unwrap();
        let package: PackageArn =
            "arn:aws:sagemaker:eu-central-1:444333666777:model-package/my-group/7".parse().unwrap();
        assert!(package.is_of(&group));
        assert_eq!(package.version(), 7);
    }

    #[test]
    fn a_version_of_another_account_does_not_belong_to_the_group() {
        let group: GroupArn = "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/g".parse().unwrap();
        let package: PackageArn = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/g/7".parse().unwrap();
        assert!(!package.is_of(&group));
    }

    #[test]
    fn a_malformed_arn_is_refused_with_the_expected_form() {
        for text in ["", "arn", "arn:aws:s3:::b", "arn:aws:sagemaker:eu-central-1:4443:model-package-group/g"] {
            assert!(text.parse::<GroupArn>().is_err(), "{text}");
        }
        let error = "arn:aws:sagemaker:eu-central-1:444333666777:model-package/g".parse::<PackageArn>().unwrap_err();
        assert!(error.to_string().contains("model-package/<group>/<version>"), "{error}");
    }

    #[test]
    fn regions_of_every_partition_are_accepted() {
        for text in ["us-east-1", "us-gov-west-1", "cn-north-1", "ap-southeast-5", "us-iso-east-1"] {
            assert!(text.parse::<Region>().is_ok(), "{text}");
        }
        for text in ["", "us", "US-EAST-1", "us-east-", "us-east-1a"] {
            assert!(text.parse::<Region>().is_err(), "{text}");
        }
    }
}

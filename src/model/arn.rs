//! Names of AWS things, parsed once at the edge: text comes in, typed account, region, group and package come out.

use std::fmt;

mod key;
mod parts;
mod registry;
mod role;

pub use key::KmsKeyArn;
pub use parts::{AccountId, GroupName, Region};
pub use registry::{GroupArn, GroupRef, PackageArn};
pub use role::RoleArn;

/// Why a text is not the name that was asked for; says which form is expected.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Malformed {
    what: &'static str,
    expected: &'static str,
    given: String,
}

impl Malformed {
    /// `what` was given as `given`, but has to look like `expected`.
    pub fn new(what: &'static str, expected: &'static str, given: impl Into<String>) -> Self {
        Self { what, expected, given: given.into() }
    }
}

impl fmt::Display for Malformed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "'{}' is not {}; expected {}", self.given, self.what, self.expected)
    }
}

impl std::error::Error for Malformed {}

macro_rules! text_type {
    ($name:ident) => {
        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
        impl TryFrom<String> for $name {
            type Error = Malformed;
            fn try_from(text: String) -> Result<Self, Malformed> {
                text.parse()
            }
        }
        impl From<$name> for String {
            fn from(value: $name) -> String {
                value.to_string()
            }
        }
    };
}
pub(crate) use text_type;

/// The fields of an ARN of one service; region and account are empty where the service has none.
pub(crate) struct Fields<'a> {
    pub partition: &'a str,
    pub region: &'a str,
    pub account: &'a str,
    pub resource: &'a str,
}

/// The partition of an ARN of any service: `aws`, `aws-cn`, …
pub(crate) fn partition(text: &str) -> Option<&str> {
    Some(fields(text, text.split(':').nth(2)?)?.partition)
}

/// Takes an ARN of a service apart, or says that it is none.
pub(crate) fn fields<'a>(text: &'a str, service: &str) -> Option<Fields<'a>> {
    let mut parts = text.splitn(6, ':');
    let (arn, partition, of) = (parts.next()?, parts.next()?, parts.next()?);
    let (region, account, resource) = (parts.next()?, parts.next()?, parts.next()?);
    let partition_is_valid =
        partition.starts_with("aws") && partition.bytes().all(|b| b.is_ascii_lowercase() || b == b'-');
    (arn == "arn" && of == service && partition_is_valid).then_some(Fields { partition, region, account, resource })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_package_arn_belongs_to_its_group_whatever_the_case_of_the_name() {
        let group: GroupArn =
            "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/My-Group".parse().unwrap();
        let package: PackageArn =
            "arn:aws:sagemaker:eu-central-1:444333666777:model-package/my-group/7".parse().unwrap();
        assert!(package.is_of(&group));
        assert_eq!(package.version(), 7);
    }

    #[test]
    fn a_package_of_another_account_is_not_of_the_group() {
        let group: GroupArn = "arn:aws:sagemaker:eu-central-1:444333666777:model-package-group/g".parse().unwrap();
        let package: PackageArn = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/g/7".parse().unwrap();
        assert!(!package.is_of(&group));
    }

    #[test]
    fn what_is_no_arn_is_refused_with_the_form_that_is_expected() {
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

//! Names of AWS things, parsed once at the edge: text comes in, typed account, region, group and package come out.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

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

/// The twelve digits of an AWS account.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct AccountId(String);

impl AccountId {
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for AccountId {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new("an account id", "12 digits", text))
        }
    }
}
text_type!(AccountId);

/// A region code such as `eu-central-1`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Region(String);

impl Region {
    /// The code.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for Region {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let parts: Vec<&str> = text.split('-').collect();
        let letters = |part: &&str| !part.is_empty() && part.bytes().all(|b| b.is_ascii_lowercase());
        let digit = parts.last().is_some_and(|p| !p.is_empty() && p.bytes().all(|b| b.is_ascii_digit()));
        if parts.len() >= 3 && digit && parts[..parts.len() - 1].iter().all(letters) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new("a region", "a code such as eu-central-1", text))
        }
    }
}
text_type!(Region);

/// The name of a model package group: 1 to 63 letters, digits and inner hyphens (SageMaker's `EntityName`).
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GroupName(String);

impl GroupName {
    /// The name as it was given.
    pub fn as_str(&self) -> &str {
        &self.0
    }

    /// Whether both name one group: package ARNs carry the name in lower case.
    pub fn is(&self, other: &str) -> bool {
        self.0.eq_ignore_ascii_case(other)
    }
}

impl FromStr for GroupName {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let inner = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if (1..=63).contains(&text.len()) && inner && !text.starts_with('-') && !text.ends_with('-') {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new(
                "a model package group name",
                "1 to 63 letters, digits and hyphens, none at either end",
                text,
            ))
        }
    }
}
text_type!(GroupName);

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

/// `arn:aws:sagemaker:<region>:<account>:model-package-group/<name>`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct GroupArn {
    text: String,
    region: Region,
    account: AccountId,
    name: GroupName,
}

impl GroupArn {
    /// The ARN of the group `name` in an account and region of `partition` (`aws`, `aws-cn`, …).
    pub fn new(partition: &str, region: &Region, account: &AccountId, name: &GroupName) -> Self {
        let text = format!("arn:{partition}:sagemaker:{region}:{account}:model-package-group/{name}");
        Self { text, region: region.clone(), account: account.clone(), name: name.clone() }
    }
    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.text
    }
    /// The region of the registry.
    pub fn region(&self) -> &Region {
        &self.region
    }
    /// The account of the registry.
    pub fn account(&self) -> &AccountId {
        &self.account
    }
    /// The group's name.
    pub fn name(&self) -> &GroupName {
        &self.name
    }
}

impl FromStr for GroupArn {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || {
            Malformed::new(
                "the ARN of a model package group",
                "arn:aws:sagemaker:<region>:<account>:model-package-group/<name>",
                text,
            )
        };
        let fields = fields(text, "sagemaker").ok_or_else(malformed)?;
        let name = fields.resource.strip_prefix("model-package-group/").ok_or_else(malformed)?;
        Ok(Self {
            text: text.to_owned(),
            region: fields.region.parse()?,
            account: fields.account.parse()?,
            name: name.parse()?,
        })
    }
}
text_type!(GroupArn);

/// `arn:aws:sagemaker:<region>:<account>:model-package/<group>/<version>`: one version of a group.
///
/// SageMaker writes the group's name in lower case here; the name as it was given is in the description.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct PackageArn {
    text: String,
    partition: String,
    region: Region,
    account: AccountId,
    group: GroupName,
    version: u32,
}

impl PackageArn {
    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.text
    }
    /// `aws`, `aws-cn`, `aws-us-gov`, …
    pub fn partition(&self) -> &str {
        &self.partition
    }
    /// The region of the registry.
    pub fn region(&self) -> &Region {
        &self.region
    }
    /// The account of the registry.
    pub fn account(&self) -> &AccountId {
        &self.account
    }
    /// The group's name as the ARN writes it.
    pub fn group(&self) -> &GroupName {
        &self.group
    }
    /// The version within the group, from 1.
    pub fn version(&self) -> u32 {
        self.version
    }
    /// Whether this is a version of `group`.
    pub fn is_of(&self, group: &GroupArn) -> bool {
        self.region == *group.region() && self.account == *group.account() && group.name().is(self.group.as_str())
    }
}

impl FromStr for PackageArn {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || {
            Malformed::new(
                "the ARN of a model package version",
                "arn:aws:sagemaker:<region>:<account>:model-package/<group>/<version>",
                text,
            )
        };
        let fields = fields(text, "sagemaker").ok_or_else(malformed)?;
        let path = fields.resource.strip_prefix("model-package/").ok_or_else(malformed)?;
        let (group, version) = path.split_once('/').ok_or_else(malformed)?;
        Ok(Self {
            text: text.to_owned(),
            partition: fields.partition.to_owned(),
            region: fields.region.parse()?,
            account: fields.account.parse()?,
            group: group.parse()?,
            version: version.parse().ok().filter(|v| *v > 0).ok_or_else(malformed)?,
        })
    }
}
text_type!(PackageArn);

/// `--group`: a group by its ARN, or by its name in the session's own account and region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum GroupRef {
    /// Account and region are known.
    Arn(GroupArn),
    /// Account and region are the source session's.
    Name(GroupName),
}

impl FromStr for GroupRef {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        if text.starts_with("arn:") { text.parse().map(Self::Arn) } else { text.parse().map(Self::Name) }
    }
}

/// An IAM role to assume.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleArn {
    text: String,
    account: AccountId,
}

impl RoleArn {
    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.text
    }
    /// The account of the role.
    pub fn account(&self) -> &AccountId {
        &self.account
    }
}

impl FromStr for RoleArn {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed::new("the ARN of an IAM role", "arn:aws:iam::<account>:role/<name>", text);
        let fields = fields(text, "iam").ok_or_else(malformed)?;
        let named = fields.resource.strip_prefix("role/").is_some_and(|name| !name.is_empty());
        if !named || text.len() < 20 || text.len() > 2048 {
            return Err(malformed());
        }
        Ok(Self { text: text.to_owned(), account: fields.account.parse()? })
    }
}
text_type!(RoleArn);

/// A KMS key or alias, by its ARN: only an ARN says which account and region the key is of.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct KmsKeyArn {
    text: String,
    region: Region,
}

impl KmsKeyArn {
    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.text
    }
    /// The region of the key; objects can only be encrypted with keys of their bucket's region.
    pub fn region(&self) -> &Region {
        &self.region
    }
}

impl FromStr for KmsKeyArn {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed::new("the ARN of a KMS key", "arn:aws:kms:<region>:<account>:key/<id>", text);
        let fields = fields(text, "kms").ok_or_else(malformed)?;
        fields.account.parse::<AccountId>()?;
        let (kind, id) = fields.resource.split_once('/').ok_or_else(malformed)?;
        if !matches!(kind, "key" | "alias") || id.is_empty() {
            return Err(malformed());
        }
        Ok(Self { text: text.to_owned(), region: fields.region.parse()? })
    }
}
text_type!(KmsKeyArn);

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

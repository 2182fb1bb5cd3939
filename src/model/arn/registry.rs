//! ARNs of the model registry: groups and their versions.

use std::str::FromStr;

use serde::Deserialize;

use super::fields::fields;
use super::malformed::Malformed;
use super::parts::{AccountId, GroupName, Region};
use super::text::{equal_without_case, text_type};

/// `arn:aws:sagemaker:<region>:<account>:model-package-group/<name>`. Two ARNs that differ in the letter case of the name
/// only are equal.
#[derive(Debug, Clone)]
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
    /// The partition, such as `aws` or `aws-cn`.
    pub fn partition(&self) -> &str {
        self.as_str().split(':').nth(1).unwrap_or("aws")
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
text_type!(GroupArn, text);
equal_without_case!(GroupArn);

/// `arn:aws:sagemaker:<region>:<account>:model-package/<group>/<version>`: one version of a group.
///
/// SageMaker writes the name of the group as it was created in some answers and in lower case in others. Two ARNs that
/// differ in that only are equal.
#[derive(Debug, Clone)]
pub struct PackageArn {
    text: String,
    partition: String,
    region: Region,
    account: AccountId,
    group: GroupName,
    version: u32,
}

impl PackageArn {
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
    /// The group's name, spelled as in the ARN.
    pub fn group(&self) -> &GroupName {
        &self.group
    }
    /// The version number, starting at 1.
    pub fn version(&self) -> u32 {
        self.version
    }
    /// Whether this version belongs to `group`.
    pub fn is_of(&self, group: &GroupArn) -> bool {
        self.region == *group.region() && self.account == *group.account() && self.group == *group.name()
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
text_type!(PackageArn, text);
equal_without_case!(PackageArn);

/// `--group`: the ARN of a group, or its name in the account and region of the source session.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub enum GroupRef {
    /// A group in the account and region of its ARN.
    Arn(GroupArn),
    /// A group in the account and region of the source session.
    Name(GroupName),
}

impl GroupRef {
    /// The group's name.
    pub fn name(&self) -> &GroupName {
        match self {
            Self::Arn(arn) => arn.name(),
            Self::Name(name) => name,
        }
    }

    /// Whether this is the group with an ARN, as far as its account is known.
    pub fn is(&self, group: &GroupArn) -> bool {
        match self {
            Self::Arn(arn) => arn == group,
            Self::Name(name) => name == group.name(),
        }
    }

    /// The region in the ARN, if an ARN is given.
    pub fn region(&self) -> Option<&Region> {
        match self {
            Self::Arn(arn) => Some(arn.region()),
            Self::Name(_) => None,
        }
    }
}

impl TryFrom<String> for GroupRef {
    type Error = Malformed;
    fn try_from(text: String) -> Result<Self, Malformed> {
        text.parse()
    }
}

impl FromStr for GroupRef {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        if text.starts_with("arn:") { text.parse().map(Self::Arn) } else { text.parse().map(Self::Name) }
    }
}

//! Names that only the stack has, parsed once at the edge: text comes in, a checked name comes out.

use std::str::FromStr;

use crate::model::arn::{AccountId, Fields, Malformed, Region, fields, text_type};
use crate::model::location::BucketName;

/// A text that is checked by `$valid` and kept as it is.
macro_rules! checked_name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $expected:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(String);

        impl $name {
            /// The name as it was given.
            pub fn as_str(&self) -> &str {
                &self.0
            }
        }

        impl FromStr for $name {
            type Err = Malformed;
            fn from_str(text: &str) -> Result<Self, Malformed> {
                let valid: fn(&str) -> bool = $valid;
                if valid(text) { Ok(Self(text.to_owned())) } else { Err(Malformed::new($what, $expected, text)) }
            }
        }
        text_type!($name);
    };
}

checked_name!(
    /// A stack's name. A pipeline's is at most 100 characters long, of which `-Pipeline` takes nine.
    StackName,
    "a stack name",
    "a letter, then letters, digits and hyphens, 91 at most",
    |text| text.len() <= 91
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && text.chars().all(|c| c.is_ascii_alphanumeric() || c == '-')
);
checked_name!(
    /// An event bus of the target account.
    EventBusName,
    "the name of an event bus",
    "1 to 256 letters, digits and ._-/, such as mlops-bus; no ARN: the bus is the target account's",
    |text| (1..=256).contains(&text.len()) && only(text, "._-/")
);
checked_name!(
    /// An IAM policy, with its path if it has one.
    PolicyName,
    "the name of an IAM policy",
    "letters, digits and +=,.@_-, such as my-boundary; no ARN",
    |text| (1..=512).contains(&text.len()) && only(text, "+=,.@_-/") && !text.starts_with('/')
);
checked_name!(
    /// A SageMaker project's id (`ProjectId`).
    ProjectId,
    "a SageMaker project id",
    "1 to 20 letters, digits and inner hyphens, such as p-1abcdefghijk",
    |text| is_entity(text, 20)
);
checked_name!(
    /// A SageMaker project's name (`ProjectEntityName`).
    ProjectName,
    "a SageMaker project name",
    "1 to 32 letters, digits and inner hyphens",
    |text| is_entity(text, 32)
);
checked_name!(
    /// The qualifier that a CDK bootstrap was made with.
    Qualifier,
    "a qualifier of a CDK bootstrap",
    "1 to 10 letters and digits, such as hnb659fds",
    |text| (1..=10).contains(&text.len()) && only(text, "")
);

/// Letters, digits and these.
fn only(text: &str, more: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
}

fn is_entity(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && only(text, "-") && !text.starts_with('-') && !text.ends_with('-')
}

/// An ARN with a region and an account; only one kind of resource of one service.
macro_rules! arn_type {
    ($(#[$doc:meta])* $name:ident, $what:literal, $expected:literal, $service:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name {
            text: String,
            region: Region,
            account: AccountId,
        }

        impl $name {
            /// The whole ARN.
            pub fn as_str(&self) -> &str {
                &self.text
            }
            /// The region of the resource.
            pub fn region(&self) -> &Region {
                &self.region
            }
            /// The account of the resource.
            pub fn account(&self) -> &AccountId {
                &self.account
            }
        }

        impl FromStr for $name {
            type Err = Malformed;
            fn from_str(text: &str) -> Result<Self, Malformed> {
                let malformed = || Malformed::new($what, $expected, text);
                let valid: fn(&str) -> bool = $valid;
                let Fields { region, account, .. } =
                    fields(text, $service).filter(|fields| valid(fields.resource)).ok_or_else(malformed)?;
                Ok(Self { text: text.to_owned(), region: region.parse()?, account: account.parse()? })
            }
        }
        text_type!($name);
    };
}

arn_type!(
    /// A KMS key, not an alias: a policy names keys.
    KeyArn,
    "the ARN of a KMS key",
    "arn:aws:kms:<region>:<account>:key/<id> (no alias: policies name keys)",
    "kms",
    |resource| resource.strip_prefix("key/").is_some_and(|id| !id.is_empty() && only(id, "-"))
);
arn_type!(
    /// An SNS topic.
    TopicArn,
    "the ARN of an SNS topic",
    "arn:aws:sns:<region>:<account>:<name>",
    "sns",
    |resource| (1..=256).contains(&resource.len()) && only(resource, "-_")
);

/// A customer's IAM policy by its ARN, as a deployment names its permissions boundary.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyArn {
    text: String,
    account: AccountId,
    name: PolicyName,
}

impl PolicyArn {
    /// The whole ARN.
    pub fn as_str(&self) -> &str {
        &self.text
    }
    /// The account of the policy.
    pub fn account(&self) -> &AccountId {
        &self.account
    }
    /// The policy's name with its path.
    pub fn name(&self) -> &PolicyName {
        &self.name
    }
}

impl FromStr for PolicyArn {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed =
            || Malformed::new("the ARN of an IAM policy of the account", "arn:aws:iam::<account>:policy/<name>", text);
        let Fields { account, resource, .. } =
            fields(text, "iam").filter(|fields| fields.region.is_empty()).ok_or_else(malformed)?;
        let name = resource.strip_prefix("policy/").ok_or_else(malformed)?;
        let account = account.parse().map_err(|_| malformed())?;
        Ok(Self { text: text.to_owned(), account, name: name.parse().map_err(|_| malformed())? })
    }
}
text_type!(PolicyArn);

/// An image in ECR, by tag.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageUri {
    text: String,
    account: AccountId,
    region: Region,
    repository: String,
    tag: String,
}

impl ImageUri {
    /// The whole URI.
    pub fn as_str(&self) -> &str {
        &self.text
    }
    /// The account of the registry.
    pub fn account(&self) -> &AccountId {
        &self.account
    }
    /// The region of the registry.
    pub fn region(&self) -> &Region {
        &self.region
    }
    /// The repository in the registry.
    pub fn repository(&self) -> &str {
        &self.repository
    }
    /// The image's tag.
    pub fn tag(&self) -> &str {
        &self.tag
    }
}

impl FromStr for ImageUri {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || {
            Malformed::new(
                "an image of an ECR repository",
                "<account>.dkr.ecr.<region>.amazonaws.com/<repository>:<tag> (no digest: the pipeline looks up a tag)",
                text,
            )
        };
        let (host, path) = text.split_once('/').ok_or_else(malformed)?;
        let host = host.strip_suffix(".cn").unwrap_or(host).strip_suffix(".amazonaws.com").ok_or_else(malformed)?;
        let (account, region) = host.split_once(".dkr.ecr.").ok_or_else(malformed)?;
        let (repository, tag) = path.rsplit_once(':').ok_or_else(malformed)?;
        let lower = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || "._-/".contains(c);
        let named = (2..=256).contains(&repository.len()) && repository.chars().all(lower);
        if !named || tag.is_empty() || tag.len() > 128 || !only(tag, "._-") {
            return Err(malformed());
        }
        Ok(Self {
            text: text.to_owned(),
            account: account.parse().map_err(|_| malformed())?,
            region: region.parse().map_err(|_| malformed())?,
            repository: repository.to_owned(),
            tag: tag.to_owned(),
        })
    }
}
text_type!(ImageUri);

/// Buckets, separated by commas or as a JSON list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buckets(Vec<BucketName>);

impl Buckets {
    /// The buckets.
    pub fn names(&self) -> &[BucketName] {
        &self.0
    }
}

impl FromStr for Buckets {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed =
            || Malformed::new("a list of bucket names", "models,metrics or [\"models\", \"metrics\"]", text);
        let names: Vec<String> = match text.trim_start().starts_with('[') {
            true => serde_json::from_str(text).map_err(|_| malformed())?,
            false => text.split(',').map(|name| name.trim().to_owned()).collect(),
        };
        Ok(Self(names.iter().map(|name| name.parse()).collect::<Result<_, _>>()?))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_image_is_taken_apart_and_needs_a_tag() {
        let image: ImageUri = "111222333444.dkr.ecr.eu-central-1.amazonaws.com/tools/promote:1.2".parse().unwrap();
        assert_eq!((image.repository(), image.tag()), ("tools/promote", "1.2"));
        assert_eq!((image.account().as_str(), image.region().as_str()), ("111222333444", "eu-central-1"));
        let chinese = "111222333444.dkr.ecr.cn-north-1.amazonaws.com.cn/promote:1".parse::<ImageUri>();
        assert!(chinese.is_ok());
        for text in
            ["promote:1", "111222333444.dkr.ecr.eu-central-1.amazonaws.com/promote", "public.ecr.aws/x/promote:1"]
        {
            assert!(text.parse::<ImageUri>().is_err(), "{text}");
        }
        let digest = "111222333444.dkr.ecr.eu-central-1.amazonaws.com/promote@sha256:aa";
        assert!(digest.parse::<ImageUri>().is_err());
    }

    #[test]
    fn lists_of_buckets_come_as_text_or_as_json() {
        let buckets = |text: &str| text.parse::<Buckets>().map(|list| list.0.iter().map(ToString::to_string).collect());
        let both: Vec<String> = vec!["models".into(), "metrics".into()];
        assert_eq!(buckets("models, metrics"), Ok(both.clone()));
        assert_eq!(buckets(r#"["models","metrics"]"#), Ok(both));
        assert!(buckets("[models]").is_err());
        assert!(buckets("models,,metrics").is_err());
    }

    #[test]
    fn a_boundary_of_another_service_or_of_aws_is_refused() {
        let name = |text: &str| text.parse::<PolicyArn>().map(|arn| arn.name().to_string());
        assert_eq!(name("arn:aws:iam::111222333444:policy/teams/ml"), Ok("teams/ml".into()));
        assert!(name("arn:aws:iam::aws:policy/PowerUserAccess").is_err());
        assert!(name("arn:aws:iam::111222333444:role/ml").is_err());
    }
}

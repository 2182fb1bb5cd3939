//! The types of the stack's inputs. Each parses and checks its text.

use std::str::FromStr;

use crate::model::arn::{AccountId, Fields, Malformed, Region, fields, text_type};
use crate::model::location::BucketName;

/// Defines a name that `$valid` checks.
macro_rules! checked_name {
    ($(#[$doc:meta])* $name:ident, $what:literal, $expected:literal, $valid:expr) => {
        $(#[$doc])*
        #[derive(Debug, Clone, PartialEq, Eq)]
        pub struct $name(String);

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
    /// A stack's name. Its pipeline's name adds `-Pipeline` and has at most 100 characters.
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
    "1 to 256 letters, digits and ._-/, such as mlops-bus; not an ARN: the bus has to be in the target account",
    |text| (1..=256).contains(&text.len()) && only(text, "._-/")
);
checked_name!(
    /// The name of an IAM policy, with its path.
    PolicyName,
    "the name of an IAM policy",
    "letters, digits and +=,.@_-, such as my-boundary; not an ARN",
    |text| (1..=512).contains(&text.len()) && only(text, "+=,.@_-/") && !text.starts_with('/')
);
checked_name!(
    /// A SageMaker project's ID (`ProjectId`).
    ProjectId,
    "a SageMaker project ID",
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

/// Whether a text has only ASCII letters, digits and the characters in `more`.
pub(super) fn only(text: &str, more: &str) -> bool {
    text.chars().all(|c| c.is_ascii_alphanumeric() || more.contains(c))
}

fn is_entity(text: &str, longest: usize) -> bool {
    (1..=longest).contains(&text.len()) && only(text, "-") && !text.starts_with('-') && !text.ends_with('-')
}

/// Defines the ARN of one kind of resource, which has a region and an account.
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
            /// The region of the resource.
            pub fn region(&self) -> &Region {
                &self.region
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
        text_type!($name, text);
    };
}

arn_type!(
    /// The ARN of a KMS key. Policies cannot name aliases.
    KeyArn,
    "the ARN of a KMS key",
    "arn:aws:kms:<region>:<account>:key/<id> (not an alias: policies cannot name aliases)",
    "kms",
    |resource| resource.strip_prefix("key/").is_some_and(|id| !id.is_empty() && only(id, "-"))
);
impl KeyArn {
    /// The account of the key.
    pub fn account(&self) -> &AccountId {
        &self.account
    }
}

arn_type!(
    /// The ARN of an SNS topic.
    TopicArn,
    "the ARN of an SNS topic",
    "arn:aws:sns:<region>:<account>:<name>",
    "sns",
    |resource| (1..=256).contains(&resource.len()) && only(resource, "-_")
);

/// The ARN of a customer-managed IAM policy.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PolicyArn {
    text: String,
    account: AccountId,
    name: PolicyName,
}

impl PolicyArn {
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
text_type!(PolicyArn, text);

/// Bucket names, separated by commas or as a JSON list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Buckets(Vec<BucketName>);

impl Buckets {
    /// The bucket names.
    pub fn names(&self) -> &[BucketName] {
        &self.0
    }
}

impl FromStr for Buckets {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        list(text, "a list of bucket names", r#"models,metrics or ["models", "metrics"]"#).map(Self)
    }
}

/// Parses a list whose items are separated by commas, or that is a JSON list.
pub(super) fn list<T: FromStr<Err = Malformed>>(
    text: &str,
    what: &'static str,
    form: &'static str,
) -> Result<Vec<T>, Malformed> {
    let items: Vec<String> = match text.trim_start().starts_with('[') {
        true => serde_json::from_str(text).map_err(|_| Malformed::new(what, form, text))?,
        false => text.split(',').map(|item| item.trim().to_owned()).collect(),
    };
    items.iter().map(|item| item.parse()).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buckets_are_separated_by_commas_or_a_json_list() {
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

//! The names in ARNs: accounts, regions and model package groups.

use std::str::FromStr;

use super::malformed::Malformed;
use super::text::{equal_without_case, text_type};

/// The ID of an AWS account: 12 digits.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct AccountId(String);

impl FromStr for AccountId {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        if text.len() == 12 && text.bytes().all(|b| b.is_ascii_digit()) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new("an account ID", "12 digits", text))
        }
    }
}
text_type!(AccountId);

/// A region code such as `eu-central-1`.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Region(String);

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

/// The name of a model package group: 1 to 63 letters, digits and inner hyphens (SageMaker's `EntityName`). Names that
/// differ in letter case only are equal.
#[derive(Debug, Clone)]
pub struct GroupName(String);

impl FromStr for GroupName {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let inner = text.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-');
        if (1..=63).contains(&text.len()) && inner && !text.starts_with('-') && !text.ends_with('-') {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new(
                "a model package group name",
                "1 to 63 letters, digits and hyphens, with no hyphen at either end",
                text,
            ))
        }
    }
}
text_type!(GroupName);
equal_without_case!(GroupName);

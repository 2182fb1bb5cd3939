//! ARNs of KMS keys.

use std::str::FromStr;

use serde::{Deserialize, Serialize};

use super::fields::fields;
use super::malformed::Malformed;
use super::parts::{AccountId, Region};
use super::text::text_type;

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

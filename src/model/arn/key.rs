//! ARNs of KMS keys.

use std::str::FromStr;

use super::fields::fields;
use super::malformed::Malformed;
use super::parts::{AccountId, Region};
use super::text::text_type;

/// The ARN of a KMS key or alias. Unlike a key ID, the ARN contains the account and the region.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct KmsKeyArn {
    text: String,
    region: Region,
    account: AccountId,
}

impl KmsKeyArn {
    /// The region of the key. S3 accepts only keys from the region of the bucket.
    pub fn region(&self) -> &Region {
        &self.region
    }
    /// The account of the key.
    pub fn account(&self) -> &AccountId {
        &self.account
    }
    /// Whether this is the ARN of an alias. An alias may refer to another key tomorrow, and cannot be granted.
    pub fn is_alias(&self) -> bool {
        self.text.contains(":alias/")
    }
}

impl FromStr for KmsKeyArn {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let malformed = || Malformed::new("the ARN of a KMS key", "arn:aws:kms:<region>:<account>:key/<id>", text);
        let fields = fields(text, "kms").ok_or_else(malformed)?;
        let (kind, id) = fields.resource.split_once('/').ok_or_else(malformed)?;
        if !matches!(kind, "key" | "alias") || id.is_empty() {
            return Err(malformed());
        }
        Ok(Self { text: text.to_owned(), region: fields.region.parse()?, account: fields.account.parse()? })
    }
}
text_type!(KmsKeyArn, text);

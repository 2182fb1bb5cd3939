//! ARNs of IAM roles.

use std::str::FromStr;

use super::fields::fields;
use super::malformed::Malformed;
use super::parts::AccountId;
use super::text::text_type;

/// The ARN of an IAM role.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoleArn {
    text: String,
    account: AccountId,
}

impl RoleArn {
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
text_type!(RoleArn, text);

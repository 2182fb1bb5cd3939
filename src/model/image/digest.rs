//! The digest of an image, a manifest or a layer.

use std::str::FromStr;

use sha2::{Digest as _, Sha256};

use crate::model::arn::{Malformed, text_type};

/// The SHA-256 of a manifest or a layer: `sha256:` and 64 hexadecimal digits. Amazon ECR has no other digests.
#[derive(Debug, Clone, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct Digest(String);

const PREFIX: &str = "sha256:";

impl Digest {
    /// The hexadecimal digits.
    pub fn hex(&self) -> &str {
        &self.0[PREFIX.len()..]
    }

    /// The digest of these bytes.
    pub fn of(bytes: &[u8]) -> Self {
        Self::from_sha256(&Sha256::digest(bytes))
    }

    /// The digest with this SHA-256.
    pub fn from_sha256(sha256: &[u8]) -> Self {
        Self(format!("{PREFIX}{}", hex::encode(sha256)))
    }
}

impl FromStr for Digest {
    type Err = Malformed;
    fn from_str(text: &str) -> Result<Self, Malformed> {
        let is_hex = |hex: &str| hex.len() == 64 && hex.bytes().all(|b| matches!(b, b'0'..=b'9' | b'a'..=b'f'));
        if text.strip_prefix(PREFIX).is_some_and(is_hex) {
            Ok(Self(text.to_owned()))
        } else {
            Err(Malformed::new("the digest of an image", "sha256:<64 hexadecimal digits>", text))
        }
    }
}
text_type!(Digest);

//! Signs records with a KMS key, and checks each signature before it is written.

use anyhow::{Context, Result, ensure};

use crate::aws::accounts::TargetAccount;
use crate::aws::keys::{Keys, MAX_MESSAGE_BYTES};
use crate::model::arn::KmsKeyArn;
use crate::model::failure::Failure;
use crate::model::location::Location;
use crate::record::document::Record;
use crate::record::signature::{Envelope, Unsigned, VerifyingKey, algorithm};

/// When a record is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    /// By the run that writes it.
    AtOnce,
    /// By a later run, which has compared this.
    Later(&'static [&'static str]),
}

/// A KMS key that signs records.
pub struct Signer {
    key: KmsKeyArn,
    keys: Keys,
    algorithm: &'static str,
    verifying: VerifyingKey,
}

impl Signer {
    /// Reads the public key of `--sign-key` before anything is promoted; nothing if no key is given.
    ///
    /// # Errors
    /// The public key cannot be read, or the key cannot sign.
    pub async fn open(target: &TargetAccount, key: Option<&KmsKeyArn>) -> Result<Option<Self>> {
        let Some(key) = key else { return Ok(None) };
        refuse_alias("--sign-key", key)?;
        let keys = target.keys(key);
        let public = keys.public_key(key).await.context("`--sign-key`")?;
        let algorithm = algorithm(&public).with_context(|| format!("`--sign-key {key}`"))?;
        Ok(Some(Self { key: key.clone(), keys, algorithm, verifying: VerifyingKey::of_der(public.spki) }))
    }

    /// The key.
    pub fn key(&self) -> &KmsKeyArn {
        &self.key
    }

    /// Whether the key has signed the record at a location, which has this SHA-256.
    pub fn has_signed(&self, envelope: &Envelope, location: &Location, sha256: &[u8]) -> bool {
        envelope.check(&self.verifying, location, sha256).is_ok()
    }

    /// The text of an envelope about a record with this SHA-256.
    ///
    /// # Errors
    /// KMS does not sign, or the signature is invalid.
    pub async fn sign(&self, record: &Record, at: (&Location, &[u8]), signing: Signing) -> Result<Vec<u8>> {
        let (location, sha256) = at;
        let compared = match signing {
            Signing::AtOnce => None,
            Signing::Later(compared) => Some(compared),
        };
        let unsigned = Unsigned::of(record, location, sha256, compared)?;
        let message = unsigned.message();
        ensure!(message.len() <= MAX_MESSAGE_BYTES, "the statement about {location} is too long for KMS");
        let signature = self.keys.sign(&self.key, self.algorithm, &message).await?;
        let envelope = unsigned.signed(self.key.as_str(), &signature);
        envelope.check(&self.verifying, location, sha256).with_context(|| format!("the signature of {}", self.key))?;
        Ok(serde_json::to_vec_pretty(&envelope)?)
    }
}

/// Refuses the ARN of an alias for a key that is recorded.
///
/// # Errors
/// The ARN is an alias's.
pub fn refuse_alias(flag: &str, key: &KmsKeyArn) -> Result<()> {
    ensure!(
        !key.is_alias(),
        Failure::new(format!("`{flag} {key}` is an alias, which may refer to another key later"))
            .hint("Pass the ARN of the key, which `aws kms describe-key` prints")
    );
    Ok(())
}

//! Signs with KMS keys, and reads their public keys and their policies.

use std::sync::Arc;

use aws_sdk_kms::Client;
use aws_sdk_kms::primitives::Blob;
use aws_sdk_kms::types::{MessageType, SigningAlgorithmSpec};

use super::error::{CallError, Caller};
use super::resource::Resource;
use crate::model::arn::KmsKeyArn;

/// The maximum size of a message (Sign, MessageType RAW).
pub const MAX_MESSAGE_BYTES: usize = 4096;

/// KMS with one account's credentials. Clones share one client.
#[derive(Debug, Clone)]
pub struct Keys {
    client: Client,
    caller: Arc<Caller>,
}

/// A public key and its signing algorithms.
#[derive(Debug, Clone)]
pub struct PublicKey {
    /// SubjectPublicKeyInfo in DER.
    pub spki: Vec<u8>,
    /// The kind of the key, such as `ECC_NIST_P256`.
    pub spec: Option<String>,
    /// The signing algorithms that the key supports, such as `ECDSA_SHA_256`.
    pub algorithms: Vec<String>,
}

impl Keys {
    pub(super) fn new(client: Client, caller: Arc<Caller>) -> Self {
        Self { client, caller }
    }

    /// The public key of an asymmetric key pair.
    pub async fn public_key(&self, key: &KmsKeyArn) -> Result<PublicKey, CallError> {
        const CALL: &str = "kms:GetPublicKey";
        let answer = self.client.get_public_key().key_id(key.as_str()).send().await;
        let answer = answer.map_err(|error| self.caller.error(CALL, &Resource::Key(key), error))?;
        let spki = answer.public_key().map(|blob| blob.as_ref().to_vec());
        let spki =
            spki.ok_or_else(|| self.caller.unusable(CALL, &Resource::Key(key), "the response has no public key"))?;
        let algorithms = answer.signing_algorithms().iter().map(|one| one.as_str().to_owned()).collect();
        let spec = answer.key_spec().map(|spec| spec.as_str().to_owned());
        Ok(PublicKey { spki, spec, algorithms })
    }

    /// The policy of a key of the caller's account. Every key has one.
    pub async fn policy(&self, key: &KmsKeyArn) -> Result<String, CallError> {
        const CALL: &str = "kms:GetKeyPolicy";
        let answer = self.client.get_key_policy().key_id(key.as_str()).policy_name("default").send().await;
        let answer = answer.map_err(|error| self.caller.error(CALL, &Resource::Key(key), error))?;
        let unusable = || self.caller.unusable(CALL, &Resource::Key(key), "the response has no policy");
        answer.policy().map(str::to_owned).ok_or_else(unusable)
    }

    /// Whether KMS would sign: Sign with DryRun, which returns no signature.
    pub async fn probe_sign(&self, key: &KmsKeyArn, algorithm: &str) -> Result<(), CallError> {
        const CALL: &str = "kms:Sign";
        let call = self.client.sign().key_id(key.as_str()).message(Blob::new(CALL)).dry_run(true);
        let call = call.message_type(MessageType::Raw).signing_algorithm(SigningAlgorithmSpec::from(algorithm));
        match call.send().await.map_err(|error| self.caller.error(CALL, &Resource::Key(key), error)) {
            Err(error) if error.code.as_deref() != Some("DryRunOperationException") => Err(error),
            _ => Ok(()),
        }
    }

    /// Signs a message of at most [`MAX_MESSAGE_BYTES`]. ECDSA signatures are in DER.
    pub async fn sign(&self, key: &KmsKeyArn, algorithm: &str, message: &[u8]) -> Result<Vec<u8>, CallError> {
        const CALL: &str = "kms:Sign";
        let call = self.client.sign().key_id(key.as_str()).message(Blob::new(message));
        let call = call.message_type(MessageType::Raw).signing_algorithm(SigningAlgorithmSpec::from(algorithm));
        let answer = call.send().await.map_err(|error| self.caller.error(CALL, &Resource::Key(key), error))?;
        let signature = answer.signature().map(|blob| blob.as_ref().to_vec());
        signature.ok_or_else(|| self.caller.unusable(CALL, &Resource::Key(key), "the response has no signature"))
    }
}

//! Signs records with a DSSE envelope around an in-toto statement, and checks such envelopes.
//!
//! Sources: DSSE 1.0 (envelope.md, protocol.md), in-toto Attestation Framework v1 (statement.md).

use anyhow::{Context, Result, bail, ensure};
use aws_lc_rs::signature::{
    ECDSA_P256_SHA256_ASN1, ECDSA_P384_SHA384_ASN1, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey,
    VerificationAlgorithm,
};
use rustls_pki_types::SubjectPublicKeyInfoDer;
use rustls_pki_types::pem::PemObject;
use serde::{Deserialize, Serialize};
use serde_json::{Value, json};

use crate::aws::keys::PublicKey;
use crate::model::failure::Failure;
use crate::model::location::Location;
use crate::record::document::Record;

const PAYLOAD_TYPE: &str = "application/vnd.in-toto+json";
const STATEMENT_TYPE: &str = "https://in-toto.io/Statement/v1";
/// The predicate type of a statement about a record.
const PREDICATE_TYPE: &str = "urn:promote:record:v1";

/// The supported algorithms by the kinds of keys and the names in KMS. Keys of different curves share names.
const ALGORITHMS: [(&str, &str, &dyn VerificationAlgorithm); 3] = [
    ("ECC_NIST_P256", "ECDSA_SHA_256", &ECDSA_P256_SHA256_ASN1),
    ("ECC_NIST_P384", "ECDSA_SHA_384", &ECDSA_P384_SHA384_ASN1),
    ("RSA_", "RSASSA_PKCS1_V1_5_SHA_256", &RSA_PKCS1_2048_8192_SHA256),
];

/// The algorithm to sign with, which the kind of the key decides.
///
/// # Errors
/// Signatures of the key cannot be checked with any of [`ALGORITHMS`].
pub fn algorithm(key: &PublicKey) -> Result<&'static str> {
    let is_of = |kind: &str| key.spec.as_ref().is_none_or(|spec| spec.starts_with(kind));
    let offers = |name: &str| key.algorithms.iter().any(|one| one == name);
    let found = ALGORITHMS.iter().find(|(kind, name, _)| is_of(kind) && offers(name));
    let refused = || {
        let spec = key.spec.as_ref().map(|spec| format!("is {spec} and ")).unwrap_or_default();
        Failure::new(format!("the key {spec}supports {} only", key.algorithms.join(", ")))
            .hint("Create a key for SIGN_VERIFY that is ECC_NIST_P256, ECC_NIST_P384 or RSA")
    };
    Ok(found.map(|(_, name, _)| *name).ok_or_else(refused)?)
}

/// The maximum size of an envelope. Real envelopes have about 2 KB.
pub const MAX_ENVELOPE_BYTES: u64 = 1 << 20;

/// A signed payload (DSSE).
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Envelope {
    payload_type: String,
    payload: String,
    signatures: Vec<Signature>,
}

#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Signature {
    keyid: String,
    sig: String,
}

/// A statement that is not signed yet.
#[derive(Debug, Clone)]
pub struct Unsigned {
    payload: Vec<u8>,
}

impl Unsigned {
    /// The statement about the record at `location` with this SHA-256. `compared`: if an earlier run has written the
    /// record, what this run has compared.
    ///
    /// # Errors
    /// The statement cannot be written as JSON.
    pub fn of(record: &Record, location: &Location, sha256: &[u8], compared: Option<&[&str]>) -> Result<Self> {
        let target = record.target.as_ref().and_then(|target| target.model_package_arn.as_ref());
        let source = record.source.package.as_ref().map(|package| &package.model_package_arn);
        let mut statement = json!({
            "_type": STATEMENT_TYPE,
            "subject": [{ "name": location.to_string(), "digest": { "sha256": hex::encode(sha256) } }],
            "predicateType": PREDICATE_TYPE,
            "predicate": {
                "schema": record.schema,
                "outcome": record.outcome,
                "source": source,
                "target": target,
                "started": record.started,
                "ended": record.ended,
                "tool": record.tool,
            },
        });
        if let Some(compared) = compared {
            statement["predicate"]["compared"] = json!(compared);
        }
        Ok(Self { payload: serde_json::to_vec(&statement)? })
    }

    /// The bytes to sign.
    pub fn message(&self) -> Vec<u8> {
        pre_authentication_encoding(PAYLOAD_TYPE, &self.payload)
    }

    /// The envelope with the signature of [`Unsigned::message`] by the key `keyid`.
    pub fn signed(self, keyid: &str, signature: &[u8]) -> Envelope {
        Envelope {
            payload_type: PAYLOAD_TYPE.to_owned(),
            payload: aws_smithy_types::base64::encode(&self.payload),
            signatures: vec![Signature { keyid: keyid.to_owned(), sig: aws_smithy_types::base64::encode(signature) }],
        }
    }
}

impl Envelope {
    /// The key that the first signature names. An envelope can name any key: only a check proves it.
    pub fn key(&self) -> Option<&str> {
        self.signatures.first().map(|signature| signature.keyid.as_str())
    }

    /// Parses an envelope.
    ///
    /// # Errors
    /// The text is not an envelope.
    pub fn parse(text: &[u8]) -> Result<Self> {
        serde_json::from_slice(text).context("it is not a DSSE envelope")
    }

    /// Checks that the key has signed a statement about this location and this SHA-256.
    ///
    /// # Errors
    /// The first check that fails.
    pub fn check(&self, key: &VerifyingKey, location: &Location, sha256: &[u8]) -> Result<()> {
        ensure!(self.payload_type == PAYLOAD_TYPE, "its payload type is {}", self.payload_type);
        let payload = aws_smithy_types::base64::decode(&self.payload).ok().context("its payload is not base64")?;
        let message = pre_authentication_encoding(&self.payload_type, &payload);
        let signed = self.signatures.iter().filter_map(|one| aws_smithy_types::base64::decode(&one.sig).ok());
        ensure!(signed.into_iter().any(|signature| key.has_signed(&message, &signature)), "the key has not signed it");
        let statement: Value = serde_json::from_slice(&payload).context("its payload is not JSON")?;
        ensure!(
            statement["_type"] == STATEMENT_TYPE && statement["predicateType"] == PREDICATE_TYPE,
            "it is not a statement about a promotion's record"
        );
        let subject = statement["subject"].as_array().into_iter().flatten();
        let of_record = subject.filter(|one| one["name"] == location.to_string()).map(|one| &one["digest"]["sha256"]);
        match of_record.collect::<Vec<_>>().as_slice() {
            [digest] if **digest == hex::encode(sha256) => Ok(()),
            [_] => bail!("the record has changed since it was signed"),
            _ => bail!("it is signed for another record"),
        }
    }
}

/// A public key.
#[derive(Debug, Clone)]
pub struct VerifyingKey {
    spki: Vec<u8>,
}

impl VerifyingKey {
    /// A key from a SubjectPublicKeyInfo in DER, as KMS returns it.
    pub fn of_der(spki: Vec<u8>) -> Self {
        Self { spki }
    }

    /// A key from a `PUBLIC KEY` in PEM.
    ///
    /// # Errors
    /// The text is not a public key.
    pub fn of_pem(pem: &[u8]) -> Result<Self> {
        let spki = SubjectPublicKeyInfoDer::from_pem_slice(pem);
        let spki = spki.map_err(|error| anyhow::anyhow!("it is not a public key in PEM: {error}"))?;
        Ok(Self { spki: spki.as_ref().to_vec() })
    }

    /// Whether the key has signed the message. Every algorithm is tried: only the key's algorithm accepts the key.
    pub fn has_signed(&self, message: &[u8], signature: &[u8]) -> bool {
        ALGORITHMS
            .iter()
            .any(|(_, _, algorithm)| UnparsedPublicKey::new(*algorithm, &self.spki).verify(message, signature).is_ok())
    }
}

/// `"DSSEv1" SP LEN(type) SP type SP LEN(body) SP body` (DSSE 1.0, protocol.md).
fn pre_authentication_encoding(kind: &str, payload: &[u8]) -> Vec<u8> {
    let mut message = format!("DSSEv1 {} {kind} {} ", kind.len(), payload.len()).into_bytes();
    message.extend_from_slice(payload);
    message
}

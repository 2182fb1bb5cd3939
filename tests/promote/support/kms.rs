//! KMS: one asymmetric key of the target account, GetPublicKey, GetKeyPolicy and Sign, awsJson1.1.

use super::principals::{Identity, TARGET_ACCOUNT, credential, denial};
use super::wire::{Answer, Refusal, Request};
use super::world::World;
use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::Signer;
use p256::ecdsa::{DerSignature, SigningKey};
use p256::pkcs8::EncodePublicKey;
use serde_json::{Value, json};

/// The key that signs.
pub const SIGN_KEY: &str = "arn:aws:kms:eu-central-1:111222333444:key/11112222-3333-4444-5555-666677778888";

/// A key of another region, with the same key pair.
pub const SIGN_KEY_ELSEWHERE: &str = "arn:aws:kms:us-west-2:111222333444:key/11112222-3333-4444-5555-666677778888";
/// A key that signs with the curve of Bitcoin, which hardly any library knows.
pub const SECP256K1_KEY: &str = "arn:aws:kms:eu-central-1:111222333444:key/25625625-3333-4444-5555-666677778888";

/// A key with another key pair.
pub const OTHER_SIGN_KEY: &str = "arn:aws:kms:eu-central-1:111222333444:key/99992222-3333-4444-5555-666677778888";

/// The policy of every key.
const KEY_POLICY: &str = r#"{"Version":"2012-10-17","Id":"theirs","Statement":{"Sid":"Theirs","Effect":"Deny","Principal":"*","Action":"kms:ScheduleKeyDeletion","Resource":"*"}}"#;

/// The key pair behind it; any number will do.
pub fn signing_key() -> SigningKey {
    SigningKey::from_slice(&[7; 32]).expect("a number of the curve")
}

fn other_signing_key() -> SigningKey {
    SigningKey::from_slice(&[9; 32]).expect("a number of the curve")
}

/// The operation and the key that it is about.
pub fn name(request: &Request) -> (String, String) {
    let target = request.header("x-amz-target").unwrap_or("");
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let operation = target.strip_prefix("TrentService.").unwrap_or(target);
    (operation.to_owned(), body["KeyId"].as_str().unwrap_or("").to_owned())
}

pub fn answer(world: &mut World, who: &Identity, request: &Request) -> Result<Answer, Refusal> {
    let (operation, key) = name(request);
    let action = format!("kms:{operation}");
    if !world.may(who, &action, &key, TARGET_ACCOUNT) {
        return Err(Refusal::new(400, "AccessDeniedException", denial(who, &action, &key)));
    }
    let region = credential(request).and_then(|scope| scope.split('/').nth(2)).unwrap_or_default();
    if ![SIGN_KEY, SIGN_KEY_ELSEWHERE, OTHER_SIGN_KEY, SECP256K1_KEY].contains(&key.as_str())
        || key.split(':').nth(3) != Some(region)
    {
        return Err(Refusal::new(400, "NotFoundException", format!("Key '{key}' does not exist")));
    }
    let body: Value = serde_json::from_slice(&request.body).unwrap_or_default();
    let pair = if key == OTHER_SIGN_KEY { other_signing_key() } else { signing_key() };
    let spec = if key == SECP256K1_KEY { "ECC_SECG_P256K1" } else { "ECC_NIST_P256" };
    match operation.as_str() {
        "GetPublicKey" => {
            let spki = pair.verifying_key().to_public_key_der().expect("a public key");
            Ok(Answer::json(&json!({
                "KeyId": key, "PublicKey": STANDARD.encode(spki.as_bytes()), "KeySpec": spec,
                "KeyUsage": "SIGN_VERIFY", "SigningAlgorithms": ["ECDSA_SHA_256"]
            })))
        }
        "GetKeyPolicy" => Ok(Answer::json(&json!({ "PolicyName": "default", "Policy": KEY_POLICY }))),
        "Sign" => {
            let message = STANDARD.decode(body["Message"].as_str().unwrap_or("")).unwrap_or_default();
            let refused = |why: &str| Err(Refusal::new(400, "ValidationException", why));
            if body["MessageType"] != "RAW" || message.is_empty() || message.len() > 4096 {
                return refused("Member must have length less than or equal to 4096");
            }
            if body["SigningAlgorithm"] != "ECDSA_SHA_256" {
                return refused("Algorithm is incompatible with key spec ECC_NIST_P256.");
            }
            if body["DryRun"] == true {
                let message = "The request would have succeeded, but the DryRun option is set.";
                return Err(Refusal::new(412, "DryRunOperationException", message));
            }
            let signature: DerSignature = pair.sign(&message);
            let signature = STANDARD.encode(signature.as_bytes());
            Ok(Answer::json(&json!({ "KeyId": key, "Signature": signature, "SigningAlgorithm": "ECDSA_SHA_256" })))
        }
        _ => Err(Refusal::new(400, "UnknownOperationException", "This stand-in does not know it")),
    }
}

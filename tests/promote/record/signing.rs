//! Signed records: made with a key of the stand-in for KMS, checked by the program with and without KMS, and by an
//! independent library.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use p256::ecdsa::signature::Verifier;
use p256::ecdsa::{DerSignature, VerifyingKey};
use p256::pkcs8::{EncodePublicKey, LineEnding};
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use crate::support::kms::{OTHER_SIGN_KEY, SECP256K1_KEY, SIGN_KEY, SIGN_KEY_ELSEWHERE, signing_key};
use crate::support::{Cloud, Principal};
use crate::world::*;

pub(super) const COPY: &str = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/1";

pub(super) fn signed() -> Cloud {
    let cloud = with_package();
    promote(&cloud, &["--sign-key", SIGN_KEY]).document();
    cloud
}

pub(super) fn verify(cloud: &Cloud, more: &[&str]) -> Run {
    let arguments = [&["verify", "--model-package", COPY, "--output", "json"][..], more].concat();
    run(cloud, Principal::Both, &arguments)
}

/// The public key as a file in PEM.
fn pem(cloud: &Cloud, key: &VerifyingKey) -> String {
    let file = cloud.home().join("key.pem");
    std::fs::write(&file, key.to_public_key_pem(LineEnding::LF).expect("a key")).expect("a file in the home folder");
    file.to_str().expect("a path").to_owned()
}

pub(super) fn record() -> String {
    format!("{FOLDER}promotion.json")
}

pub(super) fn bytes(cloud: &Cloud, key: &str) -> Vec<u8> {
    cloud.object(SERVING, key).unwrap_or_else(|| panic!("no {key}")).body.bytes().to_vec()
}

pub(super) fn verdicts(run: &Run) -> Vec<Value> {
    let document: Value = serde_json::from_str(&run.stdout).unwrap_or_else(|_| panic!("{}", run.stderr));
    let findings = document["findings"].as_array().cloned().unwrap_or_default();
    findings.into_iter().filter(|one| one["subject"] == "signature").map(|one| one["verdict"].clone()).collect()
}

#[test]
fn an_independent_library_verifies_the_envelope_and_its_statement_names_the_record() {
    let cloud = signed();
    let envelope: Value = serde_json::from_slice(&bytes(&cloud, &format!("{}.dsse", record()))).expect("JSON");
    assert_eq!(envelope["payloadType"], "application/vnd.in-toto+json");
    let decode = |value: &Value| STANDARD.decode(value.as_str().expect("base64")).expect("base64");
    let payload = decode(&envelope["payload"]);
    // DSSE's pre-authentication encoding, written down once more.
    let mut message = format!("DSSEv1 28 application/vnd.in-toto+json {} ", payload.len()).into_bytes();
    message.extend(&payload);
    let signature = DerSignature::try_from(decode(&envelope["signatures"][0]["sig"]).as_slice()).expect("DER");
    signing_key().verifying_key().verify(&message, &signature).expect("the key has signed it");
    assert_eq!(envelope["signatures"][0]["keyid"], SIGN_KEY);
    let statement: Value = serde_json::from_slice(&payload).expect("JSON");
    assert_eq!(statement["_type"], "https://in-toto.io/Statement/v1");
    let digest: String = Sha256::digest(bytes(&cloud, &record())).iter().map(|byte| format!("{byte:02x}")).collect();
    let subject = json!([{"name": format!("s3://{SERVING}/{}", record()), "digest": {"sha256": digest}}]);
    assert_eq!(statement["subject"], subject);
    assert_eq!(
        (&statement["predicate"]["source"], &statement["predicate"]["target"]),
        (&json!(SOURCE_VERSION), &json!(COPY))
    );
}

#[test]
fn verify_checks_the_signature_with_kms_and_offline_with_the_public_key() {
    let cloud = signed();
    let with_kms = verify(&cloud, &["--sign-key", SIGN_KEY]);
    assert_eq!((with_kms.code, verdicts(&with_kms)), (0, vec![json!("identical")]), "{}", with_kms.stdout);
    let asked = cloud.calls_of("GetPublicKey").len();
    let offline = verify(&cloud, &["--public-key", &pem(&cloud, signing_key().verifying_key())]);
    assert_eq!((offline.code, verdicts(&offline)), (0, vec![json!("identical")]), "{}", offline.stdout);
    assert_eq!(cloud.calls_of("GetPublicKey").len(), asked);
}

#[test]
fn every_changed_byte_of_a_signed_record_is_noticed() {
    let cloud = signed();
    let key = pem(&cloud, signing_key().verifying_key());
    let text = bytes(&cloud, &record());
    let start = text.windows(COPY.len()).position(|one| one == COPY.as_bytes()).expect("the promoted version");
    for at in (0..text.len()).step_by(97) {
        let mut changed = text.clone();
        changed[at] ^= 1;
        cloud.put(SERVING, &record(), changed);
        let run = verify(&cloud, &["--public-key", &key]);
        // A record that names another version is no record of this one, which is then told instead.
        let names_another = (start..start + COPY.len()).contains(&at) && verdicts(&run).is_empty();
        assert_eq!(run.code, 5, "byte {at}");
        assert!(names_another || verdicts(&run) == [json!("changed")], "byte {at}: {}", run.stdout);
    }
}

#[test]
fn a_signature_of_another_key_or_for_another_record_or_none_at_all_fails() {
    let cloud = signed();
    let other = p256::ecdsa::SigningKey::from_slice(&[8; 32]).expect("a number of the curve");
    let run = verify(&cloud, &["--public-key", &pem(&cloud, other.verifying_key())]);
    assert_eq!((run.code, verdicts(&run)), (5, vec![json!("changed")]));
    let key = pem(&cloud, signing_key().verifying_key());
    let copy = format!("{FOLDER}promotion-20260101T000000Z.json");
    cloud.put(SERVING, &copy, bytes(&cloud, &record()));
    cloud.age(SERVING, &copy, 5.0);
    let envelope = bytes(&cloud, &format!("{}.dsse", record()));
    cloud.put(SERVING, &format!("{FOLDER}promotion-20260101T000000Z.json.dsse"), envelope);
    let run = verify(&cloud, &["--public-key", &key]);
    assert_eq!((run.code, verdicts(&run)), (5, vec![json!("changed"), json!("identical")]));
    let unsigned = with_package();
    promote(&unsigned, &[]).document();
    let run = verify(&unsigned, &["--sign-key", SIGN_KEY]);
    assert_eq!((run.code, verdicts(&run)), (5, vec![json!("missing")]));
}

#[test]
fn later_records_are_signed_as_well() {
    let cloud = signed();
    for status in ["Rejected", "Approved"] {
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": status}));
        promote(&cloud, &["--sign-key", SIGN_KEY]).document();
    }
    let run = verify(&cloud, &["--sign-key", SIGN_KEY]);
    assert_eq!((run.code, verdicts(&run)), (0, vec![json!("identical"); 3]), "{}", run.stdout);
}

#[test]
fn a_key_that_may_not_be_used_stops_the_run_before_anything_is_promoted() {
    let cloud = with_package();
    cloud.deny(Principal::Both, "kms:GetPublicKey", SIGN_KEY);
    promote(&cloud, &["--sign-key", SIGN_KEY])
        .fails(1, &["kms:GetPublicKey", "Grant kms:GetPublicKey on arn:aws:kms:"]);
    assert_eq!((promoted(&cloud).len(), cloud.keys(SERVING).len()), (0, 0));
}

#[test]
fn a_key_whose_signatures_cannot_be_checked_is_refused_before_anything_is_promoted() {
    let cloud = with_package();
    promote(&cloud, &["--sign-key", SECP256K1_KEY]).fails(1, &["the key is ECC_SECG_P256K1", "hint: Create a key"]);
    let alias = "arn:aws:kms:eu-central-1:111222333444:alias/records";
    promote(&cloud, &["--sign-key", alias]).fails(2, &["is an alias", "expected the ARN of the key"]);
    assert_eq!((promoted(&cloud).len(), cloud.keys(SERVING).len()), (0, 0));
}

#[test]
fn a_key_of_another_region_signs_in_its_region() {
    let cloud = with_package();
    promote(&cloud, &["--sign-key", SIGN_KEY_ELSEWHERE]).document();
    let run = verify(&cloud, &["--sign-key", SIGN_KEY_ELSEWHERE]);
    assert_eq!((run.code, verdicts(&run)), (0, vec![json!("identical")]), "{}", run.stdout);
}

#[test]
fn a_run_with_another_key_than_that_of_the_newest_record_names_both_keys_and_signs_nothing_again() {
    let cloud = signed();
    let keys = cloud.keys(SERVING);
    let warnings = |key: &str| {
        let document = promote(&cloud, &["--sign-key", key]).document();
        let warnings = document["warnings"].as_array().cloned().unwrap_or_default();
        let of_record = |one: &&Value| one["field"].as_str().is_some_and(|field| field.starts_with("s3://"));
        warnings
            .iter()
            .filter(of_record)
            .map(|one| one["remark"].as_str().expect("text").to_owned())
            .collect::<Vec<_>>()
    };
    let says = format!(
        "it is signed with {SIGN_KEY}, not with `--sign-key {OTHER_SIGN_KEY}`, and keeps this signature; check it with \
         `promote verify --sign-key {SIGN_KEY}`"
    );
    assert_eq!(warnings(OTHER_SIGN_KEY), [says]);
    assert_eq!(cloud.keys(SERVING), keys);
    assert_eq!(warnings(SIGN_KEY), [""; 0]);
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "risk"}}));
    promote(&cloud, &["--sign-key", OTHER_SIGN_KEY]).document();
    assert_eq!(warnings(OTHER_SIGN_KEY), [""; 0]);
    assert_eq!(warnings(SIGN_KEY).len(), 1);
    let envelope = format!(
        "{}.dsse",
        cloud
            .keys(SERVING)
            .into_iter()
            .rfind(|key| key.contains("promotion-") && key.ends_with(".json"))
            .expect("a record")
    );
    let forged =
        String::from_utf8(bytes(&cloud, &envelope)).expect("UTF-8").replacen("\"payload\": \"e", "\"payload\": \"f", 1);
    cloud.put(SERVING, &envelope, forged);
    let says = format!("its signature is not valid: `promote verify --sign-key {OTHER_SIGN_KEY}` says why");
    assert_eq!(warnings(OTHER_SIGN_KEY), [says]);
}

#[test]
fn the_warning_of_another_key_costs_a_repeated_run_no_round() {
    let cloud = signed();
    let rounds = |more: &[&str]| {
        let mut command = cloud.process(Principal::Both);
        command.args(full()).args(["--images", "keep", "--output", "json"]).args(more);
        cloud.in_rounds(command).1.len()
    };
    assert_eq!(rounds(&["--sign-key", OTHER_SIGN_KEY]), rounds(&[]));
}

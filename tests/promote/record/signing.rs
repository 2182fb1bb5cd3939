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
use crate::support::{Cloud, Failure, Moment, Principal, SOURCE_ACCOUNT, TestImage};
use crate::world::*;

const COPY: &str = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/churn-model/1";

fn signed() -> Cloud {
    let cloud = with_package();
    promote(&cloud, &["--sign-key", SIGN_KEY]).document();
    cloud
}

fn verify(cloud: &Cloud, more: &[&str]) -> Run {
    let arguments = [&["verify", "--model-package", COPY, "--output", "json"][..], more].concat();
    run(cloud, Principal::Both, &arguments)
}

/// The public key as a file in PEM.
fn pem(cloud: &Cloud, key: &VerifyingKey) -> String {
    let file = cloud.home().join("key.pem");
    std::fs::write(&file, key.to_public_key_pem(LineEnding::LF).expect("a key")).expect("a file in the home folder");
    file.to_str().expect("a path").to_owned()
}

fn record() -> String {
    format!("{FOLDER}promotion.json")
}

fn bytes(cloud: &Cloud, key: &str) -> Vec<u8> {
    cloud.object(SERVING, key).unwrap_or_else(|| panic!("no {key}")).body.bytes().to_vec()
}

fn verdicts(run: &Run) -> Vec<Value> {
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
    for at in (0..text.len()).step_by(97) {
        let mut changed = text.clone();
        changed[at] ^= 1;
        cloud.put(SERVING, &record(), changed);
        let run = verify(&cloud, &["--public-key", &key]);
        assert_eq!((run.code, verdicts(&run)), (5, vec![json!("changed")]), "byte {at}");
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
    cloud.age(SERVING, &copy, 60.0);
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
fn a_record_that_could_not_be_signed_is_unconfirmed() {
    let cloud = with_package();
    cloud.fail(Moment::every("Sign"), Failure::Status(400, "KMSInvalidStateException", "pending deletion"));
    let run = promote(&cloud, &["--sign-key", SIGN_KEY]);
    run.fails(3, &["promotion.json is not signed", "kms:Sign", "Run again with the same `--sign-key`"]);
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Approved");
}

/// A version whose record could not be signed.
fn left_unsigned() -> Cloud {
    let cloud = with_package();
    let failure = Failure::Status(400, "KMSInvalidStateException", "pending deletion");
    cloud.fail(Moment::every("Sign"), failure);
    promote(&cloud, &["--sign-key", SIGN_KEY]).fails(3, &["is not signed"]);
    cloud.heal();
    cloud
}

#[test]
fn the_next_run_compares_a_record_without_a_signature_and_signs_it() {
    let cloud = left_unsigned();
    let unsigned = verify(&cloud, &["--sign-key", SIGN_KEY]);
    assert_eq!((unsigned.code, verdicts(&unsigned)), (5, vec![json!("missing")]));
    promote(&cloud, &["--sign-key", SIGN_KEY, "--dry-run"]).document();
    assert!(cloud.object(SERVING, &format!("{}.dsse", record())).is_none(), "a dry run signs nothing");
    let again = promote(&cloud, &["--sign-key", SIGN_KEY]);
    assert_eq!(again.document()["outcome"], "already-promoted");
    assert!(again.stderr.contains("promotion.json, which an earlier run had left unsigned"), "{}", again.stderr);
    let signed = verify(&cloud, &["--sign-key", SIGN_KEY]);
    assert_eq!((signed.code, verdicts(&signed)), (0, vec![json!("identical")]), "{}", signed.stdout);
    let envelope: Value = serde_json::from_slice(&bytes(&cloud, &format!("{}.dsse", record()))).expect("JSON");
    let payload = STANDARD.decode(envelope["payload"].as_str().expect("base64")).expect("base64");
    let statement: Value = serde_json::from_slice(&payload).expect("JSON");
    assert_eq!(statement["predicate"]["compared"], json!(["target", "request", "artifacts"]));
    let keys = cloud.keys(SERVING);
    promote(&cloud, &["--sign-key", SIGN_KEY]).document();
    assert_eq!(cloud.keys(SERVING), keys);
}

#[test]
fn a_record_without_a_signature_is_signed_before_an_update_and_after_edits_in_the_target() {
    let cloud = left_unsigned();
    let mut metadata = cloud.package(COPY).expect("it is promoted")["CustomerMetadataProperties"].clone();
    metadata["theirs"] = "1".into();
    cloud.change(COPY, json!({"CustomerMetadataProperties": metadata}));
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "risk"}}));
    assert_eq!(promote(&cloud, &["--sign-key", SIGN_KEY]).document()["outcome"], "updated");
    let run = verify(&cloud, &["--sign-key", SIGN_KEY]);
    assert_eq!((run.code, verdicts(&run)), (0, vec![json!("identical"); 3]), "{}", run.stdout);
}

#[test]
fn nothing_is_updated_while_a_record_cannot_be_signed() {
    let cloud = left_unsigned();
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "risk"}}));
    let before = (promoted(&cloud), cloud.keys(SERVING));
    for moment in [Moment::on("Sign", 1), Moment::every("Sign")] {
        cloud.fail(moment, Failure::Status(400, "KMSInvalidStateException", "pending deletion"));
        let run = promote(&cloud, &["--sign-key", SIGN_KEY]);
        run.fails(1, &["was not updated", "promotion.json is still not signed", "Run again when the key can sign"]);
        cloud.heal();
        assert_eq!((promoted(&cloud), cloud.keys(SERVING)), before);
    }
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    cloud.fail(Moment::every("Sign"), Failure::Status(400, "KMSInvalidStateException", "pending deletion"));
    promote(&cloud, &["--sign-key", SIGN_KEY, "--package-version", "1"]).fails(3, &["is still not signed"]);
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Rejected", "nothing else may prevent a withdrawal");
}

/// Replaces a copy, and makes the record agree with it.
fn replace(cloud: &Cloud, record: &mut Value) {
    let forged = record["artifacts"][0].as_object_mut().expect("an artifact");
    let key = forged["target"].as_str().expect("a location").replace("s3://serving/", "");
    cloud.put(SERVING, &key, "forged");
    let copy = cloud.object(SERVING, &key).expect("the copy");
    forged.insert("target_etag".into(), json!(format!("\"{}\"", copy.etag)));
    forged.insert("bytes".into(), json!("forged".len()));
}

#[test]
fn a_record_that_does_not_agree_with_the_version_and_its_artifacts_is_not_signed() {
    type Forgery = fn(&Cloud, &mut Value);
    let forgeries: [(Forgery, &str); 11] = [
        (|_, record| record["images"] = json!([]), "the record does not name the image"),
        (
            |_, record| drop(record["images"].as_array_mut().expect("a list").pop()),
            "the record does not name the image",
        ),
        (|_, record| record["images"][0]["source"] = "public.ecr.aws/x/serve:1".into(), "the source version does not"),
        (|_, record| record["images"][0]["digest"] = Value::Null, "the record does not have the digest of"),
        (replace, "differ"),
        (|_, record| record["request"]["ModelPackageDescription"] = "forged".into(), "the digest of its request"),
        (|_, record| record["artifacts"][0]["target_etag"] = "\"0\"".into(), "differs from the record"),
        (|_, record| record["artifacts"][0]["bytes"] = 1.into(), "differs from the record"),
        (|_, record| drop(record["artifacts"].as_array_mut().expect("a list").pop()), "it does not name"),
        (|_, record| record["target"]["folder"] = "s3://serving/elsewhere/".into(), "another folder"),
        (|cloud, _| cloud.remove(SERVING, &format!("{FOLDER}models/churn/report.json")), "report.json is missing"),
    ];
    for (forge, reason) in forgeries {
        let cloud = left_unsigned();
        // A rejected version is not repaired.
        cloud.change(COPY, json!({"ModelApprovalStatus": "Rejected", "ApprovalDescription": "Not for us"}));
        let mut forged: Value = serde_json::from_slice(&bytes(&cloud, &record())).expect("JSON");
        if let Some(checksum) = forged["artifacts"][0].as_object_mut() {
            checksum.remove("checksum");
        }
        forge(&cloud, &mut forged);
        cloud.put(SERVING, &record(), serde_json::to_vec(&forged).expect("JSON"));
        let run = promote(&cloud, &["--sign-key", SIGN_KEY]);
        let document = run.document();
        let warnings = document["warnings"].to_string();
        assert!(warnings.contains("was not signed") && warnings.contains(reason), "{reason}: {warnings}");
        assert!(cloud.object(SERVING, &format!("{}.dsse", record())).is_none(), "{reason}");
        assert_eq!(verify(&cloud, &["--sign-key", SIGN_KEY]).code, 5);
    }
}

#[test]
fn a_record_is_signed_whatever_this_run_does_with_images() {
    const PREFIX: [&str; 2] = ["--image-repository-prefix", "models/"];
    for (first, then) in [
        (&["--images", "keep"][..], &["--images", "copy"][..]),
        (&["--images", "copy"], &["--images", "keep"]),
        (&PREFIX, &[]),
        (&[], &PREFIX),
    ] {
        let cloud = with_package();
        cloud.fail(Moment::every("Sign"), Failure::Status(400, "KMSInvalidStateException", "pending deletion"));
        promote(&cloud, &[&["--sign-key", SIGN_KEY], first].concat()).fails(3, &["is not signed"]);
        cloud.heal();
        // The source needs its images no more.
        for repository in ["serve", "llm"] {
            cloud.remove_image(SOURCE_ACCOUNT, repository, &TestImage::small(repository).digest());
        }
        let again = promote(&cloud, &[&["--sign-key", SIGN_KEY], then].concat());
        assert!(again.stderr.contains("promotion.json, which an earlier run had left unsigned"), "{}", again.stderr);
        let run = verify(&cloud, &["--sign-key", SIGN_KEY]);
        assert_eq!((run.code, verdicts(&run)), (0, vec![json!("identical")]), "{first:?}, {then:?}: {}", run.stdout);
    }
}

#[test]
fn a_key_whose_signatures_cannot_be_checked_is_refused_before_anything_is_promoted() {
    let cloud = with_package();
    promote(&cloud, &["--sign-key", SECP256K1_KEY]).fails(1, &["the key is ECC_SECG_P256K1", "hint: Create a key"]);
    let alias = "arn:aws:kms:eu-central-1:111222333444:alias/records";
    promote(&cloud, &["--sign-key", alias]).fails(1, &["is an alias", "hint: Pass the ARN of the key"]);
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
fn a_record_that_cannot_be_compared_for_the_moment_is_signed_by_a_later_run() {
    let busy = Failure::Status(503, "SlowDown", "Please reduce your request rate.");
    let broken = Failure::Status(500, "InternalError", "We encountered an internal error.");
    for failure in [busy, broken, Failure::Reset] {
        let cloud = left_unsigned();
        // A repeated run lists the source bucket to compare the record.
        cloud.fail(Moment::every("ListObjectsV2").at(MODELS), failure);
        let run = promote(&cloud, &["--sign-key", SIGN_KEY]);
        run.fails(3, &["promotion.json is not signed this time: ", "source: s3:ListObjectsV2", "Run again"]);
        let document: Value = serde_json::from_str(&run.stdout).expect("a document");
        assert_eq!(document["warnings"], json!([]), "{failure:?}");
        cloud.heal();
        let run = promote(&cloud, &["--sign-key", SIGN_KEY]);
        run.fails(0, &["signed s3://serving/"]);
        assert_eq!(verify(&cloud, &["--sign-key", SIGN_KEY]).code, 0);
    }
}

#[test]
fn a_record_of_an_older_state_without_a_signature_is_not_told_again_once_a_newer_record_is_signed() {
    let cloud = signed();
    for team in ["risk", "sales"] {
        cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": team}}));
        promote(&cloud, &[]).document();
    }
    let run = promote(&cloud, &["--sign-key", SIGN_KEY]);
    assert_eq!(run.document()["warnings"], json!([]));
    assert!(run.stderr.contains("signed s3://serving/"), "{}", run.stderr);
    let again = promote(&cloud, &["--sign-key", SIGN_KEY]);
    assert_eq!((&again.document()["warnings"], again.stderr.as_str()), (&json!([]), ""));
    let verified = verify(&cloud, &["--sign-key", SIGN_KEY]);
    assert_eq!(verified.code, 5, "verify still reports the record of the older state");
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
        "it is signed with {SIGN_KEY} and not with --sign-key {OTHER_SIGN_KEY}; it keeps its signature, which \
         `promote verify --sign-key {SIGN_KEY}` checks"
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

//! Records without a signature: the next run compares them with the version and its artifacts, and signs them.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde_json::{Value, json};

use super::signing::{COPY, bytes, record, signed, verdicts, verify};
use crate::support::kms::SIGN_KEY;
use crate::support::{Cloud, Failure, Moment, Principal, SOURCE_ACCOUNT, TestImage};
use crate::world::*;

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
fn a_record_of_a_specification_that_others_have_added_is_signed_by_the_next_run() {
    let cloud = with_package();
    promote(&cloud, &["--sign-key", SIGN_KEY]).document();
    let mut specifications = cloud.package(COPY).expect("it is promoted")["AdditionalInferenceSpecifications"].clone();
    let mut added = specifications[0].clone();
    added["Name"] = "theirs".into();
    specifications.as_array_mut().expect("a list").push(added);
    cloud.change(COPY, json!({"AdditionalInferenceSpecifications": specifications}));
    cloud.fail(Moment::every("Sign"), Failure::Status(400, "KMSInvalidStateException", "pending deletion"));
    promote(&cloud, &["--sign-key", SIGN_KEY]).fails(3, &["is not signed"]);
    cloud.heal();
    let again = promote(&cloud, &["--sign-key", SIGN_KEY]).document();
    assert_eq!(again["warnings"], json!([]), "{again:#}");
    let run = verify(&cloud, &["--sign-key", SIGN_KEY]);
    assert_eq!((run.code, verdicts(&run)), (0, vec![json!("identical"); 2]), "{}", run.stdout);
    let mut others = cloud.package(COPY).expect("it is promoted")["AdditionalInferenceSpecifications"].clone();
    others[1]["Containers"][0]["Environment"] = json!({"LEVEL": "debug"});
    cloud.change(COPY, json!({"AdditionalInferenceSpecifications": others}));
    assert_eq!(verify(&cloud, &["--sign-key", SIGN_KEY]).code, 5, "what they change later is not in the record");
}

#[test]
fn nothing_is_updated_while_a_record_cannot_be_signed() {
    let cloud = left_unsigned();
    cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": "risk"}}));
    let before = (promoted(&cloud), cloud.keys(SERVING));
    for moment in [Moment::on("Sign", 1), Moment::every("Sign")] {
        cloud.fail(moment, Failure::Status(400, "KMSInvalidStateException", "pending deletion"));
        let run = promote(&cloud, &["--sign-key", SIGN_KEY]);
        run.fails(1, &["was not updated", "promotion.json is still not signed", "hint: See the state of the KMS key"]);
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

/// Replaces the image of the version, and lets the record say that somebody in the target account has.
fn explain(cloud: &Cloud, record: &mut Value) {
    let image = "111222333444.dkr.ecr.eu-central-1.amazonaws.com/forged:1";
    let mut specification = cloud.package(COPY).expect("it is promoted")["InferenceSpecification"].clone();
    specification["Containers"][0]["Image"] = image.into();
    cloud.change(COPY, json!({"InferenceSpecification": specification}));
    let field = "InferenceSpecification.Containers[0].Image";
    record["changes"] = json!([{"field": field, "was": image, "result": "kept"}]);
}

#[test]
fn a_record_that_does_not_agree_with_the_version_and_its_artifacts_is_not_signed() {
    type Forgery = fn(&Cloud, &mut Value);
    let forgeries: [(Forgery, &str); 12] = [
        (|_, record| record["images"] = json!([]), "the record does not name the image"),
        (
            |_, record| drop(record["images"].as_array_mut().expect("a list").pop()),
            "the record does not name the image",
        ),
        (|_, record| record["images"][0]["source"] = "public.ecr.aws/x/serve:1".into(), "the source version does not"),
        (|_, record| record["images"][0]["digest"] = Value::Null, "the record does not have the digest of"),
        (replace, "differ"),
        (explain, "InferenceSpecification.Containers[0].Image of"),
        (|_, record| record["request"]["ModelPackageDescription"] = "forged".into(), "the digest of its request"),
        (|_, record| record["artifacts"][0]["target_etag"] = "\"0\"".into(), "differs from the promotion record"),
        (|_, record| record["artifacts"][0]["bytes"] = 1.into(), "differs from the promotion record"),
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
fn a_record_that_cannot_be_compared_for_the_moment_is_signed_by_a_later_run() {
    let busy = Failure::Status(503, "SlowDown", "Please reduce your request rate.");
    let broken = Failure::Status(500, "InternalError", "We encountered an internal error.");
    for failure in [busy, broken, Failure::Reset] {
        let cloud = left_unsigned();
        // A repeated run lists the source bucket to compare the record.
        cloud.fail(Moment::every("ListObjectsV2").at(MODELS), failure);
        let run = promote(&cloud, &["--sign-key", SIGN_KEY]);
        run.fails(3, &["promotion.json is not signed this time: ", "source: s3:ListObjectsV2", "run again"]);
        let document: Value = serde_json::from_str(&run.stdout).expect("a document");
        assert_eq!(document["warnings"], json!([]), "{failure:?}");
        cloud.heal();
        let run = promote(&cloud, &["--sign-key", SIGN_KEY]);
        run.fails(0, &["signed s3://serving/"]);
        assert_eq!(verify(&cloud, &["--sign-key", SIGN_KEY]).code, 0);
    }
}

/// The records without a signature.
fn unsigned(cloud: &Cloud) -> Vec<String> {
    let keys = cloud.keys(SERVING);
    let is_record = |key: &&String| key.contains("/promotion") && key.ends_with(".json");
    let has_none = |key: &&String| !keys.contains(&format!("{key}.dsse"));
    keys.iter().filter(is_record).filter(has_none).cloned().collect()
}

/// What a late signature says that the run has compared.
fn compared(cloud: &Cloud, record: &str) -> Value {
    let envelope: Value = serde_json::from_slice(&bytes(cloud, &format!("{record}.dsse"))).expect("JSON");
    let payload = STANDARD.decode(envelope["payload"].as_str().expect("base64")).expect("base64");
    serde_json::from_slice::<Value>(&payload).expect("JSON")["predicate"]["compared"].clone()
}

#[test]
fn records_of_older_states_are_signed_by_the_next_run_which_says_what_it_has_compared() {
    let cloud = signed();
    for team in ["risk", "sales"] {
        cloud.change(SOURCE_VERSION, json!({"CustomerMetadataProperties": {"team": team}}));
        promote(&cloud, &[]).document();
    }
    let without = unsigned(&cloud);
    assert_eq!(without.len(), 4);
    assert_eq!(promote(&cloud, &["--sign-key", SIGN_KEY]).document()["warnings"], json!([]));
    let said: Vec<Value> = without.iter().map(|record| compared(&cloud, record)).collect();
    let (older, current) = (json!(["target", "artifacts"]), json!(["target", "request", "artifacts"]));
    assert_eq!(said, [older.clone(), older, current.clone(), current]);
    let verified = verify(&cloud, &["--sign-key", SIGN_KEY]);
    assert_eq!(verified.code, 0, "{}", verified.stdout);
}

#[test]
fn records_of_withdrawals_and_rollbacks_are_signed_by_the_next_run() {
    let failure = Failure::Status(400, "KMSInvalidStateException", "pending deletion");
    let cloud = signed();
    cloud.register(package());
    promote(&cloud, &["--sign-key", SIGN_KEY]).document();
    cloud.fail(Moment::every("Sign"), failure);
    let back = ["rollback", "--target-group", GROUP, "--target-bucket", SERVING, "--reason", "It drifts"];
    let rolled_back = run(&cloud, Principal::Both, &[&back[..], &["--sign-key", SIGN_KEY]].concat());
    assert_eq!(rolled_back.code, 3, "{}", rolled_back.stderr);
    cloud.heal();
    let release = ["release", "--target-group", GROUP, "--target-bucket", SERVING];
    assert_eq!(run(&cloud, Principal::Both, &release).code, 0);
    let [record] = &unsigned(&cloud)[..] else { panic!("not one record: {:?}", unsigned(&cloud)) };
    promote(&cloud, &["--sign-key", SIGN_KEY]).document();
    assert_eq!(compared(&cloud, record), json!(["target"]));
    // The source version cannot be planned any more, so that its withdrawal has a record of its own.
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    cloud.remove(SERVING, &super::signing::record());
    cloud.remove(SERVING, &format!("{}.dsse", super::signing::record()));
    cloud.fail(Moment::every("Sign"), failure);
    promote(&cloud, &["--sign-key", SIGN_KEY]).fails(3, &["is not signed"]);
    cloud.heal();
    assert_eq!(unsigned(&cloud).len(), 1);
    promote(&cloud, &["--sign-key", SIGN_KEY]).document();
    assert_eq!(unsigned(&cloud), Vec::<String>::new());
    let verified = verify(&cloud, &["--sign-key", SIGN_KEY]);
    assert_eq!(verified.code, 0, "{}", verified.stdout);
}

#[test]
fn an_unsigned_record_of_an_update_that_was_not_sent_is_signed_with_the_specification_that_it_announces() {
    let cloud = with_package();
    promote(&cloud, &[]).document();
    let mut specifications = package()["AdditionalInferenceSpecifications"].clone();
    let mut second = specifications[0].clone();
    second["Name"] = json!("second");
    specifications.as_array_mut().expect("a list").push(second);
    cloud.change(SOURCE_VERSION, json!({"AdditionalInferenceSpecifications": specifications}));
    cloud.fail(Moment::every("UpdateModelPackage"), Failure::Status(500, "InternalError", "x"));
    promote(&cloud, &[]).fails(1, &["sagemaker:UpdateModelPackage"]);
    cloud.heal();
    assert_eq!(unsigned(&cloud).len(), 2);
    let run = promote(&cloud, &["--sign-key", SIGN_KEY]);
    assert_eq!((run.document()["outcome"].clone(), unsigned(&cloud)), (json!("updated"), Vec::new()), "{}", run.stderr);
    assert_eq!(verify(&cloud, &["--sign-key", SIGN_KEY]).code, 0);
}

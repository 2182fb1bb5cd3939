//! The target package is the source package with its references rewritten: nothing else changes, nothing is lost.

pub mod package;

use std::collections::BTreeMap;

use serde_json::{Value, json};

use self::package::{CARD_LINK, Deployed, SOURCE_KEY, complete, leaves, pattern};
use crate::support::Cloud;
use crate::world::*;

const KEY: &str = "arn:aws:kms:eu-central-1:111222333444:key/of-the-target";
const ROLE: &str = "arn:aws:iam::111222333444:role/validation";
/// Where the outputs of version 1 of the group go.
const OUTPUTS: &str = "churn-model/_outputs/444333666777-eu-central-1-churn-model-v1/";
const VALIDATION: &str = "ValidationSpecification.ValidationProfiles[].TransformJobDefinition.";

/// What becomes of a member that does not arrive as it was described.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Exception {
    /// Points to the copy.
    Copy,
    /// Points beside the folder.
    Output,
    /// Points to the rewritten manifest.
    Manifest,
    /// A promotion sets it.
    Is(&'static str),
    /// An Update sets it, or the registry finds it out itself: it is not in Create.
    NotInCreate,
}

/// Every member that does not arrive as it was described, by how its path ends. All other members arrive unchanged.
const EXCEPTIONS: [(&str, Exception); 15] = [
    (".ModelDataUrl", Exception::Copy),
    (".S3Uri", Exception::Copy),
    (".S3OutputPath", Exception::Output),
    ("SamplePayloadUrl", Exception::Copy),
    (".Environment.SAGEMAKER_SUBMIT_DIRECTORY", Exception::Copy),
    (".ManifestS3Uri", Exception::Manifest),
    (".ETag", Exception::NotInCreate),
    (".ManifestEtag", Exception::NotInCreate),
    (".ModelDataETag", Exception::NotInCreate),
    ("SourceUri", Exception::NotInCreate),
    ("ApprovalDescription", Exception::NotInCreate),
    ("ModelApprovalStatus", Exception::Is("PendingManualApproval")),
    ("SecurityConfig.KmsKeyId", Exception::Is(KEY)),
    ("SourceAlgorithmSpecification.SourceAlgorithms[].AlgorithmName", Exception::Is("of-the-target")),
    ("ValidationSpecification.ValidationRole", Exception::Is(ROLE)),
];

/// The leaves that Create has to have for a described package.
fn expected(described: &Value) -> BTreeMap<String, Value> {
    let mut expected = BTreeMap::new();
    for (path, value) in leaves(described) {
        let pattern = pattern(&path);
        let exception = EXCEPTIONS.iter().find(|(end, _)| pattern.ends_with(end));
        let moved = |below: &str| json!(value.as_str().unwrap_or_default().replacen("s3://", below, 1));
        match exception.map(|(_, exception)| *exception) {
            None => expected.insert(path, value),
            Some(Exception::Copy) => expected.insert(path, moved(&format!("s3://{SERVING}/{FOLDER}"))),
            Some(Exception::Output) => expected.insert(path, moved(&format!("s3://{SERVING}/{OUTPUTS}"))),
            Some(Exception::Manifest) => expected.insert(path, moved(&format!("s3://{SERVING}/{FOLDER}_manifests/"))),
            Some(Exception::Is(text)) => expected.insert(path, json!(text)),
            Some(Exception::NotInCreate) => None,
        };
    }
    if let Some(Value::String(card)) = expected.get_mut("ModelCard.ModelCardContent") {
        *card = card.replace("s3://models/", &format!("s3://{SERVING}/{FOLDER}{MODELS}/"));
    }
    expected
}

/// Members that Create has beside those of the source: the token, and where the package came from.
fn take_additions(request: &mut BTreeMap<String, Value>, arn: &str) {
    let token = request.remove("ClientToken").expect("Create has a token");
    assert_eq!(token.as_str().map(str::len), Some(32));
    assert_eq!(request.remove("CustomerMetadataProperties.promote:source-arn"), Some(json!(arn)));
    let digest = request.remove("CustomerMetadataProperties.promote:request-sha256").expect("Create has a digest");
    assert_eq!(digest.as_str().map(str::len), Some(64));
}

fn assert_lossless(cloud: &Cloud, arn: &str, described: &Value) -> usize {
    let mut arrived: BTreeMap<String, Value> = leaves(&create_request(cloud)).into_iter().collect();
    take_additions(&mut arrived, arn);
    let expected = expected(described);
    for (path, value) in &expected {
        assert_eq!(arrived.get(path), Some(value), "{path}");
    }
    let unasked: Vec<_> = arrived.keys().filter(|path| !expected.contains_key(*path)).collect();
    assert_eq!(unasked, Vec::<&String>::new());
    expected.len()
}

const TARGETS: [&str; 8] = [
    "--images",
    "keep",
    "--kms-key-arn",
    KEY,
    "--target-algorithm",
    "of-the-target",
    "--target-validation-role-arn",
    ROLE,
];

#[test]
fn every_member_that_aws_accepts_together_arrives_leaf_by_leaf() {
    for (deployed, least) in Deployed::ALL.into_iter().zip([280, 190, 190]) {
        let cloud = world();
        let described = complete(&cloud, deployed);
        let arn = cloud.register(described.clone());
        let document = promote(&cloud, &TARGETS).document();
        assert_eq!(document["outcome"], "promoted");
        let (all, equal) = (leaves(&described).len(), assert_lossless(&cloud, &arn, &described));
        assert!(all >= least, "{deployed:?}: {all} leaves described, {equal} of them in Create");
        let target = &promoted(&cloud)[0];
        assert_eq!(target["ModelApprovalStatus"], "Approved");
        assert_eq!(target["SourceUri"], described["SourceUri"]);
        assert_eq!(target["ApprovalDescription"], described["ApprovalDescription"]);
    }
}

#[test]
fn a_package_made_from_an_algorithm_is_registered_with_its_containers_and_an_algorithm_for_it_is_refused() {
    let cloud = world();
    let mut described = complete(&cloud, Deployed::Containers);
    let algorithm = complete(&cloud, Deployed::AlgorithmWithUrl)["SourceAlgorithmSpecification"].clone();
    described["SourceAlgorithmSpecification"] = algorithm.clone();
    let arn = cloud.register(described.clone());
    let without = ["--images", "keep", "--kms-key-arn", KEY, "--target-validation-role-arn", ROLE];
    let field = "SourceAlgorithmSpecification";
    let flag =
        [&without[..], &["--dry-run", "--target-algorithm", "arn:aws:sagemaker:eu-central-1:111222333444:algorithm/a"]]
            .concat();
    promote(&cloud, &flag).fails(
        1,
        &[
            "`--target-algorithm` cannot be applied to SourceAlgorithmSpecification",
            "hint: Run without `--target-algorithm`",
        ],
    );
    for more in [&["--dry-run"][..], &[]] {
        let document = promote(&cloud, &[&without[..], more].concat()).document();
        let listed = not_carried(&document, field);
        assert_eq!(listed["value"], algorithm["SourceAlgorithms"][0]["AlgorithmName"]);
        assert_eq!(listed["informational"], true);
    }
    described.as_object_mut().expect("an object").shift_remove(field);
    assert_lossless(&cloud, &arn, &described);
}

#[test]
fn a_package_without_a_validation_role_loses_only_its_validation() {
    let cloud = world();
    let mut described = complete(&cloud, Deployed::Containers);
    let arn = cloud.register(described.clone());
    let document = promote(&cloud, &TARGETS[..6]).document();
    let validation = described.as_object_mut().and_then(|members| members.shift_remove("ValidationSpecification"));
    assert_lossless(&cloud, &arn, &described);
    let listed = not_carried(&document, "ValidationSpecification");
    assert!(listed["reason"].as_str().unwrap_or_default().contains("--target-validation-role-arn"), "{listed}");
    let profiles = validation.expect("the package has a validation")["ValidationProfiles"].clone();
    assert_eq!(listed["value"].as_str().map(|text| serde_json::from_str::<Value>(text).ok()), Some(Some(profiles)));
}

#[test]
fn the_package_of_these_tests_has_every_s3_member() {
    let cloud = world();
    let all = Deployed::ALL.map(|deployed| leaves(&complete(&cloud, deployed)));
    let patterns: Vec<String> = all.iter().flatten().map(|(path, _)| pattern(path)).collect();
    for leaf in crate::plan::references::LEAVES {
        let refused = leaf == "InferenceSpecification.Containers[].AdditionalS3DataSource.S3Uri";
        assert_eq!(patterns.iter().any(|pattern| pattern == leaf), !refused, "{leaf}");
    }
}

#[test]
fn source_uri_and_approval_description_arrive_by_update_and_never_in_create() {
    let cloud = world();
    cloud.register(complete(&cloud, Deployed::Containers));
    promote(&cloud, &TARGETS).document();
    let request = create_request(&cloud);
    assert_eq!((request.get("SourceUri"), request.get("ApprovalDescription")), (None, None));
    let updates = cloud.calls_of("UpdateModelPackage");
    assert_eq!(updates.len(), 1);
    assert_eq!(updates[0].request["SourceUri"], "https://git.example.com/churn/tree/v1");
    assert_eq!(updates[0].request["ApprovalDescription"], "Reviewed by the risk board: ok");
    assert_eq!(updates[0].request["ModelApprovalStatus"], "Approved");
    assert_eq!(updates[0].request.get("InferenceSpecification"), None);
}

#[test]
fn every_key_of_the_source_that_the_package_still_names_is_listed() {
    let cloud = world();
    cloud.register(complete(&cloud, Deployed::Containers));
    let document = promote(&cloud, &TARGETS).document();
    assert_eq!(not_carried(&document, "SecurityConfig.KmsKeyId")["value"], SOURCE_KEY);
    for member in ["TransformOutput.KmsKeyId", "TransformResources.VolumeKmsKeyId"] {
        let field = format!("{}{member}", VALIDATION.replace("[]", "[0]"));
        assert_eq!(not_carried(&document, &field)["value"], SOURCE_KEY);
    }
}

#[test]
fn a_model_card_keeps_its_text_and_only_copied_urls_change() {
    let cloud = world();
    let described = complete(&cloud, Deployed::Containers);
    cloud.register(described.clone());
    let document = promote(&cloud, &TARGETS).document();
    let card = create_request(&cloud)["ModelCard"]["ModelCardContent"].clone();
    let copy = format!("s3://{SERVING}/{FOLDER}models/SamplePayloadUrl");
    let before = described["ModelCard"]["ModelCardContent"].as_str().expect("a card");
    assert_eq!(card, before.replace("s3://models/SamplePayloadUrl", &copy));
    assert_eq!(not_carried(&document, "ModelCard.ModelCardContent.link")["value"], CARD_LINK);
}

#[test]
fn members_that_say_nothing_are_left_out() {
    let cloud = world();
    cloud.put(MODELS, "m.tar.gz", "m");
    let mut package = model("s3://models/m.tar.gz");
    let empty = json!({"AdditionalInferenceSpecifications": [], "CustomerMetadataProperties": {}, "Domain": null});
    package.as_object_mut().expect("an object").extend(empty.as_object().cloned().unwrap_or_default());
    cloud.register(package);
    promote(&cloud, &[]).document();
    let request = create_request(&cloud);
    assert_eq!((request.get("AdditionalInferenceSpecifications"), request.get("Domain")), (None, None));
    let keys: Vec<&String> = request["CustomerMetadataProperties"].as_object().expect("metadata").keys().collect();
    assert_eq!(keys, ["promote:source-arn", "promote:request-sha256"]);
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Approved");
}

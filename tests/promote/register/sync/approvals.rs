//! Approvals of promoted versions: only of what the record describes, and never over a decision of the target account.

use super::*;

#[test]
fn a_version_with_changed_fields_is_not_approved() {
    let cloud = promoted_once();
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    promote(&cloud, &[]).document();
    let mut specification = promoted(&cloud)[0]["InferenceSpecification"].clone();
    specification["Containers"][0]["Environment"]["LEVEL"] = json!("debug");
    cloud.change(COPY, json!({"InferenceSpecification": specification}));
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Approved"}));
    for _ in 0..2 {
        let field = "InferenceSpecification.Containers[0].Environment{LEVEL} is \"debug\", not \"info\"";
        promote(&cloud, &[]).fails(1, &["differs from its record and was not approved", field]);
        assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Rejected");
    }
}

#[test]
fn a_replaced_artifact_of_the_same_size_prevents_an_approval_months_later() {
    let cloud = promoted_once();
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Rejected"}));
    promote(&cloud, &[]).document();
    let key = format!("{FOLDER}models/churn/model.tar.gz");
    let original = cloud.object(SERVING, &key).expect("the copy").body.bytes();
    cloud.put(SERVING, &key, "x".repeat(original.len()));
    cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": "Approved"}));
    promote(&cloud, &[])
        .fails(1, &["1 object differs from the promotion record", &key, "the version was not approved"]);
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Rejected");
    cloud.put(SERVING, &key, original);
    assert_eq!(promote(&cloud, &[]).document()["outcome"], "approved-again");
}

#[test]
fn a_version_that_the_target_account_set_to_pending_is_not_approved_again() {
    let cloud = promoted_once();
    cloud.change(COPY, json!({"ModelApprovalStatus": "PendingManualApproval"}));
    for _ in 0..2 {
        let document = promote(&cloud, &[]).document();
        assert_eq!(document["outcome"], "already-promoted");
        assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "PendingManualApproval");
    }
}

#[test]
fn a_pending_version_with_a_replaced_artifact_is_not_approved() {
    let cloud = with_package();
    promote(&cloud, &["--approval", "pending"]).document();
    let key = format!("{FOLDER}models/churn/model.tar.gz");
    let bytes = cloud.object(SERVING, &key).expect("the copy").body.bytes().len();
    cloud.put(SERVING, &key, "x".repeat(bytes));
    promote(&cloud, &["--approval", "carry"]).fails(1, &["the version was not approved", &key]);
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "PendingManualApproval");
}

#[test]
fn a_pending_version_that_is_approved_without_a_description_has_none_and_verifies() {
    let cloud = world();
    fill(&cloud);
    cloud.change(SOURCE_VERSION, json!({"ApprovalDescription": null}));
    promote(&cloud, &["--approval", "pending"]).document();
    assert_eq!(promote(&cloud, &["--approval", "carry"]).document()["outcome"], "promoted");
    assert_eq!(promoted(&cloud)[0]["ModelApprovalStatus"], "Approved");
    assert_eq!(promoted(&cloud)[0]["ApprovalDescription"], Value::Null);
    let verified = run(&cloud, Principal::Both, &["verify", "--model-package", COPY]);
    assert_eq!(verified.code, 0, "{}{}", verified.stdout, verified.stderr);
}

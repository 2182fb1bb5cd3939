//! What `full --dry-run` refuses: doctor tells all of it before.

use super::*;
use crate::support::Body;

/// A name, what prevents the promotion, the flags, and the action and part of the reason that doctor reports.
type Case = (&'static str, fn(&Cloud), &'static [&'static str], (&'static str, &'static str));

const DRY_RUN: [&str; 3] = ["--dry-run", "--images", "keep"];

/// What a dry run refuses without these flags.
type Permitted = (fn(&Cloud), &'static [&'static str]);

/// A key of the target account.
const KEY: &str = "arn:aws:kms:eu-central-1:111222333444:key/66666666-7777-8888-9999-000000000000";

/// Every refusal of a dry run that depends on the source, the target or the flags, each with the check that tells it.
const CASES: [Case; 25] = [
    ("an archived object", |cloud| archive(cloud, "churn/model.tar.gz"), &[], ("s3:GetObject", "restore-object")),
    ("an archived object below a prefix", |cloud| archive(cloud, "churn/llm/z"), &[], ("plan", "1 object is archived")),
    ("an archive tier", tier, &[], ("s3:GetObject", "restore-object")),
    ("a group of others", others, &[], ("group", "Pass `--into-existing-group` once")),
    ("no group", |_| {}, &["--no-create-group"], ("sagemaker:CreateModelPackageGroup", "--no-create-group")),
    ("a missing artifact", |cloud| cloud.remove(MODELS, "churn/model.tar.gz"), &[], ("s3:GetObject", "no such object")),
    ("a missing report", |cloud| cloud.remove(MODELS, "churn/report.json"), &[], ("s3:GetObject", "no such object")),
    ("an empty prefix", empty_prefix, &[], ("s3:GetObject", "no such object")),
    ("an object that has changed", has_changed, &[], ("plan", "has changed since the package was registered")),
    ("a manifest of what is missing", manifest, &[], ("plan", "churn/list.csv lists it")),
    ("a manifest that cannot be parsed", no_manifest, &[], ("plan", "cannot be parsed")),
    (
        "a long description",
        |cloud| changed(cloud, json!({"ModelPackageDescription": "d".repeat(1025)})),
        &[],
        ("package", "at most 1024 are allowed"),
    ),
    ("two lines", |cloud| changed(cloud, json!({"ApprovalDescription": "a\nb"})), &[], ("package", "has a line break")),
    ("an unknown member", |cloud| changed(cloud, json!({"Novelty": 1})), &[], ("package", "--ignore-unknown-fields")),
    ("a digest of a secret", sealed, &[], ("package", "is the digest that promote records in place of a secret")),
    (
        "restricted storage",
        |cloud| changed(cloud, json!({"ManagedStorageType": "Restricted"})),
        &[],
        ("package", "Restricted storage, which cannot be copied"),
    ),
    (
        "a failed version",
        |cloud| changed(cloud, json!({"ModelPackageStatus": "Failed"})),
        &["--package-version", "1"],
        ("package", "is Failed; only a Completed package"),
    ),
    (
        "a version in progress",
        |cloud| changed(cloud, json!({"ModelPackageStatus": "InProgress"})),
        &[],
        ("package", "is InProgress; only a Completed package"),
    ),
    ("no such version", |_| {}, &["--package-version", "99"], ("sagemaker:DescribeModelPackage", "does not exist")),
    (
        "a key of the source",
        |cloud| changed(cloud, json!({"SecurityConfig": {"KmsKeyId": SOURCE_KEY}})),
        &[],
        ("package", "SecurityConfig.KmsKeyId"),
    ),
    ("another object at the target", |cloud| cloud.put(SERVING, &there("model.tar.gz"), "theirs"), &[], DIFFERS),
    (
        "a further object at the target",
        |cloud| cloud.put(SERVING, &there("llm/more"), "theirs"),
        &[],
        ("plan", "llm/more"),
    ),
    (
        "no record at its place",
        |cloud| cloud.put(SERVING, &format!("{FOLDER}promotion.json"), "no"),
        &[],
        ("plan", "promotion.json"),
    ),
    ("a long key below a prefix", long_key, &[], ("plan", "S3 allows 1024")),
    (
        "a key of the source account",
        |_| {},
        &["--kms-key-arn", SOURCE_KEY],
        ("key", "Pass a key of account 111222333444"),
    ),
];

const DIFFERS: (&str, &str) = ("plan", "refusing to overwrite");

fn changed(cloud: &Cloud, members: Value) {
    cloud.change(SOURCE_VERSION, members);
}

fn there(key: &str) -> String {
    format!("{FOLDER}models/churn/{key}")
}

fn archive(cloud: &Cloud, key: &str) {
    cloud.put_with(MODELS, key, "cold", Attributes::default().storage_class("GLACIER"));
}

fn tier(cloud: &Cloud) {
    let archived = Attributes::default().archive_tier("DEEP_ARCHIVE_ACCESS");
    cloud.put_with(MODELS, "churn/model.tar.gz", Body::synthetic(128 << 10, 1), archived);
}

fn others(cloud: &Cloud) {
    cloud.register_in(TARGET_ACCOUNT, model("s3://serving/theirs.tar.gz"));
}

fn empty_prefix(cloud: &Cloud) {
    for key in cloud.keys(MODELS).iter().filter(|key| key.starts_with("churn/llm/")) {
        cloud.remove(MODELS, key);
    }
}

fn has_changed(cloud: &Cloud) {
    let mut specification = package()["InferenceSpecification"].clone();
    specification["Containers"][0]["ModelDataETag"] = json!("\"0123456789abcdef0123456789abcdef\"");
    changed(cloud, json!({ "InferenceSpecification": specification }));
}

fn with_manifest(cloud: &Cloud, text: &str) {
    cloud.put(MODELS, "churn/list.csv", text.to_owned());
    let mut additional = package()["AdditionalInferenceSpecifications"].clone();
    let source = &mut additional[0]["Containers"][0]["ModelDataSource"]["S3DataSource"];
    source["ManifestS3Uri"] = json!("s3://models/churn/list.csv");
    changed(cloud, json!({ "AdditionalInferenceSpecifications": additional }));
}

fn manifest(cloud: &Cloud) {
    with_manifest(cloud, "name,place\nweights,s3://models/churn/absent\n");
}

fn no_manifest(cloud: &Cloud) {
    with_manifest(cloud, "name,place\nweights,elsewhere\n");
}

fn sealed(cloud: &Cloud) {
    let digest = format!("sealed:sha256:{}", "0".repeat(64));
    changed(cloud, json!({"CustomerMetadataProperties": {"db.password": digest}}));
}

fn long_key(cloud: &Cloud) {
    cloud.put(MODELS, &format!("churn/llm/{}", "k".repeat(1000)), "shard");
}

/// Doctor with the flags of a promotion.
fn doctor_of(cloud: &Cloud, more: &[&str]) -> Run {
    let group = Cloud::group_arn(GROUP);
    let flags = ["doctor", "--group", &group, "--target-bucket", SERVING, "--images", "keep", "--output", "json"];
    run(cloud, Principal::Both, &[&flags[..], more].concat())
}

/// What is missing, as action and reason.
fn missing(run: &Run) -> Vec<(String, String)> {
    let checks = checks(run);
    let found = checks.iter().filter(|check| check["result"] == "missing" && check.get("optional").is_none());
    let text = |check: &Value, member: &str| check[member].as_str().unwrap_or_default().to_owned();
    found.map(|check| (text(check, "action"), text(check, "reason"))).collect()
}

#[test]
fn what_a_dry_run_refuses_is_missing_and_named_alone() {
    for (what, prepare, flags, (action, says)) in CASES {
        let cloud = with_package();
        prepare(&cloud);
        let before = cloud.keys(SERVING);
        let refused = promote(&cloud, &[flags, &DRY_RUN, &["--wait-seconds", "1"]].concat());
        assert_ne!(refused.code, 0, "{what}: {}", refused.stdout);
        let run = doctor_of(&cloud, flags);
        assert_eq!(run.code, 1, "{what}: {}{}", run.stdout, run.stderr);
        let missing = missing(&run);
        assert_eq!(missing.len(), 1, "{what}: {missing:#?}\n{}", refused.stderr);
        assert_eq!(missing[0].0, action, "{what}: {missing:#?}\n{}", refused.stderr);
        assert!(missing[0].1.contains(says), "{what}: no '{says}' in {missing:#?}");
        assert_eq!((changes(&cloud), cloud.keys(SERVING)), (Vec::new(), before), "{what}");
    }
}

#[test]
fn what_a_flag_permits_is_not_missing() {
    let permitted: [Permitted; 4] = [
        (others, &["--into-existing-group"]),
        (|cloud| cloud.remove(MODELS, "churn/report.json"), &["--ignore-missing-reports"]),
        (|cloud| changed(cloud, json!({"Novelty": 1})), &["--ignore-unknown-fields"]),
        (|cloud| changed(cloud, json!({"SecurityConfig": {"KmsKeyId": SOURCE_KEY}})), &["--kms-key-arn", KEY]),
    ];
    for (prepare, flags) in permitted {
        let cloud = with_package();
        prepare(&cloud);
        promote(&cloud, &[flags, &DRY_RUN].concat()).document();
        let run = doctor_of(&cloud, flags);
        assert_eq!((run.code, missing(&run)), (0, Vec::new()), "{flags:?}: {}", run.stdout);
    }
}

#[test]
fn an_archived_object_and_a_group_of_others_are_told_in_one_run() {
    let cloud = with_package();
    archive(&cloud, "churn/model.tar.gz");
    others(&cloud);
    let run = doctor_of(&cloud, &[]);
    let actions: Vec<String> = missing(&run).into_iter().map(|(action, _)| action).collect();
    assert_eq!(actions, ["s3:GetObject", "group"], "{}", run.stdout);
    let plan = checks(&run).into_iter().find(|check| check["action"] == "plan").unwrap_or_default();
    assert_eq!(plan["result"], "not-testable", "{plan:#}");
}

#[test]
fn the_plan_of_a_version_that_can_be_promoted_is_ok_and_no_event_of_the_dry_run_is_told() {
    let cloud = with_package();
    let run = doctor_of(&cloud, &[]);
    assert_eq!((run.code, run.stderr.as_str()), (0, ""), "{}", run.stdout);
    let plan = checks(&run).into_iter().find(|check| check["action"] == "plan").unwrap_or_default();
    assert_eq!((&plan["result"], &plan["resource"]), (&json!("ok"), &json!(SOURCE_VERSION)));
}

#[test]
fn a_group_that_is_held_is_told_and_is_no_fault() {
    let cloud = with_package();
    let hold = ["hold", "--target-group", GROUP, "--target-bucket", SERVING, "--reason", "Audit"];
    assert_eq!(run(&cloud, Principal::Both, &hold).code, 0);
    let run = doctor_of(&cloud, &[]);
    assert_eq!(run.code, 0, "{}{}", run.stdout, run.stderr);
    let plan = checks(&run).into_iter().find(|check| check["action"] == "plan").unwrap_or_default();
    let says = plan["reason"].as_str().unwrap_or_default();
    assert!(says.contains("is held since") && says.ends_with(": Audit"), "{plan:#}");
}

/// A version with a variable that names an object in a bucket of which nothing may be read.
fn with_variable() -> Cloud {
    let cloud = with_package();
    cloud.create_bucket("private", "999988887777");
    let mut specification = package()["InferenceSpecification"].clone();
    specification["Containers"][0]["Environment"] = json!({"CACHE": "s3://private/cache", "OUT": "s3://private/out/"});
    changed(&cloud, json!({ "InferenceSpecification": specification }));
    cloud
}

#[test]
fn what_a_variable_names_need_not_be_readable() {
    let cloud = with_variable();
    for flags in [&[][..], &["--environment-urls", "all"], &["--environment-urls", "none"]] {
        promote(&cloud, &[flags, &DRY_RUN].concat()).document();
        let run = doctor_of(&cloud, flags);
        assert_eq!(run.code, 0, "{flags:?}: {}{}", run.stdout, run.stderr);
        let asked = checks(&run).iter().any(|check| check.to_string().contains("private"));
        assert_eq!(asked, !flags.contains(&"none"), "{flags:?}");
    }
}

#[test]
fn what_is_not_carried_over_need_not_exist() {
    let cloud = with_package();
    let source = json!({"S3DataSource": {"S3DataType": "S3Prefix", "S3Uri": "s3://models/absent/"}});
    let job = json!({
        "TransformInput": {"DataSource": source}, "TransformOutput": {"S3OutputPath": "s3://models/out/"},
        "TransformResources": {"InstanceType": "ml.m5.large", "InstanceCount": 1}
    });
    let profiles = json!([{"ProfileName": "p", "TransformJobDefinition": job}]);
    let role = "arn:aws:iam::444333666777:role/validation";
    let validation = json!({"ValidationRole": role, "ValidationProfiles": profiles});
    changed(&cloud, json!({ "ValidationSpecification": validation }));
    promote(&cloud, &DRY_RUN).document();
    assert_eq!((doctor_of(&cloud, &[]).code, missing(&doctor_of(&cloud, &[]))), (0, Vec::new()));
}

#[test]
fn a_failed_version_is_passed_over_as_a_promotion_passes_it_over() {
    let cloud = with_package();
    cloud.register(package());
    cloud.change(&SOURCE_VERSION.replace("/1", "/2"), json!({"ModelPackageStatus": "Failed"}));
    let promoted = promote(&cloud, &DRY_RUN).document();
    assert_eq!(promoted["source"]["version"], 1, "{promoted:#}");
    let run = doctor_of(&cloud, &[]);
    assert_eq!((run.code, &document(&run)["source_model_package_arn"]), (0, &json!(SOURCE_VERSION)), "{}", run.stdout);
}

#[test]
fn each_line_of_a_reason_is_indented_below_its_row() {
    let cloud = with_package();
    changed(&cloud, json!({"ModelPackageDescription": "d".repeat(1025), "ApprovalDescription": "a\nb"}));
    let run =
        run(&cloud, Principal::Both, &["doctor", "--group", &Cloud::group_arn(GROUP), "--target-bucket", SERVING]);
    let names = ["ModelPackageDescription", "ApprovalDescription"];
    let is_finding = |line: &&str| names.iter().any(|name| line.contains(name));
    let findings: Vec<&str> = run.stdout.lines().filter(is_finding).collect();
    assert_eq!(findings.len(), 2, "{}", run.stdout);
    assert!(findings.iter().all(|line| line.starts_with(&" ".repeat(14))), "{}", run.stdout);
}

//! Pages for a browser: `make unit` and `make page` set `PAGES` to a folder, and write them there.

use std::time::{SystemTime, UNIX_EPOCH};

use super::*;
use crate::support::SOURCE_ACCOUNT;
use crate::support::kms::SIGN_KEY;

/// The groups of a team with the domain and the task of their models.
pub(super) const TEAM: [(&str, &str); 8] = [
    ("churn", "Predicts which customers leave within 90 days"),
    ("credit-scoring", "Scores applications for consumer credit"),
    ("demand-forecast", "Forecasts the daily demand of each store"),
    ("fraud-cards", "Finds fraudulent card payments"),
    ("fraud-transfers", "Finds fraudulent transfers"),
    ("price-elasticity", "Estimates how demand follows prices"),
    ("recommendations-for-the-home-page-of-new-customers", "Ranks offers for customers without a history"),
    ("support-triage", "Routes tickets to a team"),
];

/// Who approves the versions of the team.
const REVIEWER: &str = "arn:aws:sagemaker:eu-central-1:444333666777:user-profile/d-review/a-novak";

/// Keeps a page for the browser, if `PAGES` is set.
pub(super) fn keep(name: &str, page: &str) {
    if let Some(folder) = std::env::var_os("PAGES") {
        std::fs::create_dir_all(&folder).expect("the folder of the pages");
        std::fs::write(std::path::Path::new(&folder).join(name), page).expect("a page is written");
    }
}

/// A model package with metadata, metrics, two artifacts and an image.
fn version_of(cloud: &Cloud, group: &str, description: &str) -> String {
    let number = cloud.packages(SOURCE_ACCOUNT, group).len() + 1;
    let folder = format!("{group}/training-{number:03}");
    cloud.put(MODELS, &format!("{folder}/output/model.tar.gz"), "w".repeat(48_000 + 7_000 * number));
    cloud.put(MODELS, &format!("{folder}/evaluation/quality.json"), format!("{{\"auc\": 0.9{number}}}"));
    let mut package = model(&format!("s3://{MODELS}/{folder}/output/model.tar.gz"));
    let members = json!({
        "ModelPackageGroupName": group,
        "ModelPackageDescription": description,
        "ApprovalDescription": format!("Review MR-{}: AUC 0.9{number}, no regression", 400 + number),
        "LastModifiedBy": {"UserProfileArn": REVIEWER, "UserProfileName": "a-novak", "DomainId": "d-review"},
        "Domain": "MACHINE_LEARNING",
        "Task": "CLASSIFICATION",
        "CustomerMetadataProperties": {"team": "risk", "training-run": format!("{group}-{number:03}")},
        "MetadataProperties": {"CommitId": format!("{number:040x}"), "GeneratedBy": "training-pipeline"},
        "ModelMetrics": {"ModelQuality": {"Statistics": {
            "ContentType": "application/json", "S3Uri": format!("s3://{MODELS}/{folder}/evaluation/quality.json")
        }}},
    });
    package.as_object_mut().expect("members").extend(members.as_object().cloned().expect("members"));
    cloud.register(package)
}

/// The ARN of a version of a target group.
fn target_arn(group: &str, version: &str) -> String {
    format!("{}/{version}", Cloud::target_group_arn(group).replace("model-package-group", "model-package"))
}

fn full_of_all(cloud: &Cloud, more: &[&str]) -> Run {
    let pattern = Cloud::group_arn("*");
    let arguments = ["full", "--group", &pattern, "--target-bucket", SERVING];
    run(cloud, Principal::Both, &[&arguments, &TWO_PRINCIPALS[..], more].concat())
}

pub(super) fn page_of_all(cloud: &Cloud) -> Run {
    let pattern = Cloud::group_arn("*");
    run(cloud, Principal::Both, &[&["status", "--group", &pattern, "--output", "html"], &TWO_PRINCIPALS[..]].concat())
}

/// Lets the promotion of a source version be so many days older.
fn age(cloud: &Cloud, group: &str, version: u32, days: f64) {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).expect("after 1970").as_secs_f64();
    let time = json!(now - days * 86_400.0);
    let source = format!("{}/{version}", Cloud::group_arn(group).replace("model-package-group", "model-package"));
    cloud.change(&source, json!({"CreationTime": time, "LastModifiedTime": time}));
    for promoted in cloud.packages(TARGET_ACCOUNT, group) {
        if promoted["CustomerMetadataProperties"]["promote:source-arn"] == json!(source) {
            let arn = promoted["ModelPackageArn"].as_str().expect("an ARN");
            let changed = (now - days * 86_400.0 + 1800.0).floor();
            cloud.change(arn, json!({"CreationTime": changed, "LastModifiedTime": changed}));
            age_record(cloud, &format!("{group}/444333666777-eu-central-1-{group}-v{version}"), changed);
        }
    }
}

/// Lets the run of a record have ended at a time.
fn age_record(cloud: &Cloud, folder: &str, time: f64) {
    let key = format!("{folder}/promotion.json");
    let record = cloud.object(SERVING, &key).expect("a record").body.bytes();
    let mut record: serde_json::Value = serde_json::from_slice(&record).expect("a document");
    let shown = |time: f64| {
        let time = aws_smithy_types::DateTime::from_secs_f64(time.floor());
        json!(time.fmt(aws_smithy_types::date_time::Format::DateTime).expect("a time"))
    };
    (record["source"]["modified"], record["ended"]) = (shown(time - 1800.0), shown(time));
    record["target"]["created"] = shown(time);
    cloud.put(SERVING, &key, record.to_string());
}

/// The groups of a team: promoted, pending, withdrawn, held, drifted, not promoted for days, and one that is not read.
pub(super) fn team() -> Cloud {
    let cloud = world();
    cloud.describes_until_completed(0);
    let register = |group: &str| {
        let (_, description) = TEAM.iter().find(|(name, _)| *name == group).expect("a group of the team");
        version_of(&cloud, group, description)
    };
    let full = |more: &[&str]| assert_eq!(full_of_all(&cloud, &[&["--sign-key", SIGN_KEY], more].concat()).code, 0);
    let of_first = TEAM.map(|(group, _)| register(group));
    cloud.change(&of_first[5], json!({"ModelApprovalStatus": "PendingManualApproval"}));
    full(&[]);
    let churn = register("churn");
    let fraud = register("fraud-cards");
    register("fraud-transfers");
    full(&[]);
    cloud.change(&churn, json!({"ModelApprovalStatus": "Rejected", "ApprovalDescription": "Leaks the target"}));
    register("churn");
    let pending = register("churn");
    cloud.change(&pending, json!({"ModelApprovalStatus": "PendingManualApproval"}));
    full(&[]);
    let rollback = ["rollback", "--target-group", "fraud-cards", "--reason", "Incident 4711: false positives doubled"];
    let run = run(&cloud, Principal::Target, &[&rollback[..], &["--settle-seconds", "0"]].concat());
    assert_eq!(run.code, 0, "{}", run.stderr);
    register("demand-forecast");
    full(&["--approval", "pending"]);
    cloud.change(&fraud, json!({"CustomerMetadataProperties": {"team": "payments", "reviewed-by": "A. Novak"}}));
    let drifted = Cloud::group_arn("fraud-transfers").replace("model-package-group", "model-package");
    cloud.change(
        &format!("{drifted}/2"),
        json!({"CustomerMetadataProperties": {"team": "payments"}, "Domain": "OTHER"}),
    );
    register("credit-scoring");
    register("fraud-cards");
    for (group, ages) in [
        ("churn", &[61.0, 33.0, 12.0, 0.2][..]),
        ("credit-scoring", &[47.0, 3.3]),
        ("demand-forecast", &[75.0, 0.9]),
        ("fraud-cards", &[90.0, 20.0, 5.0]),
        ("fraud-transfers", &[40.0, 8.0]),
        ("price-elasticity", &[2.0]),
        (TEAM[6].0, &[4.0]),
        ("support-triage", &[15.0]),
    ] {
        (1..).zip(ages).for_each(|(version, days)| age(&cloud, group, version, *days));
    }
    cloud.deny(Principal::Target, "sagemaker:ListModelPackages", &target_arn("support-triage", "*"));
    cloud
}

#[test]
fn the_page_of_hostile_metadata_is_kept_for_the_browser() {
    let cloud = world();
    let attack =
        "</style></code><script>alert(1)</script><img src=x onerror=alert(2)>\" onmouseover='alert(3)' \u{202e}";
    let key = "churn/<img src=x onerror=alert(4)>&quot;' onload=alert(5)/model.tar.gz";
    cloud.put(MODELS, key, "weights");
    let mut hostile = model(&format!("s3://{MODELS}/{key}"));
    hostile["ApprovalDescription"] = json!(attack);
    cloud.register(hostile);
    promote(&cloud, &[]).document();
    let members = json!({
        "ModelPackageDescription": attack.repeat(20),
        "Domain": "<iframe src=https://example.com/></iframe>",
        "CustomerMetadataProperties": {"link": "javascript:alert(6)", "<svg onload=alert(7)>": attack},
        "MetadataProperties": {"Repository": "https://example.com/<script src=//example.com/x.js></script>"},
    });
    cloud.change(SOURCE_VERSION, members);
    let page = page_of(&cloud, &[]);
    has_all(&page, &["&lt;script&gt;alert(1)&lt;/script&gt;"]);
    keep("hostile.html", &page);
}

#[test]
fn a_page_of_200_groups_has_less_than_a_megabyte() {
    let cloud = world();
    cloud.describes_until_completed(0);
    // Without optimization, 200 groups need a minute of both cores.
    let groups = if std::env::var_os("PAGES").is_some() { 200 } else { 10 };
    let names: Vec<String> = (0..groups).map(|number| format!("team-{number:03}")).collect();
    for _ in 0..2 {
        names.iter().for_each(|name| drop(version_of(&cloud, name, "Forecasts the daily demand of each store")));
        let full = full_of_all(&cloud, &[]);
        assert_eq!(full.code, 0, "{}", full.stderr);
    }
    let page = page_of_all(&cloud);
    assert_eq!(page.code, 0, "{}", page.stderr);
    for name in &names {
        assert!(page.stdout.contains(&format!(">{name}</h2>")), "no section of {name}");
    }
    keep("many.html", &page.stdout);
    assert!(page.stdout.len() < 1_000_000, "{} bytes", page.stdout.len());
}

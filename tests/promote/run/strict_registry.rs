//! Whole promotions at registries that behave in ways that AWS allows, or does not exclude: promote, repeat, reject,
//! approve again, verify.

use std::time::Duration;

use anyhow::{Context, Result, ensure};
use serde_json::{Value, json};

use super::faults::{AT_ONCE, each};
use crate::support::{Cloud, Principal, Spelling, TARGET_ACCOUNT};
use crate::world::*;

/// How late a registry is.
const LATE: Duration = Duration::from_secs(2);

/// One way in which the registry behaves, or what else it holds.
struct Case {
    /// The registry …
    sentence: &'static str,
    /// Before anything is promoted.
    before: fn(&Cloud),
    /// After the first promotion.
    after: fn(&Cloud),
}

const fn registry(sentence: &'static str, before: fn(&Cloud)) -> Case {
    Case { sentence, before, after: |_| {} }
}

const CASES: &[Case] = &[
    registry("behaves as usual", |_| {}),
    registry("spells group names in lower case", |cloud| cloud.spell(Spelling::LowerCase)),
    registry("spells group names in either way", |cloud| cloud.spell(Spelling::Mixed)),
    registry("spells group names as they were created", |cloud| cloud.spell(Spelling::AsCreated)),
    registry("shows new versions late", |cloud| cloud.show_new_versions_late(LATE)),
    registry("shows new versions only to the fifth call", |cloud| cloud.show_new_versions_after(4)),
    registry("shows updates late", |cloud| cloud.show_changes_late(LATE)),
    registry("shows updates only to the fifth call", |cloud| cloud.show_changes_after(4)),
    registry("answers with empty pages in between", |cloud| cloud.empty_pages(true)),
    registry(
        "is late, spells in either way, adds defaults and empty pages, and ignores tokens, all at once",
        |cloud| {
            cloud.show_new_versions_late(LATE);
            cloud.show_changes_late(LATE);
            cloud.show_new_groups_late(LATE);
            cloud.spell(Spelling::Mixed);
            cloud.add_defaults();
            cloud.empty_pages(true);
            cloud.ignore_client_tokens();
        },
    ),
    registry("lists new versions late", |cloud| cloud.list_new_versions_late(LATE)),
    registry("lists updates late", |cloud| cloud.list_changes_late(LATE)),
    registry("shows new groups late", |cloud| cloud.show_new_groups_late(LATE)),
    registry("ignores client tokens", Cloud::ignore_client_tokens),
    registry("shows defaults and a card that nobody has sent", Cloud::add_defaults),
    registry("shows members without content", Cloud::add_empty_members),
    Case {
        sentence: "shows a card that nobody has sent from some time on",
        before: |_| {},
        after: Cloud::add_defaults,
    },
    registry("answers 5 calls a second", |cloud| {
        (0..4).for_each(|_| theirs(cloud, TARGET_ACCOUNT, json!({})));
        cloud.throttle_registry(5);
    }),
    registry("has failed, unfinished and deleted versions in the target group", |cloud| {
        unusable(cloud, TARGET_ACCOUNT);
    }),
    registry("has versions by others in the target group", |cloud| {
        (0..3).for_each(|_| theirs(cloud, TARGET_ACCOUNT, json!({})));
    }),
    Case {
        sentence: "has a version by others with the metadata of the promoted version",
        before: |_| {},
        after: |cloud| {
            let metadata = promoted(cloud)[0]["CustomerMetadataProperties"].clone();
            theirs(cloud, TARGET_ACCOUNT, json!({"CustomerMetadataProperties": metadata}));
        },
    },
    Case {
        sentence: "has a version by others that names the same source version and no request",
        before: |cloud| {
            theirs(
                cloud,
                TARGET_ACCOUNT,
                json!({"CustomerMetadataProperties": {"promote:source-arn": SOURCE_VERSION}}),
            );
        },
        after: |_| {},
    },
    Case {
        sentence: "has a version by others that names the same source version and no request, since the promotion",
        before: |_| {},
        after: |cloud| {
            theirs(
                cloud,
                TARGET_ACCOUNT,
                json!({"CustomerMetadataProperties": {"promote:source-arn": SOURCE_VERSION}}),
            );
        },
    },
    Case {
        sentence: "has a failed version with the metadata of the promoted version that is Approved",
        before: |_| {},
        after: |cloud| {
            let mut members = promoted(cloud)[0].clone();
            members["ModelPackageStatus"] = json!("Failed");
            for own in ["ModelPackageArn", "ModelPackageVersion", "CreatedBy", "CreationTime", "LastModifiedTime"] {
                members.as_object_mut().expect("an object").shift_remove(own);
            }
            theirs(cloud, TARGET_ACCOUNT, members);
        },
    },
];

#[test]
fn a_promotion_is_right_from_beginning_to_end_at_a_registry_that() {
    each(AT_ONCE, CASES, |case| promotion(case).with_context(|| format!("a registry that {}", case.sentence)));
}

/// The whole life of a promotion.
fn promotion(case: &Case) -> Result<()> {
    let cloud = with_package();
    (case.before)(&cloud);
    let arguments: Vec<String> =
        full().into_iter().chain(["--output", "json", "--into-existing-group"].map(str::to_owned)).collect();
    let full = |step| succeeds(&cloud, step, &arguments);
    let target = full("the promotion")?["target"]["model_package_arn"].clone();
    let target = target.as_str().context("the document names no promoted version")?;
    (case.after)(&cloud);
    let (_, others) = versions(&cloud, target);
    let follows = |step, approval: &str| -> Result<()> {
        let (promoted, now) = versions(&cloud, target);
        ensure!(promoted.len() == 1, "{step}: the target has {:?}", brief(&promoted));
        ensure!(promoted[0]["ModelApprovalStatus"] == approval, "{step}: the target has {:?}", brief(&promoted));
        ensure!(
            now == others,
            "{step}: the versions of others are now {:?}, and were {:?}",
            brief(&now),
            brief(&others)
        );
        Ok(())
    };
    follows("the promotion", "Approved")?;
    full("the repetition")?;
    follows("the repetition", "Approved")?;
    for (approval, step) in [("Rejected", "the rejection"), ("Approved", "the second approval")] {
        cloud.change(SOURCE_VERSION, json!({"ModelApprovalStatus": approval}));
        full(step)?;
        follows(step, approval)?;
        full("the run after it")?;
        follows("the run after it", approval)?;
    }
    let verify = ["verify", "--model-package", target, "--output", "json"].map(str::to_owned);
    let verified = succeeds(&cloud, "the verification", &verify)?;
    ensure!(verified["outcome"] == "identical", "{verified:#}");
    Ok(())
}

/// Runs the program with its own number of attempts, and returns its document.
fn succeeds(cloud: &Cloud, step: &str, arguments: &[String]) -> Result<Value> {
    let mut command = cloud.promote(Principal::Both);
    let run = Run::of(command.env_remove("AWS_MAX_ATTEMPTS").args(arguments).output().context("the binary starts")?);
    ensure!(run.code == 0, "{step} ends with exit code {}: {}", run.code, run.stderr);
    serde_json::from_str(&run.stdout).with_context(|| format!("{step}: {}", run.stdout))
}

/// The promoted version, and the versions of others.
fn versions(cloud: &Cloud, target: &str) -> (Vec<Value>, Vec<Value>) {
    let is_promoted = |version: &Value| {
        version["ModelPackageArn"].as_str().is_some_and(|arn| arn.eq_ignore_ascii_case(target))
            || version["CreatedBy"]["IamIdentity"]["Arn"] == json!(Principal::Both.arn())
    };
    promoted(cloud).into_iter().partition(is_promoted)
}

/// What may be wrong with versions.
fn brief(versions: &[Value]) -> Vec<String> {
    let members = ["ModelPackageArn", "ModelPackageStatus", "ModelApprovalStatus", "ApprovalDescription"];
    versions
        .iter()
        .map(|version| members.map(|member| version[member].as_str().unwrap_or_default()).join(" "))
        .collect()
}

/// An Approved version of somebody else, with these further members.
fn theirs(cloud: &Cloud, account: &str, members: Value) {
    let mut package = model("s3://serving/theirs.tar.gz");
    package.as_object_mut().expect("an object").extend(members.as_object().cloned().unwrap_or_default());
    cloud.register_in(account, package);
}

/// Versions that nobody can use, newer than the version to be promoted, and most of them Approved.
fn unusable(cloud: &Cloud, account: &str) {
    for status in ["Failed", "Deleting", "Failed"] {
        theirs(cloud, account, json!({"ModelPackageStatus": status}));
    }
    for status in ["Pending", "InProgress"] {
        let members = json!({"ModelPackageStatus": status, "ModelApprovalStatus": "PendingManualApproval"});
        theirs(cloud, account, members);
    }
}

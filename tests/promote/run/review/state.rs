//! The target before and after a plan is carried out.

use std::collections::{BTreeMap, BTreeSet};

use anyhow::{Context, Result, ensure};
use serde_json::Value;

use super::TARGET_VERSION;
use crate::support::Cloud;
use crate::world::*;

/// The target: its versions by number, and the keys of its bucket.
pub(super) struct State {
    pub versions: BTreeMap<u64, Value>,
    keys: BTreeSet<String>,
}

impl State {
    pub fn of(cloud: &Cloud) -> Self {
        let versions = promoted(cloud).into_iter();
        let versions = versions.map(|version| (version["ModelPackageVersion"].as_u64().unwrap_or_default(), version));
        Self { versions: versions.collect(), keys: cloud.keys(SERVING).into_iter().collect() }
    }

    /// Checks that each change of the target is in the plan.
    pub fn changes(&self, after: &Self, plan: &Value) -> Result<()> {
        let planned = plan["planned"].as_array().cloned().unwrap_or_default();
        let is_planned = |act: &str, subject: &str| {
            planned
                .iter()
                .any(|one| one["act"] == act && one["subject"].as_str().is_some_and(|text| text.ends_with(subject)))
        };
        let group = format!("model-package-group/{GROUP}");
        for (number, version) in &after.versions {
            let Some(then) = self.versions.get(number) else {
                ensure!(is_planned("register", &group), "version {number} is registered");
                let approved = version["ModelApprovalStatus"] == "Approved";
                ensure!(!approved || is_planned("approve", &group), "version {number} is approved");
                continue;
            };
            let (arn, status) = (format!("model-package/churn-model/{number}"), &version["ModelApprovalStatus"]);
            if then["ModelApprovalStatus"] != *status {
                let acts: &[&str] = match status.as_str() {
                    Some("Approved") => &["approve", "approve-again"],
                    Some("Rejected") => &["withdraw", "discard"],
                    _ => &["wait-again"],
                };
                // A version that was registered after the plan was made is approved as the plan's.
                let own = status == "Approved" && is_planned("register", &group) && is_planned("approve", &group);
                ensure!(own || acts.iter().any(|act| is_planned(act, &arn)), "version {number} is {status}");
            }
            let team = |version: &Value| version["CustomerMetadataProperties"]["team"].clone();
            if team(then) != team(version) {
                ensure!(is_planned("update", &arn), "version {number} is updated");
                let values = planned_teams(plan, &arn);
                ensure!(values.contains(&team(version)), "version {number} has {}, and not {values:?}", team(version));
            }
        }
        ensure!(self.versions.keys().all(|number| after.versions.contains_key(number)), "a version is deleted");
        for key in after.keys.difference(&self.keys) {
            let folder = key.split('/').take(2).collect::<Vec<_>>().join("/");
            let is_of_runs =
                ["/promotion", "/_claims/", "/_hold-", "/_unfinished/"].iter().any(|part| key.contains(part));
            ensure!(is_of_runs || is_planned("copy", &format!("{folder}/")), "{key} is copied");
        }
        Ok(())
    }
}

impl State {
    /// Checks that each planned decision about a promoted version was carried out, and each update.
    pub fn has_all(&self, plan: &Value) -> Result<()> {
        for planned in plan["planned"].as_array().into_iter().flatten() {
            let subject = planned["subject"].as_str().unwrap_or_default();
            let Some(number) = subject.strip_prefix(TARGET_VERSION).and_then(|number| number.parse().ok()) else {
                continue;
            };
            let version = self.versions.get(&number).with_context(|| format!("no version {number}"))?;
            let status = version["ModelApprovalStatus"].as_str();
            let is_done = match planned["act"].as_str() {
                Some("withdraw") => status == Some("Rejected"),
                Some("approve" | "approve-again") => status == Some("Approved"),
                Some("wait-again") => status != Some("Rejected"),
                Some("update") => {
                    let teams = planned_teams(plan, subject);
                    teams.iter().all(|team| version["CustomerMetadataProperties"]["team"] == *team)
                }
                _ => true,
            };
            ensure!(is_done, "planned, and left out without a word: {planned}");
        }
        Ok(())
    }
}

/// The values of a metadata entry that the plan gives a promoted version.
fn planned_teams(plan: &Value, arn: &str) -> Vec<Value> {
    let is_own = plan["target"]["model_package_arn"].as_str().is_some_and(|own| own.ends_with(arn));
    let own = is_own.then_some(plan).into_iter();
    let followed = plan["followed"].as_array().into_iter().flatten();
    let followed = followed.filter(|one| one["model_package_arn"].as_str().is_some_and(|other| other.ends_with(arn)));
    let changes = own.chain(followed).filter_map(|one| one["changes"].as_array()).flatten();
    let teams = changes.filter(|change| change["field"].as_str().is_some_and(|field| field.contains("team")));
    teams.map(|change| change["is"].clone()).collect()
}

//! Compares a promoted version with the current source version, and makes the Update that carries the changes over.
//!
//! Only changes of the source count. A field that somebody in the target account has changed is not overwritten.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::model::approval::ApprovalStatus;
use crate::model::failure::Failure;
use crate::model::field::{Document, Field};
use crate::model::package::Package;
use crate::model::promoted::PromotedVersion;
use crate::plan::rewriting::Rewritten;
use crate::register::decision::decision;
use crate::register::sync::change::{Change, ChangeResult, changed};
use crate::register::sync::specifications::{SPECIFICATIONS, alike, list, named, names, refers_elsewhere};
use crate::schema::comparison::leaves;
use crate::schema::shapes::{Root, violations};

const METADATA: &str = "CustomerMetadataProperties";
const REMOVED: &str = "CustomerMetadataPropertiesToRemove";
/// Members that an Update replaces as a whole (UpdateModelPackage).
const REPLACED: [&str; 3] = ["ModelCard", "ModelLifeCycle", "ModelPackageRegistrationType"];
/// The prefix of the metadata keys that a promotion sets.
const PROMOTE_KEYS: &str = "promote:";

/// The Update that syncs a promoted version with its source.
#[derive(Debug, Clone, Default)]
pub struct SyncPlan {
    /// Members of UpdateModelPackage; none when there is nothing to change.
    pub update: Document,
    /// Each field that the source has changed and the promoted version does not have yet.
    pub changes: Vec<Change>,
    /// The request that describes the promoted version after the Update.
    pub request: Document,
}

impl SyncPlan {
    /// Compares `now`, the request that a promotion would make today, with `before`, the request that was made.
    ///
    /// # Errors
    /// AWS would reject the Update. The message names every offending field.
    pub fn of(package: &Package, now: &Rewritten, before: &Document, promoted: &PromotedVersion) -> Result<Self> {
        let unresolved: Vec<Field> = now.unresolved().map(|reference| reference.field.clone()).collect();
        let (now, unresolved, current) = (&now.request, unresolved.as_slice(), &promoted.description);
        let mut plan = Self { request: followed(now, unresolved, before), ..Self::default() };
        plan.metadata(now, before, current);
        plan.replaced(now, before, current);
        plan.specifications(now, unresolved, before, current);
        plan.others(now, before, current);
        if !plan.update.is_empty() {
            let mut request = plan.update.clone();
            request.insert("ModelPackageArn".into(), promoted.arn.as_str().into());
            if let Some(member) = request.get_mut(METADATA) {
                *member = plan.metadata_after(current).into();
            }
            let refused: Vec<String> =
                violations(Root::Update, &request).iter().map(|v| format!("  {} {}", v.field, v.reason)).collect();
            ensure!(
                refused.is_empty(),
                Failure::new(format!(
                    "{} cannot be synced with {}: AWS would reject the update:\n{}",
                    promoted.arn,
                    package.arn(),
                    refused.join("\n")
                ))
                .hint("Correct these fields of the source version, then run again")
            );
        }
        Ok(plan)
    }

    /// Adds an approval status, and the reason for it.
    pub fn deciding(mut self, status: &ApprovalStatus, reason: Option<&str>) -> Self {
        for (member, value) in decision(status, reason) {
            self.update.entry(member).or_insert(value);
        }
        self
    }

    /// The changes that no Update can carry over.
    pub fn drift(&self) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(|change| change.result == ChangeResult::Drift)
    }

    /// The changes as a dry run reports them.
    pub fn planned(self) -> Vec<Change> {
        let planned = |result| if result == ChangeResult::Updated { ChangeResult::Planned } else { result };
        self.changes.into_iter().map(|change| Change { result: planned(change.result), ..change }).collect()
    }

    /// The fields that the Update has set and that differ in the described version.
    pub fn missing(&self, current: &Document) -> Vec<String> {
        let updated = self.changes.iter().filter(|change| change.result == ChangeResult::Updated);
        let leaves: Vec<(String, Value)> =
            leaves(current).into_iter().map(|(field, value)| (field.to_string(), value)).collect();
        let there = |field: &str| leaves.iter().find(|(name, _)| name == field).map(|(_, value)| value);
        updated
            .filter(|change| !change.field.starts_with(SPECIFICATIONS))
            .filter(|change| there(&change.field) != change.is.as_ref())
            .filter(|change| !change.field.starts_with("ModelCard."))
            .map(|change| change.field.clone())
            .collect()
    }

    fn note(&mut self, field: &Field, was: Option<&Value>, is: Option<&Value>, result: ChangeResult) {
        self.changes.push(Change { field: field.to_string(), was: was.cloned(), is: is.cloned(), result });
    }

    /// Adds, replaces and removes keys one by one. Keys that the target account has added are kept.
    fn metadata(&mut self, now: &Document, before: &Document, current: &Document) {
        let of = |document: &Document| document.get(METADATA).and_then(Value::as_object).cloned().unwrap_or_default();
        let (now, before, current) = (of(now), of(before), of(current));
        let (mut set, mut removed) = (Document::new(), Vec::new());
        let keys = now.keys().chain(before.keys().filter(|key| !now.contains_key(*key)));
        for key in keys.filter(|key| !key.starts_with(PROMOTE_KEYS)) {
            let (is, was) = (now.get(key), current.get(key));
            if is == before.get(key) || is == was {
                continue;
            }
            match is {
                Some(value) => drop(set.insert(key.clone(), value.clone())),
                None => removed.push(Value::from(key.as_str())),
            }
            self.note(&Field::top(METADATA).key(key), was, is, ChangeResult::Updated);
        }
        if !set.is_empty() {
            self.update.insert(METADATA.into(), set.into());
        }
        if !removed.is_empty() {
            self.update.insert(REMOVED.into(), removed.into());
        }
    }

    /// All metadata of the version after the Update. AWS limits the number of entries.
    fn metadata_after(&self, current: &Document) -> Document {
        let entries = |member: Option<&Value>| member.and_then(Value::as_object).cloned().unwrap_or_default();
        let mut all = entries(current.get(METADATA));
        for key in self.update.get(REMOVED).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            all.shift_remove(key);
        }
        all.extend(entries(self.update.get(METADATA)));
        all
    }

    fn replaced(&mut self, now: &Document, before: &Document, current: &Document) {
        for member in REPLACED {
            let changed = changed(now, before, current, |field| field.root() == member);
            let result = if now.contains_key(member) { ChangeResult::Updated } else { ChangeResult::Drift };
            if let (false, Some(value)) = (changed.is_empty(), now.get(member)) {
                self.update.insert(member.into(), value.clone());
            }
            for (field, was, is) in changed {
                self.note(&field, was.as_ref(), is.as_ref(), result);
            }
        }
    }

    /// Specifications are identified by name. An Update can add a specification, but not change or remove one.
    fn specifications(&mut self, now: &Document, unresolved: &[Field], before: &Document, current: &Document) {
        let mut added = Vec::new();
        for name in names(now).into_iter().chain(names(before).into_iter().filter(|name| !names(now).contains(name))) {
            let (is, then, was) = (named(now, name), named(before, name), named(current, name));
            if alike(is, then) || alike(is, was) {
                continue;
            }
            let result = match (is, was) {
                (Some(specification), None) if !refers_elsewhere(now, name, unresolved) => {
                    added.push(specification.clone());
                    ChangeResult::Updated
                }
                _ => ChangeResult::Drift,
            };
            self.note(&Field::top(SPECIFICATIONS).key(name), was, is, result);
        }
        if !added.is_empty() {
            self.update.insert("AdditionalInferenceSpecificationsToAdd".into(), added.into());
        }
    }

    fn others(&mut self, now: &Document, before: &Document, current: &Document) {
        let is_other = |field: &Field| {
            let root = field.root();
            root != METADATA && root != SPECIFICATIONS && !REPLACED.contains(&root) && root != "ModelPackageGroupName"
        };
        for (field, was, is) in changed(now, before, current, is_other) {
            self.note(&field, was.as_ref(), is.as_ref(), ChangeResult::Drift);
        }
    }
}

/// The request that was made, with the changes of `now` that an Update can carry over.
fn followed(now: &Document, unresolved: &[Field], before: &Document) -> Document {
    let mut request = before.clone();
    for member in REPLACED {
        if let Some(value) = now.get(member) {
            request.insert(member.into(), value.clone());
        }
    }
    let is_ours = |(key, _): &(&String, &Value)| key.starts_with(PROMOTE_KEYS);
    let entries = |document: &Document| document.get(METADATA).and_then(Value::as_object).cloned().unwrap_or_default();
    let (then, is) = (entries(before), entries(now));
    let metadata = is.iter().filter(|entry| !is_ours(entry)).chain(then.iter().filter(is_ours));
    request.insert(
        METADATA.into(),
        metadata.map(|(key, value)| (key.clone(), value.clone())).collect::<Document>().into(),
    );
    let added = names(now).into_iter().filter(|name| named(before, name).is_none());
    let added = added.filter(|name| !refers_elsewhere(now, name, unresolved)).filter_map(|name| named(now, name));
    let all: Vec<Value> = list(before).chain(added).cloned().collect();
    if !all.is_empty() {
        request.insert(SPECIFICATIONS.into(), all.into());
    }
    request
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn object(value: Value) -> Document {
        value.as_object().expect("an object").clone()
    }

    fn plan(before: Value, now: Value, current: Value) -> SyncPlan {
        let description =
            json!({"ModelPackageArn": SOURCE, "ModelPackageGroupName": "g", "ModelPackageStatus": "Completed"});
        let package = Package::from_description(&SOURCE.parse().unwrap(), object(description)).unwrap();
        let promoted = PromotedVersion { arn: PROMOTED.parse().unwrap(), description: object(current) };
        let now = Rewritten { request: object(now), ..Rewritten::default() };
        SyncPlan::of(&package, &now, &object(before), &promoted).unwrap()
    }

    const SOURCE: &str = "arn:aws:sagemaker:eu-central-1:444333666777:model-package/g/1";
    const PROMOTED: &str = "arn:aws:sagemaker:eu-central-1:111222333444:model-package/g/1";

    fn results(plan: &SyncPlan) -> Vec<(&str, ChangeResult)> {
        plan.changes.iter().map(|change| (change.field.as_str(), change.result)).collect()
    }

    #[test]
    fn changes_made_in_the_target_are_kept() {
        let before = json!({"CustomerMetadataProperties": {"team": "a", "promote:source-arn": "s"}, "Domain": "x"});
        let current =
            json!({"CustomerMetadataProperties": {"team": "b", "ours": "c", "promote:source-arn": "s"}, "Domain": "y"});
        let plan = plan(before.clone(), before, current);
        assert_eq!((plan.update.len(), plan.changes.len()), (0, 0));
    }

    #[test]
    fn metadata_is_added_replaced_and_removed_key_by_key() {
        let metadata = |entries: Value| json!({"CustomerMetadataProperties": entries});
        let plan = plan(
            metadata(json!({"stays": "1", "changes": "1", "goes": "1"})),
            metadata(json!({"stays": "1", "changes": "2", "comes": "1"})),
            metadata(json!({"stays": "1", "changes": "1", "goes": "1", "ours": "1"})),
        );
        let fields = ["changes", "comes", "goes"].map(|key| format!("CustomerMetadataProperties{{{key}}}"));
        assert_eq!(results(&plan), fields.each_ref().map(|field| (field.as_str(), ChangeResult::Updated)));
        assert_eq!(plan.update[METADATA], json!({"changes": "2", "comes": "1"}));
        assert_eq!(plan.update[REMOVED], json!(["goes"]));
    }

    #[test]
    fn a_specification_can_be_added_and_a_changed_one_drifts() {
        let of = |images: &[(&str, &str)]| {
            let one = |(name, image): &(&str, &str)| json!({"Name": name, "Containers": [{"Image": image}]});
            json!({"AdditionalInferenceSpecifications": images.iter().map(one).collect::<Vec<_>>()})
        };
        let plan = plan(of(&[("a", "1"), ("b", "1")]), of(&[("c", "1"), ("a", "2")]), of(&[("a", "1"), ("b", "1")]));
        let field = |name: &str| format!("AdditionalInferenceSpecifications{{{name}}}");
        let (a, b, c) = (field("a"), field("b"), field("c"));
        let expected = [(&*c, ChangeResult::Updated), (&*a, ChangeResult::Drift), (&*b, ChangeResult::Drift)];
        assert_eq!(results(&plan), expected);
        assert_eq!(plan.update["AdditionalInferenceSpecificationsToAdd"].as_array().map(Vec::len), Some(1));
    }

    #[test]
    fn a_field_that_no_update_can_change_drifts_and_an_equal_field_is_no_change() {
        let plan = plan(
            json!({"Domain": "x", "ModelLifeCycle": {"Stage": "Dev", "StageStatus": "a"}}),
            json!({"Domain": "y", "ModelLifeCycle": {"Stage": "Prod", "StageStatus": "a"}}),
            json!({"Domain": "x", "ModelLifeCycle": {"Stage": "Prod", "StageStatus": "a"}}),
        );
        assert_eq!(results(&plan), [("Domain", ChangeResult::Drift)]);
        assert!(plan.update.is_empty());
    }
}

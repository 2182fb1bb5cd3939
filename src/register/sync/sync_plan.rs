//! Compares the source version, the promoted version and the newest record, and makes the Update that carries the
//! changes of the source over.
//!
//! A field that only the source has changed is updated. A field that somebody in the target account has changed is not
//! overwritten: if the source has changed it too, that is a conflict.

use anyhow::{Result, ensure};
use serde_json::Value;

use crate::model::failure::Failure;
use crate::model::field::{Document, Field};
use crate::model::package::Package;
use crate::model::promoted::{PromotedVersion, is_own_key};
use crate::plan::provenance::mark;
use crate::plan::rewriting::Rewritten;
use crate::plan::sealed::refuse_sealed;
use crate::register::sync::change::{Change, ChangeResult};
use crate::register::sync::comparison::{Base, Comparison, METADATA, metadata_of};
use crate::register::sync::edit::{Edit, edits};
use crate::register::sync::specifications::{SPECIFICATIONS, TO_ADD};
use crate::schema::shapes::{Root, violations};

pub(super) const REMOVED: &str = "CustomerMetadataPropertiesToRemove";

/// The Update that syncs a promoted version with its source.
#[derive(Debug, Clone, Default)]
pub struct SyncPlan {
    /// Members of UpdateModelPackage; none when there is nothing to change.
    pub update: Document,
    /// Each field that the source has changed and the promoted version does not have yet.
    pub changes: Vec<Change>,
    /// The request that describes the promoted version after the Update.
    pub request: Document,
    /// The SourceUri of the promoted version after the Update.
    pub source_uri: Option<String>,
    /// The fields that SageMaker has added.
    added: Vec<Change>,
}

impl SyncPlan {
    /// A plan that changes nothing.
    pub fn unchanged(base: Base<'_>) -> Self {
        let (request, source_uri) = (base.request.clone(), base.source_uri.map(str::to_owned));
        Self { request, source_uri, added: base.added(), ..Self::default() }
    }

    /// Compares `now`, the request that a promotion would make today, with the newest record and the promoted version.
    ///
    /// # Errors
    /// AWS would reject the Update. The message names every offending field.
    pub fn of(package: &Package, now: &Rewritten, base: Base<'_>, promoted: &PromotedVersion) -> Result<Self> {
        let mut plan = Self::unchanged(base);
        let comparison = Comparison::of(now, base, promoted);
        plan.carry(&comparison);
        plan.provenance(&promoted.description);
        plan.refuse_violations(package, promoted)?;
        Ok(plan)
    }

    /// Adds the members of another Update.
    pub fn with(mut self, update: Document) -> Self {
        self.update.extend(update);
        self
    }

    /// The changes that no Update carries over.
    pub fn left(&self, result: ChangeResult) -> impl Iterator<Item = &Change> {
        self.changes.iter().filter(move |change| change.result == result)
    }

    /// The changes to be recorded: those of the source, and the fields of the described version that differ from its
    /// request.
    pub fn all_changes(&self, description: &Document) -> Vec<Change> {
        let added = Change::added(&self.request, description).into_iter().filter(|added| self.added.contains(added));
        [self.changes.clone(), self.kept(description), added.collect()].concat()
    }

    /// The fields of a described version that somebody else has changed, and that no other change names.
    fn kept(&self, description: &Document) -> Vec<Change> {
        let edits = edits(&self.request, self.source_uri.as_deref(), description).into_iter();
        let kept = edits
            .filter(|edit| !edit.is_provenance())
            .map(|edit| Change::new(&edit.field, edit.is.as_ref(), edit.field.get(&self.request), ChangeResult::Kept));
        let named = |kept: &Change| {
            let updated = self.left(ChangeResult::Updated).any(|change| change.field == kept.field);
            updated
                || self.changes.iter().chain(&self.added).any(|change| change.explains(&kept.field, kept.was.as_ref()))
        };
        kept.filter(|kept| !named(kept)).collect()
    }

    /// What somebody else has changed and an approval would have to carry: the model, or where the version comes from.
    pub fn refused(&self, description: &Document) -> impl Iterator<Item = String> {
        let edits = edits(&self.request, self.source_uri.as_deref(), description).into_iter();
        let is_sent = |edit: &Edit| {
            edit.is_missing() && self.left(ChangeResult::Updated).any(|change| change.field == edit.field.to_string())
        };
        edits.filter(move |edit| edit.is_essential() && !is_sent(edit)).map(|edit| edit.detail)
    }

    /// The UpdateModelPackage request without the inference specifications that it adds. SageMaker rejects the name of a
    /// specification that the version already has.
    pub fn without_additions(&self) -> Document {
        let mut update = self.update.clone();
        update.shift_remove(TO_ADD);
        update
    }

    /// The fields that the Update has set and that differ in the described version.
    pub fn missing(&self, current: &Document) -> Vec<String> {
        let is_described =
            |change: &&Change| !change.field.starts_with(SPECIFICATIONS) && !change.field.starts_with("ModelCard.");
        let updated = self.left(ChangeResult::Updated).filter(is_described);
        updated.filter(|change| !change.is_in(current)).map(|change| change.field.clone()).collect()
    }

    pub(super) fn note(&mut self, field: &Field, was: Option<&Value>, is: Option<&Value>, result: ChangeResult) {
        self.changes.push(Change::new(field, was, is, result));
    }

    /// Sets the metadata keys of the promotion, among them the digest of the request after this Update. The digest tells
    /// which record describes the version.
    fn provenance(&mut self, current: &Document) {
        mark(&mut self.request);
        let (wanted, current) = (metadata_of(&self.request), metadata_of(current));
        let keys = wanted.into_iter().filter(|(key, _)| is_own_key(key));
        for (key, value) in keys.filter(|(key, value)| current.get(key) != Some(value)) {
            let set = self.update.entry(METADATA).or_insert_with(|| Document::new().into());
            if let Value::Object(set) = set {
                set.insert(key, value);
            }
        }
    }

    /// All metadata of the version after the Update. AWS limits the number of entries.
    fn metadata_after(&self, current: &Document) -> Document {
        let mut all = metadata_of(current);
        for key in self.update.get(REMOVED).and_then(Value::as_array).into_iter().flatten().filter_map(Value::as_str) {
            all.shift_remove(key);
        }
        all.extend(metadata_of(&self.update));
        all
    }

    fn refuse_violations(&self, package: &Package, promoted: &PromotedVersion) -> Result<()> {
        if self.update.is_empty() {
            return Ok(());
        }
        refuse_sealed(&self.update, package.arn())?;
        let mut request = self.update.clone();
        request.insert("ModelPackageArn".into(), promoted.arn.as_str().into());
        if let Some(member) = request.get_mut(METADATA) {
            *member = self.metadata_after(&promoted.description).into();
        }
        let refused: Vec<String> = violations(Root::Update, &request).iter().map(|v| format!("  {v}")).collect();
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
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::model::promoted::REQUEST_KEY;

    fn object(value: Value) -> Document {
        value.as_object().expect("an object").clone()
    }

    fn plan(before: Value, now: Value, current: Value) -> SyncPlan {
        let description =
            json!({"ModelPackageArn": SOURCE, "ModelPackageGroupName": "g", "ModelPackageStatus": "Completed"});
        let package = Package::from_description(&SOURCE.parse().unwrap(), object(description)).unwrap();
        let promoted = PromotedVersion { arn: PROMOTED.parse().unwrap(), description: object(current) };
        let now = Rewritten { request: object(now), ..Rewritten::default() };
        let (mut before, mut promoted) = (object(before), promoted);
        // Both have the digest of the request.
        before.entry(METADATA).or_insert_with(|| json!({}));
        mark(&mut before);
        let metadata = promoted.description.entry(METADATA).or_insert_with(|| json!({}));
        metadata[REQUEST_KEY] = before[METADATA][REQUEST_KEY].clone();
        SyncPlan::of(&package, &now, Base { request: &before, source_uri: None, changes: &[] }, &promoted).unwrap()
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
        let digest = plan.request[METADATA][REQUEST_KEY].clone();
        assert_eq!(plan.update[METADATA], json!({"changes": "2", "comes": "1", REQUEST_KEY: digest}));
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
        let digest = plan.request[METADATA][REQUEST_KEY].clone();
        assert_eq!(Value::from(plan.update), json!({METADATA: {REQUEST_KEY: digest}}), "the base is another one now");
    }
}

//! Compares the fields of a version, and adds the changes of the source to the Update.

use serde_json::Value;

use crate::model::field::{Document, Field};
use crate::model::promoted::is_own_key;
use crate::model::secrets;
use crate::register::sync::change::{ChangeResult, SOURCE_URI, changed};
use crate::register::sync::comparison::{Comparison, METADATA, metadata_of};
use crate::register::sync::specifications::{SPECIFICATIONS, TO_ADD, alike, list, named, names, refers_elsewhere};
use crate::register::sync::sync_plan::{REMOVED, SyncPlan};
use crate::schema::comparison::{agree, leaves};

/// Members that an Update replaces as a whole (UpdateModelPackage).
const REPLACED: [&str; 3] = ["ModelCard", "ModelLifeCycle", "ModelPackageRegistrationType"];

/// Whether two entries of the metadata are equal.
pub(super) fn equal(field: &Field, entries: (Option<&Value>, Option<&Value>)) -> bool {
    match entries {
        (Some(one), Some(other)) => secrets::agree(&field.to_string(), one, other),
        (one, other) => one.is_none() && other.is_none(),
    }
}

impl SyncPlan {
    /// Compares every field.
    pub(super) fn carry(&mut self, comparison: &Comparison<'_>) {
        self.metadata(comparison);
        self.replaced(comparison);
        self.set_source_uri(comparison);
        self.specifications(comparison);
        self.others(comparison);
    }

    /// Adds, replaces and removes keys one by one.
    fn metadata(&mut self, comparison: &Comparison<'_>) {
        let [now, before, current] = comparison.documents().map(metadata_of);
        let (mut set, mut removed, mut after) = (Document::new(), Vec::new(), before.clone());
        let keys = now.keys().chain(before.keys().filter(|key| !now.contains_key(*key)));
        for key in keys.filter(|key| !is_own_key(key)) {
            let (is, then, was) = (now.get(key), before.get(key), current.get(key));
            let field = Field::top(METADATA).key(key);
            // The record has digests of secrets.
            let [is_then, is_was, was_then] = [(is, then), (is, was), (was, then)].map(|pair| equal(&field, pair));
            if is_then {
                continue;
            }
            if !is_was && !was_then {
                self.note(&field, was, is, ChangeResult::Conflict);
                continue;
            }
            match is {
                Some(value) => drop(after.insert(key.clone(), value.clone())),
                None => drop(after.shift_remove(key)),
            }
            if is_was {
                continue;
            }
            match is {
                Some(value) => drop(set.insert(key.clone(), value.clone())),
                None => removed.push(Value::from(key.as_str())),
            }
            self.note(&field, was, is, ChangeResult::Updated);
        }
        self.request.insert(METADATA.into(), after.into());
        if !set.is_empty() {
            self.update.insert(METADATA.into(), set.into());
        }
        if !removed.is_empty() {
            self.update.insert(REMOVED.into(), removed.into());
        }
    }

    fn replaced(&mut self, comparison: &Comparison<'_>) {
        let Comparison { now, base, current, .. } = comparison;
        let (now_leaves, current_leaves) = (leaves(now), leaves(current));
        for member in REPLACED {
            let changed = changed(now, base.request, |field| field.root() == member);
            if changed.is_empty() {
                continue;
            }
            let differs = |field: &&Field| !agree(field, now_leaves.get(*field), current_leaves.get(*field));
            let differing: Vec<&Field> = changed.iter().filter(differs).collect();
            let result = match now.contains_key(member) {
                _ if differing.is_empty() => None,
                _ if comparison.was_edited(member) => Some(ChangeResult::Conflict),
                true => Some(ChangeResult::Updated),
                false => Some(ChangeResult::Drift),
            };
            if matches!(result, None | Some(ChangeResult::Updated)) {
                match now.get(member) {
                    Some(value) => drop(self.request.insert(member.into(), value.clone())),
                    None => drop(self.request.shift_remove(member)),
                }
            }
            let Some(result) = result else { continue };
            if let (ChangeResult::Updated, Some(value)) = (result, now.get(member)) {
                self.update.insert(member.into(), value.clone());
            }
            for field in differing {
                self.note(field, current_leaves.get(field), now_leaves.get(field), result);
            }
        }
    }

    fn set_source_uri(&mut self, comparison: &Comparison<'_>) {
        let (is, then) = (comparison.source_uri, comparison.base.source_uri);
        let was = comparison.current.get(SOURCE_URI).and_then(Value::as_str).filter(|uri| !uri.is_empty());
        if is == then {
            return;
        }
        let result = match is {
            _ if is == was => None,
            _ if was != then => Some(ChangeResult::Conflict),
            Some(_) => Some(ChangeResult::Updated),
            None => Some(ChangeResult::Drift),
        };
        if matches!(result, None | Some(ChangeResult::Updated)) {
            self.source_uri = is.map(str::to_owned);
        }
        let Some(result) = result else { return };
        if let (ChangeResult::Updated, Some(uri)) = (result, is) {
            self.update.insert(SOURCE_URI.into(), uri.into());
        }
        let [was, is] = [was, is].map(|uri| uri.map(Value::from));
        self.note(&Field::top(SOURCE_URI), was.as_ref(), is.as_ref(), result);
    }

    /// Specifications are identified by name. An Update can add a specification, but not change or remove one.
    fn specifications(&mut self, comparison: &Comparison<'_>) {
        let Comparison { now, base, current, unresolved, .. } = comparison;
        let (now, before) = (*now, base.request);
        let (mut added, mut all) = (Vec::new(), list(before).cloned().collect::<Vec<_>>());
        for name in names(now).into_iter().chain(names(before).into_iter().filter(|name| !names(now).contains(name))) {
            let (is, then, was) = (named(now, name), named(before, name), named(current, name));
            if alike(is, then) {
                continue;
            }
            if alike(is, was) {
                // Somebody else has added the same specification.
                all.extend(is.filter(|_| then.is_none()).cloned());
                continue;
            }
            let result = match (is, was) {
                (Some(specification), None) if !refers_elsewhere(now, name, unresolved) => {
                    added.push(specification.clone());
                    all.push(specification.clone());
                    ChangeResult::Updated
                }
                _ => ChangeResult::Drift,
            };
            self.note(&Field::top(SPECIFICATIONS).key(name), was, is, result);
        }
        if !all.is_empty() {
            self.request.insert(SPECIFICATIONS.into(), all.into());
        }
        if !added.is_empty() {
            self.update.insert(TO_ADD.into(), added.into());
        }
    }

    fn others(&mut self, comparison: &Comparison<'_>) {
        let is_other = |field: &Field| {
            let root = field.root();
            root != METADATA && root != SPECIFICATIONS && !REPLACED.contains(&root) && root != "ModelPackageGroupName"
        };
        let Comparison { now, base, current, .. } = comparison;
        let (now_leaves, current_leaves) = (leaves(now), leaves(current));
        for field in changed(now, base.request, is_other) {
            let (is, was) = (now_leaves.get(&field), current_leaves.get(&field));
            if !agree(&field, is, was) {
                self.note(&field, was, is, ChangeResult::Drift);
            }
        }
    }
}

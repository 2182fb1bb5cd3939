//! Inference specifications that the source has added since the promotion: whether their references still name what was
//! promoted.

use anyhow::Result;

use crate::aws::error::{CallError, Kind};
use crate::model::field::{Document, Field};
use crate::model::location::Location;
use crate::plan::environment::EnvironmentUrls;
use crate::plan::rewriting::Rewritten;
use crate::record::{ArtifactFacts, Record};
use crate::register::sync::added_specifications;
use crate::run::promotion::Promotion;
use crate::schema::references::{Reference, ReferenceKind};

impl Promotion<'_> {
    /// The references of added specifications whose objects at the source differ from the promoted ones. Makes no request
    /// if no specification was added.
    ///
    /// # Errors
    /// The source is not available.
    pub(super) async fn not_promoted(
        &self,
        now: &Rewritten,
        before: &Record,
        request: &Document,
    ) -> Result<Vec<Field>> {
        let added = added_specifications(&now.request, request);
        let mut fields = Vec::new();
        for resolved in now.references.iter().filter(|resolved| added.iter().any(|one| resolved.is_inside(one))) {
            let reference = &resolved.reference;
            let is_promoted = match resolved.target {
                Some(_) => self.is_as_promoted(reference, before).await?,
                None => !may_be_copied(reference, before),
            };
            if !is_promoted {
                fields.push(reference.field.clone());
            }
        }
        Ok(fields)
    }

    /// Whether the source still has exactly the objects that were promoted for a reference. What cannot be read is not
    /// confirmed.
    async fn is_as_promoted(&self, reference: &Reference, before: &Record) -> Result<bool> {
        let compared = match reference.kind {
            ReferenceKind::Output => return Ok(true),
            ReferenceKind::Prefix => self.has_same_objects(&reference.location, before).await,
            ReferenceKind::CsvManifest | ReferenceKind::JsonManifest => self.has_same_manifest(reference, before).await,
            ReferenceKind::Object | ReferenceKind::Environment => {
                let at = &reference.location;
                let object = before.artifacts.iter().find(|one| one.as_ref().map_or(true, |one| one.source == *at));
                match object.transpose()? {
                    Some(object) => self.is_same(&object).await,
                    None => self.has_same_objects(&folder(at), before).await,
                }
            }
        };
        compared.or_else(|error| match error.downcast_ref::<CallError>().map(|error| error.kind) {
            Some(Kind::NotFound | Kind::Denied) => Ok(false),
            _ => Err(error),
        })
    }

    async fn is_same(&self, artifact: &ArtifactFacts) -> Result<bool> {
        Ok(self.source.objects().head(&artifact.source).await?.etag.as_str() == artifact.etag)
    }

    /// Compares a manifest and the objects that were promoted because of it.
    async fn has_same_manifest(&self, reference: &Reference, before: &Record) -> Result<bool> {
        let recorded = before
            .references
            .iter()
            .find(|recorded| (recorded.kind, &recorded.location) == (reference.kind, &reference.location));
        let Some(recorded) = recorded else { return Ok(false) };
        for artifact in before.artifacts.iter() {
            let artifact = artifact?;
            if artifact.fields.contains(&recorded.field) && !self.is_same(&artifact).await? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Compares a listing of the source with the recorded artifacts below a prefix. Both are ordered by key.
    async fn has_same_objects(&self, prefix: &Location, before: &Record) -> Result<bool> {
        let rewritten: Vec<Location> = before.rewritten_manifests().cloned().collect();
        let is_below = |one: &ArtifactFacts| {
            one.source.bucket == prefix.bucket
                && one.source.key.starts_with(&prefix.key)
                && !rewritten.contains(&one.target)
        };
        let mut recorded = before.artifacts.iter().filter(|one| one.as_ref().map_or(true, is_below));
        let mut pages = self.source.objects().list(&prefix.bucket, &prefix.key);
        while let Some(page) = pages.next().await? {
            for listed in page {
                let is_same = |then: &ArtifactFacts| then.source.key == listed.key && then.etag == listed.etag.as_str();
                if !recorded.next().transpose()?.is_some_and(|then| is_same(&then)) {
                    return Ok(false);
                }
            }
        }
        Ok(recorded.next().transpose()?.is_none())
    }
}

fn folder(at: &Location) -> Location {
    match at.key.is_empty() || at.key.ends_with('/') {
        true => at.clone(),
        false => Location::new(&at.bucket, format!("{}/", at.key)),
    }
}

/// Whether a promotion of the current source version could copy the object that this variable names. It could not if the
/// promotion left the same URL out before, or copied no URLs of variables (`--environment-urls none`).
fn may_be_copied(reference: &Reference, before: &Record) -> bool {
    let was_left_out = before
        .references
        .iter()
        .any(|then| (then.kind, &then.location, &then.target) == (reference.kind, &reference.location, &None));
    reference.kind == ReferenceKind::Environment
        && before.environment_urls != Some(EnvironmentUrls::None)
        && !was_left_out
}

//! Looks up the objects that a package refers to in the source account. Objects that are missing, archived or unreadable,
//! or that have changed since the package was registered, stop the run after everything was looked up.

use std::collections::{BTreeMap, HashMap};
use std::sync::atomic::{AtomicU64, Ordering::Relaxed};

use anyhow::{Context, Result, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::aws::error::{CallError, Kind as CallKind};
use crate::aws::objects::{Listed, SourceObjects};
use crate::model::failure::{Failure, Hint};
use crate::model::layout::Layout;
use crate::model::location::{BucketName, Location};
use crate::plan::archived::refuse_archived;
use crate::plan::artifact::SourceObject;
use crate::plan::artifacts::Artifacts;
use crate::plan::environment::{EnvironmentUrls, Scope};
use crate::plan::manifest::{MAX_MANIFEST_BYTES, Manifest, ManifestEntry};
use crate::plan::missing::{fields_of, refuse_missing};
use crate::plan::noted::Noted;
use crate::plan::path_warnings::PathWarnings;
use crate::plan::refusals::{Refusals, about_the_package};
use crate::plan::replaced::refuse_replaced;
use crate::schema::references::{Reference, ReferenceKind};

/// The number of concurrent look-ups. Each is one small request.
const LOOKUPS_AT_ONCE: usize = 32;

/// S3 Intelligent-Tiering does not move objects of less than 128 KB, so that they are never archived (S3 User Guide, "How
/// S3 Intelligent-Tiering works").
const SMALLEST_TIERED: u64 = 128_000;

/// What the references of a package point to.
#[derive(Debug)]
pub struct Inventory {
    /// Each reference, in the order of the package.
    pub found: Vec<(Reference, Found)>,
    /// Every object that is copied.
    pub artifacts: Artifacts,
}

/// What a reference was found to point to.
#[derive(Debug, Clone)]
pub enum Found {
    /// One object.
    Object(SourceObject),
    /// All objects below a prefix, with the path warnings of their keys.
    Prefix(Vec<String>),
    /// A manifest, and all objects that it lists.
    Manifest(SourceObject),
    /// A location that jobs write to: nothing is copied.
    Output,
    /// Nothing exists there. Only reports may be missing, if the run is told to ignore that.
    Nothing,
    /// The value of an environment variable that is not copied, and why.
    NotCopied(String),
}

/// What may be missing, and what is not looked for.
#[derive(Debug, Clone, Copy, Default)]
pub struct Leniency {
    /// The URL of a missing report is carried over unchanged.
    pub ignore_missing_reports: bool,
    /// Which S3 URLs in environment variables are copied.
    pub environment_urls: EnvironmentUrls,
}

/// Looks up every reference, each distinct location once, and lists every prefix completely. `count` is the number of
/// objects so far.
///
/// # Errors
/// Referenced objects are missing or archived, cannot be read, or have changed since the package was registered. The
/// message names all of them, each with every field that refers to it.
pub async fn inventory(
    references: Vec<Reference>,
    source: &SourceObjects,
    layout: &Layout,
    leniency: Leniency,
    count: &AtomicU64,
) -> Result<Inventory> {
    let fields = references.iter().map(|one| (one.field.clone(), one.location.clone())).collect();
    let artifacts = Artifacts::new(layout, fields)?;
    let (archived, unlisted) = (Noted::default(), Noted::default());
    let mut places: BTreeMap<(Location, ReferenceKind), Vec<usize>> = BTreeMap::new();
    for (number, reference) in references.iter().enumerate() {
        places.entry((reference.location.clone(), reference.kind)).or_default().push(number);
    }
    let lookups = places.into_iter().map(|((location, kind), numbers)| {
        let fields = fields_of(&location, &references);
        let scopes = numbers.iter().map(|number| leniency.environment_urls.scope(&references[*number]));
        let scope = scopes.max().unwrap_or(Scope::Nothing);
        let is_object = !references[numbers[0]].is_bucket_without_object();
        let noted = (&archived, &unlisted);
        let lookup = Lookup { source, layout, artifacts: &artifacts, noted, count, numbers, scope };
        async move {
            let found = match is_object {
                true => about_the_package(lookup.reference(&location, kind).await.with_context(|| fields))?,
                false => Ok(Found::Nothing),
            };
            anyhow::Ok(((location, kind), found))
        }
    });
    let lookups: Vec<((Location, ReferenceKind), Result<Found>)> =
        stream::iter(lookups).buffered(LOOKUPS_AT_ONCE).try_collect().await?;
    let mut refusals = Refusals::default();
    let places: HashMap<(Location, ReferenceKind), Found> =
        lookups.into_iter().filter_map(|(place, found)| Some((place, refusals.keep(found)?))).collect();
    let found = |reference: &Reference| places.get(&(reference.location.clone(), reference.kind)).cloned();
    refusals.keep(refuse_missing(&references, &unlisted, |reference| {
        matches!(found(reference), Some(Found::Nothing)) && !(reference.is_report() && leniency.ignore_missing_reports)
    }));
    refusals.keep(refuse_archived(&archived));
    refusals.keep(artifacts.refuse_changes());
    let found: Vec<(Reference, Found)> =
        references.iter().filter_map(|reference| Some((reference.clone(), found(reference)?))).collect();
    refusals.keep(refuse_replaced(found.iter().filter_map(|(reference, found)| match found {
        Found::Object(object) | Found::Manifest(object) => Some((reference, object)),
        Found::Prefix(_) | Found::Output | Found::Nothing | Found::NotCopied(_) => None,
    })));
    refusals.refuse()?;
    Ok(Inventory { found, artifacts })
}

/// The look-up of one location, for the references with these indexes.
struct Lookup<'a> {
    source: &'a SourceObjects,
    layout: &'a Layout,
    artifacts: &'a Artifacts,
    /// The archived objects, and the objects that manifests list and that do not exist.
    noted: (&'a Noted, &'a Noted),
    count: &'a AtomicU64,
    numbers: Vec<usize>,
    /// What is copied for an environment variable.
    scope: Scope,
}

impl Lookup<'_> {
    async fn reference(&self, location: &Location, kind: ReferenceKind) -> Result<Found> {
        match kind {
            ReferenceKind::Output => Ok(Found::Output),
            ReferenceKind::Prefix => Ok(self.prefix(location).await?.unwrap_or(Found::Nothing)),
            ReferenceKind::Object => Ok(self.object_or_folder(location).await?.unwrap_or(Found::Nothing)),
            ReferenceKind::Environment => self.variable(location).await,
            ReferenceKind::CsvManifest => self.manifest(location, Manifest::csv).await,
            ReferenceKind::JsonManifest => self.manifest(location, Manifest::json).await,
        }
    }

    /// The value of an environment variable. What the containers of SageMaker do not load from may be an output or a
    /// cache: it may be missing, and nobody may be allowed to read it.
    async fn variable(&self, location: &Location) -> Result<Found> {
        let found = match self.scope {
            Scope::Required => return Ok(self.object_or_folder(location).await?.unwrap_or(Found::Nothing)),
            Scope::Nothing => {
                return Ok(not_copied(
                    "`--environment-urls none` does not copy objects that environment variables name",
                ));
            }
            Scope::Object if location.key.ends_with('/') => return Ok(not_copied(FOLDER)),
            Scope::Object => self.object_unless_archived(location).await,
            Scope::Folder => self.object_or_folder(location).await,
        };
        match found {
            Ok(Some(found)) => Ok(found),
            Ok(None) if self.scope == Scope::Object => Ok(not_copied(NO_OBJECT)),
            Ok(None) => Ok(not_copied("nothing exists there")),
            Err(error) => unreadable(error),
        }
    }

    async fn object_unless_archived(&self, location: &Location) -> Result<Option<Found>> {
        match self.head(location).await? {
            Some(object) if object.head.as_ref().is_some_and(|head| head.archived) => {
                Ok(Some(not_copied("the object is archived")))
            }
            Some(object) => self.add(object).map(Some),
            None => Ok(None),
        }
    }

    /// The object with this key. If no such object exists, the objects in the folder of this name.
    async fn object_or_folder(&self, location: &Location) -> Result<Option<Found>> {
        if location.key.is_empty() || location.key.ends_with('/') {
            return self.prefix(location).await;
        }
        if let Some(found) = self.object(location).await? {
            return Ok(Some(found));
        }
        self.prefix(&Location::new(&location.bucket, format!("{}/", location.key))).await
    }

    async fn object(&self, location: &Location) -> Result<Option<Found>> {
        let Some(object) = self.head(location).await? else { return Ok(None) };
        if object.head.as_ref().is_some_and(|head| head.archived) {
            self.noted.0.note(location);
        }
        self.add(object).map(Some)
    }

    fn add(&self, object: SourceObject) -> Result<Found> {
        self.artifacts.add([object.clone()], &self.numbers)?;
        self.count.fetch_add(1, Relaxed);
        Ok(Found::Object(object))
    }

    async fn head(&self, location: &Location) -> Result<Option<SourceObject>> {
        match self.source.head(location).await {
            Ok(head) => {
                let (location, bytes, etag) = (location.clone(), head.size, head.etag.clone());
                Ok(Some(SourceObject { location, bytes, etag, head: Some(head) }))
            }
            Err(error) if error.kind == CallKind::NotFound => Ok(None),
            Err(error) => Err(error.into()),
        }
    }

    async fn prefix(&self, prefix: &Location) -> Result<Option<Found>> {
        let (mut warnings, mut is_empty) = (PathWarnings::new(prefix), true);
        let mut pages = self.source.list(&prefix.bucket, &prefix.key);
        while let Some(page) = pages.next().await? {
            is_empty &= page.is_empty();
            self.count.fetch_add(page.len() as u64, Relaxed);
            page.iter().for_each(|listed| warnings.check(&listed.key));
            let looks = page.into_iter().map(|listed| self.listed(&prefix.bucket, listed));
            let objects: Vec<SourceObject> = stream::iter(looks).buffered(LOOKUPS_AT_ONCE).try_collect().await?;
            self.artifacts.add(objects, &self.numbers)?;
        }
        let mut remarks = warnings.remarks();
        if prefix.key.is_empty() {
            remarks.push(format!("the URL names the whole bucket {}, so every object in it is copied", prefix.bucket));
        }
        Ok((!is_empty).then_some(Found::Prefix(remarks)))
    }

    /// An object of a listing. Notes the object if it is archived, which a listing does not tell of archive tiers.
    async fn listed(&self, bucket: &BucketName, listed: Listed) -> Result<SourceObject> {
        let Listed { key, size, etag, archived, tiered } = listed;
        let location = Location::new(bucket, key);
        let looked = if tiered && size >= SMALLEST_TIERED { self.head(&location).await? } else { None };
        if archived || looked.as_ref().and_then(|object| object.head.as_ref()).is_some_and(|head| head.archived) {
            self.noted.0.note(&location);
        }
        Ok(looked.unwrap_or(SourceObject { location, bytes: size, etag, head: None }))
    }

    async fn manifest(&self, location: &Location, parse: fn(&[u8]) -> Result<Manifest>) -> Result<Found> {
        let Some(object) = self.head(location).await? else { return Ok(Found::Nothing) };
        if object.head.as_ref().is_some_and(|head| head.archived) {
            self.noted.0.note(location);
        }
        let (text, etag) = self.source.read(location, MAX_MANIFEST_BYTES).await?;
        ensure!(
            etag == object.etag,
            Failure::new(format!("{location} was replaced while it was read")).hint("Run again")
        );
        let manifest = parse(&text)
            .with_context(|| format!("the manifest {location} cannot be parsed, so its objects would be lost"))
            .hint("Correct the manifest, then run again")?;
        let lookups = manifest.listed().into_iter().map(|listed| async move {
            let (found, missing) = match &listed {
                ManifestEntry::Prefix(at) => (self.prefix(at).await?, format!("no object has this prefix: {at}")),
                ManifestEntry::Object(at) => (self.object(at).await?, format!("there is no such object: {at}")),
            };
            if found.is_none() {
                self.noted.1.note(format!("{missing} (the manifest {location} lists it)"));
            }
            anyhow::Ok(())
        });
        let mut lookups = stream::iter(lookups).buffered(LOOKUPS_AT_ONCE);
        while lookups.try_next().await?.is_some() {}
        let text = manifest.rewritten(|location| self.layout.copy_of(location))?;
        self.artifacts.add_manifest(&object, &text, &self.numbers)?;
        Ok(Found::Manifest(object))
    }
}

const FOLDER: &str = "folders are copied only with `--environment-urls all`, because they may be outputs or caches";
const NO_OBJECT: &str = "there is no such object, and folders are copied only with `--environment-urls all`";

fn not_copied(reason: &str) -> Found {
    Found::NotCopied(reason.to_owned())
}

/// What cannot be read is not copied. An error that says nothing about the object stops the run.
fn unreadable(error: anyhow::Error) -> Result<Found> {
    let reason = match error.downcast_ref::<CallError>() {
        Some(CallError { kind: CallKind::Denied | CallKind::Invalid | CallKind::Other, code, .. }) => {
            let code = code.as_ref().map(|code| format!(" ({code})")).unwrap_or_default();
            format!("it cannot be read{code}")
        }
        Some(CallError { kind: CallKind::NotFound, .. }) => "the bucket does not exist".to_owned(),
        _ => return Err(error),
    };
    Ok(Found::NotCopied(reason))
}

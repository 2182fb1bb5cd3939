//! Looks up the objects that a package refers to in the source account. An object that is missing, or that changed
//! since the package was registered, stops the run.

use std::collections::{BTreeMap, HashMap};

use anyhow::{Context, Result, bail, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};

use crate::aws::error::Kind as CallKind;
use crate::aws::objects::SourceObjects;
use crate::model::failure::Failure;
use crate::model::layout::Layout;
use crate::model::location::Location;
use crate::plan::archived::Archived;
use crate::plan::artifact::SourceObject;
use crate::plan::artifacts::Artifacts;
use crate::plan::manifest::{Listed, MAX_MANIFEST_BYTES, Manifest};
use crate::plan::path_warnings::PathWarnings;
use crate::schema::references::{Kind, Reference};

/// The number of concurrent look-ups. Each is one small request.
const LOOKUPS_AT_ONCE: usize = 32;

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
    /// Nothing exists there. Only environment variables, and reports that may be missing, refer to nothing.
    Nothing,
}

/// Whether reports that do not exist stop the run.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum MissingReports {
    /// A missing report stops the run.
    Refused,
    /// The URL of a missing report is carried over unchanged.
    Ignored,
}

/// Looks up every reference, each distinct location once, and lists every prefix completely.
///
/// # Errors
/// A referenced object is missing, cannot be read, or changed since the package was registered. The message names every
/// field that refers to it.
pub async fn inventory(
    references: Vec<Reference>,
    source: &SourceObjects,
    layout: &Layout,
    reports: MissingReports,
) -> Result<Inventory> {
    let fields = references.iter().map(|reference| reference.field.clone()).collect();
    let artifacts = Artifacts::new(layout, fields)?;
    let archived = Archived::default();
    let mut places: BTreeMap<(Location, Kind), Vec<usize>> = BTreeMap::new();
    for (number, reference) in references.iter().enumerate() {
        places.entry((reference.location.clone(), reference.kind)).or_default().push(number);
    }
    let lookups = places.into_iter().map(|((location, kind), numbers)| {
        let fields = fields_that_refer_to(&location, &references, &location.to_string());
        let lookup = Lookup { source, layout, artifacts: &artifacts, archived: &archived, numbers };
        async move {
            let found = lookup.reference(&location, kind).await.with_context(|| fields)?;
            anyhow::Ok(((location, kind), found))
        }
    });
    let places: HashMap<(Location, Kind), Found> =
        stream::iter(lookups).buffer_unordered(LOOKUPS_AT_ONCE).try_collect().await?;
    refuse_missing(&references, &places, reports)?;
    archived.refuse()?;
    artifacts.refuse_changes()?;
    let found = references.into_iter().map(|reference| {
        let found = places[&(reference.location.clone(), reference.kind)].clone();
        check_etag(&reference, &found)?;
        Ok((reference, found))
    });
    Ok(Inventory { found: found.collect::<Result<_>>()?, artifacts })
}

/// Refuses references to nothing, except environment variables and reports that may be missing.
///
/// # Errors
/// The message names everything that is missing.
fn refuse_missing(
    references: &[Reference],
    places: &HashMap<(Location, Kind), Found>,
    reports: MissingReports,
) -> Result<()> {
    let is_missing = |reference: &&Reference| {
        let found = &places[&(reference.location.clone(), reference.kind)];
        matches!(found, Found::Nothing)
            && reference.kind != Kind::Environment
            && !(reference.is_report() && reports == MissingReports::Ignored)
    };
    let missing: Vec<&Reference> = references.iter().filter(is_missing).collect();
    let mut lines: Vec<String> = Vec::new();
    for reference in &missing {
        let location = &reference.location;
        let what = if reference.kind == Kind::Prefix { "no object has this prefix" } else { "there is no such object" };
        let line = format!("{what}: {location} ({})", fields_that_refer_to(location, references, "it"));
        if !lines.contains(&line) {
            lines.push(line);
        }
    }
    let message = match lines.as_slice() {
        [] => return Ok(()),
        [line] => line.clone(),
        lines => format!("{} references name objects that do not exist:\n  {}", lines.len(), lines.join("\n  ")),
    };
    let restore = "Restore what is missing, register a package that does not refer to it";
    let hint = match missing.iter().any(|reference| reference.is_report()) {
        true => {
            format!("{restore}, or pass `--ignore-missing-reports` to carry the URLs of missing reports over unchanged")
        }
        false => restore.to_owned(),
    };
    bail!(Failure::new(message).hint(hint))
}

/// A text with all fields that refer to a location, which the text calls `location`.
fn fields_that_refer_to(at: &Location, references: &[Reference], location: &str) -> String {
    let fields = references.iter().filter(|reference| reference.location == *at);
    let fields: Vec<String> = fields.map(|reference| reference.field.to_string()).collect();
    match fields.as_slice() {
        [all @ .., last] if !all.is_empty() => format!("{} and {last} refer to {location}", all.join(", ")),
        _ => format!("{} refers to {location}", fields.join("")),
    }
}

/// The look-up of one location, for the references with these indexes.
struct Lookup<'a> {
    source: &'a SourceObjects,
    layout: &'a Layout,
    artifacts: &'a Artifacts,
    archived: &'a Archived,
    numbers: Vec<usize>,
}

impl Lookup<'_> {
    async fn reference(&self, location: &Location, kind: Kind) -> Result<Found> {
        match kind {
            Kind::Output => Ok(Found::Output),
            Kind::Prefix => Ok(self.prefix(location).await?.unwrap_or(Found::Nothing)),
            Kind::Object | Kind::Environment => Ok(self.object_or_folder(location).await?.unwrap_or(Found::Nothing)),
            Kind::CsvManifest => self.manifest(location, Manifest::csv).await,
            Kind::JsonManifest => self.manifest(location, Manifest::json).await,
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
        self.artifacts.add([object.clone()], &self.numbers)?;
        Ok(Some(Found::Object(object)))
    }

    async fn head(&self, location: &Location) -> Result<Option<SourceObject>> {
        match self.source.head(location).await {
            Ok(head) => {
                if head.archived {
                    self.archived.note(location);
                }
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
            page.iter().for_each(|listed| warnings.check(&listed.key));
            for listed in page.iter().filter(|listed| listed.archived) {
                self.archived.note(&Location::new(&prefix.bucket, &listed.key));
            }
            let objects = page.into_iter().map(|listed| SourceObject {
                location: Location::new(&prefix.bucket, listed.key),
                bytes: listed.size,
                etag: listed.etag,
                head: None,
            });
            self.artifacts.add(objects, &self.numbers)?;
        }
        Ok((!is_empty).then(|| Found::Prefix(warnings.remarks())))
    }

    async fn manifest(&self, location: &Location, parse: fn(&[u8]) -> Result<Manifest>) -> Result<Found> {
        let Some(object) = self.head(location).await? else { return Ok(Found::Nothing) };
        let (text, etag) = self.source.read(location, MAX_MANIFEST_BYTES).await?;
        ensure!(
            etag == object.etag,
            Failure::new(format!("{location} was replaced while it was read")).hint("Run again")
        );
        let manifest = parse(&text).context("the manifest cannot be parsed, so its objects would be lost")?;
        let lookups = manifest.listed().into_iter().map(|listed| async move {
            let (at, found) = match listed {
                Listed::Prefix(prefix) => (prefix.clone(), self.prefix(&prefix).await?),
                Listed::Object(at) => (at.clone(), self.object(&at).await?),
            };
            found.with_context(|| format!("the manifest {location} lists {at}, which does not exist"))
        });
        let mut lookups = stream::iter(lookups).buffered(LOOKUPS_AT_ONCE);
        while lookups.try_next().await?.is_some() {}
        let text = manifest.rewritten(|location| self.layout.copy_of(location))?;
        self.artifacts.add_manifest(&object, &text, &self.numbers)?;
        Ok(Found::Manifest(object))
    }
}

/// Compares the object with the ETag at the time of the registration, if the package states it.
fn check_etag(reference: &Reference, found: &Found) -> Result<()> {
    let (Some(registered), Found::Object(object) | Found::Manifest(object)) = (&reference.etag, found) else {
        return Ok(());
    };
    if *registered == object.etag.as_str() {
        return Ok(());
    }
    let message = format!(
        "{} has changed since the package was registered: the ETag in {} was {registered}, and is {} now",
        object.location,
        reference.field,
        object.etag.as_str()
    );
    bail!(Failure::new(message).hint("Restore the object that was registered, or register the package again"))
}

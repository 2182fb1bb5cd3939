//! What the references point to: references come in, the objects behind each come out. Reads the source, writes
//! nothing. What is missing or has changed since the package was registered stops the run here.

use std::collections::HashMap;

use anyhow::{Context, Result, bail, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};

use super::location::Location;
use super::manifest::{Listed, MAX_MANIFEST_BYTES, Manifest};
use super::references::{Kind, Reference};
use crate::aws::error::Kind as CallKind;
use crate::aws::objects::{ETag, Head, SourceObjects};

/// Look-ups of different references that are under way at once; each is one small request.
const LOOKUPS_AT_ONCE: usize = 32;

/// An object of the source.
#[derive(Debug, Clone)]
pub struct SourceObject {
    /// Where it lies.
    pub location: Location,
    /// Its size.
    pub bytes: u64,
    /// Its ETag: every later request for the object is conditional on it.
    pub etag: ETag,
    /// Headers, metadata and checksum, where a look-up has brought them.
    pub head: Option<Head>,
}

/// What a reference was found to point to.
#[derive(Debug, Clone)]
pub enum Found {
    /// One object, or all objects below a prefix, in the order of their keys.
    Objects(Vec<SourceObject>),
    /// A manifest, and all objects that it names.
    Manifest {
        /// The manifest's own object.
        object: Box<SourceObject>,
        /// Its parsed text.
        manifest: Manifest,
        /// What it names.
        named: Vec<SourceObject>,
    },
    /// A place to write to: nothing to copy.
    Output,
    /// Nothing is there; only an environment value may say so.
    Nothing,
}

/// Looks up every reference, each distinct place once.
///
/// # Errors
/// Something that is referred to is missing, forbidden, or no longer what it was when the package was registered;
/// the message names every field that refers to it.
pub async fn inventory(references: Vec<Reference>, source: &SourceObjects) -> Result<Vec<(Reference, Found)>> {
    let mut places: Vec<(Location, Kind)> = references.iter().map(|r| (r.location.clone(), r.kind)).collect();
    places.sort();
    places.dedup();
    let lookups = places.into_iter().map(|place| {
        let fields = fields_that_refer_to(&place.0, &references);
        async move {
            let found = look_up(&place.0, place.1, source).await.with_context(|| fields)?;
            anyhow::Ok((place, found))
        }
    });
    let found: HashMap<(Location, Kind), Found> =
        stream::iter(lookups).buffer_unordered(LOOKUPS_AT_ONCE).try_collect().await?;
    let pairs = references.into_iter().map(|reference| {
        let found = found[&(reference.location.clone(), reference.kind)].clone();
        check_etag(&reference, &found)?;
        Ok((reference, found))
    });
    pairs.collect()
}

fn fields_that_refer_to(location: &Location, references: &[Reference]) -> String {
    let fields: Vec<String> =
        references.iter().filter(|r| r.location == *location).map(|r| r.field.to_string()).collect();
    match fields.as_slice() {
        [all @ .., last] if !all.is_empty() => format!("{} and {last} refer to {location}", all.join(", ")),
        _ => format!("{} refers to {location}", fields.join("")),
    }
}

async fn look_up(location: &Location, kind: Kind, source: &SourceObjects) -> Result<Found> {
    match kind {
        Kind::Output => Ok(Found::Output),
        Kind::Prefix => existing(list(location, source).await?, location, "no object has this prefix"),
        Kind::Object => {
            let found = object_or_folder(location, source).await?;
            existing(found, location, "there is no such object")
        }
        Kind::Environment => match object_or_folder(location, source).await? {
            objects if objects.is_empty() => Ok(Found::Nothing),
            objects => Ok(Found::Objects(objects)),
        },
        Kind::CsvManifest => manifest(location, source, Manifest::csv).await,
        Kind::JsonManifest => manifest(location, source, Manifest::json).await,
    }
}

fn existing(objects: Vec<SourceObject>, location: &Location, otherwise: &str) -> Result<Found> {
    ensure!(
        !objects.is_empty(),
        "{otherwise}: {location}. Restore it, or register a package that does not refer to it"
    );
    Ok(Found::Objects(objects))
}

/// The object of that key; where there is none, the objects of the folder of that name.
async fn object_or_folder(location: &Location, source: &SourceObjects) -> Result<Vec<SourceObject>> {
    if location.key.is_empty() || location.key.ends_with('/') {
        return list(location, source).await;
    }
    if let Some(object) = head(location, source).await? {
        return Ok(vec![object]);
    }
    list(&Location::new(&location.bucket, format!("{}/", location.key)), source).await
}

async fn head(location: &Location, source: &SourceObjects) -> Result<Option<SourceObject>> {
    match source.head(location).await {
        Ok(head) => {
            let (location, bytes, etag) = (location.clone(), head.size, head.etag.clone());
            Ok(Some(SourceObject { location, bytes, etag, head: Some(head) }))
        }
        Err(error) if error.kind == CallKind::NotFound => Ok(None),
        Err(error) => Err(error.into()),
    }
}

async fn list(prefix: &Location, source: &SourceObjects) -> Result<Vec<SourceObject>> {
    let mut objects = Vec::new();
    let mut pages = source.list(&prefix.bucket, &prefix.key);
    while let Some(page) = pages.next().await? {
        objects.extend(page.into_iter().map(|listed| SourceObject {
            location: Location::new(&prefix.bucket, listed.key),
            bytes: listed.size,
            etag: listed.etag,
            head: None,
        }));
    }
    Ok(objects)
}

async fn manifest(location: &Location, source: &SourceObjects, parse: fn(&[u8]) -> Result<Manifest>) -> Result<Found> {
    let Some(object) = head(location, source).await? else {
        bail!("there is no such object: {location}. Restore it, or register a package that does not refer to it");
    };
    let (text, etag) = source.read(location, MAX_MANIFEST_BYTES).await?;
    ensure!(etag == object.etag, "{location} was replaced while it was read; run again");
    let manifest = parse(&text).context("the manifest cannot be followed, so what it names would be lost")?;
    let mut named = Vec::new();
    let lookups = manifest.listed().into_iter().map(|listed| async move {
        match listed {
            Listed::Prefix(prefix) => list(&prefix, source).await.map(|objects| (prefix, objects)),
            Listed::Object(place) => head(&place, source).await.map(|found| (place, found.into_iter().collect())),
        }
    });
    let mut lookups = stream::iter(lookups).buffered(LOOKUPS_AT_ONCE);
    while let Some((place, objects)) = lookups.try_next().await? {
        ensure!(!objects.is_empty(), "the manifest {location} names {place}, and nothing is there");
        named.extend(objects);
    }
    Ok(Found::Manifest { object: Box::new(object), manifest, named })
}

/// A package may have kept the ETag that its object had when it was registered.
fn check_etag(reference: &Reference, found: &Found) -> Result<()> {
    let (Some(registered), Some(object)) = (&reference.etag, found.single()) else { return Ok(()) };
    ensure!(
        *registered == object.etag.as_str(),
        "{} has changed since the package was registered: {} had the ETag {registered}, the object has {} now. Restore \
         the version that was registered, or register the package anew",
        object.location,
        reference.field,
        object.etag.as_str()
    );
    Ok(())
}

impl Found {
    /// The one object that the reference names, as against a prefix of several.
    fn single(&self) -> Option<&SourceObject> {
        match self {
            Self::Manifest { object, .. } => Some(object),
            Self::Objects(objects) => match objects.as_slice() {
                [object] if object.head.is_some() => Some(object),
                _ => None,
            },
            Self::Output | Self::Nothing => None,
        }
    }
}

//! What the references point to: references come in, the objects behind each come out. Reads the source, writes
//! nothing. What is missing or has changed since the package was registered stops the run here.

use std::collections::HashMap;
use std::sync::Arc;

use anyhow::{Context, Result, bail, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use serde::{Deserialize, Serialize};

use crate::aws::error::Kind as CallKind;
use crate::aws::objects::{ETag, Head, SourceObjects};
use crate::model::field::Field;
use crate::model::location::Location;
use crate::plan::listing::Listing;
use crate::plan::manifest::{Listed, MAX_MANIFEST_BYTES, Manifest};
use crate::schema::references::{Kind, Reference};

/// Look-ups of different references that are under way at once; each is one small request.
const LOOKUPS_AT_ONCE: usize = 32;

/// An object of the source.
#[derive(Debug, Clone, Serialize, Deserialize)]
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

/// What lies at a place.
#[derive(Debug)]
pub enum Objects {
    /// An object of exactly this key.
    One(Box<SourceObject>),
    /// All objects whose keys begin like this one.
    Below(Arc<Listing>),
}

impl Objects {
    /// The key, or the prefix of all keys.
    pub fn location(&self) -> &Location {
        match self {
            Self::One(object) => &object.location,
            Self::Below(listing) => listing.prefix(),
        }
    }

    /// Every object that is known.
    pub fn iter(&self) -> Box<dyn Iterator<Item = Result<SourceObject>> + Send + '_> {
        match self {
            Self::One(object) => Box::new(std::iter::once(Ok((**object).clone()))),
            Self::Below(listing) => Box::new(listing.iter()),
        }
    }
}

/// How far prefixes are listed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Until {
    /// To their ends.
    End,
    /// Until it is known that something is there; those that a manifest names to their ends.
    Beginning,
}

/// What a reference was found to point to.
#[derive(Debug, Clone)]
pub enum Found {
    /// One object, or all objects below a prefix.
    Objects(Arc<Objects>),
    /// A manifest, and all objects that it names.
    Manifest(Arc<Followed>),
    /// A place to write to: nothing to copy.
    Output,
    /// Nothing is there; only an environment value may say so.
    Nothing,
}

/// A manifest that was followed.
#[derive(Debug)]
pub struct Followed {
    /// The manifest's own object.
    pub object: SourceObject,
    /// Its parsed text.
    pub manifest: Manifest,
    /// What it names.
    pub named: Vec<Arc<Objects>>,
}

/// Looks up every reference, each distinct place once.
///
/// # Errors
/// Something that is referred to is missing, forbidden, or no longer what it was when the package was registered;
/// the message names every field that refers to it.
pub async fn inventory(
    references: Vec<Reference>,
    source: &SourceObjects,
    until: Until,
) -> Result<Vec<(Reference, Found)>> {
    let mut places: Vec<(Location, Kind)> = references.iter().map(|r| (r.location.clone(), r.kind)).collect();
    places.sort();
    places.dedup();
    let lookups = places.into_iter().map(|place| {
        let fields = fields_that_refer_to(&place.0, &references);
        async move {
            let found = look_up(&place.0, place.1, source, until).await.with_context(|| fields)?;
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
    refer_to(references.iter().filter(|r| r.location == *location).map(|r| &r.field), location)
}

/// Says which fields refer to a location.
pub fn refer_to<'a>(fields: impl IntoIterator<Item = &'a Field>, location: &Location) -> String {
    let fields: Vec<String> = fields.into_iter().map(ToString::to_string).collect();
    match fields.as_slice() {
        [all @ .., last] if !all.is_empty() => format!("{} and {last} refer to {location}", all.join(", ")),
        _ => format!("{} refers to {location}", fields.join("")),
    }
}

async fn look_up(location: &Location, kind: Kind, source: &SourceObjects, until: Until) -> Result<Found> {
    match kind {
        Kind::Output => Ok(Found::Output),
        Kind::Prefix => existing(list(location, source, until).await?, location, "no object has this prefix"),
        Kind::Object => {
            let found = object_or_folder(location, source, until).await?;
            existing(found, location, "there is no such object")
        }
        Kind::Environment => match object_or_folder(location, source, until).await? {
            Some(objects) => Ok(Found::Objects(objects.into())),
            None => Ok(Found::Nothing),
        },
        Kind::CsvManifest => manifest(location, source, Manifest::csv).await,
        Kind::JsonManifest => manifest(location, source, Manifest::json).await,
    }
}

fn existing(objects: Option<Objects>, location: &Location, otherwise: &str) -> Result<Found> {
    let restore = "Restore it, or register a package that does not refer to it";
    let objects = objects.with_context(|| format!("{otherwise}: {location}. {restore}"))?;
    Ok(Found::Objects(objects.into()))
}

/// The object of that key; where there is none, the objects of the folder of that name.
async fn object_or_folder(location: &Location, source: &SourceObjects, until: Until) -> Result<Option<Objects>> {
    if location.key.is_empty() || location.key.ends_with('/') {
        return list(location, source, until).await;
    }
    if let Some(object) = head(location, source).await? {
        return Ok(Some(Objects::One(object.into())));
    }
    list(&Location::new(&location.bucket, format!("{}/", location.key)), source, until).await
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

async fn list(prefix: &Location, source: &SourceObjects, until: Until) -> Result<Option<Objects>> {
    let Some(listing) = Listing::begin(prefix, source).await? else { return Ok(None) };
    if until == Until::End {
        listing.finish().await?;
    }
    Ok(Some(Objects::Below(listing.into())))
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
            Listed::Prefix(prefix) => list(&prefix, source, Until::End).await.map(|objects| (prefix, objects)),
            Listed::Object(place) => {
                let object = head(&place, source).await?;
                Ok((place, object.map(|object| Objects::One(object.into()))))
            }
        }
    });
    let mut lookups = stream::iter(lookups).buffered(LOOKUPS_AT_ONCE);
    while let Some((place, objects)) = lookups.try_next().await? {
        let objects =
            objects.with_context(|| format!("the manifest {location} names {place}, and nothing is there"))?;
        named.push(Arc::new(objects));
    }
    Ok(Found::Manifest(Followed { object, manifest, named }.into()))
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
            Self::Manifest(followed) => Some(&followed.object),
            Self::Objects(objects) => match &**objects {
                Objects::One(object) => Some(object),
                Objects::Below(_) => None,
            },
            Self::Output | Self::Nothing => None,
        }
    }
}

//! The artifacts of a version: each bucket is listed, and one byte is read of each object that the version names, and of the
//! first object with content below each prefix.

use std::collections::BTreeMap;

use futures_util::{StreamExt, stream};

use super::check::{Asked, Check, Finding};
use super::optional::without;
use crate::aws::error::{CallError, Kind as ErrorKind, Side};
use crate::aws::objects::SourceObjects;
use crate::model::location::Location;
use crate::plan::draft::PackageOverrides;
use crate::plan::environment::Scope;
use crate::plan::{ARCHIVED, RESTORE};
use crate::schema::references::{Reference, ReferenceKind};

/// The number of concurrent requests.
const AT_ONCE: usize = 16;
/// The pages in which the first object with content is looked for.
const PAGES: usize = 10;

/// Who reads the artifacts.
pub(super) struct Readers<'a> {
    /// The source's principal.
    pub source: &'a SourceObjects,
    /// The target's principal, if it has to read them too.
    pub target: Option<&'a SourceObjects>,
}

/// What a promotion needs of a location.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Need {
    /// The object that a variable may name. Nobody has to be able to read it.
    Variable,
    /// The objects that a variable may name.
    Variables,
    /// A report, which may be missing.
    Report,
    /// It has to exist.
    Artifact,
}

/// Asks for every artifact of a version.
pub(super) async fn ask_artifacts(
    readers: &Readers<'_>,
    references: Vec<Reference>,
    overrides: &PackageOverrides,
    partition: &str,
) -> Vec<Check> {
    let mut needs: BTreeMap<Location, Need> = BTreeMap::new();
    for reference in references {
        if let Some(need) = need(&reference, overrides) {
            let known = needs.entry(reference.location).or_insert(need);
            *known = need.max(*known);
        }
    }
    let asked = needs.into_iter().map(|(location, need)| async move {
        AskedArtifact { readers, location: &location, partition, need }.ask().await
    });
    let checks: Vec<Vec<Check>> = stream::iter(asked).buffered(AT_ONCE).collect().await;
    checks.into_iter().flatten().collect()
}

/// What a promotion needs of a reference, if it reads the reference at all.
fn need(reference: &Reference, overrides: &PackageOverrides) -> Option<Need> {
    let may_be_missing = overrides.ignore_missing_reports && reference.is_report();
    match reference.kind {
        ReferenceKind::Output => None,
        ReferenceKind::Environment => match overrides.environment_urls.scope(reference) {
            Scope::Nothing => None,
            Scope::Object => (!reference.location.key.ends_with('/')).then_some(Need::Variable),
            Scope::Folder => Some(Need::Variables),
            Scope::Required => Some(Need::Artifact),
        },
        _ if may_be_missing && reference.is_bucket_without_object() => None,
        _ if may_be_missing => Some(Need::Report),
        _ => Some(Need::Artifact),
    }
}

/// Marks what a promotion carries over unchanged if it cannot be read.
fn optional(checks: Vec<Check>) -> Vec<Check> {
    let lost = "the variable keeps its value, and nothing is copied";
    without(without(without(checks, "s3:ListBucket", lost), "s3:GetObject", lost), "kms:Decrypt", lost)
}

struct AskedArtifact<'a> {
    readers: &'a Readers<'a>,
    location: &'a Location,
    partition: &'a str,
    need: Need,
}

impl AskedArtifact<'_> {
    async fn ask(&self) -> Vec<Check> {
        let bucket = format!("arn:{}:s3:::{}", self.partition, self.location.bucket);
        let (all, url) = (format!("{bucket}/*"), self.location.to_string());
        let reads = Asked { side: Side::Source, action: "s3:GetObject", resource: &url, grant_on: &all };
        let (object, mut checks) = match self.need {
            Need::Variable => (Some(self.location.clone()), Vec::new()),
            Need::Variables | Need::Report | Need::Artifact => self.list(&bucket, reads).await,
        };
        let read_by_source = match &object {
            Some(object) => read(reads, self.readers.source, object, self.need).await,
            None => Vec::new(),
        };
        // What a variable names is copied only if it can be read.
        let is_copied = match self.need {
            Need::Variable | Need::Variables => read_by_source.iter().all(|check| check.result == Finding::Ok),
            Need::Report | Need::Artifact => true,
        };
        checks.extend(read_by_source);
        if matches!(self.need, Need::Variable | Need::Variables) {
            checks = optional(checks);
        }
        if let (Some(object), Some(target), true) = (&object, self.readers.target, is_copied) {
            // The source's principal tells if the object is missing or archived.
            checks.extend(read(Asked { side: Side::Target, ..reads }, target, object, Need::Variable).await);
        }
        checks
    }

    /// Lists what is below the location. Returns the object itself or an object below.
    async fn list(&self, bucket: &str, reads: Asked<'_>) -> (Option<Location>, Vec<Check>) {
        let Location { bucket: name, key } = self.location;
        let lists = Asked { side: Side::Source, action: "s3:ListBucket", resource: bucket, grant_on: bucket };
        let listed = self.first_with_content().await;
        let first = match &listed {
            Ok(first) => first.clone(),
            Err(_) => Some(key.clone()).filter(|key| !key.is_empty() && !key.ends_with('/')),
        };
        let was_listed = listed.is_ok();
        let mut checks = lists.check(listed, &[]);
        match &first {
            Some(_) => {}
            None if was_listed && self.need == Need::Artifact => {
                checks.push(reads.with(Finding::Missing, Some("there is no such object".to_owned())));
            }
            None if was_listed => {}
            None => checks.push(reads.not_testable("the objects in it are not known, because it cannot be listed")),
        }
        (first.map(|key| Location::new(name, key)), checks)
    }

    /// The first object with content at or below the location; the first one if all are empty. The marker of a folder is
    /// empty, and may have another key than the objects in it.
    async fn first_with_content(&self) -> Result<Option<String>, CallError> {
        let Location { bucket, key } = self.location;
        let (mut pages, mut first) = (self.readers.source.list(bucket, key), None);
        for _ in 0..PAGES {
            let Some(page) = pages.next().await? else { break };
            for object in page.into_iter().filter(|one| one.key == *key || one.key.starts_with(&folder(key))) {
                if object.size > 0 {
                    return Ok(Some(object.key));
                }
                first.get_or_insert(object.key);
            }
        }
        Ok(first)
    }
}

/// Reads a byte of an object, if it has one.
async fn read(asked: Asked<'_>, objects: &SourceObjects, object: &Location, need: Need) -> Vec<Check> {
    let may_be_missing: &[ErrorKind] = if need == Need::Artifact { &[] } else { &[ErrorKind::NotFound] };
    match first_byte(objects, object).await {
        Ok(Read::Archived) if need != Need::Variable => {
            vec![asked.with(Finding::Missing, Some(format!("the object is {ARCHIVED} ({RESTORE})")))]
        }
        answer => asked.check(answer, may_be_missing),
    }
}

/// How an object was read.
enum Read {
    Done,
    Archived,
}

async fn first_byte(objects: &SourceObjects, object: &Location) -> Result<Read, CallError> {
    let head = objects.head(object).await?;
    if head.archived {
        return Ok(Read::Archived);
    }
    match head.size {
        // An empty object has no first byte.
        0 => drop(objects.get_whole(object, 0, &head.etag).await?),
        _ => drop(objects.get(object, 0..1, &head.etag).await?),
    }
    Ok(Read::Done)
}

fn folder(key: &str) -> String {
    if key.is_empty() || key.ends_with('/') { key.to_owned() } else { format!("{key}/") }
}

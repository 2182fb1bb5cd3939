//! The artifacts of a version: each bucket is listed, and one byte of each object is read.

use std::collections::BTreeSet;

use futures_util::{StreamExt, stream};

use super::check::{Asked, Check, Finding};
use crate::aws::error::{CallError, Kind as ErrorKind, Side};
use crate::aws::objects::SourceObjects;
use crate::model::location::Location;
use crate::model::package::Package;
use crate::schema::references::{Reference, ReferenceKind, references};

/// The number of concurrent requests.
const AT_ONCE: usize = 16;

/// Asks for every artifact of a package. References that a promotion refuses are the package's check.
pub(super) async fn ask_artifacts(objects: &SourceObjects, package: &Package, partition: &str) -> Vec<Check> {
    let found = references(package.description()).unwrap_or_default();
    let read: Vec<Reference> = found.into_iter().filter(|one| one.kind != ReferenceKind::Output).collect();
    let distinct: BTreeSet<(Location, bool)> =
        read.iter().map(|one| (one.location.clone(), is_required(one))).collect();
    let asked = distinct.into_iter().map(|(location, required)| async move {
        Artifact { objects, location: &location, partition, required }.ask().await
    });
    let checks: Vec<Vec<Check>> = stream::iter(asked).buffered(AT_ONCE).collect().await;
    checks.into_iter().flatten().collect()
}

/// Whether the promotion fails without the object. A variable may name what a job will write.
fn is_required(reference: &Reference) -> bool {
    reference.kind != ReferenceKind::Environment || reference.is_loaded()
}

struct Artifact<'a> {
    objects: &'a SourceObjects,
    location: &'a Location,
    partition: &'a str,
    required: bool,
}

impl Artifact<'_> {
    /// Lists what is below the location, and reads a byte of the object or of the first one below.
    async fn ask(&self) -> Vec<Check> {
        let Self { location, .. } = self;
        let bucket = format!("arn:{}:s3:::{}", self.partition, location.bucket);
        let all = format!("{bucket}/*");
        let lists = Asked { side: Side::Source, action: "s3:ListBucket", resource: &bucket, grant_on: &bucket };
        let url = location.to_string();
        let reads = Asked { side: Side::Source, action: "s3:GetObject", resource: &url, grant_on: &all };
        let listed = self.objects.list(&location.bucket, &location.key).next().await;
        let below = |key: &str| key == location.key || key.starts_with(&folder(&location.key));
        let first = match &listed {
            Ok(page) => page.iter().flatten().find(|object| below(&object.key)).map(|object| object.key.clone()),
            Err(_) => Some(location.key.clone()).filter(|key| !key.is_empty() && !key.ends_with('/')),
        };
        let was_listed = listed.is_ok();
        let mut checks = lists.check(listed, &[]);
        match first {
            Some(key) => {
                let object = Location::new(&location.bucket, key);
                checks.extend(
                    reads.check(self.read(&object).await, if self.required { &[] } else { &[ErrorKind::NotFound] }),
                );
            }
            None if was_listed && self.required => {
                checks.push(reads.with(Finding::Missing, Some("there is no such object".to_owned())));
            }
            None if was_listed => {}
            None => checks.push(reads.not_testable("the objects in it are not known, because it cannot be listed")),
        }
        checks
    }

    async fn read(&self, object: &Location) -> Result<(), CallError> {
        let head = self.objects.head(object).await?;
        if head.size > 0 && !head.archived {
            self.objects.get(object, 0..1, &head.etag).await?;
        }
        Ok(())
    }
}

fn folder(key: &str) -> String {
    if key.is_empty() || key.ends_with('/') { key.to_owned() } else { format!("{key}/") }
}

//! A long prefix goes on being listed while its first objects are copied: what was found comes in, and what has to be
//! whole before the plan is made is whole afterwards.

use std::collections::BTreeSet;
use std::sync::Arc;

use anyhow::Result;
use futures_util::future::try_join_all;
use tokio::task::JoinSet;

use crate::model::location::Location;
use crate::plan::inventory::{Found, Objects};
use crate::plan::listing::Listing;
use crate::schema::references::Reference;

/// A listing that goes on by itself. It stops when this is dropped.
#[derive(Debug)]
pub struct Growth {
    _task: JoinSet<()>,
}

/// Finishes every listing but one that a plan can be made without: the only unfinished one, if neither another place
/// that was found reaches into it nor one of `others`. What it still brings are further objects of the same kind, and
/// where they go follows from their keys.
///
/// # Errors
/// A listing cannot be finished.
pub async fn grow(found: &[(Reference, Found)], others: &BTreeSet<Location>) -> Result<Option<Growth>> {
    let unfinished = unfinished(found);
    if let [listing] = unfinished.as_slice()
        && is_alone(listing, found, others)
    {
        let (listing, mut task) = (Arc::clone(listing), JoinSet::new());
        task.spawn(async move {
            // Whoever waits for the objects is told.
            let _ = listing.finish().await;
        });
        return Ok(Some(Growth { _task: task }));
    }
    try_join_all(unfinished.iter().map(|listing| listing.finish())).await?;
    Ok(None)
}

fn unfinished(found: &[(Reference, Found)]) -> Vec<&Arc<Listing>> {
    let mut unfinished: Vec<&Arc<Listing>> = Vec::new();
    for (_, found) in found {
        if let Found::Objects(objects) = found
            && let Objects::Below(listing) = &**objects
            && !listing.is_whole()
            && !unfinished.iter().any(|other| Arc::ptr_eq(other, listing))
        {
            unfinished.push(listing);
        }
    }
    unfinished
}

/// Whether nothing else that was found, and none of the others, lies below the prefix or around it.
fn is_alone(listing: &Listing, found: &[(Reference, Found)], others: &BTreeSet<Location>) -> bool {
    let is_other = |at: &&Location| *at != listing.prefix();
    let places = found.iter().flat_map(|(_, found)| match found {
        Found::Objects(objects) => vec![objects.location()],
        Found::Manifest(followed) => followed.named.iter().map(|objects| objects.location()).collect(),
        Found::Output | Found::Nothing => Vec::new(),
    });
    places.filter(is_other).chain(others).all(|at| are_apart(listing.prefix(), at))
}

fn are_apart(prefix: &Location, other: &Location) -> bool {
    prefix.bucket != other.bucket || !prefix.key.starts_with(&other.key) && !other.key.starts_with(&prefix.key)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::field::Field;
    use crate::schema::references::Kind;

    fn below(prefix: &str, whole: bool) -> (Reference, Found) {
        let listing = Listing::of(prefix, &["a"], whole);
        let reference =
            Reference { field: Field::top(prefix), location: listing.prefix().clone(), kind: Kind::Prefix, etag: None };
        (reference, Found::Objects(Objects::Below(listing.into()).into()))
    }

    fn may_grow(found: Vec<(Reference, Found)>, others: &[&str]) -> bool {
        let long = Listing::of("s3://models/m/", &["a"], false);
        let others: BTreeSet<Location> = others.iter().map(|url| url.parse().unwrap()).collect();
        is_alone(&long, &found, &others)
    }

    #[test]
    fn a_prefix_that_nothing_else_reaches_into_may_grow() {
        assert!(may_grow(vec![], &[]));
        assert!(may_grow(vec![below("s3://models/n/", true), below("s3://other/m/", true)], &["s3://models/n/card"]));
        assert!(may_grow(vec![below("s3://models/m/", true)], &[]), "two members that refer to the same place");
    }

    #[test]
    fn a_prefix_within_another_one_or_around_it_may_not() {
        assert!(!may_grow(vec![below("s3://models/", true)], &[]));
        assert!(!may_grow(vec![below("s3://models/m/sub/", true)], &[]));
        assert!(!may_grow(vec![], &["s3://models/m/report.json"]));
    }

    #[test]
    fn what_several_members_refer_to_is_one_unfinished_listing() {
        let long = below("s3://models/m/", false);
        let found = [long.clone(), long, below("s3://models/n/", false), below("s3://models/o/", true)];
        assert_eq!(unfinished(&found).len(), 2);
    }
}

//! What lies below a prefix: it is listed page by page, and what has been listed can be used while the rest comes.

use std::sync::{Mutex, MutexGuard, PoisonError};

use anyhow::{Result, bail};
use tokio::sync::watch;

use crate::aws::objects::{Listed, Pages, SourceObjects};
use crate::model::location::Location;
use crate::plan::inventory::SourceObject;
use crate::plan::path_warnings::Traps;
use crate::store::spool::{Items, Place, Spool};

/// The objects below a prefix. However many they are, they take little memory.
#[derive(Debug)]
pub struct Listing {
    prefix: Location,
    objects: Spool<SourceObject>,
    traps: Mutex<Traps>,
    /// The pages that nobody has asked for yet.
    rest: Mutex<Option<Pages>>,
    extent: watch::Sender<Extent>,
}

/// How far a listing is.
#[derive(Debug, Clone)]
enum Extent {
    Growing,
    Whole,
    /// It broke off, for this reason.
    Failed(String),
}

impl Listing {
    /// Lists the beginning: the first page that has objects. Nothing when there are none.
    ///
    /// # Errors
    /// The source cannot be listed, or the temporary folder is full.
    pub async fn begin(prefix: &Location, source: &SourceObjects) -> Result<Option<Self>> {
        let mut pages = source.list(&prefix.bucket, &prefix.key);
        let listing = Self::empty(prefix);
        while listing.objects.is_empty() {
            let Some(page) = pages.next().await? else { return Ok(None) };
            listing.add(page)?;
        }
        match pages.has_more() {
            true => *lock(&listing.rest) = Some(pages),
            false => drop(listing.extent.send_replace(Extent::Whole)),
        }
        Ok(Some(listing))
    }

    fn empty(prefix: &Location) -> Self {
        Self {
            prefix: prefix.clone(),
            objects: Spool::default(),
            traps: Mutex::new(Traps::new(prefix)),
            rest: Mutex::default(),
            extent: watch::Sender::new(Extent::Growing),
        }
    }

    /// Lists the rest, if nobody does yet; whoever waits for more sees it come.
    ///
    /// # Errors
    /// As [`Listing::begin`].
    pub async fn finish(&self) -> Result<()> {
        let Some(mut pages) = lock(&self.rest).take() else { return Ok(()) };
        let listed = self.take(&mut pages).await;
        self.extent.send_replace(match &listed {
            Ok(()) => Extent::Whole,
            Err(error) => Extent::Failed(format!("{error:#}")),
        });
        listed
    }

    async fn take(&self, pages: &mut Pages) -> Result<()> {
        while let Some(page) = pages.next().await? {
            self.add(page)?;
            self.extent.send_replace(Extent::Growing);
        }
        Ok(())
    }

    fn add(&self, page: Vec<Listed>) -> Result<()> {
        let mut traps = lock(&self.traps);
        for listed in page {
            traps.see(&listed.key);
            let location = Location::new(&self.prefix.bucket, listed.key);
            self.objects.push(&SourceObject { location, bytes: listed.size, etag: listed.etag, head: None })?;
        }
        Ok(())
    }

    /// The prefix of all keys.
    pub fn prefix(&self) -> &Location {
        &self.prefix
    }

    /// Whether all objects have been listed.
    pub fn is_whole(&self) -> bool {
        matches!(*self.extent.borrow(), Extent::Whole)
    }

    /// Every object that has been listed, in the order of the listing; at least one.
    pub fn iter(&self) -> Items<'_, SourceObject> {
        self.objects.iter()
    }

    /// The objects between two places.
    pub(super) fn between(&self, from: Place, to: Place) -> Items<'_, SourceObject> {
        self.objects.between(from, to)
    }

    /// The place after what has been listed.
    pub(super) fn end(&self) -> Place {
        self.objects.end()
    }

    /// Waits until there is more than what ends at a place; false when no more comes.
    ///
    /// # Errors
    /// The listing broke off.
    pub(super) async fn has_more(&self, than: Place) -> Result<bool> {
        let mut changes = self.extent.subscribe();
        loop {
            // Before the end is looked at: what comes in between is not overlooked.
            let extent = changes.borrow_and_update().clone();
            if self.end() > than {
                return Ok(true);
            }
            match extent {
                Extent::Growing => changes.changed().await?,
                Extent::Whole => return Ok(false),
                Extent::Failed(reason) => bail!("{reason}"),
            }
        }
    }

    /// What a deployment may stumble over, of what has been listed.
    pub fn remarks(&self) -> Vec<String> {
        lock(&self.traps).remarks()
    }
}

fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
impl Listing {
    /// One of these keys below the prefix; whole, or waiting for more.
    pub(super) fn of(prefix: &str, keys: &[&str], whole: bool) -> Self {
        let listing = Self::empty(&prefix.parse().expect("a URL"));
        listing.grow(keys);
        if whole {
            listing.end_with(Ok(()));
        }
        listing
    }

    pub(super) fn grow(&self, keys: &[&str]) {
        let page = keys.iter().map(|key| Listed {
            key: format!("{}{key}", self.prefix.key),
            size: 1,
            etag: crate::aws::objects::ETag::new("e"),
        });
        self.add(page.collect()).expect("memory");
        self.extent.send_replace(Extent::Growing);
    }

    pub(super) fn end_with(&self, end: Result<(), &str>) {
        self.extent.send_replace(end.map_or_else(|reason| Extent::Failed(reason.to_owned()), |()| Extent::Whole));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn whoever_waits_gets_what_is_listed_meanwhile_and_then_the_end() {
        let listing = Listing::of("s3://models/m/", &["a"], false);
        let first = listing.end();
        let (more, ()) = tokio::join!(listing.has_more(first), async { listing.grow(&["b", "c"]) });
        assert!(more.unwrap());
        let keys: Vec<String> = listing.between(first, listing.end()).map(|o| o.unwrap().location.key).collect();
        assert_eq!(keys, ["m/b", "m/c"]);
        let (more, ()) = tokio::join!(listing.has_more(listing.end()), async { listing.end_with(Ok(())) });
        assert!(!more.unwrap());
        assert!(listing.has_more(first).await.unwrap(), "what came before the end is still there");
    }

    #[tokio::test]
    async fn whoever_waits_is_told_that_the_listing_broke_off() {
        let listing = Listing::of("s3://models/m/", &["a"], false);
        let (more, ()) = tokio::join!(listing.has_more(listing.end()), async { listing.end_with(Err("no more")) });
        assert_eq!(more.unwrap_err().to_string(), "no more");
    }
}

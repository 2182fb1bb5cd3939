//! The holds of a group at every place that its versions or its holds name: a hold at one place does not stop runs at
//! another place.

use anyhow::{Error, Result};
use futures_util::future::join_all;

use super::place::Place;
use crate::aws::accounts::TargetAccount;
use crate::aws::error::Kind;
use crate::copy::{HoldAt, Holds};
use crate::model::failure::Failure;
use crate::model::hold::{Hold, HoldState, Release};
use crate::model::location::Location;
use crate::run::settings::HoldSettings;

/// How often a run tries to write a hold whose number another run takes at the same time.
const ATTEMPTS: usize = 8;

/// The holds of a group at every place.
pub(super) struct Everywhere<'a> {
    place: &'a Place,
    there: Vec<HoldAt<'a>>,
    /// Why it is not known whether there is a hold at a place.
    unread: Vec<(Location, Error)>,
    /// The places to which nothing can be promoted.
    gone: Vec<String>,
}

/// Holds that were written.
pub(super) struct Put {
    /// The first of them; nothing if each place that is held had one before.
    pub first: Option<Hold>,
    /// An error if a place is not held. It names the place, and those that are held.
    pub everywhere: Result<()>,
}

impl<'a> Everywhere<'a> {
    /// Reads the hold at every place of a group.
    ///
    /// # Errors
    /// No place of the group can be read.
    pub async fn read(target: &'a TargetAccount, place: &'a Place, settings: &HoldSettings) -> Result<Self> {
        let mut all = Self { place, there: Vec::new(), unread: Vec::new(), gone: Vec::new() };
        let mut first_error = None;
        let places = place.folders.iter().map(|folder| place.holds(target, settings, folder)).collect();
        for (folder, read) in Holds::everywhere(places).await {
            match read {
                Ok(there) => all.there.push(there),
                Err(error) if error.kind == Kind::NotFound && settings.bucket.as_ref() != Some(&folder.bucket) => {
                    all.gone.push(format!("nothing is held at {folder}: the bucket does not exist"));
                    first_error.get_or_insert(error);
                }
                Err(error) => {
                    let is_given = settings.bucket.as_ref() == Some(&folder.bucket);
                    let error = if is_given { error } else { error.of_found_bucket() };
                    first_error.get_or_insert(error.clone());
                    all.unread.push((folder, error.into()));
                }
            }
        }
        match first_error {
            Some(error) if all.there.is_empty() => Err(error.into()),
            _ => Ok(all),
        }
    }

    /// Whether each place has a hold that is kept.
    pub fn is_held(&self, is_kept: impl Fn(&Hold) -> bool) -> bool {
        self.unread.is_empty() && self.there.iter().all(|there| there.hold().is_some_and(&is_kept))
    }

    /// The holds that are there, that at the destination first.
    pub fn present(&self) -> impl Iterator<Item = &Hold> {
        self.there.iter().filter_map(HoldAt::hold)
    }

    /// What makes it doubtful that the group can be held, or released, at each place.
    pub fn warnings(&self) -> Vec<String> {
        let unread = self.unread.iter().map(|(folder, error)| format!("{folder} cannot be read: {error:#}"));
        self.place.warnings.iter().chain(&self.gone).cloned().chain(unread).collect()
    }

    /// The next hold at the destination.
    pub fn next(&self, new: impl Fn(u32) -> Hold) -> Hold {
        let number = self.there.first().map_or(1, |there| there.state.next());
        Hold { places: self.places(), ..new(number) }
    }

    fn places(&self) -> Vec<Location> {
        self.there.iter().map(|there| there.holds.promotions.clone()).collect()
    }

    /// Writes a hold to each place that has none that is kept.
    ///
    /// # Errors
    /// No place is held.
    pub async fn put(&mut self, is_kept: impl Fn(&Hold) -> bool, new: impl Fn(u32) -> Hold) -> Result<Put> {
        let places = self.places();
        let new = |number| Hold { places: places.clone(), ..new(number) };
        let puts = self.there.iter().map(|there| {
            let is_there = there.hold().is_some_and(&is_kept);
            let new = &new;
            async move { if is_there { Ok(None) } else { put(&there.holds, there.state, new).await.map(Some) } }
        });
        let (first, done, failed) = self.sorted(join_all(puts).await);
        let is_held = !done.is_empty();
        match self.refuse(failed, "held", &done) {
            Err(error) if !is_held => Err(error),
            everywhere => Ok(Put { first, everywhere }),
        }
    }

    /// Releases each hold that is there. Returns the first of them with its release; nothing if there is none.
    ///
    /// # Errors
    /// A hold is not released. The error names its place, and those that are released.
    pub async fn release(&mut self, new: impl Fn(&Hold) -> Release) -> Result<Option<(Hold, Release)>> {
        let releases = self.there.iter().map(|there| {
            let release = there.hold().map(|hold| (hold, new(hold)));
            async move {
                let Some((hold, release)) = release else { return Ok(None) };
                // Unless somebody else has released it meanwhile.
                let is_written = there.holds.release(&release).await?;
                Ok(is_written.then(|| (hold.clone(), release)))
            }
        });
        let (first, done, failed) = self.sorted(join_all(releases).await);
        self.refuse(failed, "released", &done)?;
        Ok(first)
    }

    /// Sorts what was written to each place: the first, the places where it is done, and those where it could not be,
    /// with those that could not be read.
    fn sorted<T>(&mut self, written: Vec<Result<Option<T>>>) -> (Option<T>, Vec<Location>, Vec<(Location, Error)>) {
        let (mut first, mut done, mut failed) = (None, Vec::new(), std::mem::take(&mut self.unread));
        for (HoldAt { holds, .. }, written) in self.there.iter().zip(written) {
            match written {
                Ok(written) => {
                    first = first.or(written);
                    done.push(holds.promotions.clone());
                }
                Err(error) => failed.push((holds.promotions.clone(), error)),
            }
        }
        (first, done, failed)
    }

    /// The error about places to which something could not be written, if there are any.
    fn refuse(&self, failed: Vec<(Location, Error)>, what: &str, done: &[Location]) -> Result<()> {
        let places: Vec<String> = failed.iter().map(|(folder, _)| folder.to_string()).collect();
        let Some((_, error)) = failed.into_iter().next() else { return Ok(()) };
        if places.len() + done.len() + self.gone.len() == 1 {
            return Err(error);
        }
        let done: Vec<String> = done.iter().map(ToString::to_string).collect();
        let (group, places) = (&self.place.destination.group, places.join(", "));
        Err(error.context(match done.is_empty() {
            true => format!("{group} could not be {what} at {places}"),
            false => format!("{group} is {what} at {}, and could not be {what} at {places}", done.join(", ")),
        }))
    }
}

/// Writes a hold with the next number.
///
/// # Errors
/// The hold cannot be written, or other runs take its number again and again.
async fn put(holds: &Holds<'_>, state: HoldState, new: impl Fn(u32) -> Hold) -> Result<Hold> {
    let mut number = state.next();
    for _ in 0..ATTEMPTS {
        let hold = new(number);
        if holds.place(&hold).await? {
            return Ok(hold);
        }
        number = holds.state().await?.next().max(number + 1);
    }
    Err(Failure::new(format!("other runs hold and release {} at the same time", holds.group)).hint("Run again").into())
}

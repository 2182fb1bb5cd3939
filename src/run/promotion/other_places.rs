//! The other places of a group in which a run has looked for a hold.

use std::sync::{Mutex, PoisonError};

use crate::model::location::Location;

/// The folders of all promotions to the group at other places, in which the run has looked for a hold.
#[derive(Debug, Default)]
pub(crate) struct OtherPlaces(Mutex<Vec<Location>>);

impl OtherPlaces {
    /// These folders.
    pub fn folders(&self) -> Vec<Location> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds one.
    pub fn add(&self, folder: Location) {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).push(folder);
    }
}

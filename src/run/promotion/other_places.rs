//! The other places of a group in which a run has looked for a hold.

use std::sync::{Mutex, PoisonError};

use tokio::sync::OnceCell;

use crate::model::location::Location;
use crate::plan::Warning;

/// The folders of all promotions to the group at other places, in which the run has looked for a hold.
#[derive(Debug, Default)]
pub(crate) struct OtherPlaces {
    folders: Mutex<Vec<Location>>,
    /// Warnings of folders that may not be listed, each with its folder. Locked while the run looks for a hold, so that no
    /// folder is warned of twice.
    pub unlisted: tokio::sync::Mutex<Vec<Warning>>,
    /// The folders that all versions of the group name, once the run has described all of them.
    pub named: OnceCell<Vec<Location>>,
}

impl OtherPlaces {
    /// These folders.
    pub fn folders(&self) -> Vec<Location> {
        self.folders.lock().unwrap_or_else(PoisonError::into_inner).clone()
    }

    /// Adds one, unless it is there.
    pub fn add(&self, folder: Location) {
        let mut folders = self.folders.lock().unwrap_or_else(PoisonError::into_inner);
        if !folders.contains(&folder) {
            folders.push(folder);
        }
    }
}

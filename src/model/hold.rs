//! Holds: objects beside the promotions to a group that stop promotions into the group until they are released.
//!
//! The hold with the number 1 is `_hold-1-held/hold.json`, and its release is `_hold-1-released/release.json`, so that a
//! listing of the group's folders shows whether the group is held. Neither is overwritten or deleted: they are a history.

use std::collections::BTreeMap;
use std::error::Error;
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use serde::{Deserialize, Serialize};

use super::approval::ApprovalStatus;
use super::arn::{GroupArn, GroupName, PackageArn};
use super::failure::{Failure, cause};
use super::location::Location;

/// How long UpdateModelPackage may take, with its retries. A run looks for a hold at most 5 seconds before it approves a
/// version: no approval is under way when a group has been held for longer than both together.
pub const UPDATE_TIMEOUT: Duration = Duration::from_secs(30);

/// The version of both documents.
const SCHEMA: u32 = 1;
/// Who holds a group, and since when, if that cannot be read.
const UNKNOWN: &str = "unknown";
/// How the folders of holds begin.
const FOLDER: &str = "_hold-";

/// The document of a hold.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Hold {
    /// The version of this document.
    pub schema: u32,
    /// The number of the hold, from 1.
    pub number: u32,
    /// What the hold does, for people who find it.
    pub purpose: String,
    /// The target group.
    pub target_model_package_group_arn: GroupArn,
    /// Why the group is held.
    pub reason: String,
    /// The ARN of the principal that holds the group.
    pub by: String,
    /// Since when, RFC 3339 in UTC.
    pub since: String,
    /// The folders of promotions that the same act held. In a hold that was read, the first one is where it was found.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub places: Vec<Location>,
    /// The version that a rollback has made the newest Approved one.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub rolled_back_to: Option<PackageArn>,
    /// The newer versions that this rollback rejects, by their numbers, each with the approval status that it had.
    #[serde(default, skip_serializing_if = "BTreeMap::is_empty")]
    pub rolled_back: BTreeMap<u32, ApprovalStatus>,
}

/// The document of a release.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Release {
    /// The version of this document.
    pub schema: u32,
    /// The number of the hold that is released.
    pub number: u32,
    /// The target group.
    pub target_model_package_group_arn: GroupArn,
    /// Why the group is released, if a reason was given.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    /// The ARN of the principal that released the group.
    pub by: String,
    /// When, RFC 3339 in UTC.
    pub at: String,
}

impl Hold {
    /// The hold with a number.
    pub fn new(number: u32, group: &GroupArn, reason: &str, by: &str, since: String) -> Self {
        let purpose = "promote promotes nothing into this group until `promote release`.".to_owned();
        let (target_model_package_group_arn, reason, by) = (group.clone(), reason.to_owned(), by.to_owned());
        Self {
            schema: SCHEMA,
            number,
            purpose,
            target_model_package_group_arn,
            reason,
            by,
            since,
            places: Vec::new(),
            rolled_back_to: None,
            rolled_back: BTreeMap::new(),
        }
    }

    /// A hold whose document cannot be read. The group is held all the same.
    pub fn unreadable(number: u32, group: &GroupArn) -> Self {
        let unknown = "unknown: the document of the hold cannot be read";
        Self::new(number, group, unknown, UNKNOWN, UNKNOWN.to_owned())
    }

    /// Whether the document of the hold cannot be read.
    pub fn is_unreadable(&self) -> bool {
        self.by == UNKNOWN
    }

    /// The error for what a run may not do while the group is held. It has a [`Held`] as its cause.
    pub fn refusal(&self) -> anyhow::Error {
        let held = anyhow::Error::new(Held(self.clone()));
        Failure::from(Arc::new(held))
            .hint(format!("Release the group with `{}`, then run again", self.release()))
            .into()
    }

    /// The hold as it is found at a place, which is first among those of this group that the same act held.
    pub fn found_at(mut self, promotions: &Location) -> Self {
        let name = self.target_model_package_group_arn.name();
        self.places.retain(|place| place != promotions && prefix_of(place, name).is_some());
        self.places.insert(0, promotions.clone());
        self
    }

    /// The command that releases the group where this hold was found, which no version may name.
    pub fn release(&self) -> String {
        let name = self.target_model_package_group_arn.name();
        let place = self.places.first().and_then(|place| Some((place, prefix_of(place, name)?)));
        let place = place.map(|(Location { bucket, .. }, prefix)| {
            let prefix = if prefix.is_empty() { "/" } else { prefix };
            format!(" --target-bucket {bucket} --target-prefix {prefix}")
        });
        format!("promote release --target-group {name}{}", place.unwrap_or_default())
    }

    /// Where the hold is, below the folder of all promotions to the group.
    pub fn location(promotions: &Location, number: u32) -> Location {
        Location::new(&promotions.bucket, format!("{}{FOLDER}{number}-held/hold.json", promotions.key))
    }
}

/// The prefix of a folder of all promotions to a group; nothing if the location is another one.
fn prefix_of<'a>(promotions: &'a Location, group: &GroupName) -> Option<&'a str> {
    let prefix = promotions.key.strip_suffix('/')?.strip_suffix(group.canonical().as_str())?;
    (prefix.is_empty() || prefix.ends_with('/')).then_some(prefix)
}

/// A hold that forbids what a run was about to do.
#[derive(Debug, Clone)]
pub struct Held(pub Hold);

impl Held {
    /// The hold that an error is about, if it is about one.
    pub fn of(error: &anyhow::Error) -> Option<&Hold> {
        cause::<Self>(error).map(|held| &held.0)
    }
}

impl fmt::Display for Held {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Hold { target_model_package_group_arn: group, reason, by, since, .. } = &self.0;
        write!(f, "{group} is held since {since} by {by}: {reason}")
    }
}

impl Error for Held {}

impl Release {
    /// The release of a hold.
    pub fn new(number: u32, group: &GroupArn, reason: Option<&str>, by: &str, at: String) -> Self {
        let (target_model_package_group_arn, reason, by) = (group.clone(), reason.map(str::to_owned), by.to_owned());
        Self { schema: SCHEMA, number, target_model_package_group_arn, reason, by, at }
    }

    /// Where the release of a hold is, below the folder of all promotions to the group.
    pub fn location(promotions: &Location, number: u32) -> Location {
        Location::new(&promotions.bucket, format!("{}{FOLDER}{number}-released/release.json", promotions.key))
    }
}

/// Whether a group is held, by the keys or folders of its holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HoldState {
    /// The group was never held.
    Never,
    /// The hold with this number is not released.
    Held(u32),
    /// The last hold, with this number, is released.
    Released(u32),
}

impl HoldState {
    /// The common prefix of the keys of all holds and releases.
    pub fn prefix(promotions: &Location) -> Location {
        Location::new(&promotions.bucket, format!("{}{FOLDER}", promotions.key))
    }

    /// The state by keys, or by folders that end in `/`. Others are ignored.
    pub fn of<'a>(keys: impl Iterator<Item = &'a str>) -> Self {
        let (mut held, mut released) = (0, 0);
        for key in keys {
            let Some((number, kind)) = key.split('/').find_map(|name| name.strip_prefix(FOLDER)?.split_once('-'))
            else {
                continue;
            };
            let number = number.parse().unwrap_or(0);
            match kind {
                "held" => held = held.max(number),
                "released" => released = released.max(number),
                _ => {}
            }
        }
        match (held, released) {
            (0, 0) => Self::Never,
            (held, released) if held > released => Self::Held(held),
            (_, released) => Self::Released(released),
        }
    }

    /// The number of the next hold.
    pub fn next(self) -> u32 {
        match self {
            Self::Never => 1,
            Self::Held(number) | Self::Released(number) => number.saturating_add(1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_group_is_held_if_its_newest_hold_is_not_released() {
        for (folders, state) in [
            (&["churn/444333666777-eu-central-1-churn-v1/"][..], HoldState::Never),
            (&["churn/_hold-1-held/"], HoldState::Held(1)),
            (&["churn/_hold-1-held/", "churn/_hold-1-released/"], HoldState::Released(1)),
            (&["churn/_hold-1-released/", "churn/_hold-1-held/", "churn/_hold-2-held/hold.json"], HoldState::Held(2)),
            (&["churn/_hold-10-held/", "churn/_hold-9-held/", "churn/_hold-9-released/"], HoldState::Held(10)),
            (&["churn/_hold-/", "churn/_hold-x-held/"], HoldState::Never),
        ] {
            assert_eq!(HoldState::of(folders.iter().copied()), state, "{folders:?}");
        }
    }
}

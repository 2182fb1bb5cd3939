//! The hold of a target group, for verbs that only read.

use std::collections::BTreeSet;

use crate::aws::accounts::TargetAccount;
use crate::aws::error::{Kind, with_hints};
use crate::aws::objects::Encryption;
use crate::copy::Holds;
use crate::model::arn::GroupArn;
use crate::model::destination::Destination;
use crate::model::hold::Hold;
use crate::model::layout::Layout;
use crate::model::location::{BucketName, Location};
use crate::model::promoted::PromotedVersion;
use crate::run::settings::LineageSettings;

/// What is known of the hold of a group.
#[derive(Debug, Default)]
pub(in crate::run) struct HoldNow {
    /// The hold, if the group is held.
    pub hold: Option<Hold>,
    /// Holds at other places that somebody else has set, or for another reason.
    pub other_holds: Vec<Hold>,
    /// Why it is not known whether the group is held: each place that cannot be read. Nothing if a hold is known.
    pub unread: Option<String>,
}

impl HoldNow {
    /// Looks for a hold in the folders of [`folders_of_holds`], and in those that their holds name. A look that fails is
    /// part of the result.
    /// `given`: the bucket that the settings say, which has to exist.
    pub async fn look(
        target: &TargetAccount,
        group: &GroupArn,
        (given, folders): (Option<&BucketName>, Vec<Location>),
    ) -> Self {
        let (mut now, mut unread) = (Self::default(), Vec::new());
        if folders.is_empty() {
            unread.push(
                "no promoted version of the group names a bucket to look for holds in; pass `--target-bucket`"
                    .to_owned(),
            );
        }
        let encryption = Encryption::default();
        let holds = |promotions| Holds { target: target.objects(), group, promotions, encryption: encryption.clone() };
        let places: Vec<Holds<'_>> = folders.into_iter().map(holds).collect();
        for (folder, read) in Holds::everywhere(places).await {
            match read.map(|there| there.hold().cloned()) {
                Ok(Some(hold)) if now.hold.as_ref().is_none_or(|first| is_same(first, &hold)) => {
                    now.hold.get_or_insert(hold);
                }
                Ok(Some(hold)) => now.other_holds.push(hold),
                Ok(None) => {}
                // Nothing can be promoted to a bucket that was deleted.
                Err(error) if error.kind == Kind::NotFound && given != Some(&folder.bucket) => {}
                Err(error) => unread.push(with_hints(&error.into())),
            }
        }
        // One hold stops the promotions to every place: a place that cannot be read changes nothing about that.
        now.unread = (now.hold.is_none() && !unread.is_empty()).then(|| unread.join("; "));
        now
    }
}

/// Whether two holds of a group were set by the same act: it writes one to each place.
fn is_same(one: &Hold, other: &Hold) -> bool {
    (&one.reason, &one.by, &one.since) == (&other.reason, &other.by, &other.since)
}

/// The folders that can have a hold of a group, each once: the one that the settings say, and those that its versions were
/// promoted to, the newest version first.
pub(in crate::run) fn folders_of_holds(
    settings: &LineageSettings,
    (group, caller): (&GroupArn, &str),
    versions: &[PromotedVersion],
) -> Vec<Location> {
    let LineageSettings { bucket, prefix, .. } = settings;
    let mut newest: Vec<&PromotedVersion> = versions.iter().collect();
    newest.sort_by_key(|version| std::cmp::Reverse(version.arn.version()));
    let of_version = |version: &PromotedVersion| {
        let place = (group, caller);
        let found = Destination::given_or_found(bucket.as_ref(), prefix.as_ref(), place, version, &version.source()?)?;
        Some(Layout::promotions(&found.bucket, &found.prefix, group.name()))
    };
    let given = || Some(Layout::promotions(bucket.as_ref()?, &prefix.clone().unwrap_or_default(), group.name()));
    let mut folders: Vec<Location> = newest.iter().copied().filter_map(of_version).collect();
    folders.extend(given().filter(|_| folders.is_empty()));
    folders.extend(Destination::promotions_of(group.name(), newest));
    let mut seen = BTreeSet::new();
    folders.retain(|folder| seen.insert(folder.clone()));
    folders
}

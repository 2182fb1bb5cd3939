//! The holds of a group, as objects beside its promotions.

use std::collections::BTreeSet;

use bytes::Bytes;
use futures_util::future::{join_all, try_join_all};
use serde::Serialize;

use crate::aws::error::{CallError, Kind};
use crate::aws::objects::{Attributes, Encryption, TargetObjects};
use crate::model::arn::GroupArn;
use crate::model::hold::{Hold, HoldState, Release};
use crate::model::location::Location;

/// The size limit of a hold, in bytes.
const MAX_BYTES: u64 = 64 << 10;

/// The holds of one group.
#[derive(Clone)]
pub struct Holds<'a> {
    /// S3 in the target account.
    pub target: &'a TargetObjects,
    /// The target group.
    pub group: &'a GroupArn,
    /// The folder of all promotions to the group.
    pub promotions: Location,
    /// The encryption of new holds.
    pub encryption: Encryption,
}

/// A place, and its last hold.
pub struct HoldAt<'a> {
    /// The place.
    pub holds: Holds<'a>,
    /// Whether the group is held there.
    pub state: HoldState,
    last: Option<Hold>,
}

impl HoldAt<'_> {
    /// The hold, if the group is held there.
    pub fn hold(&self) -> Option<&Hold> {
        self.last.as_ref().filter(|_| matches!(self.state, HoldState::Held(_)))
    }
}

impl<'a> Holds<'a> {
    /// Reads the hold at each place, and at the further places that the same acts have held and that are still held: no
    /// version may name them. The last hold counts even if it was released: its release may have failed elsewhere.
    pub async fn everywhere(mut places: Vec<Self>) -> Vec<(Location, Result<HoldAt<'a>, CallError>)> {
        let (mut all, mut seen, mut is_named) = (Vec::new(), BTreeSet::new(), true);
        while !places.is_empty() {
            seen.extend(places.iter().map(|holds| holds.promotions.clone()));
            let read = join_all(places.into_iter().map(Self::last)).await;
            places = Vec::new();
            for (folder, read) in read {
                let last = read.iter().filter_map(|there| Some((&there.holds, there.last.as_ref()?)));
                for (holds, promotions) in last.flat_map(|(holds, last)| last.places.iter().map(move |at| (holds, at)))
                {
                    if seen.insert(promotions.clone()) {
                        places.push(Self { promotions: promotions.clone(), ..holds.clone() });
                    }
                }
                let counts = match &read {
                    Ok(there) => there.hold().is_some(),
                    Err(error) => error.kind != Kind::NotFound,
                };
                if is_named || counts {
                    all.push((folder, read));
                }
            }
            is_named = false;
        }
        all
    }

    async fn last(self) -> (Location, Result<HoldAt<'a>, CallError>) {
        let folder = self.promotions.clone();
        let read = async {
            let state = self.state().await?;
            let last = match state {
                HoldState::Held(number) | HoldState::Released(number) => self.read(HoldState::Held(number)).await?,
                HoldState::Never => None,
            };
            Ok(HoldAt { holds: self, state, last })
        };
        (folder, read.await)
    }

    /// The hold of the group, if it is held now.
    pub async fn now(&self) -> Result<Option<Hold>, CallError> {
        self.read(self.state().await?).await
    }

    /// The first hold at several places.
    pub async fn first(places: &[Self]) -> Result<Option<Hold>, CallError> {
        Ok(try_join_all(places.iter().map(Self::now)).await?.into_iter().flatten().next())
    }

    /// Whether the group is held.
    pub async fn state(&self) -> Result<HoldState, CallError> {
        let prefix = HoldState::prefix(&self.promotions);
        let (mut pages, mut keys) = (self.target.list(&prefix.bucket, &prefix.key), Vec::new());
        while let Some(page) = pages.next().await? {
            keys.extend(page.into_iter().map(|listed| listed.key));
        }
        Ok(HoldState::of(keys.iter().map(String::as_str)))
    }

    /// The hold that a state names. A document that cannot be parsed is a hold too.
    pub async fn read(&self, state: HoldState) -> Result<Option<Hold>, CallError> {
        let HoldState::Held(number) = state else { return Ok(None) };
        let read = self.target.read(&Hold::location(&self.promotions, number), MAX_BYTES).await;
        let text = match read {
            Ok(found) => found.map(|(text, _)| text),
            // Whoever may list but not read must not promote either. Invalid: it is too large, or S3 refuses to read it.
            Err(error) if matches!(error.kind, Kind::Denied | Kind::Invalid) => None,
            Err(error) => return Err(error),
        };
        let hold: Option<Hold> = text.and_then(|text| serde_json::from_slice(&text).ok());
        // The key decides which hold it is: the document may be a copy of that of another hold.
        let hold = hold.map(|hold| Hold { number, target_model_package_group_arn: self.group.clone(), ..hold });
        Ok(Some(hold.unwrap_or_else(|| Hold::unreadable(number, self.group)).found_at(&self.promotions)))
    }

    /// Writes a hold. Returns false if its number is taken.
    pub async fn place(&self, hold: &Hold) -> Result<bool, CallError> {
        self.write(&Hold::location(&self.promotions, hold.number), hold).await
    }

    /// Writes a release. Returns false if the hold is released already.
    pub async fn release(&self, release: &Release) -> Result<bool, CallError> {
        self.write(&Release::location(&self.promotions, release.number), release).await
    }

    async fn write(&self, at: &Location, document: &impl Serialize) -> Result<bool, CallError> {
        let text =
            serde_json::to_vec_pretty(document).expect("the document is JSON: its members are strings and numbers");
        let attributes = Attributes { content_type: Some("application/json".into()), ..Attributes::default() };
        match self.target.put_new(at, Bytes::from(text), &attributes, &self.encryption, None).await {
            Ok(_) => Ok(true),
            Err(error) if error.kind == Kind::PreconditionFailed => Ok(false),
            Err(error) => Err(error),
        }
    }
}
